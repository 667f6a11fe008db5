"""Employment counted by months: overlapping jobs, and what a run of days is worth.

Overlapping jobs are first cut into segments, each at one rate: the highest of the jobs that
cover it, or their sum up to a maximum. Adjoining segments of one rate join. The months of a
segment are then given to the jobs that make it up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_FLOOR, Decimal
from itertools import pairwise

from tracker.domain.activity_types import ActivityType
from tracker.domain.claims import ZERO
from tracker.domain.lines import Line, cents, size_of
from tracker.domain.periods import (
    DAY,
    MEAN_MONTH_DAYS,
    MonthRule,
    Period,
    begun_months,
    months_in,
)
from tracker.domain.policies import Policy

Merge = Callable[[Sequence[Decimal]], Decimal]


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of days on which the jobs that cover it earn ``rate`` a month together."""

    period: Period
    rate: Decimal


@dataclass(slots=True)
class Job:
    """The days of a job that count, and the points given for them."""

    line: Line
    period: Period
    rate: Decimal
    given: Decimal = ZERO

    @property
    def left(self) -> Decimal:
        """What the reviewer's limit still allows."""
        limit = self.line.claim.limit
        return Decimal("Infinity") if limit is None else limit - self.given


def segments(jobs: Iterable[tuple[Period, Decimal]], merge: Merge = max) -> tuple[Segment, ...]:
    """Cut overlapping jobs into segments at the merged rate; adjoining ones of a rate join."""
    jobs = tuple(jobs)
    marks = sorted({p.starts_on for p, _ in jobs} | {p.ends_on + DAY for p, _ in jobs})
    found: list[Segment] = []
    for start, following in pairwise(marks):
        rates = [rate for period, rate in jobs if start in period]
        if not rates:
            continue
        piece = Segment(Period(start, following - DAY), merge(rates))
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


def job_of(line: Line, kind: ActivityType, earning: Period, *, on: date) -> Job | None:
    """The days of a claim counted by months that lie in the cycle, up to ``on``."""
    start, end = line.claim.starts_on or date.max, line.claim.completed_on or date.max
    period = earning.clip(Period(start, min(end, on)))
    if period is not None and kind.days.clip(period) is None:
        line.refuse("outside_type", subject=start.isoformat())
        return None
    period = period and kind.days.clip(period)
    if period is None:
        line.refuse("after_date" if start in earning and on < start else "outside_cycle")
        return None
    line.run = period
    return Job(line, period, kind.rate * line.factor)


def count_months(jobs: Sequence[Job], policy: Policy) -> None:
    """Credit the jobs of a category by month.

    Points are rounded when all are given, so that cutting a run of days into pieces neither
    wins nor loses a cent.
    """
    if policy.overlap == "sum":
        for job in jobs:
            _share_out([job], policy, max)
    else:
        cap = policy.overlap_maximum or ZERO
        _share_out(jobs, policy, max if policy.overlap == "highest" else _sum_up_to(cap))
    exact = ZERO
    for job in jobs:
        before, exact = exact, exact + job.given
        job.given = cents(exact, policy) - cents(before, policy)
        _settle(job, jobs, policy)


def _sum_up_to(cap: Decimal) -> Merge:
    return lambda rates: min(sum(rates, ZERO), cap)


def _share_out(jobs: Sequence[Job], policy: Policy, merge: Merge) -> None:
    """Give the months of each segment to its jobs, the longest first, up to their limits.

    Where the highest rate rules, those of a lower one have no part in a segment.
    """
    rule = policy.month_rule
    for segment in segments(((job.period, job.rate) for job in jobs), merge):
        rest = weight(segment.period, segment.rate, rule)
        parts = [
            (room(part, job.rate, rule), job)
            for job in jobs
            if merge is not max or job.rate == segment.rate
            if (part := job.period.clip(segment.period))
        ]
        for most, job in sorted(parts, key=lambda part: (-part[0], part[1].line.key)):
            points = min(most, rest, job.left)
            job.given += points
            rest -= points


def _settle(job: Job, jobs: Sequence[Job], policy: Policy) -> None:
    """Say what the job claimed and which rule took what was not given.

    ``claimed`` is what the months that a job begins would bring on their own.
    """
    rule, line, limit = policy.month_rule, job.line, job.line.claim.limit
    size = size_of(policy)
    alone = weight(job.period, job.rate, rule).quantize(size, ROUND_FLOOR)
    pro_rata = rule == "pro_rata"
    line.units = months_in(job.period, rule) if pro_rata else Decimal(begun_months(job.period))
    claimed = alone if pro_rata else room(job.period, job.rate, rule).quantize(size, ROUND_FLOOR)
    line.claimed = line.counted = max(claimed, job.given)
    lost = line.claimed - job.given
    decided = ZERO if limit is None else min(lost, max(alone - limit, ZERO))
    shared = any(other is not job and other.period.clip(job.period) for other in jobs)
    begun = min(lost - decided, line.claimed - alone) if shared else lost - decided
    line.cut("incomplete_month", begun)
    line.cut("overlap", lost - decided - begun)
    line.cut("decision", decided, bound=limit)
