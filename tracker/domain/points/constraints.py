"""A policy's caps and minima applied to the claims of a cycle: the input of an allocation.

A claim is one part, unless years or stretches of the cycle have limits of their own: then each
month of an employment is a part of its own, dated by its last day.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from tracker.domain.periods import DAY, Duration, Period, add_months
from tracker.domain.points.allocation import AllocationProblem, Cap, Need, Part
from tracker.domain.points.claims import ZERO, Evaluation, GroupCode, GroupKind, Missing, Rule
from tracker.domain.points.pricing import PricedClaim, SharedMonths, tags
from tracker.domain.schemes.activity_types import ActivityType, Limits
from tracker.domain.schemes.policies import Kinds, Policy

MONTHS_A_YEAR = 12
NO_MINIMA: Mapping[GroupCode, Decimal] = {}
Bound = tuple[Rule, GroupKind | None, str, Decimal]


@dataclass(frozen=True, slots=True)
class CapTable:
    """What a policy limits, looked up once: the caps on each type and on each tag.

    ``of_type`` is in the order in which caps cut. ``has_shared``: activities of a year may count
    together. ``tells_types``: types have limits of their own. ``yearly`` are the minima of each
    year, for a group or (None) for all points. ``stretches`` are counted back from the end of the
    cycle: those that need points of their own, then the one from which points may be carried over.
    With ``only_caps``, a claim under no cap is left out of the allocation.
    """

    policy: Policy
    of_type: Mapping[str, tuple[Bound, ...]]
    of_tag: Mapping[str, tuple[Bound, ...]]
    minima: tuple[tuple[Missing, str, Limits], ...]
    yearly: tuple[tuple[GroupCode | None, Decimal], ...]
    has_years: bool
    has_shared: bool
    tells_types: bool
    stretches: tuple[Duration, ...]
    only_caps: bool

    @property
    def has_dates(self) -> bool:
        """Whether it matters when in the cycle points were earned."""
        return self.has_years or bool(self.stretches)


class YearAndStretches(NamedTuple):
    """A year and some stretches of the cycle; for months shared by jobs, also those months."""

    year: int
    stretches: frozenset[int]
    shared: SharedMonths | None = None


@lru_cache(maxsize=256)
def cap_table(policy: Policy) -> CapTable:
    """The cap table of a policy version."""
    groups: list[tuple[Missing, str, Limits]] = [
        *(("category", code, found.limits) for code, found in policy.categories.items()),
        *(("tag", code, found.limits) for code, found in policy.tags.items()),
        *(("type", code, found.limits) for code, found in policy.types.items()),
    ]
    stretches = [window.last for window in policy.windows]
    if policy.carry_over and policy.carry_over.last:
        stretches.append(policy.carry_over.last)
    has_shared = any(kind.threshold_over == "year" for kind in policy.types.values())
    of_years = [(None, policy.minimum_per_year), *_yearly(groups)]
    yearly = [(group, minimum) for group, minimum in of_years if minimum is not None]
    return CapTable(
        policy=policy,
        of_type={
            code: _in_order(
                (
                    *_bounds("type", code, kind.limits),
                    *_bounds("category", kind.category, policy.categories[kind.category].limits),
                )
            )
            for code, kind in policy.types.items()
        },
        of_tag={code: tuple(_bounds("tag", code, tag.limits)) for code, tag in policy.tags.items()},
        minima=tuple(group for group in groups if group[2].minimum is not None),
        yearly=tuple(yearly),
        has_shared=has_shared,
        tells_types=bool(policy.kinds and policy.kinds.of == "type")
        or any(window.type for window in policy.windows)
        or any(limits != Limits() for of, _, limits in groups if of == "type"),
        has_years=bool(yearly)
        or has_shared
        or any(limits.per_year is not None for _, _, limits in groups),
        stretches=tuple(stretches),
        only_caps=not (
            stretches
            or policy.carry_over
            or policy.kinds
            or yearly
            or any(limits.minimum is not None for _, _, limits in groups)
        ),
    )


def _bounds_on(table: CapTable, kind: ActivityType, marks: Iterable[str]) -> list[Bound]:
    """The caps on activities of a type with some tags."""
    of_tags = (table.of_tag.get(tag, ()) for tag in sorted(kind.tags.union(marks)))
    return [*table.of_type[kind.code], *(bound for bounds in of_tags for bound in bounds)]


def event_cap(table: CapTable, kind: ActivityType, marks: Iterable[str]) -> Decimal | None:
    """The most that one activity of a type with some tags may earn; None without such a cap."""
    bounds = _bounds_on(table, kind, marks)
    return min((bound[-1] for bound in bounds if bound[0] == "event_cap"), default=None)


def _yearly(
    groups: Iterable[tuple[Missing, str, Limits]],
) -> Iterator[tuple[GroupCode | None, Decimal | None]]:
    for of, code, limits in groups:
        yield (of, code), limits.minimum_per_year


def _bounds(group: GroupKind, code: str, limits: Limits) -> Iterator[Bound]:
    if limits.per_event is not None:
        yield "event_cap", group, code, limits.per_event
    if limits.per_year is not None:
        yield "year_cap", group, code, limits.per_year
    if limits.maximum is not None:
        yield "cycle_cap", group, code, limits.maximum


def build(
    table: CapTable,
    lines: Sequence[PricedClaim],
    cycle: Period,
    *,
    required: Decimal,
    all_of_them: bool,
) -> AllocationProblem:
    """Split the lines that count into parts under their caps.

    Counting stops at the ``required`` points if the policy says so. ``all_of_them``: include lines
    without any cap or minimum.
    """
    ends = cycle.ends_on
    stretches = tuple(Period(last.before(ends + DAY), ends) for last in table.stretches)
    problem = AllocationProblem([], [], required, stretches=stretches)
    numbers: dict[tuple[Rule, GroupKind | None, str, Hashable], int] = {}
    all_of_them = all_of_them or not table.only_caps
    for number in _in_turn(lines):
        line = lines[number]
        if line.kind is None or line.counted <= ZERO:
            continue
        bounds = _bounds_of(table, line, required)
        worth = line.worth
        if worth <= ZERO or not (bounds or line.turn or all_of_them):
            continue
        found = _dated(table, line, cycle, stretches)
        is_split = len(found) > 1
        if is_split:
            bounds = [*_bounds_of_job(line, found), *bounds]
        for cell, points in found.items():
            own = [(cell.shared.rule, None, "", points)] if cell.shared else []
            caps = [
                _number(problem.caps, numbers, bound, line=number, cell=cell)
                for bound in (*own, *bounds)
            ]
            given = points if is_split else worth
            problem.parts.append(Part(number, given, tuple(caps), cell.year, cell.stretches))
    return problem


def _in_turn(lines: Sequence[PricedClaim]) -> Iterable[int]:
    """The indexes of the lines in order; jobs that share months come in their own order."""
    numbers = range(len(lines))
    if not any(line.turn for line in lines):
        return numbers
    return sorted(numbers, key=lambda n: lines[n].turn or (lines[n].key, 0))


def _bounds_of_job(line: PricedClaim, found: Mapping[YearAndStretches, Decimal]) -> Iterator[Bound]:
    """Caps on a job whose months are split: what the reviewer allowed and what it claims."""
    if line.claim.limit is not None:
        yield "decision", None, _OWN, line.claim.limit
    if sum(found.values()) > line.counted:
        yield "overlap", None, _OWN, line.counted


_OWN = "job"  # the code of a cap on one job


def _which(
    rule: Rule, code: str, group: GroupKind | None, line: int, cell: YearAndStretches
) -> Hashable:
    """What a cap applies to: one claim, months that jobs share, one year, or the cycle."""
    if rule == "event_cap" or (group is None and code == _OWN):
        return line
    if group is None:
        return cell
    return cell.year if rule == "year_cap" else 0


def _stretches_of(day: date, stretches: Sequence[Period]) -> frozenset[int]:
    return frozenset(i for i, stretch in enumerate(stretches) if stretch.starts_on <= day)


NOWHERE: frozenset[int] = frozenset()
_ANY_TIME = YearAndStretches(0, NOWHERE)
_ORDER: tuple[Rule, ...] = ("event_cap", "year_cap", "cycle_cap", "stop")


def _in_order(bounds: Iterable[Bound]) -> tuple[Bound, ...]:
    """Caps in the order in which they cut: event, year, cycle, stop; type before tag."""
    return tuple(sorted(bounds, key=lambda bound: _ORDER.index(bound[0])))


def _bounds_of(table: CapTable, line: PricedClaim, room: Decimal) -> Sequence[Bound]:
    """The caps on a line, in the order in which they cut."""
    assert line.kind is not None  # noqa: S101 - checked by the caller
    bounds = table.of_type[line.kind.code]
    borne = [code for code in table.of_tag if code in tags(line)] if table.of_tag else ()
    stops = table.policy.stop_at_requirement and table.policy.rounding_of == "claim"
    if not borne and not stops:
        return bounds
    found = [*bounds, *(bound for code in borne for bound in table.of_tag[code])]
    if stops:
        found.append(("stop", "policy", "", room))
    return _in_order(found)


def _number(
    caps: list[Cap],
    numbers: dict[tuple[Rule, GroupKind | None, str, Hashable], int],
    bound: Bound,
    *,
    line: int,
    cell: YearAndStretches,
) -> int:
    """The index of a cap in the list: one for each event, for each year, or for the cycle."""
    rule, group, code, most = bound
    which: Hashable = _which(rule, code, group, line, cell)
    place = numbers.setdefault((rule, group, code, which), len(caps))
    if place == len(caps):
        caps.append(Cap(rule, group, code, most))
    return place


def _dated(
    table: CapTable, line: PricedClaim, cycle: Period, stretches: Sequence[Period]
) -> Mapping[YearAndStretches, Decimal]:
    """The points of a line by the years and stretches in which they were earned.

    The months of a job may add up to more than it can have, if caps decide which months count.
    """
    if not table.has_dates and line.turn is None:
        return {_ANY_TIME: line.worth}
    found: dict[YearAndStretches, Decimal] = {}
    for one in line.earned:
        cell = _cell(table, one.on, cycle, stretches, one.shared)
        if one.points > ZERO:
            found[cell] = found.get(cell, ZERO) + one.points
    return found or {_cell(table, line.on or date.min, cycle, stretches): line.worth}


def _cell(
    table: CapTable,
    day: date,
    cycle: Period,
    stretches: Sequence[Period],
    shared: SharedMonths | None = None,
) -> YearAndStretches:
    year = year_of(table.policy, cycle, day) if table.has_years else 0
    return YearAndStretches(year, _stretches_of(day, stretches) if stretches else NOWHERE, shared)


def year_of(policy: Policy, cycle: Period, day: date) -> int:
    """The year that a day lies in: a calendar year, or a year of the cycle, counted from 1.

    Days after the end, on which a late holder still earns, belong to the last year, and so does the
    anniversary of the start if the cycle ends on it: no year is one day long.
    """
    day = min(day, cycle.ends_on)
    if policy.year == "calendar":
        return day.year
    year = day.year - cycle.starts_on.year
    while year > 0 and _begins(cycle, year) > min(day, cycle.ends_on - DAY):
        year -= 1
    return year + 1


def _begins(cycle: Period, year: int) -> date:
    """The anniversary of the start after ``year`` years."""
    return add_months(cycle.starts_on, MONTHS_A_YEAR * year)


def years(policy: Policy, cycle: Period) -> dict[int, Period]:
    """The years of a cycle by number, each clipped to the cycle."""
    found: dict[int, Period] = {}
    start = cycle.starts_on
    while start <= cycle.ends_on:
        number = year_of(policy, cycle, start)
        following = date(number + 1, 1, 1) if policy.year == "calendar" else _begins(cycle, number)
        end = min(following - DAY, cycle.ends_on)
        if year_of(policy, cycle, cycle.ends_on) == number:
            end = cycle.ends_on
        found[number] = Period(start, end)
        start = end + DAY
    return found


def cut(
    policy: Policy, before: Evaluation, days: Period, kind: ActivityType, tags: Iterable[str]
) -> list[Period]:
    """Split the days of a type of activity where a year or a last stretch begins that matters.

    That is, to those with some tags. If an activity on record may be repeated after some time, the
    days are split there too.
    """
    table, cycle, rule = cap_table(policy), before.cycle, policy.duplicates
    done = [claim.completed_on for claim in before.claims if claim.completed_on]
    bounds = _bounds_on(table, kind, tags)
    marks = {window.last.before(cycle.ends_on + DAY) for window in policy.windows}
    if table.has_shared or table.yearly or any(bound[0] == "year_cap" for bound in bounds):
        marks |= {year.starts_on for year in years(policy, cycle).values()}
    if rule is not None and rule.within is not None and rule.is_by_type:
        for again in {days.starts_on, *marks, *done}:
            while (again := rule.within.after(again)) <= days.ends_on:
                marks.add(again)
    inside = sorted(mark for mark in marks if days.starts_on < mark <= days.ends_on)
    edges = pairwise([days.starts_on, *inside, days.ends_on + DAY])
    slots = [Period(start, following - DAY) for start, following in edges if start < following]
    return [slot for days in slots if (slot := kind.days.clip(days))]


def needs(
    table: CapTable,
    lines: Sequence[PricedClaim],
    problem: AllocationProblem,
    cycle: Period,
    minima: Mapping[GroupCode, Decimal] = NO_MINIMA,
) -> list[Need]:
    """The minima besides the total, as sums of parts; ``minima`` replace the policy's."""
    policy = table.policy
    rounds = policy.rounding_of == "category"
    asked = {(of, code): limits.minimum for of, code, limits in table.minima} | dict(minima)
    found = [
        Need(
            of,
            code,
            minimum,
            (_parts_of(lines, problem, of, code),),
            rounding=policy.rounding if of == "category" and rounds else None,
        )
        for (of, code), minimum in asked.items()
        if minimum is not None
    ]
    for within, minimum in table.yearly:
        for number, year in years(policy, cycle).items():
            inside = [i for i, part in enumerate(problem.parts) if part.year == number]
            found.append(_timed("year", year, minimum, _of_group(inside, lines, problem, within)))
    for number, window in enumerate(policy.windows):
        stretch = problem.stretches[number]
        inside = [i for i, part in enumerate(problem.parts) if number in part.stretches]
        members = _of_group(inside, lines, problem, window.within)
        found.append(_timed("window", stretch, window.minimum, members))
    if policy.kinds is not None:
        found.append(_kinds(policy.kinds, lines, problem))
    return found


Members = tuple[tuple[int, ...], GroupCode | None]


def _of_group(
    numbers: Iterable[int],
    lines: Sequence[PricedClaim],
    problem: AllocationProblem,
    within: GroupCode | None,
) -> Members:
    """The parts that belong to a group, if one is given."""
    if within is None:
        return tuple(numbers), None
    return tuple(i for i in numbers if _bears(lines[problem.parts[i].line], *within)), within


def _timed(of: Missing, period: Period, minimum: Decimal, members: Members) -> Need:
    numbers, within = members
    subject = period.starts_on.isoformat()
    return Need(of, subject, minimum, (numbers,), period, within=within)


def _parts_of(
    lines: Sequence[PricedClaim], problem: AllocationProblem, of: Missing, code: str
) -> tuple[int, ...]:
    return tuple(i for i, part in enumerate(problem.parts) if _bears(lines[part.line], of, code))


def _bears(line: PricedClaim, of: Missing, code: str) -> bool:
    if of == "tag":
        return code in tags(line)
    return code == (line.claim.category if of == "category" else line.claim.type)


def _kinds(rule: Kinds, lines: Sequence[PricedClaim], problem: AllocationProblem) -> Need:
    by_kind: dict[str, list[int]] = {}
    for index, part in enumerate(problem.parts):
        claim = lines[part.line].claim
        kind = claim.category if rule.of == "category" else claim.type
        by_kind.setdefault(kind, []).append(index)
    groups = tuple(tuple(members) for members in by_kind.values())
    return Need("kinds", rule.of, Decimal(rule.minimum), groups)
