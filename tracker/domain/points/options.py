"""What can still be done in a cycle, in addition to what is on record, as an integer program.

Further activities are claims, priced beside those on record, so the evaluation's own caps, minima,
years and duplicates apply. An *option* is one kind of activity. A *choice* is to do as much of it
as may be useful on some days. Where claims are priced together (overlapping jobs, activities that
reach a year's threshold together), each choice has the claims on record too, and one is taken.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_UP, Decimal
from typing import NamedTuple

from tracker.domain.periods import DAY, Period
from tracker.domain.points import constraints, duplicates, joint_events, pricing, rounding
from tracker.domain.points import evaluations as points
from tracker.domain.points.allocation import Need
from tracker.domain.points.claims import ZERO, Claim, Evaluation
from tracker.domain.points.constraints import AllocationProblem
from tracker.domain.points.employment import lengths
from tracker.domain.points.pricing import CENT, PricedClaim
from tracker.domain.points.solver import Allocation
from tracker.domain.schemes.activity_types import ONE, ActivityType
from tracker.domain.schemes.policies import Policy

NEW = "new "  # the prefix of the references of further activities
KIND = 10**4  # one more kind of activity weighs more than any position in the policy's order


class Option(NamedTuple):
    """One kind of activity that is open, with the tags that it must carry.

    ``once``: only one activity of the type counts. ``event``: the most that one earns, if limited.
    """

    kind: ActivityType
    marks: frozenset[str]
    once: bool
    event: Decimal | None

    @property
    def is_job(self) -> bool:
        """Whether it is employment, counted by months."""
        return self.kind.basis == "months"

    @property
    def is_many(self) -> bool:
        """Whether any number of activities count, each for itself."""
        return not (self.once or self.is_job)

    @property
    def step(self) -> Decimal:
        """The points of the smallest amount of it."""
        step = self.kind.increment or self.kind.rate
        return min(step, self.event or step)

    def claim(self, days: Period, quantity: Decimal, number: str) -> Claim:
        """A further activity: on the first of some days, or a job through all of them."""
        least = (self.kind.threshold_over == "claim" and self.kind.threshold) or ZERO
        return Claim(
            ref=NEW + number,
            category=self.kind.category,
            type=self.kind.code,
            title=NEW + number,
            provider=NEW + number,
            quantity=None if self.is_job else max(quantity, least),
            starts_on=days.starts_on if self.is_job else None,
            completed_on=days.ends_on if self.is_job else days.starts_on,
            tags=self.marks,
            approved=True,
        )


class Choice(NamedTuple):
    """To do something of an option on some days, or (None) to leave what is on record.

    One choice of a ``group`` is taken. ``lines`` are the priced claims of the group, the further
    one of a ``quantity`` included. An amount is done in up to so many ``steps``, a job for any of
    the ``jobs``, which are days and months. ``effort``, in points of the type, is that of a step or
    of the whole; that of a job is what it earns.
    """

    option: int | None
    group: Hashable
    days: Period
    quantity: Decimal
    lines: Sequence[PricedClaim]
    effort: Decimal = ZERO
    steps: int = 1
    jobs: Sequence[tuple[Period, Decimal]] = ()


@dataclass(frozen=True, slots=True)
class Portion:
    """How much of an activity is done within some days.

    ``each`` has the quantity of every single activity, in the type's own unit; for employment, the
    months, which fill the ``period``.
    """

    period: Period
    each: tuple[Decimal, ...]
    points: Decimal


def _is_new(line: PricedClaim) -> bool:
    return line.claim.ref.startswith(NEW)


class Program(Allocation):
    """The best that is possible in the ``days`` left; ``used`` says which options are done.

    Activities may carry any one of the ``marks``, or all. ``further`` are the variables of the
    points of further activities, each with its choice; ``lacks`` those of what each minimum lacks.
    """

    def __init__(
        self, evaluation: Evaluation, policy: Policy, days: Period, marks: Collection[str]
    ) -> None:
        self._before, self._policy, self.days = evaluation, policy, days
        self._table, self._cycle = constraints.cap_table(policy), evaluation.cycle
        self._held: dict[Hashable, list[PricedClaim]] = defaultdict(list)
        self._most = max(CENT, *(need.minimum for need in self._problem([])[1]))
        self.options = list(self._open(marks))
        self.choices = list(self._choices())
        lines = [line for choice in self.choices for line in choice.lines]
        of_line = [n for n, choice in enumerate(self.choices) for _ in choice.lines]
        rule, counted = policy.duplicates, evaluation.terms.counted_before
        groups = duplicates.groups(rule, lines, counted) if rule else []
        groups += joint_events.groups(policy, lines, self._cycle)
        problem, needs = self._problem(lines)
        self.parts, self.caps = problem.parts, problem.caps
        of_part = [of_line[part.line] for part in self.parts]
        for part, number in zip(self.parts, of_part, strict=True):
            option = self.choices[number].option
            if option is not None and self.options[option].is_many:  # it stands for many activities
                part.caps = tuple(n for n in part.caps if self.caps[n].rule != "event_cap")
        super().__init__(self.parts, self.caps, rounding.sums(policy, lines, self.parts))
        self.used = [self.variable() for _ in self.options]
        self._taken = [self.variable(choice.steps) for choice in self.choices]
        self._gate(of_part)
        placed = zip(self.given, self.parts, of_part, strict=True)
        self.further = {given: n for given, part, n in placed if _is_new(lines[part.line])}
        for alternatives in groups:
            self.choose_one(alternatives)
        self.lacks = {self.lacking(need)[0]: need for need in needs}

    def _problem(self, lines: Sequence[PricedClaim]) -> tuple[AllocationProblem, list[Need]]:
        """The parts and caps of some lines, with the requirement and the minima."""
        before, policy, table = self._before, self._policy, self._table
        room = max(before.required - before.carried_over, ZERO)
        problem = constraints.build(table, lines, self._cycle, room=room, all_of_them=True)
        everything = (tuple(range(len(problem.parts))),)
        rounds = policy.rounding if policy.rounding_of == "category" else None
        minima = constraints.needs(table, lines, problem, self._cycle, before.terms.minima)
        return problem, [Need("type", "", room, everything, rounding=rounds), *minima]

    def _open(self, marks: Collection[str]) -> Iterator[Option]:
        """Every type that earns anything, also with each tag and with all tags."""
        rule = self._policy.duplicates
        once = rule is not None and set(rule.key) == {"type"}
        for kind in self._policy.types.values():
            further = [mark for mark in marks if mark not in kind.tags]
            for some in dict.fromkeys([(), *((mark,) for mark in further), tuple(further)]):
                event = constraints.event_cap(self._table, kind, some)
                if kind.rate > ZERO:
                    single = (once and kind.basis != "months") or kind.threshold_over == "year"
                    yield Option(kind, frozenset(some), single, event)

    def _choices(self) -> Iterator[Choice]:
        """Choices of what is on record, then of every option, if it earns anything beside that."""
        for line in self._priced(self._before.claims):
            self._held[self._group(line.kind, line.on)].append(line)
        for group, lines in self._held.items():
            yield Choice(None, group, self.days, ZERO, lines)
        done = [claim.completed_on for claim in self._before.claims if claim.completed_on]
        for number, option in enumerate(self.options):
            bounds = constraints.bounds_of(self._table, option.kind, option.marks)
            slots = constraints.cut(self._table, self.days, self._cycle, done, bounds)
            for days in filter(None, map(option.kind.days.clip, slots)):
                for choice in self._of_option(number, option, days):
                    lines = self._beside(choice, [choice.quantity])
                    if option.is_many:
                        lines[0].counted = self._most
                    if any(line.worth > ZERO for line in lines if _is_new(line)):
                        yield choice._replace(lines=lines)

    def _group(self, kind: ActivityType | None, on: date | None) -> Hashable:
        """The key of what is priced together: overlapping jobs, activities of a type in a year."""
        if kind is not None and kind.basis == "months" and self._policy.overlap != "sum":
            return kind.category
        if kind is not None and kind.threshold_over == "year" and on is not None:
            return kind.code, constraints.year_of(self._policy, self._cycle, on)
        return None

    def _of_option(self, number: int, option: Option, days: Period) -> Iterator[Choice]:
        """The choices of an option that begin on some days, each with what is on record.

        A job takes all days left; a shorter one may be better if one on record goes on after it.
        Of a year's threshold it is what is missing. Amounts are up to the most that is useful.
        """
        kind, policy, group = option.kind, self._policy, self._group(option.kind, days.starts_on)
        beside = [] if group is None else self._held.get(group, [])
        if option.is_job:
            start = max(days.starts_on, self._before.on + DAY)
            last = min(self.days.ends_on, kind.days.ends_on)
            jobs = list(lengths([start], last, policy.month_rule))
            alone = number if group is None else group
            goes_on = any(line.key[0] > start for line in beside)
            for n in range(1, len(jobs) + 1) if goes_on else filter(None, [len(jobs)]):
                yield Choice(number, alone, *jobs[n - 1], beside, jobs=jobs[:n])
        elif kind.threshold_over == "year":
            whole = Choice(number, group, days, kind.threshold or ONE, beside)
            counting = [line for line in self._beside(whole, [whole.quantity]) if line.worth > ZERO]
            rest = max(2 * whole.quantity - joint_events.quantity(policy, counting), ONE)
            yield whole._replace(quantity=rest, effort=rest * kind.rate / whole.quantity)
        else:
            units = pricing.least_units(self._most, kind, policy)
            steps = int((self._most / option.step).to_integral_value(ROUND_UP))
            yield Choice(number, (number, days), days, units, [], option.step, steps)

    def _priced(self, claims: Iterable[Claim]) -> list[PricedClaim]:
        earning, on = self._before.earning, self.days.ends_on
        return points.priced(self._policy, claims, earning, on=on, cycle=self._cycle)

    def _beside(self, choice: Choice, each: Iterable[Decimal]) -> list[PricedClaim]:
        """The lines of a choice, with further activities of these quantities."""
        option, name = self.options[choice.option or 0], f"{choice.option} {choice.days.starts_on}"
        further = [option.claim(choice.days, q, f"{name} {n}") for n, q in enumerate(each)]
        return self._priced([*(line.claim for line in choice.lines if not _is_new(line)), *further])

    def _gate(self, choices: Sequence[int]) -> None:
        """Let a part have points only if its choice is taken, one of a group, of a used option."""
        groups: dict[Hashable, dict[int, int]] = defaultdict(dict)
        for taken, choice in zip(self._taken, self.choices, strict=True):
            groups[choice.group][taken] = 1
            if choice.option is not None:
                self.at_most({taken: 1, self.used[choice.option]: -choice.steps}, 0)
        for terms in groups.values():
            self.at_most(terms, max(self.mosts[taken] for taken in terms))
        for given, n in zip(self.given, choices, strict=True):
            self.divide(given)
            step = self.units(self.choices[n].effort) if self.choices[n].steps > 1 else 0
            self.at_most({given: 1, self._taken[n]: -(step or self.mosts[given])}, 0)

    def points(self, variables: Iterable[int]) -> Decimal:
        """The points that some variables stand for in the latest solution."""
        return Decimal(sum(map(self.value, variables))).scaleb(-self.decimals)

    def completes(self, claims: Iterable[Claim]) -> bool:
        """Whether further claims complete the evaluation by the last day."""
        before, on = self._before, self.days.ends_on
        claims, policy, terms = [*before.claims, *claims], self._policy, before.terms
        return points.evaluate(policy, claims, cycle=before.cycle, on=on, terms=terms).complete

    def least(self, kinds: Sequence[int]) -> list[tuple[int, int]]:
        """The choices, each with its size, that do these options alone and as little as may be.

        Of equal efforts, it does more of the first option, and in later stretches.
        """
        weights: dict[int | None, int] = {n: -KIND - place for place, n in enumerate(kinds)}
        for number, used in enumerate(self.used):
            self.bound(used, int(number in weights))
        further = [n for n, choice in enumerate(self.choices) if choice.option in weights]
        costs: dict[int, int] = {}
        for n in further:
            effort = weights[self.choices[n].option] * max(self.units(self.choices[n].effort), 1)
            costs[self._taken[n]] = effort + n - len(self.choices)
        for given, n in self.further.items():
            if self.choices[n].jobs:
                costs[given] = weights.get(self.choices[n].option, 0)
        self.best(costs)
        for used in self.used:
            self.bound(used, 1)
        taken = {n: self.value(self._taken[n]) for n in further}
        return [(n, len(self.choices[n].jobs) or size) for n, size in taken.items() if size]

    def portion(self, number: int, size: int) -> Portion:
        """What a choice comes to in a size: a number of steps, or which of the jobs; 0: nothing."""
        choice, policy = self.choices[number], self._policy
        option, each = self.options[choice.option or 0], [choice.quantity]
        if not size:
            each = []
        elif choice.jobs:
            days, months = choice.jobs[size - 1]
            choice, each = choice._replace(days=days), [months]
        elif option.kind.threshold_over != "year":
            wanted = size * option.step
            if option.once:  # a single one, and some time must lie between it and the next
                wanted = min(wanted, option.event or wanted)
                choice = choice._replace(days=Period(choice.days.starts_on, choice.days.starts_on))
            each = list(pricing.least_pieces(wanted, option.kind, policy, event=option.event))
        worth = [line.worth for line in self._beside(choice, each) if _is_new(line)]
        points = sum((min(points, option.event or points) for points in worth), ZERO)
        return Portion(choice.days, tuple(each), points)
