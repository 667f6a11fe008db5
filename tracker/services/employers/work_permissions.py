"""An employer's own permission to work while a renewal is decided: dated, in its own words.

Invariant: it is no certification. It is in a table of its own that no verification reads, and it
ends by its last day.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import select

from tracker.domain.delivery.notices import NoticeKind
from tracker.domain.employers import confirmations as rules
from tracker.domain.errors import IllegalTransition, NotFound
from tracker.domain.periods import Period
from tracker.models import Certification, Employer, Holder, Renewal, WorkPermission
from tracker.services.core import history, locks
from tracker.services.core.context import ReadContext, UnitOfWork, columns_of, sees_everything
from tracker.services.core.row_scope import scope
from tracker.services.employers import confirmations, employers
from tracker.services.outbox import notices
from tracker.services.outbox.notices import NoticeToTell


class WorkPermissionRow(NamedTuple):
    """A permission with the employer and the person."""

    id: str
    holder_id: str
    employer_id: str
    starts_on: date
    ends_on: date
    words: str
    given_by: str
    recorded_at: datetime
    ended_at: datetime | None
    ended_by: str | None
    end_reason: str | None
    name: str
    given_name: str
    family_name: str

    def is_in_force(self, on: date) -> bool:
        """Whether the employer permits the work on that day."""
        return self.ended_at is None and self.starts_on <= on <= self.ends_on


_ROWS = (
    select(*columns_of(WorkPermissionRow, WorkPermission, Employer, Holder))
    .select_from(WorkPermission)
    .join(Employer, Employer.id == WorkPermission.employer_id)
    .join(Holder, Holder.id == WorkPermission.holder_id)
)


@sees_everything
def give(
    work: UnitOfWork,
    employer_id: str,
    entry_id: str,
    *,
    words: str,
    ends_on: date,
    starts_on: date | None = None,
) -> str:
    """Permit a worker whose renewal is being decided to work meanwhile; the holder is told.

    Returns the permission's id. Raises IllegalTransition if no application waits for a decision or
    the worker does not share, Invalid, NotAllowed, SelfReview, NotFound.
    """
    worker = confirmations.shared_worker(work, employer_id, entry_id)
    confirmations.check_signer(work, employer_id, worker.holder_id)
    today = employers.today(work)
    period = Period(starts_on or today, ends_on)
    rules.check_permission(period, today=today)
    locks.lock_one(work, worker.holder_id)
    _check_waits(work, worker.holder_id)
    row = WorkPermission(
        holder_id=worker.holder_id,
        employer_id=employer_id,
        starts_on=period.starts_on,
        ends_on=period.ends_on,
        words=words,
        given_by=work.actor.name,
        recorded_at=work.now,
    )
    work.session.add(row)
    work.session.flush()
    detail = {"starts_on": period.starts_on, "ends_on": period.ends_on}
    history.record(work, "give", "work_permission", row.id, **detail)
    news = NoticeToTell(
        kind=NoticeKind.PERMISSION_GIVEN,
        holder_id=row.holder_id,
        subject_id=row.id,
        event="given",
        on=today,
    )
    notices.tell(work, [news])
    return row.id


def _check_waits(reading: ReadContext, holder_id: str) -> None:
    waits = (
        select(Renewal.id)
        .join(Certification, Certification.id == Renewal.certification_id)
        .where(
            Certification.holder_id == holder_id,
            Renewal.decision.is_(None),
            Renewal.withdrawn_on.is_(None),
        )
    )
    if reading.row(waits) is None:
        raise IllegalTransition(
            "No application of this worker waits for a decision, so there is nothing to bridge.",
            state="decided",
        )


@sees_everything
def end(work: UnitOfWork, permission_id: str, *, reason: str) -> None:
    """End a permission before its last day. Raises IllegalTransition, NotFound."""
    table = WorkPermission
    seen = select(table).where(table.id == permission_id, scope(work.actor, table))
    row = work.session.scalars(seen).one_or_none()
    if row is None:
        raise NotFound
    locks.lock_one(work, row.holder_id)
    work.reread(row)
    if row.ended_at is not None:
        raise IllegalTransition("It has ended already.", state="ended")
    row.ended_at, row.ended_by, row.end_reason = work.now, work.actor.name, reason
    work.session.flush()
    history.record(work, "end", "work_permission", row.id, reason=reason)


@sees_everything
def get(reading: ReadContext, permission_id: str) -> WorkPermissionRow:
    """One permission. Raises NotFound, also for one that the actor does not see."""
    seen = scope(reading.actor, WorkPermission)
    found = reading.row_as(WorkPermissionRow, _ROWS.where(WorkPermission.id == permission_id, seen))
    if found is None:
        raise NotFound
    return found


@sees_everything
def page(
    reading: ReadContext,
    *,
    after: str | None = None,
    limit: int | None = None,
    holder_id: str | None = None,
    employer_id: str | None = None,
) -> list[WorkPermissionRow]:
    """A page of the permissions that the actor sees, also those that have ended."""
    table = WorkPermission
    statement = _ROWS.where(scope(reading.actor, table)).order_by(table.id).limit(limit)
    if holder_id is not None:
        statement = statement.where(table.holder_id == holder_id)
    if employer_id is not None:
        statement = statement.where(table.employer_id == employer_id)
    if after:
        statement = statement.where(table.id > after)
    return reading.rows_as(WorkPermissionRow, statement)
