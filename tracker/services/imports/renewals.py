"""renewals: applications and their decisions, by renewal_ref; approved ones open their cycles.

The cycles are computed after all rows are written, in the order of the decisions, so that a
holder's renewals may stand in the file in any order.

Invariant: an approval that contradicts the state it acts on opens no cycle, and the report says so.
This is one made before the window of the cycle it would renew, after its last day, before the
award, or while the certification was not in force. It is stored as the file says. An approval that
the API would refuse because of points is history: it opens its cycle, with a warning.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from operator import attrgetter
from typing import NamedTuple

from sqlalchemy import delete, func, select

from tracker.db import new_id
from tracker.domain.credentials import certifications as rules
from tracker.domain.credentials import renewals
from tracker.domain.credentials.awards import given, lay_out
from tracker.domain.credentials.certifications import Application
from tracker.domain.credentials.renewals import ApplicationFacts, RenewalVerdict
from tracker.domain.delivery.notices import NoticeKind
from tracker.domain.errors import Refusal
from tracker.domain.schemes.schemes import Scheme
from tracker.models import Certification, Cycle, FormerRenewalDecision, Renewal
from tracker.services.core import bulk, writers
from tracker.services.core.context import UnitOfWork, columns_of
from tracker.services.credentials import award_facts, awards, certifications, timelines
from tracker.services.credentials.award_facts import FilingRow
from tracker.services.imports import lookups
from tracker.services.imports.batches import Batch
from tracker.services.imports.run import ImportKind, ImportRow, Run
from tracker.services.outbox import notices
from tracker.services.outbox.notices import NoticeToTell
from tracker.services.standings import related_facts, snapshots, standings
from tracker.services.standings.related_facts import CertificationKey, RelatedFacts
from tracker.tabular import Column, choice, text
from tracker.tabular import date as a_date


class _RenewalOnRecord(NamedTuple):
    ref: str | None
    id: str
    certification_id: str
    submitted_on: date
    decision: str | None
    decided_on: date | None
    decided_by: str | None
    decided_by_id: str | None
    withdrawn_on: date | None
    closed_at: datetime | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class _PlannedRenewal(FilingRow):
    """The same with the holder, and how many decisions were replaced (``former``)."""

    holder_id: str
    former: int


_UNKNOWN = 0  # the cycle that a new approval renews is known only after all cycles are computed
_PENDING = "an application for this certification is already under review"


def _take(run: Run, rows: Collection[ImportRow]) -> None:
    for row in rows:
        _check_decision(run, row)
    matches = lookups.certified(run, rows, table=Renewal, day="submitted_on")
    keys = [row.key for row, _, _ in matches]
    on_record = lookups.by_ref(run.work, Renewal, keys, _RenewalOnRecord)
    written = writers.written(run.work, [old.id for old in on_record.values()])
    for row, scheme, certification_id in matches:
        old = on_record.get(row.key)
        run.refuse_future(row, "submitted_on", "decided_on", today=run.work.today(scheme))
        if not scheme.policies:
            run.refuse(row, "scheme", f"{scheme.code} never expires, so it cannot be renewed")
        if old is not None and old.certification_id != certification_id:
            run.refuse(row, "renewal_ref", "is on record for another holder or scheme")
        if old is not None and old.id in written and _is_new_decision(row, old):
            run.refuse(row, "decision", writers.OWN_ENTRY)
    _check_one_pending(run, matches)
    refused = run.settle_refusals()
    if not run.broken:
        good = [one for one in matches if one[0].number not in refused]
        _write(run, good, on_record)


def _is_new_decision(row: ImportRow, old: _RenewalOnRecord) -> bool:
    decision = row["decision"], row["decided_on"]
    return decision[0] is not None and decision != (old.decision, old.decided_on)


def _check_decision(run: Run, row: ImportRow) -> None:
    """Refuse an incomplete decision, and one made before the application."""
    decided_on, decision = row["decided_on"], row["decision"]
    if decision and decided_on is None:
        run.refuse(row, "decided_on", "is required when there is a decision")
    elif decided_on is not None and not decision:
        run.refuse(row, "decision", "is required when there is a decided_on")
    elif decided_on is not None and decided_on < row["submitted_on"]:
        run.refuse(row, "decided_on", f"must not be before submitted_on ({row['submitted_on']})")


def _check_one_pending(run: Run, matches: Collection[tuple[ImportRow, Scheme, str]]) -> None:
    """Refuse a second undecided application for a certification in one file."""
    pending = [(id_, row.number) for row, _, id_ in matches if row["decision"] is None]
    first = run.scratch.first_rows("pending", pending)
    for row, _, certification_id in matches:
        if row["decision"] is None and first[certification_id] != row.number:
            run.refuse(row, "decision", f"{_PENDING}, in row {first[certification_id]}")


def _write(
    run: Run,
    matches: Collection[tuple[ImportRow, Scheme, str]],
    on_record: Mapping[str, _RenewalOnRecord],
) -> None:
    work = run.work
    batch = Batch(run, Renewal, subject="renewal")
    touched: list[tuple[str, str, int, bool]] = []
    former: list[dict[str, object]] = []
    for row, scheme, certification_id in matches:
        old = on_record.get(row.key)
        values = _values(run, row, old)
        cycle = _UNKNOWN if row["decision"] == RenewalVerdict.APPROVED else 1
        new = {
            "ref": row.key,
            "certification_id": certification_id,
            "cycle": cycle,
            "points_counted": None,
            "reason": None,
            "recorded_at": work.now,
            "version": 1,
        }
        if old is None and row["decision"] is None:
            # The table allows one undecided application, and a later row may decide the one on
            # record; so this waits until all rows are read.
            run.counts["created"] += 1
            run.deferred[certification_id] = (row.number, {"id": new_id(), **new, **values})
            fate = "created"
        else:
            fate = batch.add(old, values, **new)
            if old is not None and fate == "changed" and old.decision:
                former.append(_former(run, old, values))
        touched.append((scheme.code, certification_id, row.number, fate != "unchanged"))
    batch.write()
    bulk.insert(work, FormerRenewalDecision, former)
    run.scratch.touch(touched)


def _former(run: Run, old: _RenewalOnRecord, values: Mapping[str, object]) -> dict[str, object]:
    """The decision on record that the file supersedes, as a row to insert."""
    return {
        "id": new_id(),
        "renewal_id": old.id,
        "decision": old.decision,
        "decided_on": old.decided_on,
        "decided_by": old.decided_by,
        "decided_by_id": old.decided_by_id,
        "reason": old.reason,
        "closed_at": old.closed_at,
        "ended_at": run.work.now,
        "ended_by": run.work.actor.name,
        "ended_reason": f"An imported file says {values['decision']} on {values['decided_on']}.",
        "undone": False,
    }


def _values(run: Run, row: ImportRow, old: _RenewalOnRecord | None) -> dict[str, object]:
    """The values of the renewal's row; a decision made since is left alone."""
    names = ("submitted_on", "decision", "decided_on")
    if old and (old.decision or old.withdrawn_on) and row["decision"] is None:
        state = old.decision or "withdrawn"
        run.warn(row.number, "decision", f"is {state} on record and was left as it is.")
        kept = (*names, "decided_by", "decided_by_id", "withdrawn_on", "closed_at")
        return {name: getattr(old, name) for name in kept}
    values = {name: row[name] for name in names}
    decided = row["decision"] is not None
    by: tuple[str | None, str | None, datetime | None] = (None, None, None)
    if decided and old and all(getattr(old, name) == row[name] for name in names):
        by = (old.decided_by, old.decided_by_id, old.closed_at)
    elif decided:
        by = (run.work.actor.name, run.work.actor.who, run.work.now)
    decided_by, decided_by_id, closed_at = by
    return values | {
        "decided_by_id": decided_by_id,
        "decided_by": decided_by,
        "withdrawn_on": None,
        "closed_at": closed_at,
    }


@dataclass(slots=True)
class _Plan:
    """A certification's renewals, and the cycles that result from them."""

    holder_id: str
    record: snapshots.CertificationRecord
    renewals: Sequence[_PlannedRenewal]
    cycles: list[rules.CycleTerm]
    renewed: dict[str, int]  # by renewal id, the ordinal of the cycle it renews
    idle: dict[str, Sequence[Refusal]]  # by id of an approval that opens no cycle, the reasons


def _finish(run: Run) -> None:
    """Open the cycles of approved renewals, and check each application by the API's rules."""
    for code, touched in run.scratch.touched():
        scheme = run.work.schemes[code]
        ids = [id_ for id_, _, _ in touched]
        _insert_deferred(run, ids)
        if run.broken:
            continue
        plans = _plans(run.work, scheme, ids)
        changed = [id_ for id_, _, was_changed in touched if was_changed]
        _open_cycles(run, [plans[id_] for id_ in changed])
        certifications.refresh(run.work, scheme, changed, later=awards.FOLLOW)
        notices.tell(run.work, _news(plans[id_] for id_ in changed))
        _judge(run, scheme, plans.values())


def _news(plans: Iterable[_Plan]) -> Iterator[NoticeToTell]:
    for plan in plans:
        for row in plan.renewals:
            if row.decision is not None and row.decided_on is not None:
                yield NoticeToTell(
                    kind=NoticeKind.RENEWAL_DECIDED,
                    holder_id=plan.holder_id,
                    subject_id=row.id,
                    event=f"{row.decision}:{row.former}",
                    on=row.decided_on,
                )


def _insert_deferred(run: Run, ids: Collection[str]) -> None:
    """Insert the undecided applications; refuse one if another is under review."""
    waiting = {id_: run.deferred[id_] for id_ in ids if id_ in run.deferred}
    if not waiting:
        return
    table = Renewal
    undecided = select(table.certification_id).where(
        bulk.among(run.work, table.certification_id, waiting),
        table.decision.is_(None),
        table.withdrawn_on.is_(None),
    )
    for (id_,) in run.work.rows(undecided):
        run.refuse_at(waiting[id_][0], "decision", "", _PENDING)
    if not run.broken:
        bulk.insert(run.work, Renewal, [values for _, values in waiting.values()])
        writers.note(run.work, [str(values["id"]) for _, values in waiting.values()])


_FORMER = (
    select(func.count())
    .where(FormerRenewalDecision.renewal_id == Renewal.id)
    .correlate(Renewal)
    .scalar_subquery()
)


def _plans(work: UnitOfWork, scheme: Scheme, ids: Collection[str]) -> dict[str, _Plan]:
    table = Renewal
    statement = (
        select(
            *columns_of(FilingRow, table),
            Certification.holder_id,
            _FORMER.label("former"),
        )
        .join(Certification, Certification.id == table.certification_id)
        .where(bulk.among(work, table.certification_id, ids))
    )
    by_certification: dict[str, list[_PlannedRenewal]] = defaultdict(list)
    for row in work.rows_as(_PlannedRenewal, statement):
        by_certification[row.certification_id].append(row)
    records = snapshots.records(work, ids)
    return {id_: _plan(scheme, records[id_], by_certification[id_]) for id_ in ids}


def _plan(
    scheme: Scheme, record: snapshots.CertificationRecord, rows: Sequence[_PlannedRenewal]
) -> _Plan:
    """Compute the cycles: the award's, then one for each approval, in the order of decision."""
    filings = [award_facts.filing_of(row, record) for row in rows]
    layout = lay_out(
        scheme,
        record.cycles[0].starts_on,
        filings,
        record.adjustments,
        record.changes,
        imported=given(record.cycles),
    )
    cycles = [record.cycles[0], *layout.cycles[1:]]
    by_key = {row.id: row.ref or row.id for row in rows}
    renewed = {id_: layout.renewed[key] for id_, key in by_key.items()}
    idle = {id_: layout.idle[key] for id_, key in by_key.items() if key in layout.idle}
    return _Plan(rows[0].holder_id, record, rows, cycles, renewed, idle)


def _open_cycles(run: Run, plans: Collection[_Plan]) -> None:
    """Write the new cycles; delete those that a corrected renewal no longer opens."""
    work = run.work
    gone: dict[int, list[str]] = defaultdict(list)
    new: list[Mapping[str, object]] = []
    renewed: list[dict[str, object]] = []
    for plan in plans:
        id_, before = plan.record.certification_id, plan.record.cycles
        same = 0
        while same < min(len(before), len(plan.cycles)) and before[same] == plan.cycles[same]:
            same += 1
        if same < len(before):
            gone[same].append(id_)
        new += [timelines.cycle_row(work, id_, cycle) for cycle in plan.cycles[same:]]
        renewed += [
            {"_id": row.id, "cycle": plan.renewed[row.id]}
            for row in plan.renewals
            if row.cycle != plan.renewed[row.id]
        ]
    for ordinal, ids in gone.items():
        work.connection.execute(
            delete(Cycle).where(Cycle.certification_id.in_(ids), Cycle.ordinal > ordinal)
        )
    bulk.insert(work, Cycle, new)
    if renewed:
        bulk.update(work, Renewal, renewed)
    run.effects["cycles opened"] += len(new)


def _judge(run: Run, scheme: Scheme, plans: Collection[_Plan]) -> None:
    """Warn of each application that the API would have refused."""
    refs = [row.ref for plan in plans for row in plan.renewals if row.ref]
    rows = run.scratch.rows_of("key", refs)
    activities = snapshots.activities(run.work, {plan.holder_id for plan in plans})
    keys = [CertificationKey(p.record.certification_id, p.holder_id, scheme.code) for p in plans]
    related = related_facts.of_many(run.work, keys, activities)
    for plan in plans:
        claimed = activities[plan.holder_id, scheme.code]
        also = related.get(plan.record.certification_id, related_facts.NOTHING_RELATED)
        for renewal in plan.renewals:
            if renewal.ref in rows:
                messages = [*_idle(plan, renewal)] or _objections(
                    scheme, plan, renewal, claimed, also
                )
                for message in [*messages, *_twins(plan, renewal, rows)]:
                    run.warn(rows[renewal.ref], "submitted_on", message)


def _idle(plan: _Plan, renewal: _PlannedRenewal) -> Iterator[str]:
    """Why an approval opens no cycle."""
    for refusal in plan.idle.get(renewal.id, ()):
        yield f"It is approved but opens no cycle: {refusal.detail}"


def _twins(plan: _Plan, renewal: _PlannedRenewal, rows: Collection[str]) -> Iterator[str]:
    """The same application under another ref; of two in one file, the later one is warned of."""
    same = attrgetter("submitted_on", "decision")
    for other in plan.renewals:
        named = other.ref or other.id
        first = named not in rows or named < (renewal.ref or named)
        if other is not renewal and same(other) == same(renewal) and first:
            yield f"This looks like a duplicate: the same application is on record as {named}."


def _objections(
    scheme: Scheme,
    plan: _Plan,
    renewal: _PlannedRenewal,
    claimed: Collection[snapshots.ActivityFacts],
    related: RelatedFacts,
) -> Iterator[str]:
    """The objections to an application on the day it was made."""
    on = renewal.submitted_on
    cycles = tuple(plan.cycles[: plan.renewed[renewal.id]])
    others = [
        Application(row.submitted_on, row.decided_on or row.withdrawn_on)
        for row in plan.renewals
        if row is not renewal
    ]
    known = replace(plan.record, cycles=cycles, applications=tuple(others))
    spans = rules.timeline(
        scheme, cycles, applications=others, changes=known.changes, adjustments=known.adjustments
    )
    span = rules.span_on(spans, on)
    if span is None:
        yield f"{on} is before the certification ({cycles[0].starts_on})."
        return
    points = standings.evaluate(scheme, known, claimed, on=on, related=related)
    standing = rules.standing_on(span, on)
    judged = ApplicationFacts(points.evaluation, points.policy, points.pending) if points else None
    for refusal in renewals.objections(standing, judged):
        yield refusal.detail


KIND = ImportKind(
    name="renewals",
    columns=(
        Column("renewal_ref", text(64), required=True),
        Column("holder_ref", text(64), required=True),
        Column("scheme", text(32), required=True),
        Column("submitted_on", a_date(), required=True),
        Column("decided_on", a_date()),
        Column("decision", choice(tuple(RenewalVerdict))),
    ),
    key=("renewal_ref",),
    take=_take,
    finish=_finish,
)
