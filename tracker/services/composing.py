"""Who composes which letter: each kind by its own module, many of a kind at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import select

from tracker.domain.emails import compared
from tracker.models import Holder
from tracker.services import (
    bulk,
    digest_letters,
    notice_letters,
    recipients,
    reminder_letters,
    unwanted,
)
from tracker.services.letters import Claim, Made
from tracker.services.work import Reading

Composer = Callable[[Reading, bytes, Sequence[Claim]], Made]

_COMPOSERS: Mapping[str, Composer] = {
    "reminder": reminder_letters.compose, "notice": notice_letters.compose,
    "digest": digest_letters.compose,
}  # fmt: skip


def compose(reading: Reading, key: bytes, claims: Sequence[Claim]) -> Made:
    """The letters of claimed rows by id, less those that their holder does not want any more.

    Nobody who is recorded as deceased is written to. A constant number of statements for each
    kind.
    """
    addressed = _addressed(reading, claims)
    wanted = unwanted.drop_unwanted(reading, addressed, written(reading, key, addressed))
    return recipients.drop_deceased(reading, addressed, wanted)


def _addressed(reading: Reading, claims: Sequence[Claim]) -> list[Claim]:
    """The claims; one to be sent again to an address that was corrected since says it anew.

    The old address may be a stranger's: that weighs more than a copy that is the same.
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


def written(reading: Reading, key: bytes, claims: Sequence[Claim]) -> Made:
    """The same letters, whether or not their holder wants such letters now: to look at."""
    by_kind: dict[str, list[Claim]] = defaultdict(list)
    for claim in claims:
        by_kind[claim.kind].append(claim)
    made: Made = {}
    for kind, some in by_kind.items():
        made |= _COMPOSERS[kind](reading, key, some)
    return made
