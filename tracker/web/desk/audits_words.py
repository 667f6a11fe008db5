"""The words of the pages about audits for whoever works for the certification body."""

from __future__ import annotations

from dataclasses import dataclass

from tracker.language import catalogues


@dataclass(frozen=True, slots=True)
class DeskAuditWords:
    """One language's words."""

    title: str
    none: str
    all_audits: str
    audit: str
    drawn: str
    draw_new: str
    new: str
    new_why: str
    days_why: str
    percent_hint: str
    cycle_hint: str
    flag_hint: str
    seed_hint: str
    ids_hint: str
    reply_hint: str
    see: str
    would_draw: str
    nothing_yet: str
    confirm: str
    other: str
    everything: str
    how: str
    population: str
    digest: str
    activities: str
    item: str
    asked_of: str
    due: str
    answer: str
    no_answer: str
    files: str
    no_files: str
    state: str
    appeal: str
    appeal_due: str
    reason_said: str
    by_whom: str
    decide: str
    outcome: str
    reason_code: str
    see_outcome: str
    effects: str
    effects_why: str
    now: str
    then: str
    points: str
    standing: str
    points_none: str
    fallen: str
    falls: str
    decide_now: str
    back: str
    labels: dict[str, str]
    bases: dict[str, str]
    units: dict[str, str]
    outcomes: dict[str, str]
    states: dict[str, str]
    figures: dict[str, str]


WORDS = {
    lang: DeskAuditWords(**catalogues.topic(lang, "desk_audits_pages"))
    for lang in catalogues.LANGUAGES
}
