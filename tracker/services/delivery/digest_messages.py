"""Composing employers' digests (a ``Composer``): whom they may still name, and what they say."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple

from sqlalchemy import select

from tracker.domain.delivery.pages import DIGEST
from tracker.domain.emails import compared
from tracker.domain.employers.staffing import StaffingBreak
from tracker.domain.schemes.activity_types import translated
from tracker.language import clearances
from tracker.mail import digests
from tracker.mail.digests import DigestLine, DigestMessage, DigestNumbers
from tracker.models import Digest, DigestOrder, Employer
from tracker.services.core import bulk
from tracker.services.core.context import ReadContext
from tracker.services.delivery import sealing, stored_facts
from tracker.services.delivery.sealing import Composed, MessageClaim, Owed, Uncomposed
from tracker.services.delivery.stored_facts import StoredFacts, StoredMessage
from tracker.services.employers import digest_contents, digest_links
from tracker.services.employers.digest_contents import Contents, StaffingRow
from tracker.services.outbox import suppressions

_CALLED_OFF = Uncomposed("The digest is no longer ordered.", owed=False)
# Retried while the address is suppressed: no later digest covers these days.
_SUPPRESSED = Uncomposed("The address is suppressed.", owed=True)
_NOBODY = Uncomposed("The digest has no workers left to name.", owed=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _StoredDigest(StoredMessage):
    """Everything that a digest says; ``name`` is the employer's.

    Digests stored by older versions have no ``link``.
    """

    contents: Contents
    link: str = ""


class _OrderedDigest(NamedTuple):
    """A digest at its cut-off, and the order that it is sent for now."""

    message_id: str
    employer_id: str
    contents: Contents
    address: str
    language: str
    name: str


def owed(
    reading: ReadContext, claims: Sequence[MessageClaim]
) -> Callable[[MessageClaim], Owed | Uncomposed]:
    """What each digest says now; a second copy says the same.

    A worker who ends consent after the cut-off appears in no digest sent afterwards, not even in
    a second copy; the numbers are then recounted. A digest goes only to the address that the
    employer orders it for now.
    """
    ordered = _ordered(reading, [claim.id for claim in claims])
    live = digest_contents.consents(reading, {digest.employer_id for digest in ordered.values()})
    addresses = {digest.address for digest in ordered.values()}
    barred = suppressions.since(reading, addresses, now=reading.now)

    def of_claim(claim: MessageClaim) -> Owed | Uncomposed:
        if (digest := ordered.get(claim.id)) is None:
            return _CALLED_OFF
        stored = _stored(reading, claim, digest, barred)
        if stored is None:
            return _SUPPRESSED
        contents = digest_contents.as_of_now(
            reading, digest.employer_id, stored.contents, live.get(digest.employer_id, {})
        )
        if digest_contents.is_empty(contents):
            return _NOBODY
        return Owed(stored_facts.plain(replace(stored, contents=contents)))

    return of_claim


_DIGESTS = (
    select(
        Digest.message_id,
        Digest.employer_id,
        Digest.contents,
        DigestOrder.address,
        DigestOrder.language,
        Employer.name,
    )
    .join(DigestOrder, DigestOrder.employer_id == Digest.employer_id)
    .join(Employer, Employer.id == Digest.employer_id)
)


def _ordered(reading: ReadContext, ids: Sequence[str]) -> dict[str, _OrderedDigest]:
    """The digests with their orders, by message id; digests no longer ordered are left out."""
    ordered: dict[str, _OrderedDigest] = {}
    for some in bulk.chunks(ids):
        statement = _DIGESTS.where(Digest.message_id.in_(some))
        ordered |= {row.message_id: row for row in reading.rows_as(_OrderedDigest, statement)}
    return ordered


def _stored(
    reading: ReadContext, claim: MessageClaim, digest: _OrderedDigest, barred: Collection[str]
) -> _StoredDigest | None:
    """What the digest says: as stored, or as of the cut-off; None if the address is suppressed."""
    if claim.facts is not None:
        stored = stored_facts.value_of(_StoredDigest, claim.facts)
        if stored.address == digest.address:
            return stored
    if compared(digest.address) in barred:
        return None
    return _StoredDigest(
        composed_at=reading.now,
        address=digest.address,
        name=digest.name,
        language=digest.language,
        contents=digest.contents,
        link=sealing.button_link(reading, [(DIGEST, None)]),
    )


def compose(reading: ReadContext, key: bytes, claim: MessageClaim, facts: StoredFacts) -> Composed:
    """The digest that says these facts."""
    stored = stored_facts.value_of(_StoredDigest, facts)
    contents, language = stored.contents, stored.language
    link = digest_links.link(reading, key, claim.employer_id or "", stored.address)
    # The sender is the issuer of the certifications counted.
    counted = {reading.schemes[numbers["scheme"]].issuer for numbers in contents["numbers"]}
    issuer = sealing.issuer_of(reading, counted)
    written = digests.compose(
        DigestMessage(
            employer=stored.name,
            language=language,
            from_on=date.fromisoformat(contents["from_on"]),
            through_on=date.fromisoformat(contents["through_on"]),
            numbers=tuple(_numbers(reading, row, language) for row in contents["numbers"]),
            sections=_sections(reading, contents, language),
            staffing=tuple(_staffing(row, language) for row in contents.get("staffing", ())),
            issuer=issuer,
            link=stored.link,
            unsubscribe_link=link,
        )
    )
    return sealing.sealed(reading, key, claim, written, facts, unsubscribe_link=link, issuer=issuer)


def _numbers(reading: ReadContext, row: Mapping[str, object], language: str) -> DigestNumbers:
    counted = stored_facts.value_of(DigestNumbers, row)
    return replace(
        counted,
        scheme=reading.schemes[counted.scheme].full_name(language),
        due={int(days): count for days, count in counted.due.items()},
    )


def _staffing(row: StaffingRow, language: str) -> str:
    breaks = StaffingBreak(date.fromisoformat(row["on"]), row["then"])
    return clearances.staffing(row["place"], row["count"], row["least"], breaks, language)


def _sections(
    reading: ReadContext, contents: Contents, language: str
) -> dict[str, tuple[tuple[DigestLine, ...], bool]]:
    """The rows of each section in order, and whether there are more; at most 100 rows in all."""
    room, sections = digest_contents.SHOWN, {}
    for name in digest_contents.SECTIONS:
        section = contents["sections"].get(name)  # older digests have fewer
        if section is None or not section["rows"]:
            continue
        rows = section["rows"][:room]
        more = section["more"] or len(section["rows"]) > len(rows)
        sections[name] = (tuple(_line(reading, row, language) for row in rows), more)
        room -= len(rows)
    return sections


def _line(reading: ReadContext, row: Mapping[str, object], language: str) -> DigestLine:
    line = stored_facts.value_of(DigestLine, {**row, "closes_on": row.get("closes")})
    if not line.scheme:
        return line
    return replace(line, scheme=translated(reading.schemes[line.scheme].title, language))
