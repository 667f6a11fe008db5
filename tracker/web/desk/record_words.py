"""The codes that records use, in the words of the staff's pages: states, kinds, acts, fields."""

from __future__ import annotations

from dataclasses import dataclass

from tracker.language import catalogues

CodeWords = dict[str, str]


@dataclass(frozen=True, slots=True)
class RecordWords:
    """One language's words, by kind of code."""

    activity_states: CodeWords
    fee_states: CodeWords
    request_kinds: CodeWords
    request_states: CodeWords
    message_kinds: CodeWords
    message_states: CodeWords
    stage_outcomes: CodeWords
    skip_reasons: CodeWords
    signs: CodeWords
    roles: CodeWords
    subjects: CodeWords
    actions: CodeWords
    fields: CodeWords

    def said(self, kind: str, code: str | None) -> str:
        """A code in words; one that has none yet is said as it is, with spaces."""
        known: CodeWords = getattr(self, kind)
        return known.get(code or "", (code or "").replace("_", " "))


WORDS = {
    lang: RecordWords(**catalogues.topic(lang, "record_codes")) for lang in catalogues.LANGUAGES
}
