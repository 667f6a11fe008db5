"""Manual acts on a message in the outbox, once somebody has looked into it: requeue or cancel."""

from __future__ import annotations

from sqlalchemy import select, update

from tracker.domain.delivery.queue_acts import TRANSITIONS, MessageState, QueueAct, check_act
from tracker.domain.errors import NotFound
from tracker.models import Message
from tracker.services.core import history
from tracker.services.core.context import UnitOfWork
from tracker.services.core.row_scope import scope


def change(work: UnitOfWork, message_id: str, act: QueueAct, *, reason: str) -> bool:
    """Do the act and record who did it and why; False if the message was already in that state.

    A message that may have been sent is sent again with the same words; one that the relay refused
    is recomposed. Raises NotFound, or IllegalTransition if the act does not apply to the state.
    """
    statement = select(Message.state, Message.about).where(
        Message.id == message_id, scope(work.actor, Message)
    )
    row = work.row(statement.with_for_update())
    if row is None:
        raise NotFound
    if not check_act(act, row.state):
        return False
    after = TRANSITIONS[act].after
    values: dict[str, object] = {}
    if row.state == MessageState.DEAD:
        about = {key: value for key, value in (row.about or {}).items() if key != "refused"}
        values = {"facts": None, "about": about or None}
    if after == MessageState.CANCELLED:
        values = {"last_error": f"Canceled manually: {reason}"}
    work.connection.execute(
        update(Message)
        .where(Message.id == message_id, scope(work.actor, Message))
        .values(state=after, **_dates(work, after), **values)
    )
    history.record(work, act, "message", message_id, before=row.state, reason=reason)
    return True


def _dates(work: UnitOfWork, after: str) -> dict[str, object]:
    """The instants that go with the state: when the message is next tried, and when it ended."""
    dates: dict[str, object] = {"lease_until": None, "finished_at": None}
    if after == MessageState.READY:
        return dates | {"next_at": work.now}
    return dates | {"finished_at": work.now} if after == MessageState.CANCELLED else dates
