"""What the pages say on which an employer sees who looked, and orders its summary."""

from __future__ import annotations

from dataclasses import dataclass

from tracker.language import catalogues


@dataclass(frozen=True, slots=True)
class EmployerWords:
    """One language's words."""

    title: str
    why: str
    none: str
    at: str
    who: str
    what: str
    workers: str
    of_day: str
    next: str
    first: str
    digest: str
    digest_why: str
    off: str
    on: str
    bounced: str
    every: str
    address: str
    address_hint: str
    language: str
    order: str
    change: str
    call_off: str
    wrong_every: str
    wrong_address: str
    wrong_language: str
    viewer: str
    kinds: dict[str, str]
    frequencies: dict[str, str]
    languages: dict[str, str]


WORDS = {
    lang: EmployerWords(**catalogues.topic(lang, "employer_pages")) for lang in catalogues.LANGUAGES
}
