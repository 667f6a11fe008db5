"""What the pages of a training provider say, in English and Spanish."""

from __future__ import annotations

from dataclasses import dataclass

from tracker.language import catalogues


@dataclass(frozen=True, slots=True)
class ProviderWords:
    """One language's words."""

    title: str
    none: str
    propose: str
    change: str
    attendance: str
    attendance_why: str
    courses: str
    code: str
    quantity: str
    approved: str
    reason: str
    codes: str
    codes_why: str
    codes_none: str
    held: str
    used: str
    ends: str
    withdrawn: str
    over: str
    withdraw: str
    make: str
    not_approved: str
    held_on: str
    most: str
    lasts: str
    wrong_held_on: str
    wrong_most: str
    wrong_ends_at: str
    shown: str
    shown_once: str
    shown_for: str
    back: str
    all: str
    next: str
    first: str
    states: dict[str, str]
    lengths: dict[str, str]


WORDS = {
    lang: ProviderWords(**catalogues.topic(lang, "provider_pages")) for lang in catalogues.LANGUAGES
}
