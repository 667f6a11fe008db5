"""What can still be done in a cycle, in addition to what is on record, as an integer program.

Further activities are claims, priced beside those on record, so the evaluation's own caps, minima,
years and duplicates apply. An *option* is one kind of activity, a *choice* to do as much of it as
may be useful on some days. Where claims are priced together (jobs, the threshold of a year), each
choice has those on record too, and one is taken.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from datetime import date
from decimal import ROUND_UP, Decimal
from functools import partial
from itertools import groupby, takewhile
from typing import NamedTuple

from tracker.domain.periods import DAY, Period
from tracker.domain.points import constraints, evaluations, joint_events, pricing
from tracker.domain.points.claims import ZERO, Claim, Evaluation
from tracker.domain.points.employment import lengths
from tracker.domain.points.pricing import CENT, PricedClaim
from tracker.domain.points.solver import Allocation
from tracker.domain.schemes.activity_types import ONE, ActivityType
from tracker.domain.schemes.policies import Policy

NEW = "new "  # the prefix of the references of further activities
KIND = 10**4  # one more kind of activity weighs more than any position in the policy's order


class Option(NamedTuple):
    """One kind of activity that is open, with the tags that it must carry."""

    kind: ActivityType
    marks: frozenset[str]
    once: bool  # only one activity of the type counts
    event: Decimal | None  # the most that one earns, if limited


class Portion(NamedTuple):
    """How much of an activity is done within some days; a job fills them."""

    option: Option
    period: Period
    each: tuple[Decimal, ...]  # how much each single one is, in the type's unit; or months
    points: Decimal = ZERO

    def claims(self, near: date = date.min) -> Iterator[Claim]:
        """The claims, done as near to a day as may be; jobs take all of their days."""
        kind, marks, days = self.option.kind, self.option.marks, self.period
        least = (kind.threshold_over == "claim" and kind.threshold) or ZERO
        done = days.ends_on if kind.is_job else max(days.starts_on, min(near, days.ends_on))
        for number, quantity in enumerate(self.each):
            name = f"{NEW}{kind.code} {sorted(marks)} {days.starts_on} {number}"
            yield Claim(
                ref=name,
                category=kind.category,
                type=kind.code,
                title=name,
                provider=name,
                quantity=None if kind.is_job else max(quantity, least),
                starts_on=days.starts_on if kind.is_job else None,
                completed_on=done,
                tags=marks,
                approved=True,
            )


class SuggestedActivity(NamedTuple):
    """One kind of activity in a way."""

    kind: ActivityType
    marks: frozenset[str]
    portions: tuple[Portion, ...]

    @property
    def units(self) -> Decimal:
        """The whole quantity, in the type's own unit; for events, their number."""
        return sum((each for portion in self.portions for each in portion.each), Decimal(0))

    @property
    def points(self) -> Decimal:
        """The points that it earns."""
        return sum((portion.points for portion in self.portions), ZERO)


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
    lines: Sequence[PricedClaim]
    quantity: Decimal = ZERO
    effort: Decimal = ZERO
    steps: int = 1
    jobs: Sequence[tuple[Period, Decimal]] = ()


def _is_new(line: PricedClaim) -> bool:
    return line.claim.ref.startswith(NEW)


class Program(Allocation):
    """The best that is possible in the ``days`` left; ``used`` says which options are done.

    Activities may carry any one of the ``marks``, or all. ``further`` are the variables of the
    points of further activities, each with its choice.
    """

    def __init__(
        self, before: Evaluation, policy: Policy, days: Period, marks: Collection[str]
    ) -> None:
        self._before, self._policy, self.days = before, policy, days
        cycle, terms, earning, on = before.cycle, before.terms, before.earning, days.ends_on
        self._evaluate = partial(evaluations.evaluate, policy, cycle=cycle, on=on, terms=terms)
        self._price = partial(evaluations.priced, policy, earning=earning, on=on, cycle=cycle)
        problem_of = partial(evaluations.problem_of, policy, cycle, terms, all_of_them=True)
        self._most = max(CENT, *(need.minimum for need in problem_of([]).minima))
        self.options = list(self._open(marks))
        self.choices = list(self._choices())
        lines = [(n, line) for n, choice in enumerate(self.choices) for line in choice.lines]
        problem = problem_of([line for _, line in lines])
        of_part = [lines[part.line] for part in problem.parts]
        for part, (_, line) in zip(problem.parts, of_part, strict=True):
            if _is_new(line):  # it may stand for many: see _beside()
                part.caps = tuple(n for n in part.caps if problem.caps[n].rule != "event_cap")
        super().__init__(problem)
        placed = zip(self.given, of_part, strict=True)
        self.further = {given: n for given, (n, line) in placed if _is_new(line)}
        self.used = [self.variable() for _ in self.options]
        self._taken = [self.variable(choice.steps) for choice in self.choices]
        self._gate([n for n, _ in of_part])

    def _open(self, marks: Collection[str]) -> Iterator[Option]:
        """Every type that earns anything, also with each tag and with all tags."""
        policy, table = self._policy, constraints.cap_table(self._policy)
        by_type = policy.duplicates is not None and policy.duplicates.is_by_type
        for kind in (kind for kind in policy.types.values() if kind.rate > ZERO):
            once = (by_type and not kind.is_job) or kind.threshold_over == "year"
            further = [mark for mark in marks if mark not in kind.tags]
            for some in dict.fromkeys([(), *((mark,) for mark in further), tuple(further)]):
                yield Option(kind, frozenset(some), once, constraints.event_cap(table, kind, some))

    def _choices(self) -> Iterator[Choice]:
        """Choices of what is on record, then of every option, if it earns anything beside that."""
        held = defaultdict[Hashable, list[PricedClaim]](list)
        for line in self._price(self._before.claims):
            held[self._group(line.kind, line.on, None)].append(line)
        yield from (Choice(None, group, self.days, lines) for group, lines in held.items())
        for number, (kind, marks, once, _) in enumerate(self.options):
            for days in constraints.cut(self._policy, self._before, self.days, kind, marks):
                alone = number, None if kind.is_job else days
                group = self._group(kind, days.starts_on, alone)
                for choice in self._sized(Choice(number, group, days, held.get(group, []))):
                    lines = self._beside(choice, choice.days, choice.quantity)
                    if not (once or kind.is_job):
                        lines[0].counted = self._most
                    if any(line.worth > ZERO for line in lines if _is_new(line)):
                        yield choice._replace(lines=lines)

    def _group(self, kind: ActivityType | None, on: date | None, alone: Hashable) -> Hashable:
        """The key of what is priced together: overlapping jobs, activities of a type in a year."""
        if kind and kind.is_job and self._policy.overlap != "sum":
            return kind.category
        if kind and kind.threshold_over == "year" and on:
            return kind.code, constraints.year_of(self._policy, self._before.cycle, on)
        return alone

    def _sized(self, choice: Choice) -> Iterator[Choice]:
        """A choice with what is done: of a year's threshold what is missing, of amounts the most.

        A job takes all days left; a shorter one may be better if one on record goes on after it.
        """
        kind, _, _, event = self.options[choice.option or 0]
        if kind.is_job:
            start = max(choice.days.starts_on, self._before.on + DAY)
            last = min(self.days.ends_on, kind.days.ends_on)
            jobs = list(lengths([start], last, self._policy.month_rule))
            goes_on = any(line.key[0] > start for line in choice.lines)
            for n in range(1, len(jobs) + 1) if goes_on else filter(None, [len(jobs)]):
                yield choice._replace(days=jobs[n - 1][0], jobs=jobs[:n])
        elif kind.threshold_over == "year":
            whole = kind.threshold or ONE
            lines = self._beside(choice, choice.days, whole)
            rest = max(2 * whole - joint_events.quantity(self._policy, lines), ONE)
            yield choice._replace(quantity=rest, effort=rest * kind.rate / whole)
        else:
            units = pricing.least_units(self._most, kind, self._policy)
            step = kind.increment or kind.rate
            step = min(step, event or step)
            steps = int((self._most / step).to_integral_value(ROUND_UP))
            yield choice._replace(quantity=units, effort=step, steps=steps)

    def _beside(self, choice: Choice, days: Period, *each: Decimal) -> list[PricedClaim]:
        """The lines of a choice with further activities, each within the cap on events."""
        option = self.options[choice.option or 0]
        held = [line.claim for line in choice.lines if not _is_new(line)]
        lines = self._price([*held, *Portion(option, days, each).claims()])
        for line in filter(_is_new, lines):
            line.counted = min(line.counted, option.event or line.counted)
        return lines

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

    def way(self, kinds: Sequence[int]) -> tuple[SuggestedActivity, ...]:
        """These options, each done as little as closes the gap.

        The program does not know how each activity is rounded, so what it takes is cut down to what
        completes the evaluation.
        """
        sizes = self._least(kinds)
        portions = {n: self._portion(n, size) for n, size in sizes.items()}

        def fits(n: int, size: int) -> bool:
            return self._completes({**portions, n: self._portion(n, size)})

        for n, size in reversed(sizes.items()):
            if fits(n, size - 1):
                least = bisect_left(range(size - 1), 1, key=partial(fits, n))
                portions[n] = self._portion(n, least)
        portions = {n: portion for n, portion in portions.items() if portion.each}
        for n in portions:
            portions[n] = self._widened(n, portions)
        of_option = groupby(portions.values(), lambda portion: portion.option)
        return tuple(
            SuggestedActivity(option.kind, option.marks, tuple(some)) for option, some in of_option
        )

    def _least(self, kinds: Sequence[int]) -> dict[int, int]:
        """The choices, each in its size, that do these options alone and as little as may be.

        Of equal efforts, it does more of the first option, and in later stretches.
        """
        weights: dict[int | None, int] = {n: KIND + place for place, n in enumerate(kinds)}
        self.bound({used: int(number in weights) for number, used in enumerate(self.used)})
        costs = dict[int, int]()
        for given, n in self.further.items():
            choice = self.choices[n]
            if weight := weights.get(choice.option):
                effort = weight * max(self.units(choice.effort), 1)
                costs[self._taken[n]] = n - len(self.choices) - effort
                costs[given] = -weight if choice.jobs else 0
        self.best(costs)
        self.bound(dict.fromkeys(self.used, 1))
        taken = {n: self.value(self._taken[n]) for n in sorted({*self.further.values()})}
        return {n: len(self.choices[n].jobs) or size for n, size in taken.items() if size}

    def _portion(self, number: int, size: int) -> Portion:
        """What a choice comes to in a size: a number of steps, or which of the jobs; 0: nothing."""
        choice = self.choices[number]
        option, days, each = self.options[choice.option or 0], choice.days, [choice.quantity][:size]
        if size and choice.jobs:
            days, each[0] = choice.jobs[size - 1]
        elif size and option.kind.threshold_over != "year":
            wanted, most = size * choice.effort, option.event
            if option.once:  # a single one, and some time must lie between it and the next
                days, wanted = Period(days.starts_on, days.starts_on), min(wanted, most or wanted)
            each = list(pricing.least_pieces(wanted, option.kind, self._policy, event=most))
        new = filter(_is_new, self._beside(choice, days, *each))
        return Portion(option, days, tuple(each), sum((line.worth for line in new), ZERO))

    def _completes(self, portions: Mapping[int, Portion], near: date = date.min) -> bool:
        """Whether portions, done as near to a day as may be, complete the evaluation."""
        claims = [claim for portion in portions.values() for claim in portion.claims(near)]
        return self._evaluate([*self._before.claims, *claims]).complete

    def _widened(self, number: int, portions: Mapping[int, Portion]) -> Portion:
        """A portion on all days around its own on which it works, wherever the others lie.

        Jobs and activities that are done in several portions stay as they are.
        """
        own, portion = self.choices[number], portions[number]
        alike = [n for n, choice in enumerate(self.choices) if choice.option == own.option]
        if own.jobs or len(portions.keys() & alike) > 1:
            return portion

        def fits(n: int) -> bool:
            days = self.choices[n].days
            moved = {**portions, number: portion._replace(period=days)}
            fit = (self._completes(moved, day) for day in (date.min, days.starts_on, date.max))
            return self.choices[n].quantity == own.quantity and all(fit)

        after = takewhile(fits, range(number + 1, alike[-1] + 1))
        before = takewhile(fits, range(number - 1, alike[0] - 1, -1))
        slots = [self.choices[n].days for n in (*before, number, *after)]
        return portion._replace(period=Period(min(slots).starts_on, max(slots).ends_on))
