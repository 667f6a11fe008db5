"""Composing employers' digests: whom they may still name, and what they say."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any

from sqlalchemy import select

from tracker.domain.emails import compared
from tracker.domain.schemes.activity_types import translated
from tracker.mail import digests
from tracker.mail.digests import DigestLetter, DigestLine, DigestNumbers
from tracker.models import Digest, DigestOrder, Employer
from tracker.services.core import bulk
from tracker.services.core.context import ReadContext
from tracker.services.delivery import sealing
from tracker.services.delivery.sealing import Composed, Made, MessageClaim, Uncomposed
from tracker.services.employers import digest_contents, digest_links
from tracker.services.outbox import suppressions

_CALLED_OFF = "The digest is no longer ordered."
_SUPPRESSED = "The address is suppressed."
_NOBODY = "The digest has no workers left to name."
_NONE: Mapping[str, Any] = {"rows": [], "more": False}


def compose(reading: ReadContext, key: bytes, claims: Sequence[MessageClaim]) -> Made:
    """The digests of the claimed rows, by id, with a constant number of statements.

    A worker who ends consent after the cut-off appears in no digest sent afterwards, not even in
    a second copy; the numbers are then recounted. A digest goes only to the address that the
    employer orders it for now.
    """
    rows = _rows(reading, [claim.id for claim in claims])
    employer_ids = {claim.employer_id for claim in claims if claim.employer_id}
    live = digest_contents.consents(reading, employer_ids)
    addresses = {row.address for row in rows.values()}
    barred = suppressions.since(reading, addresses, now=reading.now)
    made: Made = {}
    for claim in claims:
        try:
            told = _facts(reading, claim, rows.get(claim.id), live, barred)
            made[claim.id] = (
                # Retried while the address is suppressed: no later digest covers these days.
                Uncomposed(told, owed=told == _SUPPRESSED)
                if isinstance(told, str)
                else _composed(reading, key, claim, told)
            )
        except Exception as error:  # noqa: BLE001 - one message's data must not stop the others
            made[claim.id] = Uncomposed(f"{type(error).__name__}: {error}"[:500], owed=True)
    return made


def _rows(reading: ReadContext, ids: Sequence[str]) -> dict[str, Any]:
    """The digests with their orders, by message id; digests no longer ordered are left out."""
    found: dict[str, Any] = {}
    for some in bulk.chunks(ids):
        statement = (
            select(
                Digest.message_id,
                Digest.contents,
                DigestOrder.address,
                DigestOrder.language,
                Employer.name,
            )
            .join(DigestOrder, DigestOrder.employer_id == Digest.employer_id)
            .join(Employer, Employer.id == Digest.employer_id)
            .where(Digest.message_id.in_(some))
        )
        found |= {row.message_id: row for row in reading.rows(statement)}
    return found


def _facts(
    reading: ReadContext,
    claim: MessageClaim,
    row: Any,
    live: Mapping[str, Mapping[str, str]],
    barred: Collection[str],
) -> dict[str, Any] | str:
    """Everything that the digest says, or why there is none. A second copy says the same."""
    if row is None:
        return _CALLED_OFF
    said = claim.facts
    if said is None or said["address"] != row.address:
        if compared(row.address) in barred:
            return _SUPPRESSED
        said = {
            "composed_at": reading.now.isoformat(),
            "address": row.address,
            "name": row.name,
            "language": row.language,
            "contents": row.contents,
        }
    employer_id = claim.employer_id or ""
    contents = digest_contents.as_of_now(
        reading, employer_id, said["contents"], live.get(employer_id, {})
    )
    return _NOBODY if digest_contents.is_empty(contents) else {**said, "contents": contents}


def _composed(
    reading: ReadContext, key: bytes, claim: MessageClaim, said: dict[str, Any]
) -> Composed:
    contents = said["contents"]
    through_on = date.fromisoformat(contents["through_on"])
    link = digest_links.link(reading, key, claim.employer_id or "", said["address"])
    issuer = _issuer(reading, contents)
    letter = digests.compose(
        DigestLetter(
            employer=said["name"],
            language=said["language"],
            from_on=date.fromisoformat(contents["from_on"]),
            through_on=through_on,
            numbers=tuple(_numbers(reading, one, said["language"]) for one in contents["numbers"]),
            sections=_sections(reading, contents, said["language"]),
            issuer=issuer,
            unsubscribe_link=link,
        )
    )
    sealed = sealing.sealed(reading, key, claim, letter, said, unsubscribe_link=link, issuer=issuer)
    return replace(sealed, still_true=partial(_still_true, claim.employer_id or "", said))


def _issuer(reading: ReadContext, contents: Mapping[str, Any]) -> str:
    """The sender's name: the issuer of the certifications counted."""
    return sealing.issuer_of(
        reading, {reading.schemes[one["scheme"]].issuer for one in contents["numbers"]}
    )


def _still_true(employer_id: str, said: Mapping[str, Any], reading: ReadContext) -> bool:
    """Whether the order still names this address and the consents are unchanged.

    Checked with the marker.
    """
    ordered = select(DigestOrder.address).where(DigestOrder.employer_id == employer_id)
    row = reading.row(ordered)
    if row is None or row.address != said["address"]:
        return False
    live = digest_contents.consents(reading, [employer_id]).get(employer_id, {})
    return bool(said["contents"]["consents"] == digest_contents.fingerprint(live))


def _numbers(reading: ReadContext, one: Mapping[str, Any], language: str) -> DigestNumbers:
    return DigestNumbers(
        scheme=reading.schemes[one["scheme"]].full_name(language),
        total=one["total"],
        valid=one["valid"],
        not_shared=one["not_shared"],
        not_certified=one["not_certified"],
        pending=one.get("pending", 0),
        due={int(days): count for days, count in one["due"].items()},
    )


def _sections(
    reading: ReadContext, contents: Mapping[str, Any], language: str
) -> dict[str, tuple[tuple[DigestLine, ...], bool]]:
    """The rows of each section in order, and whether there are more; at most 100 rows in all."""
    room, found = digest_contents.SHOWN, {}
    for name in digest_contents.SECTIONS:
        section = contents["sections"].get(name, _NONE)  # older digests have fewer
        rows = section["rows"][:room]
        if section["rows"]:
            more = section["more"] or len(section["rows"]) > len(rows)
            found[name] = (tuple(_line(reading, row, language) for row in rows), more)
        room -= len(rows)
    return found


def _line(reading: ReadContext, row: Mapping[str, Any], language: str) -> DigestLine:
    scheme, on, closes = row.get("scheme"), row.get("on"), row.get("closes")
    return DigestLine(
        name=row["name"],
        employee_id=row["employee_id"],
        what=row["what"],
        scheme=_title(reading, scheme, language) if scheme else "",
        on=date.fromisoformat(on) if on else None,
        closes_on=date.fromisoformat(closes) if closes else None,
    )


def _title(reading: ReadContext, scheme: str, language: str) -> str:
    return translated(reading.schemes[scheme].title, language)
