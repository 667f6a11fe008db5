"""Months of employment that an employer confirms, once a year; permissions to work meanwhile."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date

from tracker.domain.errors import Invalid
from tracker.domain.periods import DAY, Period

_FIRST, _LAST = (1, 1), (12, 31)
MOST_DAYS = 180
"""The longest permission to work while a renewal is decided."""


@dataclass(frozen=True, slots=True)
class YearToConfirm:
    """A calendar year that is over, and the days of it that are on the employer's list."""

    year: int
    period: Period


def days_of(year: int, *, since: date, today: date) -> Period:
    """The days of a year to confirm: since the worker was listed, and none to come.

    >>> days_of(2025, since=date(2025, 3, 10), today=date(2026, 2, 1)).starts_on
    datetime.date(2025, 3, 10)
    """
    first = date(year, *_FIRST)
    starts_on = since if since.year == year else first
    return Period(starts_on, min(date(year, *_LAST), today))


def missing(since: date, confirmed: Collection[int], *, today: date) -> list[YearToConfirm]:
    """The years that are over and not confirmed, of somebody listed since that day."""
    years = (year for year in range(since.year, today.year) if year not in confirmed)
    return [YearToConfirm(year, days_of(year, since=since, today=today)) for year in years]


def check_days(year: int, period: Period, *, today: date) -> None:
    """Refuse days that are to come, or outside of the year. Raises Invalid."""
    fields: dict[str, str] = {}
    if period.starts_on.year != year:
        fields["starts_on"] = f"must be a day of {year}"
    if period.ends_on.year != year or period.ends_on > today:
        fields["ends_on"] = f"must be a day of {year} that is not to come"
    elif period.ends_on < period.starts_on:
        fields["ends_on"] = f"must not be before starts_on ({period.starts_on})"
    if fields:
        raise Invalid("These days cannot be confirmed.", fields=fields)


def covers(confirmed: Iterable[Period], claimed: Period) -> bool:
    """Whether every day that is claimed is confirmed, by one year or by several together.

    >>> years = [Period(date(2025, 1, 1), date(2025, 12, 31))]
    >>> covers(years, Period(date(2025, 2, 1), date(2026, 1, 1)))
    False
    """
    following = claimed.starts_on
    for period in sorted(confirmed, key=lambda one: one.starts_on):
        if period.starts_on > following:
            break
        following = max(following, period.ends_on + DAY)
    return following > claimed.ends_on


def check_permission(period: Period, *, today: date) -> None:
    """Refuse a permission that has ended, begins too late or lasts too long. Raises Invalid."""
    if period.ends_on < today:
        raise Invalid("The permission has ended.", fields={"ends_on": "must not be a past day"})
    if period.starts_on > today + MOST_DAYS * DAY:
        rule = f"must be within {MOST_DAYS} days of today ({today})"
        raise Invalid("The permission begins too late.", fields={"starts_on": rule})
    if not 1 <= period.days <= MOST_DAYS:
        rule = f"must be within {MOST_DAYS} days of starts_on"
        raise Invalid("The permission lasts too long.", fields={"ends_on": rule})
