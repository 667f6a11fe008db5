"""The start page: a box to verify a certificate, and a door for each kind of person."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response

from tracker.api.http import routing
from tracker.language import catalogues
from tracker.web import pages as plain_pages

pages = Blueprint("start", __name__)


@dataclass(frozen=True, slots=True)
class StartWords:
    """One language's words; ``people`` are the doors, each with its address, name and text."""

    title: str
    why: str
    verify: str
    number: str
    surname: str
    check: str
    doors: str
    rules: str
    programs: str
    errors: str
    document: str
    alive: str
    ready: str
    people: list[dict[str, str]]


WORDS = {lang: StartWords(**catalogues.topic(lang, "start_pages")) for lang in catalogues.LANGUAGES}


@pages.get("/")
def home() -> Response:
    """Where everything is."""
    language = routing.language()
    schemes = routing.container().schemes
    response = plain_pages.plain(
        "start.html",
        language=language,
        say=WORDS[language],
        schemes=[(f"/policy/{one.code}", one.full_name(language)) for one in schemes],
    )
    response.vary.update(("Accept-Language", "Cookie"))
    return response
