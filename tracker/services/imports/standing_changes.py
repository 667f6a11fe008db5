"""standing-changes: suspensions, reinstatements, revocations, surrenders, by change_ref."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import NamedTuple

from sqlalchemy import select

from tracker.domain.credentials import standing_changes
from tracker.domain.credentials.certifications import ChangeKind, ChangeOfStanding
from tracker.domain.errors import IllegalTransition, Invalid
from tracker.models import Certification, StandingChange
from tracker.services.core import bulk
from tracker.services.credentials import awards, certifications, restored_days
from tracker.services.imports import lookups
from tracker.services.imports.batches import Batch
from tracker.services.imports.run import ImportKind, ImportRow, Run
from tracker.services.outbox import notices
from tracker.services.outbox.notices import NoticeToTell
from tracker.tabular import Column, choice, text
from tracker.tabular import date as a_date

REASON_CODE = "imported"  # files give reasons only in words


class _ChangeOnRecord(NamedTuple):
    ref: str | None
    id: str
    certification_id: str
    kind: str
    effective_on: date
    reason: str
    barred_until: date | None


def _take(run: Run, rows: Collection[ImportRow]) -> None:
    matches = lookups.certified(run, rows, table=StandingChange, day="effective_on")
    keys = [row.key for row, _, _ in matches]
    on_record = lookups.by_ref(run.work, StandingChange, keys, _ChangeOnRecord)
    for row, _, certification_id in matches:
        _check_bar(run, row)
        _check_same(run, row, on_record.get(row.key), certification_id)
        _check_alone(run, row, on_record.get(row.key))
    run.settle_refusals()
    if run.broken:
        return
    batch = Batch(run, StandingChange, subject="standing_change")
    touched: list[tuple[str, str, int, bool]] = []
    for row, scheme, certification_id in matches:
        fate = batch.add(
            on_record.get(row.key),
            {"reason": row["reason"]},
            ref=row.key,
            certification_id=certification_id,
            kind=row["kind"],
            effective_on=row["effective_on"],
            barred_until=row["barred_until"],
            reason_code=REASON_CODE,
            decided_by=run.work.actor.name,
            decided_by_id=run.work.actor.who,
            recorded_at=run.work.now,
        )
        touched.append((scheme.code, certification_id, row.number, fate != "unchanged"))
    batch.write()
    run.scratch.touch(touched)
    new = {batch.ids[row.key]: (row, id_) for row, _, id_ in matches if row.key not in on_record}
    for row_id, (row, _) in new.items():
        if row["kind"] == ChangeKind.REINSTATE:
            run.deferred[row_id] = (row.number, {"scheme": row["scheme"]})
    _tell(run, new)


def _tell(run: Run, new: dict[str, tuple[ImportRow, str]]) -> None:
    """Notify holders of recent changes; most of a file is history."""
    recent = {
        id_: (row, certification_id)
        for id_, (row, certification_id) in new.items()
        if row["kind"] in certifications.NEWS_OF and notices.is_news(run.work, row["effective_on"])
    }
    if not recent:
        return
    table = Certification
    statement = select(table.id, table.holder_id).where(
        bulk.among(
            run.work, table.id, {certification_id for _, certification_id in recent.values()}
        )
    )
    holders = {row.id: row.holder_id for row in run.work.rows(statement)}
    news = (
        NoticeToTell(
            kind=certifications.NEWS_OF[row["kind"]],
            holder_id=holders[certification_id],
            subject_id=certification_id,
            event=id_,
            on=row["effective_on"],
        )
        for id_, (row, certification_id) in recent.items()
    )
    notices.tell(run.work, news)


def _check_bar(run: Run, row: ImportRow) -> None:
    try:
        standing_changes.check_bar(
            row["kind"], effective_on=row["effective_on"], barred_until=row["barred_until"]
        )
    except Invalid as refusal:
        run.refuse(row, "barred_until", refusal.fields["barred_until"])


def _check_same(
    run: Run, row: ImportRow, old: _ChangeOnRecord | None, certification_id: str
) -> None:
    """Refuse to alter a change on record: changes are only ever added, so that history is kept."""
    if old is None:
        return
    if old.certification_id != certification_id:
        run.refuse(row, "change_ref", "is on record for another holder or scheme")
    for column in ("kind", "effective_on", "barred_until"):
        if column in run.header and row[column] != getattr(old, column):
            before = getattr(old, column) or "empty"
            rule = f"is {before} on record; use a new change_ref for another change"
            run.refuse(row, column, rule)


def _check_alone(run: Run, row: ImportRow, old: _ChangeOnRecord | None) -> None:
    """Refuse a new revocation in a file that one person sends: it needs two people.

    A file of the operator, who is nobody in particular and has the database itself, tells what was
    decided elsewhere.
    """
    if old is None and row["kind"] == ChangeKind.REVOKE and run.work.actor.who is not None:
        rule = "needs two people: propose it, or have the operator import the file"
        run.refuse(row, "kind", rule)


def _finish(run: Run) -> None:
    """Rebuild the timelines, and warn of changes that the API would have refused."""
    _give_back(run)
    for code, touched in run.scratch.touched():
        changed = [id_ for id_, _, was_changed in touched if was_changed]
        scheme = run.work.schemes[code]
        certifications.refresh(run.work, scheme, changed, later=awards.FOLLOW)
        _judge(run, [id_ for id_, _, _ in touched])


def _give_back(run: Run) -> None:
    """Restore the days lost to undone suspensions and revocations, as the API does."""
    by_scheme: dict[str, list[str]] = {}
    for id_, (_, values) in run.deferred.items():
        by_scheme.setdefault(str(values["scheme"]), []).append(id_)
    for code, ids in by_scheme.items():
        for some in bulk.chunks(ids):
            restored_days.give_back(run.work, run.work.schemes[code], some)


def _judge(run: Run, ids: Collection[str]) -> None:
    table = StandingChange
    statement = (
        select(
            table.ref,
            table.certification_id,
            table.kind,
            table.effective_on,
            Certification.awarded_on,
        )
        .join(Certification, Certification.id == table.certification_id)
        .where(bulk.among(run.work, table.certification_id, ids))
        .order_by(table.certification_id, table.effective_on, table.recorded_at, table.ref)
    )
    changes = run.work.rows(statement)
    rows = run.scratch.rows_of("key", [row.ref for row in changes if row.ref])
    earlier: dict[str, list[ChangeOfStanding]] = {}
    for row in changes:
        before = earlier.setdefault(row.certification_id, [])
        try:
            standing_changes.check_change(row.kind, before, effective_on=row.effective_on)
        except IllegalTransition as refusal:
            if row.ref in rows:
                run.warn(rows[row.ref], "kind", refusal.detail)
        try:
            standing_changes.check_awarded(
                row.kind, effective_on=row.effective_on, awarded_on=row.awarded_on
            )
        except Invalid as refusal:
            if row.ref in rows:
                rule = f"{refusal.detail} It was awarded on {row.awarded_on}."
                run.warn(rows[row.ref], "effective_on", rule)
        before.append(ChangeOfStanding(row.kind, row.effective_on))


KIND = ImportKind(
    name="standing-changes",
    columns=(
        Column("change_ref", text(64), required=True),
        Column("holder_ref", text(64), required=True),
        Column("scheme", text(32), required=True),
        Column("kind", choice(tuple(ChangeKind)), required=True),
        Column("effective_on", a_date(), required=True),
        Column("reason", text(2000), required=True),
        Column("barred_until", a_date()),
    ),
    key=("change_ref",),
    take=_take,
    finish=_finish,
)
