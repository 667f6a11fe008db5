"""One of a holder's certifications in the words of a page: status, days, points, the next step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tracker.domain.credentials.next_steps import Action
from tracker.language import catalogues, next_steps
from tracker.language.voice import in_words
from tracker.services.core.context import ReadContext
from tracker.services.credentials.renewals import RenewalRow
from tracker.services.overview.me import Mine
from tracker.web import navigation
from tracker.web.navigation import NavigationLink
from tracker.web.people import points_shown
from tracker.web.people.points_shown import PointsShown
from tracker.web.people.words import WORDS
from tracker.web.verify_words import WORDS as VERIFY_WORDS


@dataclass(frozen=True, slots=True)
class HomeStandingWords:
    """One language's words."""

    denied: str
    denied_bare: str
    copy_last: str
    more: str
    certificate: str
    bounced: str
    bounced_all: str
    bounced_why: str
    bounced_act: str
    acts: dict[Action, str]


SAY = {
    lang: HomeStandingWords(**catalogues.topic(lang, "home_pages")) for lang in catalogues.LANGUAGES
}
_PAGES: dict[Action, str] = {
    "log_activities": "/activities/new",
    "answer_questions": "/activities",
    "wait_for_review": "/activities",
    "apply_from": "/renewal",
    "apply_now": "/renewal",
    "wait_for_decision": "/renewal",
    "pass_again": "/renewal",
    "too_late": "/renewal",
    "start_again": "/renewal",
    "contact_issuer": "/appeals",
}
"""The page of a certification on which each step is taken, or shown."""


@dataclass(frozen=True, slots=True)
class CertificationShown:
    """A certification in the words of the page; ``left`` is empty if no days are left.

    ``denied`` says that the last application was denied. ``act`` is the button of the next step;
    None if nothing can be done. ``points`` is None if none are counted.
    """

    title: str
    number: str
    status: str
    valid: bool
    expiry: str
    through: str
    until: str
    left: str
    next: str
    safe_day: str
    denied: str
    act: NavigationLink | None
    path: str
    here: str
    points: PointsShown | None
    parts: Sequence[NavigationLink]


def shown(
    reading: ReadContext, mine: Mine, language: str, denial: RenewalRow | None = None
) -> CertificationShown:
    """The certification in a language."""
    held, standing = mine.held, mine.held.standing
    scheme, words = reading.schemes[held.scheme], WORDS[language]
    expires_on, here = standing.expires_on, f"/account/certifications/{held.id}"
    left = (expires_on - standing.on).days if expires_on and standing.valid else -1
    page = _PAGES.get(mine.next.action)
    act = SAY[language].acts.get(mine.next.action, "")
    safe = mine.safe_day
    return CertificationShown(
        title=scheme.full_name(language),
        number=held.number,
        status=VERIFY_WORDS[language].statuses[standing.status],
        valid=standing.valid,
        expiry=VERIFY_WORDS[language].expiry_label(standing),
        until=_until(mine, language),
        through=in_words(expires_on, language) if expires_on else words.never,
        left=words.left(left) if left >= 0 else "",
        next=next_steps.sentence(mine.next, language, issuer=scheme.issuer, zone=mine.zone),
        safe_day=next_steps.safe_day(safe, language, on=standing.on) if safe else "",
        denied=_denied(denial, language) if denial else "",
        act=NavigationLink(f"{here}{page}", act, is_current=False) if page else None,
        path=f"/verify/{held.public_id}",
        here=here,
        points=points_shown.shown(mine.points, language) if mine.points else None,
        parts=navigation.of_certification(held.id, language),
    )


def _until(mine: Mine, language: str) -> str:
    """The last day with its name, or that there is none."""
    standing = mine.held.standing
    if standing.expires_on is None:
        return WORDS[language].never
    label = VERIFY_WORDS[language].expiry_label(standing)
    return f"{label} {in_words(standing.expires_on, language)}"


def _denied(row: RenewalRow, language: str) -> str:
    say = SAY[language]
    on = in_words(row.decided_on, language) if row.decided_on else ""
    return say.denied.format(on=on, reason=row.reason) if row.reason else say.denied_bare.format(on)
