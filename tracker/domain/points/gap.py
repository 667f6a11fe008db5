"""What would close the gap: the smallest sets of further activities, by integer programming.

A *way* is a set of kinds of activity that closes the gap by the last day, none of which can be left
out: the fewest kinds first, then the policy's own order; each is done as little as needed. The
computation assumes that every activity is approved, done in no special role, outside regular
duties, and not a repetition, and that jobs on record go on.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import partial
from itertools import takewhile
from typing import Literal

from tracker.domain.periods import Period
from tracker.domain.points.allocation import Need
from tracker.domain.points.claims import ZERO, Claim, Evaluation, GroupKind, Rule, Shortfall
from tracker.domain.points.options import KIND, Option, Portion, Program
from tracker.domain.points.pricing import CENT
from tracker.domain.schemes.activity_types import ActivityType
from tracker.domain.schemes.policies import Policy

MOST_WAYS = 8
ENOUGH_WAYS = 4  # with this many, nobody needs a larger combination


@dataclass(frozen=True, slots=True)
class SuggestedActivity:
    """One kind of activity in a way."""

    option: Option
    portions: tuple[Portion, ...]

    @property
    def kind(self) -> ActivityType:
        """The type of the activity."""
        return self.option.kind

    @property
    def units(self) -> Decimal:
        """The whole quantity, in the type's own unit; for events, their number."""
        return sum((each for portion in self.portions for each in portion.each), Decimal(0))

    @property
    def points(self) -> Decimal:
        """The points that it earns."""
        return sum((portion.points for portion in self.portions), ZERO)

    def claims(self, number: int, near: date = date.min) -> list[Claim]:
        """The activity as claims, done as near to a day as may be; jobs take all of their days."""
        found = []
        for m, portion in enumerate(self.portions):
            day = max(portion.period.starts_on, min(near, portion.period.ends_on))
            days = portion.period if self.option.is_job else Period(day, day)
            for n, each in enumerate(portion.each):
                found.append(self.option.claim(days, each, f"{number}-{m}-{n}"))
        return found


Way = tuple[SuggestedActivity, ...]


@dataclass(frozen=True, slots=True)
class GapObstacle:
    """Why nothing closes the gap.

    ``over``: no time is left. ``lost``: a year that fell short has passed (``subject``: its first
    day). ``nothing``: no activity is open. ``unserved``: no activity counts for a minimum.
    ``kinds``: too few kinds are open. A cap leaves only ``points``; ``stop`` leaves none. ``once``:
    only one activity of a type counts. ``time``: only ``months`` are left for employment.
    """

    kind: Rule | Literal["over", "lost", "nothing", "unserved", "kinds", "once", "time"]
    group: str = ""
    subject: str = ""
    points: Decimal = ZERO
    months: int = 0


@dataclass(frozen=True, slots=True)
class Gap:
    """The ways to close a gap by the last day; if there is none, the obstacles.

    ``goes_on``: jobs on record are assumed to go on. A way without activities: these jobs are
    enough.
    """

    days: Period
    goes_on: bool = False
    ways: tuple[Way, ...] = ()
    obstacles: tuple[GapObstacle, ...] = ()


def close(evaluation: Evaluation, policy: Policy, *, by: date = date.max) -> Gap:
    """What would complete an evaluation by the last day whose activities count.

    ``by`` is the last day of the terms that apply to the application.
    """
    on, earning = evaluation.on, evaluation.earning
    goes_on = any(c.completed_on is None or c.completed_on > on for c in evaluation.claims)
    found = Gap(Period(max(on, earning.starts_on), min(earning.ends_on, by)), goes_on)
    if evaluation.complete:
        return found
    lacking = _tags(evaluation.shortfalls)
    program = Program(evaluation, policy, found.days, lacking)
    ways = tuple(_ways(program))
    if not ways and (needed := _tags(program.lacks.values())) != lacking:
        program = Program(evaluation, policy, found.days, needed)
        ways = tuple(_ways(program))
    return replace(found, ways=ways, obstacles=() if ways else tuple(_obstacles(program)))


def _tags(minima: Iterable[Need | Shortfall]) -> list[str]:
    return list(dict.fromkeys(code for of, code in (m.group for m in minima) if of == "tag"))


def _ways(program: Program) -> Iterator[Way]:
    """The ways; larger sets are tried only if there are few smaller ones."""
    sizes = list[int]()
    for lack in program.lacks:
        program.bound(lack, 0)
    wanted = {used: -KIND - number for number, used in enumerate(program.used)}
    while len(sizes) < MOST_WAYS and program.best(wanted) is not None:
        kinds = [number for number, used in enumerate(program.used) if program.value(used)]
        if len(sizes) >= ENOUGH_WAYS and len(kinds) > sizes[-1]:
            return
        sizes.append(len(kinds))
        yield _Attempt(program, program.least(kinds)).way
        program.at_most({program.used[number]: 1 for number in kinds}, len(kinds) - 1)


class _Attempt:
    """A way: choices in some sizes, cut down to what completes the evaluation.

    The program knows the steps of each type, but not how each activity is rounded.
    """

    def __init__(self, program: Program, sized: Sequence[tuple[int, int]]) -> None:
        self._program = program
        self._portions = {number: program.portion(number, size) for number, size in sized}
        for number, size in reversed(sized):
            self._shrink(number, size)
        self._portions = {n: portion for n, portion in self._portions.items() if portion.each}
        for number in self._portions:
            self._widen(number)
        self.way = self._activities(self._portions)

    def _activities(self, portions: Mapping[int, Portion]) -> Way:
        options, found = self._program.options, defaultdict[int, list[Portion]](list)
        for number, portion in portions.items():
            found[self._program.choices[number].option or 0].append(portion)
        return tuple(SuggestedActivity(options[n], tuple(p)) for n, p in found.items())

    def _completes(self, number: int, portion: Portion, near: date = date.min) -> bool:
        """Whether the activities complete the evaluation if one portion is another."""
        way = enumerate(self._activities(self._portions | {number: portion}))
        return self._program.completes([c for n, one in way for c in one.claims(n, near)])

    def _shrink(self, number: int, size: int) -> None:
        """Do as little of a choice as the others allow."""
        portion = partial(self._program.portion, number)
        if self._completes(number, portion(size - 1)):
            sizes = range(size - 1)
            least = bisect_left(sizes, 1, key=lambda n: self._completes(number, portion(n)))
            self._portions[number] = portion(least)

    def _widen(self, number: int) -> None:
        """Name all days around those of an only portion on which it works, wherever others lie."""
        choices, portion = self._program.choices, self._portions[number]
        alike = [n for n, c in enumerate(choices) if c.option == choices[number].option]
        if choices[number].jobs or any(n != number and n in self._portions for n in alike):
            return

        def fits(n: int) -> bool:
            days, moved = choices[n].days, replace(portion, period=choices[n].days)
            same = choices[n].quantity == choices[number].quantity
            nears = (date.min, days.starts_on, date.max)
            return same and (n == number or all(self._completes(number, moved, d) for d in nears))

        after = takewhile(fits, (n for n in alike if n >= number))
        before = takewhile(fits, (n for n in reversed(alike) if n < number))
        days = sorted(choices[n].days for n in (*before, *after))
        period = Period(days[0].starts_on, days[-1].ends_on)
        self._portions[number] = replace(portion, period=period)


def _obstacles(program: Program) -> Iterator[GapObstacle]:
    """The obstacles, the most final first.

    Of equally good solutions, it takes one that uses as many recorded points as possible.
    """
    for lack in program.lacks:
        program.bound(lack, program.mosts[lack])
    program.settle(dict.fromkeys(program.lacks, -1))
    program.settle({given: 1 for given in program.given if given not in program.further})
    lacks = [need for variable, need in program.lacks.items() if program.value(variable)]
    first = program.days.starts_on
    lost = [need for need in lacks if need.period and need.period.ends_on < first]
    if first > program.days.ends_on:
        yield GapObstacle("over")
    elif lost:
        yield from (GapObstacle("lost", subject=need.subject) for need in lost)
    elif not program.options:
        yield GapObstacle("nothing")
    else:
        caps = set[int]()
        for need in lacks:
            open_for = [n for g in need.groups for n in g if program.given[n] in program.further]
            if need.of == "kinds":
                yield GapObstacle("kinds")
            elif need.subject and not open_for:
                yield GapObstacle("unserved", *need.group)
            else:
                caps.update(index for n in open_for for index in program.parts[n].caps)
        yield from _limits(program, sorted(caps))


def _limits(program: Program, indexes: Iterable[int]) -> Iterator[GapObstacle]:
    """Caps that are used up, and how little time is left for employment.

    If sums are rounded, the last hundredth of a cap need not be used.
    """
    rooms: dict[tuple[Rule, GroupKind, str], Decimal] = {}
    for index in indexes:
        cap = program.caps[index]
        bound = [g for g, p in zip(program.given, program.parts, strict=True) if index in p.caps]
        held = program.points(given for given in bound if given not in program.further)
        if cap.group and cap.rule != "event_cap" and program.points(bound) > cap.bound - CENT:
            key = cap.rule, cap.group, cap.code
            rooms[key] = max(rooms.get(key, ZERO), cap.bound - held)
    yield from (GapObstacle(*key, room) for key, room in rooms.items())
    for code in dict.fromkeys(option.kind.code for option in program.options if option.once):
        yield GapObstacle("once", "type", code)
    if not rooms and any(option.is_job for option in program.options):
        months = [months for choice in program.choices for _, months in choice.jobs]
        yield GapObstacle("time", months=int(max(months, default=ZERO)))
