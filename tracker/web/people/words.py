"""What the pages of people say, in English and Spanish."""

from __future__ import annotations

from dataclasses import dataclass

from tracker.language import catalogues


@dataclass(frozen=True, slots=True)
class PeopleWords:
    """One language's words."""

    sign_in: str
    identifier: str
    identifier_hint: str
    by_password: str
    send_code: str
    wrong_identifier: str
    enter_code: str
    code_sent: str
    no_code: str
    code: str
    wrong_code: str
    again: str
    link: str
    link_over: str
    link_over_why: str
    signed_out: str
    too_often: str
    wait: str
    one_at_a_time: str
    stale: str
    stale_why: str
    typed_again: str
    not_there: str
    not_there_why: str
    account: str
    certifications: str
    none: str
    modules: str
    passed_on: str
    not_passed: str
    retake_on: str
    number: str
    never: str
    left_one: str
    left_other: str
    left_today: str
    next: str
    papers: str
    public: str
    sessions: str
    this_one: str
    unnamed: str
    since: str
    last_used: str
    end: str
    data: str
    roles: dict[str, str]

    def left(self, days: int) -> str:
        """How many days are left, the last valid one included in the count as zero."""
        if days == 0:
            return self.left_today
        return (self.left_one if days == 1 else self.left_other).format(days)


WORDS = {lang: PeopleWords(**catalogues.topic(lang, "people")) for lang in catalogues.LANGUAGES}
