"""What the page about enough people says, in English and Spanish."""

from __future__ import annotations

from dataclasses import dataclass

from tracker.language import catalogues


@dataclass(frozen=True, slots=True)
class StaffingWords:
    """One language's words."""

    title: str
    why: str
    none: str
    no_jobs: str
    jobs: str
    if_none: str
    if_ready: str
    never: str
    from_day: str
    single: str
    nearest: str
    not_shared_one: str
    not_shared_other: str
    undated: str
    end: str
    add: str
    job: str
    least: str
    site: str
    department: str
    shift: str
    any: str
    store: str
    wrong_least: str
    wrong_requirement_id: str
    wrong_site: str
    too_many: str

    def not_shared(self, count: int) -> str:
        """How many do not share; empty if all do."""
        if not count:
            return ""
        return self.not_shared_one if count == 1 else self.not_shared_other.format(f"{count:,}")


WORDS = {
    lang: StaffingWords(**catalogues.topic(lang, "staffing_pages")) for lang in catalogues.LANGUAGES
}
