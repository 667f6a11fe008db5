"""Passkeys: add, list, rename, remove; sign in with one, or confirm who it is.

Each begins with a challenge for one browser, which is used once, right or wrong, and soon expires.
To sign in nobody says who they are: the passkey does, so the question is the same for everybody.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.exc import IntegrityError

from tracker.db import new_id
from tracker.domain.errors import Conflict, NotFound, WrongProof
from tracker.domain.people import passkeys as rules
from tracker.domain.people.sign_in import AttemptPurpose
from tracker.models import Account, Passkey, SignIn
from tracker.services.core import history
from tracker.services.core.context import ReadContext, UnitOfWork, columns_of
from tracker.services.people import (
    account_news,
    accounts,
    endings,
    passkey_ceremonies,
    second_factors,
    sessions,
    sign_in,
)
from tracker.services.people.accounts import AccountOwner
from tracker.services.people.passkey_ceremonies import KeyOwner, NewKey

_BYTES = 32  # of randomness in a browser's secret


class PasskeyRow(NamedTuple):
    """A passkey as its owner sees it."""

    id: str
    name: str
    email: str
    recorded_at: datetime
    last_used_at: datetime | None


class PasskeyChallenge(NamedTuple):
    """The secret of a browser, and what the browser asks the device for, as JSON."""

    secret: str
    options: str


class _StoredPasskey(NamedTuple):
    id: str
    account_id: str
    public_key: bytes
    sign_count: int
    email: str


def begin(work: UnitOfWork) -> PasskeyChallenge:
    """A challenge to sign in, for whoever it is."""
    secret, _, challenge = _begin(work, None)
    return PasskeyChallenge(secret, passkey_ceremonies.request(work.settings, challenge))


def begin_invited(work: UnitOfWork, *, name: str, email: str) -> PasskeyChallenge:
    """A challenge to make the passkey of somebody whose account is opened with it.

    The account will have the id of the attempt: by that the passkey knows it (``take_invited``).
    """
    secret, id_, challenge = _begin(work, None)
    owner = KeyOwner(id_, name, email)
    asked = passkey_ceremonies.creation(work.settings, challenge, owner)
    return PasskeyChallenge(secret, asked)


def begin_confirmation(work: UnitOfWork) -> PasskeyChallenge:
    """A challenge with which the actor confirms who they are. Raises NotFound without passkeys."""
    id_ = sessions.own_account_id(work)
    known = _credentials(work, id_)
    if not known:
        raise NotFound
    secret, _, challenge = _begin(work, id_)
    return PasskeyChallenge(secret, passkey_ceremonies.request(work.settings, challenge, known))


def begin_addition(work: UnitOfWork) -> PasskeyChallenge:
    """A challenge to make one more passkey. Raises ReauthenticationRequired, LimitReached."""
    account = sessions.lock_fresh(work)
    known = _credentials(work, account.id)
    rules.check_room(len(known))
    secret, _, challenge = _begin(work, account.id)
    owner = KeyOwner(account.id, account.full_name, account.email or "")
    asked = passkey_ceremonies.creation(work.settings, challenge, owner, known)
    return PasskeyChallenge(secret, asked)


def _begin(work: UnitOfWork, account_id: str | None) -> tuple[str, str, bytes]:
    """The secret for the browser, the id of the attempt, and its challenge."""
    secret, id_ = secrets.token_urlsafe(_BYTES), new_id()
    row = SignIn(
        id=id_,
        digest=sessions.digest_of(secret),
        account_id=account_id,
        recorded_at=work.now,
        expires_at=work.now + sign_in.lasts(work, AttemptPurpose.PASSKEY),
        purpose=AttemptPurpose.PASSKEY,
    )
    work.session.add(row)
    return secret, id_, passkey_ceremonies.challenge(work.message_key, id_)


def take_invited(work: UnitOfWork, secret: str, answer: str) -> tuple[str, NewKey] | None:
    """The id for the account of the invited person, and the passkey that the browser has made.

    None if it proves nothing.
    """
    id_ = _taken(work, secret, None)
    if id_ is None:
        return None
    challenge = passkey_ceremonies.challenge(work.message_key, id_)
    key = passkey_ceremonies.made(work.settings, challenge, answer)
    return None if key is None else (id_, key)


def _take(work: UnitOfWork, secret: str, account_id: str | None) -> bytes | None:
    """The challenge of a browser, which is then used up; None if it has none."""
    id_ = _taken(work, secret, account_id)
    return None if id_ is None else passkey_ceremonies.challenge(work.message_key, id_)


def _taken(work: UnitOfWork, secret: str, account_id: str | None) -> str | None:
    """The id of a browser's attempt, which is then used up; None if it has none."""
    taken = update(SignIn).where(
        SignIn.digest == sessions.digest_of(secret),
        SignIn.account_id.is_not_distinct_from(account_id),
        *sign_in.is_usable(work, AttemptPurpose.PASSKEY),
    )
    row = work.row(taken.values(used_at=work.now).returning(SignIn.id))
    return None if row is None else str(row.id)


def enter(
    work: UnitOfWork, secret: str, answer: str, *, agent: str, former: str | None = None
) -> str | None:
    """Sign in with a passkey alone; returns the session's secret, or None if it proves nothing.

    ``former`` is the secret of the browser's session until now, which ends.
    """
    challenge = _take(work, secret, None)
    found = passkey_ceremonies.parsed(answer)
    if challenge is None or found is None:
        return None
    owned = select(Passkey.account_id).join(Account, Account.id == Passkey.account_id)
    row = work.row(owned.where(Passkey.credential_id == found.id, accounts.IS_LIVING))
    if row is None or found.response.user_handle != passkey_ceremonies.handle(row.account_id):
        return None
    account = accounts.lock(work, row.account_id)
    used = _prove(work, account, challenge, answer)
    if used is None:
        return None
    own = replace(work, actor=account.actor)
    return sessions.enter(
        own, account.id, email=used.email, agent=agent, former=former, passkey=used.id
    )


def confirm(work: UnitOfWork, secret: str, answer: str) -> bool:
    """Whether a passkey of the actor's proves who this is; it then counts as just proved."""
    account = accounts.lock(work, sessions.own_account_id(work))
    challenge = _take(work, secret, account.id)
    used = None if challenge is None else _prove(work, account, challenge, answer)
    if used is None or not _lets_in(work, account, used):
        return False
    sessions.prove(work)
    session = work.actor.session_id
    history.record(work, "confirm", "account", account.id, session=session, passkey=used.id)
    return True


def _lets_in(reading: ReadContext, account: AccountOwner, passkey: _StoredPasskey) -> bool:
    """Whether the address with which a passkey was added still lets a holder in."""
    holder_id = account.holder_id
    return holder_id is None or accounts.may_sign_in(reading, holder_id, passkey.email)


def _prove(
    work: UnitOfWork, account: AccountOwner, challenge: bytes, answer: str
) -> _StoredPasskey | None:
    """The passkey of a locked account that signed the challenge; None if none did.

    One that shows itself as a copy is refused, and the history says so.
    """
    found = passkey_ceremonies.parsed(answer)
    if found is None:
        return None
    stored = work.row_as(
        _StoredPasskey,
        select(*columns_of(_StoredPasskey, Passkey)).where(
            Passkey.credential_id == found.id, Passkey.account_id == account.id
        ),
    )
    if stored is None:
        return None
    shown = passkey_ceremonies.counter(work.settings, challenge, found, stored.public_key)
    if shown is None:
        return None
    if rules.is_copied(stored.sign_count, shown):
        own = replace(work, actor=account.actor)
        history.record(own, "refuse_passkey", "account", account.id, passkey=stored.id)
        return None
    used = update(Passkey).where(Passkey.id == stored.id)
    work.execute(used.values(sign_count=shown, last_used_at=work.now))
    return stored


def add(work: UnitOfWork, secret: str, answer: str, *, name: str) -> PasskeyRow:
    """Add the passkey that a browser has made; the owner is told by email.

    Raises ReauthenticationRequired, WrongProof, LimitReached, Conflict.
    """
    account = sessions.lock_fresh(work)
    challenge = _take(work, secret, account.id)
    key = None if challenge is None else passkey_ceremonies.made(work.settings, challenge, answer)
    if key is None:
        raise WrongProof("The passkey could not be checked; add it again.")
    rules.check_room(_count(work, Passkey.account_id == account.id))
    passkey_id = record(work, account.id, key, name=name, email=sessions.own_address(work))
    account_news.tell(work, account, account_news.PASSKEY_ADDED)
    return get(work, passkey_id)


def record(work: UnitOfWork, account_id: str, key: NewKey, *, name: str, email: str) -> str:
    """Record a passkey of an account, added by who signed in with ``email``; returns its id.

    Raises Conflict.
    """
    row = Passkey(
        **key._asdict(), account_id=account_id, name=name, email=email, recorded_at=work.now
    )
    work.session.add(row)
    try:
        work.session.flush()
    except IntegrityError as error:
        raise Conflict("This passkey is on record already.") from error
    history.record(work, "add_passkey", "account", account_id, passkey=row.id)
    return row.id


_ROWS = select(*columns_of(PasskeyRow, Passkey))


def page(reading: ReadContext, *, after: str | None, limit: int) -> Sequence[PasskeyRow]:
    """A page of the actor's own passkeys, by id."""
    statement = _ROWS.where(_is_own(reading)).order_by(Passkey.id)
    if after:
        statement = statement.where(Passkey.id > after)
    return reading.rows_as(PasskeyRow, statement.limit(limit))


def get(reading: ReadContext, passkey_id: str) -> PasskeyRow:
    """One of the actor's own passkeys. Raises NotFound, also for another person's."""
    row = reading.row_as(PasskeyRow, _ROWS.where(Passkey.id == passkey_id, _is_own(reading)))
    if row is None:
        raise NotFound
    return row


def _is_own(reading: ReadContext) -> ColumnElement[bool]:
    return Passkey.account_id.in_(sessions.mine(reading.actor))


def are_set_up(reading: ReadContext) -> bool:
    """Whether the actor has passkeys; a token has none."""
    actor = reading.actor
    return actor.session_id is not None and second_factors.has_passkey(
        reading, actor.person_id or ""
    )


def rename(work: UnitOfWork, passkey_id: str, name: str) -> PasskeyRow:
    """Give one of the actor's own passkeys another name. Raises NotFound."""
    if get(work, passkey_id).name != name:
        named = update(Passkey).where(Passkey.id == passkey_id).values(name=name)
        account_id = work.row(named.returning(Passkey.account_id)).account_id
        history.record(work, "rename_passkey", "account", account_id, passkey=passkey_id)
    return get(work, passkey_id)


def remove(work: UnitOfWork, passkey_id: str) -> None:
    """Remove one of the actor's own passkeys; other sessions and tokens end, the owner is told.

    Raises NotFound, NotAllowed for a token, ReauthenticationRequired, LastFactor.
    """
    get(work, passkey_id)
    sessions.check_fresh(work)
    account = accounts.lock(work, sessions.own_account_id(work))
    others = (Passkey.account_id == account.id) & (Passkey.id != passkey_id)
    has_app = second_factors.is_set_up(work, account.id)
    rules.check_removable(account.role, others=_count(work, others), has_app=has_app)
    work.execute(delete(Passkey).where(Passkey.id == passkey_id))
    endings.of_access(work, account.id, but=work.actor.session_id)
    history.record(work, "remove_passkey", "account", account.id, passkey=passkey_id)
    account_news.tell(work, account, account_news.PASSKEY_REMOVED)


def _credentials(reading: ReadContext, account_id: str) -> list[str]:
    mine = select(Passkey.credential_id).where(Passkey.account_id == account_id)
    return [row.credential_id for row in reading.rows(mine.order_by(Passkey.id))]


def _count(reading: ReadContext, which: ColumnElement[bool]) -> int:
    return int(reading.row(select(func.count()).where(which))[0])
