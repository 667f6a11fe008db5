"""Making the planner examine certifications again after a change to facts that it decides by."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime

from sqlalchemy import case, func, or_, select, update

from tracker.domain.emails import compared
from tracker.models import Certification, Holder, ReminderCursor
from tracker.services.core import bulk
from tracker.services.core.context import UnitOfWork
from tracker.services.standings import snapshots

AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)
"""Sorts before every real instant; the planner examines the certification at its next run."""


def touch_holders(work: UnitOfWork, holder_ids: Collection[str]) -> None:
    """Make the planner examine these holders' certifications at its next run.

    Use it when a time zone, address or preference changed. What was sent stays as it is; a stage
    that did not reach them is sent if it is still useful.
    """
    for ids in bulk.chunks(sorted(holder_ids)):
        theirs = select(Certification.id).where(
            bulk.among(work, Certification.holder_id, ids), snapshots.CURRENT
        )
        work.connection.execute(
            update(ReminderCursor)
            .where(
                ReminderCursor.certification_id.in_(theirs), ReminderCursor.expires_on.is_not(None)
            )
            .values(next_due_at=AT_ONCE)
        )


def touch_address(work: UnitOfWork, address: str) -> None:
    """The same for the holders who have an address; case is ignored."""
    small = compared(address)
    having = select(Holder.id).where(
        or_(func.lower(Holder.email) == small, func.lower(Holder.second_email) == small)
    )
    touch_holders(work, [row.id for row in work.rows(having)])


def touch(work: UnitOfWork, records: Iterable[snapshots.CertificationRecord]) -> None:
    """Make the planner examine these certifications at its next run.

    A new cycle or another expiry restarts the stages; otherwise what was sent stays as it is.
    """
    rows = [
        {
            "certification_id": record.certification_id,
            "cycle": record.cycles[-1].ordinal,
            "expires_on": record.expires_on,
            "last_offset": None,
            "next_due_at": AT_ONCE,
        }
        for record in records
    ]
    if not rows:
        return
    statement, parameters = bulk.upsert(work, ReminderCursor, rows)
    new = statement.excluded
    same_cycle = (ReminderCursor.cycle == new.cycle) & (ReminderCursor.expires_on == new.expires_on)
    statement = statement.on_conflict_do_update(
        index_elements=["certification_id"],
        set_={
            "cycle": new.cycle,
            "expires_on": new.expires_on,
            "next_due_at": new.next_due_at,
            "last_offset": case((same_cycle, ReminderCursor.last_offset), else_=None),
        },
    )
    work.connection.execute(statement, parameters)


def forget(work: UnitOfWork, certification_ids: Collection[str]) -> None:
    """Plan no more reminders for these certifications; what was sent stays on record."""
    if certification_ids:
        work.connection.execute(
            update(ReminderCursor)
            .where(bulk.among(work, ReminderCursor.certification_id, certification_ids))
            .values(next_due_at=None)
        )


def look_by(work: UnitOfWork, holder_id: str, at: datetime) -> None:
    """Make the planner examine a holder's certifications at an instant, if not before."""
    theirs = select(Certification.id).where(Certification.holder_id == holder_id, snapshots.CURRENT)
    no_sooner = or_(ReminderCursor.next_due_at.is_(None), ReminderCursor.next_due_at > at)
    work.connection.execute(
        update(ReminderCursor)
        .where(
            ReminderCursor.certification_id.in_(theirs),
            ReminderCursor.expires_on.is_not(None),
            no_sooner,
        )
        .values(next_due_at=at)
    )
