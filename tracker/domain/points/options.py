"""What can still be done in a cycle, under the policy's caps, in addition to what is on record.

Further activities are lines like those of claims, so the evaluation's own caps, minima, years and
duplicates apply. An *option* is one kind of activity. A *choice* is to do it on some days: in any
amount, or in an amount priced together with what is on record: a job that starts while those on
record go on, or the rest of a year's threshold. A *share* is a sum of points that caps and minima
treat as one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import NamedTuple

from tracker.domain.periods import DAY, Period
from tracker.domain.points import constraints, duplicates, joint_events, rounding
from tracker.domain.points import evaluation as points
from tracker.domain.points.allocation import Need, Part, Rounded
from tracker.domain.points.claims import ZERO, Claim, Evaluation, GroupCode
from tracker.domain.points.constraints import AllocationProblem
from tracker.domain.points.employment import lengths
from tracker.domain.points.pricing import CENT, PricedClaim, line_of, tags
from tracker.domain.schemes.activity_types import ONE, ActivityType
from tracker.domain.schemes.policies import Policy

NEW = "new "  # the prefix of the references of further activities


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


class Choice(NamedTuple):
    """To do something of an option on some days, or (None) to leave what is on record.

    One choice of a ``group`` is taken. ``quantity`` is that of a job, in months, or the rest of a
    year's threshold, and ``points`` what it earns; 0: any amount may be done.
    """

    option: int | None
    group: Hashable
    days: Period
    quantity: Decimal = ZERO
    points: Decimal = ZERO

    def effort(self, kind: ActivityType) -> Decimal:
        """The effort, in points of the type."""
        return self.quantity * kind.rate / (kind.threshold or ONE)


ClaimsByGroup = Mapping[Hashable, Sequence[PricedClaim]]
"""The lines on record, by what is priced together."""


@dataclass(slots=True)
class PointsShare:
    """Points that all caps and minima treat alike: of an option, or on record (None).

    ``days`` are those on which any amount of the option may be done, up to ``points``.
    ``by_choice``: what each choice adds to ``points``, what is on record included.
    """

    option: int | None
    part: Part
    days: Period | None
    points: Decimal = ZERO
    by_choice: dict[int, Decimal] = field(default_factory=dict)


def marks_of(groups: Iterable[GroupCode]) -> list[str]:
    """The tags among some groups."""
    return list(dict.fromkeys(code for of, code in groups if of == "tag"))


def claim_of(option: Option, days: Period, quantity: Decimal = ZERO, *, number: str = "") -> Claim:
    """A further activity as a claim: on the first of some days, or a job through all of them."""
    kind = option.kind
    least = (kind.threshold_over == "claim" and kind.threshold) or ZERO
    return Claim(
        ref=NEW + number,
        category=kind.category,
        type=kind.code,
        title=NEW + number,
        provider=NEW + number,
        quantity=None if option.is_job else max(quantity, least),
        starts_on=days.starts_on if option.is_job else None,
        completed_on=days.ends_on if option.is_job else days.starts_on,
        tags=option.marks,
        approved=True,
    )


def _is_new(line: PricedClaim) -> bool:
    return line.claim.ref.startswith(NEW)


class Supply:
    """What is on record and what is open in the ``days`` left, as one allocation problem.

    Activities may carry any one of the ``marks``, or all.
    """

    def __init__(
        self, evaluation: Evaluation, policy: Policy, days: Period, marks: Collection[str]
    ) -> None:
        self.evaluation, self.policy, self.days = evaluation, policy, days
        self._plan, self._cycle = constraints.plan_of(policy), evaluation.cycle
        done = [claim.completed_on for claim in evaluation.claims if claim.completed_on]
        self._slots = constraints.cut(self._plan, days, self._cycle, done)
        self.options = list(self._open(marks)) if self._slots else []
        self.choices: list[Choice] = []
        self._lines: list[PricedClaim] = []
        self._chosen: list[int] = []  # the choice of each line
        self._ground = self._lay()
        needs, _ = self.asked([])
        self.marks = marks_of(need.group for need in needs)
        self._choose(max(CENT, *(need.minimum for need in needs)))
        rule, before = policy.duplicates, evaluation.terms.counted_before
        self.groups = duplicates.groups(rule, self._lines, before) if rule else []
        self.groups += joint_events.groups(policy, self._lines, self._cycle)
        self._ground = self._lay()
        self.caps = self._ground.caps
        self.shares = list(self._shares())

    def _lay(self) -> AllocationProblem:
        required = max(self.evaluation.required - self.evaluation.carried_over, ZERO)
        return constraints.build(
            self._plan, self._lines, self._cycle, room=required, all_of_them=True
        )

    def asked(self, shares: Sequence[PointsShare]) -> tuple[list[Need], Rounded | None]:
        """The requirement and the minima as sums of some shares, and which sums are rounded."""
        before = self.evaluation
        ground = replace(self._ground, parts=[share.part for share in shares])
        rounds = rounding.sums(self.policy, self._lines, ground.parts)
        whole = Need(
            "type",
            "",
            max(before.required - before.carried_over, ZERO),
            (tuple(range(len(shares))),),
            rounding=rounds.rounding if rounds else None,
        )
        minima = before.terms.minima
        return [
            whole,
            *constraints.needs(self._plan, self._lines, ground, self._cycle, minima),
        ], rounds

    def closes(self, claims: Iterable[Claim]) -> bool:
        """Whether further claims complete the evaluation by the last day."""
        before = self.evaluation
        return points.evaluate(
            self.policy,
            [*before.claims, *claims],
            cycle=before.cycle,
            on=self.days.ends_on,
            terms=before.terms,
        ).complete

    def _open(self, marks: Collection[str]) -> Iterator[Option]:
        """Every type that earns anything, also with each tag and with all tags."""
        rule = self.policy.duplicates
        once = rule is not None and set(rule.key) == {"type"}
        for kind in self.policy.types.values():
            further = [mark for mark in marks if mark not in kind.tags]
            for some in dict.fromkeys([(), *((mark,) for mark in further), tuple(further)]):
                event = constraints.event_cap(self._plan, kind, some)
                if kind.rate > ZERO:
                    single = (once and kind.basis != "months") or kind.threshold_over == "year"
                    yield Option(kind, frozenset(some), single, event)

    def _choose(self, most: Decimal) -> None:
        """Choices of what is on record, then of every option; ``most`` is all that is useful."""
        held: dict[Hashable, list[PricedClaim]] = defaultdict(list)
        for line in self._priced(self.evaluation.claims):
            held[self._group(line)].append(line)
        for group, lines in held.items():
            self._add(Choice(None, group, self.days), lines)
        for number, option in enumerate(self.options):
            for days in filter(None, map(option.kind.days.clip, self._slots)):
                if option.is_job:
                    self._employ(number, days, held)
                elif option.kind.threshold_over == "year":
                    self._complete(number, days, held)
                else:
                    self._offer(number, days, most)

    def _group(self, line: PricedClaim) -> Hashable:
        """The key of what is priced together: overlapping jobs, activities of a type in a year."""
        kind = line.kind
        if kind is not None and kind.basis == "months" and self.policy.overlap != "sum":
            return kind.category
        if kind is not None and kind.threshold_over == "year" and line.on is not None:
            return kind.code, constraints.year_of(self.policy, self._cycle, line.on)
        return None

    def _priced(self, claims: Iterable[Claim]) -> list[PricedClaim]:
        earning, on = self.evaluation.earning, self.days.ends_on
        return points.priced(self.policy, claims, earning, on=on, cycle=self._cycle)

    def _add(self, choice: Choice, lines: Sequence[PricedClaim]) -> None:
        self._lines += lines
        self._chosen += [len(self.choices)] * len(lines)
        self.choices.append(choice)

    def _offer(self, number: int, days: Period, most: Decimal) -> None:
        """Offer any amount: one activity stands for many, unless only one counts."""
        option, name = self.options[number], f"{number} {days.starts_on}"  # all are different
        most = option.kind.rate if option.once and option.kind.basis == "event" else most
        line = line_of(self.policy, claim_of(option, days, most, number=name))
        line.on, line.counted = days.starts_on, most
        self._add(Choice(number, name, days), [line])

    def _employ(self, number: int, days: Period, held: ClaimsByGroup) -> None:
        """Offer the jobs that begin on some days and earn anything; one can begin tomorrow."""
        option, rule = self.options[number], self.policy.month_rule
        group = number if self.policy.overlap == "sum" else option.kind.category
        last = min(self.days.ends_on, option.kind.days.ends_on)
        start = max(days.starts_on, self.evaluation.on + DAY)
        for job, months in lengths([start], last, rule):
            self._join(Choice(number, group, job, months), held)

    def _complete(self, number: int, days: Period, held: ClaimsByGroup) -> None:
        """Offer what a year is short of its threshold, in addition to what is on record."""
        kind = self.options[number].kind
        year = constraints.year_of(self.policy, self._cycle, days.starts_on)
        whole = Choice(number, (kind.code, year), days, kind.threshold or ONE)
        counting = [line for line in self._beside(whole, held) if line.worth > ZERO]
        rest = 2 * whole.quantity - joint_events.quantity(self.policy, counting)
        self._join(whole._replace(quantity=max(rest, ONE)), held)

    def _join(self, choice: Choice, held: ClaimsByGroup) -> None:
        """Offer a choice that earns anything in addition to what is on record, with the sum."""
        lines = self._beside(choice, held)
        brought = sum((line.counted for line in lines if _is_new(line)), ZERO)
        if brought > ZERO:
            self._add(choice._replace(points=brought), lines)

    def _beside(self, choice: Choice, held: ClaimsByGroup) -> list[PricedClaim]:
        option, name = self.options[choice.option or 0], f"{choice.option} {choice.days.starts_on}"
        new = claim_of(option, choice.days, choice.quantity, number=name)
        return self._priced([*(line.claim for line in held.get(choice.group, ())), new])

    def _shares(self) -> Iterable[PointsShare]:
        """The parts of all lines, equal ones joined; alternatives stay separate."""
        alone = {line for group in self.groups for line in group}
        found: dict[Hashable, PointsShare] = {}
        for part in self._ground.parts:
            number, line = self._chosen[part.line], self._lines[part.line]
            choice, option = self.choices[number], None
            if _is_new(line):
                option = choice.option
            days = None if option is None or choice.quantity else choice.days
            if days and not self.options[option or 0].once:
                part.caps = tuple(n for n in part.caps if self.caps[n].rule != "event_cap")
            part.year = part.year if self._plan.yearly else 0
            part.stretches = frozenset(n for n in part.stretches if n < len(self.policy.windows))
            key = (
                option,
                line.claim.category,
                line.claim.type,
                tags(line),
                part.caps,
                part.year,
                part.stretches,
                part.line if part.line in alone else -1,
            )
            share = found.setdefault(key, PointsShare(option, part, days))
            if days and share.days:
                share.points, share.days = part.points, Period(share.days.starts_on, days.ends_on)
            elif choice.group is None:
                share.points += part.points
            else:
                share.by_choice[number] = share.by_choice.get(number, ZERO) + part.points
        for share in found.values():
            share.part.points = share.points + max(share.by_choice.values(), default=ZERO)
        return found.values()
