"""What the pages about activities say, in English and Spanish."""

from __future__ import annotations

from dataclasses import dataclass

from tracker.domain.errors import Refusal
from tracker.language import catalogues


@dataclass(frozen=True, slots=True)
class ActivitiesWords:
    """One language's words."""

    title: str
    log: str
    copy_last: str
    copy: str
    none: str
    choose: str
    choose_why: str
    what_and_when: str
    other_kind: str
    rules: str
    name: str
    name_hint: str
    job: str
    job_hint: str
    provider: str
    employer: str
    quantity: str
    unit: str
    role: str
    role_usual: str
    tags: str
    duty: str
    starts_on: str
    completed_on: str
    goes_on: str
    month: str
    day: str
    year: str
    save: str
    back: str
    would_count: str
    counts: str
    points: str
    not_counted: str
    alike: str
    alike_why: str
    proof: str
    proof_optional: str
    proof_asked: str
    proof_required: str
    photo: str
    files: str
    files_hint: str
    add_files: str
    remove: str
    later: str
    submit: str
    withdraw: str
    discard: str
    edit: str
    said: str
    until: str
    too_large: str
    too_large_why: str
    groups: dict[str, str]
    states: dict[str, str]
    short: dict[str, str]
    wrong: dict[str, str]
    refusals: dict[str, str]

    def refusal(self, refusal: Refusal, usual: str) -> str:
        """Why something was refused; ``usual`` if these pages have no words of their own for it."""
        return self.refusals.get(refusal.code, usual)


WORDS = {
    lang: ActivitiesWords(**catalogues.topic(lang, "activities_pages"))
    for lang in catalogues.LANGUAGES
}
