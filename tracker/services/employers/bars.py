"""Bars: employers that a holder has blocked from asking for consent.

The employer sees the same as for anybody who has not consented. The holder gets no message about
it, no consent is recorded for it, and one in force ends. Only the holder can bar an employer or
lift the bar.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import delete, select

from tracker.domain.employers.consents import ConsentEnd
from tracker.domain.errors import AlreadyRecorded, Invalid, NotFound
from tracker.models import Employer, EmployerBar
from tracker.services.core import bulk, history, locks
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.employers import consents
from tracker.services.employers.consents import Pair


def among(reading: ReadContext, pairs: Collection[Pair]) -> set[Pair]:
    """The pairs whose holder has barred the employer."""
    if not pairs:
        return set()
    table = EmployerBar
    rows = reading.rows(
        select(table.holder_id, table.employer_id).where(
            bulk.among(reading, table.holder_id, {holder_id for holder_id, _ in pairs}),
            bulk.among(reading, table.employer_id, {employer_id for _, employer_id in pairs}),
        )
    )
    return {(row.holder_id, row.employer_id) for row in rows} & set(pairs)


def check_none(work: UnitOfWork, holder_id: str, employer_id: str) -> None:
    """Refuse consent to a barred employer. Raises AlreadyRecorded."""
    if among(work, [(holder_id, employer_id)]):
        raise AlreadyRecorded("You have barred this employer; lift the bar first.")


def put(work: UnitOfWork, employer_id: str) -> None:
    """Bar an employer and end its consent. Raises Invalid, AlreadyRecorded, NotFound."""
    holder_id = _me(work)
    if work.row(select(Employer.id).where(Employer.id == employer_id)) is None:
        rule = "is not an employer on record"
        raise Invalid("There is no such employer.", fields={"employer_id": rule})
    locks.lock_one(work, holder_id)
    row = {"holder_id": holder_id, "employer_id": employer_id, "recorded_at": work.now}
    made = work.upsert(EmployerBar).values(row).on_conflict_do_nothing()
    if work.row(made.returning(EmployerBar.employer_id)) is None:
        raise AlreadyRecorded("You have already barred this employer.")
    consents.end_of(work, [(holder_id, employer_id)], ConsentEnd.WITHDRAWN)
    history.record(work, "bar", "holder", holder_id, employer_id=employer_id)


def lift(work: UnitOfWork, employer_id: str) -> None:
    """Let an employer ask again. Raises NotFound if it is not barred."""
    holder_id, table = _me(work), EmployerBar
    gone = delete(table).where(table.holder_id == holder_id, table.employer_id == employer_id)
    if work.row(gone.returning(table.employer_id)) is None:
        raise NotFound
    history.record(work, "lift_bar", "holder", holder_id, employer_id=employer_id)


def _me(work: UnitOfWork) -> str:
    """The acting holder's id. Raises NotFound for other actors."""
    if work.actor.holder_id is None:
        raise NotFound
    return work.actor.holder_id
