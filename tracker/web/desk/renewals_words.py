"""What the desk's pages about renewals say, in English and Spanish."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tracker.domain.errors import IllegalTransition, Invalid, Refusal, Stale
from tracker.language import catalogues
from tracker.web.desk.reviews_words import WORDS as OF_REVIEWS


@dataclass(frozen=True, slots=True)
class RenewalDeskWords:
    """One language's words."""

    title: str
    one: str
    none: str
    waiting: str
    points: str
    points_then: str
    points_none: str
    open: str
    next_page: str
    applied: str
    made: str
    checklist: str
    done: str
    still_open: str
    pending: str
    points_done: str
    points_open: str
    points_pending: str
    points_minimum: str
    reexamination: str
    contradicted: str
    review_those: str
    fee_none: str
    fee: str
    fee_reference: str
    fee_not_needed: str
    check_confirm: str
    decide: str
    approve: str
    approve_brings: str
    cannot_approve: str
    confirm: str
    deny: str
    deny_brings: str
    deny_send: str
    reason_code: str
    choose_reason: str
    reason: str
    reason_hint: str
    reason_again: str
    change: str
    undo: str
    undo_reason: str
    undone_by_mistake: str
    undo_quiet: str
    undo_told: str
    payment: str
    paid: str
    paid_send: str
    waived: str
    waive_send: str
    reference: str
    reference_hint: str
    waive_reason: str
    take_back: str
    take_back_reason: str
    fee_others: str
    decisions: str
    taken_back: str
    replaced: str
    open_it: str
    hand_back: str
    barred: str
    withdrawn: str
    back: str
    meanwhile: str
    verdicts: dict[str, str]
    fee_states: dict[str, str]
    wrong: dict[str, str]
    refusals: dict[str, str]
    nouns: dict[str, dict[str, str]]

    def told(self, refusal: Refusal | None, language: str) -> tuple[dict[str, str], str | None]:
        """What is wrong with each field, and with all in a sentence; nothing without a refusal."""
        if refusal is None:
            return {}, None
        named = refusal.fields if isinstance(refusal, Invalid) else {}
        errors = {name: self.wrong[name] for name in named if name in self.wrong}
        return errors, next(iter(errors.values()), self._refusal(refusal, language))

    def _refusal(self, refusal: Refusal, language: str) -> str:
        if isinstance(refusal, Stale | IllegalTransition):
            return self.meanwhile
        told = self.refusals.get(refusal.code, self.refusals["conflict"])
        until = refusal.facts.get("until")
        if isinstance(until, datetime):
            clock = OF_REVIEWS[language].clock(until)
            return told.format(reviewer=refusal.facts["reviewer"], until=clock)
        return told


WORDS = {
    lang: RenewalDeskWords(**catalogues.topic(lang, "renewal_desk_pages"))
    for lang in catalogues.LANGUAGES
}
APPLICATIONS = catalogues.nouns("renewal_desk_pages", "nouns")["applications"]
