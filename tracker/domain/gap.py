"""What would close the gap: the smallest sets of further activities, by integer programming.

A *way* is a set of kinds of activity that closes the gap by the last day, none of which can be
left out: the fewest kinds, then the policy's own order; each is done as little as will do. Every
activity is taken to be approved, done in no special role, outside regular duties, and no
repetition; jobs on record are taken to go on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from tracker.domain import lines
from tracker.domain.activity_types import ActivityType
from tracker.domain.allocation import Cap, Need
from tracker.domain.claims import ZERO, Claim, Evaluation, Group, Rule
from tracker.domain.optimum import Allocation, cents
from tracker.domain.periods import Period
from tracker.domain.policies import Policy
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
    first day). ``nothing``: no activity is open. ``unserved``: none serves a minimum. ``kinds``:
    too few are open. A cap leaves so many ``points``; ``stop`` leaves none. ``once``: a single
    activity of a type counts. ``time``: so many ``months`` are left for employment.
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


def close(evaluation: Evaluation, policy: Policy) -> Gap:
    """What would complete an evaluation until the last day whose activities count."""
    on, earning = evaluation.on, evaluation.earning
    goes_on = any(c.completed_on is None or c.completed_on > on for c in evaluation.claims)
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
        held = (None, *options)
        self.runs = {n: self.variable() for n, r in enumerate(supply.runs) if r.option in held}
        runs = [(supply.runs[n], variable) for n, variable in self.runs.items()]
        for group in {run.group for run, _ in runs}:
            self.at_most({v: 1 for run, v in runs if run.group == group}, 1)
        for number, used in self.used.items():
            self.at_most({used: -1, **{v: 1 for run, v in runs if run.option == number}}, 0)
        for given, share in zip(self.given, self.shares, strict=True):
            if share.days is not None and share.option is not None:
                self.at_most({given: 1, self.used[share.option]: -cents(share.points)}, 0)
            else:
                known = {self.runs[n]: -cents(p) for n, p in share.by_run.items() if n in self.runs}
                self.at_most({given: 1, **known}, cents(share.points))
        for alternatives in supply.groups:
            self.choose_one(alternatives)

    def require(self) -> None:
        """Ask for the requirement and every minimum."""
        for need in self.needs:
            self.at_least(self.serving(need), cents(need.minimum))

    def lacking_most(self) -> list[Need]:
        """What cannot be met where as little as can be lacks, by as much of what is on record."""
        lacking = {self.lacking(need)[0]: need for need in self.needs}
        self.settle(dict.fromkeys(lacking, -1))
        self.settle(
            {v: 1 for v, s in zip(self.given, self.shares, strict=True) if s.option is None}
        )
        return [need for variable, need in lacking.items() if self.value(variable)]

    def open_for(self, need: Need) -> list[Share]:
        """The shares of options that serve a minimum."""
        serving = (self.shares[n] for group in need.groups for n in group)
        return [share for share in serving if share.option is not None]

    def room(self, index: int, cap: Cap) -> Decimal | None:
        """What a cap leaves for further activities; None if it is not used up."""
        bound = [n for n, share in enumerate(self.shares) if index in share.part.caps]
        held = [n for n in bound if self.shares[n].option is None]
        whole, of_held = (sum(self.value(self.given[n]) for n in some) for some in (bound, held))
        return cap.bound - Decimal(of_held).scaleb(-2) if whole >= cents(cap.bound) else None


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
    model, costs = _Model(supply, kinds), dict[int, int]()
    model.require()
    weights = {number: -_KIND - place for place, number in enumerate(kinds)}
    for n, variable in model.runs.items():
        run = supply.runs[n]
        if run.option is not None:
            effort = run.months * supply.options[run.option].kind.rate
            costs[variable] = weights[run.option] * cents(effort)
    for given, share in zip(model.given, model.shares, strict=True):
        if share.option is not None and share.days is not None:
            weight, option = weights[share.option], supply.options[share.option]
            costs |= _steps(model, given, option.kind, share.points, weight)
    found = model.best(costs)
    assert found is not None  # noqa: S101 - it is one of the sets that were found
    way = [Activity(supply.options[n], tuple(_portions(supply, model, n))) for n in kinds]
    for place, number in enumerate(kinds):
        if len(way[place].portions) == 1 and not way[place].option.is_job:
            spans = [s.days for s in model.shares if s.option == number and s.days is not None]
            way[place] = _widened(supply, way, place, spans)
    return tuple(way)


def _steps(
    model: _Model, given: int, kind: ActivityType, most: Decimal, weight: int
) -> dict[int, int]:
    """The whole steps in which an activity is done, and whether it is, as costs."""
    steps, there, step = model.variable(_MANY), model.variable(), kind.increment or kind.rate
    size = max(cents(step), 1)
    model.at_most({given: 1, steps: -size}, 0)
    model.at_most({given: 1, there: -cents(most)}, 0)
    least = kind.threshold if kind.basis == "quantity" else None
    model.at_least({steps: size, there: -cents((least or ZERO) * kind.rate)}, 0)
    return {steps: weight * size, there: weight}


def _portions(supply: Supply, model: _Model, number: int) -> Iterator[Portion]:
    """What is done of an option, stretch by stretch."""
    for n, variable in model.runs.items():
        run = supply.runs[n]
        if run.option == number and model.value(variable):
            yield Portion(run.period, (run.months,), run.points)
    for given, share in zip(model.given, model.shares, strict=True):
        wanted = Decimal(model.value(given)).scaleb(-2)
        if share.option == number and share.days is not None and wanted:
            option, policy = supply.options[number], supply.policy
            pieces = lines.least_pieces(wanted, option.kind, policy, event=option.event)
            each, brought = zip(*pieces, strict=True)
            yield Portion(share.days, each, sum(brought, ZERO))


def _widened(supply: Supply, way: list[Activity], place: int, spans: list[Period]) -> Activity:
    """The same activity within all the days that will do as well, wherever the others lie."""
    activity, (portion,) = way[place], way[place].portions
    days = [portion.period]
    for span in spans:
        moved = replace(activity, portions=(replace(portion, period=span),))
        others = [*way[:place], moved, *way[place + 1 :]]
        if supply.closes(claim for n, one in enumerate(others) for claim in one.claims(n)):
            days.append(span)
    whole = Period(min(d.starts_on for d in days), max(d.ends_on for d in days))
    return replace(activity, portions=(replace(portion, period=whole),))


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
                yield Obstacle("unserved", *(need.within or (need.of, need.subject)))
        yield from _limits(supply, model, lacks)


def _limits(supply: Supply, model: _Model, lacks: Sequence[Need]) -> Iterator[Obstacle]:
    """Caps that are used up, and how little time is left for employment."""
    serving = [share for need in lacks if need.of != "kinds" for share in model.open_for(need)]
    rooms: dict[tuple[Rule, Group, str], Decimal] = {}
    for index in sorted({index for share in serving for index in share.part.caps}):
        cap = supply.caps[index]
        if cap.rule != "event_cap" and (room := model.room(index, cap)) is not None:
            key = cap.rule, cap.group, cap.code
            rooms[key] = max(rooms.get(key, ZERO), room)
    yield from (Obstacle(*key, room) for key, room in rooms.items())
    for code in dict.fromkeys(o.kind.code for o in supply.options if o.once):
        yield Obstacle("once", "type", code)
    if not rooms and any(option.is_job for option in supply.options):
        months = max((run.months for run in supply.runs), default=ZERO)
        yield Obstacle("time", months=int(months))
