"""Employers' digests about made-up workers, for review before anybody gets one.

Every section has each kind of line that it can have; one section says that there are more lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

from tracker.domain.credentials.certifications import ChangeKind, Status
from tracker.domain.delivery import pages
from tracker.domain.delivery.digests import DigestFrequency, last_closed
from tracker.domain.employers.staffing import StaffingBreak
from tracker.domain.schemes.activity_types import translated
from tracker.domain.schemes.schemes import Scheme
from tracker.language import clearances
from tracker.mail import digests
from tracker.mail.digests import DigestLine, DigestMessage, DigestNumbers
from tracker.mail.previews import Sample

_TODAY = date(2027, 3, 15)
_EMPLOYERS = {"en": "Acme Manufacturing", "es": "Manufacturas Acme"}
_LINE = {"en": "Line 3, night shift", "es": "Línea 3, turno de noche"}
_WORKERS = ("Ana Gómez", "José Núñez", "Mary O'Neil", "Luis Peña", "Wei Chen")
# By section: the kinds of lines, each with its days from the end of the period.
_LINES: Mapping[str, Sequence[tuple[str, int]]] = {
    "expired": (("expired", -3), ("grace", -2)),
    "pending": ((Status.PENDING_RENEWAL, -4),),
    "due": ((Status.RENEWAL_OPEN, 6), (Status.RENEWAL_OPEN, 25), (Status.ACTIVE, 170)),
    "changed": (
        ("approved", -1),
        (ChangeKind.SUSPEND, -2),
        (ChangeKind.REINSTATE, -2),
        (ChangeKind.REVOKE, -5),
        (ChangeKind.SURRENDER, -6),
        ("withdrawn", -6),
    ),
    "sharing": (("sharing", -1),),
}
_OF_NO_SCHEME = frozenset({"sharing"})


def of_schemes(schemes: Sequence[Scheme], language: str, name: str) -> Iterator[Sample]:
    """One week's digest about workers under these schemes; none without schemes."""
    if not schemes:
        return
    week = last_closed(DigestFrequency.WEEK, _TODAY)
    issuers = {scheme.issuer for scheme in schemes}
    issuer = issuers.pop() if len(issuers) == 1 else "Tracker"
    message = digests.compose(
        DigestMessage(
            employer=translated(_EMPLOYERS, language),
            language=language,
            from_on=week.starts_on,
            through_on=week.ends_on,
            numbers=tuple(_numbers(scheme, language) for scheme in schemes),
            sections={
                section: (tuple(_lines(schemes, section, language, week.ends_on)), section == "due")
                for section in _LINES
            },
            staffing=(_short(week.ends_on, language),),
            issuer=issuer,
            link=f"https://tracker.example{pages.path_of([(pages.DIGEST, None)])}",
        )
    )
    at = datetime(_TODAY.year, _TODAY.month, _TODAY.day, 14, tzinfo=UTC)
    yield Sample(f"{name}.{language}", message, at, "", issuer)


def _short(until: date, language: str) -> str:
    """A place that will have too few."""
    breaks = StaffingBreak(until + timedelta(days=60), 1)
    return clearances.staffing([translated(_LINE, language)], 2, 2, breaks, language)


def _numbers(scheme: Scheme, language: str) -> DigestNumbers:
    return DigestNumbers(
        scheme=scheme.full_name(language),
        total=12,
        valid=8,
        not_shared=2,
        not_certified=1,
        pending=1,
        due={30: 2, 90: 2, 180: 3},
    )


def _lines(
    schemes: Sequence[Scheme], section: str, language: str, until: date
) -> Iterator[DigestLine]:
    for place, (what, days) in enumerate(_LINES[section]):
        scheme, on = schemes[place % len(schemes)], until + timedelta(days=days)
        closes_on = scheme.policies[-1].window_closes_on(on) if scheme.policies else on
        tells_of_it = section == "due" and closes_on < on
        yield DigestLine(
            name=_WORKERS[place % len(_WORKERS)],
            employee_id=f"E{place + 1:03}",
            what=what,
            scheme="" if section in _OF_NO_SCHEME else translated(scheme.title, language),
            on=on,
            closes_on=closes_on if tells_of_it else None,
        )
