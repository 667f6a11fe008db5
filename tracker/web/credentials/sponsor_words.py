"""What the pages of a sponsor say, in English and Spanish."""

from __future__ import annotations

from dataclasses import dataclass

from tracker.language import catalogues
from tracker.web import navigation
from tracker.web.navigation import NavigationLink


@dataclass(frozen=True, slots=True)
class SponsorWords:
    """One language's words."""

    title: str
    parts_label: str
    apprentices: str
    funding: str
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


def parts(language: str) -> list[NavigationLink]:
    """The links between the pages of a sponsor."""
    say = WORDS[language]
    return navigation.of_places([("/sponsor", say.apprentices), ("/sponsor/funding", say.funding)])
