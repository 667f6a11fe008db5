"""Sessions of people who signed in: start, authenticate, list, end.

A session is known by a random secret in the browser's cookie, of which only the digest is stored.
Every request reads it from the database, so a session that was ended is over for every process.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, bindparam, delete, select, update

from tracker import db
from tracker.domain.errors import NotFound, SessionEnded
from tracker.domain.people.accounts import acting_name
from tracker.domain.people.sessions import SessionLimits
from tracker.domain.permissions import Actor
from tracker.models import Account, Holder, LoginSession
from tracker.models.accounts import LONGEST_AGENT
from tracker.services.core import history
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.people import accounts
from tracker.settings import Settings

_BYTES = 32  # of randomness in a secret
_TOUCH_EVERY = timedelta(minutes=1)
_KEPT = timedelta(days=30)  # ended sessions; answers to their requests are kept for less
_SESSIONS = (
    select(
        LoginSession.id,
        LoginSession.account_id,
        LoginSession.email,
        LoginSession.started_at,
        LoginSession.last_used_at,
        LoginSession.ended_at,
        Account.role,
        Account.name,
        Account.holder_id,
        Account.employer_id,
        Holder.given_name,
        Holder.family_name,
        Holder.deceased_on,
        *accounts.ADDRESSES,
    )
    .join(Account, Account.id == LoginSession.account_id)
    .join(Holder, Holder.id == Account.holder_id, isouter=True)
)
_BY_DIGEST = _SESSIONS.where(LoginSession.digest == bindparam("digest"))
_BY_ID = _SESSIONS.where(LoginSession.id == bindparam("id"))
_LISTED = (
    LoginSession.id,
    LoginSession.agent,
    LoginSession.started_at,
    LoginSession.last_used_at,
)


def digest_of(secret: str) -> str:
    """The digest under which a secret is stored."""
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()


def limits(settings: Settings) -> SessionLimits:
    """How long sessions live, from the settings."""
    chosen = settings.accounts
    return SessionLimits(
        idle=timedelta(minutes=chosen.idle_minutes),
        absolute=timedelta(hours=chosen.session_hours),
    )


def start(work: UnitOfWork, account_id: str, *, email: str, agent: str) -> tuple[str, str]:
    """Start a session; returns its id and its secret, which cannot be read again."""
    secret = secrets.token_hex(_BYTES)
    row = LoginSession(
        digest=digest_of(secret),
        account_id=account_id,
        email=email,
        agent=agent[:LONGEST_AGENT],
        started_at=work.now,
        last_used_at=work.now,
    )
    work.session.add(row)
    work.session.flush()
    return row.id, secret


def authenticate(reading: ReadContext, secret: str) -> Actor | None:
    """The actor whose session has this secret; None if it is unknown or over.

    One statement, and once a minute another that records the use.
    """
    row = reading.row(_BY_DIGEST, {"digest": digest_of(secret)})
    if row is None or not _is_alive(reading, row):
        return None
    if row.last_used_at <= reading.now - _TOUCH_EVERY:
        _touch(reading, row.id)
    return _actor(row)


def actor_of(reading: ReadContext, session_id: str) -> Actor | None:
    """The actor of a session by its id; None if it is over."""
    row = reading.row(_BY_ID, {"id": session_id})
    return _actor(row) if row is not None and _is_alive(reading, row) else None


def check_alive(work: UnitOfWork) -> None:
    """Check again, inside the transaction, that the actor's session is not over.

    Raises SessionEnded.
    """
    id_ = work.actor.session_id
    if id_ is not None and actor_of(work, id_) is None:
        raise SessionEnded("The session has ended; sign in again.")


def _is_alive(reading: ReadContext, row: Any) -> bool:
    """Whether a session may still be used; a holder's needs an address that may sign in."""
    over = limits(reading.settings).is_over(
        reading.now, started_at=row.started_at, last_used_at=row.last_used_at
    )
    if over or row.ended_at is not None or row.deceased_on is not None:
        return False
    return row.role != "holder" or accounts.is_theirs(row)


def _actor(row: Any) -> Actor:
    return Actor(
        role=row.role,
        name=row.name or acting_name(row.given_name, row.family_name),
        holder_id=row.holder_id,
        employer_id=row.employer_id,
        person_id=row.account_id,
        session_id=row.id,
    )


def _touch(reading: ReadContext, session_id: str) -> None:
    """Record that a session was used; never waits for another writer."""
    stale = LoginSession.last_used_at <= reading.now - _TOUCH_EVERY
    row = select(LoginSession.id).where(LoginSession.id == session_id, stale)
    noted = update(LoginSession).where(LoginSession.id.in_(row.with_for_update(skip_locked=True)))
    with db.without_waiting(reading.connection):
        reading.connection.execute(noted.values(last_used_at=reading.now))


def page(reading: ReadContext, *, after: str | None, limit: int) -> Sequence[Any]:
    """A page of the actor's own sessions that are not over, in the order of their ids."""
    allowed = limits(reading.settings)
    statement = (
        select(*_LISTED)
        .where(
            LoginSession.account_id.in_(_mine(reading.actor)),
            LoginSession.ended_at.is_(None),
            LoginSession.last_used_at > reading.now - allowed.idle,
            LoginSession.started_at > reading.now - allowed.absolute,
        )
        .order_by(LoginSession.id)
        .limit(limit)
    )
    if after:
        statement = statement.where(LoginSession.id > after)
    return reading.rows(statement)


def _mine(actor: Actor) -> Any:
    """The accounts of the actor: a holder's, or else the one that the actor signed in with."""
    own: ColumnElement[bool] = Account.id == actor.person_id
    if actor.role == "holder":
        own = Account.holder_id == actor.holder_id
    return select(Account.id).where(own)


def end(work: UnitOfWork, session_id: str) -> None:
    """End one of the actor's own sessions. Raises NotFound, also for another person's."""
    own = select(LoginSession.id).where(
        LoginSession.id == session_id, LoginSession.account_id.in_(_mine(work.actor))
    )
    if work.row(own) is None:
        raise NotFound
    _end(work, LoginSession.id == session_id)


def end_by_secret(work: UnitOfWork, secret: str) -> None:
    """End the session with this secret, if there is one: the browser has another one now."""
    _end(work, LoginSession.digest == digest_of(secret))


def _end(work: UnitOfWork, which: ColumnElement[bool]) -> None:
    ended = update(LoginSession).where(which, LoginSession.ended_at.is_(None))
    ended = ended.values(ended_at=work.now)
    for row in work.rows(ended.returning(LoginSession.id, LoginSession.account_id)):
        history.record(work, "sign_out", "account", row.account_id, session=row.id)


def forget_old(work: UnitOfWork) -> None:
    """Delete sessions that began so long ago that nothing refers to them any more."""
    kept = max(_KEPT, timedelta(days=work.settings.api.idempotency_days + 1))
    kept += limits(work.settings).absolute
    work.execute(delete(LoginSession).where(LoginSession.started_at < work.now - kept))
