"""What people change about their own account: password, authenticator app, recovery codes.

These acts are sensitive: whoever has not proved lately who they are does so first (``confirm``).
The owner is told of each by email; where password or app were replaced, other sessions and the
owner's tokens end.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, select, true

from tracker.domain.emails import compared
from tracker.domain.errors import AddressShared, Conflict, NotAllowed, NotFound, WrongProof
from tracker.domain.people import sessions as session_rules
from tracker.domain.people.security_events import FailureKind
from tracker.models import Authenticator, PasswordHash
from tracker.services.core import history, security_log
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.people import (
    account_news,
    accounts,
    endings,
    password_changes,
    passwords,
    second_factors,
    sessions,
)


class OwnSecurity(NamedTuple):
    """How the actor's account is protected; ``is_fresh``: sensitive acts are possible now."""

    email: str | None
    password_changed_at: datetime | None
    app_confirmed_at: datetime | None
    recovery_codes_left: int
    has_passkey: bool
    is_fresh: bool


def security(reading: ReadContext) -> OwnSecurity:
    """How the actor's account is protected. Raises NotFound for a token."""
    id_ = sessions.own_account_id(reading)
    password = select(PasswordHash.changed_at).where(
        PasswordHash.account_id == id_, _is_of_address(reading)
    )
    app = select(Authenticator.confirmed_at).where(Authenticator.account_id == id_)
    changed, confirmed = reading.row(password), reading.row(app)
    within = sessions.fresh_for(reading.settings)
    return OwnSecurity(
        email=accounts.owner(reading, id_).email,
        password_changed_at=changed.changed_at if changed else None,
        app_confirmed_at=confirmed.confirmed_at if confirmed else None,
        recovery_codes_left=second_factors.recovery_codes_left(reading, id_),
        has_passkey=second_factors.has_passkey(reading, id_),
        is_fresh=session_rules.is_fresh(reading.actor, reading.now, within=within),
    )


def _is_of_address(reading: ReadContext) -> ColumnElement[bool]:
    """The condition that a holder's password goes with the address that signed in."""
    if reading.actor.role != "holder":
        return true()
    return PasswordHash.email_key == compared(sessions.own_address(reading))


def is_own_password(reading: ReadContext, text: str) -> bool:
    """Whether a text is the actor's password. Takes long, so it belongs in no transaction."""
    mine = PasswordHash.account_id == sessions.own_account_id(reading)
    stored = select(PasswordHash.hash).where(mine)
    row = reading.row(stored)
    return passwords.is_right(reading.settings, None if row is None else row.hash, text)


def confirm(work: UnitOfWork, code: str) -> None:
    """Record that the actor, whose password was right, proved who they are by a second factor.

    Raises WrongProof.
    """
    id_ = sessions.own_account_id(work)
    accounts.lock(work, id_)
    if not second_factors.is_right(work, id_, code):
        security_log.failed(FailureKind.SECOND_FACTOR, id_)
        raise WrongProof("The password or the code is wrong.")
    sessions.prove(work)
    history.record(work, "confirm", "account", id_, session=work.actor.session_id)


def about(reading: ReadContext) -> Collection[str]:
    """The texts about the actor that make no password (``passwords.chosen()``)."""
    account = accounts.owner(reading, sessions.own_account_id(reading))
    return [account.full_name, account.email or ""]


def change_password(work: UnitOfWork, new_hash: str) -> None:
    """Replace the actor's password, or choose a first one.

    A holder's goes with the address that signed in. Raises ReauthenticationRequired, AddressShared.
    """
    account, key = sessions.lock_fresh(work), None
    if account.role == "holder":
        key = compared(sessions.own_address(work))
        if accounts.is_members(work, key):
            raise AddressShared("Another account signs in with this email address.")
    password_changes.replace_hash(work, account.id, new_hash, email_key=key)
    endings.of_access(work, account.id, but=work.actor.session_id)
    history.record(work, "change_password", "account", account.id)
    account_news.tell(work, account, account_news.PASSWORD_CHANGED)


def remove_password(work: UnitOfWork) -> None:
    """Remove a holder's password; a mailed code goes on letting in.

    Raises ReauthenticationRequired, NotAllowed for others, who need theirs, NotFound without one.
    """
    account = sessions.lock_fresh(work)
    if account.role != "holder":
        raise NotAllowed("This account needs its password.")
    if not password_changes.remove_hash(work, account.id):
        raise NotFound
    endings.of_access(work, account.id, but=work.actor.session_id)
    history.record(work, "remove_password", "account", account.id)
    account_news.tell(work, account, account_news.PASSWORD_REMOVED)


def new_recovery_codes(work: UnitOfWork) -> list[str]:
    """A new set of recovery codes. Raises ReauthenticationRequired, Conflict without an app."""
    account = sessions.lock_fresh(work)
    if not second_factors.is_set_up(work, account.id):
        raise Conflict("Set up an authenticator app first.")
    codes = second_factors.new_recovery_codes(work, account.id)
    history.record(work, "new_recovery_codes", "account", account.id)
    account_news.tell(work, account, account_news.RECOVERY_CODES)
    return codes


def next_seed(reading: ReadContext) -> str:
    """The seed of the app that the actor would set up in this session, in place of the one now."""
    id_ = sessions.own_account_id(reading)
    row = reading.row(select(Authenticator.seed).where(Authenticator.account_id == id_))
    text = f"{reading.actor.session_id}:{row.seed if row else ''}"
    return hashlib.sha256(text.encode()).hexdigest()


def replace_app(work: UnitOfWork, code: str) -> list[str]:
    """Replace the actor's app by the one of ``next_seed``.

    Returns new recovery codes. Raises ReauthenticationRequired, WrongProof.
    """
    account = sessions.lock_fresh(work)
    codes = second_factors.set_up(work, account.id, next_seed(work), code)
    if codes is None:
        raise WrongProof("The code is wrong.", fields={"code": "is not the app's code now"})
    endings.of_access(work, account.id, but=work.actor.session_id)
    history.record(work, "replace_factor", "account", account.id)
    account_news.tell(work, account, account_news.FACTOR_CHANGED)
    return codes


def shut_out(work: UnitOfWork) -> None:
    """End all sessions and tokens of the actor's account, for somebody else may have come in.

    It asks for no further proof: nothing is lost by it. Raises NotFound for a token.
    """
    id_ = work.actor.account_id
    if id_ is None:
        raise NotFound
    accounts.lock(work, id_)
    history.record(work, "not_me", "account", id_)
    if work.actor.holder_id is not None and work.actor.role == "holder":
        endings.of_holder(work, work.actor.holder_id)
    else:
        endings.of_access(work, id_)
