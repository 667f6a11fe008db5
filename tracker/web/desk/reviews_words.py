"""What the pages about reviews say, in English and Spanish."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from tracker.domain.errors import Refusal
from tracker.language import catalogues
from tracker.language.voice import Quantity, counted


@dataclass(frozen=True, slots=True)
class ReviewsWords:
    """One language's words."""

    title: str
    start: str
    start_with_these: str
    waiting_all: str
    waiting_none: str
    in_time: str
    too_long: str
    ages: str
    ages_picture: str
    ages_promise: str
    age_days: str
    age_count: str
    age_more: str
    age_late: str
    filter: str
    filters_on: str
    filter_apply: str
    filter_clear: str
    any: str
    scheme: str
    category: str
    type: str
    state: str
    age: str
    age_overdue: str
    age_within: str
    submitted_before: str
    expires_before: str
    flag: str
    employer: str
    nothing: str
    nothing_at_all: str
    list: str
    urgent: str
    waits: str
    waits_late: str
    waits_today: str
    asked: str
    expires: str
    expires_later: str
    expired: str
    no_expiry: str
    no_certificate: str
    counts: str
    counts_all: str
    counts_none: str
    files: str
    locked: str
    locked_own: str
    open: str
    look: str
    choose: str
    together: str
    together_hint: str
    next_page: str
    together_title: str
    together_none: str
    together_what: str
    together_unlike: str
    together_fields: dict[str, str]
    together_answer: str
    together_send: str
    back: str
    claim: str
    person: str
    evidence: str
    no_evidence: str
    confirmed: str
    evidence_later: str
    open_file: str
    turn: str
    zoom: str
    picture: str
    document: str
    rule: str
    no_rule: str
    outcome: str
    points: str
    points_picture: str
    points_now: str
    points_then: str
    points_all: str
    points_required: str
    points_of: str
    complete: str
    incomplete: str
    likely: str
    likely_signs: str
    likely_what: str
    likely_this: str
    likely_other: str
    same_files: str
    same_file: str
    history: str
    history_none: str
    history_what: str
    history_when: str
    history_state: str
    history_answer: str
    decisions: str
    decide: str
    approve: str
    approve_part: str
    approve_part_send: str
    reject: str
    reject_send: str
    ask: str
    ask_send: str
    ask_hint: str
    provider_approved: str
    points_limit: str
    reason_code: str
    choose_reason: str
    reason: str
    reason_hint: str
    reason_again: str
    reason_texts: str
    skip: str
    hand_back: str
    open_it: str
    barred: str
    closed: str
    change: str
    undo: str
    undo_reason: str
    undone_by_mistake: str
    just: str
    undone: str
    taken_back: str
    done: str
    all_done: str
    meanwhile: str
    changed: str
    keys: str
    keys_told: str
    keys_off: str
    keys_on: str
    at: str
    to: str
    flags: dict[str, str]
    signs: dict[str, str]
    states: dict[str, str]
    verdicts: dict[str, str]
    roles: dict[str, str]
    languages: dict[str, str]
    wrong: dict[str, str]
    refusals: dict[str, str]
    nouns: dict[str, dict[str, str]]

    def refusal(self, refusal: Refusal) -> str:
        """Why something was refused."""
        told = self.refusals.get(refusal.code, self.refusals["conflict"])
        until = refusal.facts.get("until")
        if isinstance(until, datetime):
            return told.format(reviewer=refusal.facts["reviewer"], until=self.clock(until))
        return told

    def clock(self, moment: datetime) -> str:
        """A time of day; one that a person in any zone can read."""
        return self.at.format(time=f"{moment.astimezone(UTC):%H:%M}")


WORDS = {
    lang: ReviewsWords(**catalogues.topic(lang, "reviews_pages")) for lang in catalogues.LANGUAGES
}
_NOUNS = catalogues.nouns("reviews_pages", "nouns")


def business_days(number: int, language: str) -> Quantity:
    """So many business days."""
    return counted(Decimal(number), _NOUNS["business_days"], language)


def files(number: int, language: str) -> Quantity:
    """So many files."""
    return counted(Decimal(number), _NOUNS["files"], language)
