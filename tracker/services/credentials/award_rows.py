"""Planned awards written: rows, cycles, the facts attached to them, history and notices.

Invariant: two awards of one holder and scheme are never current at the same moment, not even
between two statements.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from sqlalchemy import bindparam, delete, func, select, update

from tracker.db import new_id
from tracker.domain import numbers
from tracker.domain.credentials import certifications
from tracker.domain.credentials.awards import Award, AwardLayout
from tracker.domain.credentials.renewals import RenewalVerdict
from tracker.domain.delivery.notices import NoticeKind
from tracker.domain.schemes.schemes import Scheme
from tracker.models import Certification, Cycle, FormerRenewalDecision, Renewal, StandingChange
from tracker.services.core import bulk, history
from tracker.services.core.context import UnitOfWork
from tracker.services.credentials import certificate_numbers, timelines
from tracker.services.credentials.award_facts import (
    AwardFacts,
    AwardRow,
    RenewalOnRecord,
    filing_of,
)
from tracker.services.credentials.award_plans import AwardPlan, Later, falls, standing_rows
from tracker.services.credentials.timelines import CycleToInsert
from tracker.services.outbox import notices
from tracker.services.outbox.notices import NoticeToTell
from tracker.services.standings import snapshots

ConsequenceKind = Literal["awarded", "moved", "withdrawn", "restored", "kept"]


@dataclass(frozen=True, slots=True)
class Consequence:
    """What happened to an award, with its day before and after; None where there is no award.

    ``kept``: it keeps its date, although the passes would date it to ``after``.
    """

    what: ConsequenceKind
    holder_id: str
    certification_id: str
    number: str
    scheme: str
    before: date | None
    after: date | None


@dataclass(slots=True)
class _Written:
    """The rows to write for one chunk, and the consequences to report."""

    new: list[dict[str, object]] = field(default_factory=list)
    withdrawn: list[dict[str, object]] = field(default_factory=list)
    replaced: list[dict[str, object]] = field(default_factory=list)
    current: list[dict[str, object]] = field(default_factory=list)
    first: list[snapshots.CertificationRecord] = field(default_factory=list)
    to_lay_out: set[str] = field(default_factory=set)
    consequences: list[Consequence] = field(default_factory=list)


def write(
    work: UnitOfWork, scheme: Scheme, plans: Sequence[AwardPlan], later: Later
) -> list[Consequence]:
    """Write the awards of holders as planned; returns what changed."""
    written = _Written()
    ids: dict[tuple[str, int], str] = {}
    for plan in plans:
        for row in plan.facts.rows.values():
            ids[row.holder_id, row.sequence] = row.id
        for award in plan.awards:
            ids.setdefault((plan.facts.holder_id, award.sequence), new_id())
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
    timelines.lay_out_again(work, scheme, sorted(written.to_lay_out))
    tell(work, scheme, written.consequences)
    return written.consequences


def _rows_of(
    work: UnitOfWork,
    scheme: Scheme,
    plan: AwardPlan,
    ids: Mapping[tuple[str, int], str],
    to: _Written,
) -> None:
    facts = plan.facts
    following = {award.sequence - 1: award.awarded_on for award in plan.awards}
    for award in plan.awards:
        replaced_on = following.get(award.sequence)
        row = facts.rows.get(award.sequence)
        if row is None:
            id_ = ids[facts.holder_id, award.sequence]
            number = certificate_numbers.new(scheme)
            made = {"id": id_, "holder_id": facts.holder_id, "scheme": scheme.code}
            to.new.append(_new_row(work, number, award, replaced_on) | made)
            to.consequences.append(
                Consequence(
                    "awarded", facts.holder_id, id_, number, scheme.code, None, award.awarded_on
                )
            )
            continue
        kept_reason, due = plan.kept.get(row.id, (row.kept_reason, None))
        values = {
            "_id": row.id,
            "awarded_on": award.awarded_on,
            "withdrawn_at": None,
            "replaced_on": replaced_on,
            "kept_reason": kept_reason,
        }
        before = {
            "_id": row.id,
            "awarded_on": row.awarded_on,
            "withdrawn_at": row.withdrawn_at,
            "replaced_on": row.replaced_on,
            "kept_reason": row.kept_reason,
        }
        if row.id in plan.kept and kept_reason is not None:
            to.consequences.append(_event("kept", scheme, row, row.awarded_on, due))
            before["kept_reason"] = None
        if values == before:
            continue
        (to.current if replaced_on is None else to.replaced).append(values)
        to.to_lay_out.add(row.id)
        to.consequences += _news_of(scheme, row, award)
    _withdraw_fallen(work, scheme, plan, to)


def _news_of(scheme: Scheme, row: AwardRow, award: Award) -> Iterator[Consequence]:
    """What a holder is told when an award on record is found again, perhaps on another day."""
    if row.withdrawn_at is not None:
        yield _event("restored", scheme, row, None, award.awarded_on)
    elif row.awarded_on != award.awarded_on:
        yield _event("moved", scheme, row, row.awarded_on, award.awarded_on)


def _withdraw_fallen(work: UnitOfWork, scheme: Scheme, plan: AwardPlan, to: _Written) -> None:
    for row in standing_rows(plan.facts):
        if falls(plan, row):
            to.withdrawn.append(
                {"_id": row.id, "withdrawn_at": work.now, "replaced_on": None, "kept_reason": None}
            )
            to.to_lay_out.add(row.id)
            to.consequences.append(_event("withdrawn", scheme, row, row.awarded_on, None))


def _new_row(
    work: UnitOfWork, number: str, award: Award, replaced_on: date | None
) -> dict[str, object]:
    return {
        "public_id": secrets.token_urlsafe(16),
        "number": number,
        "number_key": numbers.key(number),
        "awarded_on": award.awarded_on,
        "recorded_at": work.now,
        "sequence": award.sequence,
        "withdrawn_at": None,
        "replaced_on": replaced_on,
        "kept_reason": None,
    }


def _event(
    what: ConsequenceKind, scheme: Scheme, row: AwardRow, before: date | None, after: date | None
) -> Consequence:
    return Consequence(what, row.holder_id, row.id, row.number, scheme.code, before, after)


def _unwind_renewals(
    work: UnitOfWork, scheme: Scheme, plans: Sequence[AwardPlan], later: Later
) -> None:
    """Turn approvals into denials dated today; the superseded decisions stay readable."""
    on = [r for plan in plans for r in plan.facts.renewals if (r.ref or r.id) in plan.unwound]
    if not on:
        return
    today = work.today(scheme)
    bulk.insert(
        work,
        FormerRenewalDecision,
        [
            {
                "id": new_id(),
                "renewal_id": row.id,
                "decision": row.decision,
                "decided_on": row.decided_on,
                "decided_by": row.decided_by,
                "decided_by_id": row.decided_by_id,
                "reason": row.reason,
                "closed_at": row.closed_at,
                "ended_at": work.now,
                "ended_by": work.actor.name,
                "ended_reason": later.reason,
            }
            for row in on
        ],
    )
    bulk.update(
        work,
        Renewal,
        [
            {
                "_id": row.id,
                "decision": RenewalVerdict.DENIED,
                "decided_on": today,
                "reason": later.reason,
                "decided_by": work.actor.name,
                "decided_by_id": work.actor.who,
                "closed_at": work.now,
            }
            for row in on
        ],
    )
    history.record_many(
        work, "unwind", "renewal", [(row.id, {"reason": later.reason}) for row in on]
    )
    notices.tell(work, _denied(work, on, today))


def _denied(work: UnitOfWork, on: Sequence[RenewalOnRecord], today: date) -> list[NoticeToTell]:
    table = FormerRenewalDecision
    counts = select(table.renewal_id, func.count().label("former"))
    counts = counts.where(bulk.among(work, table.renewal_id, [row.id for row in on]))
    former = {row.renewal_id: row.former for row in work.rows(counts.group_by(table.renewal_id))}
    return [
        NoticeToTell(
            kind=NoticeKind.RENEWAL_DECIDED,
            holder_id=row.holder_id,
            subject_id=row.id,
            event=f"denied:{former[row.id]}",
            on=today,
        )
        for row in on
    ]


def _write_cycles(
    work: UnitOfWork,
    plans: Sequence[AwardPlan],
    ids: Mapping[tuple[str, int], str],
    written: _Written,
) -> None:
    """Write the cycles of awards that are new, have moved, or have other renewals than before."""
    cycles = _Cycles()
    for plan in plans:
        for award in plan.awards:
            id_ = ids[plan.facts.holder_id, award.sequence]
            moved = _attach_facts(plan, award, id_, cycles)
            row = plan.facts.rows.get(award.sequence)
            layout = plan.layout[award.sequence]
            if row is None:
                cycles.new += [timelines.cycle_row(work, id_, c) for c in layout.cycles]
                plain = not (award.filings or award.changes or len(plan.awards) > award.sequence)
                if plain:
                    written.first.append(snapshots.CertificationRecord(id_, layout.cycles))
                else:
                    written.to_lay_out.add(id_)
                continue
            unwound = any(f.key in plan.unwound for f in award.filings)
            was = plan.facts.records[row.id].cycles
            same_day = row.awarded_on == award.awarded_on and was[0].starts_on == award.awarded_on
            as_given = was == layout.cycles or not any(c.imported for c in was)
            same = same_day and as_given and len(was) == len(layout.cycles)
            if same and not moved and not unwound:
                continue
            cycles.replace(work, id_, was, layout.cycles)
            cycles.renew(plan.facts, layout)
            written.to_lay_out.add(id_)
            written.to_lay_out |= moved
    cycles.write(work)


def _attach_facts(plan: AwardPlan, award: Award, id_: str, to: _Cycles) -> set[str]:
    """Attach the facts within an award's period to it; returns the rows they were attached to."""
    keys = {f.key for f in award.filings}
    moved: set[str] = set()
    waits = any(r.certification_id == id_ and filing_of(r, None).waits for r in plan.facts.renewals)
    for row in plan.facts.renewals:
        stays = row.certification_id == id_ or (filing_of(row, None).waits and waits)
        if (row.ref or row.id) in keys and not stays:
            to.renewals.append({"_id": row.id, "certification_id": id_})
            moved.add(row.certification_id)
    begins = award.awarded_on if award.sequence > 1 else date.min
    ends = next((a.awarded_on for a in plan.awards if a.sequence == award.sequence + 1), date.max)
    for change in plan.facts.changes:
        if begins <= change.effective_on < ends and change.certification_id != id_:
            to.changes.append({"_id": change.id, "certification_id": id_})
            moved.add(change.certification_id)
    return moved


@dataclass(slots=True)
class _Cycles:
    """The cycles to write for one chunk, and the facts to attach to another award."""

    new: list[CycleToInsert] = field(default_factory=list)
    changed: list[dict[str, object]] = field(default_factory=list)
    gone: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    renewed: list[dict[str, object]] = field(default_factory=list)
    renewals: list[dict[str, object]] = field(default_factory=list)
    changes: list[dict[str, object]] = field(default_factory=list)

    def replace(
        self,
        work: UnitOfWork,
        id_: str,
        before: Sequence[certifications.CycleTerm],
        after: Sequence[certifications.CycleTerm],
    ) -> None:
        """Replace the cycles of a certification; a cycle with the same number keeps its row."""
        for was, now in zip(before, after, strict=False):
            if was != now:
                row = timelines.cycle_row(work, id_, now)
                self.changed.append({f"b_{name}": value for name, value in row.items()})
        self.new += [timelines.cycle_row(work, id_, c) for c in after[len(before) :]]
        if len(after) < len(before):
            self.gone[len(after)].append(id_)

    def renew(self, facts: AwardFacts, layout: AwardLayout) -> None:
        """Set each renewal's cycle to the one that it now renews."""
        for row in facts.renewals:
            key = row.ref or row.id
            if key in layout.renewed and row.cycle != layout.renewed[key]:
                self.renewed.append({"_id": row.id, "cycle": layout.renewed[key]})

    def write(self, work: UnitOfWork) -> None:
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
            for name in (
                "anchor_on",
                "nth",
                "starts_on",
                "expires_on",
                "opened_on",
                "policy",
                "imported",
            )
        }
    )
)


# History and notices.
_ACTIONS: dict[ConsequenceKind, str] = {
    "awarded": "award",
    "moved": "correct",
    "withdrawn": "withdraw",
    "restored": "restore",
    "kept": "keep",
}


def tell(work: UnitOfWork, scheme: Scheme, consequences: Sequence[Consequence]) -> None:
    """Write the history of what happened to awards, and notify their holders."""
    by_action: dict[str, list[tuple[str, dict[str, object]]]] = defaultdict(list)
    for consequence in consequences:
        detail: dict[str, object] = {
            "scheme": scheme.code,
            "awarded_on": consequence.after,
            "before": consequence.before,
        }
        by_action[_ACTIONS[consequence.what]].append((consequence.certification_id, detail))
    for action, details in by_action.items():
        history.record_many(work, action, "certification", details)
    notices.tell(work, _news(work, scheme, consequences))


def _news(
    work: UnitOfWork, scheme: Scheme, consequences: Iterable[Consequence]
) -> Iterator[NoticeToTell]:
    """The notices to holders; notice of a correction is dated today, whatever day it concerns."""
    today, instant = work.today(scheme), work.now.isoformat()
    for consequence in consequences:
        kind, event, on = NoticeKind.AWARD_CORRECTED, f"{consequence.before}:{instant}", today
        if consequence.what == "kept":
            continue
        if consequence.what == "awarded":
            kind, event, on = NoticeKind.AWARD, "award", consequence.after or today
        elif consequence.what == "withdrawn":
            kind, event = NoticeKind.AWARD_WITHDRAWN, instant
        elif consequence.what == "restored":
            event = f"restored:{instant}"
        yield NoticeToTell(
            kind=kind,
            holder_id=consequence.holder_id,
            subject_id=consequence.certification_id,
            event=event,
            on=on,
        )
