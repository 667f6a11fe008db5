"""Who pays for attempts: the sources of one, and sums by source, center, outcome and period."""

from __future__ import annotations

from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import TypedDict

from tracker.domain.periods import Period

ZERO = Decimal("0.00")
MOST_SOURCES = 4
"""How many sources may pay for one attempt."""


class FundingSource(TypedDict):
    """Who pays for an attempt, how much (in digits, with two decimals), and by which reference."""

    funding: str
    amount: str | None
    funding_reference: str | None


def source(
    funding: str, amount: Decimal | None = None, funding_reference: str | None = None
) -> FundingSource:
    """A source as it is stored.

    >>> source("wioa", Decimal(45))["amount"]
    '45.00'
    """
    said = None if amount is None else f"{amount:.2f}"
    return {"funding": funding, "amount": said, "funding_reference": funding_reference}


def sources_rule(first: str | None, more: Sequence[FundingSource]) -> str | None:
    """The rule that the sources beside the first one break.

    Each source is named once, so that a report counts an attempt once for each.
    """
    if more and first is None:
        return "is only for an attempt that has a funding: name that source first"
    if len(more) >= MOST_SOURCES:
        return f"makes more than {MOST_SOURCES} sources of one attempt"
    named = [first, *(one["funding"] for one in more)]
    twice = sorted({name for name in named if name and named.count(name) > 1})
    return f"names a source twice: {', '.join(twice)}; add its amounts up" if twice else None


class FundingPeriod(StrEnum):
    """How long the periods of a report are, by the calendar."""

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


_MONTHS = {FundingPeriod.MONTH: 1, FundingPeriod.QUARTER: 3, FundingPeriod.YEAR: 12}


@dataclass(frozen=True, slots=True)
class FundedMonth:
    """The attempts of one month that have a source, a center and an outcome in common.

    ``amount`` is the sum of what the source pays where that is on record, ``without_amount`` for
    how many it is not. ``firsts``: of how many it is the first source, or the only one.
    """

    year: int
    month: int
    funding: str | None
    center_id: str | None
    passed: bool
    attempts: int
    firsts: int
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
    firsts: int
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


def attempts_of(lines: Iterable[FundingLine], *, funding: str | None) -> int:
    """How many attempts the lines of a report are about, each counted once.

    In a report of one source an attempt is in one line only; otherwise it is in one for each of
    its sources, and counts in that of its first.
    """
    return sum(line.attempts if funding else line.firsts for line in lines)


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
        firsts=sum(month.firsts for month in some),
        without_amount=sum(month.without_amount for month in some),
        amount=sum((month.amount or ZERO for month in some), ZERO),
    )


def _order(line: FundingLine) -> tuple[date, str, str, bool]:
    return line.starts_on, line.funding or "", line.center_id or "", not line.passed
