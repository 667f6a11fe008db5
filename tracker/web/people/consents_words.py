"""What the pages about who can see a holder, and their data, say in English and Spanish."""

from __future__ import annotations

from dataclasses import dataclass

from tracker.language import catalogues


@dataclass(frozen=True, slots=True)
class ConsentsWords:
    """One language's words."""

    title: str
    nobody: str
    sees: str
    sees_nothing: str
    not_listed: str
    blocked: str
    until: str
    stop: str
    block: str
    block_why: str
    unblock: str
    public: str
    public_shows: str
    public_hides: str
    show_modules: str
    hide_modules: str
    looks: str
    sponsor_sees: str
    sponsor_sees_nothing: str
    sponsor_would_see: str
    sponsor_fields: str
    share: str
    case_sees: str
    case_sees_nothing: str
    case_fields: str
    asks: str
    answer: str
    question: str
    always: str
    why: str
    rights: str
    accept: str
    decline: str
    back: str
    data: str
    data_why: str
    download: str
    erase: str
    erase_why: str
    erasure_waits: str
    withdraw_erasure: str


WORDS = {
    lang: ConsentsWords(**catalogues.topic(lang, "consents_pages")) for lang in catalogues.LANGUAGES
}
