"""What can still be done in a cycle, laid under the policy's caps beside what is on record.

Further activities are lines like those of claims, so caps, minima, years and duplicates are the
engine's own. An *option* is one kind of activity: any amount of it, until the last day. A *run*
is a job that could be taken up: the engine prices it together with the jobs on record, which are
taken to go on. A *share* is what caps and minima see as one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import NamedTuple

from tracker.domain import duplicates, parts, points, together
from tracker.domain.activity_types import ActivityType
from tracker.domain.allocation import Need, Part
from tracker.domain.claims import ZERO, Claim, Evaluation
from tracker.domain.employment import lengths
from tracker.domain.lines import CENT, Line, line_of, tags
from tracker.domain.periods import DAY, Period
from tracker.domain.policies import Policy

NEW = "new "  # how the references of further activities begin


class Option(NamedTuple):
    """One kind of activity that is open, with the marks that it must bear.

    ``once``: a single activity of the type counts. ``event``: the most that one brings, if any.
    """

    kind: ActivityType
    marks: frozenset[str]
    once: bool
    event: Decimal | None

    @property
    def is_job(self) -> bool:
        """Whether it is employment, counted by months."""
        return self.kind.basis == "months"


class Run(NamedTuple):
    """A job of an option (None: no further one), of a ``group`` of which one is taken up."""

    option: int | None
    group: str
    period: Period
    months: Decimal = ZERO
    points: Decimal = ZERO


@dataclass(slots=True)
class Share:
    """Points that all caps and minima see alike: of an option, or on record (None).

    ``days`` are those on which an activity of the option may be done. ``by_run``: what each run
    adds to ``points``, jobs on record included.
    """

    option: int | None
    part: Part
    days: Period | None
    points: Decimal = ZERO
    by_run: dict[int, Decimal] = field(default_factory=dict)


class _Owner(NamedTuple):
    """Whose a line is: of an option on some days, of a run, or on record."""

    option: int | None = None
    days: Period | None = None
    run: int | None = None


def claim_of(option: Option, days: Period, quantity: Decimal = ZERO, *, number: str = "") -> Claim:
    """A further activity as a claim: on the first of some days, or a job through all of them."""
    kind = option.kind
    return Claim(
        ref=NEW + number, category=kind.category, type=kind.code, title=NEW + number,
        provider=NEW + number,
        quantity=None if option.is_job else max(quantity, kind.threshold or ZERO),
        starts_on=days.starts_on if option.is_job else None,
        completed_on=days.ends_on if option.is_job else days.starts_on, tags=option.marks,
        approved=True,
    )  # fmt: skip


class Supply:
    """What is on record and what is open in the ``days`` left, as one problem of allocation.

    Activities may bear each of the ``marks``, or all.
    """

    def __init__(self, evaluation: Evaluation, policy: Policy, marks: Collection[str]) -> None:
        self.evaluation, self.policy, self._plan = evaluation, policy, parts.plan_of(policy)
        self._earning = evaluation.earning
        self.days = Period(max(evaluation.on, self._earning.starts_on), self._earning.ends_on)
        self._slots = parts.cut(self._plan, self.days, evaluation.cycle)
        self.options = list(self._open(marks)) if self._slots else []
        self.required = max(evaluation.required - evaluation.carried_over, ZERO)
        self.runs: list[Run] = []
        self._lines: list[Line] = []
        self._owners: list[_Owner] = []
        self._lay_lines()
        rule = policy.duplicates
        self.groups = (
            duplicates.groups(rule, self._lines, evaluation.terms.counted_before) if rule else []
        )
        self.groups += together.groups(policy, self._lines, evaluation.cycle)
        self._ground = parts.lay(
            self._plan, self._lines, evaluation.cycle, room=self.required, all_of_them=True
        )
        self.caps = self._ground.caps
        self.shares = list(self._shares())

    def needs(self, shares: Sequence[Share]) -> list[Need]:
        """The requirement and the minima, as sums of some shares."""
        ground = replace(self._ground, parts=[share.part for share in shares])
        whole = Need("type", "", self.required, (tuple(range(len(shares))),))
        return [
            whole,
            *parts.needs(
                self._plan, self._lines, ground, self.evaluation.cycle, self.evaluation.terms.minima
            ),
        ]

    def closes(self, claims: Iterable[Claim]) -> bool:
        """Whether further claims complete the evaluation by the last day."""
        before = self.evaluation
        return points.evaluate(
            self.policy, [*before.claims, *claims], cycle=before.cycle, on=self.days.ends_on,
            terms=before.terms,
        ).complete  # fmt: skip

    def _open(self, marks: Collection[str]) -> Iterator[Option]:
        """Every type that brings anything, also with each mark and with all."""
        rule = self.policy.duplicates
        once = rule is not None and set(rule.key) == {"type"}
        for kind in self.policy.types.values():
            further = [mark for mark in marks if mark not in kind.tags]
            for some in dict.fromkeys([(), *((mark,) for mark in further), tuple(further)]):
                bounds = list(self._plan.of_type[kind.code])
                for tag in kind.tags.union(some):
                    bounds += self._plan.of_tag.get(tag, ())
                event = min((b[-1] for b in bounds if b[0] == "event_cap"), default=None)
                if kind.rate > ZERO:
                    single = (once and kind.basis != "months") or kind.threshold_over == "year"
                    yield Option(kind, frozenset(some), single, event)

    def _lay_lines(self) -> None:
        """What is on record, then every option, each activity as large as can be of use."""
        apart = {o.kind.category for o in self.options if o.is_job and self.policy.overlap != "sum"}
        claims = self.evaluation.claims
        self._add(self._priced(c for c in claims if not self._is_job(c, apart)), _Owner())
        for category in sorted(apart):
            held = self._priced(c for c in claims if self._is_job(c, {category}))
            self._add(held, _Owner(run=len(self.runs)))
            self.runs.append(Run(None, category, self.days))
        for number, option in enumerate(self.options):
            if option.is_job:
                self._employ(number, option, apart)
            else:
                self._offer(number, option)

    def _is_job(self, claim: Claim, categories: Collection[str]) -> bool:
        kind = self.policy.types.get(claim.type)
        return kind is not None and kind.basis == "months" and claim.category in categories

    def _priced(self, claims: Iterable[Claim]) -> list[Line]:
        return points.priced(
            self.policy, claims, self._earning, on=self.days.ends_on, cycle=self.evaluation.cycle
        )

    def _add(self, lines: Sequence[Line], owner: _Owner) -> None:
        self._lines += lines
        self._owners += [owner] * len(lines)

    def _offer(self, number: int, option: Option) -> None:
        """An activity in each slot; one stands for many, unless only one counts."""
        minima = [limits.minimum or ZERO for _, _, limits in self._plan.minima]
        minima += [window.minimum for window in self.policy.windows]
        minima += [minimum for _, minimum in self._plan.yearly]
        most = max(self.required, CENT, *minima, *self.evaluation.terms.minima.values())
        if option.once and option.kind.basis == "event":
            most = option.kind.rate
        for days in filter(None, map(option.kind.days.clip, self._slots)):
            name = f"{number} {days.starts_on}"  # all are different activities
            line = line_of(self.policy, claim_of(option, days, most, number=name))
            line.on, line.counted = days.starts_on, most
            self._add([line], _Owner(number, days))

    def _employ(self, number: int, option: Option, apart: Collection[str]) -> None:
        """The jobs of an option that bring anything, with what those on record come to then."""
        category = option.kind.category
        group = category if category in apart else f"{number}"
        held = [c for c in self.evaluation.claims if self._is_job(c, {category} & {group})]
        starts = (max(slot.starts_on, self.evaluation.on + DAY) for slot in self._slots)
        for days, months in lengths(starts, self.days.ends_on, self.policy.month_rule):
            found = self._priced([*held, claim_of(option, days)])
            new = next(line for line in found if line.claim.ref == NEW)
            if new.counted > ZERO:
                self._add([line for line in found if line is not new], _Owner(run=len(self.runs)))
                self._add([new], _Owner(number, run=len(self.runs)))
                self.runs.append(Run(number, group, days, months, new.counted))

    def _shares(self) -> Iterable[Share]:
        """The parts of all lines, those alike joined; alternatives stay apart."""
        alone = {line for group in self.groups for line in group}
        found: dict[object, Share] = {}
        for part in self._ground.parts:
            owner, line = self._owners[part.line], self._lines[part.line]
            if owner.days is not None and not self.options[owner.option or 0].once:
                part.caps = tuple(n for n in part.caps if self.caps[n].rule != "event_cap")
            part.year = part.year if self._plan.yearly else 0
            part.stretches = frozenset(n for n in part.stretches if n < len(self.policy.windows))
            key = (
                owner.option, line.claim.category, line.claim.type, tags(line), part.caps,
                part.year, part.stretches, part.line if part.line in alone else -1,
            )  # fmt: skip
            share = found.setdefault(key, Share(owner.option, part, owner.days))
            if owner.run is not None:
                share.by_run[owner.run] = share.by_run.get(owner.run, ZERO) + part.points
            elif owner.days is None or share.days is None:
                share.points += part.points
            else:
                share.points, ends = part.points, owner.days.ends_on
                share.days = Period(share.days.starts_on, ends)
        for share in found.values():
            share.part.points = share.points + max(share.by_run.values(), default=ZERO)
        return found.values()
