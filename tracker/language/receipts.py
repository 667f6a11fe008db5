"""A receipt of a verification as a report to print, which quotes the signed text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from tracker.domain.schemes.activity_types import translated
from tracker.domain.schemes.schemes import Module, Scheme
from tracker.language import catalogues
from tracker.language.reports import Report, ReportTable
from tracker.language.voice import in_words

_WIDTH = 88  # characters of the signed text in a line


@dataclass(frozen=True, slots=True)
class ReceiptFacts:
    """What a printed receipt says; ``status`` is in words already."""

    scheme: Scheme
    module: Module | None
    holder: str
    number: str
    status: str
    is_valid: bool
    awarded_on: date
    expires_on: date | None
    as_of: date
    known_at: datetime
    address: str
    keys: str
    signed: str


def report(facts: ReceiptFacts, language: str) -> Report:
    """The receipt in a language."""
    say = catalogues.topic(language, "receipts")
    known_at = f"{in_words(facts.known_at.date(), language)}, {facts.known_at:%H:%M:%S} UTC"
    lead = say["lead"].format(
        issuer=facts.scheme.issuer, day=in_words(facts.as_of, language), moment=known_at
    )
    lines = [facts.signed[at : at + _WIDTH] for at in range(0, len(facts.signed), _WIDTH)]
    return Report(
        language,
        say["title"],
        [lead],
        [
            ReportTable(
                say["what"],
                list(_rows(facts, language)),
                (say["fact"], say["on_record"]),
                (1, 3),
            ),
            ReportTable(
                say["proof"],
                [(line,) for line in lines],
                ("JWS",),
                (1,),
                note=say["proof_note"].format(keys=facts.keys),
            ),
        ],
    )


def _rows(facts: ReceiptFacts, language: str) -> Iterator[tuple[str, str]]:
    say = catalogues.topic(language, "receipts")
    yield say["holder"], facts.holder
    yield say["certification"], facts.scheme.full_name(language)
    if facts.module is not None:
        yield say["module"], translated(facts.module.name, language)
    yield say["number"], facts.number
    yield say["status"], facts.status
    yield say["valid"], say["yes"] if facts.is_valid else say["no"]
    yield say["awarded"], in_words(facts.awarded_on, language)
    if facts.expires_on is not None:
        yield say["expires"], in_words(facts.expires_on, language)
    yield say["address"], facts.address
