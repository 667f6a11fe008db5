"""Lists of the outbox's messages with their words, for holders and staff.

A message is never stored as text: it is composed again from the facts stored with it, which gives
the same words. Before it is handed over it has no words yet.
"""

from __future__ import annotations

import email
import email.policy
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from typing import Any

from sqlalchemy import bindparam, select

from tracker.domain.delivery.queue_acts import WAITING, MessageState
from tracker.domain.errors import NotFound
from tracker.models import Message
from tracker.services.core.context import ReadContext
from tracker.services.delivery import composers
from tracker.services.delivery.sealing import Composed, MessageClaim
from tracker.services.outbox.queue import SIGN_IN

LEFT = (MessageState.SENT, MessageState.TRANSMITTING, MessageState.AMBIGUOUS, MessageState.DEAD)
"""The states of a message that was sent or tried; holders see theirs in these states."""

_OUTBOX = select(
    Message.id,
    Message.message_id,
    Message.kind,
    Message.state,
    Message.holder_id,
    Message.employer_id,
    Message.address,
    Message.stage,
    Message.facts,
    Message.created_at,
    Message.attempts,
    Message.last_error,
    Message.finished_at,
    Message.about,
    Message.priority,
    Message.next_at,
    Message.useful_until,
    Message.token,
)


@dataclass(frozen=True, slots=True)
class Copy:
    """A message's row, and its words if it has any; ``next_at`` is None once it is finished."""

    row: Any
    subject: str | None
    text: str | None

    @property
    def id(self) -> str:
        """The row's id, used for paging."""
        return str(self.row.id)

    @property
    def next_at(self) -> datetime | None:
        """When the message is next tried; None if it will not be."""
        found: datetime | None = self.row.next_at
        return found if self.row.state in WAITING else None


@dataclass(frozen=True, slots=True)
class MessageFilter:
    """Which messages to list: the filters, the id to start after, and the most per page."""

    after: str | None
    limit: int
    states: tuple[str, ...] | None = None
    kind: str | None = None
    holder_id: str | None = None


def page(reading: ReadContext, key: bytes, asked: MessageFilter) -> list[Copy]:
    """A page of messages, the newest first."""
    return _copies(reading, key, _newest(reading, asked))


def mine(reading: ReadContext, key: bytes, *, after: str | None, limit: int) -> list[Copy]:
    """What was sent to the holder who asks, the newest first; untried messages are left out.

    Only holders have a message list. Raises NotFound for other actors.
    """
    if reading.actor.holder_id is None:
        raise NotFound
    return page(reading, key, MessageFilter(after, limit, LEFT, holder_id=reading.actor.holder_id))


def one(reading: ReadContext, key: bytes, message_id: str) -> Copy:
    """One message. Raises NotFound."""
    row = reading.row(_OUTBOX.where(Message.id == message_id))
    if row is None:
        raise NotFound
    return _copies(reading, key, [row])[0]


def _newest(reading: ReadContext, asked: MessageFilter) -> Sequence[Any]:
    statement = _OUTBOX
    for name in ("kind", "holder_id"):
        if getattr(asked, name) is not None:
            statement = statement.where(getattr(Message, name) == getattr(asked, name))
    if asked.states is not None:
        # Written out, not bound: a partial index serves only a query that repeats its condition.
        one_of: Any = bindparam("states", asked.states, expanding=True, literal_execute=True)
        statement = statement.where(Message.state.in_(one_of))
    if asked.after is not None:
        statement = statement.where(Message.id < asked.after)
    return reading.rows(statement.order_by(Message.id.desc()).limit(asked.limit))


def _copies(reading: ReadContext, key: bytes, rows: Sequence[Any]) -> list[Copy]:
    """The rows with their words, composed again by a constant number of statements per kind.

    Nobody reads a message to sign in here: whoever has its code is taken for the person.
    """
    told = [_claim(row) for row in rows if row.facts is not None and row.kind != SIGN_IN]
    made = composers.written(reading, key, told)
    words = {id_: _words(one.data) for id_, one in made.items() if isinstance(one, Composed)}
    return [Copy(row, *words.get(row.id, (None, None))) for row in rows]


def _claim(row: Any) -> MessageClaim:
    """The row in the form that composing takes; fields that only a worker needs are filled in."""
    instant = row.finished_at or row.created_at
    return MessageClaim(
        id=row.id,
        kind=row.kind,
        token=row.token,
        lease_until=instant,
        message_id=row.message_id,
        holder_id=row.holder_id,
        employer_id=row.employer_id,
        stage=row.stage,
        about=row.about,
        attempts=row.attempts,
        useful_until=row.useful_until,
        priority=row.priority,
        next_at=row.next_at,
        facts=row.facts,
    )


def _words(data: bytes) -> tuple[str, str | None]:
    """The subject and plain text of a message's bytes."""
    message = email.message_from_bytes(data, _class=EmailMessage, policy=email.policy.default)
    part = message.get_body(("plain",))
    text = part.get_content() if part is not None else None
    return str(message["Subject"]), text.replace("\r\n", "\n") if text else None
