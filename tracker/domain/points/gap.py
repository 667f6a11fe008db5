"""What would close the gap: the smallest sets of further activities, by integer programming.

A *way* is a set of kinds of activity that closes the gap by the last day, none of which can be left
out: the fewest kinds first, then the policy's own order; each is done as little as needed. The
computation assumes that every activity is approved, done in no special role, outside regular
duties, and not a repetition, and that jobs on record go on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import takewhile
from typing import Literal

from tracker.domain.periods import Period
from tracker.domain.points import pricing
from tracker.domain.points.allocation import Cap, Need
from tracker.domain.points.claims import ZERO, Claim, Evaluation, GroupKind, Rule
from tracker.domain.points.options import Option, PointsShare, Supply, claim_of, marks_of
from tracker.domain.points.solver import Allocation
from tracker.domain.schemes.activity_types import ActivityType
from tracker.domain.schemes.policies import Policy

MOST_WAYS = 8
ENOUGH_WAYS = 4  # with this many, nobody needs a larger combination
_KIND = 10**4  # one more kind of activity weighs more than any position in the policy's order


@dataclass(frozen=True, slots=True)
class Portion:
    """How much of an activity is done within some days.

    ``each`` has the quantity of every single activity, in the type's own unit; for employment, the
    months, which fill the ``period``.
    """

    period: Period
    each: tuple[Decimal, ...]
    points: Decimal


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
                found.append(claim_of(self.option, days, each, number=f"{number}-{m}-{n}"))
        return found


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
    ways: tuple[tuple[SuggestedActivity, ...], ...] = ()
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
    lacking = marks_of(shortfall.group for shortfall in evaluation.shortfalls)
    supply = Supply(evaluation, policy, found.days, lacking)
    ways = tuple(_ways(supply))
    if not ways and supply.marks != lacking:
        supply = Supply(evaluation, policy, found.days, supply.marks)
        ways = tuple(_ways(supply))
    return replace(found, ways=ways, obstacles=() if ways else tuple(_obstacles(supply)))


class _Model(Allocation):
    """The program of what is on record and some options; ``used`` says which options are done."""

    def __init__(self, supply: Supply, options: Collection[int]) -> None:
        self._supply, held = supply, {None, *options}
        self.shares = [share for share in supply.shares if share.option in held]
        self.needs, rounds = supply.asked(self.shares)
        super().__init__([share.part for share in self.shares], supply.caps, rounds)
        self.used = {number: self.variable() for number in options}
        numbers = sorted({n for share in self.shares for n in share.by_choice})
        choices = {n: supply.choices[n] for n in numbers if supply.choices[n].option in held}
        self.chosen = {n: self.variable() for n in choices}
        for group in {choice.group for choice in choices.values()}:
            alike = {self.chosen[n]: c.option for n, c in choices.items() if c.group == group}
            self.at_most(dict.fromkeys(alike, 1), 1)
            for number, used in self.used.items():
                of_option = {v: 1 for v, option in alike.items() if option == number}
                self.at_most({**of_option, used: -1}, 0)
        for given, share in zip(self.given, self.shares, strict=True):
            most = self.mosts[given]
            by = {
                self.chosen[n]: -min(self.units(p), most)
                for n, p in share.by_choice.items()
                if n in choices
            }
            if share.option is not None and share.days is not None:
                by[self.used[share.option]] = -most
            self.at_most({given: 1, **by}, 0 if share.days else self.units(share.points))
        for number, used in self.used.items():
            self._hold_together(number, used)
        for alternatives in supply.groups:
            self.choose_one(alternatives)

    def _hold_together(self, number: int, used: int) -> None:
        """Let an option earn no more under each cap than the cap allows, and nothing if unused."""
        under: dict[int, dict[int, int]] = {}
        for given, share in zip(self.given, self.shares, strict=True):
            if share.option == number:
                for index in share.part.caps:
                    under.setdefault(index, {})[given] = 1
        for index, terms in under.items():
            self.at_most({**terms, used: -self.units(self._supply.caps[index].bound)}, 0)

    def require(self) -> None:
        """Require the points and every minimum."""
        for need in self.needs:
            self.at_least(self.serving(need), self.units(need.minimum))

    def lacking_most(self) -> list[Need]:
        """The minima that stay unmet when as little as possible is missing.

        Of equally good solutions, it takes one that uses as many recorded points as possible.
        """
        lacking = {self.lacking(need)[0]: need for need in self.needs}
        self.settle(dict.fromkeys(lacking, -1))
        self.settle(
            {v: 1 for v, s in zip(self.given, self.shares, strict=True) if s.option is None}
        )
        return [need for variable, need in lacking.items() if self.value(variable)]

    def open_for(self, need: Need) -> list[PointsShare]:
        """The shares of options that count for a minimum."""
        serving = (self.shares[n] for group in need.groups for n in group)
        return [share for share in serving if share.option is not None]

    def room(self, index: int, cap: Cap) -> Decimal | None:
        """What a cap leaves for further activities; None if it is not used up.

        If sums are rounded, the last hundredth need not be whole.
        """
        bound = [n for n, share in enumerate(self.shares) if index in share.part.caps]
        held = [n for n in bound if self.shares[n].option is None]
        whole, of_held = (sum(self.points(self.given[n]) for n in some) for some in (bound, held))
        return cap.bound - of_held if whole > cap.bound - pricing.CENT else None

    def points(self, variable: int) -> Decimal:
        """The points that a variable stands for in the latest solution."""
        return Decimal(self.value(variable)).scaleb(-self.decimals)


def _ways(supply: Supply) -> Iterator[tuple[SuggestedActivity, ...]]:
    """The ways; larger sets are tried only if there are few smaller ones."""
    model, sizes = _Model(supply, range(len(supply.options))), list[int]()
    model.require()
    wanted = {used: -_KIND - number for number, used in model.used.items()}
    while len(sizes) < MOST_WAYS and model.best(wanted) is not None:
        kinds = [number for number, used in model.used.items() if model.value(used)]
        if len(sizes) >= ENOUGH_WAYS and len(kinds) > sizes[-1]:
            return
        sizes.append(len(kinds))
        yield _way(supply, kinds)
        model.at_most({model.used[number]: 1 for number in kinds}, len(kinds) - 1)


def _way(supply: Supply, kinds: Sequence[int]) -> tuple[SuggestedActivity, ...]:
    """The least effort with some options; of equal efforts, more of the first."""
    model, costs = _Model(supply, kinds), dict[int, int]()
    model.require()
    weights = {number: -_KIND - place for place, number in enumerate(kinds)}
    for n, chosen in model.chosen.items():
        choice = supply.choices[n]
        if choice.option is not None:
            effort = choice.effort(supply.options[choice.option].kind)
            costs[chosen] = weights[choice.option] * model.units(effort)
    for given, share in zip(model.given, model.shares, strict=True):
        if share.option is not None and share.days is not None:
            option, weight = supply.options[share.option], weights[share.option]
            costs |= _steps(model, given, option, share.points, weight)
    found = model.best(costs)
    assert found is not None  # noqa: S101 - it is one of the sets that were found
    way = [SuggestedActivity(supply.options[n], _apart(supply, model, n)) for n in kinds]
    for place, number in enumerate(kinds):
        if len(way[place].portions) == 1 and not way[place].option.is_job:
            way[place] = _widened(supply, way, place, number)
    return tuple(way)


def _steps(model: _Model, given: int, option: Option, most: Decimal, weight: int) -> dict[int, int]:
    """The whole steps in which an activity is done, and whether it is done, as costs."""
    kind = option.kind
    least = (kind.basis == "quantity" and kind.threshold) or ZERO
    step = kind.increment or kind.rate
    size = max(model.units(min(step, option.event or step)), 1)
    # Bounds as narrow as possible: with wide bounds HiGHS sometimes reports a solution that is not
    # the best.
    steps = model.variable(-(-model.units(max(most, least * kind.rate)) // size))
    there = model.variable()
    model.at_most({given: 1, steps: -size}, 0)
    model.at_most({given: 1, there: -model.units(most)}, 0)
    model.at_least({steps: size, there: -model.units(least * kind.rate)}, 0)
    return {steps: weight * size, there: weight}


def _apart(supply: Supply, model: _Model, number: int) -> tuple[Portion, ...]:
    """The portions, each on its first day if some time must lie between them."""
    found = tuple(_portions(supply, model, number))
    if len(found) == 1 or not supply.options[number].once:
        return found
    days = [portion.period.starts_on for portion in found]
    return tuple(replace(p, period=Period(d, d)) for p, d in zip(found, days, strict=True))


def _portions(supply: Supply, model: _Model, number: int) -> Iterator[Portion]:
    """The amounts of an option to do, stretch by stretch."""
    option, policy = supply.options[number], supply.policy
    for n, chosen in model.chosen.items():
        choice = supply.choices[n]
        if choice.option == number and model.value(chosen):
            yield Portion(choice.days, (choice.quantity,), choice.points)
    for given, share in zip(model.given, model.shares, strict=True):
        if share.option == number and share.days and (wanted := model.points(given)):
            pieces = pricing.least_pieces(wanted, option.kind, policy, event=option.event)
            each, brought = zip(*pieces, strict=True)
            yield Portion(share.days, each, sum(brought, ZERO))


def _widened(
    supply: Supply, way: Sequence[SuggestedActivity], place: int, number: int
) -> SuggestedActivity:
    """The activity with all days around its own on which it works as well, wherever others lie."""
    activity, (portion,) = way[place], way[place].portions
    own = portion.period
    spans = [s.days for s in supply.shares if s.option == number and s.days]
    spans += [
        c.days for c in supply.choices if c.option == number and c.quantity == portion.each[0]
    ]
    spans.sort()

    def will_do(days: Period) -> bool:
        moved = replace(activity, portions=(replace(portion, period=days),))
        others = [*way[:place], moved, *way[place + 1 :]]
        return all(
            supply.closes(claim for n, one in enumerate(others) for claim in one.claims(n, near))
            for near in (date.min, days.starts_on, date.max)
        )

    after = takewhile(will_do, (days for days in spans if days > own))
    before = takewhile(will_do, (days for days in reversed(spans) if days < own))
    found = [own, *after, *before]
    whole = Period(min(days.starts_on for days in found), max(days.ends_on for days in found))
    return replace(activity, portions=(replace(portion, period=whole),))


def _obstacles(supply: Supply) -> Iterator[GapObstacle]:
    """The obstacles, the most final first."""
    model, first = _Model(supply, range(len(supply.options))), supply.days.starts_on
    lacks = model.lacking_most()
    lost = [need for need in lacks if need.period and need.period.ends_on < first]
    if first > supply.days.ends_on:
        yield GapObstacle("over")
    elif lost:
        yield from (GapObstacle("lost", subject=need.subject) for need in lost)
    elif not supply.options:
        yield GapObstacle("nothing")
    else:
        for need in lacks:
            if need.of == "kinds":
                yield GapObstacle("kinds")
            elif need.subject and not model.open_for(need):
                yield GapObstacle("unserved", *need.group)
        yield from _limits(supply, model, lacks)


def _limits(supply: Supply, model: _Model, lacks: Sequence[Need]) -> Iterator[GapObstacle]:
    """Caps that are used up, and how little time is left for employment."""
    serving = [share for need in lacks if need.of != "kinds" for share in model.open_for(need)]
    rooms: dict[tuple[Rule, GroupKind, str], Decimal] = {}
    for index in sorted({index for share in serving for index in share.part.caps}):
        cap = supply.caps[index]
        if cap.group and cap.rule != "event_cap" and (room := model.room(index, cap)) is not None:
            key = cap.rule, cap.group, cap.code
            rooms[key] = max(rooms.get(key, ZERO), room)
    yield from (GapObstacle(*key, room) for key, room in rooms.items())
    for code in dict.fromkeys(o.kind.code for o in supply.options if o.once):
        yield GapObstacle("once", "type", code)
    if not rooms and any(option.is_job for option in supply.options):
        jobs = [
            c.quantity
            for c in supply.choices
            if c.option is not None and supply.options[c.option].is_job
        ]
        months = max(jobs, default=ZERO)
        yield GapObstacle("time", months=int(months))
