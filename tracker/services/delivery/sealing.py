"""Messages of the outbox before and after composing, and the envelope that every kind shares.

The return address and the unsubscribe links carry a signed proof of what they belong to, so that
nobody else can make one up. What a message says is composed by its kind (``composers.py``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from tracker.domain.delivery import pages
from tracker.domain.delivery.reminders import SkipReason
from tracker.mail import envelopes
from tracker.mail.envelopes import Envelope
from tracker.mail.messages import ComposedEmail
from tracker.services.core import signed_links
from tracker.services.core.context import ReadContext
from tracker.services.delivery import stored_facts
from tracker.services.delivery.stored_facts import StoredFacts, StoredMessage
from tracker.services.outbox.queue import MessageAbout

NOT_OWED = "No longer due."
NO_ADDRESS = "There is no address that may get email."
NOT_WANTED = "The holder has turned off this type of email."
PAUSED = "The holder has paused this type of email."
DECEASED = "deceased"
MENDABLE = (NOT_OWED, NO_ADDRESS, NOT_WANTED, PAUSED, DECEASED)
"""The reasons for cancelling a message that may go away, so that it is owed again.

For example after a suspension, a correction, or a pause.
"""


@dataclass(frozen=True, slots=True)
class MessageClaim:
    """A claimed row of the outbox; ``token`` shows which claim it is."""

    id: str
    kind: str
    token: int
    lease_until: datetime
    message_id: str
    holder_id: str | None
    employer_id: str | None
    stage: int | None
    about: MessageAbout | None
    attempts: int
    useful_until: datetime
    priority: int
    next_at: datetime
    facts: StoredFacts | None


def refused(claim: MessageClaim) -> frozenset[str]:
    """The addresses, in compared form, that refused this message for good."""
    return frozenset((claim.about or {}).get("refused", ()))


@dataclass(frozen=True, slots=True)
class Owed:
    """What a message says, and the certifications that it leaves out for now, with the reasons."""

    facts: StoredFacts
    withheld: Mapping[str, SkipReason] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Composed:
    """A message ready to be handed over, with what the marker must check and write.

    The marker checks that a stage of each of these certifications is owed, and that the holder
    still wants messages of the ``type`` (empty: sent regardless of preferences). ``stage`` is the
    most urgent stage that a reminder contains, ``time_zone`` the holder's. ``withheld`` is that of
    ``Owed``.
    """

    address: str
    envelope_sender: str
    data: bytes
    facts: StoredFacts
    certification_ids: tuple[str, ...] = ()
    type: str = ""
    stage: int | None = None
    time_zone: str = "UTC"
    withheld: Mapping[str, SkipReason] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Uncomposed:
    """Why there is no message; ``owed`` is True if it could not be composed but is still owed."""

    reason: str
    owed: bool


Made = dict[str, Composed | Uncomposed]
"""The result of composing, by the id of the outbox's row."""


def sealed(
    reading: ReadContext,
    key: bytes,
    claim: MessageClaim,
    written: ComposedEmail,
    facts: StoredFacts,
    *,
    certification_ids: tuple[str, ...] = (),
    type_: str = "",
    stage: int | None = None,
    time_zone: str = "UTC",
    unsubscribe_link: str | None = None,
    issuer: str = "",
) -> Composed:
    """A message in its envelope, addressed and dated by its ``facts``.

    The sender's name is the ``issuer``, unless the settings give a name besides the address. A
    message of a ``type_`` says how to unsubscribe from that type (RFC 8058); others use
    ``unsubscribe_link``.
    """
    mail, stored = reading.settings.mail, stored_facts.value_of(StoredMessage, facts)
    unsubscribe = (
        unsubscribe_links(reading, key, claim.holder_id, type_) if claim.holder_id else None
    )
    link, mailto = unsubscribe or (unsubscribe_link, None)
    envelope = Envelope(
        message_id=claim.message_id,
        sender=envelopes.from_(mail.sender, issuer),
        reply_to=mail.reply_to,
        envelope_sender=signed_links.proof_address(reading, key, "b", claim.id),
        recipient=stored.address,
        date=stored.composed_at,
        unsubscribe_link=link,
        unsubscribe_mailto=mailto,
    )
    return Composed(
        address=stored.address,
        envelope_sender=envelope.envelope_sender,
        data=envelopes.render(written, envelope),
        facts=facts,
        certification_ids=certification_ids,
        type=type_,
        stage=stage,
        time_zone=time_zone,
    )


def button_link(reading: ReadContext, told: Iterable[tuple[str, str | None]]) -> str:
    """The address that the button of a message opens, by what it tells (``pages.path_of``)."""
    return f"{reading.settings.app.base_url.rstrip('/')}{pages.path_of(told)}"


def unsubscribe_links(
    reading: ReadContext, key: bytes, holder_id: str, type_: str
) -> tuple[str, str] | None:
    """The link and the ``mailto:`` to unsubscribe from a message type; None without a type."""
    if not type_:
        return None
    base = reading.settings.app.base_url.rstrip("/")
    purpose = f"u-{type_}"
    proof = signed_links.proof(key, purpose, holder_id)
    address = signed_links.proof_address(reading, key, purpose, holder_id)
    return f"{base}/unsubscribe/{type_}/{proof}", f"mailto:{address}?subject=unsubscribe"


def issuer_of(reading: ReadContext, about: Collection[str]) -> str:
    """The sender's name of a message, from the issuers of what it is about.

    Without any, it is the one issuer of all schemes. Where several issuers remain, it is the
    installation's name.
    """
    issuers = set(about) or {scheme.issuer for scheme in reading.schemes}
    return issuers.pop() if len(issuers) == 1 else reading.settings.app.name
