"""The desk: what waits for the certification body's staff, and the way to begin."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response

from tracker.api.http import routing, session_cookies
from tracker.domain.permissions import Actor
from tracker.language import catalogues
from tracker.language.voice import in_words
from tracker.services.desk import desk_overviews
from tracker.services.desk.desk_overviews import WorkWaiting
from tracker.web import navigation
from tracker.web.desk import queue_shown
from tracker.web.desk.reviews_words import WORDS as OF_REVIEWS
from tracker.web.people import visitors

pages = Blueprint("desk-pages", __name__)

HERE = "/desk"
_PAGES = {
    "renewals": "/desk/renewals",
    "appeals": "/desk/appeals",
    "discrepancies": "/desk/discrepancies",
    "approvals": "/account/approvals",
}
"""Where each kind of work is done; what has no page yet is done by the API."""


@dataclass(frozen=True, slots=True)
class DeskWords:
    """One language's words."""

    title: str
    start: str
    reviews: str
    see_queue: str
    others: str
    none: str
    late: str
    in_time: str
    kinds: dict[str, str]
    first: dict[str, str]


WORDS = {lang: DeskWords(**catalogues.topic(lang, "desk_pages")) for lang in catalogues.LANGUAGES}


@dataclass(frozen=True, slots=True)
class WorkShown:
    """A kind of work: how much of it waits, since when, and whether any is late."""

    name: str
    here: str
    count: int
    first: str
    late: str
    is_late: bool


@pages.get(HERE)
@visitors.for_reviewers
def home(actor: Actor) -> Response:
    """What waits, and the button that opens the first review."""
    language = routing.language()
    with routing.container().reading(actor) as reading:
        found = desk_overviews.read(reading)
    return visitors.page(
        "desk/home",
        language,
        say=WORDS[language],
        of_reviews=OF_REVIEWS[language],
        parts=navigation.of_desk(actor, language),
        told=queue_shown.waiting(found.reviews, language),
        ages=queue_shown.ages(found.reviews, language),
        is_late=bool(found.reviews.overdue),
        waits=bool(found.reviews.count),
        others=[_shown(kind, work, language) for kind, work in found.others.items()],
        csrf_token=session_cookies.csrf_token(actor),
    )


def _shown(kind: str, work: WorkWaiting, language: str) -> WorkShown:
    say = WORDS[language]
    first = say.first[kind].format(in_words(work.first_on, language)) if work.first_on else ""
    return WorkShown(
        name=say.kinds[kind],
        here=_PAGES.get(kind, ""),
        count=work.count,
        first=first,
        late=say.late.format(count=work.late) if work.late else say.in_time,
        is_late=bool(work.late),
    )
