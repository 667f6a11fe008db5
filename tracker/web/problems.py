"""Reporting a problem with a public page, without giving anybody's address away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from flask import Blueprint, Response, request
from marshmallow import Schema
from werkzeug.exceptions import BadRequest

from tracker.api.http import limits, routing, session_cookies
from tracker.api.http.fields import ClosedSchema, WordsField
from tracker.domain.errors import Invalid, TooOften
from tracker.domain.people.sign_in import own_path
from tracker.language import catalogues
from tracker.services.core import allowances
from tracker.services.core.allowances import Allowance, Use
from tracker.services.overview import problem_reports
from tracker.web import pages as plain_pages

pages = Blueprint("problem-pages", __name__)

_LONGEST_PATH, _LONGEST = 200, 2000
_ALLOWED = Allowance("problem reports", 5, timedelta(hours=1))


@dataclass(frozen=True, slots=True)
class ProblemWords:
    """One language's words."""

    title: str
    why: str
    about: str
    statement: str
    hint: str
    send: str
    done: str
    done_why: str
    wrong: str
    too_often: str
    back: str
    staff_title: str
    staff_none: str
    older: str
    close: str


WORDS = {
    lang: ProblemWords(**catalogues.topic(lang, "problem_pages")) for lang in catalogues.LANGUAGES
}


class PageProblemSchema(ClosedSchema):
    """What somebody reports, about which page."""

    about = WordsField(_LONGEST_PATH, required=True)
    statement = WordsField(_LONGEST, required=True)


@pages.get("/problem")
def ask() -> Response:
    """The form."""
    return _page(_about(request.args.get("about", "")))


@pages.post("/problem")
def report() -> Response:
    """Keep the report; a caller may send a few in an hour."""
    about, language = _about(request.form.get("about", "")), routing.language()
    try:
        session_cookies.check_own_site()
        schema: Schema = PageProblemSchema()
        sent = {"about": about, "statement": " ".join(request.form.get("statement", "").split())}
        body = routing.load(schema, sent)
        with routing.container().work(routing.VISITOR) as work:
            problem_reports.report(work, _use(), **body, language=language)
    except TooOften as error:
        page = _page(about, status=429, wrong=WORDS[language].too_often)
        page.headers["Retry-After"] = str(error.facts["retry_after"])
        return page
    except (Invalid, BadRequest):
        return _page(about, status=422, wrong=WORDS[language].wrong)
    return _page(about, is_done=True)


def _about(text: str) -> str:
    """The path of ours that the report is about; the verification page for any other text."""
    path = own_path(text)
    return path if path == text and len(path) <= _LONGEST_PATH else "/verify"


def _use() -> Use:
    """The reports of the caller, by the address of the connection."""
    key = routing.container().message_key
    return allowances.use_of(_ALLOWED, key, limits.network(request.remote_addr))


def _page(
    about: str, *, status: int = 200, wrong: str | None = None, is_done: bool = False
) -> Response:
    language = routing.language()
    response = plain_pages.plain(
        "problem.html",
        language=language,
        status=status,
        say=WORDS[language],
        about=about,
        typed=request.form.get("statement", "") if wrong else "",
        wrong=wrong,
        is_done=is_done,
    )
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Cache-Control"] = "no-store"
    return response
