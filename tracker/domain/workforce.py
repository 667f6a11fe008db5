"""What an employer may know of its workers: a standing, a band of points, never evidence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from tracker.domain.certifications import Status
from tracker.domain.periods import add_months

FORECAST_MONTHS = 24
NOT_SHARED = "not_shared"
NOT_CERTIFIED = "not_certified"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Days before expiry from which a worker counts as due; printed in every legend."""

    days: tuple[int, ...] = (180, 90, 30)


def urgency(status: Status | None, expires_on: date | None, *, on: date) -> int:
    """The days until expiry that order a list by urgency: expired first, then the soonest."""
    if expires_on is None or status is None:
        return 10**6
    return (expires_on - on).days


def forecast(
    expiries: Mapping[date, int] | Iterable[tuple[date, int]], *, on: date
) -> list[tuple[date, int]]:
    """Expiries from ``on`` by calendar month, for 24 months from the month of ``on``."""
    first = on.replace(day=1)
    months = [add_months(first, n) for n in range(FORECAST_MONTHS)]
    counts = dict.fromkeys(months, 0)
    for day, count in expiries.items() if isinstance(expiries, Mapping) else expiries:
        month = day.replace(day=1)
        if month in counts and day >= on:
            counts[month] += count
    return list(counts.items())
