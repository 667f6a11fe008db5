"""The log of letters: what finished long ago moves out of the outbox, which stays small.

Whoever looks for a letter of a stage looks in both.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, insert, select, text

from tracker.models import FinishedMessage, Message, RelayAccept
from tracker.services.work import Work

_BATCH = 1000
# Written out, not bound: a partial index serves only a query that repeats its condition.
_FINISHED = text("message.finished_at is not null")
_KEPT = tuple(column.name for column in FinishedMessage.__table__.columns)


def archive(work: Work) -> int:
    """Move a batch of letters that finished long ago into the log; how many, 0 when all are there.

    One that was requeued by hand has no end and stays. The relay's evidence has served its turn.
    """
    before = work.now - timedelta(days=work.settings.reminders.finished_days)
    old = (
        select(Message.id)
        .where(_FINISHED, Message.finished_at < before)
        .order_by(Message.finished_at)
        .limit(_BATCH)
    )
    ids = [row.id for row in work.rows(old.with_for_update(skip_locked=True))]
    if ids:
        these = Message.id.in_(ids)
        kept = select(*(getattr(Message, name) for name in _KEPT)).where(these)
        work.connection.execute(insert(FinishedMessage).from_select(_KEPT, kept))
        evidence = RelayAccept.message_id.in_(select(Message.message_id).where(these))
        work.connection.execute(delete(RelayAccept).where(evidence))
        work.connection.execute(delete(Message).where(these))
    return len(ids)
