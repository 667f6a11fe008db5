"""Answers kept for repeated requests, and deleted when they are old."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, delete, insert, select

from tracker.db import new_id
from tracker.domain.permissions import Actor
from tracker.models import IdempotencyKey
from tracker.services.core.context import ReadContext, UnitOfWork


@dataclass(frozen=True, slots=True)
class RememberedAnswer:
    """The answer that a request got, and the digest of that request."""

    request_digest: str
    status: int
    body: bytes
    headers: Mapping[str, str]


def remembered(reading: ReadContext, actor: Actor, key: str) -> RememberedAnswer | None:
    """The answer that the actor's request with this key got, if there was one."""
    row = reading.row(
        select(
            IdempotencyKey.request_digest,
            IdempotencyKey.status,
            IdempotencyKey.body,
            IdempotencyKey.headers,
        ).where(_is_of(actor), IdempotencyKey.key == key)
    )
    return None if row is None else RememberedAnswer(*row)


def _is_of(actor: Actor) -> ColumnElement[bool]:
    """The condition that the key is the actor's, who came with a token or by a session."""
    column = IdempotencyKey.token_id if actor.token_id else IdempotencyKey.session_id
    return and_(column.is_not(None), column == actor.credential_id)


def remember(work: UnitOfWork, key: str, answer: RememberedAnswer) -> None:
    """Store an answer in the transaction of the request that it answers.

    Raises IntegrityError if another request with the same key was answered in the meantime.
    """
    work.session.flush()
    values = {
        "id": new_id(),
        "token_id": work.actor.token_id,
        "session_id": work.actor.session_id,
        "key": key,
        "request_digest": answer.request_digest,
        "status": answer.status,
        "body": answer.body,
        "headers": dict(answer.headers),
        "recorded_at": work.now,
    }
    work.connection.execute(insert(IdempotencyKey).values(values))


def forget_old(work: UnitOfWork) -> int:
    """Delete the answers older than the settings allow; returns how many."""
    oldest = work.now - timedelta(days=work.settings.api.idempotency_days)
    statement = delete(IdempotencyKey).where(IdempotencyKey.recorded_at < oldest)
    return work.connection.execute(statement).rowcount
