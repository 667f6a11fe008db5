"""Putting messages into the outbox, in the transaction that owes them.

What becomes of them afterwards is in ``leases.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from sqlalchemy import bindparam, case, select, update

from tracker.db import new_id, written
from tracker.domain.delivery.queue_acts import MessageState
from tracker.mail import envelopes
from tracker.models import Message
from tracker.services.core import bulk
from tracker.services.core.context import UnitOfWork, sees_everything

# Priorities, the lowest number first; urgent: it expires within days, or somebody waits for it.
_URGENT, _USUAL = 1, 5
AGAIN = 9
"""The priority of a second copy: it never overtakes a message that was never sent."""
_URGENT_STAGE = 7
SIGN_IN = "sign_in"
"""The kind of the message with a code to sign in, for which somebody waits."""
ACCOUNT = "account"
"""The kind of messages about accounts: links to choose a password, and changes to an account."""
SECRET = (SIGN_IN, ACCOUNT)
"""The kinds whose words are in no list: whoever has the code or the link is taken for the person.

Somebody waits for them, too.
"""
FIRST_PRIORITY = case(
    (Message.stage <= _URGENT_STAGE, _URGENT), (Message.kind.in_(SECRET), _URGENT), else_=_USUAL
)
"""The priority of a message that was never sent, for example because the relay never took it."""
# Written out, not bound: a partial index serves only a query that repeats its condition.
_READY = written("message.state", MessageState.READY)


class MessageAbout(TypedDict, total=False):
    """What no other row says about a message.

    ``type`` and ``lane`` are those of notices; ``refused`` are the addresses that refused the
    message for good, in compared form. ``sign_in_id`` is the attempt that a code or link belongs
    to, ``account_id`` or ``holder_id`` whose account it is about; then ``type`` says what, and
    ``address`` where the owner is told if not at the account's own address, ``why`` something was
    refused, and the ``place`` where it happened. An invitation has ``invitation_id`` and which
    sending it is.
    """

    type: str
    lane: str
    refused: list[str]
    digest_id: str
    sign_in_id: str
    account_id: str
    holder_id: str
    address: str
    why: str
    place: str
    invitation_id: str
    sending: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageToSend:
    """A message to be sent; ``key`` identifies it, for example by holder and local day.

    For a reminder, ``stage`` is the most urgent stage it contains and ``useful_until`` the last
    instant at which any of them is useful. ``not_before`` delays the message, which otherwise
    leaves at once.
    """

    key: str
    kind: str
    address: str
    useful_until: datetime
    holder_id: str | None = None
    employer_id: str | None = None
    stage: int | None = None
    not_before: datetime | None = None
    about: MessageAbout | None = None

    def begins(self, now: datetime) -> datetime:
        """The first instant at which it may be sent."""
        return self.not_before or now

    @property
    def is_urgent(self) -> bool:
        """Whether it is about something that expires within days, or somebody waits for it."""
        if self.kind in SECRET:
            return True
        return self.stage is not None and self.stage <= _URGENT_STAGE

    @property
    def priority(self) -> int:
        """The priority in the outbox; urgent messages go first."""
        return _URGENT if self.is_urgent else _USUAL


def first(key: str) -> str:
    """The dedupe key of the first message of a key; a later one gets the next number."""
    return f"{key}:1"


@sees_everything
def enqueue(
    work: UnitOfWork, message_key: bytes, wanted: Sequence[MessageToSend]
) -> dict[str, str]:
    """Put messages into the outbox; returns the id of each by its key.

    If a message of the same key still waits, the new one joins it; if it was already claimed, a
    second one is made. Keys are taken in order, so that two planners cannot deadlock.
    """
    ids: dict[str, str] = {}
    rest, number = sorted(wanted, key=lambda message: message.key), 1
    while rest:
        ids |= _insert(work, message_key, rest, number)
        rest = [message for message in rest if message.key not in ids]
        if rest:
            ids |= _join(work, rest, number)
            rest = [message for message in rest if message.key not in ids]
        number += 1
    return ids


def _insert(
    work: UnitOfWork, message_key: bytes, wanted: Sequence[MessageToSend], number: int
) -> dict[str, str]:
    domain = work.settings.mail.message_id_domain
    rows = [
        {
            "id": new_id(),
            "dedupe_key": (key := f"{message.key}:{number}"),
            "message_id": envelopes.message_id(message_key, key, domain),
            "kind": message.kind,
            "holder_id": message.holder_id,
            "employer_id": message.employer_id,
            "address": message.address,
            "stage": message.stage,
            "about": message.about,
            "priority": message.priority,
            "state": MessageState.READY,
            "created_at": work.now,
            "next_at": message.begins(work.now),
            "useful_until": message.useful_until,
            "token": 0,
            "attempts": 0,
        }
        for message in wanted
    ]
    inserted = bulk.insert_new(
        work, Message, rows, key=["dedupe_key"], returning=["dedupe_key", "id"]
    )
    return {row.dedupe_key.removesuffix(f":{number}"): row.id for row in inserted}


_JOIN = (
    update(Message)
    .where(Message.id == bindparam("b_id"))
    .values(
        stage=bindparam("b_stage"),
        priority=bindparam("b_priority"),
        useful_until=bindparam("b_until"),
        next_at=bindparam("b_next_at"),
    )
)


def _join(work: UnitOfWork, wanted: Sequence[MessageToSend], number: int) -> dict[str, str]:
    """Join messages that still wait; what they say is read only when they are claimed.

    A delayed message leaves as early as the earlier of the two.
    """
    by_key = {f"{message.key}:{number}": message for message in wanted}
    statement = (
        select(
            Message.id,
            Message.dedupe_key,
            Message.stage,
            Message.priority,
            Message.useful_until,
            Message.next_at,
            Message.attempts,
        )
        .where(bulk.among(work, Message.dedupe_key, by_key), _READY, Message.facts.is_(None))
        .order_by(Message.dedupe_key)
    )
    rows = work.rows(statement.with_for_update())
    if rows:
        joined = [(row, by_key[row.dedupe_key]) for row in rows]
        stages = {
            row.id: [s for s in (row.stage, message.stage) if s is not None]
            for row, message in joined
        }
        values = [
            {
                "b_id": row.id,
                "b_stage": min(stages[row.id], default=None),
                "b_priority": min(row.priority, message.priority),
                "b_until": max(row.useful_until, message.useful_until),
                "b_next_at": row.next_at
                if row.attempts
                else min(row.next_at, message.begins(work.now)),
            }
            for row, message in joined
        ]
        work.connection.execute(_JOIN, values)
    return {by_key[row.dedupe_key].key: row.id for row in rows}
