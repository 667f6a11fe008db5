"""What the pages about messages say, and a stage of reminders in words."""

from __future__ import annotations

from dataclasses import dataclass

from tracker.language import catalogues


@dataclass(frozen=True, slots=True)
class DeskMessagesWords:
    """One language's words."""

    title: str
    of_person: str
    sending_on: str
    sending_off: str
    remedy: str
    ahead: str
    ahead_why: str
    strip: str
    on_day: str
    busiest: str
    nothing_ahead: str
    table: str
    day: str
    count: str
    stages: str
    before_one: str
    before: str
    last_day: str
    after_one: str
    after: str
    dry_run: str
    dry_run_why: str
    as_of: str
    run: str
    wrong_day: str
    would_be: str
    nothing: str
    cut: str
    who: str
    expiry: str
    stage: str
    outcome: str
    due: str
    to: str
    sent_at: str
    dead_title: str
    dead_why: str
    dead_none: str
    dead_reasons: dict[str, str]
    dead_until: str
    nobody: str
    correct: str
    lift: str
    reaches: str
    reaches_not: str
    complained: str
    wishes: str
    wanted: str
    unwanted: str
    paused: str
    wish_reason: str
    types: dict[str, str]
    reminders: str
    no_reminders: str
    messages: str
    no_messages: str
    no_words: str
    error: str


WORDS = {
    lang: DeskMessagesWords(**catalogues.topic(lang, "desk_messages_pages"))
    for lang in catalogues.LANGUAGES
}


def stage(offset: int, language: str) -> str:
    """A stage by its days before the expiry; negative: after it."""
    say = WORDS[language]
    if offset == 0:
        return say.last_day
    one, many = (say.before_one, say.before) if offset > 0 else (say.after_one, say.after)
    return one if abs(offset) == 1 else many.format(abs(offset))
