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
from typing import NamedTuple

from sqlalchemy import BindParameter, bindparam, select

from tracker.domain.delivery.queue_acts import WAITING, MessageState
from tracker.domain.errors import NotFound
from tracker.models import Message
from tracker.services.core.context import ReadContext
from tracker.services.core.row_scope import scope
from tracker.services.delivery import composers
from tracker.services.delivery.sealing import Composed, MessageClaim
from tracker.services.delivery.stored_facts import StoredFacts
from tracker.services.outbox.queue import SECRET, MessageAbout

LEFT = (MessageState.SENT, MessageState.TRANSMITTING, MessageState.AMBIGUOUS, MessageState.DEAD)
"""The states of a message that was sent or tried; holders see theirs in these states."""


class OutboxMessage(NamedTuple):
    """A row of the outbox."""

    id: str
    message_id: str
    kind: str
    state: str
    holder_id: str | None
    employer_id: str | None
    address: str
    stage: int | None
    facts: StoredFacts | None
    created_at: datetime
    attempts: int
    last_error: str | None
    finished_at: datetime | None
    about: MessageAbout | None
    priority: int
    next_at: datetime
    useful_until: datetime
    token: int


_OUTBOX = select(*(getattr(Message, name) for name in OutboxMessage._fields))


@dataclass(frozen=True, slots=True)
class Copy:
    """A message's row, and its words if it has any; ``next_at`` is None once it is finished."""

    row: OutboxMessage
    subject: str | None
    text: str | None

    @property
    def id(self) -> str:
        """The row's id, used for paging."""
        return self.row.id

    @property
    def next_at(self) -> datetime | None:
        """When the message is next tried; None if it will not be."""
        return self.row.next_at if self.row.state in WAITING else None


@dataclass(frozen=True, slots=True)
class MessageFilter:
    """Which messages to list: the filters, the id to start after, and the most per page."""

    after: str | None
    limit: int
    states: tuple[str, ...] | None = None
    kind: str | None = None
    holder_id: str | None = None


def page(reading: ReadContext, key: bytes, wanted: MessageFilter) -> list[Copy]:
    """A page of messages, the newest first."""
    return _copies(reading, key, newest(reading, wanted))


def mine(reading: ReadContext, key: bytes, *, after: str | None, limit: int) -> list[Copy]:
    """What was sent to the holder who asks, the newest first; untried messages are left out.

    Only holders have a message list. Raises NotFound for other actors.
    """
    if reading.actor.holder_id is None:
        raise NotFound
    return page(reading, key, MessageFilter(after, limit, LEFT, holder_id=reading.actor.holder_id))


def one(reading: ReadContext, key: bytes, message_id: str) -> Copy:
    """One message. Raises NotFound."""
    row = reading.row_as(
        OutboxMessage, _OUTBOX.where(Message.id == message_id, scope(reading.actor, Message))
    )
    if row is None:
        raise NotFound
    return _copies(reading, key, [row])[0]


def as_due(reading: ReadContext, key: bytes, message_id: str) -> Copy | None:
    """A message that waits as it would be sent now; None if there is none, or nothing is owed."""
    own = scope(reading.actor, Message)
    row = reading.row_as(OutboxMessage, _OUTBOX.where(Message.id == message_id, own))
    made = composers.written(reading, key, [_claim(row)]) if row else {}
    found = next(iter(made.values()), None)
    if row is None or not isinstance(found, Composed):
        return None
    return Copy(row, *_words(found.data))


def newest(reading: ReadContext, wanted: MessageFilter) -> list[OutboxMessage]:
    """A page of messages without their words, the newest first."""
    statement = _OUTBOX.where(scope(reading.actor, Message))
    for name in ("kind", "holder_id"):
        if getattr(wanted, name) is not None:
            statement = statement.where(getattr(Message, name) == getattr(wanted, name))
    if wanted.states is not None:
        # Written out, not bound: a partial index serves only a query that repeats its condition.
        states: BindParameter[str] = bindparam(
            "states", wanted.states, expanding=True, literal_execute=True
        )
        statement = statement.where(Message.state.in_(states))
    if wanted.after is not None:
        statement = statement.where(Message.id < wanted.after)
    last = statement.order_by(Message.id.desc()).limit(wanted.limit)
    return reading.rows_as(OutboxMessage, last)


def _copies(reading: ReadContext, key: bytes, rows: Sequence[OutboxMessage]) -> list[Copy]:
    """The rows with their words, composed again by a constant number of statements per kind.

    A message to sign in has no words here: anyone who has its code or link is taken for the person.
    """
    readable = [row for row in rows if row.facts is not None and row.kind not in SECRET]
    claims = [_claim(row) for row in readable]
    made = composers.written(reading, key, claims)
    words = {id_: _words(m.data) for id_, m in made.items() if isinstance(m, Composed)}
    return [Copy(row, *words.get(row.id, (None, None))) for row in rows]


def _claim(row: OutboxMessage) -> MessageClaim:
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
