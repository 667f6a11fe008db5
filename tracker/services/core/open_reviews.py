"""Open reviews: while one reviewer has an activity or an application open, nobody else decides it.

A lock ends by the clock (``settings.reviews.lock_minutes``), with the decision, or by handing it
back.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Literal

from sqlalchemy import ColumnElement, delete, or_, select

from tracker.domain.desk.reviews import ReviewLock, check_unlocked
from tracker.domain.errors import IllegalTransition
from tracker.domain.permissions import check_somebody
from tracker.models import OpenReview
from tracker.services.core import bulk, history
from tracker.services.core.context import ReadContext, UnitOfWork, columns_of

Reviewed = Literal["activity", "renewal"]
"""What is reviewed, as the history calls it."""

COLUMNS = columns_of(ReviewLock, OpenReview)
"""The columns of a lock, to join to those of its subject; all are null where there is none."""


def take(work: UnitOfWork, kind: Reviewed, subject_id: str) -> ReviewLock:
    """Open a review for the actor, or keep it open from now on. Raises UnderReview, NotAllowed.

    One statement decides: of two who open it at once, the database lets one through.
    """
    check_somebody(work.actor)
    before = _lock(work, subject_id)
    taken = {
        "subject_id": subject_id,
        "reviewer_id": work.actor.who,
        "reviewer": work.actor.name,
        "taken_at": work.now,
        "ends_at": work.now + timedelta(minutes=work.settings.reviews.lock_minutes),
    }
    statement = work.upsert(OpenReview).values(taken)
    free = or_(OpenReview.reviewer_id == work.actor.who, OpenReview.ends_at <= work.now)
    made = work.row_as(
        ReviewLock,
        statement.on_conflict_do_update(
            index_elements=["subject_id"], set_=taken, where=free
        ).returning(*COLUMNS),
    )
    if made is None:
        check_free(work, subject_id)
        raise IllegalTransition("Somebody else has just opened this review.", state="open")
    if before is None or before.reviewer_id != made.reviewer_id or before.ends_at <= work.now:
        history.record(work, "open_review", kind, subject_id)
    return made


def hand_back(work: UnitOfWork, kind: Reviewed, subject_id: str) -> None:
    """End the actor's own lock. Raises UnderReview for another's; without one, nothing happens."""
    check_free(work, subject_id)
    if close(work, subject_id, OpenReview.reviewer_id == work.actor.who):
        history.record(work, "hand_back_review", kind, subject_id)


def check_free(reading: ReadContext, subject_id: str) -> None:
    """Refuse to decide what another reviewer has open. Raises UnderReview."""
    check_unlocked(_lock(reading, subject_id), reading.actor.who, reading.now)


def close(work: UnitOfWork, subject_id: str, *which: ColumnElement[bool]) -> bool:
    """End the lock on what has been decided or is handed back; whether there was one."""
    found = work.execute(delete(OpenReview).where(OpenReview.subject_id == subject_id, *which))
    return found.rowcount > 0


def close_many(work: UnitOfWork, subject_ids: Collection[str]) -> None:
    """End the locks on what has been decided together."""
    work.execute(delete(OpenReview).where(bulk.among(work, OpenReview.subject_id, subject_ids)))


def forget_old(work: UnitOfWork) -> None:
    """Delete the locks that ended a day ago."""
    work.execute(delete(OpenReview).where(OpenReview.ends_at < work.now - timedelta(days=1)))


def _lock(reading: ReadContext, subject_id: str) -> ReviewLock | None:
    statement = select(*COLUMNS).where(OpenReview.subject_id == subject_id)
    return reading.row_as(ReviewLock, statement)


def of_many(reading: ReadContext, subject_ids: Collection[str]) -> Mapping[str, ReviewLock]:
    """The locks on these records, by id, also those that have ended."""
    mine = bulk.among(reading, OpenReview.subject_id, subject_ids)
    rows = reading.rows(select(OpenReview.subject_id, *COLUMNS).where(mine))
    return {row.subject_id: ReviewLock(*row[1:]) for row in rows}


def still_held(reading: ReadContext, lock: ReviewLock | None) -> ReviewLock | None:
    """A lock that has not ended; None otherwise."""
    return lock if lock is not None and lock.ends_at > reading.now else None
