"""The points of a certification, explained line by line, and what would close the gap."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request

from tracker.api.http import routing
from tracker.domain.errors import NotFound, NotRenewable
from tracker.domain.permissions import Actor
from tracker.language import catalogues
from tracker.language.voice import Voice, figure, in_words
from tracker.services.points import evaluations
from tracker.web import navigation
from tracker.web.people import plans, points_shown, visitors

pages = Blueprint("evaluation-pages", __name__)


@dataclass(frozen=True, slots=True)
class EvaluationsWords:
    """One language's words."""

    title: str
    summary: str
    missing: str
    ways_one: str
    ways_many: str
    complete: str
    lines: str
    no_lines: str
    counted: str
    none_counted: str
    as_of: str
    states: dict[str, str]


WORDS = {
    lang: EvaluationsWords(**catalogues.topic(lang, "evaluations_pages"))
    for lang in catalogues.LANGUAGES
}


@pages.get("/account/certifications/<uuid:certification_id>/points")
@visitors.signed_in
def home(actor: Actor, *, certification_id: UUID) -> Response:
    """The points of the cycle today, each with its reason, and the ways to close the gap."""
    visitors.check_holder(actor)
    language, id_ = routing.language(), str(certification_id)
    with routing.container().reading(actor) as reading:
        try:
            explained = evaluations.explain(reading, id_, on=_day())
        except NotRenewable:
            return _page(id_, language, points=None)
        told = evaluations.in_words(explained, language, with_gap=_day() is None)
    say, voice = WORDS[language], Voice(explained.policy, language)
    on = explained.points.evaluation.on
    return _page(
        id_,
        language,
        certification=explained.scheme.full_name(language),
        points=points_shown.shown(explained.points, language),
        told=told,
        as_of=say.as_of.format(in_words(on, language)) if _day() else "",
        plan_title=plans.WORDS[language].title,
        amount=lambda one: say.counted.format(
            counted=figure(one["counted"]), claimed=voice.points(one["claimed"])
        ),
    )


def _day() -> date | None:
    """The day in the address, for a cycle that is over; None is today. Raises NotFound."""
    if not (text := request.args.get("as_of")):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise NotFound from error


def _page(certification_id: str, language: str, **facts: Any) -> Response:
    return visitors.page(
        "evaluations",
        language,
        say=WORDS[language],
        parts=navigation.of_certification(certification_id, language),
        points_words=points_shown.WORDS[language],
        **facts,
    )
