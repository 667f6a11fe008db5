"""Employment counted by months: overlapping jobs, and the worth of a run of days.

Overlapping jobs are first cut into segments, each at one rate: the highest of the jobs that cover
it, or their sum up to a maximum. Adjacent segments at one rate are joined, and a segment counts by
its completed months. Each month is given to one of the jobs that cover some of its days. If caps
and minima treat these jobs differently, the choice is left open, and what a month earns at a higher
rate is apart from what it earns at a lower one: a job of which little may count leaves the rest to
another that covers the same days.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_FLOOR, Decimal
from functools import lru_cache
from itertools import combinations, pairwise

from tracker.domain.periods import (
    DAY,
    MEAN_MONTH_DAYS,
    MonthRule,
    Period,
    add_months,
    begun_months,
    completed_months,
    months_in,
)
from tracker.domain.points import constraints
from tracker.domain.points.claims import ZERO, Rule
from tracker.domain.points.pricing import (
    Earned,
    PricedClaim,
    SharedMonths,
    cents,
    share_of,
    size_of,
    tags,
)
from tracker.domain.schemes.activity_types import ONE, ActivityType
from tracker.domain.schemes.policies import Policy
from tracker.domain.value_classes import value_class

Merge = Callable[[Sequence[Decimal]], Decimal]


@value_class()
class Segment:
    """A run of days on which the jobs that cover it earn ``rate`` a month together."""

    period: Period
    rate: Decimal


@dataclass(slots=True, eq=False)
class Job:
    """The days of a job that count, and what they earn a month.

    ``seen`` is what caps and minima depend on; None if one applies to this job alone.
    """

    line: PricedClaim
    period: Period
    rate: Decimal
    seen: tuple[str, frozenset[str]] | None

    @property
    def turn(self) -> tuple[Decimal, int, tuple[date, date, str]]:
        """Sort key among the jobs that cover a month: the best rate first, then the longest."""
        return -self.rate, -self.period.days, self.line.key


@value_class()
class Month:
    """The last day of a month, its points, the jobs that cover it, and what each can still have.

    With ``pro_rata`` it is any run of days, and its points are in days: dividing would lose
    exactness. Months of one job may be together.
    """

    on: date
    points: Decimal
    jobs: tuple[Job, ...]
    rooms: dict[Job, Decimal]

    def taker(self) -> Job:
        """The job that gets the month if all are treated alike: the first with room for it."""
        job = next((job for job in self.jobs if self.rooms[job] >= self.points), self.jobs[0])
        self.rooms[job] -= self.points
        return job


def segments(jobs: Iterable[tuple[Period, Decimal]], merge: Merge = max) -> tuple[Segment, ...]:
    """Cut overlapping jobs into segments at the merged rate; join adjacent ones at one rate."""
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


def layers(segment: Segment, rates: Collection[Decimal]) -> Iterator[tuple[Decimal, Decimal]]:
    """The rates up to that of a segment, highest first, each with the step down to the next.

    If jobs are summed, each has a layer of no more than its own rate.
    """
    steps = sorted({segment.rate, *(rate for rate in rates if rate < segment.rate)}, reverse=True)
    for rate, lower in pairwise([*(step for step in steps if step), ZERO]):
        yield rate, rate - lower


def months(run: Period, rule: MonthRule, jobs: Iterable[Job]) -> Iterator[tuple[Period, Decimal]]:
    """The months of a run of days, each with its length in months; in days under ``pro_rata``.

    Counted in days, the run is cut wherever one of the jobs begins or has ended, too.
    """
    whole = completed_months(run)
    starts = {add_months(run.starts_on, n) for n in range(whole + 1)}
    last = max(starts)
    if rule == "pro_rata":
        marks = {day for job in jobs for day in (job.period.starts_on, job.period.ends_on + DAY)}
        starts.update(mark for mark in marks if mark in run)
    for start, following in pairwise([*sorted(starts), run.ends_on + DAY]):
        days = Period(start, following - DAY)
        if rule == "pro_rata":
            yield days, Decimal(days.days)
        elif start < last or months_in(run, rule) > whole:
            yield days, ONE


def alone(period: Period, rule: MonthRule) -> Decimal:
    """The months of a job's days by themselves; the days under ``pro_rata``."""
    return Decimal(period.days) if rule == "pro_rata" else months_in(period, rule)


def room(period: Period, rule: MonthRule) -> Decimal:
    """The most months that the days can have as part of a longer run."""
    return Decimal(period.days if rule == "pro_rata" else begun_months(period))


def lengths(
    starts: Iterable[date], last: date, rule: MonthRule
) -> Iterator[tuple[Period, Decimal]]:
    """The possible jobs from each start: of whole months, or through the last day."""
    for start in starts:
        days = Period(start, last)
        whole = completed_months(days) if start <= last else 0
        for months in range(1, whole + 1):
            yield Period(start, add_months(start, months) - DAY), Decimal(months)
        if add_months(start, whole) <= last and months_in(days, rule) > whole:
            yield days, months_in(days, rule)


def job_of(
    line: PricedClaim, kind: ActivityType, earning: Period, policy: Policy, *, on: date
) -> Job | None:
    """The days of a claim counted by months that lie in the cycle, up to ``on``."""
    start, end = line.claim.starts_on or date.max, line.claim.completed_on or date.max
    within = earning.clip(Period(start, min(end, on)))
    if within is None:
        line.refuse("after_date" if start in earning and on < start else "outside_cycle")
        return None
    period = kind.days.clip(within)
    if period is None:
        line.refuse("outside_type", subject=start.isoformat())
        return None
    _, share = share_of(line, policy)
    rate = kind.rate * line.factor * (ONE if share is None else share)
    seen = None if line.claim.limit is not None else _seen(policy, kind.code, tags(line))
    return Job(line, period, rate, seen)


@lru_cache(maxsize=1024)
def _seen(policy: Policy, code: str, marks: frozenset[str]) -> tuple[str, frozenset[str]] | None:
    """What caps and minima depend on for jobs of a type; None if one applies to each job alone."""
    table, kind = constraints.cap_table(policy), policy.types[code]
    if policy.overlap == "capped_sum":  # no job has more than its own rate there
        return None
    if constraints.event_cap(table, kind, marks) is not None:
        return None
    return code if table.tells_types else "", marks


def count_months(jobs: Sequence[Job], policy: Policy) -> None:
    """Credit the jobs of a category by month.

    Points are rounded month after month, so that cutting a run of days into pieces neither gains
    nor loses a cent. Months that only jobs with a limit of their own can have come last: they may
    not count.
    """
    size = MEAN_MONTH_DAYS if policy.month_rule == "pro_rata" else ONE
    in_turn = sorted(jobs, key=lambda job: job.turn)
    apart = [[job] for job in jobs] if policy.overlap == "sum" else [in_turn]
    exact, given, shared = ZERO, ZERO, dict[tuple[Job, ...], SharedMonths]()
    found = [month for some in apart for month in _months(some, policy)]
    found.sort(key=lambda month: all(job.seen is None for job in month.jobs))
    for month in found:
        exact += month.points
        before, given = given, cents(exact / size, policy)
        points = given - before
        if _are_alike(month.jobs):
            month.taker().line.earned.append(Earned(month.on, points))
            continue
        by = shared.setdefault(month.jobs, SharedMonths(_reason(month.jobs)))
        for job in month.jobs:
            job.line.earned.append(Earned(month.on, points, by))
    sharing = [job for job in in_turn if any(job in some for some in shared)]
    for place, job in enumerate(sharing):
        job.line.turn = min(other.line.key for other in sharing), place
    for job in jobs:
        _settle(job, jobs, policy, size)


def _reason(jobs: Iterable[Job]) -> Rule:
    """Why a job does not get a month that another gets: adjacent jobs do not overlap."""
    is_overlap = any(a.period.overlaps(b.period) for a, b in combinations(jobs, 2))
    return "overlap" if is_overlap else "incomplete_month"


def _months(jobs: Sequence[Job], policy: Policy) -> Iterator[Month]:
    """The months that jobs, given in turn, make together.

    If the highest rate counts, jobs at a lower rate have no part in its months, unless limits treat
    the jobs differently: then all of them can have what the lowest rate earns. A run of one job is
    not cut into months unless it matters when they were: rounded month after month, they add up to
    the rounded sum.
    """
    rule, summed = policy.month_rule, policy.overlap == "capped_sum"
    merge = _sum_up_to(policy.overlap_maximum or ZERO) if summed else max
    has_dates = constraints.cap_table(policy).has_dates
    for segment in segments(((job.period, job.rate) for job in jobs), merge):
        run = segment.period
        inside = [job for job in jobs if job.period.overlaps(run)]
        own = {job.rate for job in inside} if summed or not _are_alike(inside) else set[Decimal]()
        for rate, worth in layers(segment, own):
            held = [job for job in inside if summed or job.rate >= rate]
            if len(held) == 1 and not has_dates:
                points = alone(run, rule) * worth
                yield Month(run.ends_on, points, tuple(held), {held[0]: points})
                continue
            rooms = {
                job: room(days, rule) * worth for job in held if (days := job.period.clip(run))
            }
            for days, part in months(run, rule, jobs):
                covering = tuple(job for job in held if job.period.overlaps(days))
                yield Month(days.ends_on, part * worth, covering, rooms)


def _are_alike(jobs: Collection[Job]) -> bool:
    """Whether caps and minima treat jobs alike, so that it doesn't matter which one has a month."""
    if len(jobs) == 1:
        return True
    seen = {job.seen for job in jobs}
    return len(seen) == 1 and None not in seen


def _sum_up_to(cap: Decimal) -> Merge:
    return lambda rates: min(sum(rates, ZERO), cap)


def _settle(job: Job, jobs: Sequence[Job], policy: Policy, size: Decimal) -> None:
    """Record what the job claimed, and which rule took what it cannot have.

    ``claimed`` is what the months that a job begins would earn on their own.
    """
    rule, line, kind = policy.month_rule, job.line, job.line.kind
    assert kind is not None  # noqa: S101 - checked by the caller
    smallest = size_of(policy)

    def told(months: Decimal, rate: Decimal) -> Decimal:
        return (months * rate / size).quantize(smallest, ROUND_FLOOR)

    most, given = room(job.period, rule), sum((one.points for one in line.earned), ZERO)
    line.units = months_in(job.period, rule) if rule == "pro_rata" else most
    claimed = told(most, job.rate)
    if all(one.shared is None for one in line.earned):
        claimed = max(claimed, given)
    line.claimed = line.counted = claimed
    taking, share = share_of(line, policy)
    if share is not None:
        line.claimed = line.counted = max(told(most, kind.rate * line.factor), claimed)
        line.cut(taking, line.counted - claimed, bound=share or None)
    lost = max(claimed - given, ZERO)
    if not lost:
        return
    own = told(alone(job.period, rule), job.rate)
    shared = any(other is not job and other.period.overlaps(job.period) for other in jobs)
    begun = min(lost, max(claimed - own, ZERO)) if shared else lost
    line.cut("incomplete_month", begun)
    line.cut("overlap", lost - begun)
