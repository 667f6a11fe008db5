"""Verification: what anybody may learn of a certification from its address, or number and name.

One statement reads it all. Who does not know the address or both number and name learns nothing:
unknown and wrongly named certifications answer alike. One that was handed out answers for good: a
withdrawn one that it is withdrawn, one that was earned again which one speaks now.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.orm import aliased

from tracker.domain import certifications
from tracker.domain.certifications import Standing
from tracker.domain.errors import NotFound
from tracker.domain.schemes import Scheme
from tracker.models import Certification, Holder, Span
from tracker.services.work import Reading

_PUBLIC_ID = re.compile(r"[A-Za-z0-9_-]{16,32}")
_NUMBER = re.compile(r"[0-9A-Z-]{1,32}")
_CURRENT = aliased(Certification)
_STATEMENT = (
    select(
        Certification.number, Certification.scheme, Certification.awarded_on,
        Certification.replaced_on, _CURRENT.number.label("current_number"), Holder.given_name,
        Holder.family_name, Span.from_on, Span.until_on, Span.cycle, Span.cycle_starts_on,
        Span.expires_on, Span.window_opens_on, Span.grace_ends_on, Span.title_ends_on,
        Span.pending_since, Span.hold, Span.valid_while_pending,
    )
    .join(Holder, Holder.id == Certification.holder_id)
    .join(Span, Span.certification_id == Certification.id)
    .join(
        _CURRENT,
        and_(
            _CURRENT.holder_id == Certification.holder_id,
            _CURRENT.scheme == Certification.scheme,
            _CURRENT.withdrawn_at.is_(None), _CURRENT.replaced_on.is_(None),
            Certification.replaced_on.is_not(None),
        ),
        isouter=True,
    )
    .order_by(Span.from_on)
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Verified:
    """What a public verifier is told.

    ``held_since`` is the day from which the certification is suspended, revoked or surrendered.
    ``again_on`` is the day since which the holder is certified again, ``again_number`` the number
    of the certificate that speaks for them now.
    """

    scheme: Scheme
    holder: str
    number: str
    awarded_on: date
    standing: Standing
    held_since: date | None
    checked_at: datetime
    again_on: date | None = None
    again_number: str | None = None

    @property
    def is_withdrawn(self) -> bool:
        """Whether it was recorded in error."""
        return self.standing.status == "withdrawn"


def by_address(reading: Reading, public_id: str) -> Verified:
    """The certification with that public id. Raises NotFound."""
    if not _PUBLIC_ID.fullmatch(public_id):
        raise NotFound
    return _verified(reading, reading.rows(_STATEMENT.where(Certification.public_id == public_id)))


def by_number(reading: Reading, number: str, surname: str) -> Verified:
    """The certification of that number, if its holder has that family name. Raises NotFound.

    Blanks, case, accents and hyphens in the name are forgiven.
    """
    number = re.sub(r"\s", "", number).upper()
    if not _NUMBER.fullmatch(number):
        raise NotFound
    rows = reading.rows(_STATEMENT.where(Certification.number == number))
    if not rows or _folded(rows[0].family_name) != _folded(surname) or not _folded(surname):
        raise NotFound
    return _verified(reading, rows)


def _folded(name: str) -> str:
    """A name as it is compared: letters only, without accents and case."""
    split = unicodedata.normalize("NFKD", name).casefold()
    return "".join(letter for letter in split if letter.isalnum())


def _verified(reading: Reading, rows: Sequence[Any]) -> Verified:
    if not rows:
        raise NotFound
    first, scheme = rows[0], reading.schemes[rows[0].scheme]
    spans = [certifications.Span(*row[7:]) for row in rows]
    on = reading.today(scheme)
    span = certifications.span_on(spans, on)
    if span is None:
        raise NotFound
    return Verified(
        scheme=scheme, holder=f"{first.given_name} {first.family_name}", number=first.number,
        awarded_on=first.awarded_on, standing=certifications.standing_on(span, on),
        held_since=None if span.hold == "withdrawn" else _held_since(spans, span),
        checked_at=reading.now, again_on=first.replaced_on, again_number=first.current_number,
    )  # fmt: skip


def _held_since(spans: Sequence[certifications.Span], now: certifications.Span) -> date | None:
    """The first day of the unbroken run of spans with the same hold."""
    since = None
    for span in spans[: spans.index(now) + 1]:
        if span.hold is None or span.hold != now.hold:
            since = None
        elif since is None:
            since = span.from_on
    return since
