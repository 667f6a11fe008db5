"""Composing messages about accounts (a ``Composer``): invitations, other links, and news.

As for codes to sign in, the facts stored with a message hold no link: it is derived again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, null, select

from tracker.domain.people.sign_in import AttemptPurpose
from tracker.domain.schemes.activity_types import ENGLISH
from tracker.mail import accounts as wording
from tracker.mail.accounts import AccountMessage
from tracker.models import Account, Holder, Invitation, SignIn
from tracker.services.core import bulk, organizations
from tracker.services.core.context import AnyRow, ReadContext
from tracker.services.delivery import sealing, stored_facts
from tracker.services.delivery.sealing import Composed, MessageClaim, Owed, Uncomposed
from tracker.services.delivery.stored_facts import StoredFacts, StoredMessage
from tracker.services.people import accounts, invitations, password_changes, sign_in

RESET, INVITATION = "reset", "invitation"
_OVER = Uncomposed("The link can no longer be used.", owed=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _StoredAccountMessage(StoredMessage):
    """Everything that a message about an account says, without the link."""

    tells: str
    record_id: str
    issuer: str
    lasts: int = 0
    sending: int = 0
    by: str = ""
    place: str = ""
    why: str = ""


def owed(
    reading: ReadContext, claims: Sequence[MessageClaim]
) -> Callable[[MessageClaim], Owed | Uncomposed]:
    """What each message says, while its link can still be used; a second copy says the same."""
    readers = {RESET: _resets, INVITATION: _invitations}
    found: dict[str, _StoredAccountMessage] = {}
    for tells in sorted({_about(claim)["type"] for claim in claims}):
        some = [claim for claim in claims if _about(claim)["type"] == tells]
        found |= readers.get(tells, _news)(reading, some)

    def of_claim(claim: MessageClaim) -> Owed | Uncomposed:
        if (stored := found.get(claim.id)) is None:
            return _OVER
        return Owed(claim.facts or stored_facts.plain(stored))

    return of_claim


def _about(claim: MessageClaim) -> Mapping[str, Any]:
    return claim.about or {}


def _stored(
    reading: ReadContext, claim: MessageClaim, row: AnyRow, record_id: str, *, lasts: int = 0
) -> _StoredAccountMessage:
    return _StoredAccountMessage(
        composed_at=reading.now,
        address=_about(claim).get("address") or row.email,
        name=row.name or f"{row.given_name} {row.family_name}",
        language=row.language or ENGLISH,
        tells=_about(claim)["type"],
        record_id=record_id,
        issuer=sealing.issuer_of(reading, ()),
        lasts=lasts,
        why=_about(claim).get("why", ""),
        place=_about(claim).get("place", ""),
    )


_PERSON = (
    Account.id.label("account_id"),
    Account.email,
    Account.name,
    func.coalesce(Account.language, Holder.language).label("language"),
    Holder.given_name,
    Holder.family_name,
)


def _resets(
    reading: ReadContext, claims: Sequence[MessageClaim]
) -> dict[str, _StoredAccountMessage]:
    """The links to choose a new password that can still be used, by the message's id."""
    rows: dict[str, AnyRow] = {}
    for some in bulk.chunks([_about(claim)["sign_in_id"] for claim in claims]):
        statement = (
            select(SignIn.id, *_PERSON)
            .join(Account, Account.id == SignIn.account_id)
            .join(Holder, Holder.id == Account.holder_id, isouter=True)
            .where(
                SignIn.id.in_(some),
                accounts.IS_LIVING,
                *sign_in.is_usable(reading, AttemptPurpose.RESET),
            )
        )
        rows |= {row.id: row for row in reading.rows(statement)}
    minutes = reading.settings.accounts.reset_minutes
    return {
        claim.id: _stored(reading, claim, row, row.id, lasts=minutes)
        for claim in claims
        if (row := rows.get(_about(claim)["sign_in_id"])) is not None
    }


def _invitations(
    reading: ReadContext, claims: Sequence[MessageClaim]
) -> dict[str, _StoredAccountMessage]:
    """The invitations whose newest link this is and that can still be accepted."""
    rows: dict[tuple[str, int], AnyRow] = {}
    for some in bulk.chunks([_about(claim)["invitation_id"] for claim in claims]):
        statement = select(
            Invitation.__table__, organizations.name_of(Invitation).label("place")
        ).where(
            Invitation.id.in_(some),
            invitations.IS_WAITING,
            Invitation.expires_at > reading.now,
        )
        rows |= {(row.id, row.sendings): row for row in reading.rows(statement)}
    return {
        claim.id: _stored_invitation(reading, row)
        for claim in claims
        if (row := rows.get((_about(claim)["invitation_id"], _about(claim)["sending"]))) is not None
    }


def _stored_invitation(reading: ReadContext, row: AnyRow) -> _StoredAccountMessage:
    return _StoredAccountMessage(
        composed_at=reading.now,
        address=row.email,
        name=row.name,
        language=row.language,
        tells=f"{INVITATION}_{row.role}",
        record_id=row.id,
        issuer=sealing.issuer_of(reading, ()),
        lasts=reading.settings.accounts.invitation_days,
        sending=row.sendings,
        by=row.invited_by,
        place=row.place or "",
    )


def _news(reading: ReadContext, claims: Sequence[MessageClaim]) -> dict[str, _StoredAccountMessage]:
    """What happened to accounts, by the message's id: true whatever happened since."""
    rows: dict[str, AnyRow] = {}
    people = {_subject(claim) for claim in claims}
    for some in bulk.chunks(people):
        of_account = select(*_PERSON).join(Holder, Holder.id == Account.holder_id, isouter=True)
        found = reading.rows(of_account.where(Account.id.in_(some)))
        rows |= {row.account_id: row for row in found}
        found = reading.rows(_HOLDER.where(Holder.id.in_(some)))
        rows |= {row.holder_id: row for row in found}
    return {
        claim.id: _stored(reading, claim, row, _subject(claim))
        for claim in claims
        if (row := rows.get(_subject(claim))) is not None
    }


def _subject(claim: MessageClaim) -> str:
    about = _about(claim)
    return str(about.get("account_id") or about["holder_id"])


_HOLDER = select(
    Holder.id.label("holder_id"),
    Holder.email,
    null().label("name"),
    Holder.language,
    Holder.given_name,
    Holder.family_name,
)


def compose(reading: ReadContext, key: bytes, claim: MessageClaim, facts: StoredFacts) -> Composed:
    """The message that says these facts, with its link."""
    stored = stored_facts.value_of(_StoredAccountMessage, facts)
    written = wording.compose(
        AccountMessage(
            tells=stored.tells,
            name=stored.name,
            language=stored.language,
            site=reading.settings.app.name,
            link=_link(reading, key, stored),
            lasts=stored.lasts,
            facts=(("by", stored.by), ("place", stored.place), ("why", stored.why)),
            issuer=stored.issuer,
        )
    )
    return sealing.sealed(reading, key, claim, written, facts, issuer=stored.issuer)


def _link(reading: ReadContext, key: bytes, stored: _StoredAccountMessage) -> str:
    if stored.sending:
        return invitations.link(reading, key, stored.record_id, stored.sending)
    if stored.tells == RESET:
        return password_changes.link(reading, key, stored.record_id)
    return sealing.button_link(reading, [(stored.tells, None)])
