"""What the pages about nudges say, in English and Spanish."""

from __future__ import annotations

from dataclasses import dataclass

from tracker.domain.employers.nudges import NotNudgedReason
from tracker.language import catalogues
from tracker.language.voice import in_words
from tracker.services.employers.nudges import NudgeState


@dataclass(frozen=True, slots=True)
class NudgesWords:
    """One language's words."""

    many: str
    one: str
    what: str
    how: str
    chosen: str
    can_be: str
    most: str
    none: str
    button_one: str
    button_other: str
    reads: str
    last: str
    never: str
    may: str
    others: dict[str, str]
    cannot: dict[str, str]
    languages: dict[str, str]

    def state(self, found: NudgeState, language: str) -> str:
        """When a worker was last nudged and by whom, and whether they may be now."""
        if found.nudged_on is None:
            told = self.never
        else:
            day = in_words(found.nudged_on, language)
            told = self.last.format(day=day, name=found.nudged_by)
        reason, again = found.today.reason, found.today.again_on
        if reason is None:
            return f"{told} {self.may}"
        if reason == NotNudgedReason.NOT_SHARED and found.nudged_on is None:
            return self.cannot[reason]
        day = in_words(again, language) if again else ""
        return f"{told} {self.cannot[reason].format(day)}"


WORDS = {
    lang: NudgesWords(**catalogues.topic(lang, "nudges_pages")) for lang in catalogues.LANGUAGES
}
