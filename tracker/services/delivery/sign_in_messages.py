"""Composing messages with a code to sign in.

The facts stored with a message hold neither the code nor the link: both are derived from the
attempt again (``services/people/sign_in.py``), so that a second copy has the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from sqlalchemy import select

from tracker.mail import sign_in as wording
from tracker.mail.sign_in import SignInLetter
from tracker.models import Account, Holder, SignIn
from tracker.services.core import bulk
from tracker.services.core.context import ReadContext
from tracker.services.delivery import sealing
from tracker.services.delivery.sealing import Composed, Made, MessageClaim, Uncomposed
from tracker.services.people import accounts, sign_in

_OVER = "The code can no longer be used."


def compose(reading: ReadContext, key: bytes, claims: Sequence[MessageClaim]) -> Made:
    """The messages of the claimed rows, by id; those whose code is worth nothing are dropped."""
    open_ones = _open(reading, [_attempt(claim) for claim in claims])
    made: Made = {}
    for claim in claims:
        facts = claim.facts or _facts(reading, open_ones.get(_attempt(claim)))
        try:
            made[claim.id] = (
                Uncomposed(_OVER, owed=False)
                if facts is None
                else _composed(reading, key, claim, facts)
            )
        except Exception as error:  # noqa: BLE001 - one message's data must not stop the others
            made[claim.id] = Uncomposed(f"{type(error).__name__}: {error}"[:500], owed=True)
    return made


def _attempt(claim: MessageClaim) -> str:
    return str((claim.about or {})["sign_in_id"])


def _open(reading: ReadContext, ids: Sequence[str]) -> dict[str, Any]:
    """The attempts that can still be used, with their people, by id."""
    found: dict[str, Any] = {}
    for some in bulk.chunks(ids):
        statement = (
            select(
                SignIn.id,
                SignIn.email,
                Holder.given_name,
                Holder.family_name,
                Holder.language,
                *accounts.ADDRESSES,
            )
            .join(Holder, Holder.id == SignIn.holder_id)
            .join(Account, Account.holder_id == Holder.id, isouter=True)
            .where(
                SignIn.id.in_(some),
                SignIn.used_at.is_(None),
                SignIn.expires_at > reading.now,
                Holder.deceased_on.is_(None),
            )
        )
        found |= {row.id: row for row in reading.rows(statement) if accounts.is_theirs(row)}
    return found


def _facts(reading: ReadContext, row: Any) -> dict[str, Any] | None:
    if row is None:
        return None
    return {
        "composed_at": reading.now.isoformat(),
        "address": row.email,
        "sign_in_id": row.id,
        "name": f"{row.given_name} {row.family_name}",
        "language": row.language,
        "minutes": reading.settings.accounts.code_minutes,
        "issuer": sealing.issuer_of(reading, ()),
    }


def _composed(
    reading: ReadContext, key: bytes, claim: MessageClaim, facts: Mapping[str, Any]
) -> Composed:
    letter = wording.compose(
        SignInLetter(
            name=facts["name"],
            language=facts["language"],
            code=sign_in.code(key, facts["sign_in_id"]),
            link=sign_in.link(reading, key, facts["sign_in_id"]),
            minutes=facts["minutes"],
            site=reading.settings.app.name,
            issuer=facts["issuer"],
        )
    )
    sealed = sealing.sealed(reading, key, claim, letter, dict(facts), issuer=facts["issuer"])
    return replace(sealed, still_true=partial(_still_true, facts["sign_in_id"]))


def _still_true(sign_in_id: str, reading: ReadContext) -> bool:
    """Whether the code can still be used; checked with the marker."""
    return sign_in_id in _open(reading, [sign_in_id])
