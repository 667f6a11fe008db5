"""Composing messages: each kind has its own module, which composes many at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import select

from tracker.domain.emails import compared
from tracker.models import Holder
from tracker.services.core import bulk
from tracker.services.core.context import ReadContext
from tracker.services.delivery import (
    digest_messages,
    notice_messages,
    recipients,
    reminder_messages,
    sign_in_messages,
    unwanted,
)
from tracker.services.delivery.sealing import Made, MessageClaim
from tracker.services.outbox import queue

Composer = Callable[[ReadContext, bytes, Sequence[MessageClaim]], Made]

_COMPOSERS: Mapping[str, Composer] = {
    "reminder": reminder_messages.compose,
    "notice": notice_messages.compose,
    "digest": digest_messages.compose,
    queue.SIGN_IN: sign_in_messages.compose,
}


def compose(reading: ReadContext, key: bytes, claims: Sequence[MessageClaim]) -> Made:
    """The messages of claimed rows, by id; unwanted ones and those to the deceased are dropped.

    A dropped message is ``Uncomposed``, with the reason. A constant number of statements for each
    kind.
    """
    addressed = _addressed(reading, claims)
    wanted = unwanted.drop_unwanted(reading, addressed, written(reading, key, addressed))
    return recipients.drop_deceased(reading, addressed, wanted)


def _addressed(reading: ReadContext, claims: Sequence[MessageClaim]) -> list[MessageClaim]:
    """The claims; a second copy is recomposed if the holder's address was corrected since.

    The old address may be a stranger's: that matters more than sending an identical copy.
    """
    again = {claim.holder_id for claim in claims if claim.facts is not None and claim.holder_id}
    if not again:
        return list(claims)
    statement = select(Holder.id, Holder.email, Holder.second_email)
    found = reading.rows(statement.where(bulk.among(reading, Holder.id, again)))
    known = {row.id: {compared(a) for a in (row.email, row.second_email) if a} for row in found}
    return [
        replace(claim, facts=None)
        if claim.facts
        and claim.holder_id
        and compared(claim.facts["address"]) not in known.get(claim.holder_id, ())
        else claim
        for claim in claims
    ]


def written(reading: ReadContext, key: bytes, claims: Sequence[MessageClaim]) -> Made:
    """The same messages for display, whether or not their holders want them now."""
    by_kind: dict[str, list[MessageClaim]] = defaultdict(list)
    for claim in claims:
        by_kind[claim.kind].append(claim)
    made: Made = {}
    for kind, some in by_kind.items():
        made |= _COMPOSERS[kind](reading, key, some)
    return made
