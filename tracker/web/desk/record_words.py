"""The codes that records use, in the words of the staff's pages: states, kinds, acts, fields."""

from __future__ import annotations

from dataclasses import dataclass

from tracker.language import catalogues

Codes = dict[str, str]


@dataclass(frozen=True, slots=True)
class RecordWords:
    """One language's words, by kind of code."""

    activity_states: Codes
    fee_states: Codes
    request_kinds: Codes
    request_states: Codes
    message_kinds: Codes
    message_states: Codes
    stage_outcomes: Codes
    skip_reasons: Codes
    signs: Codes
    roles: Codes
    subjects: Codes
    actions: Codes
    fields: Codes

    def said(self, kind: str, code: str | None) -> str:
        """A code in words; one that has none yet is said as it is, with spaces."""
        known: Codes = getattr(self, kind)
        return known.get(code or "", (code or "").replace("_", " "))


WORDS = {
    lang: RecordWords(**catalogues.topic(lang, "record_codes")) for lang in catalogues.LANGUAGES
}
