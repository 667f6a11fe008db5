"""Evidence: the files that support an activity, changed by whoever may change the activity.

Invariant: a file is on disk before its row commits, and is removed only after the row's transaction
has ended; so a row never lacks its file. A killed process can leave a file without a row, which
``sweep`` removes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import IO, NamedTuple

from sqlalchemy import delete, event, false, func, select
from sqlalchemy.orm import Session

from tracker import files
from tracker.db import new_id
from tracker.domain.errors import NotFound, UnacceptableEvidence
from tracker.domain.points import activities as rules
from tracker.files import Checked, Store
from tracker.models import Activity, Evidence, RequestProof
from tracker.services.core import history, locks, turns
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.core.row_scope import scope
from tracker.services.points import activity_rows, audited
from tracker.settings import Settings


class EvidenceRow(NamedTuple):
    """A file of an activity; ``came_later`` than the activity was submitted."""

    id: str
    activity_id: str
    slot: int
    filename: str
    content_type: str
    size: int
    sha256: str
    key: str
    recorded_at: datetime
    holder_id: str
    came_later: bool


_KEPT = select(
    Evidence.id,
    Evidence.activity_id,
    Evidence.slot,
    Evidence.filename,
    Evidence.content_type,
    Evidence.size,
    Evidence.sha256,
    Evidence.key,
    Evidence.recorded_at,
    Activity.holder_id,
    func.coalesce(Evidence.recorded_at > Activity.submitted_at, false()).label("came_later"),
).join(Activity, Activity.id == Evidence.activity_id)
_NAMED = (Evidence, RequestProof)
"""The tables whose rows have files in the folder."""
_ORPHAN_AGE = timedelta(days=1)  # no transaction stays open for so long


def store(settings: Settings) -> Store:
    """The folder of evidence files."""
    return Store(settings.storage_directory / "evidence")


def checked(settings: Settings, stream: IO[bytes], name: str) -> Checked:
    """A file from outside, checked and read in a separate process, in its turn.

    Raises UnacceptableEvidence with the reason; TooBusy.
    """
    with turns.reading_a_file(settings):
        return files.check(
            stream,
            name,
            maximum_pixels=settings.evidence.maximum_pixels,
            limits=turns.evidence_limits(settings),
        )


def check_room(reading: ReadContext, activity_id: str) -> None:
    """Raise what ``add`` would raise for any file, before a file is read."""
    row = activity_rows.get(reading, activity_id)
    if not audited.is_audited(reading, activity_id):
        rules.check_step("add_evidence", row.state)
    if len(_rows(reading, activity_id)) >= reading.settings.evidence.maximum_files:
        raise _one_too_many(reading.settings)


def _one_too_many(settings: Settings) -> UnacceptableEvidence:
    rule = f"is one too many: an activity may have at most {settings.evidence.maximum_files} files"
    return UnacceptableEvidence(f"The file {rule}.", fields={"file": rule})


def add(work: UnitOfWork, activity_id: str, file: Checked) -> str:
    """Store a file with an activity; returns its id.

    Files can also be added while the activity is undecided or audited; they are then marked as
    late, and answer the audit. Raises NotFound; IllegalTransition once it is approved and under no
    audit; UnacceptableEvidence if it already has the maximum number of files.
    """
    _check_open(work, activity_id, "add_evidence")
    key = put(work, file)
    id_, digest = new_id(), hashlib.sha256(file.data).hexdigest()
    row: dict[str, object] = {
        "id": id_,
        "activity_id": activity_id,
        "filename": file.name,
        "content_type": file.content_type,
        "size": len(file.data),
        "sha256": digest,
        "key": key,
        "uploaded_by": work.actor.name,
        "recorded_at": work.now,
    }
    _take_slot(work, activity_id, row)
    history.record(work, "add", "evidence", id_, activity_id=activity_id, sha256=digest)
    audited.answer_by_file(work, activity_id)
    return id_


def put(work: UnitOfWork, file: Checked) -> str:
    """Write a file before the row that names it; returns its key. It goes if the row does not stay.

    Whoever keeps a key elsewhere than in ``Evidence`` names that table in ``_NAMED``.
    """
    kept = store(work.settings)
    key = kept.put(file.data)
    _when_undone(work, lambda: kept.remove(key))
    return key


def _take_slot(work: UnitOfWork, activity_id: str, row: Mapping[str, object]) -> None:
    """Insert the row into the lowest free slot; the table's constraint has the last word."""
    maximum = work.settings.evidence.maximum_files
    while True:
        taken = {file.slot for file in _rows(work, activity_id)}
        slot = next((n for n in range(1, maximum + 1) if n not in taken), None)
        if slot is None:
            raise _one_too_many(work.settings)
        insert = work.upsert(Evidence).values(**row, slot=slot).on_conflict_do_nothing()
        if work.connection.execute(insert).rowcount:
            return


def _rows(reading: ReadContext, activity_id: str) -> Sequence[EvidenceRow]:
    statement = _KEPT.where(Evidence.activity_id == activity_id)
    return reading.rows_as(EvidenceRow, statement.order_by(Evidence.slot))


def _check_open(work: UnitOfWork, activity_id: str, step: rules.ActivityStep = "edit") -> None:
    """Refuse an actor who may not change the activity, or an activity whose files are fixed now."""
    row = activity_rows.get(work, activity_id)
    locks.lock_one(work, row.holder_id)
    state = work.row(select(Activity.state).where(Activity.id == activity_id))
    if state is None:
        raise NotFound
    if step == "edit" or not audited.is_audited(work, activity_id):
        rules.check_step(step, state.state)


def of_activity(reading: ReadContext, activity_id: str) -> Sequence[EvidenceRow]:
    """The files of an activity. Raises NotFound, also for another holder's."""
    activity_rows.get(reading, activity_id)
    return _rows(reading, activity_id)


def get(reading: ReadContext, evidence_id: str) -> EvidenceRow:
    """A file's row. Raises NotFound, also for another holder's."""
    statement = _KEPT.where(Evidence.id == evidence_id, scope(reading.actor, Evidence))
    row = reading.row_as(EvidenceRow, statement)
    if row is None:
        raise NotFound
    return row


def content(reading: ReadContext, row: EvidenceRow) -> bytes:
    """The bytes of a file. Raises NotFound if it was removed after its row was read."""
    try:
        return store(reading.settings).get(row.key)
    except FileNotFoundError as error:
        raise NotFound from error


def remove(work: UnitOfWork, evidence_id: str) -> None:
    """Remove a file for good. Raises NotFound, IllegalTransition."""
    row = get(work, evidence_id)
    _check_open(work, row.activity_id)
    if not work.connection.execute(delete(Evidence).where(Evidence.id == evidence_id)).rowcount:
        raise NotFound
    history.record(work, "remove", "evidence", evidence_id, activity_id=row.activity_id)
    remove_files(work, [row.key])


def remove_files(work: UnitOfWork, keys: Iterable[str]) -> None:
    """Remove files once the transaction that deletes their rows has committed."""
    kept, listed = store(work.settings), list(keys)

    def act() -> None:
        for key in listed:
            kept.remove(key)

    _when_done(work, act)


def _when_done(work: UnitOfWork, act: Callable[[], object]) -> None:
    @event.listens_for(work.session, "after_commit")
    def act_once_stored(session: Session) -> None:
        if not session.in_nested_transaction():
            act()


def _when_undone(work: UnitOfWork, act: Callable[[], object]) -> None:
    """Act if the transaction is rolled back; not if its COMMIT fails, which may have succeeded."""
    attempted: list[bool] = []

    @event.listens_for(work.session, "before_commit")
    def note(session: Session) -> None:
        if not session.in_nested_transaction():
            attempted.append(True)

    @event.listens_for(work.session, "after_rollback")
    def act_unless_attempted(session: Session) -> None:
        if not attempted and not session.in_nested_transaction():
            act()


def sweep(reading: ReadContext) -> int:
    """Remove files that have had no row for a day; returns how many."""
    kept = store(reading.settings)
    keys = list(kept.keys(before=(reading.now - _ORPHAN_AGE).timestamp()))
    known = {row.key for table in _NAMED for row in reading.rows(select(table.key))}
    orphans = [key for key in keys if key not in known]
    for key in orphans:
        kept.remove(key)
    return len(orphans)
