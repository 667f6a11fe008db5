"""What the verification page says, in English and Spanish."""

from __future__ import annotations

from dataclasses import dataclass

from tracker.domain.credentials.certifications import Standing, Status
from tracker.language import catalogues


@dataclass(frozen=True, slots=True)
class VerifyWords:
    """One language's words."""

    statuses: dict[Status, str]
    is_valid: str
    not_valid: str
    over: str
    not_in_force: str
    erased: str
    since: str
    under_review: str
    holder: str
    scheme: str
    issuer: str
    number: str
    awarded: str
    expires: str
    expired: str
    expiry: str
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
    amended: str
    module: str
    modules: str
    passed: str
    module_valid: str
    module_not_valid: str
    again: str
    address: str
    what: str
    attests: str
    attests_one: str
    for_years: str
    for_good: str
    rules: str
    another: str
    problem: str
    number_hint: str
    surname_hint: str
    required: dict[str, str]

    def expiry_label(self, standing: Standing) -> str:
        """What the expiry date is called: it holds, it is past, or it does not count (revoked)."""
        if standing.expires_on is not None and standing.expires_on < standing.on:
            return self.expired
        return self.expires if standing.valid else self.expiry


WORDS = {lang: VerifyWords(**catalogues.topic(lang, "verify")) for lang in catalogues.LANGUAGES}
