"""The messages of one person as staff see them: what was sent, what was not, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tracker.services.core.context import ReadContext
from tracker.services.delivery import bounces, ledger, send_safety, sent_messages
from tracker.services.delivery.bounces import Deliverability
from tracker.services.delivery.ledger import CertificationStages
from tracker.services.delivery.send_safety import SendObstacle
from tracker.services.delivery.sent_messages import Copy, MessageFilter
from tracker.services.people import preferences
from tracker.services.people.holders import HolderRow
from tracker.services.people.preferences import Preferences


@dataclass(frozen=True, slots=True)
class PersonMessages:
    """A person's messages, newest first, and every stage of their reminders with its fate.

    ``obstacle`` says why nothing at all is sent now, if that is so.
    """

    holder: HolderRow
    mail: Deliverability
    preferences: Preferences
    obstacle: SendObstacle | None
    certifications: Sequence[CertificationStages]
    messages: Sequence[Copy]


def of_person(
    reading: ReadContext, key: bytes, holder_id: str, *, after: str | None, limit: int
) -> PersonMessages:
    """A page of a person's messages, with all that decides what is sent. Raises NotFound."""
    wishes = preferences.of_holder(reading, holder_id)
    return PersonMessages(
        holder=wishes.holder,
        mail=bounces.deliverability(reading, wishes.holder),
        preferences=wishes,
        obstacle=send_safety.obstacle(reading),
        certifications=ledger.fates_of_holder(reading, holder_id),
        messages=sent_messages.page(reading, key, MessageFilter(after, limit, holder_id=holder_id)),
    )
