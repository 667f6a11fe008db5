"""Recertification points: what each claim is worth, every cut named, and the total.

The order of computation is fixed: admit (known type, unit and role, date in the cycle), clip
intervals to the cycle and merge overlaps, units x rate x role rounded to the increment, the factor
for providers not approved, duplicates, the reviewer's limit, caps (event, year, type, category,
tag, cycle), minima, carry-over, verdict. The version is selected before, by ``Scheme.versions_on``.

Invariants, checked by property tests: the order in which claims are entered never changes the
result; ``counted <= claimed`` for every claim; the numbers of the explanation add up to the total;
the same input gives the same result; another claim never lowers (complete, total): it never turns
complete into incomplete, and lowers the total only if it completes.

The last invariant has three exceptions, due to the published way of counting months. A job that
overlaps one at a *lower* rate cuts it into segments, which may complete fewer months than the whole
did: part time in January is one month; with a day of full time in the middle, it is none. Under
``fifteen_days`` two half months count as two, but as one if a job joins them. Where a year has a
limit, a job can move the last day of a month of another one into the next year. And for jobs
counted by the day, the invariant holds to a hundredth if something cuts: months add up to the
rounded sum of all their days, so a further job may move the day at which it is rounded.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from operator import attrgetter

from tracker.domain.periods import Period
from tracker.domain.points import (
    allocation,
    constraints,
    duplicates,
    employment,
    joint_events,
    pricing,
    results,
    rounding,
    solver,
)
from tracker.domain.points.allocation import AllocationProblem, CutLabel
from tracker.domain.points.claims import ZERO, Claim, Evaluation, Terms
from tracker.domain.points.employment import Job
from tracker.domain.points.pricing import PricedClaim
from tracker.domain.schemes.policies import Policy

NO_TERMS = Terms()


def evaluate(
    policy: Policy,
    claims: Iterable[Claim],
    *,
    cycle: Period,
    on: date,
    terms: Terms = NO_TERMS,
) -> Evaluation:
    """Apply a policy version to the claims of a cycle, counting up to ``on``.

    Both ends of the cycle are inside. ``claims`` may include those of other cycles: they count
    nothing here, and a repeated claim is a repetition only of those that counted before by the
    terms.
    """
    return PricedCycle(policy, claims, cycle=cycle, on=on, terms=terms).evaluate()


class PricedCycle:
    """The claims of a cycle on a day, to be evaluated alone, with more claims, or on a later day.

    What ``evaluate()`` gives with more claims, and ``total_on()`` of another day, is what the
    module's ``evaluate()`` gives of the same claims and the same day. A claim whose price cannot
    change is not priced again, which takes half the time of an evaluation.
    """

    def __init__(
        self,
        policy: Policy,
        claims: Iterable[Claim],
        *,
        cycle: Period,
        on: date,
        terms: Terms = NO_TERMS,
    ) -> None:
        self._policy, self._cycle, self._on, self._terms = policy, cycle, on, terms
        self._earning = Period(
            terms.earns_from or cycle.starts_on, terms.earns_until or cycle.ends_on
        )
        self._lines = priced(policy, claims, self._earning, on=on, cycle=cycle)
        self._prices = [(line.claimed, line.counted, line.cuts) for line in self._lines]

    def evaluate(self, more: Iterable[Claim] = ()) -> Evaluation:
        """The evaluation, perhaps with more claims."""
        lines = self._priced_with(more, self._on)
        problem, earliest = self._counted(lines)
        return results.result(
            constraints.cap_table(self._policy),
            lines,
            problem,
            cycle=self._cycle,
            on=self._on,
            required=required(self._policy, self._terms),
            terms=self._terms,
            earliest_first=earliest,
        )

    def total_on(self, day: date) -> Decimal:
        """The total of the same claims, counting up to another day."""
        lines = self._priced_with((), day)
        self._counted(lines)
        return results.earned(lines) + self._terms.carried_over

    def _counted(self, lines: Sequence[PricedClaim]) -> tuple[AllocationProblem, bool]:
        """Count the lines; returns the problem that was solved for it.

        False if giving the earliest claims the most would cost too much.
        """
        policy = self._policy
        problem = problem_of(policy, self._cycle, self._terms, lines)
        earliest = _allocate(lines, problem)
        if problem.rounds is not None:
            rounding.settle(policy, lines, problem.required)
        return problem, earliest

    def _priced_with(self, more: Iterable[Claim], on: date) -> list[PricedClaim]:
        """The lines as they were priced, with those of more claims, in order.

        Priced again are claims that another day counts otherwise, and those that are counted
        together with new ones: jobs, and activities of a year.
        """
        new = [pricing.line_of(self._policy, claim) for claim in more]
        self._restore_prices()
        if not new and on == self._on:
            return self._lines
        if constraints.cap_table(self._policy).has_shared:
            claims = [line.claim for line in (*self._lines, *new)]
            return priced(self._policy, claims, self._earning, on=on, cycle=self._cycle)
        jobs_change = on != self._on or any(map(_is_job, new))
        alike_until = date.max if on == self._on else min(on, self._on)
        kept: list[PricedClaim] = []
        for line in self._lines:
            is_same = not jobs_change if _is_job(line) else _is_done(line, alike_until)
            if is_same:
                kept.append(line)
            else:
                new.append(pricing.line_of(self._policy, line.claim))
        new.sort(key=_key)
        _count(new, self._policy, self._earning, on)
        return sorted([*kept, *new], key=_key)

    def _restore_prices(self) -> None:
        """Undo what an evaluation before this one cut."""
        for line, price in zip(self._lines, self._prices, strict=True):
            line.claimed, line.counted, line.cuts = price


def _is_job(line: PricedClaim) -> bool:
    return line.kind is not None and line.kind.is_job


def _is_done(line: PricedClaim, day: date) -> bool:
    return line.claim.completed_on is not None and line.claim.completed_on <= day


_key = attrgetter("key")


def priced(
    policy: Policy,
    claims: Iterable[Claim],
    earning: Period,
    *,
    on: date,
    cycle: Period | None = None,
) -> list[PricedClaim]:
    """The claims in order, each with its points before duplicates and caps.

    ``cycle`` is the one whose years are used if activities of a year count together.
    """
    lines = [pricing.line_of(policy, claim) for claim in claims]
    lines.sort(key=_key)
    _count(lines, policy, earning, on)
    if constraints.cap_table(policy).has_shared:
        joint_events.hold(policy, lines, cycle or earning)
    return lines


def required(policy: Policy, terms: Terms) -> Decimal:
    """The points needed in a cycle, those carried over included."""
    points = policy.points_required if terms.required is None else terms.required
    return points + terms.extra_points


def problem_of(
    policy: Policy,
    cycle: Period,
    terms: Terms,
    lines: Sequence[PricedClaim],
    *,
    all_of_them: bool = False,
) -> AllocationProblem:
    """The caps and minima of a cycle over priced claims, and the alternatives among these.

    ``all_of_them``: also claims that nothing limits.
    """
    table, rule = constraints.cap_table(policy), policy.duplicates
    groups = duplicates.groups(rule, lines, terms.counted_before) if rule is not None else []
    if table.has_shared:
        groups += [group for group in joint_events.groups(policy, lines, cycle) if len(group) > 1]
    whole = all_of_them or bool(groups or terms.minima) or policy.rounding_of == "category"
    room = max(required(policy, terms) - terms.carried_over, ZERO)
    problem = constraints.build(table, lines, cycle, required=room, all_of_them=whole)
    problem.needs = constraints.needs(table, lines, problem, cycle, terms.minima)
    problem.alternatives = groups
    problem.rounds = rounding.sums(policy, lines, problem.parts)
    return problem


def _count(lines: Sequence[PricedClaim], policy: Policy, earning: Period, on: date) -> None:
    """Count each claim by itself, and employment together."""
    jobs: dict[str, list[Job]] = defaultdict(list)
    for line in lines:
        if not pricing.admit(line):
            continue
        if line.kind is not None and line.kind.is_job:
            if job := employment.job_of(line, line.kind, earning, policy, on=on):
                jobs[line.claim.category].append(job)
        else:
            pricing.count_units(line, policy, earning, on)
    for of_category in jobs.values():
        employment.count_months(of_category, policy)


def _allocate(lines: Sequence[PricedClaim], problem: AllocationProblem) -> bool:
    """Distribute the points under the caps, and record for every claim what was cut.

    False if giving the earliest claims the most would cost too much.
    """
    earliest_first, groups = True, problem.alternatives
    dropped = duplicates.keep_the_best(lines, groups) if groups else {}
    given = [part for part in problem.parts if part.line not in dropped]
    cutting = allocation.in_order(given, problem.caps)
    best = _is_best(lines, problem, cutting)
    if not best or (groups and problem.rounds is not None):
        earliest_first = solver.search(problem)
        dropped = duplicates.dropped_of(groups, problem.parts)
        allocation.attribute(problem.parts, problem.caps, dropped=dropped)
    _cut(lines, problem, dropped)
    return earliest_first


def _is_best(lines: Sequence[PricedClaim], problem: AllocationProblem, cutting: set[int]) -> bool:
    """Whether nothing is better than the allocation in order."""
    parts, needs, groups = problem.parts, problem.needs, problem.alternatives
    if groups and not duplicates.are_apart(groups):
        return False
    if groups and not duplicates.are_alike(lines, parts, groups):
        return not cutting and not allocation.unmet(parts, needs)
    if not cutting:
        return True
    return allocation.is_nested(parts, cutting) and not allocation.unmet(parts, needs)


def _cut(
    lines: Sequence[PricedClaim], problem: AllocationProblem, dropped: Mapping[int, int]
) -> None:
    """Record for every claim what was cut, including the months that another job has."""
    decided = {n for n, cap in enumerate(problem.caps) if cap.rule == "decision"}
    limited = {part.line for part in problem.parts if decided.intersection(part.caps)}
    for number, line in enumerate(lines):
        if number in dropped:
            other = lines[dropped[number]]
            shared = line.kind is not None and line.kind.threshold_over == "year"
            alike = shared and other.claim.type == line.claim.type
            line.cut("together" if alike else "duplicate", line.counted, other=other.claim)
        elif number not in limited:
            pricing.limit(line)
    taken: dict[tuple[int, CutLabel], Decimal] = defaultdict(lambda: ZERO)
    given: dict[int, Decimal] = defaultdict(lambda: ZERO)
    for part in problem.parts:
        given[part.line] += part.given
        for index, points in part.cuts:
            taken[part.line, problem.caps[index].label] += points
    for (number, (rule, group, subject, bound)), points in taken.items():
        line = lines[number]
        lost = min(points, line.counted - given[number])
        line.cut(rule, lost, subject=subject, bound=bound, group=group)
