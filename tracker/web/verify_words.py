"""What the verification page says, in English and Spanish."""

from __future__ import annotations

from dataclasses import dataclass

from tracker.domain.credentials.certifications import Status
from tracker.language import catalogues


@dataclass(frozen=True, slots=True)
class VerifyWords:
    """One language's words."""

    statuses: dict[Status, str]
    is_valid: str
    not_valid: str
    over: str
    not_in_force: str
    since: str
    under_review: str
    holder: str
    scheme: str
    issuer: str
    number: str
    awarded: str
    expires: str
    expired: str
    never: str
    checked: str
    look_up: str
    not_found: str
    unknown: str
    causes: tuple[str, ...]
    too_often: str
    wait: str
    surname: str
    check: str
    official: str
    language: str
    withdrawn: str
    again: str


WORDS = {lang: VerifyWords(**catalogues.topic(lang, "verify")) for lang in catalogues.LANGUAGES}
