"""Calendar arithmetic of certification: anniversaries, windows, completed months.

Dates only, both ends included. Durations that depend on the length of months are never chained: the
n-th anniversary is always computed from the original anchor.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

from tracker.domain.value_classes import value_class

TimeUnit = Literal["days", "months", "years"]
MonthRule = Literal["completed", "pro_rata", "fifteen_days"]

DAY = timedelta(days=1)
MEAN_MONTH_DAYS = Decimal("30.4375")  # 365.25 / 12
SHORTEST_MONTH = 28  # days that every month has
ENOUGH_OF_A_MONTH = 15  # days that count as a month under the `fifteen_days` rule


@value_class(order=True)
class Period:
    """A run of calendar days, ``starts_on`` and ``ends_on`` both included."""

    starts_on: date
    ends_on: date

    def __contains__(self, day: date) -> bool:
        return self.starts_on <= day <= self.ends_on

    @property
    def days(self) -> int:
        """The number of days, both ends counted."""
        return (self.ends_on - self.starts_on).days + 1

    def overlaps(self, other: Period) -> bool:
        """Whether some days lie in both periods."""
        return self.starts_on <= other.ends_on and other.starts_on <= self.ends_on

    def clip(self, other: Period) -> Period | None:
        """The days that lie in both periods; None if there are none."""
        start, end = max(self.starts_on, other.starts_on), min(self.ends_on, other.ends_on)
        return Period(start, end) if start <= end else None


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time in calendar units, as a policy states it: 90 days, 3 months, 5 years."""

    length: int
    unit: TimeUnit

    def after(self, day: date) -> date:
        """``day`` plus this duration; a day that the month lacks becomes its last day."""
        return self._shift(day, self.length)

    def before(self, day: date) -> date:
        """``day`` minus the duration: Nov 12, 2015 less 3 months is Aug 12, less 90 days Aug 14."""
        return self._shift(day, -self.length)

    def _shift(self, day: date, length: int) -> date:
        if self.unit == "days":
            return day + timedelta(days=length)
        return add_months(day, length * 12 if self.unit == "years" else length)


def add_months(day: date, months: int) -> date:
    """``day`` moved by calendar months; a day that the month lacks becomes the month's last day."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    if day.day <= SHORTEST_MONTH:
        return date(year, month + 1, day.day)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def nth_expiry(anchor: date, validity: Duration, n: int) -> date:
    """The last valid day of the n-th cycle (n from 1) counted from the original ``anchor``.

    Awarded on February 29, 2024 for five years: February 28 in 2029, 2034 and 2039, and February
    29, 2044.
    """
    return Duration(validity.length * n, validity.unit).after(anchor)


def completed_months(period: Period) -> int:
    """The largest m for which ``starts_on`` plus m months less a day is within the period."""
    after_end = period.ends_on + DAY
    start = period.starts_on
    months = (after_end.year - start.year) * 12 + after_end.month - start.month
    if start.day > after_end.day and add_months(start, months) > after_end:
        months -= 1
    return months


def begun_months(period: Period) -> int:
    """The number of months that begin in the period, the last incomplete one included."""
    months = completed_months(period)
    return months + (add_months(period.starts_on, months) <= period.ends_on)


def months_in(period: Period, rule: MonthRule) -> Decimal:
    """The number of months in a period under ``rule`` (594 days are 19, 19.52 or 20)."""
    if rule == "pro_rata":
        return (Decimal(period.days) / MEAN_MONTH_DAYS).quantize(Decimal("0.01"))
    months = completed_months(period)
    if rule == "fifteen_days":
        rest = (period.ends_on - add_months(period.starts_on, months)).days + 1
        months += rest >= ENOUGH_OF_A_MONTH
    return Decimal(months)
