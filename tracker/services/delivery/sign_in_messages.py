"""Composing sign-in messages (a ``Composer``): whether the code still works, and what they say.

The facts stored with a message hold neither the code nor the link: both are derived from the
attempt again (``services/people/sign_in.py``), so that a second copy has the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from tracker.mail import sign_in as wording
from tracker.mail.sign_in import SignInMessage
from tracker.models import Account, Holder, SignIn
from tracker.services.core import bulk
from tracker.services.core.context import AnyRow, ReadContext
from tracker.services.delivery import sealing, stored_facts
from tracker.services.delivery.sealing import Composed, MessageClaim, Owed, Uncomposed
from tracker.services.delivery.stored_facts import StoredFacts, StoredMessage
from tracker.services.people import known_addresses, sign_in

_OVER = Uncomposed("The code can no longer be used.", owed=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _StoredSignIn(StoredMessage):
    """Everything that a sign-in message says, without the code."""

    sign_in_id: str
    minutes: int
    issuer: str


def owed(
    reading: ReadContext, claims: Sequence[MessageClaim]
) -> Callable[[MessageClaim], Owed | Uncomposed]:
    """What each message says, while its code can still be used; a second copy says the same."""
    attempts = _open(reading, [_attempt(claim) for claim in claims])

    def of_claim(claim: MessageClaim) -> Owed | Uncomposed:
        if (attempt := attempts.get(_attempt(claim))) is None:
            return _OVER
        return Owed(claim.facts or stored_facts.plain(_stored(reading, attempt)))

    return of_claim


def _attempt(claim: MessageClaim) -> str:
    return (claim.about or {})["sign_in_id"]


def _open(reading: ReadContext, ids: Sequence[str]) -> dict[str, AnyRow]:
    """The attempts that can still be used, with their people, by id."""
    attempts: dict[str, AnyRow] = {}
    for some in bulk.chunks(ids):
        statement = (
            select(
                SignIn.id,
                SignIn.email,
                Holder.given_name,
                Holder.family_name,
                Holder.language,
                *known_addresses.ADDRESSES,
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
        attempts |= {
            row.id: row for row in reading.rows(statement) if known_addresses.is_theirs(row)
        }
    return attempts


def _stored(reading: ReadContext, attempt: AnyRow) -> _StoredSignIn:
    return _StoredSignIn(
        composed_at=reading.now,
        address=attempt.email,
        name=f"{attempt.given_name} {attempt.family_name}",
        language=attempt.language,
        sign_in_id=attempt.id,
        minutes=reading.settings.accounts.code_minutes,
        issuer=sealing.issuer_of(reading, ()),
    )


def compose(reading: ReadContext, key: bytes, claim: MessageClaim, facts: StoredFacts) -> Composed:
    """The message that says these facts, with its code and link."""
    stored = stored_facts.value_of(_StoredSignIn, facts)
    written = wording.compose(
        SignInMessage(
            name=stored.name,
            language=stored.language,
            code=sign_in.code(key, stored.sign_in_id),
            link=sign_in.link(reading, key, stored.sign_in_id),
            minutes=stored.minutes,
            site=reading.settings.app.name,
            issuer=stored.issuer,
        )
    )
    return sealing.sealed(reading, key, claim, written, facts, issuer=stored.issuer)
