"""What each code of an error means: the page to which the ``type`` of every error leads."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response

from tracker.api.http import errors, routing
from tracker.api.http.errors import KnownError
from tracker.language import catalogues, refusals
from tracker.web import pages as plain_pages

pages = Blueprint("error-codes", __name__)


@dataclass(frozen=True, slots=True)
class ErrorCodesWords:
    """One language's words; ``failures`` are the codes that no rule raises."""

    title: str
    why: list[str]
    code: str
    status: str
    meaning: str
    override: str
    ask: str
    others: str
    documentation: str
    failures: dict[str, str]


WORDS = {
    lang: ErrorCodesWords(**catalogues.topic(lang, "error_codes_pages"))
    for lang in catalogues.LANGUAGES
}


@dataclass(frozen=True, slots=True)
class ErrorCodeShown:
    """A row of the table."""

    code: str
    status: int
    meaning: str
    way_out: str


@pages.get(errors.DOCUMENTATION)
def show() -> Response:
    """Every code with its status number, its meaning, and how to get an exception."""
    language = routing.language()
    response = plain_pages.plain(
        "error_codes.html",
        language=language,
        say=WORDS[language],
        rows=[_shown(one, language) for one in errors.known()],
    )
    response.vary.update(("Accept-Language", "Cookie"))
    return response


def _shown(known: KnownError, language: str) -> ErrorCodeShown:
    say = WORDS[language]
    meaning = say.failures.get(known.code) or refusals.of_code(known.code, language)
    ways = {"override": say.override.format(known.way_out.field), "ask": say.ask, "none": ""}
    return ErrorCodeShown(known.code, known.status, meaning, ways[known.way_out.kind])
