"""Locks on holders' records: two writers to the same record wait for each other."""

from __future__ import annotations

from collections.abc import Callable, Collection

from sqlalchemy import select

from tracker.domain.errors import AlreadyMerged, NotFound
from tracker.domain.permissions import check_not_own, check_own_holder, own_records
from tracker.models import Holder
from tracker.services.core import bulk
from tracker.services.core.context import UnitOfWork, sees_everything

Lock = Callable[[UnitOfWork, str], None]
"""A way to lock a holder's record."""


@sees_everything
def lock(work: UnitOfWork, holder_ids: Collection[str]) -> int:
    """Lock these holders' records against other writers; returns how many of them exist.

    Records are locked in the order of their ids, so that two callers never deadlock. Without the
    lock, two processes that record the last two passes at the same time would each miss the
    other's.
    """
    locked = 0
    for ids in bulk.chunks(sorted(holder_ids)):
        statement = select(Holder.id).where(bulk.among(work, Holder.id, ids)).order_by(Holder.id)
        locked += len(work.rows(statement.with_for_update()))
    return locked


def lock_to_decide(work: UnitOfWork, holder_ids: Collection[str]) -> set[str]:
    """Lock holders' records for a staff decision; returns those that the actor may not decide on.

    Every staff decision locks here, whether on one record or on a file of them, so that none skips
    the check for the actor's own record.
    """
    lock(work, holder_ids)
    return own_records(work.actor, holder_ids)


@sees_everything
def lock_one(work: UnitOfWork, holder_id: str) -> None:
    """Lock one holder's record, if there is one.

    Raises NotFound for somebody whose data were erased, perhaps while this waited for it: nothing
    is written to that record any more. Raises AlreadyMerged for one that was merged into another.
    """
    columns = (Holder.erased_at, Holder.merged_into_id)
    row = work.row(select(*columns).where(Holder.id == holder_id).with_for_update())
    if row is not None and row.erased_at is not None:
        raise NotFound
    if row is not None and row.merged_into_id is not None:
        raise AlreadyMerged(
            "The record was merged into another one of this person; use that one instead.",
            merged_into=row.merged_into_id,
        )


def lock_one_to_decide(work: UnitOfWork, holder_id: str) -> None:
    """Lock a holder's record for a staff decision. Raises NotFound, SelfReview."""
    check_own_holder(work.actor, holder_id)
    lock_one(work, holder_id)
    check_not_own(work.actor, holder_id)
