"""What further activities can still bring in a cycle: the time, the minima and the caps left.

The ground on which ``gap`` looks for what would close a gap. All points are whole cents. What
is left under a cap is what the evaluation leaves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import NamedTuple

from tracker.domain import employment, lines, parts, rooms
from tracker.domain.claims import Credit, Evaluation, Shortfall
from tracker.domain.periods import DAY, Period, add_months, completed_months
from tracker.domain.policies import ONE, ActivityType, Policy
from tracker.domain.rooms import MANY, Place, Rooms

HUNDREDTH = Decimal("0.01")


class Slot(NamedTuple):
    """A stretch of the time left in which every day is worth the same."""

    period: Period
    year: int


class Opening(NamedTuple):
    """One kind of activity that is open, with the mark that it must bear, if any.

    By slot: ``serves`` are the minima that its points count for (0: the requirement), ``bounds``
    the caps that hold them, ``months`` the months of employment that fit. ``event`` is the most
    that one activity brings; ``once``: only one counts. ``brings`` is the category or type that
    it adds to those that count, where several are needed. Of openings with the same ``apart``
    one can be used; a job that is ``alone`` is rounded by itself.
    """

    kind: ActivityType
    tag: str
    serves: tuple[tuple[int, ...], ...]
    bounds: tuple[tuple[int, ...], ...]
    months: tuple[int, ...]
    event: int
    once: bool
    brings: str
    apart: str
    alone: bool


@dataclass(slots=True)
class Ground:
    """What is needed and what is open.

    ``needs`` are the points lacking: of the requirement, then of every minimum; ``timely`` are
    the places of those bound to years and stretches of the cycle, with the slots that serve
    them; ``group_needs`` those of groups. ``kinds`` more categories or types are lacking.
    ``rooms`` is what the caps leave; ``unmoved`` the needs of each that displacing in it does not
    serve. ``lost`` are minima of times that have passed.
    """

    policy: Policy
    slots: tuple[Slot, ...]
    needs: list[int]
    kinds: int
    timely: list[tuple[int, tuple[int, ...]]] = field(default_factory=list)
    group_needs: dict[tuple[str, str], int] = field(default_factory=dict)
    rooms: Rooms = field(default_factory=Rooms)
    unmoved: list[tuple[int, ...]] = field(default_factory=list)
    openings: list[Opening] = field(default_factory=list)
    lost: tuple[Shortfall, ...] = ()

    @property
    def groups(self) -> int:
        """How many of the needs are those of groups; they follow that of the requirement."""
        return len(self.group_needs)


def cents(points: Decimal) -> int:
    """Points as whole cents."""
    return int(points * 100)


def survey(evaluation: Evaluation, policy: Policy, *, until: date) -> Ground:
    """What is lacking on the day of an evaluation, and what is open from then to a last day."""
    return _Survey(evaluation, policy, until).ground


class _Survey:
    """The making of a ground."""

    def __init__(self, evaluation: Evaluation, policy: Policy, until: date) -> None:
        self._evaluation = evaluation
        self._policy = policy
        self._plan = parts.plan_of(policy)
        lacking = {s.of: s for s in evaluation.shortfalls}
        self._kinds = lacking.get("kinds")
        slots = tuple(self._slots(until))
        self.ground = Ground(
            policy=policy, slots=slots, needs=[cents(evaluation.missing)],
            kinds=int(self._kinds.missing) if self._kinds else 0,
        )  # fmt: skip
        self._lay_needs()
        if slots:
            self.ground.openings = list(self._openings())

    def _slots(self, until: date) -> Iterator[Slot]:
        """The time left, cut where a year with limits or a stretch with a minimum begins."""
        cycle, policy = self._evaluation.cycle, self._policy
        first = max(self._evaluation.on, cycle.starts_on)
        marks = {date.fromisoformat(s.subject) for s in self._short("window")}
        if self._plan.has_years:
            marks |= {year.starts_on for year in parts.years(policy, cycle).values()}
        starts = [first, *sorted(mark for mark in marks if first < mark <= until)]
        for start, following in zip(starts, [*starts[1:], until + DAY], strict=True):
            if start < following:
                year = parts.year_of(policy, cycle, start) if self._plan.has_years else 0
                yield Slot(Period(start, following - DAY), year)

    def _short(self, *kinds: str) -> list[Shortfall]:
        return [s for s in self._evaluation.shortfalls if s.of in kinds]

    def _lay_needs(self) -> None:
        """Number the minima: those of groups, then years, then stretches, the last first."""
        ground = self.ground
        for short in self._short("type", "category", "tag"):
            self.ground.group_needs[short.of, short.subject] = len(ground.needs)
            ground.needs.append(cents(short.missing))
        windows = sorted(self._short("window"), key=lambda s: s.subject, reverse=True)
        for short in [*self._short("year"), *windows]:
            slots = tuple(n for n, slot in enumerate(ground.slots) if self._falls_in(slot, short))
            if slots:
                ground.timely.append((len(ground.needs), slots))
                ground.needs.append(cents(short.missing))
            else:
                ground.lost = (*ground.lost, short)

    def _falls_in(self, slot: Slot, short: Shortfall) -> bool:
        start = date.fromisoformat(short.subject)
        if short.of == "window":
            return slot.period.starts_on >= start
        return slot.year == parts.year_of(self._policy, self._evaluation.cycle, start)

    def _openings(self) -> Iterator[Opening]:
        """Every type that brings anything, also with each mark that is lacking."""
        lacking = [short.subject for short in self._short("tag")]
        for kind in self._policy.types.values():
            if kind.rate <= 0 or self._is_taken(kind):
                continue
            yield self._opening(kind, "")
            for tag in lacking:
                if tag not in kind.tags:
                    yield self._opening(kind, tag)

    def _opening(self, kind: ActivityType, tag: str) -> Opening:
        ground = self.ground
        borne = kind.tags | {tag} if tag else kind.tags
        limits = self._plan.of_type[kind.code]
        if borne:
            of_tag = self._plan.of_tag
            limits += tuple(bound for code in sorted(borne) for bound in of_tag.get(code, ()))
        numbers = range(len(ground.slots))
        is_job = kind.basis == "months"
        return Opening(
            kind=kind, tag=tag,
            event=min((cents(most) for rule, _, _, most in limits if rule == "event_cap"),
                      default=MANY),
            serves=tuple(self._serves(kind, borne, n) for n in numbers),
            bounds=tuple(self._bounds(limits, ground.slots[n].year) for n in numbers),
            months=tuple(self._months(n) for n in numbers) if is_job else (),
            once=not is_job and self._counts_once(), brings=self._brings(kind),
            apart=self._apart(kind), alone=self._is_alone(kind),
        )  # fmt: skip

    def _serves(self, kind: ActivityType, borne: frozenset[str], slot: int) -> tuple[int, ...]:
        """The places in ``needs`` of what points of a slot count for."""
        needs, timely = self.ground.group_needs, self.ground.timely
        if not needs and not timely:
            return (0,)
        groups = [("type", kind.code), ("category", kind.category), *(("tag", t) for t in borne)]
        return (
            0, *(needs[group] for group in groups if group in needs),
            *(need for need, slots in timely if slot in slots),
        )  # fmt: skip

    def _bounds(self, limits: Sequence[parts.Bound], year: int) -> tuple[int, ...]:
        """The places in ``rooms`` of the caps that hold a slot."""
        found: list[int] = []
        for rule, group, code, most in limits:
            if rule != "event_cap":
                place = (rule, group, code, year if rule == "year_cap" else 0)
                found.append(self._cap(place, most))
        if self._policy.stop_at_requirement:
            evaluation = self._evaluation
            most = evaluation.missing + self._points("policy", "")
            found.append(self._cap(("stop", "policy", "", 0), most))
        return tuple(found)

    def _cap(self, place: Place, most: Decimal) -> int:
        """The number of a cap, with what it leaves and what could be spared."""
        ground, (_, group, code, _) = self.ground, place
        if place in ground.rooms.caps:
            return ground.rooms.caps[place]
        spared = Decimal(0)
        if len(ground.needs) > 1 or ground.kinds:
            spared = rooms.spare(self._evaluation, self._policy, place)
        left = max(cents(most) - self._counted(place), 0)
        within = [(group, code)]
        if group == "type":
            within.append(("category", self._policy.types[code].category))
        needs = ground.group_needs
        ground.unmoved.append(tuple(needs[each] for each in within if each in needs))
        return ground.rooms.add(place, left, cents(spared))

    def _points(self, group: str, code: str) -> Decimal:
        """What counts of a group in the cycle."""
        claimed = self._evaluation.credits
        return sum((c.counted for c in claimed if rooms.bears(c, group, code)), Decimal(0))

    def _counted(self, place: Place) -> int:
        """The cents counted of a group, in a year or in the cycle."""
        rule, group, code, year = place
        if rule != "year_cap":
            return cents(self._points(group, code))
        claimed = self._evaluation.credits
        parts_ = (self._part_of_year(c, year) for c in claimed if rooms.bears(c, group, code))
        return cents(sum(parts_, Decimal(0)))

    def _part_of_year(self, credit: Credit, year: int) -> Decimal:
        """What a claim brought in a year, at the most: when its months lie is not known here."""
        on, cycle = self._evaluation.on, self._evaluation.cycle
        kind = self._policy.types.get(credit.type)
        if kind is not None and kind.basis == "months":
            days = parts.years(self._policy, cycle)[year]
            run = Period(days.starts_on, min(days.ends_on, on)) if days.starts_on <= on else None
            months = Decimal(completed_months(run) + 1) if run else Decimal(0)
            return min(credit.counted, months * credit.rate * credit.factor)
        dated = rooms.falls_in(credit, self._policy, cycle, year)
        return credit.counted if dated else Decimal(0)

    def _months(self, number: int) -> int:
        """The whole months of a job that begins tomorrow, or with a later slot."""
        slot = self.ground.slots[number].period
        start = slot.starts_on + DAY if number == 0 else slot.starts_on
        return completed_months(Period(start, slot.ends_on)) if start <= slot.ends_on else 0

    def _is_taken(self, kind: ActivityType) -> bool:
        """Whether more of the type adds nothing: it counts once, or a job covers the days.

        More months of a job that goes on are that job's own, if nothing bounds it by itself.
        """
        claimed = self._evaluation.credits
        if kind.basis != "months":
            return self._counts_once() and any(c.type == kind.code and c.counted for c in claimed)
        bounded = any(rule == "event_cap" for rule, *_ in self._plan.of_type[kind.code])
        return self._policy.overlap != "sum" and any(
            credit.category == kind.category and self._goes_on(credit)
            and credit.rate * credit.factor >= kind.rate
            and (credit.type != kind.code or bounded
                 or any(cut.rule == "decision" for cut in credit.cuts))
            for credit in claimed
        )  # fmt: skip

    def _apart(self, kind: ActivityType) -> str:
        """What openings share that stand for each other: days of a job, the one that counts."""
        if kind.basis == "months":
            return "" if self._policy.overlap == "sum" else f"category {kind.category}"
        return f"type {kind.code}" if self._counts_once() else ""

    def _is_alone(self, kind: ActivityType) -> bool:
        """Whether no other job of the category is rounded together with one of the type."""
        jobs = [t.code for t in self._policy.types.values()
                if t.basis == "months" and t.category == kind.category]  # fmt: skip
        held = any(credit.type in jobs for credit in self._evaluation.credits)
        return jobs == [kind.code] and not held and len(self.ground.slots) == 1

    def _goes_on(self, credit: Credit) -> bool:
        kind = self._policy.types.get(credit.type)
        ended = credit.on is not None and credit.on < self._evaluation.on
        return kind is not None and kind.basis == "months" and not ended

    def _counts_once(self) -> bool:
        """Whether all claims of a type are the same activity, of which one counts."""
        rule = self._policy.duplicates
        return rule is not None and set(rule.key) == {"type"}

    def _brings(self, kind: ActivityType) -> str:
        """The category or type, where a further one is needed and this is none that counts."""
        if self._kinds is None:
            return ""
        by_category = self._kinds.subject == "category"
        counting = {
            c.category if by_category else c.type for c in self._evaluation.credits if c.counted
        }
        own = kind.category if by_category else kind.code
        return "" if own in counting else own


class Effort(NamedTuple):
    """What is to be done for so many cents: the quantity of each activity, and their worth.

    Quantities are in the type's own unit: whole ones, or hundredths where points are given in
    steps smaller than a unit's; of a type counted by event each is one.
    """

    each: tuple[Decimal, ...]
    worth: int


NOTHING = Effort((), 0)


def least(ground: Ground, opening: Opening, slot: int, wanted: int) -> Effort:
    """The least effort in a slot that brings so many cents, or as many as can be had there."""
    kind, policy = opening.kind, ground.policy
    if kind.basis == "months":
        return _months_for(ground, opening, slot, wanted)
    if kind.basis == "event":
        worth = min(cents(lines.cents(kind.rate, policy)), opening.event)
        times = min(-(-wanted // worth), 1 if opening.once else MANY) if worth else 0
        return Effort((ONE,) * times, times * worth)
    return _in_pieces(opening, policy, min(wanted, opening.event) if opening.once else wanted)


def _in_pieces(opening: Opening, policy: Policy, wanted: int) -> Effort:
    """As many activities as it takes where each brings so much at most.

    The first is the smallest; what whole steps bring beyond it spares the others some.
    """
    each: list[Decimal] = []
    left = wanted
    for others in reversed(range(-(-wanted // opening.event))):
        each.append(_units_for(opening.kind, policy, left - others * opening.event))
        left -= min(_worth(opening.kind, policy, each[-1]), opening.event)
    return Effort(tuple(each), wanted - left)


def _units_for(kind: ActivityType, policy: Policy, wanted: int) -> Decimal:
    """The least quantity of one activity that is worth so many cents."""
    points = Decimal(wanted) / 100
    step = ONE
    if kind.increment is not None:
        points = (points / kind.increment).to_integral_value(ROUND_CEILING) * kind.increment
        step = HUNDREDTH if kind.increment < kind.rate else ONE
    units = (points / kind.rate / step).to_integral_value(ROUND_CEILING) * step
    if units > step and _worth(kind, policy, units - step) >= wanted:
        units -= step
    return units if kind.threshold is None else max(units, kind.threshold)


def _worth(kind: ActivityType, policy: Policy, units: Decimal) -> int:
    """The cents of one activity, before caps."""
    exact = units * kind.rate
    if kind.increment is not None:
        return cents(exact // kind.increment * kind.increment)
    return cents(lines.cents(exact, policy))


def _months_for(ground: Ground, opening: Opening, slot: int, wanted: int) -> Effort:
    """The fewest whole months of a job that begins with the slot."""
    most, policy = opening.months[slot], ground.policy
    wanted = min(wanted, opening.event)
    start = ground.slots[slot].period.starts_on + (DAY if slot == 0 else DAY * 0)
    rate = opening.kind.rate
    if policy.overlap == "capped_sum" and policy.overlap_maximum is not None:
        rate = min(rate, policy.overlap_maximum)
    months = min(int(Decimal(wanted) / 100 / rate), most) if rate else 0
    while (worth := _worth_of_months(policy, opening, start, months, rate)) < wanted:
        if months == most:
            break
        months += 1
    return Effort((Decimal(months),), worth) if months else NOTHING


def _worth_of_months(
    policy: Policy, opening: Opening, start: date, months: int, rate: Decimal
) -> int:
    """The cents of so many months."""
    if not months:
        return 0
    run = Period(start, add_months(start, months) - DAY)
    exact = employment.weight(run, rate, policy.month_rule)
    if not opening.alone:  # jobs are rounded together, which may cost a cent
        return min(cents(exact.quantize(HUNDREDTH, ROUND_FLOOR)), opening.event)
    return min(cents(lines.cents(exact, policy)), opening.event)
