"""The sums of an evaluation: by category and tag, by year and stretch, and as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from tracker.domain.amounts import rounded
from tracker.domain.periods import Period
from tracker.domain.points.allocation import AllocationProblem, Need, reached
from tracker.domain.points.claims import (
    ZERO,
    Evaluation,
    GroupCode,
    GroupTotal,
    PeriodTotal,
    Shortfall,
    Terms,
)
from tracker.domain.points.constraints import CapTable
from tracker.domain.points.pricing import PricedClaim, tags
from tracker.domain.schemes.activity_types import Limits
from tracker.domain.schemes.policies import Policy


def result(
    table: CapTable,
    lines: Sequence[PricedClaim],
    problem: AllocationProblem,
    *,
    cycle: Period,
    on: date,
    required: Decimal,
    terms: Terms,
    earliest_first: bool,
) -> Evaluation:
    """The evaluation of the lines, after everything is counted and cut."""
    policy = table.policy
    of_category: dict[str, list[PricedClaim]] = {code: [] for code in policy.categories}
    for line in lines:
        of_category.setdefault(line.claim.category, []).append(line)
    categories = tuple(
        _group(code, _limits(("category", code), category.limits, terms), of_category[code])
        for code, category in policy.categories.items()
    )
    counted = earned(lines)
    total = counted + terms.carried_over
    kinds = next(
        (reached(problem.parts, need) for need in problem.needs if need.of == "kinds"), None
    )
    return Evaluation(
        policy=policy.version,
        verified=policy.verified,
        cycle=cycle,
        on=on,
        credits=tuple([line.credit() for line in lines]),
        categories=categories,
        earned=counted,
        total=total,
        required=required,
        carried_over=terms.carried_over,
        carries_over=_carries_over(table, lines, problem, surplus=total - required),
        tags=_tags(policy, lines, terms),
        years=_periods(problem, "year"),
        windows=_periods(problem, "window"),
        kinds=None if kinds is None else int(kinds),
        shortfalls=_shortfalls(problem),
        reexamined_on=terms.reexamined_on,
        claims=tuple([line.claim for line in lines]),
        terms=terms,
        earliest_first=earliest_first,
    )


def earned(lines: Sequence[PricedClaim]) -> Decimal:
    """The points of all lines together."""
    return sum([line.counted for line in lines], ZERO)


def _tags(policy: Policy, lines: Sequence[PricedClaim], terms: Terms) -> tuple[GroupTotal, ...]:
    """The totals of activities by their marks."""
    return tuple(
        _group(
            code,
            _limits(("tag", code), tag.limits, terms),
            (line for line in lines if code in tags(line)),
        )
        for code, tag in policy.tags.items()
    )


def _limits(group: GroupCode, limits: Limits, terms: Terms) -> Limits:
    """The limits of a group on the terms of the cycle."""
    minimum = terms.minima.get(group)
    return limits if minimum is None else replace(limits, minimum=minimum)


def _group(code: str, limits: Limits, lines: Iterable[PricedClaim]) -> GroupTotal:
    claimed = counted = ZERO
    for line in lines:
        claimed += line.claimed
        counted += line.counted
    return GroupTotal(code, claimed, counted, limits)


def _periods(problem: AllocationProblem, of: str) -> tuple[PeriodTotal, ...]:
    return tuple(
        PeriodTotal(need.period, _counted_for(problem, need), need.minimum, need.within)
        for need in problem.needs
        if need.of == of and need.period is not None
    )


def _shortfalls(problem: AllocationProblem) -> tuple[Shortfall, ...]:
    found = (
        Shortfall(n.of, n.subject, _counted_for(problem, n), n.minimum, n.within, n.period)
        for n in problem.needs
    )
    return tuple(shortfall for shortfall in found if shortfall.missing > ZERO)


def _counted_for(problem: AllocationProblem, need: Need) -> Decimal:
    """What counts for a minimum, in whole hundredths; for kinds, their number."""
    points = reached(problem.parts, need)
    return points if need.of == "kinds" else rounded(points, "down")


def _carries_over(
    table: CapTable, lines: Sequence[PricedClaim], problem: AllocationProblem, *, surplus: Decimal
) -> Decimal:
    """The points that pass into the next cycle: surplus, as far as it is of the rule's kind.

    Nothing passes while the requirement is not reached.
    """
    rule = table.policy.carry_over
    if rule is None or surplus < ZERO:
        return ZERO
    last = len(table.stretches) - 1
    beyond = {"counted": (), "earned": ("year_cap", "cycle_cap")}[rule.of]
    lawful = ZERO
    for part in problem.parts:
        cut = sum((points for i, points in part.cuts if problem.caps[i].rule in beyond), ZERO)
        surplus += cut
        is_of_category = not rule.categories or lines[part.line].claim.category in rule.categories
        if is_of_category and (rule.last is None or last in part.stretches):
            lawful += part.given + cut
    return min(rule.maximum, rounded(surplus, "down"), rounded(lawful, "down"))
