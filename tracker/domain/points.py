"""Recertification points: what each claim is worth, every cut named, and the total.

The order of computation is fixed: select the policy version, admit (cycle, category, date),
clip intervals to the cycle and merge overlaps, units x rate rounded to the increment, drop
duplicates, the reviewer's limit, category caps, minima, verdict.

Invariants, held by property tests: the order in which claims are entered never changes the
result; ``counted <= claimed`` for every claim; the numbers of the explanation add up to the
total; the same input gives the same result; another claim never lowers the total.

The last has two exceptions, which the published way of counting months brings with it. A job
laid over one of a *lower* rate cuts it into pieces, which may complete fewer months than the
whole did: part time in January is one month, with a day of full time in the middle it is none.
And under ``fifteen_days`` two half months count as two, but as one where a job joins them.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_FLOOR, Decimal
from typing import Literal

from tracker.domain import employment
from tracker.domain.employment import CENT, cents
from tracker.domain.periods import MonthRule, Period, begun_months, months_in
from tracker.domain.schemes import ActivityType, Policy

ZERO = Decimal("0.00")
MOST_COMBINATIONS = 5_000  # of courses claimed in several categories; a person has one or two

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
    def short(self) -> dict[str, Decimal]:
        """The points that each category lacks to reach its minimum."""
        return {
            c.category: c.minimum - c.counted
            for c in self.categories
            if c.minimum is not None and c.counted < c.minimum
        }

    @property
    def minima_met(self) -> bool:
        """Whether every category reaches its minimum."""
        return not self.short

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

    @property
    def worth(self) -> Decimal:
        """What the claim counts for before duplicates and caps."""
        limit = self.claim.limit
        return self.counted if limit is None else min(self.counted, limit)

    def cut(
        self, rule: Rule, points: Decimal, subject: str = "", bound: Decimal | None = None
    ) -> None:
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
    for line in lines:
        _count_units(line, cycle, on)
    jobs: dict[str, list[_Job]] = defaultdict(list)
    for line in lines:
        if job := _job(line, cycle, on):
            jobs[line.claim.category].append(job)
    for of_category in jobs.values():
        _count_months(of_category, policy)
    if policy.duplicates == "once_per_cycle":
        _drop_duplicates(policy, lines)
    for line in lines:
        _limit(line)
    for category, limits in policy.categories.items():
        _cap(limits.maximum, category, [li for li in lines if li.claim.category == category])
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
    if kind is None or kind.basis != "quantity" or line.claim.quantity is None or done is None:
        return
    line.units = line.claim.quantity
    raw = line.units * kind.rate
    line.claimed = line.counted = cents(raw)
    if done not in cycle:
        line.cut("outside_cycle", line.counted, done.isoformat())
    elif done > on:
        line.cut("after_date", line.counted, done.isoformat())
    elif kind.increment is not None:
        steps = (raw // kind.increment) * kind.increment
        line.cut("increment", line.claimed - steps.quantize(CENT), bound=kind.increment)


def _drop_duplicates(policy: Policy, lines: Sequence[_Line]) -> None:
    """The same provider, title and completion twice: one counts, the one worth more.

    Where the claims lie in several categories, worth is what the caps leave of it.
    """
    groups: dict[tuple[str, str, date | None], list[_Line]] = defaultdict(list)
    for line in lines:
        if line.type and line.type.basis == "quantity" and line.counted > ZERO:
            claim = line.claim
            groups[(claim.provider, claim.title, claim.completed_on)].append(line)
    repeated = [group for group in groups.values() if len(group) > 1]
    if not repeated:
        return
    others = [group[0] for group in groups.values() if len(group) == 1]
    others += [line for line in lines if line.type and line.type.basis == "months"]
    for group, kept in zip(repeated, _choose(policy, others, repeated), strict=True):
        for line in group:
            if line is not kept:
                line.cut("duplicate", line.counted, kept.claim.ref)


def _choose(
    policy: Policy, others: Iterable[_Line], groups: Iterable[Sequence[_Line]]
) -> tuple[_Line, ...]:
    """The line of each group that counts, chosen so that the capped total is the highest.

    A state is the sums of the categories so far; each keeps one way to reach it. To take the
    line worth most, group by group, would let a claim in a full category displace another.
    """
    order = {code: index for index, code in enumerate(policy.categories)}
    caps = [category.maximum for category in policy.categories.values()]

    def add(sums: tuple[Decimal, ...], line: _Line) -> tuple[Decimal, ...]:
        index = order[line.claim.category]
        reached, cap = sums[index] + line.worth, caps[index]
        return (*sums[:index], reached if cap is None else min(reached, cap), *sums[index + 1 :])

    states: dict[tuple[Decimal, ...], tuple[_Line, ...]]
    states = {functools.reduce(add, others, (ZERO,) * len(caps)): ()}
    for group in groups:
        following: dict[tuple[Decimal, ...], tuple[_Line, ...]] = {}
        for line in _best_by_category(group):
            for sums, chosen in states.items():
                following.setdefault(add(sums, line), (*chosen, line))
        highest_first = sorted(following.items(), key=lambda state: sum(state[0]), reverse=True)
        states = dict(highest_first[:MOST_COMBINATIONS])
    return next(iter(states.values()))


def _best_by_category(group: Iterable[_Line]) -> list[_Line]:
    best: dict[str, _Line] = {}
    for line in sorted(group, key=lambda line: (line.worth, line.claim.ref), reverse=True):
        best.setdefault(line.claim.category, line)
    return list(best.values())


@dataclass(slots=True)
class _Job:
    """The days of a job that count, and the points given for them."""

    line: _Line
    period: Period
    rate: Decimal
    given: Decimal = ZERO

    @property
    def left(self) -> Decimal:
        """What the reviewer's limit still allows."""
        limit = self.line.claim.limit
        return Decimal("Infinity") if limit is None else limit - self.given


def _job(line: _Line, cycle: Period, on: date) -> _Job | None:
    if line.type is None or line.type.basis != "months":
        return None
    start, end = line.claim.starts_on or date.max, line.claim.completed_on or date.max
    period = cycle.clip(Period(start, min(end, on)))
    if period is None:
        later = start in cycle and on < start
        line.cuts = (Cut("after_date" if later else "outside_cycle", ZERO),)
        return None
    return _Job(line, period, line.type.rate)


def _count_months(jobs: Sequence[_Job], policy: Policy) -> None:
    """Credit the jobs of a category by month, each day at its best rate.

    The months of a merged segment are given to the jobs that make it up, the longest first,
    each up to what the reviewer allowed. Points are rounded when all are given, so that cutting
    a run of days into pieces neither wins nor loses a cent.
    """
    rule = policy.month_rule
    for segment in employment.segments((job.period, job.rate) for job in jobs):
        rest = employment.weight(segment.period, segment.rate, rule)
        parts = [
            (employment.room(part, job.rate, rule), job)
            for job in jobs
            if job.rate == segment.rate and (part := job.period.clip(segment.period))
        ]
        for room, job in sorted(parts, key=lambda part: (-part[0], part[1].line.key)):
            points = min(room, rest, job.left)
            job.given += points
            rest -= points
    exact = ZERO
    for job in jobs:
        before, exact = exact, exact + job.given
        job.given = cents(exact) - cents(before)
        _settle(job, jobs, rule)


def _settle(job: _Job, jobs: Sequence[_Job], rule: MonthRule) -> None:
    """Say what the job claimed and which rule took what was not given.

    ``claimed`` is what the months that a job begins would bring on their own.
    """
    line, limit = job.line, job.line.claim.limit
    alone = employment.weight(job.period, job.rate, rule).quantize(CENT, ROUND_FLOOR)
    pro_rata = rule == "pro_rata"
    line.units = months_in(job.period, rule) if pro_rata else Decimal(begun_months(job.period))
    claimed = alone if pro_rata else employment.room(job.period, job.rate, rule)
    line.claimed = line.counted = max(claimed, job.given)
    lost = line.claimed - job.given
    decided = ZERO if limit is None else min(lost, max(alone - limit, ZERO))
    shared = any(other is not job and other.period.clip(job.period) for other in jobs)
    begun = min(lost - decided, line.claimed - alone) if shared else lost - decided
    line.cut("incomplete_month", begun)
    line.cut("overlap", lost - decided - begun)
    line.cut("decision", decided, bound=limit)


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
