"""Entering the code of a class: attendance that becomes an activity."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response, request

from tracker.api.http import routing, session_cookies
from tracker.api.points.attendance_codes import EnteredCodeSchema
from tracker.domain.errors import Invalid, NotAllowed, TooOften
from tracker.domain.permissions import Actor
from tracker.language import catalogues
from tracker.language.voice import in_words
from tracker.services.points import attendance_codes
from tracker.services.points.attendance_codes import AttendedCourse
from tracker.web.people import visitors

pages = Blueprint("attendance-pages", __name__)

HERE = "/account/attendance"


@dataclass(frozen=True, slots=True)
class AttendanceWords:
    """One language's words."""

    title: str
    why: str
    code: str
    enter: str
    wrong: str
    own_class: str
    done: str
    course: str
    waits: str
    activity: str


WORDS = {
    lang: AttendanceWords(**catalogues.topic(lang, "attendance_pages"))
    for lang in catalogues.LANGUAGES
}


@pages.get(HERE)
@visitors.signed_in
def home(actor: Actor) -> Response:
    """The form for a code."""
    visitors.check_holder(actor)
    return _page(actor)


@pages.post(HERE)
@visitors.signed_in
def enter(actor: Actor) -> Response:
    """Attend by the code; every attempt counts, also one of no use."""
    visitors.check_holder(actor)
    try:
        body = routing.load(EnteredCodeSchema(), {"code": request.form.get("code", "")})
        with routing.container().work(actor) as work:
            routing.check_alive(work)
            attended = attendance_codes.enter(work, body["code"])
    except Invalid:
        attended = None
    except NotAllowed:
        return _page(actor, wrong=WORDS[routing.language()].own_class)
    except TooOften as error:
        return visitors.too_often(error)
    wrong = None if attended else WORDS[routing.language()].wrong
    return _page(actor, attended=attended, wrong=wrong)


def _page(
    actor: Actor, *, attended: AttendedCourse | None = None, wrong: str | None = None
) -> Response:
    language = routing.language()
    say = WORDS[language]
    return visitors.page(
        "attendance",
        language,
        422 if wrong else 200,
        say=say,
        here=HERE,
        attended=attended,
        course=say.course.format(
            title=attended.title,
            provider=attended.provider,
            on=in_words(attended.held_on, language),
        )
        if attended
        else "",
        errors={"code": wrong} if wrong else {},
        wrong=wrong,
        typed=request.form.get("code", "") if wrong else "",
        csrf_token=session_cookies.csrf_token(actor),
    )
