"""Choosing a password: the first one, a new one by a mailed link, another one while signed in.

Hashing is slow and done before (``passwords.chosen()``), outside of the transaction.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from tracker.domain.errors import AddressShared
from tracker.domain.people.sign_in import AttemptPurpose
from tracker.models import PasswordHash, SignIn
from tracker.services.core import history, signed_links
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.people import account_news, accounts, endings, sign_in

_PURPOSE = "reset"


def link(reading: ReadContext, key: bytes, sign_in_id: str) -> str:
    """The address of the page on which a new password is chosen."""
    base = reading.settings.app.base_url.rstrip("/")
    return f"{base}/password/reset/{signed_links.proof(key, _PURPOSE, sign_in_id)}"


def about(reading: ReadContext, key: bytes, proof: str) -> Collection[str] | None:
    """The texts about its owner that make no password (``passwords.chosen()``).

    None if the link can no longer be used.
    """
    found = _attempt(reading, key, proof)
    if found is None:
        return None
    account = accounts.owner(reading, found.account_id)
    return [account.full_name, account.email or ""]


def _attempt(reading: ReadContext, key: bytes, proof: str) -> Any:
    id_ = signed_links.proven(key, _PURPOSE, proof)
    if id_ is None:
        return None
    usable = sign_in.is_usable(reading, AttemptPurpose.RESET)
    statement = select(SignIn.id, SignIn.account_id)
    return reading.row(statement.where(SignIn.id == id_, SignIn.account_id.is_not(None), *usable))


def reset(work: UnitOfWork, proof: str, new_hash: str) -> bool:
    """Replace a forgotten password; sessions and tokens end, and the owner is told by email.

    False if the link can no longer be used. The second factor stays as it is, and nobody is signed
    in.
    """
    found = _attempt(work, work.message_key, proof)
    if found is None:
        return False
    account = accounts.lock(work, found.account_id)
    usable = sign_in.is_usable(work, AttemptPurpose.RESET)
    taken = update(SignIn).where(SignIn.id == found.id, *usable).values(used_at=work.now)
    is_open = work.row(taken.returning(SignIn.id)) is not None
    if not is_open or account.deactivated_at is not None:
        return False
    own = replace(work, actor=account.actor)
    replace_hash(own, account.id, new_hash)
    endings.of_access(own, account.id)
    history.record(own, "reset_password", "account", account.id)
    account_news.tell(work, account, account_news.PASSWORD_CHANGED)
    return True


def replace_hash(
    work: UnitOfWork, account_id: str, new_hash: str, *, email_key: str | None = None
) -> None:
    """Store a password's hash; attempts that rest on the former one are worth nothing any more.

    ``email_key`` is the address, in compared form, with which a holder signs in. Raises
    AddressShared if another holder's password goes with it.
    """
    values = {"hash": new_hash, "changed_at": work.now, "email_key": email_key}
    made = work.upsert(PasswordHash).values(account_id=account_id, **values)
    try:
        work.execute(made.on_conflict_do_update(index_elements=["account_id"], set_=values))
    except IntegrityError as error:
        raise AddressShared("Several people use this email address.") from error
    end_attempts(work, account_id)


def remove_hash(work: UnitOfWork, account_id: str) -> bool:
    """Remove a password, and what rests on it; whether there was one."""
    owned = delete(PasswordHash).where(PasswordHash.account_id == account_id)
    end_attempts(work, account_id)
    return work.row(owned.returning(PasswordHash.account_id)) is not None


def end_attempts(work: UnitOfWork, account_id: str) -> None:
    """End the attempts of an account that rest on its password, or replace it."""
    purposes = (AttemptPurpose.RESET, AttemptPurpose.FACTOR)
    waits = update(SignIn).where(
        SignIn.account_id == account_id, SignIn.used_at.is_(None), SignIn.purpose.in_(purposes)
    )
    work.execute(waits.values(used_at=work.now))
