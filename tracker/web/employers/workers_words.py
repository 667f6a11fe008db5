"""What the pages about one worker, and about asking for consent, say in English and Spanish."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tracker.domain.employers.consents import ConsentField, ConsentPurpose
from tracker.language import catalogues


@dataclass(frozen=True, slots=True)
class WorkersWords:
    """One language's words."""

    title: str
    over: str
    employee_id: str
    site: str
    department: str
    shift: str
    certificate: str
    expires: str
    expired: str
    window: str
    window_days: str
    points: str
    points_so_far: str
    points_missing: str
    points_all: str
    modules: str
    module_on: str
    checked: str
    sharing: str
    shares: str
    shares_nothing: str
    listed_by: str
    listed_by_email: str
    listed_by_number: str
    listed_by_nothing: str
    ask: str
    ask_more: str
    ask_what: str
    always: str
    why: str
    ask_how: str
    cannot_ask_not_matched: str
    cannot_ask_shared: str
    cannot_ask_asked: str
    cannot_ask_declined: str
    permit: str
    edit: str
    end: str
    end_why: str
    end_title: str
    end_what: str
    end_effects: list[str]
    end_button: str
    keep: str
    wrong_purpose: str
    many: str
    many_found: str
    many_filter: str
    many_ask: str
    many_shared: str
    many_asked: str
    many_declined: str
    many_not_matched: str
    many_none: str
    many_button_one: str
    many_button_other: str
    many_most: str
    many_update: str
    done: dict[str, str]
    fields: dict[str, str]
    purposes: dict[str, str]
    not_shared: dict[str, str]
    what_it_means: dict[str, str]
    what_to_do: dict[str, str]

    @property
    def choices(self) -> Sequence[tuple[str, str]]:
        """What may be asked for beyond the standing: codes and words."""
        return [(one, self.fields[one]) for one in ConsentField if one in self.fields]

    @property
    def reasons(self) -> Sequence[tuple[str, str]]:
        """For which purposes may be asked: codes and words."""
        return [(one, self.purposes[one]) for one in ConsentPurpose]


WORDS = {
    lang: WorkersWords(**catalogues.topic(lang, "workers_pages")) for lang in catalogues.LANGUAGES
}
