"""What the page says on which an employer uploads its list, in English and Spanish."""

from __future__ import annotations

from dataclasses import dataclass

from tracker.language import catalogues


@dataclass(frozen=True, slots=True)
class RosterWords:
    """One language's words."""

    title: str
    why: str
    columns: str
    column_employer: str
    column_employee_id: str
    column_email: str
    column_certificate_number: str
    column_site: str
    column_ended_on: str
    required: str
    current: str
    current_why: str
    one: str
    one_why: str
    one_asked: str
    one_button: str
    move: str
    move_why: str
    move_button: str
    file: str
    file_hint: str
    dates: str
    check: str
    preview: str
    refused_one: str
    refused_other: str
    mend: str
    would: str
    asks: str
    rows: str
    rows_why: str
    row: str
    change: str
    refused: str
    like: str
    confirm: str
    confirm_why: str
    confirm_button: str
    missing_title: str
    missing_one: str
    missing_other: str
    missing_more: str
    missing_end: str
    changed: str
    again: str
    rule_language: str
    whole_row: str
    orders: dict[str, str]
    labels: dict[str, str]
    wrong: dict[str, str]
    changes: dict[str, str]
    effects: dict[str, dict[str, str]]

    def missing(self, count: int) -> str:
        """How many on the list are not in the file; empty if all are."""
        if not count:
            return ""
        return self.missing_one if count == 1 else self.missing_other.format(f"{count:,}")


WORDS = {
    lang: RosterWords(**catalogues.topic(lang, "roster_pages")) for lang in catalogues.LANGUAGES
}
