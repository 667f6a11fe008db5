"""Awards on record follow the passes: given, dated anew, withdrawn, given back.

Invariant: an award keeps its row, and with it its number, its public address and everything that
staff decided about it. A correction dates the row anew, marks it as withdrawn, or takes the mark
away; only an award that never was gets a row of its own. Which awards there are is decided by
``domain.awards``, here it is read and written for many holders at once.
"""

from __future__ import annotations

import functools
import secrets
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import bindparam, delete, func, select, update

from tracker.db import new_id
from tracker.domain import assessments, certifications
from tracker.domain import awards as rules
from tracker.domain.assessments import Attempt
from tracker.domain.awards import Award, Filing, Laid, OnRecord
from tracker.domain.certifications import Change
from tracker.domain.errors import SupportsRenewal
from tracker.domain.schemes import Scheme
from tracker.models import (
    Assessment,
    Certification,
    Cycle,
    FormerRenewalDecision,
    Renewal,
    StandingChange,
)
from tracker.services import bulk, facts, history, notices, timelines
from tracker.services.notices import News
from tracker.services.together import Together
from tracker.services.work import Work

_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # nothing that a reader mistakes for another
_KEPT = "An earlier pass was recorded after the renewal; the award and its cycles stand."

What = Literal["awarded", "moved", "withdrawn", "restored", "kept"]


@dataclass(frozen=True, slots=True)
class Consequence:
    """What became of an award: its day before and after; None: it did not stand, or does not.

    ``kept``: it stands as it is dated, although the passes would date it to ``after``.
    """

    what: What
    holder_id: str
    certification_id: str
    number: str
    scheme: str
    before: date | None
    after: date | None


@dataclass(frozen=True, slots=True)
class Later:
    """What becomes of renewals that no longer fit the corrected award.

    ``refuse`` raises SupportsRenewal. ``keep``: the award and its cycles stand as they are.
    ``unwind``: the approvals become denials. Both for a ``reason``. ``follow``: they are history,
    and open the cycles that they open. ``keeps_earlier``: an award that would only be dated to an
    earlier day is kept without being asked.
    """

    way: Literal["refuse", "keep", "unwind", "follow"] = "refuse"
    reason: str = ""
    keeps_earlier: bool = False


REFUSE, FOLLOW = Later(), Later("follow")
KEEP_EARLIER = Later(keeps_earlier=True)


def settle(
    work: Work, scheme: Scheme, holder_ids: Collection[str], later: Later = REFUSE
) -> list[Consequence]:
    """Have the awards on record agree with the passes; says what changed.

    Runs in the transaction that changed passes, renewals or changes of standing. Schemes that
    have this one as a prerequisite are settled too. Raises SupportsRenewal, see ``Later``.
    """
    found: list[Consequence] = []
    for ids in facts.chunks(sorted(holder_ids)):
        plans = _plans(work, scheme, ids, later)
        found += _write(work, scheme, plans, later)
    for dependent in work.schemes.dependents(scheme.code):
        found += settle(work, dependent, holder_ids, later)
    return found


def settle_after(
    work: Work, scheme: Scheme, certification_ids: Collection[str], later: Later
) -> None:
    """Settle the awards of whoever passed modules after an award whose facts changed.

    Only for them does it matter when that award ends for good.
    """
    for ids in facts.chunks(certification_ids):
        concerned = select(Certification.holder_id).where(
            bulk.among(work, Certification.id, ids),
            select(Assessment.id)
            .where(
                Assessment.holder_id == Certification.holder_id,
                Assessment.scheme == Certification.scheme, Assessment.passed,
                Assessment.voided_at.is_(None), Assessment.taken_on > Certification.awarded_on,
            )
            .exists(),
        )  # fmt: skip
        holders = {row.holder_id for row in work.rows(concerned)}
        if holders:
            settle(work, scheme, holders, later)


# What is on record.
@dataclass(frozen=True, slots=True)
class _Row:
    """An award's row."""

    holder_id: str
    id: str
    number: str
    sequence: int
    awarded_on: date
    withdrawn_at: datetime | None
    replaced_on: date | None
    kept_reason: str | None


@dataclass(slots=True)
class _Known:
    """Everything that a holder's awards follow from, and the awards on record by sequence."""

    holder_id: str
    rows: dict[int, _Row] = field(default_factory=dict)
    passes: list[Attempt] = field(default_factory=list)
    prerequisites: dict[str, date] = field(default_factory=dict)
    records: Mapping[str, facts.Record] = field(default_factory=dict)
    renewals: list[Any] = field(default_factory=list)
    changes: list[Any] = field(default_factory=list)

    def filings(self, certification_id: str | None = None) -> list[Filing]:
        """The renewals as the rule takes them: all of them, or those of one row."""
        return [
            filing(row, self.records.get(row.certification_id))
            for row in self.renewals
            if certification_id is None or row.certification_id == certification_id
        ]

    def on_record(self, *, kept: bool = True) -> list[OnRecord]:
        """The awards on record as the rule takes them."""
        return [
            OnRecord(
                row.sequence, row.awarded_on,
                cycles=record.cycles if record else (),
                adjustments=record.adjustments if record else (),
                kept=kept and row.kept_reason is not None and row.withdrawn_at is None,
            )
            for row in self.rows.values()
            for record in [self.records.get(row.id)]
        ]  # fmt: skip


def filing(row: Any, record: facts.Record | None) -> Filing:
    """A renewal's row as the rule takes it, with the cycle that it opened on record."""
    cycles = record.cycles if record else ()
    opened = any((c.ordinal, c.opened_on) == (row.cycle + 1, row.decided_on) for c in cycles)
    return Filing(
        row.ref or row.id, row.submitted_on, row.decision, row.decided_on, row.withdrawn_on,
        told=row.ref is not None, opened=row.cycle if opened else None,
    )  # fmt: skip


def standing(
    work: Work, scheme: Scheme, holder_ids: Collection[str]
) -> dict[str, tuple[Award, ...]]:
    """The awards of holders that stand, with what decides when each ends for good."""
    found: dict[str, tuple[Award, ...]] = {}
    for ids in facts.chunks(holder_ids):
        known = _known(work, scheme, ids)
        _read_facts(work, scheme, [*known.values()])
        found |= {holder_id: _awards(scheme, one) for holder_id, one in known.items()}
    return found


def _known(work: Work, scheme: Scheme, ids: list[str]) -> dict[str, _Known]:
    found = {id_: _Known(id_) for id_ in ids}
    passes, rows = _statements(work.dialect).read(work, {"ids": ids, "scheme": scheme.code})
    for holder_id, module, taken_on in passes:
        found[holder_id].passes.append(Attempt(module, taken_on, passed=True))
    for row in rows:
        found[row.holder_id].rows[row.sequence] = _Row(*row)
    for code in scheme.award.prerequisites:
        _, earlier = _statements(work.dialect).read(work, {"ids": ids, "scheme": code})
        for row in earlier:
            if row.withdrawn_at is None:
                days = found[row.holder_id].prerequisites
                days[code] = min(days.get(code, row.awarded_on), row.awarded_on)
    return found


@functools.cache
def _statements(dialect: str) -> Together:
    """What is read of many holders to settle their awards."""
    passes = (
        select(Assessment.holder_id, Assessment.module, Assessment.taken_on)
        .where(
            bulk.among_given(dialect, Assessment.holder_id),
            Assessment.scheme == bindparam("scheme"), Assessment.passed,
            Assessment.voided_at.is_(None),
        )
    )  # fmt: skip
    awards = select(
        Certification.holder_id, Certification.id, Certification.number, Certification.sequence,
        Certification.awarded_on, Certification.withdrawn_at, Certification.replaced_on,
        Certification.kept_reason,
    ).where(
        bulk.among_given(dialect, Certification.holder_id),
        Certification.scheme == bindparam("scheme"),
    )  # fmt: skip
    return Together(passes, awards)


@functools.cache
def _facts(dialect: str) -> Together:
    """The renewals and changes of many holders' certifications under a scheme."""
    mine = (
        bulk.among_given(dialect, Certification.holder_id),
        Certification.scheme == bindparam("scheme"),
    )
    renewals = (
        select(
            Certification.holder_id, Renewal.id, Renewal.ref, Renewal.certification_id,
            Renewal.cycle, Renewal.submitted_on, Renewal.decision, Renewal.decided_on,
            Renewal.decided_by, Renewal.reason, Renewal.withdrawn_on, Renewal.closed_at,
        )
        .join(Renewal, Renewal.certification_id == Certification.id)
        .where(*mine)
    )  # fmt: skip
    changes = (
        select(
            Certification.holder_id, StandingChange.id, StandingChange.certification_id,
            StandingChange.kind, StandingChange.effective_on, StandingChange.barred_until,
            StandingChange.recorded_at, func.coalesce(StandingChange.ref, "").label("ref"),
        )
        .join(StandingChange, StandingChange.certification_id == Certification.id)
        .where(*mine)
    )  # fmt: skip
    return Together(renewals, changes)


def _read_facts(work: Work, scheme: Scheme, known: Sequence[_Known]) -> None:
    """Read what happened to the awards on record since."""
    by_holder = {one.holder_id: one for one in known if one.rows}
    if not by_holder:
        return
    asked = {"ids": list(by_holder), "scheme": scheme.code}
    renewals, changes = _facts(work.dialect).read(work, asked)
    for row in renewals:
        by_holder[row.holder_id].renewals.append(row)
    for row in sorted(changes, key=facts.IN_ORDER):
        by_holder[row.holder_id].changes.append(row)
    records = facts.cycles(work, [r.id for one in by_holder.values() for r in one.rows.values()])
    for one in by_holder.values():
        one.records = records


# What is to be.
@dataclass(slots=True)
class _Plan:
    """A holder's awards as they are to stand."""

    known: _Known
    awards: tuple[Award, ...]
    laid: dict[int, Laid] = field(default_factory=dict)
    kept: dict[str, tuple[str | None, date | None]] = field(default_factory=dict)
    unwound: frozenset[str] = frozenset()


def _plans(work: Work, scheme: Scheme, ids: list[str], later: Later) -> list[_Plan]:
    """The plans of those whose awards may have changed."""
    known = [one for one in _known(work, scheme, ids).values() if not _is_plain(scheme, one)]
    _read_facts(work, scheme, known)
    return [_plan(scheme, one, later) for one in known]


def _is_plain(scheme: Scheme, known: _Known) -> bool:
    """Whether nothing can have changed: no award due, or the one on record as it is due."""
    first = assessments.passes(known.passes, on=date.max)
    day = assessments.award_date(scheme, first, known.prerequisites)
    if not known.rows:
        return day is None
    row = known.rows.get(1)
    if row is None or len(known.rows) > 1 or row.awarded_on != day or row.withdrawn_at is not None:
        return False
    return row.kept_reason is None and all(p.taken_on <= day for p in known.passes)


def _awards(
    scheme: Scheme, known: _Known, *, kept: bool = True, without: Collection[str] = ()
) -> tuple[Award, ...]:
    """The awards that stand; the approvals ``without`` count as denials."""
    filings = [
        replace(one, decision="denied") if one.key in without else one for one in known.filings()
    ]
    changes = [Change(c.kind, c.effective_on, c.barred_until) for c in known.changes]
    return rules.awards(
        scheme, known.passes, known.prerequisites, known.on_record(kept=kept), filings=filings,
        changes=changes,
    )  # fmt: skip


def _plan(scheme: Scheme, known: _Known, later: Later) -> _Plan:
    plan = _Plan(known, _awards(scheme, known, kept=later.way != "unwind"))
    _lay_out(scheme, plan)
    lost = {} if later.way == "follow" else _lost(scheme, plan)
    if not lost:
        _release(scheme, plan)
        return plan
    if later.way == "unwind":
        return _unwind(scheme, plan, lost)
    fallen = [row for row in _standing(known) if _falls(plan, row) or _is_later(plan, row)]
    if later.way == "refuse" and (fallen or not later.keeps_earlier):
        raise _refusal(known, lost)
    return _keep(scheme, plan, lost, later.reason or _KEPT)


def _lay_out(scheme: Scheme, plan: _Plan) -> None:
    plan.laid = {
        award.sequence: rules.lay_out(
            scheme, award.awarded_on, award.filings, award.adjustments, award.changes
        )
        for award in plan.awards
    }


def _standing(known: _Known) -> list[_Row]:
    return [row for row in known.rows.values() if row.withdrawn_at is None]


def _lost(scheme: Scheme, plan: _Plan) -> dict[str, _Row]:
    """The approved renewals that no award would carry any more, or that fit no longer, by key."""
    fit = {
        filing.key
        for award in plan.awards
        for filing in award.filings
        if filing.key not in plan.laid[award.sequence].unfit
    }
    lost: dict[str, _Row] = {}
    for row in _standing(plan.known):
        filings = plan.known.filings(row.id)
        record = plan.known.records.get(row.id)
        before = rules.lay_out(
            scheme, row.awarded_on, filings, record.adjustments if record else ()
        )
        standing = {f.key for award in plan.awards for f in award.filings}
        for one in filings:
            was_fit = one.key not in before.unfit
            gone = one.key not in standing or (was_fit and one.key not in fit)
            if one.decision == "approved" and gone and one.key not in before.idle:
                lost[one.key] = row
    return lost


def _falls(plan: _Plan, row: _Row) -> bool:
    return row.sequence > len(plan.awards)


def _is_later(plan: _Plan, row: _Row) -> bool:
    return not _falls(plan, row) and plan.awards[row.sequence - 1].awarded_on > row.awarded_on


def _refusal(known: _Known, lost: Mapping[str, _Row]) -> SupportsRenewal:
    row = next(iter(lost.values()))
    days = sorted(str(f.submitted_on) for f in known.filings() if f.key in lost)
    return SupportsRenewal(
        f"The award of {row.number} ({row.awarded_on}) rests on this pass and was renewed since: "
        f"the renewal applied for on {', '.join(days)} would not fit it any more. Say what "
        'becomes of the later cycles: later_cycles "keep" has the award and its cycles stand as '
        'they are, "unwind" takes the approved renewals back.',
        number=row.number, field="later_cycles", rule="must be keep or unwind",
    )  # fmt: skip


def _keep(scheme: Scheme, plan: _Plan, lost: Mapping[str, _Row], reason: str) -> _Plan:
    """Have the awards of these renewals stand as they are."""
    due = {award.sequence: award.awarded_on for award in plan.awards}
    known = plan.known
    for row in lost.values():
        known.rows[row.sequence] = replace(row, kept_reason=reason)
    kept = _plan_as_kept(scheme, known)
    kept.kept = {row.id: (reason, due.get(row.sequence)) for row in lost.values()}
    return kept


def _plan_as_kept(scheme: Scheme, known: _Known) -> _Plan:
    plan = _Plan(known, _awards(scheme, known))
    _lay_out(scheme, plan)
    return plan


def _release(scheme: Scheme, plan: _Plan) -> None:
    """Forget that an award was kept where the passes say again what is on record."""
    rows = [row for row in _standing(plan.known) if row.kept_reason is not None]
    if not rows:
        return
    due = {a.sequence: a.awarded_on for a in _awards(scheme, plan.known, kept=False)}
    for row in rows:
        if due.get(row.sequence) == row.awarded_on:
            plan.kept[row.id] = (None, None)


def _unwind(scheme: Scheme, plan: _Plan, lost: Collection[str]) -> _Plan:
    """Deny the renewals, and those decided after them, until all that are left fit."""
    known, taken = plan.known, set(lost)
    while True:
        approved = [f for f in known.filings() if f.decision == "approved"]
        first = min((f.decided_on or date.max) for f in approved if f.key in taken)
        taken |= {f.key for f in approved if (f.decided_on or date.max) > first}
        found = _Plan(known, _awards(scheme, known, kept=False, without=taken))
        _lay_out(scheme, found)
        more = _lost(scheme, found).keys() - taken
        if not more:
            found.unwound = frozenset(taken)
            found.kept = {r.id: (None, None) for r in _standing(known) if r.kept_reason}
            return found
        taken |= more


# What is written.
@dataclass(slots=True)
class _Written:
    """The rows of one chunk that are written, and what is told of them."""

    new: list[dict[str, Any]] = field(default_factory=list)
    withdrawn: list[dict[str, Any]] = field(default_factory=list)
    replaced: list[dict[str, Any]] = field(default_factory=list)
    current: list[dict[str, Any]] = field(default_factory=list)
    first: list[facts.Record] = field(default_factory=list)
    anew: set[str] = field(default_factory=set)
    consequences: list[Consequence] = field(default_factory=list)


def _write(work: Work, scheme: Scheme, plans: Sequence[_Plan], later: Later) -> list[Consequence]:
    written = _Written()
    ids: dict[tuple[str, int], str] = {}
    for plan in plans:
        for row in plan.known.rows.values():
            ids[row.holder_id, row.sequence] = row.id
        for award in plan.awards:
            ids.setdefault((plan.known.holder_id, award.sequence), new_id())
    for plan in plans:
        _rows_of(work, scheme, plan, ids, written)
    # In this order no two rows of a holder are current at any moment.
    bulk.update(work, Certification, written.withdrawn)
    bulk.update(work, Certification, written.replaced)
    bulk.update(work, Certification, written.current)
    bulk.insert(work, Certification, written.new)
    _unwind_renewals(work, scheme, plans, later)
    _write_cycles(work, plans, ids, written)
    timelines.lay_out_first(work, scheme, written.first)
    timelines.lay_out_anew(work, scheme, sorted(written.anew))
    _tell(work, scheme, written)
    return written.consequences


def _rows_of(
    work: Work, scheme: Scheme, plan: _Plan, ids: Mapping[tuple[str, int], str], to: _Written
) -> None:
    known = plan.known
    following = {award.sequence - 1: award.awarded_on for award in plan.awards}
    for award in plan.awards:
        replaced_on = following.get(award.sequence)
        row = known.rows.get(award.sequence)
        if row is None:
            id_ = ids[known.holder_id, award.sequence]
            made = {"id": id_, "holder_id": known.holder_id, "scheme": scheme.code}
            to.new.append(_new_row(work, scheme, made, award, replaced_on))
            to.consequences.append(_awarded(to.new[-1]))
            continue
        kept_reason, due = plan.kept.get(row.id, (row.kept_reason, None))
        values = {
            "_id": row.id, "awarded_on": award.awarded_on, "withdrawn_at": None,
            "replaced_on": replaced_on, "kept_reason": kept_reason,
        }  # fmt: skip
        before = {
            "_id": row.id, "awarded_on": row.awarded_on, "withdrawn_at": row.withdrawn_at,
            "replaced_on": row.replaced_on, "kept_reason": row.kept_reason,
        }  # fmt: skip
        if row.id in plan.kept and kept_reason is not None:
            to.consequences.append(_said("kept", scheme, row, row.awarded_on, due))
            before["kept_reason"] = None
        if values == before:
            continue
        (to.current if replaced_on is None else to.replaced).append(values)
        to.anew.add(row.id)
        if row.withdrawn_at is not None:
            to.consequences.append(_said("restored", scheme, row, None, award.awarded_on))
        elif row.awarded_on != award.awarded_on:
            to.consequences.append(_said("moved", scheme, row, row.awarded_on, award.awarded_on))
    for row in _standing(known):
        if _falls(plan, row):
            to.withdrawn.append(
                {"_id": row.id, "withdrawn_at": work.now, "replaced_on": None, "kept_reason": None}
            )
            to.anew.add(row.id)
            to.consequences.append(_said("withdrawn", scheme, row, row.awarded_on, None))


def _new_row(
    work: Work, scheme: Scheme, made: dict[str, Any], award: Award, replaced_on: date | None
) -> dict[str, Any]:
    return {
        **made, "public_id": secrets.token_urlsafe(16), "number": _number(scheme),
        "awarded_on": award.awarded_on, "recorded_at": work.now, "sequence": award.sequence,
        "withdrawn_at": None, "replaced_on": replaced_on, "kept_reason": None,
    }  # fmt: skip


def _number(scheme: Scheme) -> str:
    """A certificate number with 49 random bits: unique in practice, by constraint in any case."""
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(10))
    return f"{scheme.number_prefix}-{letters[:5]}-{letters[5:]}"


def _said(
    what: What, scheme: Scheme, row: _Row, before: date | None, after: date | None
) -> Consequence:
    return Consequence(what, row.holder_id, row.id, row.number, scheme.code, before, after)


def _awarded(row: dict[str, Any]) -> Consequence:
    return Consequence(
        "awarded", row["holder_id"], row["id"], row["number"], row["scheme"], None,
        row["awarded_on"],
    )  # fmt: skip


def _unwind_renewals(work: Work, scheme: Scheme, plans: Sequence[_Plan], later: Later) -> None:
    """Turn approvals into denials of today; the decision that no longer rules stays readable."""
    on = [r for plan in plans for r in plan.known.renewals if (r.ref or r.id) in plan.unwound]
    if not on:
        return
    today = work.today(scheme)
    bulk.insert(
        work,
        FormerRenewalDecision,
        [
            {"id": new_id(), "renewal_id": row.id, "decision": row.decision,
             "decided_on": row.decided_on, "decided_by": row.decided_by, "reason": row.reason,
             "closed_at": row.closed_at, "ended_at": work.now, "ended_by": work.actor.name,
             "ended_reason": later.reason}
            for row in on
        ],
    )  # fmt: skip
    bulk.update(
        work,
        Renewal,
        [
            {"_id": row.id, "decision": "denied", "decided_on": today, "reason": later.reason,
             "decided_by": work.actor.name, "closed_at": work.now}
            for row in on
        ],
    )  # fmt: skip
    history.record_many(
        work, "unwind", "renewal", [(row.id, {"reason": later.reason}) for row in on]
    )
    notices.tell(work, _denied(work, on, today))


def _denied(work: Work, on: Sequence[Any], today: date) -> list[News]:
    table = FormerRenewalDecision
    counts = select(table.renewal_id, func.count().label("former"))
    counts = counts.where(bulk.among(work, table.renewal_id, [row.id for row in on]))
    former = {row.renewal_id: row.former for row in work.rows(counts.group_by(table.renewal_id))}
    return [
        News(kind="renewal_decided", holder_id=row.holder_id, subject_id=row.id,
             event=f"denied:{former[row.id]}", on=today)
        for row in on
    ]  # fmt: skip


def _write_cycles(
    work: Work,
    plans: Sequence[_Plan],
    ids: Mapping[tuple[str, int], str],
    written: _Written,
) -> None:
    """Write the cycles of awards that are new, dated anew, or have other renewals than before."""
    cycles = _Cycles()
    for plan in plans:
        for award in plan.awards:
            id_ = ids[plan.known.holder_id, award.sequence]
            moved = _rehome(plan, award, id_, cycles)
            row = plan.known.rows.get(award.sequence)
            laid = plan.laid[award.sequence]
            if row is None:
                cycles.new += [timelines.cycle_row(work, id_, c) for c in laid.cycles]
                plain = not (award.filings or award.changes or len(plan.awards) > award.sequence)
                if plain:
                    written.first.append(facts.Record(id_, laid.cycles))
                else:
                    written.anew.add(id_)
                continue
            unwound = any(f.key in plan.unwound for f in award.filings)
            was = plan.known.records[row.id].cycles
            same_day = row.awarded_on == award.awarded_on and was[0].starts_on == award.awarded_on
            if same_day and not moved and not unwound and len(was) == len(laid.cycles):
                continue
            cycles.replace(work, id_, was, laid.cycles)
            cycles.renew(plan.known, laid)
            written.anew.add(id_)
            written.anew |= moved
    cycles.write(work)


def _rehome(plan: _Plan, award: Award, id_: str, to: _Cycles) -> set[str]:
    """Have the facts of an award's time hang on it; the rows that they hung on before."""
    keys = {f.key for f in award.filings}
    moved: set[str] = set()
    waits = any(r.certification_id == id_ and filing(r, None).waits for r in plan.known.renewals)
    for row in plan.known.renewals:
        stays = row.certification_id == id_ or (filing(row, None).waits and waits)
        if (row.ref or row.id) in keys and not stays:
            to.renewals.append({"_id": row.id, "certification_id": id_})
            moved.add(row.certification_id)
    begins = award.awarded_on if award.sequence > 1 else date.min
    ends = next((a.awarded_on for a in plan.awards if a.sequence == award.sequence + 1), date.max)
    for row in plan.known.changes:
        if begins <= row.effective_on < ends and row.certification_id != id_:
            to.changes.append({"_id": row.id, "certification_id": id_})
            moved.add(row.certification_id)
    return moved


@dataclass(slots=True)
class _Cycles:
    """The cycles of one chunk that are written, and the facts that hang on another award."""

    new: list[dict[str, Any]] = field(default_factory=list)
    changed: list[dict[str, Any]] = field(default_factory=list)
    gone: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    renewed: list[dict[str, Any]] = field(default_factory=list)
    renewals: list[dict[str, Any]] = field(default_factory=list)
    changes: list[dict[str, Any]] = field(default_factory=list)

    def replace(
        self,
        work: Work,
        id_: str,
        before: Sequence[certifications.Cycle],
        after: Sequence[certifications.Cycle],
    ) -> None:
        """Have the cycles of a certification be others; those of the same number keep their row."""
        for was, now in zip(before, after, strict=False):
            if was != now:
                row = timelines.cycle_row(work, id_, now)
                del row["id"], row["recorded_at"]
                self.changed.append({f"b_{name}": value for name, value in row.items()})
        self.new += [timelines.cycle_row(work, id_, c) for c in after[len(before) :]]
        if len(after) < len(before):
            self.gone[len(after)].append(id_)

    def renew(self, known: _Known, laid: Laid) -> None:
        """Have renewals be about the cycle that they renew now."""
        for row in known.renewals:
            key = row.ref or row.id
            if key in laid.renewed and row.cycle != laid.renewed[key]:
                self.renewed.append({"_id": row.id, "cycle": laid.renewed[key]})

    def write(self, work: Work) -> None:
        """Write all of it."""
        for ordinal, ids in self.gone.items():
            work.connection.execute(
                delete(Cycle).where(Cycle.certification_id.in_(ids), Cycle.ordinal > ordinal)
            )
        if self.changed:
            work.connection.execute(_CYCLE, self.changed)
        bulk.insert(work, Cycle, self.new)
        bulk.update(work, Renewal, self.renewals)
        bulk.update(work, Renewal, self.renewed)
        bulk.update(work, StandingChange, self.changes)


_TABLE = bulk.table_of(Cycle)
_CYCLE = (
    update(_TABLE)
    .where(
        _TABLE.c.certification_id == bindparam("b_certification_id"),
        _TABLE.c.ordinal == bindparam("b_ordinal"),
    )
    .values(
        {
            name: bindparam(f"b_{name}")
            for name in ("anchor_on", "nth", "starts_on", "expires_on", "opened_on", "policy")
        }
    )
)


# What is told of it.
_ACTIONS: dict[What, str] = {
    "awarded": "award", "moved": "correct", "withdrawn": "withdraw", "restored": "restore",
    "kept": "keep",
}  # fmt: skip


def _tell(work: Work, scheme: Scheme, written: _Written) -> None:
    by_action: dict[str, list[tuple[str, dict[str, Any]]]] = defaultdict(list)
    for one in written.consequences:
        detail = {"scheme": scheme.code, "awarded_on": one.after, "before": one.before}
        by_action[_ACTIONS[one.what]].append((one.certification_id, detail))
    for action, details in by_action.items():
        history.record_many(work, action, "certification", details)
    notices.tell(work, _news(work, scheme, written.consequences))


def _news(work: Work, scheme: Scheme, found: Iterable[Consequence]) -> Iterator[News]:
    """What holders are told: news of a correction is of today, whatever day it is about."""
    today, instant = work.today(scheme), work.now.isoformat()
    for one in found:
        kind, event, on = "award_corrected", f"{one.before}:{instant}", today
        if one.what == "kept":
            continue
        if one.what == "awarded":
            kind, event, on = "award", "award", one.after or today
        elif one.what == "withdrawn":
            kind, event = "award_withdrawn", instant
        elif one.what == "restored":
            event = f"restored:{instant}"
        yield News(
            kind=kind, holder_id=one.holder_id, subject_id=one.certification_id, event=event, on=on
        )
