"""Composing messages: each kind is a module that has the functions of a ``Composer``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Protocol, TypeVar

from sqlalchemy import select

from tracker.domain.emails import compared
from tracker.models import Holder
from tracker.services.core import bulk
from tracker.services.core.context import ReadContext
from tracker.services.delivery import (
    account_messages,
    digest_messages,
    notice_messages,
    recipients,
    reminder_messages,
    sign_in_messages,
    unwanted,
)
from tracker.services.delivery.sealing import Composed, Made, MessageClaim, Owed, Uncomposed
from tracker.services.delivery.stored_facts import StoredFacts
from tracker.services.outbox import queue

T = TypeVar("T")


class Composer(Protocol):
    """A kind of message: what one says, or why it is not owed any more, and how it is written."""

    def owed(
        self, reading: ReadContext, claims: Sequence[MessageClaim]
    ) -> Callable[[MessageClaim], Owed | Uncomposed]:
        """What each of these messages says now, or why it is not owed.

        The facts of all of them are read here, with a constant number of statements.
        """

    def compose(
        self, reading: ReadContext, key: bytes, claim: MessageClaim, facts: StoredFacts
    ) -> Composed:
        """The message that says these facts: the same facts give the same bytes."""


_COMPOSERS: Mapping[str, Composer] = {
    "reminder": reminder_messages,
    "notice": notice_messages,
    "digest": digest_messages,
    queue.SIGN_IN: sign_in_messages,
    queue.ACCOUNT: account_messages,
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
    rows = reading.rows(statement.where(bulk.among(reading, Holder.id, again)))
    known = {row.id: {compared(a) for a in (row.email, row.second_email) if a} for row in rows}
    return [
        replace(claim, facts=None)
        if claim.facts
        and claim.holder_id
        and compared(str(claim.facts["address"])) not in known.get(claim.holder_id, ())
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
        owed_by = _COMPOSERS[kind].owed(reading, some)
        for claim in some:
            made[claim.id] = _safely(partial(_written, reading, key, claim, owed_by))
    return made


def _written(
    reading: ReadContext,
    key: bytes,
    claim: MessageClaim,
    owed_by: Callable[[MessageClaim], Owed | Uncomposed],
) -> Composed | Uncomposed:
    now = owed_by(claim)
    if isinstance(now, Uncomposed):
        return now
    composed = _COMPOSERS[claim.kind].compose(reading, key, claim, now.facts)
    return replace(composed, withheld=now.withheld)


def _safely(make: Callable[[], T]) -> T | Uncomposed:
    try:
        return make()
    except Exception as error:  # noqa: BLE001 - one message's data must not stop the others
        return Uncomposed(f"{type(error).__name__}: {error}"[:500], owed=True)


def owed(reading: ReadContext, claim: MessageClaim) -> Owed | Uncomposed:
    """What one message says now, or why it is not owed any more."""
    (claim,) = _addressed(reading, [claim])
    return _safely(partial(_COMPOSERS[claim.kind].owed(reading, [claim]), claim))


def is_unchanged(reading: ReadContext, claim: MessageClaim, composed: Composed) -> bool:
    """Whether a composed message is still owed and would say the same now."""
    now = owed(reading, claim)
    composed_at = {"composed_at": composed.facts["composed_at"]}
    return isinstance(now, Owed) and now.facts | composed_at == composed.facts
