"""The standing of a certification as messages give it: on the holder's day, with the next step."""

from __future__ import annotations

from datetime import date

from tracker.domain.credentials import certifications
from tracker.domain.credentials.certifications import StandingSpan
from tracker.domain.schemes.policies import LateStep
from tracker.domain.schemes.schemes import Scheme
from tracker.mail.today import ZERO, Today
from tracker.services.standings import standings
from tracker.services.standings.standings import CertificationPoints


def today_of(
    scheme: Scheme, span: StandingSpan, points: CertificationPoints | None, *, on: date
) -> Today:
    """The standing on a day of the certification whose span contains the day."""
    standing = certifications.standing_on(span, on)
    step = standings.next_step(standing, points)
    late, fees = _late(span, points, on), scheme.fees
    renewal = fees.renewal if fees else None
    late_fee = (late.fee if late else None) or ZERO
    return Today(
        on=on,
        status=standing.status,
        valid=standing.valid,
        step=step,
        expires_on=standing.expires_on,
        opens_on=standing.window_opens_on,
        last_day=span.grace_ends_on or standing.window_closes_on,
        closes_on=standing.window_closes_on,
        pending_since=standing.pending_since,
        fee=None if renewal is None else renewal + late_fee,
        late_fee=late_fee,
        currency=fees.currency if fees else "",
        zone=scheme.time_zone.key if scheme.days_end == "scheme" else "",
        issuer=scheme.issuer,
    )


def _late(span: StandingSpan, points: CertificationPoints | None, on: date) -> LateStep | None:
    """The late step that an application on a day would fall into, or None."""
    if points is None or span.expires_on is None:
        return None
    return points.policy.late_step(span.expires_on, on)
