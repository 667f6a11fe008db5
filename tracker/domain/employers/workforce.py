"""What an employer may know about its workers: standing and point totals, never evidence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Literal

from tracker.domain.credentials.certifications import Status
from tracker.domain.employers.consents import ConsentField
from tracker.domain.periods import DAY, Period, add_months

FORECAST_MONTHS = 24
NOT_SHARED: Literal["not_shared"] = "not_shared"
NOT_CERTIFIED: Literal["not_certified"] = "not_certified"
# A worker who passed only some modules is not certified; the employer may not know more.
WORKER_STATUSES = (
    *(status for status in Status if status != Status.IN_PROGRESS),
    NOT_CERTIFIED,
    NOT_SHARED,
)

SEEN: Mapping[ConsentField, tuple[str, ...]] = {
    ConsentField.STANDING: ("name", "certificate_number", "status", "valid"),
    ConsentField.DATES: ("expires_on", "window_opens_on", "window_closes_on", "days_left"),
    ConsentField.POINTS: ("points",),
    ConsentField.MODULES: ("modules",),
    ConsentField.CREDENTIALS: ("credentials",),
}
"""What each set of facts opens, by the names used in the API."""
NEVER = date.max
"""The sort key for a worker without an expiry: after everybody who has one."""


class WorkforceSegment(StrEnum):
    """The parts into which a workforce falls, the most urgent first; each worker is in one.

    ``PAST``: the expiration date has passed, though perhaps in a grace period or with a renewal
    under review. ``DUE_FIRST`` and so on: it comes within the days of that threshold, and not
    within those of the one before. ``LATER``: it comes later, or is not shared. ``STOPPED``:
    suspended, revoked, surrendered or withdrawn.
    """

    PAST = "past"
    DUE_FIRST = "due_first"
    DUE_SECOND = "due_second"
    DUE_THIRD = "due_third"
    LATER = "later"
    STOPPED = "stopped"
    NOT_CERTIFIED = NOT_CERTIFIED
    NOT_SHARED = NOT_SHARED


DUE = (WorkforceSegment.DUE_FIRST, WorkforceSegment.DUE_SECOND, WorkforceSegment.DUE_THIRD)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Days before expiry from which a worker counts as due, the soonest first.

    The installation sets them; every list, filter, legend and digest uses the same.
    """

    first: int = 30
    second: int = 90
    third: int = 180

    @property
    def within(self) -> Mapping[WorkforceSegment, int]:
        """The last day of each part that falls due, counted from the day that is asked about."""
        return dict(zip(DUE, (self.first, self.second, self.third), strict=True))

    def periods(self, on: date) -> dict[int, Period]:
        """The days from ``on`` to each threshold, the farthest first; both ends count."""
        days = sorted(self.within.values(), reverse=True)
        return {one: Period(on, on + timedelta(days=one)) for one in days}


USUAL = Thresholds()
SEGMENTS: Mapping[WorkforceSegment, frozenset[str]] = {
    WorkforceSegment.PAST: frozenset({Status.EXPIRED, Status.GRACE, Status.PENDING_RENEWAL}),
    WorkforceSegment.LATER: frozenset({Status.ACTIVE, Status.RENEWAL_OPEN}),
    WorkforceSegment.NOT_CERTIFIED: frozenset({NOT_CERTIFIED}),
    WorkforceSegment.NOT_SHARED: frozenset({NOT_SHARED}),
}
"""The statuses of each part; those that are left are ``STOPPED``. Of ``LATER``, the days decide."""


def segment(
    status: str, expires_on: date | None, *, on: date, thresholds: Thresholds = USUAL
) -> WorkforceSegment:
    """The part of the workforce to which a worker belongs on a day.

    >>> segment("active", date(2026, 12, 1), on=date(2026, 11, 21)).value
    'due_first'
    """
    by_status = (one for one, statuses in SEGMENTS.items() if status in statuses)
    found = next(by_status, WorkforceSegment.STOPPED)
    if found != WorkforceSegment.LATER or expires_on is None:
        return found
    days = (expires_on - on).days
    return next((one for one, last in thresholds.within.items() if days <= last), found)


def urgency(expires_on: date | None) -> date:
    """The sort key by urgency: expired first, then the soonest expiry, last those without one."""
    return expires_on or NEVER


def forecast(
    expiries: Mapping[date, int] | Iterable[tuple[date, int]], *, on: date
) -> list[tuple[date, int]]:
    """Expiries from ``on`` by calendar month, for 24 months from the month of ``on``."""
    counts = dict.fromkeys(forecast_months(on), 0)
    for day, count in expiries.items() if isinstance(expiries, Mapping) else expiries:
        month = day.replace(day=1)
        if month in counts and day >= on:
            counts[month] += count
    return list(counts.items())


def forecast_months(on: date) -> list[date]:
    """The first days of the 24 months that start with the month of ``on``."""
    first = on.replace(day=1)
    return [add_months(first, n) for n in range(FORECAST_MONTHS)]


def days_ahead(month: date, *, on: date) -> Period:
    """The days of the month that begins with ``month``, except those before ``on``."""
    return Period(max(month, on), add_months(month, 1) - DAY)
