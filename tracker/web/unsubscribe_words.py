"""What the pages behind the links in emails say, in English and Spanish."""

from __future__ import annotations

from dataclasses import dataclass

from tracker.language import catalogues


@dataclass(frozen=True, slots=True)
class UnsubscribeWords:
    """One language's words; by type of email where it is named."""

    kinds: dict[str, str]
    headings: dict[str, str]
    asked: dict[str, str]
    nothing_yet: str
    stop: str
    stopped: dict[str, str]
    again: dict[str, str]
    undo: str
    paused: str
    last_days: str
    pause: str
    pausing: str
    until: str
    wrong_day: str
    resume: str
    always: str
    unknown: str
    wait: str
    digest: str
    digest_asked: str
    digest_stopped: str


WORDS = {
    lang: UnsubscribeWords(**catalogues.topic(lang, "unsubscribe")) for lang in catalogues.LANGUAGES
}
