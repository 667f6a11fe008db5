"""What would close the gap: the smallest sets of further activities, by integer programming.

A *way* is a set of kinds of activity that closes the gap by the last day, none of which can be
left out: the fewest kinds, then the policy's own order; each is done as little as will do. Every
activity is taken to be approved, done in no special role, outside regular duties, and no
repetition; jobs on record are taken to go on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Decimal
from typing import Literal

from tracker.domain import lines
from tracker.domain.allocation import Cap, Need
from tracker.domain.claims import ZERO, Claim, Evaluation, Group, Rule
from tracker.domain.optimum import Allocation, Terms, cents
from tracker.domain.periods import DAY, Period
from tracker.domain.points import evaluate
from tracker.domain.policies import ONE, ActivityType, Policy
from tracker.domain.supply import Option, Share, Supply, claim_of

MOST_WAYS = 8
ENOUGH_WAYS = 4  # with so many at hand, nobody needs to combine more
_MANY = 10**6
_KIND = 10**4  # one kind of activity weighs more than all places in the policy's order


@dataclass(frozen=True, slots=True)
class Portion:
    """What is done of an activity within some days.

    ``each`` holds the quantity of every single activity, in the type's own unit; of employment
    the months, which fill the ``period``.
    """

    period: Period
    each: tuple[Decimal, ...]
    points: Decimal


@dataclass(frozen=True, slots=True)
class Activity:
    """One kind of activity in a way."""

    option: Option
    portions: tuple[Portion, ...]

    @property
    def kind(self) -> ActivityType:
        """Its type."""
        return self.option.kind

    @property
    def units(self) -> Decimal:
        """The whole quantity, in the type's own unit; of events their number."""
        return sum((each for portion in self.portions for each in portion.each), Decimal(0))

    @property
    def times(self) -> int:
        """In how many single activities it is done."""
        return sum(len(portion.each) for portion in self.portions)

    @property
    def points(self) -> Decimal:
        """What it brings."""
        return sum((portion.points for portion in self.portions), ZERO)

    def claims(self, number: int) -> list[Claim]:
        """It as claims."""
        return [
            claim_of(self.option, portion.period, each, number=f"{number}-{m}-{n}")
            for m, portion in enumerate(self.portions)
            for n, each in enumerate(portion.each)
        ]


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why nothing closes the gap.

    ``over``: no time is left. ``lost``: a year that fell short has passed (``subject``: its
    first day). ``nothing``: no activity is open. ``unserved``: none brings what a group lacks.
    ``kinds``: too few further kinds are open. ``cycle_cap`` and ``year_cap``: a group has room
    for so many more ``points``; ``stop``: nothing more is counted at all. ``once``: one activity
    of a type counts. ``time``: so many ``months`` are left for employment.
    """

    kind: Rule | Literal["over", "lost", "nothing", "unserved", "kinds", "once", "time"]
    group: str = ""
    subject: str = ""
    points: Decimal = ZERO
    months: int = 0


@dataclass(frozen=True, slots=True)
class Gap:
    """The ways to close a gap until the last day; where there is none, what stands in the way.

    ``goes_on``: jobs on record are counted on. A way without activities: these alone will do.
    """

    days: Period
    goes_on: bool = False
    ways: tuple[tuple[Activity, ...], ...] = ()
    obstacles: tuple[Obstacle, ...] = ()

    def any_time(self, activity: Activity) -> bool:
        """Whether an activity may be done on any of the days; a job begins at once."""
        periods = [portion.period for portion in activity.portions]
        if activity.option.is_job:
            return all(days.starts_on <= self.days.starts_on + DAY for days in periods)
        return periods == [self.days]


def close(evaluation: Evaluation, policy: Policy) -> Gap:
    """What would complete an evaluation until the last day whose activities count."""
    on = evaluation.on
    goes_on = any(c.completed_on is None or c.completed_on > on for c in evaluation.claims)
    earning = evaluation.earning
    found = Gap(Period(max(on, earning.starts_on), earning.ends_on), goes_on)
    if evaluation.complete:
        return found
    lacking = [short.subject for short in evaluation.shortfalls if short.of == "tag"]
    needed = [code for code, tag in policy.tags.items() if tag.limits.minimum is not None]
    for marks in (lacking, needed):
        supply = Supply(evaluation, policy, marks)
        if ways := tuple(_way(supply, kinds) for kinds in _smallest(supply)):
            return replace(found, ways=ways)
        if lacking == needed:
            break
    return replace(found, obstacles=tuple(_obstacles(supply)))


class _Model(Allocation):
    """The program of what is on record and some options; ``used`` are the choices of these."""

    def __init__(self, supply: Supply, options: Collection[int]) -> None:
        self.shares = [s for s in supply.shares if s.option is None or s.option in options]
        super().__init__([share.part for share in self.shares], supply.caps)
        self.needs = supply.needs(self.shares)
        self.used = {number: self.variable() for number in options}
        self.runs: dict[int, int] = {}
        for number, run in enumerate(supply.runs):
            if run.option is None or run.option in options:
                self.runs[number] = self.variable()
        self._choose_runs(supply)
        for given, share in zip(self.given, self.shares, strict=True):
            by_run = {self.runs[n]: -cents(points) for n, points in share.by_run.items()
                      if n in self.runs}  # fmt: skip
            if share.option is None or by_run:
                self.at_most({given: 1, **by_run}, cents(share.points))
            else:
                self.at_most({given: 1, self.used[share.option]: -cents(share.points)}, 0)
        for alternatives in supply.groups:
            self.choose_one(alternatives)

    def _choose_runs(self, supply: Supply) -> None:
        """One job of each group, and none of an option that is not used."""
        groups: dict[tuple[str, object], dict[int, int]] = {}
        for number, variable in self.runs.items():
            run = supply.runs[number]
            groups.setdefault(("group", run.group), {})[variable] = 1
            groups.setdefault(("option", run.option), {})[variable] = 1
        for (by, key), terms in groups.items():
            if by == "group":
                self.at_most(terms, 1)
            elif isinstance(key, int):
                self.at_most({**terms, self.used[key]: -1}, 0)

    def require(self) -> None:
        """Ask for the requirement and every minimum."""
        for need in self.needs:
            self.at_least(self.serving(need), cents(need.minimum))

    def of_option(self, number: int) -> list[tuple[int, Share]]:
        """The variables and shares of activities that are no jobs."""
        pairs = zip(self.given, self.shares, strict=True)
        return [(v, s) for v, s in pairs if s.option == number and s.days is not None]

    def lacking_most(self) -> list[Need]:
        """What cannot be met, where as little as can be lacks, by as much of what is on record."""
        lacking = {self.lacking(need)[0]: need for need in self.needs}
        self.settle(dict.fromkeys(lacking, -1))
        self.settle(
            {v: 1 for v, s in zip(self.given, self.shares, strict=True) if s.option is None}
        )
        return [need for variable, need in lacking.items() if self.value(variable)]

    def open_for(self, need: Need) -> list[Share]:
        """The shares of options that serve a minimum."""
        members = {index for group in need.groups for index in group}
        return [s for n, s in enumerate(self.shares) if n in members and s.option is not None]

    def room(self, cap: Cap, index: int) -> Decimal | None:
        """What a cap that is used up leaves for further activities; None if it is not."""
        pairs = zip(self.given, self.shares, strict=True)
        held = {v: s.option is None for v, s in pairs if index in s.part.caps}
        if sum(map(self.value, held)) < cents(cap.bound):
            return None
        return cap.bound - Decimal(sum(self.value(v) for v in held if held[v])).scaleb(-2)


def _smallest(supply: Supply) -> Iterator[list[int]]:
    """The options of each way; larger sets are looked for only where the smaller ones are few."""
    model = _Model(supply, range(len(supply.options)))
    model.require()
    wanted = {used: -_KIND - number for number, used in model.used.items()}
    sizes: list[int] = []
    while len(sizes) < MOST_WAYS and model.best(wanted) is not None:
        kinds = [number for number, used in model.used.items() if model.value(used)]
        if len(sizes) >= ENOUGH_WAYS and len(kinds) > sizes[-1]:
            return
        sizes.append(len(kinds))
        yield kinds
        model.at_most({model.used[number]: 1 for number in kinds}, len(kinds) - 1)


def _way(supply: Supply, kinds: Sequence[int]) -> tuple[Activity, ...]:
    """The least effort with some options; of equal efforts more of the first."""
    model = _Model(supply, kinds)
    model.require()
    costs: dict[int, int] = {}
    for place, number in enumerate(kinds):
        weight, rate = -_KIND - place, supply.options[number].kind.rate
        for n, variable in model.runs.items():
            if supply.runs[n].option == number:
                costs[variable] = weight * cents(supply.runs[n].months * rate)
        for given, share in model.of_option(number):
            costs |= _steps(model, given, supply.options[number], cents(share.points), weight)
    found = model.best(costs)
    assert found is not None  # noqa: S101 - it is one of the sets that were found
    way = [Activity(supply.options[n], tuple(_portions(supply, model, n))) for n in kinds]
    for place, number in enumerate(kinds):
        if len(way[place].portions) == 1 and not way[place].option.is_job:
            way[place] = _widened(supply, way, place, [s.days for _, s in model.of_option(number)])
    return tuple(way)


def _steps(model: _Model, given: int, option: Option, most: int, weight: int) -> Terms:
    """The whole steps in which an activity is done, and whether it is, as costs."""
    kind, steps, there = option.kind, model.variable(_MANY), model.variable()
    step = max(cents(kind.increment or kind.rate), 1)
    model.at_most({given: 1, steps: -step}, 0)
    model.at_most({given: 1, there: -most}, 0)
    if kind.threshold is not None and kind.basis == "quantity":
        model.at_least({steps: step, there: -cents(kind.threshold * kind.rate)}, 0)
    return {steps: weight * step, there: weight}


def _portions(supply: Supply, model: _Model, number: int) -> Iterator[Portion]:
    option = supply.options[number]
    for n, variable in model.runs.items():
        run = supply.runs[n]
        if run.option == number and model.value(variable):
            yield Portion(run.period, (run.months,), run.points)
    for given, share in model.of_option(number):
        if share.days is not None and model.value(given):
            wanted = Decimal(model.value(given)).scaleb(-2)
            each = tuple(_pieces(option, supply.policy, wanted))
            brought = sum((_worth(option, supply.policy, units) for units in each), ZERO)
            yield Portion(share.days, each, brought)


def _pieces(option: Option, policy: Policy, wanted: Decimal) -> Iterator[Decimal]:
    """As many activities as it takes where each brings so much at most, the smallest first."""
    event = option.kind.basis == "event"
    most = _worth(option, policy, ONE) if event else option.event or wanted
    for others in reversed(range(_whole(wanted / most))):
        units = ONE if event else _units(option.kind, policy, min(wanted - others * most, most))
        yield units
        wanted -= _worth(option, policy, units)


def _units(kind: ActivityType, policy: Policy, wanted: Decimal) -> Decimal:
    """The least quantity of one activity that brings so much."""
    step = ONE
    if kind.increment is not None:
        wanted = _whole(wanted / kind.increment) * kind.increment
        step = lines.CENT if kind.increment < kind.rate else ONE
    units = _whole(wanted / kind.rate / step) * step
    if units > step and _exact(kind, policy, units - step) >= wanted:
        units -= step
    return max(units, kind.threshold or ZERO)


def _worth(option: Option, policy: Policy, units: Decimal) -> Decimal:
    """What one activity brings."""
    worth = _exact(option.kind, policy, units)
    return worth if option.event is None else min(worth, option.event)


def _exact(kind: ActivityType, policy: Policy, units: Decimal) -> Decimal:
    worth = units * kind.rate
    if kind.increment is not None and kind.basis == "quantity":
        worth = worth // kind.increment * kind.increment
    return lines.cents(worth, policy)


def _whole(number: Decimal) -> int:
    """The next whole number from there up."""
    return int(number.to_integral_value(ROUND_CEILING))


def _widened(
    supply: Supply, way: Sequence[Activity], place: int, spans: Sequence[Period | None]
) -> Activity:
    """The same activity within all the days that will do as well, wherever the others lie."""
    activity, (portion,) = way[place], way[place].portions
    days = [portion.period]
    for span in spans:
        if span is not None:
            moved = replace(activity, portions=(replace(portion, period=span),))
            days += [span] * _closes(supply, [*way[:place], moved, *way[place + 1 :]])
    whole = Period(min(d.starts_on for d in days), max(d.ends_on for d in days))
    return replace(activity, portions=(replace(portion, period=whole),))


def _closes(supply: Supply, way: Sequence[Activity]) -> bool:
    before = supply.evaluation
    claims = [claim for number, activity in enumerate(way) for claim in activity.claims(number)]
    return evaluate(
        supply.policy, [*before.claims, *claims], cycle=before.cycle,
        on=supply.days.ends_on, terms=before.terms,
    ).complete  # fmt: skip


def _obstacles(supply: Supply) -> Iterator[Obstacle]:
    """What stands in the way, the most final first."""
    model, first = _Model(supply, range(len(supply.options))), supply.days.starts_on
    lacks = model.lacking_most()
    lost = [need for need in lacks if need.period and need.period.ends_on < first]
    if first > supply.days.ends_on:
        yield Obstacle("over")
    elif lost:
        yield from (Obstacle("lost", subject=need.subject) for need in lost)
    elif not supply.options:
        yield Obstacle("nothing")
    else:
        for need in lacks:
            if need.of == "kinds":
                yield Obstacle("kinds")
            elif need.subject and not model.open_for(need):
                yield Obstacle("unserved", need.of, need.subject)
        yield from _limits(supply, model, lacks)


def _limits(supply: Supply, model: _Model, lacks: Sequence[Need]) -> Iterator[Obstacle]:
    """Caps that are used up, and how little time is left for employment."""
    serving = [s for need in lacks if need.of != "kinds" for s in model.open_for(need)]
    rooms: dict[tuple[Rule, Group, str], Decimal] = {}
    for index, cap in enumerate(supply.caps):
        room = model.room(cap, index)
        if room is not None and any(index in share.part.caps for share in serving):
            key = cap.rule, cap.group, cap.code
            rooms[key] = max(rooms.get(key, ZERO), room)
    yield from (Obstacle(*key, room) for key, room in rooms.items())
    for code in dict.fromkeys(o.kind.code for o in supply.options if o.once):
        yield Obstacle("once", "type", code)
    if not rooms and any(option.is_job for option in supply.options):
        months = max((run.months for run in supply.runs), default=ZERO)
        yield Obstacle("time", months=int(months))
