"""Sessions of people who signed in: start, authenticate, list, end.

A session is known by a random secret in the browser's cookie, of which only the digest is stored.
Every request reads it from the database, so a session that was ended is over for every process.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, bindparam, delete, select, update

from tracker import db
from tracker.db import new_id
from tracker.domain.errors import NotFound, SessionEnded
from tracker.domain.people import sessions as rules
from tracker.domain.people.accounts import acting_name, scopes_of
from tracker.domain.people.sessions import SessionLimits
from tracker.domain.permissions import Actor
from tracker.models import Account, Holder, LoginSession
from tracker.models.accounts import LONGEST_AGENT
from tracker.services.core import history
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.people import accounts, known_addresses
from tracker.services.people.accounts import AccountOwner
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
        Account.own_record_id,
        Account.organization_id,
        Account.access,
        Account.deactivated_at,
        LoginSession.proved_at,
        Holder.given_name,
        Holder.family_name,
        Holder.deceased_on,
        Holder.language,
        *known_addresses.ADDRESSES,
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


def start(
    work: UnitOfWork,
    account_id: str,
    *,
    email: str,
    agent: str,
    proved_at: datetime | None = None,
) -> tuple[str, str]:
    """Start a session; returns its id and its secret, which cannot be read again.

    ``proved_at`` is when the person proved who they are, if that was not just now.
    """
    secret = secrets.token_hex(_BYTES)
    row = LoginSession(
        digest=digest_of(secret),
        account_id=account_id,
        email=email,
        agent=agent[:LONGEST_AGENT],
        started_at=work.now,
        last_used_at=work.now,
        proved_at=proved_at or work.now,
    )
    work.session.add(row)
    work.session.flush()
    return row.id, secret


def enter(
    work: UnitOfWork,
    account_id: str,
    *,
    email: str,
    agent: str,
    former: str | None,
    proved_at: datetime | None = None,
    **detail: str,
) -> str | None:
    """Start a session of the actor's and record it in the history; returns its secret.

    ``former`` is the secret of the browser's session until now, which ends. None if the account may
    not sign in, or no longer. The account is locked (``accounts.lock()``).
    """
    session_id, secret = start(work, account_id, email=email, agent=agent, proved_at=proved_at)
    if actor_of(work, session_id) is None:
        return None
    if former is not None:
        end_by_secret(work, former)
    history.record(work, "sign_in", "account", account_id, session=session_id, **detail)
    return secret


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


def check_fresh(reading: ReadContext) -> None:
    """Refuse a sensitive act to people who have not proved lately who they are.

    Raises ReauthenticationRequired, or NotAllowed for a token.
    """
    rules.check_fresh(reading.actor, reading.now, within=fresh_for(reading.settings))


def check_fresh_person(reading: ReadContext) -> None:
    """The same for people alone: a token, whose maker had proved who they are, may go on.

    Raises ReauthenticationRequired.
    """
    if reading.actor.session_id is not None:
        check_fresh(reading)


def fresh_for(settings: Settings) -> timedelta:
    """How long it counts that somebody proved who they are."""
    return timedelta(minutes=settings.accounts.fresh_minutes)


def prove(work: UnitOfWork) -> None:
    """Record that the actor has proved who they are, in this session."""
    mine = LoginSession.id == work.actor.session_id
    work.execute(update(LoginSession).where(mine).values(proved_at=work.now))


def own_address(reading: ReadContext) -> str:
    """The address with which the actor signed in to this session."""
    mine = select(LoginSession.email).where(LoginSession.id == reading.actor.session_id)
    return str(reading.row(mine).email)


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
    closed = (row.ended_at, row.deceased_on, row.deactivated_at)
    if over or any(one is not None for one in closed):
        return False
    return row.role != "holder" or known_addresses.is_theirs(row)


def _actor(row: Any) -> Actor:
    return Actor(
        role=row.role,
        name=row.name or acting_name(row.given_name, row.family_name),
        holder_id=row.holder_id or row.own_record_id,
        organization_id=row.organization_id,
        scopes=scopes_of(row.access),
        person_id=row.account_id,
        session_id=row.id,
        proved_at=row.proved_at or row.started_at,
        language=row.language,
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
    actor = reading.actor
    if actor.role == "holder":
        return _page(reading, _OF_HOLDER, actor.holder_id, after=after, limit=limit)
    return _page(reading, _OF_ACCOUNT, actor.person_id, after=after, limit=limit)


def of_account(
    reading: ReadContext, account_id: str, *, after: str | None, limit: int
) -> Sequence[Any]:
    """The same of an account that the caller has found to be the actor's business."""
    return _page(reading, _OF_ACCOUNT, account_id, after=after, limit=limit)


_OPEN = (
    select(*_LISTED)
    .where(
        LoginSession.ended_at.is_(None),
        LoginSession.last_used_at > bindparam("used_after"),
        LoginSession.started_at > bindparam("started_after"),
    )
    .order_by(LoginSession.id)
    .limit(bindparam("limit", type_=Integer))
)
_OF_ACCOUNT = _OPEN.where(LoginSession.account_id == bindparam("owner"))
_OF_HOLDER = _OPEN.where(
    LoginSession.account_id.in_(select(Account.id).where(Account.holder_id == bindparam("owner")))
)


def _page(
    reading: ReadContext,
    statement: Select[*tuple[Any, ...]],
    owner: str | None,
    *,
    after: str | None,
    limit: int,
) -> Sequence[Any]:
    allowed = limits(reading.settings)
    if after:
        statement = statement.where(LoginSession.id > after)
    parameters = {
        "owner": owner,
        "used_after": reading.now - allowed.idle,
        "started_after": reading.now - allowed.absolute,
        "limit": limit,
    }
    return reading.rows(statement, parameters)


def own_account_id(reading: ReadContext) -> str:
    """The account of the actor's session. Raises NotFound for a token."""
    actor = reading.actor
    if actor.session_id is None or actor.person_id is None:
        raise NotFound
    return actor.person_id


def lock_fresh(work: UnitOfWork) -> AccountOwner:
    """The actor's account, locked, for a sensitive act.

    Raises NotFound for a token, ReauthenticationRequired.
    """
    id_ = own_account_id(work)
    check_fresh(work)
    return accounts.lock(work, id_)


def mine(actor: Actor) -> Any:
    """The accounts of the actor: a holder's, or else the one that the actor signed in with."""
    own: ColumnElement[bool] = Account.id == actor.person_id
    if actor.role == "holder":
        own = Account.holder_id == actor.holder_id
    return select(Account.id).where(own)


def end(work: UnitOfWork, session_id: str) -> None:
    """End one of the actor's own sessions. Raises NotFound, also for another person's."""
    own = select(LoginSession.id).where(
        LoginSession.id == session_id, LoginSession.account_id.in_(mine(work.actor))
    )
    if work.row(own) is None:
        raise NotFound
    _end(work, LoginSession.id == session_id)


def end_of_account(work: UnitOfWork, account_id: str, session_id: str) -> None:
    """End a session of an account that is the actor's business. Raises NotFound."""
    theirs = (LoginSession.id == session_id) & (LoginSession.account_id == account_id)
    if work.row(select(LoginSession.id).where(theirs)) is None:
        raise NotFound
    _end(work, theirs)


def end_by_secret(work: UnitOfWork, secret: str) -> None:
    """End the session with this secret, if there is one: the browser has another one now."""
    _end(work, LoginSession.digest == digest_of(secret))


def end_all(work: UnitOfWork, account_id: str, *, but: str | None = None) -> None:
    """End the sessions of an account, except one. The account is locked (``accounts.lock()``)."""
    _end(work, (LoginSession.account_id == account_id) & (LoginSession.id != (but or new_id())))


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
