"""Employment counted by months: overlapping jobs, and what a run of days is worth.

Overlapping jobs are first cut into segments, each at the highest rate of the jobs that cover
it; adjoining segments of one rate join. Who is given a segment's points is said in ``points``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise

from tracker.domain.periods import (
    DAY,
    MEAN_MONTH_DAYS,
    MonthRule,
    Period,
    begun_months,
    months_in,
)

CENT = Decimal("0.01")


def cents(points: Decimal) -> Decimal:
    """Points rounded to two decimals, halves up."""
    return points.quantize(CENT, ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of days on which the best paid of the jobs that cover it earns ``rate`` a month."""

    period: Period
    rate: Decimal


def segments(jobs: Iterable[tuple[Period, Decimal]]) -> tuple[Segment, ...]:
    """Cut overlapping jobs into segments at the highest rate; adjoining ones of a rate join."""
    jobs = tuple(jobs)
    marks = sorted({p.starts_on for p, _ in jobs} | {p.ends_on + DAY for p, _ in jobs})
    found: list[Segment] = []
    for start, following in pairwise(marks):
        rates = [rate for period, rate in jobs if start in period]
        if not rates:
            continue
        piece = Segment(Period(start, following - DAY), max(rates))
        if found and found[-1].rate == piece.rate and found[-1].period.ends_on + DAY == start:
            piece = Segment(Period(found.pop().period.starts_on, piece.period.ends_on), piece.rate)
        found.append(piece)
    return tuple(found)


def weight(period: Period, rate: Decimal, rule: MonthRule) -> Decimal:
    """The points of a run of days before rounding."""
    if rule == "pro_rata":
        return period.days * rate / MEAN_MONTH_DAYS
    return months_in(period, rule) * rate


def room(period: Period, rate: Decimal, rule: MonthRule) -> Decimal:
    """The most that a job's days may bring as a part of a longer segment."""
    if rule == "pro_rata":
        return weight(period, rate, rule)
    return begun_months(period) * rate
