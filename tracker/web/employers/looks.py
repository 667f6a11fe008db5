"""Who of an employer looked at whom, for those who manage."""

from __future__ import annotations

from flask import Blueprint, Response, request

from tracker.api.http import routing
from tracker.domain.permissions import Actor
from tracker.language.voice import in_words
from tracker.services.core import days
from tracker.services.employers import looks
from tracker.web.employers import workforce_words
from tracker.web.employers.employer_words import WORDS
from tracker.web.employers.workforce_words import WORDS as LIST_WORDS
from tracker.web.people import lists, visitors
from tracker.web.people.account import moment

pages = Blueprint("employer-look-pages", __name__)

HERE = "/employer/looks"
_SHOWN = 50


@pages.get(HERE)
@visitors.for_organization("employer", changes=True)
def home(actor: Actor, employer_id: str) -> Response:
    """The looks, the newest first."""
    language = routing.language()
    say = WORDS[language]
    with routing.container().reading(actor) as reading:
        rows = looks.of_employer(reading, employer_id, after=lists.place(), limit=_SHOWN + 1)
        zone = days.zone_everywhere(reading)
    shown = [
        {
            "at": moment(row.at, language, zone),
            "who": row.name,
            "what": say.kinds[row.kind],
            "of_day": say.of_day.format(in_words(row.as_of, language)),
            "workers": row.workers,
        }
        for row in rows[:_SHOWN]
    ]
    return visitors.page(
        "employers/looks",
        language,
        say=say,
        frame_words=LIST_WORDS[language],
        parts=workforce_words.parts(actor, language),
        here=HERE,
        rows=shown,
        is_later="after" in request.args,
        following=rows[_SHOWN - 1].id if len(rows) > _SHOWN else "",
    )
