"""Machine tokens: opaque bearer secrets of which only the SHA-256 digest is stored."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import bindparam, func, or_, select, update

from tracker import db
from tracker.db import Instant, new_id
from tracker.domain.errors import Invalid, LimitReached, NotFound, TokenEnded
from tracker.domain.permissions import (
    OF_THE_BODY,
    ROLES,
    SCOPES,
    Actor,
    Role,
    Scope,
)
from tracker.models import Holder, Token
from tracker.services.core import history, organizations
from tracker.services.core.context import ReadContext, UnitOfWork, columns_of

PREFIX = "trk_"
_BYTES = 32  # of randomness: 43 characters of URL-safe base64
_TOUCH_EVERY = timedelta(minutes=1)
_LIVING = (
    Token.revoked_at.is_(None),
    or_(Token.expires_at.is_(None), Token.expires_at > bindparam("now", type_=Instant)),
)


class TokenRow(NamedTuple):
    """A token without its secret."""

    id: str
    name: str
    role: Role
    scopes: Sequence[Scope]
    holder_id: str | None
    organization_id: str | None
    recorded_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


class _TokenToCheck(NamedTuple):
    """What authentication reads of a token."""

    id: str
    name: str
    role: Role
    scopes: Sequence[Scope]
    holder_id: str | None
    organization_id: str | None
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    person_id: str
    made_by_holders: Sequence[str]


BY_DIGEST = select(*columns_of(_TokenToCheck, Token)).where(Token.digest == bindparam("digest"))


def create(
    work: UnitOfWork,
    *,
    name: str,
    role: Role,
    holder_id: str | None = None,
    organization_id: str | None = None,
    scopes: Collection[Scope] = SCOPES,
    expires_at: datetime | None = None,
    person_id: str | None = None,
) -> tuple[str, str]:
    """Make a token; returns its id and its secret, which cannot be read again.

    The token ends at the latest when the actor's own token ends. ``person_id`` is the person who
    will use it, by default a new one. A holder's token names the holder, and one for an
    organization names that. One of the certification body may also name a holder: the same person,
    on whose record they may then not decide. Raises Invalid, LimitReached, TokenEnded.
    """
    _check(
        work,
        name=name,
        role=role,
        holder_id=holder_id,
        organization_id=organization_id,
        scopes=scopes,
        expires_at=expires_at,
    )
    if person_id is not None:
        _check_room(work, person_id)
    secret, maker = PREFIX + secrets.token_urlsafe(_BYTES), work.actor
    row = Token(
        digest=_digest(secret),
        name=name,
        role=role,
        scopes=sorted(set(scopes)),
        holder_id=holder_id,
        recorded_at=work.now,
        expires_at=expires_at,
        maker_id=maker.token_id,
        maker_person_id=maker.person_id,
        person_id=person_id or new_id(),
        made_by_holders=sorted(filter(None, maker.makers | {maker.holder_id})),
    )
    row.name_organization(role, organization_id)
    work.session.add(row)
    work.session.flush()
    check_alive(work)  # the new row locks its maker's, so anyone ending that token now waits
    _record(work, row)
    return row.id, secret


def _record(work: UnitOfWork, row: Token) -> None:
    named = {"name": (None, row.name)}
    detail = {"role": row.role, "scopes": row.scopes}
    history.record(work, "create", "token", row.id, changes=named, **detail)


def _check_room(work: UnitOfWork, person_id: str) -> None:
    """Refuse a person more tokens than the limit allows. Raises LimitReached."""
    most = work.settings.limits.tokens
    living = select(func.count()).where(Token.person_id == person_id, *_LIVING)
    if work.row(living, {"now": work.now})[0] >= most:
        raise LimitReached(
            f"You have {most} active tokens, the most allowed; revoke one first.", limit=most
        )


def _check(
    work: UnitOfWork,
    *,
    name: str,
    role: str,
    holder_id: str | None,
    organization_id: str | None,
    scopes: Collection[str],
    expires_at: datetime | None,
) -> None:
    """Refuse a token that nobody could use. Raises Invalid."""
    faults: dict[str, str] = {}
    if not 0 < len(name) <= 100:  # noqa: PLR2004 - the column's length
        faults["name"] = "must have 1 to 100 characters"
    if role not in ROLES:
        faults["role"] = f"must be one of: {', '.join(ROLES)}"
    if not scopes or set(scopes) - set(SCOPES):
        faults["scopes"] = f"must be one or more of: {', '.join(SCOPES)}"
    if expires_at is not None and expires_at <= work.now:
        faults["expires_at"] = "must be in the future"
    if (role == "holder") != (holder_id is not None) and role not in OF_THE_BODY:
        faults["holder_id"] = "is required for the role holder and must be empty for other roles"
    elif holder_id is not None and work.session.get(Holder, holder_id) is None:
        faults["holder_id"] = "is not a holder on record"
    faults |= organizations.faults(work, role, organization_id)
    if faults:
        raise Invalid("This token cannot be created.", fields=faults)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()


def parameters(secret: str) -> dict[str, str]:
    """The parameters with which ``BY_DIGEST`` finds the token of a secret."""
    return {"digest": _digest(secret)}


def authenticate(reading: ReadContext, secret: str) -> Actor | None:
    """The actor who has this secret; None if it is unknown, expired or revoked.

    One statement, and once a minute another that records the use. The secret is looked up by its
    digest, so that the response time reveals nothing about it.
    """
    if not secret.startswith(PREFIX):
        return None
    row = reading.row_as(_TokenToCheck, BY_DIGEST, parameters(secret))
    if row is None or row.revoked_at is not None:
        return None
    if row.expires_at is not None and row.expires_at <= reading.now:
        return None
    if row.last_used_at is None or row.last_used_at <= reading.now - _TOUCH_EVERY:
        touch(reading, row.id)
    return Actor(
        role=row.role,
        name=row.name,
        token_id=row.id,
        holder_id=row.holder_id,
        organization_id=row.organization_id,
        scopes=frozenset(row.scopes),
        person_id=row.person_id,
        makers=frozenset(row.made_by_holders),
    )


def touch(reading: ReadContext, token_id: str) -> None:
    """Record that a token was used, at most once a minute.

    Never waits: if somebody else is writing, the use is recorded another time.
    """
    stale = or_(Token.last_used_at.is_(None), Token.last_used_at <= reading.now - _TOUCH_EVERY)
    row = select(Token.id).where(Token.id == token_id, stale).with_for_update(skip_locked=True)
    noted = update(Token).where(Token.id.in_(row)).values(last_used_at=reading.now)
    with db.without_waiting(reading.connection):
        reading.connection.execute(noted)


def check_alive(work: UnitOfWork) -> None:
    """Check again, inside the transaction, that the actor's token can still be used.

    It may have ended since the request began, since a client can send its request slowly. Raises
    TokenEnded.
    """
    id_ = work.actor.token_id
    if id_ is not None and work.row(_ALIVE, {"id": id_, "now": work.now}) is None:
        raise TokenEnded("The token was revoked or has expired.")


_ALIVE = select(Token.id).where(Token.id == bindparam("id"), *_LIVING)


def people_above(reading: ReadContext, token_id: str | None) -> set[str]:
    """The people who made a token, or the token with which it was made, and so on."""
    people: set[str] = set()
    while token_id is not None:
        made = select(Token.maker_id, Token.maker_person_id).where(Token.id == token_id)
        row = reading.row(made)
        people |= {row.maker_person_id} - {None}
        token_id = row.maker_id
    return people


def people_below(reading: ReadContext, person_id: str) -> set[str]:
    """A person and the people whose tokens that person made, or they in turn, and so on."""
    people, found = {person_id}, {person_id}
    while found:
        made = select(Token.person_id).where(Token.maker_person_id.in_(found))
        found = {row.person_id for row in reading.rows(made)} - people
        people |= found
    return people


def revoke(work: UnitOfWork, token_id: str) -> None:
    """End a token and every token made with it, directly or indirectly; ended ones do not change.

    A token that is being made at the same time either waits and is ended too, or finds that its
    maker has ended. Raises NotFound.
    """
    if work.session.get(Token, token_id, with_for_update=True) is None:
        raise NotFound
    ended: list[str] = []
    tree = [token_id]
    while tree:
        live = update(Token).where(Token.id.in_(tree), Token.revoked_at.is_(None))
        rows = work.rows(live.values(revoked_at=work.now).returning(Token.id))
        ended += sorted(row.id for row in rows)
        made = select(Token.id).where(Token.maker_id.in_(tree)).order_by(Token.id)
        tree = [row.id for row in work.rows(made.with_for_update())]
    above = {"with": token_id}
    lines = ((id_, {} if id_ == token_id else above) for id_ in ended)
    history.record_many(work, "revoke", "token", lines)


def page(
    reading: ReadContext, *, after: str | None = None, limit: int | None = None
) -> Sequence[TokenRow]:
    """The tokens in the order of their ids, without secrets."""
    statement = select(*columns_of(TokenRow, Token)).order_by(Token.id).limit(limit)
    if after:
        statement = statement.where(Token.id > after)
    return reading.rows_as(TokenRow, statement)


def has_administrator(reading: ReadContext) -> bool:
    """Whether there is an admin token that can still be used."""
    unexpired = or_(Token.expires_at.is_(None), Token.expires_at > reading.now)
    statement = select(Token.id).where(Token.role == "admin", Token.revoked_at.is_(None), unexpired)
    return reading.row(statement.limit(1)) is not None


def holder_of_ref(reading: ReadContext, ref: str) -> str:
    """The id of the holder with this ref. Raises Invalid."""
    known = func.coalesce(Holder.merged_into_id, Holder.id).label("id")
    row = reading.row(select(known).where(Holder.ref == ref))
    if row is None:
        raise Invalid(f"There is no holder {ref!r}.", fields={"holder": "is not on record"})
    return str(row.id)
