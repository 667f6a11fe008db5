"""What would close the gap: the smallest sets of further activities that reach the requirement.

An activity here is one kind of activity, done so much or so often as is needed. A *way* is a
set of up to three of them that closes the gap by the end of the cycle, none of which can be
left out or done less: without one of them no amount of the others would do. Ways with the
fewest activities come first, then the policy's own order of types. Every activity is taken to
be approved, done in no special role, outside regular duties, and no repetition. Of a job that is
rounded together with others of its category a month too many may be told, since the rounding
may cost a cent; where the room under a cap is shared with minima of years, of the last stretch
or of marks, a way may tell a little more than is needed, but never less.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import reduce
from itertools import combinations, permutations
from typing import Literal, NamedTuple

from tracker.domain import openings
from tracker.domain.claims import Evaluation, Group, Rule
from tracker.domain.openings import NOTHING, Effort, Ground, Opening
from tracker.domain.periods import DAY, Period, add_months
from tracker.domain.policies import ActivityType, Policy
from tracker.domain.rooms import MANY

MOST_WAYS = 8
ENOUGH_WAYS = 4  # with so many at hand, nobody needs to combine more
MOST_ACTIVITIES = 3


@dataclass(frozen=True, slots=True)
class Portion:
    """What is done of an activity in one stretch of the time left.

    ``each`` holds the quantity of every single activity, in the type's own unit; of employment
    the months, which begin with the ``period``.
    """

    period: Period
    each: tuple[Decimal, ...]
    points: Decimal

    @property
    def units(self) -> Decimal:
        """The whole quantity."""
        return sum(self.each, Decimal(0))


@dataclass(frozen=True, slots=True)
class Activity:
    """One kind of activity in a way, with the mark that it must bear, if any."""

    kind: ActivityType
    tag: str
    portions: tuple[Portion, ...]

    @property
    def units(self) -> Decimal:
        """The whole quantity, in the type's own unit; of events their number."""
        return sum((portion.units for portion in self.portions), Decimal(0))

    @property
    def times(self) -> int:
        """In how many single activities it is done."""
        return sum(len(portion.each) for portion in self.portions)

    @property
    def points(self) -> Decimal:
        """What it brings."""
        return sum((portion.points for portion in self.portions), Decimal(0))


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why nothing closes the gap.

    ``over``: no time is left. ``lost``: a year that fell short has passed (``subject``: its
    first day). ``many``: it takes more than three kinds of activity. ``nothing``: no activity
    is open. ``unserved``: none brings what a group lacks. ``kinds``: too few further kinds are
    open. ``cycle_cap`` and ``year_cap``: a group has room for so many more ``points``; ``stop``:
    nothing more is counted at all. ``once``: one activity of a type counts. ``time``: so many
    ``months`` are left for employment.
    """

    kind: Rule | Literal["over", "lost", "many", "nothing", "unserved", "kinds", "once", "time"]
    group: str = ""
    subject: str = ""
    points: Decimal = Decimal(0)
    months: int = 0


@dataclass(frozen=True, slots=True)
class Gap:
    """The ways to close a gap; where there is none, what stands in the way.

    ``until`` is the last day; ``any_time``: any day until then will do.
    """

    until: date
    any_time: bool = True
    ways: tuple[tuple[Activity, ...], ...] = ()
    obstacles: tuple[Obstacle, ...] = ()


def close(evaluation: Evaluation, policy: Policy, *, until: date | None = None) -> Gap:
    """What would complete an evaluation until a last day, by default the end of the cycle."""
    last = until or evaluation.cycle.ends_on
    if evaluation.complete:
        return Gap(last)
    ground = openings.survey(evaluation, policy, until=last)
    ways = () if ground.lost else tuple(_ways(ground))
    any_time = len(ground.slots) == 1
    return Gap(last, any_time, ways, obstacles=() if ways else tuple(_obstacles(ground)))


def _ways(ground: Ground) -> Iterator[tuple[Activity, ...]]:
    """The sets that close the gap, of which no smaller set does, the smallest first.

    Larger sets are looked for only where the smaller ones are few.
    """
    reach = [_Reach.of(ground, opening) for opening in ground.openings]
    open_ones = [number for number, each in enumerate(reach) if each.cents]
    found: list[set[int]] = []
    for size in range(1, MOST_ACTIVITIES + 1):
        for chosen in combinations(open_ones, size):
            if size > 2 and any(known <= set(chosen) for known in found):  # noqa: PLR2004
                continue
            if not _is_enough(ground, [reach[number] for number in chosen]):
                continue
            if way := _attempt(ground, chosen):
                found.append(set(chosen))
                yield way
            if len(found) == MOST_WAYS:
                return
        if len(found) >= ENOUGH_WAYS:
            return
        open_ones = [number for number in open_ones if {number} not in found]


class _Reach(NamedTuple):
    """At the most, what an opening brings: cents, and the needs it serves as a bit each."""

    cents: int
    needs: int
    brings: str
    apart: str

    @classmethod
    def of(cls, ground: Ground, opening: Opening) -> _Reach:
        cents = needs = 0
        for slot, (serves, bounds) in enumerate(zip(opening.serves, opening.bounds, strict=True)):
            room = ground.rooms.most(bounds, displacing=True)
            room = _available(ground, opening, slot, room)
            cents += room
            if room:
                needs = reduce(lambda bits, need: bits | 1 << need, serves, needs)
        return cls(cents, needs, opening.brings, opening.apart)


def _available(ground: Ground, opening: Opening, slot: int, room: int) -> int:
    """The cents that can be had in a slot."""
    if opening.kind.basis == "months":
        return min(openings.least(ground, opening, slot, room).worth, room)
    return min(room, opening.event) if opening.once else room


def _is_enough(ground: Ground, reach: Sequence[_Reach]) -> bool:
    """Whether so much could suffice at all: a quick look that spares most attempts."""
    if sum(each.cents for each in reach) < ground.needs[0]:
        return False
    if reduce(lambda bits, each: bits | each.needs, reach, 0) != (1 << len(ground.needs)) - 1:
        return False
    if len({each.brings for each in reach if each.brings}) < ground.kinds:
        return False
    apart = [each.apart for each in reach if each.apart]
    return len(apart) == len(set(apart))


class _Given(NamedTuple):
    """What is done of an activity in a slot, and how many of its cents are counted on."""

    effort: Effort
    cents: int


Place = tuple[int, int]  # an opening and a slot, by their numbers
_Done = dict[Place, Effort]
_NONE = _Given(NOTHING, 0)


class _Trial:
    """Activities being fitted into what is open.

    With ``done``, so much of them is at hand, and only in the place ``only`` more is done.
    """

    def __init__(
        self, ground: Ground, done: _Done | None = None, only: Place | None = None
    ) -> None:
        self.ground = ground
        self.done = done
        self.only = only
        self.needs = list(ground.needs)
        self.rooms = ground.rooms.copy()
        self.given: dict[Place, _Given] = {}
        self.brought: set[str] = set()
        self._adding = False

    def fit(self, order: Sequence[int]) -> bool:
        """Do what is needed, who comes first taking the room; tells whether it is enough."""
        if self.ground.group_needs or self.ground.kinds:
            for number in self._turns(order):
                self._serve_groups(number)
        for need, slots in self.ground.timely:
            for number in self._turns(order):
                for slot in reversed(slots):
                    self._give(number, slot, self.needs[need], displacing=True)
        for number in self._turns(order):
            self._place(number, self.needs[0])
        return max(self.needs) <= 0 and len(self.brought) >= self.ground.kinds

    @property
    def is_lavish(self) -> bool:
        """Whether more is done than was counted on, or more counts than a need asks for."""
        return min(self.needs) < 0 or any(
            given.effort.worth > given.cents for given in self.given.values()
        )

    def _turns(self, order: Sequence[int]) -> Iterator[int]:
        """Whose turn it is; in the place where more may be done it is that after all others."""
        self._adding = False
        yield from order
        if self.only is not None:
            self._adding = True
            yield self.only[0]

    def _serve_groups(self, number: int) -> None:
        """Do what the minima of the activity's own groups need, or something to be there."""
        opening = self.ground.openings[number]
        own = [need for need in opening.serves[0] if 0 < need <= self.ground.groups]
        wanted = max((self.needs[need] for need in own), default=0)
        lacks_kinds = len(self.brought) < self.ground.kinds
        if lacks_kinds and opening.brings and opening.brings not in self.brought:
            wanted = max(wanted, 1)
        self._place(number, wanted, displacing=True)

    def _place(self, number: int, wanted: int, *, displacing: bool = False) -> None:
        """Do so much: first where years and stretches need it, then as early as there is room."""
        for need, slots in self.ground.timely:
            for slot in reversed(slots):
                share = min(wanted, self.needs[need])
                wanted -= self._give(number, slot, share, displacing=displacing)
        for others_give_way in (False, True)[: 1 + displacing]:  # only where no room is left
            for slot in range(len(self.ground.slots)):
                wanted -= self._give(number, slot, wanted, displacing=others_give_way)

    def _give(self, number: int, slot: int, wanted: int, *, displacing: bool = False) -> int:
        """Do so much more in a slot, as far as there is room; tells what is counted on."""
        if wanted <= 0:
            return 0
        opening, before = self.ground.openings[number], self.given.get((number, slot), _NONE)
        wanted = min(wanted, self.rooms.most(opening.bounds[slot], displacing=displacing))
        if wanted <= 0:
            return 0
        if opening.once and any(n == number and s != slot for n, s in self.given):
            return 0
        effort = self._effort(number, slot, before.cents + wanted)
        gain = min(effort.worth - before.cents, wanted)
        if gain <= 0:
            return 0
        self.given[number, slot] = _Given(effort, before.cents + gain)
        for need in opening.serves[slot]:
            self.needs[need] -= gain
        displaced, overs = self.rooms.take(opening.bounds[slot], gain)
        self.needs[0] += displaced
        for bound, over in overs.items():
            for need in self.ground.unmoved[bound]:
                self.needs[need] += over
        if opening.brings:
            self.brought.add(opening.brings)
        return gain

    def _effort(self, number: int, slot: int, cents: int) -> Effort:
        is_open = self._adding and (number, slot) == self.only
        if self.done is not None and not is_open:
            return self.done.get((number, slot), NOTHING)
        return openings.least(self.ground, self.ground.openings[number], slot, cents)


def _attempt(ground: Ground, chosen: Sequence[int]) -> tuple[Activity, ...] | None:
    """The way that a set of openings makes, if it does."""
    for order in permutations(chosen):
        trial = _Trial(ground)
        if trial.fit(order):
            done = {place: given.effort for place, given in trial.given.items()}
            if len(done) > 1 and trial.is_lavish:
                for place in list(done):
                    done = _trimmed(ground, order, done, place)
            return tuple(_activity(ground, done, number) for number in chosen)
    return None


def _trimmed(ground: Ground, order: Sequence[int], done: _Done, place: Place) -> _Done:
    """The same with no more done in one place than the others leave to do.

    Whole units bring more than was counted on, which spares others some of theirs. A whole
    activity is never dropped: without it nothing would do.
    """
    others = {other: effort for other, effort in done.items() if other != place}
    is_whole = all(number != place[0] for number, _ in others)
    if not is_whole and _Trial(ground, others).fit(order):
        return others
    trial = _Trial(ground, others, only=place)
    if trial.fit(order) and place in trial.given:
        return others | {place: trial.given[place].effort}
    return done


def _activity(ground: Ground, done: _Done, number: int) -> Activity:
    opening = ground.openings[number]
    portions = tuple(
        Portion(_when(ground, opening, slot, effort), effort.each, Decimal(effort.worth) / 100)
        for (other, slot), effort in sorted(done.items(), key=lambda item: item[0])
        if other == number
    )
    return Activity(opening.kind, opening.tag, portions)


def _when(ground: Ground, opening: Opening, slot: int, effort: Effort) -> Period:
    """The days of a portion: those of its slot, of employment those of the job."""
    days = ground.slots[slot].period
    if opening.kind.basis != "months":
        return days
    start = days.starts_on + DAY if slot == 0 else days.starts_on
    return Period(start, add_months(start, int(effort.each[0])) - DAY)


def _obstacles(ground: Ground) -> Iterator[Obstacle]:
    """What stands in the way, the most final first."""
    if not ground.slots:
        yield Obstacle("over")
        return
    for short in ground.lost:
        yield Obstacle("lost", subject=short.subject)
    if ground.lost:
        return
    if _Trial(ground).fit(_compatible(ground)):
        yield Obstacle("many")
        return
    found = [*_unserved(ground), *_limits(ground, max(ground.needs))]
    yield from found or _limits(ground, MANY)  # several needs compete for the room of a group


def _compatible(ground: Ground) -> list[int]:
    """All that is open; of those that stand for each other the first."""
    found: dict[object, int] = {}
    for number, opening in enumerate(ground.openings):
        found.setdefault(opening.apart or number, number)
    return list(found.values())


def _unserved(ground: Ground) -> Iterator[Obstacle]:
    """Needs that nothing open could bring anything for, whatever the caps."""
    if not ground.openings:
        yield Obstacle("nothing")
        return
    served = {need for opening in ground.openings for slot in opening.serves for need in slot}
    for (group, code), need in ground.group_needs.items():
        if need not in served:
            yield Obstacle("unserved", group, code)
    if len({opening.brings for opening in ground.openings} - {""}) < ground.kinds:
        yield Obstacle("kinds")


def _limits(ground: Ground, needed: int) -> Iterator[Obstacle]:
    """Caps that leave less than is needed, and how little time is left for employment."""
    rooms: dict[tuple[Rule, Group, str], int] = {}
    for place, number in ground.rooms.caps.items():
        rooms[place[:3]] = max(rooms.get(place[:3], 0), ground.rooms.left[number])
    for (rule, group, code), room in rooms.items():
        if room < needed:
            yield Obstacle(rule, group, code, Decimal(room) / 100)
    for opening in ground.openings:
        if opening.once:
            yield Obstacle("once", "type", opening.kind.code)
    months = [
        sum(opening.months)
        for opening in ground.openings
        if opening.months and sum(opening.months) * opening.kind.rate * 100 < needed
    ]
    if months:
        yield Obstacle("time", months=max(months))
