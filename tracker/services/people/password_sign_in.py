"""Signing in with a password and a second factor.

The right password starts no session: it leads to an attempt in that browser, which is worth nothing
but the page for the second factor. Whoever has none yet sets one up there. A holder, who need not
have one, gets a code by email instead, unless there is an app.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import NamedTuple

from sqlalchemy import or_, select, update

from tracker.domain.people.security_events import FailureKind
from tracker.domain.people.sign_in import AttemptPurpose
from tracker.models import Account, PasswordHash, SignIn
from tracker.services.core import history, security_log
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.people import accounts, passwords, second_factors, sessions, sign_in

_BYTES = 32  # of randomness in a browser's secret


class RightPassword(NamedTuple):
    """An account whose password was entered, and the password's hash.

    ``renewed`` is the hash with today's costs, if it was made with others.
    """

    account_id: str
    hash: str
    renewed: str | None
    address: str


class BegunSignIn(NamedTuple):
    """The secret of a browser in which the password was right; ``mailed``: a code was mailed."""

    secret: str
    mailed: bool


class WaitingSignIn(NamedTuple):
    """A browser in which the password was right and the second factor is missing."""

    id: str
    account_id: str
    email: str


class SignedIn(NamedTuple):
    """The secret of a new session; with new recovery codes if the app was set up for it."""

    secret: str
    recovery_codes: list[str]


def check(reading: ReadContext, address: str, password: str) -> RightPassword | None:
    """The account of an address, in compared form, if this is its password.

    One statement and one hash, whoever it is. It takes long, so it belongs in no transaction.
    """
    settings = reading.settings
    statement = select(Account.id, Account.holder_id, PasswordHash.hash)
    statement = statement.join(PasswordHash, PasswordHash.account_id == Account.id)
    named = or_(Account.email_key == address, PasswordHash.email_key == address)
    # Should somebody have an account of each kind, the one that is always entered this way.
    statement = statement.where(named, accounts.IS_LIVING).order_by(Account.email_key.is_(None))
    row = reading.row(statement.limit(1))
    if not passwords.is_right(settings, None if row is None else row.hash, password):
        security_log.failed(FailureKind.PASSWORD, None if row is None else row.id)
        return None
    if row.holder_id and not accounts.may_sign_in(reading, row.holder_id, address):
        return None
    is_outdated = passwords.is_outdated(settings, row.hash)
    renewed = passwords.again(settings, password) if is_outdated else None
    return RightPassword(row.id, row.hash, renewed, address)


def begin(
    work: UnitOfWork, right: RightPassword, *, wanted: str | None = None
) -> BegunSignIn | None:
    """Begin an attempt after the right password; a mailed link opens the page ``wanted``.

    None if the password was changed or the account deactivated since.
    """
    account = accounts.lock(work, right.account_id)
    owned = PasswordHash.account_id == account.id
    row = work.row(select(PasswordHash.hash).where(owned))
    if account.deactivated_at is not None or row is None or row.hash != right.hash:
        return None
    if right.renewed is not None:
        work.execute(update(PasswordHash).where(owned).values(hash=right.renewed))
    if account.holder_id is None:
        return BegunSignIn(begin_factor(work, account.id, account.email or ""), mailed=False)
    if second_factors.is_set_up(work, account.id):
        return BegunSignIn(begin_factor(work, account.id, right.address), mailed=False)
    secret = sign_in.begin_for(work, account.holder_id, right.address, wanted=wanted)
    return BegunSignIn(secret, mailed=True)


def begin_factor(work: UnitOfWork, account_id: str, email: str) -> str:
    """An attempt in which the second factor is missing; returns the secret for the browser."""
    secret = secrets.token_urlsafe(_BYTES)
    row = SignIn(
        digest=sessions.digest_of(secret),
        account_id=account_id,
        email=email,
        recorded_at=work.now,
        expires_at=work.now + sign_in.lasts(work, AttemptPurpose.FACTOR),
        purpose=AttemptPurpose.FACTOR,
    )
    work.session.add(row)
    return secret


def waiting(reading: ReadContext, secret: str) -> WaitingSignIn | None:
    """The attempt of a browser that waits for its second factor; None if it has none."""
    if not secret:
        return None
    statement = select(SignIn.id, SignIn.account_id, SignIn.email)
    statement = statement.join(Account, Account.id == SignIn.account_id)
    row = reading.row(
        statement.where(
            SignIn.digest == sessions.digest_of(secret),
            SignIn.tries < reading.settings.accounts.code_tries,
            accounts.IS_LIVING,
            *sign_in.is_usable(reading, AttemptPurpose.FACTOR),
        )
    )
    return None if row is None else WaitingSignIn(*row)


def enter(
    work: UnitOfWork, secret: str, text: str, *, agent: str, former: str | None = None
) -> SignedIn | None:
    """Sign in with a code of the app or a recovery code, or set the app up by its first code.

    None, and one try fewer, if the code is wrong; None as well if the browser has no attempt, or
    used it up. ``former`` is the secret of the browser's session until now, which ends.
    """
    found = waiting(work, secret)
    if found is None:
        return None
    account = accounts.lock(work, found.account_id)
    own = replace(work, actor=account.actor)
    if not _try(work, found.id):
        return None
    codes: list[str] = []
    if second_factors.is_set_up(work, account.id):
        if not second_factors.is_right(work, account.id, text):
            security_log.failed(FailureKind.SECOND_FACTOR, account.id)
            return None
    elif second_factors.has_passkey(work, account.id):
        return None  # or the password alone would set up an app beside the owner's passkey
    else:
        made = second_factors.set_up(work, account.id, found.id, text)
        if made is None:
            return None
        codes = made
        history.record(own, "set_up_factor", "account", account.id)
    session = _start(own, found, agent=agent, former=former)
    return None if session is None else SignedIn(session, codes)


def _try(work: UnitOfWork, id_: str) -> bool:
    """Count a try; False if others, that waited for the account as well, left none."""
    left = SignIn.tries < work.settings.accounts.code_tries
    usable = sign_in.is_usable(work, AttemptPurpose.FACTOR)
    tried = update(SignIn).where(SignIn.id == id_, left, *usable)
    return work.row(tried.values(tries=SignIn.tries + 1).returning(SignIn.id)) is not None


def _start(work: UnitOfWork, found: WaitingSignIn, *, agent: str, former: str | None) -> str | None:
    """Use the attempt up and start a session; None if it was used at this moment."""
    usable = sign_in.is_usable(work, AttemptPurpose.FACTOR)
    taken = update(SignIn).where(SignIn.id == found.id, *usable).values(used_at=work.now)
    if work.row(taken.returning(SignIn.id)) is None:
        return None
    return sessions.enter(work, found.account_id, email=found.email, agent=agent, former=former)
