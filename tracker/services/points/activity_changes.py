"""What every change of an activity needs: its lock, its decisions, its news."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import StaleDataError

from tracker.domain.delivery.notices import NoticeKind
from tracker.domain.desk.reviews import Wait
from tracker.domain.errors import AlreadyRecorded, NotFound, Stale
from tracker.domain.permissions import check_own_holder
from tracker.models import Activity, Decision
from tracker.services.core import locks
from tracker.services.core.context import UnitOfWork
from tracker.services.core.locks import Lock
from tracker.services.outbox import notices
from tracker.services.outbox.notices import NoticeToTell
from tracker.services.points import activity_rows


def own(
    work: UnitOfWork, activity_id: str, version: int | None, *, lock: Lock = locks.lock_one
) -> Activity:
    """The activity to change; locks its holder. Raises Stale if the actor read another version."""
    activity = work.session.get(Activity, activity_id)
    if activity is None:
        raise NotFound
    check_own_holder(work.actor, activity.holder_id)
    lock(work, activity.holder_id)
    work.reread(activity)
    if version is not None and activity.version != version:
        raise Stale("The activity has changed since you read it; read it again.")
    return activity


def flush(work: UnitOfWork) -> None:
    """Write an activity, unless it has changed since it was read. Raises Stale, AlreadyRecorded."""
    try:
        work.session.flush()
    except StaleDataError as error:
        raise Stale("The activity has changed since you read it; read it again.") from error
    except IntegrityError as error:  # a course brings a holder one activity for a day
        raise AlreadyRecorded(
            "Another activity of this course and day is on record; change or submit that one."
        ) from error


def wait(activity: Activity, decisions: Sequence[Decision]) -> Wait:
    """The wait for a decision, which the first answer since the submission has stopped."""
    begins_on = [day for day in (activity.wait_from, activity.submitted_on) if day is not None]
    return Wait(max(begins_on, default=date.max), decisions[-1].decided_on if decisions else None)


def ruling(work: UnitOfWork, activity: Activity) -> Sequence[Decision]:
    """The decisions since the last submission that were not undone, the current one first."""
    statement = select(Decision).where(
        Decision.activity_id == activity.id, Decision.undone_at.is_(None)
    )
    if activity.submitted_at is not None:
        statement = statement.where(Decision.recorded_at >= activity.submitted_at)
    return work.session.scalars(statement.order_by(*activity_rows.LATEST_FIRST)).all()


def tell(work: UnitOfWork, activity: Activity, *, kind: NoticeKind, event: str, on: date) -> None:
    """Tell the holder of an activity, by a notice that is sent once."""
    news = NoticeToTell(
        kind=kind, holder_id=activity.holder_id, subject_id=activity.id, event=event, on=on
    )
    notices.tell(work, [news])
