"""Authenticator apps and recovery codes: set up, check, replace.

The secret of an app is derived from a seed with the installation's key, which is outside the
database, and of recovery codes only keyed digests are stored: whoever reads the database has no
second factor. A code is accepted once, also by processes that check it at the same time.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from typing import Any

import pyotp
from sqlalchemy import delete, func, select, update

from tracker.db import new_id
from tracker.domain.people import second_factors as rules
from tracker.domain.people.sign_in import typed
from tracker.models import Authenticator, Passkey, ProviderIdentity, RecoveryCode
from tracker.services.core import bulk
from tracker.services.core.context import ReadContext, UnitOfWork

_SECRET_BYTES = 20  # RFC 4226, section 4


def secret_of(key: bytes, seed: str) -> str:
    """The secret of an app, in base32 as apps take it."""
    digest = hmac.digest(key, f"authenticator:{seed}".encode(), "sha256")
    return base64.b32encode(digest[:_SECRET_BYTES]).decode()


def address_of(reading: ReadContext, secret: str, name: str) -> str:
    """The ``otpauth:`` address with which a phone adds the secret to its app."""
    site = reading.settings.app.name
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=site)


def is_set_up(reading: ReadContext, account_id: str) -> bool:
    """Whether an account has an authenticator app."""
    found = select(Authenticator.account_id).where(Authenticator.account_id == account_id)
    return reading.row(found) is not None


def has_passkey(reading: ReadContext, account_id: str) -> bool:
    """Whether an account has a passkey, which is both factors at once."""
    found = select(Passkey.id).where(Passkey.account_id == account_id).limit(1)
    return reading.row(found) is not None


def set_up(work: UnitOfWork, account_id: str, seed: str, text: str) -> list[str] | None:
    """Replace the account's app by the one of a seed, if a code shows that it was added there.

    Returns a new set of recovery codes, which cannot be read again; None if the code is wrong.
    """
    counter = _counter(work, secret_of(work.message_key, seed), typed(text))
    if counter is None:
        return None
    values = {"seed": seed, "last_counter": counter, "confirmed_at": work.now}
    made = work.upsert(Authenticator).values(account_id=account_id, **values)
    work.execute(made.on_conflict_do_update(index_elements=["account_id"], set_=values))
    return new_recovery_codes(work, account_id)


def is_right(work: UnitOfWork, account_id: str, text: str) -> bool:
    """Whether a text is a code of the account's app or a recovery code; either is then used up."""
    code = typed(text)
    if rules.is_code(code):
        return _take_code(work, account_id, code)
    digest = _digest(work.message_key, account_id, rules.recovery_form(text))
    taken = update(RecoveryCode).where(
        RecoveryCode.account_id == account_id,
        RecoveryCode.digest == digest,
        RecoveryCode.used_at.is_(None),
    )
    return work.row(taken.values(used_at=work.now).returning(RecoveryCode.id)) is not None


def _take_code(work: UnitOfWork, account_id: str, code: str) -> bool:
    """Accept a code of the app, unless it or a later one was used before."""
    row: Any = work.row(select(Authenticator.seed).where(Authenticator.account_id == account_id))
    if row is None:
        return False
    counter = _counter(work, secret_of(work.message_key, row.seed), code)
    if counter is None:
        return False
    taken = update(Authenticator).where(
        Authenticator.account_id == account_id,
        Authenticator.seed == row.seed,
        Authenticator.last_counter < counter,
    )
    taken = taken.values(last_counter=counter)
    return work.row(taken.returning(Authenticator.account_id)) is not None


def _counter(reading: ReadContext, secret: str, code: str) -> int | None:
    """The step that has this code, of those that are accepted now."""
    app = pyotp.HOTP(secret)
    for counter in rules.counters(reading.now):
        if hmac.compare_digest(app.at(counter).encode(), code.encode()):
            return counter
    return None


def new_recovery_codes(work: UnitOfWork, account_id: str) -> list[str]:
    """A new set of recovery codes, which replaces the one before and cannot be read again."""
    codes = [
        rules.recovery_code(secrets.token_bytes(rules.RECOVERY_BYTES))
        for _ in range(rules.RECOVERY_CODES)
    ]
    work.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account_id))
    rows = [
        {
            "id": new_id(),
            "account_id": account_id,
            "digest": _digest(work.message_key, account_id, rules.recovery_form(code)),
        }
        for code in codes
    ]
    bulk.insert(work, RecoveryCode, rows)
    return codes


def recovery_codes_left(reading: ReadContext, account_id: str) -> int:
    """How many recovery codes of an account were not used."""
    left = select(func.count()).where(
        RecoveryCode.account_id == account_id, RecoveryCode.used_at.is_(None)
    )
    return int(reading.row(left)[0])


def remove(work: UnitOfWork, account_id: str) -> None:
    """Remove app, recovery codes and passkeys; the next sign-in asks for a new app.

    Providers are unbound, too: the next sign-in at one goes by the address again, as the first did.
    """
    unbind(work, account_id)
    work.execute(delete(Passkey).where(Passkey.account_id == account_id))
    work.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account_id))
    work.execute(delete(Authenticator).where(Authenticator.account_id == account_id))


def unbind(work: UnitOfWork, account_id: str) -> None:
    """Forget by which subjects identity providers know the owner of an account."""
    work.execute(delete(ProviderIdentity).where(ProviderIdentity.account_id == account_id))


def _digest(key: bytes, account_id: str, code: str) -> str:
    text = f"recovery:{account_id}:{code}".encode(errors="surrogatepass")
    return hmac.digest(key, text, "sha256").hex()
