"""What the pages of an assessment center say, in English and Spanish."""

from __future__ import annotations

from dataclasses import dataclass

from tracker.language import catalogues


@dataclass(frozen=True, slots=True)
class CenterWords:
    """One language's words."""

    title: str
    parts_label: str
    results: str
    sittings: str
    results_why: str
    sittings_why: str
    all: str
    reference: str
    module: str
    taken: str
    result: str
    passed: str
    failed: str
    state: str
    sent: str
    decided: str
    voided: str
    on_record: str
    none: str
    no_sittings: str
    next: str
    first: str
    states: dict[str, str]


WORDS = {
    lang: CenterWords(**catalogues.topic(lang, "center_pages")) for lang in catalogues.LANGUAGES
}
