"""What the pages say on which an organization uploads a file, in English and Spanish."""

from __future__ import annotations

from dataclasses import dataclass

from tracker.language import catalogues


@dataclass(frozen=True, slots=True)
class UploadsWords:
    """One language's words."""

    upload: str
    why: str
    columns: str
    required: str
    file: str
    file_hint: str
    dates: str
    check: str
    no_file: str
    too_large: str
    too_large_why: str
    back: str
    too_busy: str
    preview: str
    refused_one: str
    refused_other: str
    mend: str
    would: str
    errors: str
    warnings: str
    row: str
    column: str
    value: str
    rule: str
    more: str
    rule_language: str
    confirm: str
    confirm_why: str
    confirm_button: str
    changed: str
    again: str
    stored: str
    orders: dict[str, str]
    effects: dict[str, dict[str, str]]


WORDS = {
    lang: UploadsWords(**catalogues.topic(lang, "uploads_pages")) for lang in catalogues.LANGUAGES
}
