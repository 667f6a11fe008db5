"""Letters of the outbox: what they are before and after they are composed, and how they are sealed.

Addresses and links in them prove what they are about: nobody else can make one up. What a letter
says is composed by its kind: ``composers.py`` knows who does it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tracker.domain.delivery.reminders import SkipReason
from tracker.mail import envelopes
from tracker.mail.envelopes import Envelope
from tracker.mail.messages import ComposedEmail
from tracker.services.core import signed_links
from tracker.services.core.context import ReadContext

NOT_OWED = "Not owed any more."
NO_ADDRESS = "No address that may be written to."
NOT_WANTED = "The holder wants no such letters."
PAUSED = "The holder paused such letters."
DECEASED = "deceased"
MENDABLE = (NOT_OWED, NO_ADDRESS, NOT_WANTED, PAUSED, DECEASED)
"""Why a letter was cancelled that may be owed again: after a suspension, a correction, a pause."""


@dataclass(frozen=True, slots=True)
class MessageClaim:
    """A claimed row of the outbox; the token proves whose claim it is."""

    id: str
    kind: str
    token: int
    lease_until: datetime
    message_id: str
    holder_id: str | None
    employer_id: str | None
    stage: int | None
    about: dict[str, Any] | None
    attempts: int
    useful_until: datetime
    priority: int
    next_at: datetime
    facts: dict[str, Any] | None


def refused(claim: MessageClaim) -> frozenset[str]:
    """The addresses, as they are compared, at which this letter was refused for good."""
    return frozenset((claim.about or {}).get("refused", ()))


@dataclass(frozen=True, slots=True)
class Composed:
    """A letter ready to be handed over, with what the marker must check and write down.

    The marker asks whether stages of all these certifications are owed, and whether the holder
    still wants letters of the ``type`` (empty: sent whatever they want). ``stage`` is the most
    urgent of those that a reminder really tells of, ``time_zone`` where its holder lives.
    ``still_true`` is asked beside that where a letter tells what only its own kind can judge.
    ``withheld`` are certifications that it would have told of as well, each with the reason.
    """

    address: str
    envelope_sender: str
    data: bytes
    facts: dict[str, Any]
    certification_ids: tuple[str, ...] = ()
    type: str = ""
    stage: int | None = None
    time_zone: str = "UTC"
    still_true: Callable[[ReadContext], bool] | None = None
    withheld: Mapping[str, SkipReason] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Uncomposed:
    """Why there is no letter; ``owed`` tells a failure from a letter that nobody needs."""

    reason: str
    owed: bool


Made = dict[str, Composed | Uncomposed]
"""By the id of the outbox's row."""


def sealed(
    reading: ReadContext,
    key: bytes,
    claim: MessageClaim,
    letter: ComposedEmail,
    facts: dict[str, Any],
    *,
    certification_ids: tuple[str, ...] = (),
    type_: str = "",
    stage: int | None = None,
    time_zone: str = "UTC",
    unsubscribe_link: str | None = None,
    issuer: str = "",
) -> Composed:
    """A letter in its envelope; ``facts`` tell the address and when it was composed.

    It comes from the ``issuer``, unless the settings name another sender than an address.
    One of a ``type_`` says how to be rid of the type (RFC 8058); another by ``unsubscribe_link``.
    """
    mail = reading.settings.mail
    ways_out = ways_out_of(reading, key, claim.holder_id, type_) if claim.holder_id else None
    link, mailto = ways_out or (unsubscribe_link, None)
    envelope = Envelope(
        message_id=claim.message_id,
        sender=envelopes.from_(mail.sender, issuer),
        reply_to=mail.reply_to,
        envelope_sender=signed_links.proof_address(reading, key, "b", claim.id),
        recipient=facts["address"],
        date=datetime.fromisoformat(facts["composed_at"]),
        unsubscribe_link=link,
        unsubscribe_mailto=mailto,
    )
    return Composed(
        address=facts["address"],
        envelope_sender=envelope.envelope_sender,
        data=envelopes.render(letter, envelope),
        facts=facts,
        certification_ids=certification_ids,
        type=type_,
        stage=stage,
        time_zone=time_zone,
    )


def ways_out_of(
    reading: ReadContext, key: bytes, holder_id: str, type_: str
) -> tuple[str, str] | None:
    """The link and the ``mailto:`` by which a holder ends a type of letter; None without a type."""
    if not type_:
        return None
    base = reading.settings.app.base_url.rstrip("/")
    purpose = f"u-{type_}"
    proof = signed_links.proof(key, purpose, holder_id)
    address = signed_links.proof_address(reading, key, purpose, holder_id)
    return f"{base}/unsubscribe/{type_}/{proof}", f"mailto:{address}?subject=unsubscribe"


def issuer_of(reading: ReadContext, about: Collection[str]) -> str:
    """Who writes a letter, by the issuers of what it is about.

    Where it is about none, or several, the one issuer of all schemes, or the installation's name.
    """
    issuers = set(about) or {scheme.issuer for scheme in reading.schemes}
    return issuers.pop() if len(issuers) == 1 else reading.settings.app.name
