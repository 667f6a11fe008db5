"""What providers see and say of the discrepancies of their own lists; staff decide on it.

A provider reads what its own list says and, where that is what does not fit, the quantity that was
claimed. Whom we have on record, and who claims a course, it does not learn here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import bindparam, select, update

from tracker.domain.errors import NotFound
from tracker.domain.points import attendance as rules
from tracker.domain.points.attendance import (
    ASKED_OF_PROVIDERS,
    DiscrepancyKind,
    DiscrepancyState,
    Outcome,
    ProviderAnswer,
)
from tracker.models import Attendance, Course, Discrepancy
from tracker.services.core import bulk, history
from tracker.services.core.context import ReadContext, UnitOfWork, columns_of
from tracker.services.core.row_scope import scope


@dataclass(frozen=True, slots=True)
class AskedDiscrepancy:
    """A discrepancy as its provider sees it: its own list, and what it answered."""

    id: str
    kind: DiscrepancyKind
    state: DiscrepancyState
    course_id: str
    code: str
    title: str
    held_on: date
    given_name: str | None
    given_holder_ref: str | None
    given_number: str | None
    given_email: str | None
    said: Decimal | None
    claimed: Decimal | None
    answer: ProviderAnswer | None
    answer_note: str | None
    answered_by: str | None
    answered_at: datetime | None
    outcome: Outcome | None
    recorded_at: datetime


_ASKED = (
    select(*columns_of(AskedDiscrepancy, Discrepancy, Course, Attendance))
    .join(Course, Course.id == Discrepancy.course_id)
    .join(Attendance, Attendance.id == Discrepancy.attendance_id, isouter=True)
    .where(Discrepancy.kind.in_(sorted(ASKED_OF_PROVIDERS)))
)


def page(
    reading: ReadContext, *, state: str | None, after: str | None, limit: int
) -> Sequence[AskedDiscrepancy]:
    """A page of the discrepancies of the acting provider, oldest first."""
    statement = _ASKED.where(scope(reading.actor, Course)).order_by(Discrepancy.id).limit(limit)
    if state:
        statement = statement.where(Discrepancy.state == state)
    if after:
        statement = statement.where(Discrepancy.id > after)
    return reading.rows_as(AskedDiscrepancy, statement)


def get(reading: ReadContext, discrepancy_id: str) -> AskedDiscrepancy:
    """One of them. Raises NotFound, also for one of another provider."""
    mine = Discrepancy.id == discrepancy_id, scope(reading.actor, Course)
    row = reading.row_as(AskedDiscrepancy, _ASKED.where(*mine))
    if row is None:
        raise NotFound
    return row


_ANSWERED = (
    update(bulk.table_of(Discrepancy))
    .where(
        bulk.table_of(Discrepancy).c.id == bindparam("b_id"),
        bulk.table_of(Discrepancy).c.state == DiscrepancyState.OPEN,
    )
    .returning(bulk.table_of(Discrepancy).c.id)
)


def answer(
    work: UnitOfWork, discrepancy_id: str, said: ProviderAnswer, *, note: str | None
) -> None:
    """Say whether the list is right, in place of an earlier answer.

    Nobody answers for a provider but its own people. Raises NotFound; IllegalTransition once staff
    have settled it; Invalid without a note on a row that means nobody for certain.
    """
    if work.actor.role != "provider":
        raise NotFound
    found = get(work, discrepancy_id)
    rules.check_state(found.state, DiscrepancyState.OPEN)
    rules.check_answer(found.kind, said, note=note)
    values = {
        "answer": said,
        "answer_note": note,
        "answered_by": work.actor.name,
        "answered_at": work.now,
        "version": bulk.table_of(Discrepancy).c.version + 1,
    }
    if work.execute(_ANSWERED.values(values), {"b_id": found.id}).first() is None:
        rules.check_state(DiscrepancyState.SETTLED, DiscrepancyState.OPEN)
    before = {"answer": found.answer, "answer_note": found.answer_note}
    changes = history.changes(before, {"answer": said, "answer_note": note})
    history.record(work, "answer", "discrepancy", found.id, changes=changes)
