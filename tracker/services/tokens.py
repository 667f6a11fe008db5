"""Machine tokens: made once, shown once, kept as a digest, looked up in one statement."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, or_, select, update

from tracker.domain.errors import Invalid, NotFound
from tracker.domain.permissions import SCOPES, Actor, Role, Scope
from tracker.models import Token
from tracker.services import history
from tracker.services.work import Reading, Work

PREFIX = "trk_"
_TOUCH_EVERY = timedelta(minutes=1)

_BY_DIGEST = select(
    Token.id, Token.name, Token.role, Token.scopes, Token.holder_id, Token.employer_id,
    Token.last_used_at,
).where(
    Token.digest == bindparam("digest"), Token.revoked_at.is_(None),
    or_(Token.expires_at.is_(None), Token.expires_at > bindparam("now", type_=Token.expires_at.type)),
)  # fmt: skip


def create(
    work: Work, *, name: str, role: Role, holder_id: str | None = None,
    employer_id: str | None = None, scopes: Iterable[Scope] = SCOPES,
    expires_at: datetime | None = None,
) -> tuple[str, str]:  # fmt: skip
    """Make a token; returns its id and the secret, which is shown this once.

    Raises Invalid if a holder's token names no holder, or an employer's no employer.
    """
    if (role == "holder") != (holder_id is not None):
        rule = "is required for the role holder, and for no other"
        raise Invalid("The token does not fit its role.", fields={"holder_id": rule})
    if (role == "employer") != (employer_id is not None):
        rule = "is required for the role employer, and for no other"
        raise Invalid("The token does not fit its role.", fields={"employer_id": rule})
    secret = PREFIX + secrets.token_urlsafe(32)
    token = Token(
        digest=_digest(secret), name=name, role=role, holder_id=holder_id,
        employer_id=employer_id, scopes=sorted(scopes), expires_at=expires_at,
        recorded_at=work.now,
    )  # fmt: skip
    work.session.add(token)
    work.session.flush()
    history.record(work, "create", "token", token.id, name=name, role=role)
    return token.id, secret


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def authenticate(reading: Reading, secret: str) -> Actor | None:
    """The actor that a secret stands for; None if it is unknown, expired or revoked."""
    if not secret.startswith(PREFIX):
        return None
    row = reading.row(_BY_DIGEST, {"digest": _digest(secret), "now": reading.now})
    if row is None:
        return None
    if row.last_used_at is None or reading.now - row.last_used_at > _TOUCH_EVERY:
        _touch(reading, row.id)
    return Actor(
        role=row.role, name=row.name, token_id=row.id, holder_id=row.holder_id,
        employer_id=row.employer_id, scopes=frozenset(row.scopes),
    )  # fmt: skip


def _touch(reading: Reading, token_id: str) -> None:
    """Note the use, at most once a minute, so that reads stay reads."""
    reading.connection.execute(
        update(Token).where(Token.id == token_id).values(last_used_at=reading.now)
    )


def page(
    reading: Reading, *, after: str | None = None, limit: int | None = None
) -> list[Any]:
    """Tokens without their secrets, in the order of their ids; one's own unless admin."""
    statement = select(
        Token.id, Token.name, Token.role, Token.scopes, Token.holder_id, Token.employer_id,
        Token.recorded_at, Token.expires_at, Token.last_used_at, Token.revoked_at,
    ).order_by(Token.id).limit(limit)  # fmt: skip
    actor = reading.actor
    if actor.role != "admin":
        own = (Token.role == actor.role, Token.name == actor.name)
        own += (Token.holder_id == actor.holder_id,) if actor.holder_id else ()
        own += (Token.employer_id == actor.employer_id,) if actor.employer_id else ()
        statement = statement.where(*own)
    if after:
        statement = statement.where(Token.id > after)
    return list(reading.rows(statement))


def revoke(work: Work, token_id: str) -> None:
    """End a token at once. Raises NotFound, also for somebody else's."""
    if all(row.id != token_id for row in page(work)):
        raise NotFound
    work.connection.execute(
        update(Token)
        .where(Token.id == token_id, Token.revoked_at.is_(None))
        .values(revoked_at=work.now)
    )
    history.record(work, "revoke", "token", token_id)
