"""What the pages of requirements and the kiosk say, in English and Spanish."""

from __future__ import annotations

from dataclasses import dataclass

from tracker.language import catalogues


@dataclass(frozen=True, slots=True)
class RequirementsWords:
    """One language's words."""

    title: str
    why: str
    none: str
    check: str
    gate: str
    gate_how: str
    hours: str
    hours_count: str
    edit: str
    edit_why: str
    save: str
    on_record: str
    end: str
    all_of: str
    add: str
    name: str
    name_hint: str
    kind: str
    need_first: str
    need_next: str
    alternative: str
    choose: str
    nothing: str
    certifications: str
    modules: str
    credentials: str
    store: str
    module: str
    wrong_name: str
    wrong_needs: str
    kiosk: str
    kiosk_why: str
    kiosk_who: str
    kiosk_go: str
    kiosk_for: str
    kiosk_another: str
    kiosk_none: str
    kiosk_empty: str
    yes: str
    no: str
    unsure: str
    kinds: dict[str, str]


WORDS = {
    lang: RequirementsWords(**catalogues.topic(lang, "requirements_pages"))
    for lang in catalogues.LANGUAGES
}
