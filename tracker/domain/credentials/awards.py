"""Successive awards of one scheme to one person: which of them stand, and from which day.

Invariant: the awards follow from the passes, renewals and changes of standing on record and from
their dates. The order in which these were entered never matters, and entering one and removing it
again has no effect.

The first award follows from the first pass of each required module. The next one requires passing
all of them again after the award before it ended for good. An award recorded from a file stands by
itself, with the cycles that the file gives it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from tracker.domain.credentials import assessments, certifications, renewals
from tracker.domain.credentials.assessments import Attempt
from tracker.domain.credentials.certifications import (
    ChangeKind,
    ChangeOfStanding,
    CycleAdjustment,
    CycleTerm,
    Hold,
)
from tracker.domain.errors import Refusal
from tracker.domain.periods import DAY
from tracker.domain.schemes.schemes import Scheme


@dataclass(frozen=True, slots=True)
class Filing:
    """A renewal on record: when it was applied for, and how it ended.

    ``key`` identifies it. Of several applied for and decided on one day, those that ``opened`` a
    cycle come first, then the order of keys decides. ``opened`` is the ordinal of the cycle that it
    renewed when it opened the next one; None: it has opened none. ``from_file``: it was imported
    and not judged here.
    """

    key: str
    submitted_on: date
    decision: renewals.RenewalVerdict | None = None
    decided_on: date | None = None
    withdrawn_on: date | None = None
    from_file: bool = False
    opened: int | None = None

    @property
    def waits(self) -> bool:
        """Whether it is under review."""
        return self.decision is None and self.withdrawn_on is None


@dataclass(frozen=True, slots=True)
class AwardLayout:
    """The cycles that an award and its approved renewals open.

    ``renewed`` is the ordinal of the cycle that each renewal is about. ``unfit`` are the approved
    renewals that were applied for outside the application window of their cycle. ``idle`` are the
    approvals from files that contradict the cycle they act on, so that they open no cycle, each
    with the reasons.
    """

    cycles: tuple[CycleTerm, ...]
    renewed: Mapping[str, int]
    unfit: frozenset[str]
    idle: Mapping[str, Sequence[Refusal]]


def given(cycles: Iterable[CycleTerm]) -> tuple[CycleTerm, ...]:
    """The cycles whose days come from a file."""
    return tuple(cycle for cycle in cycles if cycle.imported)


def lay_out(
    scheme: Scheme,
    awarded_on: date,
    filings: Iterable[Filing],
    adjustments: Sequence[CycleAdjustment] = (),
    changes: Sequence[ChangeOfStanding] = (),
    *,
    imported: Sequence[CycleTerm] = (),
) -> AwardLayout:
    """The award's cycle, then one for each approval, in the order of the decisions.

    ``imported`` are the cycles that a file gives the award in place of its first one. An approval
    that renewed one of these opens no other cycle, but the day of the decision is the day on which
    the next one was opened.
    """
    filings = tuple(filings)
    cycles = [*imported] or [certifications.first_cycle(scheme, awarded_on)]
    renewed: dict[str, int] = {}
    unfit, idle = set(), {}
    approved = [f for f in filings if f.decision == renewals.RenewalVerdict.APPROVED]
    for one in sorted(approved, key=_order):
        ordinal = _renewed_by_file(scheme, cycles[: len(imported)], one)
        if ordinal is not None:
            before = cycles[:ordinal]
            if against := _against(scheme, before, one, adjustments, changes):
                idle[one.key], renewed[one.key] = against, ordinal
                continue
            if ordinal not in {n for key, n in renewed.items() if key not in idle}:
                _open(cycles, ordinal, one.decided_on)
            renewed[one.key] = ordinal
            continue
        last = cycles[-1]
        renewed[one.key] = last.ordinal
        if against := _against(scheme, cycles, one, adjustments, changes):
            idle[one.key] = against
            continue
        if not _fits(scheme, last, adjustments, one.submitted_on):
            unfit.add(one.key)
        if last.expires_on is None or one.decided_on is None:
            continue
        extended_to = certifications.moved_to(last, adjustments, one.decided_on)
        following = certifications.next_cycle(
            scheme, last, decided_on=one.decided_on, awarded_on=awarded_on, extended_to=extended_to
        )
        cycles.append(following)
    for one in filings:
        if one.key not in renewed:
            opened = [c.ordinal for c in cycles if c.opened_on <= one.submitted_on]
            renewed[one.key] = max(opened, default=1)
    return AwardLayout(tuple(cycles), renewed, frozenset(unfit), idle)


def _renewed_by_file(scheme: Scheme, imported: Sequence[CycleTerm], filing: Filing) -> int | None:
    """The ordinal of the cycle that was renewed, if a file gives the cycle that followed."""
    begun = [c for c in imported if c.starts_on <= filing.submitted_on]
    lasting = [c for c in begun if filing.submitted_on <= (last_day(scheme, c) or date.max)]
    about = next(iter(lasting or begun[-1:]), None)
    return about.ordinal if about is not None and about.ordinal < len(imported) else None


def _open(cycles: list[CycleTerm], renewed: int, decided_on: date | None) -> None:
    """Date the opening of the cycle after a renewed one to the day of the decision."""
    following = cycles[renewed]
    opened_on = max(decided_on or following.opened_on, cycles[renewed - 1].opened_on)
    cycles[renewed] = replace(following, opened_on=opened_on)


def _order(filing: Filing) -> tuple[date, date, bool, str]:
    decided_on = filing.decided_on or date.max
    return decided_on, filing.submitted_on, filing.opened is None, filing.key


def _against(
    scheme: Scheme,
    cycles: Sequence[CycleTerm],
    filing: Filing,
    adjustments: Sequence[CycleAdjustment],
    changes: Sequence[ChangeOfStanding],
) -> Sequence[Refusal]:
    """Why an approval opens no cycle; one judged here, or that opened this one, always does."""
    if not filing.from_file or filing.opened == cycles[-1].ordinal:
        return ()
    return renewals.contradictions(
        scheme, cycles, on=filing.submitted_on, changes=changes, adjustments=adjustments
    )


def _fits(
    scheme: Scheme, cycle: CycleTerm, adjustments: Sequence[CycleAdjustment], day: date
) -> bool:
    """Whether a cycle could be renewed on a day: from its window through its last late day."""
    known = certifications.extended(cycle, adjustments, day)
    opens_on = certifications.window_opens_on(
        scheme.policy(cycle.policy) if cycle.policy else None, known
    )
    ends_on = last_day(scheme, known)
    if opens_on is None or ends_on is None or known.expires_on is None:
        return False
    has_closed = scheme.policy(cycle.policy).has_closed(known.expires_on, day)
    return opens_on <= day <= ends_on and not has_closed


def last_day(scheme: Scheme, cycle: CycleTerm) -> date | None:
    """The last day on which a cycle can be renewed; None: it never ends."""
    if cycle.expires_on is None or not cycle.policy:
        return cycle.expires_on
    return scheme.policy(cycle.policy).grace_ends_on(cycle.expires_on) or cycle.expires_on


@dataclass(frozen=True, slots=True)
class AwardOnRecord:
    """An award as it stands on record.

    ``kept``: staff decided that it stands in any case. ``imported``: it was recorded from a file.
    """

    sequence: int
    awarded_on: date
    cycles: tuple[CycleTerm, ...] = ()
    adjustments: tuple[CycleAdjustment, ...] = ()
    kept: bool = False
    imported: bool = False

    @property
    def given(self) -> tuple[CycleTerm, ...]:
        """The cycles that a file gives it."""
        return given(self.cycles) if self.imported else ()


@dataclass(frozen=True, slots=True)
class Award:
    """An award that stands, with the facts of its time, which decide when it ends for good.

    ``filings`` and ``changes`` are those from its day through the day before the next award.
    """

    sequence: int
    awarded_on: date
    filings: tuple[Filing, ...]
    changes: tuple[ChangeOfStanding, ...]
    adjustments: tuple[CycleAdjustment, ...]
    on_record: AwardOnRecord | None = None

    def before(self, day: date) -> Award:
        """The award with only the facts before a day."""
        return replace(
            self,
            filings=tuple(f for f in self.filings if f.submitted_on < day),
            changes=tuple(c for c in self.changes if c.effective_on < day),
        )

    def since(self, day: date) -> Award:
        """The award with only the facts from a day on."""
        return replace(
            self,
            filings=tuple(f for f in self.filings if f.submitted_on >= day),
            changes=tuple(c for c in self.changes if c.effective_on >= day),
        )


def awards(
    scheme: Scheme,
    passes: Iterable[Attempt],
    prerequisites: Mapping[str, date],
    on_record: Iterable[AwardOnRecord] = (),
    *,
    filings: Sequence[Filing] = (),
    changes: Sequence[ChangeOfStanding] = (),
) -> tuple[Award, ...]:
    """The awards that stand, in order.

    ``prerequisites`` are the days of awards in other schemes. ``changes`` are ordered by effective
    day, then by recording. An award that staff kept, or that was recorded from a file, stands with
    its recorded date, and so do those before it.
    """
    passes = tuple(p for p in passes if p.passed)
    known = {one.sequence: one for one in on_record}
    fixed = (one.sequence for one in known.values() if one.kept or one.imported)
    kept = max(fixed, default=0)
    day = assessments.award_date(scheme, assessments.passes(passes, on=date.max), prerequisites)
    found: list[Award] = []
    rest = Award(0, date.min, tuple(filings), tuple(changes), ())
    while True:
        row = known.get(len(found) + 1)
        if row is not None and row.sequence <= kept:
            day = row.awarded_on
        if day is None:
            return tuple(found)
        if found:
            found[-1], rest = rest.before(day), rest.since(day)
        adjustments = row.adjustments if row else ()
        rest = replace(
            rest,
            sequence=len(found) + 1,
            awarded_on=day,
            adjustments=adjustments,
            on_record=row,
        )
        found.append(rest)
        day = _again(scheme, passes, prerequisites, rest)


def _again(
    scheme: Scheme,
    passes: Sequence[Attempt],
    prerequisites: Mapping[str, date],
    award: Award,
) -> date | None:
    """The day of the next award; None while a module has not been passed again."""
    later = [p for p in passes if p.taken_on > award.awarded_on]
    if not set(scheme.required) <= {p.module for p in later}:
        return None
    for day in sorted({p.taken_on for p in later}):
        ended = ended_on(scheme, award, by=day)
        if ended is None:
            continue
        passed_again = assessments.passes([p for p in later if p.taken_on > ended], on=day)
        found = assessments.award_date(scheme, passed_again, prerequisites)
        if found is not None:
            return found
    return None


def ended_on(scheme: Scheme, award: Award, *, by: date) -> date | None:
    """The day on which an award ended for good, seen from a later day; None: it did not.

    It ends with the last day on which it could be renewed, unless an application made by then is
    under review; with a surrender; or with the last day of a revocation's bar. A suspension never
    ends it: while one lasts, no deadline runs against the holder.
    """
    award = award.before(by)
    holds = certifications.holds_on(award.changes, by)
    if Hold.REVOKED in holds:
        barred = barred_until(scheme, award.changes)
        return barred if barred is not None and barred < by else None
    if Hold.SUSPENDED in holds:
        return None
    ended = _lapsed_on(scheme, award)
    if Hold.SURRENDERED in holds:
        surrendered = max(c.effective_on for c in award.changes if c.kind == ChangeKind.SURRENDER)
        ended = min(ended, surrendered) if ended is not None else surrendered
    return ended if ended is not None and ended < by else None


def _lapsed_on(scheme: Scheme, award: Award) -> date | None:
    """The last day on which the award could be renewed or was on hold; None: not known yet."""
    last = certifications.extended(cycles_of(scheme, award)[-1], award.adjustments, date.max)
    day = last_day(scheme, last)
    if day is None or any(f.waits and f.submitted_on <= day for f in award.filings):
        return None
    back = [c.effective_on for c in award.changes if c.kind == ChangeKind.REINSTATE]
    return max([day, *(b - DAY for b in back)])


def layout_of(scheme: Scheme, award: Award) -> AwardLayout:
    """The cycles of an award, computed from its own facts."""
    given = award.on_record.given if award.on_record else ()
    return lay_out(
        scheme, award.awarded_on, award.filings, award.adjustments, award.changes, imported=given
    )


def cycles_of(scheme: Scheme, award: Award) -> tuple[CycleTerm, ...]:
    """The award's cycles: those on record, unless its day or its renewals have changed."""
    layout = layout_of(scheme, award).cycles
    row = award.on_record
    same = row is not None and row.awarded_on == award.awarded_on and len(row.cycles) == len(layout)
    return row.cycles if row is not None and same else layout


def barred_until(scheme: Scheme, changes: Iterable[ChangeOfStanding]) -> date | None:
    """The last day on which the last revocation bars a new award; None: for good."""
    last = [c for c in changes if c.kind == ChangeKind.REVOKE][-1]
    if last.barred_until is not None:
        return last.barred_until
    rule = scheme.revocation
    return rule.bar.after(last.effective_on) if rule else None


def fresh_start(
    scheme: Scheme, held: Iterable[Award], *, on: date
) -> tuple[date | None, date | None]:
    """When the last award before a day ended for good, and when modules may be passed again.

    The second day is set if the award did not end, as far as that day is known.
    """
    begun = [award for award in held if award.awarded_on < on]
    if not begun:
        return None, None
    ended = ended_on(scheme, begun[-1], by=on)
    return ended, _again_from(scheme, begun[-1], on) if ended is None else None


def _again_from(scheme: Scheme, award: Award, on: date) -> date | None:
    award = award.before(on + DAY)
    holds = certifications.holds_on(award.changes, on)
    if Hold.REVOKED in holds:
        barred = barred_until(scheme, award.changes)
        return barred + DAY if barred is not None else None
    lapsed = None if Hold.SUSPENDED in holds else _lapsed_on(scheme, award)
    return lapsed + DAY if lapsed is not None else None
