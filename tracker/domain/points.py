"""Recertification points: what each claim is worth, every cut named, and the total.

The order of computation is fixed: select the policy version, admit (cycle, category, date),
drop duplicates, clip intervals to the cycle and merge overlaps, units x rate rounded to the
increment, the reviewer's limit, category caps, minima, verdict.

Invariants, held by property tests: the order in which claims are entered never changes the
result; another claim never lowers the total; ``counted <= claimed`` for every claim; the
numbers of the explanation add up to the total; the same input gives the same result.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from tracker.domain.periods import DAY, MonthRule, Period, begun_months, months_in
from tracker.domain.schemes import ActivityType, Policy

CENT = Decimal("0.01")
ZERO = Decimal("0.00")

Rule = Literal[
    "outside_cycle", "after_date", "duplicate", "overlap", "incomplete_month", "increment",
    "decision", "category_cap", "unknown_type",
]  # fmt: skip
State = Literal["approved", "pending"]


@dataclass(frozen=True, slots=True)
class Claim:
    """An activity as the rules see it.

    ``quantity`` is in the type's own unit; a claim counted by months has none, but a start, and
    an end unless the job goes on. ``limit`` is the most that the reviewer allowed.
    """

    ref: str
    category: str
    type: str
    title: str
    provider: str
    quantity: Decimal | None
    starts_on: date | None
    completed_on: date | None
    limit: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Cut:
    """Points that a rule took from a claim; ``subject`` names the cap, claim or date meant."""

    rule: Rule
    points: Decimal
    subject: str = ""
    bound: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Credit:
    """What one claim brought: ``claimed`` less every cut is ``counted``."""

    ref: str
    category: str
    type: str
    title: str
    on: date | None
    units: Decimal
    rate: Decimal
    claimed: Decimal
    counted: Decimal
    cuts: tuple[Cut, ...]


@dataclass(frozen=True, slots=True)
class CategoryTotal:
    """The points of a category with the cap and minimum that apply to it."""

    category: str
    claimed: Decimal
    counted: Decimal
    maximum: Decimal | None
    minimum: Decimal | None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The explained result of applying a policy to claims in a cycle, as of a day."""

    policy: str
    verified: bool
    cycle: Period
    on: date
    credits: tuple[Credit, ...]
    categories: tuple[CategoryTotal, ...]
    total: Decimal
    required: Decimal

    @property
    def missing(self) -> Decimal:
        """The points still needed to reach the requirement; never negative."""
        return max(self.required - self.total, ZERO)

    @property
    def minima_met(self) -> bool:
        """Whether every category reaches its minimum."""
        return all(c.minimum is None or c.counted >= c.minimum for c in self.categories)

    @property
    def complete(self) -> bool:
        """Whether the requirement is met."""
        return self.missing == ZERO and self.minima_met


@dataclass(slots=True)
class _Line:
    """A claim on its way through the rules."""

    claim: Claim
    type: ActivityType | None
    units: Decimal = ZERO
    claimed: Decimal = ZERO
    counted: Decimal = ZERO
    cuts: tuple[Cut, ...] = ()

    def cut(self, rule: Rule, points: Decimal, subject: str = "", bound: Decimal | None = None) -> None:
        if points > ZERO:
            self.counted -= points
            self.cuts = (*self.cuts, Cut(rule, points, subject, bound))

    @property
    def key(self) -> tuple[date, date, str]:
        """Chronological, then by reference: an order that does not depend on entry."""
        done = self.claim.completed_on or date.max
        return (done, self.claim.starts_on or done, self.claim.ref)


def evaluate(policy: Policy, claims: Iterable[Claim], *, cycle: Period, on: date) -> Evaluation:
    """Apply a policy version to the claims of a cycle, counting up to ``on``.

    A dated activity lies in the cycle by its completion; both ends of the cycle are inside.
    """
    lines = sorted((_line(policy, claim) for claim in claims), key=lambda line: line.key)
    dated = [line for line in lines if line.type and line.type.basis == "quantity"]
    for line in dated:
        _count_units(line, cycle, on)
    _drop_duplicates(policy, dated)
    timed = [line for line in lines if line.type and line.type.basis == "months"]
    _count_months(timed, policy.month_rule, cycle.clip(Period(date.min, on)))
    for line in lines:
        _limit(line)
    for category in policy.categories.values():
        _cap(category.maximum, category.code, (li for li in lines if li.claim.category == category.code))
    return _result(policy, lines, cycle=cycle, on=on)


def _limit(line: _Line) -> None:
    if line.type is None:
        line.cuts = (Cut("unknown_type", ZERO, line.claim.type),)
    elif line.claim.limit is not None:
        line.cut("decision", line.counted - line.claim.limit, bound=line.claim.limit)


def _line(policy: Policy, claim: Claim) -> _Line:
    kind = policy.types.get(claim.type)
    return _Line(claim, kind if kind and kind.category == claim.category else None)


def _count_units(line: _Line, cycle: Period, on: date) -> None:
    kind, done = line.type, line.claim.completed_on
    if kind is None or line.claim.quantity is None or done is None:
        return
    line.units = line.claim.quantity
    raw = line.units * kind.rate
    line.claimed = line.counted = raw.quantize(CENT, ROUND_HALF_UP)
    if done not in cycle:
        line.cut("outside_cycle", line.counted, done.isoformat())
    elif done > on:
        line.cut("after_date", line.counted, done.isoformat())
    elif kind.increment is not None:
        steps = (raw // kind.increment) * kind.increment
        line.cut("increment", line.claimed - steps.quantize(CENT), bound=kind.increment)


def _drop_duplicates(policy: Policy, lines: Sequence[_Line]) -> None:
    """The same provider, title and completion twice: one counts, the one worth more."""
    if policy.duplicates == "allowed":
        return
    groups: dict[tuple[str, str, date | None], list[_Line]] = defaultdict(list)
    for line in lines:
        if line.counted > ZERO:
            claim = line.claim
            groups[(claim.provider, claim.title, claim.completed_on)].append(line)
    for group in groups.values():
        kept = max(group, key=lambda line: (_worth(line), line.claim.ref))
        for line in group:
            if line is not kept:
                line.cut("duplicate", line.counted, kept.claim.ref)


def _worth(line: _Line) -> Decimal:
    return line.counted if line.claim.limit is None else min(line.counted, line.claim.limit)


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
    for start, following in zip(marks, marks[1:], strict=False):
        rates = [rate for period, rate in jobs if start in period]
        if not rates:
            continue
        piece = Segment(Period(start, following - DAY), max(rates))
        if found and found[-1].rate == piece.rate and found[-1].period.ends_on + DAY == start:
            piece = Segment(Period(found.pop().period.starts_on, piece.period.ends_on), piece.rate)
        found.append(piece)
    return tuple(found)


def _count_months(lines: Sequence[_Line], rule: MonthRule, until: Period | None) -> None:
    """Credit jobs by month: clipped to the cycle and the date, each day at its best rate.

    ``claimed`` is what the months that a job begins would bring on their own. The months of a
    merged segment are given to the jobs that make it up, the longest first.
    """
    jobs = [job for line in lines if (job := _job(line, rule, until))]
    given: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for segment in segments((job.period, job.rate) for job in jobs):
        rest = _points(months_in(segment.period, rule), segment.rate)
        parts = [
            (_points(_begun(part, rule), job.rate), job)
            for job in jobs
            if job.rate == segment.rate and (part := job.period.clip(segment.period))
        ]
        for room, job in sorted(parts, key=lambda part: (-part[0], part[1].line.key)):
            given[job.line.claim.ref] += min(room, rest)
            rest -= min(room, rest)
    for job in jobs:
        _settle(job, jobs, given[job.line.claim.ref], rule)


@dataclass(frozen=True, slots=True)
class _Job:
    line: _Line
    period: Period
    rate: Decimal


def _job(line: _Line, rule: MonthRule, until: Period | None) -> _Job | None:
    """The days of a job that count, with the months it begins in them; None if there are none."""
    start, end = line.claim.starts_on, line.claim.completed_on or date.max
    period = until.clip(Period(start, end)) if until and start and line.type else None
    if line.type is None or period is None:
        line.cuts = (Cut("outside_cycle", ZERO),)
        return None
    line.units = _begun(period, rule)
    return _Job(line, period, line.type.rate)


def _begun(period: Period, rule: MonthRule) -> Decimal:
    if rule == "pro_rata":
        return months_in(period, rule) + CENT  # never less than the share of a longer run of days
    return Decimal(begun_months(period))


def _points(units: Decimal, rate: Decimal) -> Decimal:
    return (units * rate).quantize(CENT, ROUND_HALF_UP)


def _settle(job: _Job, jobs: Sequence[_Job], given: Decimal, rule: MonthRule) -> None:
    line = job.line
    line.claimed = line.counted = max(_points(line.units, job.rate), given)
    shared = any(other is not job and other.period.clip(job.period) for other in jobs)
    lost = line.claimed - given
    alone = _points(months_in(job.period, rule), job.rate)
    begun = min(lost, line.claimed - alone) if shared else lost
    line.cut("incomplete_month", max(begun, ZERO))
    line.cut("overlap", lost - max(begun, ZERO))


def _cap(maximum: Decimal | None, subject: str, lines: Iterable[_Line]) -> None:
    """Cut what lies above a cap from the latest claims."""
    if maximum is None:
        return
    room = maximum
    for line in lines:
        line.cut("category_cap", line.counted - room, subject, maximum)
        room -= line.counted


def _result(policy: Policy, lines: Sequence[_Line], *, cycle: Period, on: date) -> Evaluation:
    categories = tuple(
        CategoryTotal(
            category=category.code,
            claimed=sum((li.claimed for li in lines if li.claim.category == category.code), ZERO),
            counted=sum((li.counted for li in lines if li.claim.category == category.code), ZERO),
            maximum=category.maximum,
            minimum=category.minimum,
        )
        for category in policy.categories.values()
    )
    return Evaluation(
        policy=policy.version, verified=policy.verified, cycle=cycle, on=on,
        credits=tuple(_credit(line) for line in lines), categories=categories,
        total=sum((line.counted for line in lines), ZERO), required=policy.points_required,
    )  # fmt: skip


def _credit(line: _Line) -> Credit:
    claim = line.claim
    return Credit(
        ref=claim.ref, category=claim.category, type=claim.type, title=claim.title,
        on=claim.completed_on, units=line.units, rate=line.type.rate if line.type else ZERO,
        claimed=line.claimed, counted=line.counted, cuts=line.cuts,
    )  # fmt: skip
