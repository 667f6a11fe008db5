"""Who paid for attempts: sums by source, center, outcome and period."""

from __future__ import annotations

from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from tracker.domain.periods import Period

ZERO = Decimal("0.00")


class FundingPeriod(StrEnum):
    """How long the periods of a report are, by the calendar."""

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


_MONTHS = {FundingPeriod.MONTH: 1, FundingPeriod.QUARTER: 3, FundingPeriod.YEAR: 12}


@dataclass(frozen=True, slots=True)
class FundedMonth:
    """The attempts of one month that have a source, a center and an outcome in common.

    ``amount`` is the sum of those with an amount on record, ``without_amount`` how many have none.
    """

    year: int
    month: int
    funding: str | None
    center_id: str | None
    passed: bool
    attempts: int
    without_amount: int
    amount: Decimal | None


@dataclass(frozen=True, slots=True)
class FundingLine:
    """The same for a period of a report; without a source or center where none is on record."""

    starts_on: date
    ends_on: date
    funding: str | None
    center_id: str | None
    passed: bool
    attempts: int
    without_amount: int
    amount: Decimal


def period_of(year: int, month: int, kind: FundingPeriod) -> Period:
    """The period of the calendar in which a month lies.

    >>> period_of(2026, 5, FundingPeriod.QUARTER).ends_on
    datetime.date(2026, 6, 30)
    """
    length = _MONTHS[kind]
    last = -(-month // length) * length
    return Period(date(year, last - length + 1, 1), date(year, last, monthrange(year, last)[1]))


def report(months: Iterable[FundedMonth], kind: FundingPeriod, within: Period) -> list[FundingLine]:
    """A line for each period, source, center and outcome, in that order.

    The days of a period are those within the days asked for.
    """
    together: dict[tuple[object, ...], list[FundedMonth]] = defaultdict(list)
    for one in months:
        period = period_of(one.year, one.month, kind)
        together[period, one.funding, one.center_id, one.passed].append(one)
    lines = [_line(some, kind, within) for some in together.values()]
    return sorted(lines, key=_order)


def _line(some: list[FundedMonth], kind: FundingPeriod, within: Period) -> FundingLine:
    one = some[0]
    period = period_of(one.year, one.month, kind)
    return FundingLine(
        starts_on=max(period.starts_on, within.starts_on),
        ends_on=min(period.ends_on, within.ends_on),
        funding=one.funding,
        center_id=one.center_id,
        passed=one.passed,
        attempts=sum(month.attempts for month in some),
        without_amount=sum(month.without_amount for month in some),
        amount=sum((month.amount or ZERO for month in some), ZERO),
    )


def _order(line: FundingLine) -> tuple[date, str, str, bool]:
    return line.starts_on, line.funding or "", line.center_id or "", not line.passed
