"""What the page of a sponsor of apprenticeships says, in English and Spanish."""

from __future__ import annotations

from dataclasses import dataclass

from tracker.language import catalogues


@dataclass(frozen=True, slots=True)
class SponsorWords:
    """One language's words."""

    title: str
    why: str
    none: str
    program: str
    started: str
    expected: str
    ended: str
    hours: str
    hours_of: str
    hours_done: str
    modules: str
    passed_on: str
    missing: str
    next: str
    first: str
    statuses: dict[str, str]


WORDS = {
    lang: SponsorWords(**catalogues.topic(lang, "sponsor_pages")) for lang in catalogues.LANGUAGES
}
