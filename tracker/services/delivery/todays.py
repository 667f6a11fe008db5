"""The standing of a certification as messages give it: on the holder's day, with the next step."""

from __future__ import annotations

from datetime import date
from typing import Any

from tracker.domain.credentials import certifications
from tracker.domain.credentials.certifications import StandingSpan
from tracker.domain.schemes.policies import LateStep
from tracker.domain.schemes.schemes import Scheme
from tracker.mail.today import ZERO, Today
from tracker.services.standings import standings
from tracker.services.standings.neighbours import SPAN
from tracker.services.standings.standings import CertificationPoints

_NAMES = tuple(column.key for column in SPAN)


def today_of(scheme: Scheme, row: Any, points: CertificationPoints | None, *, on: date) -> Today:
    """The standing on a day of the certification whose row holds the columns of ``SPAN``."""
    standing = certifications.standing_on(
        StandingSpan(*(getattr(row, name) for name in _NAMES)), on
    )
    step = standings.next_step(standing, points)
    late, fees = _late(row, points, on), scheme.fees
    renewal = fees.renewal if fees else None
    late_fee = (late.fee if late else None) or ZERO
    return Today(
        on=on,
        status=standing.status,
        valid=standing.valid,
        step=step,
        expires_on=standing.expires_on,
        opens_on=standing.window_opens_on,
        last_day=row.grace_ends_on or standing.window_closes_on,
        closes_on=standing.window_closes_on,
        pending_since=standing.pending_since,
        fee=None if renewal is None else renewal + late_fee,
        late_fee=late_fee,
        currency=fees.currency if fees else "",
        zone=scheme.time_zone.key if scheme.days_end == "scheme" else "",
        issuer=scheme.issuer,
    )


def _late(row: Any, points: CertificationPoints | None, on: date) -> LateStep | None:
    """The late step that an application on a day would fall into, or None."""
    if points is None or row.expires_on is None:
        return None
    return points.policy.late_step(row.expires_on, on)
