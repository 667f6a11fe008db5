"""Choosing the language of the pages: kept in the browser, and on the record of a holder."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit

from flask import Blueprint, Response, request
from werkzeug.exceptions import BadRequest

from tracker.api.http import routing, session_cookies
from tracker.domain.errors import Refusal
from tracker.domain.people.sign_in import own_path
from tracker.language.catalogues import LANGUAGES
from tracker.services.people import preferences
from tracker.web.people import visitors

pages = Blueprint("languages", __name__)

_A_YEAR = 365 * 24 * 3600


@pages.post("/language")
def choose() -> Response:
    """Keep the language, and show the page again from which it was chosen."""
    wanted = request.form.get("language", "")
    try:
        actor = visitors.visitor()
        session_cookies.check_own_site()
    except BadRequest:
        return visitors.stale()
    back = visitors.go(_without_language(own_path(request.form.get("back", ""))))
    if wanted not in LANGUAGES:
        return back
    if actor is not None and actor.role == "holder" and actor.holder_id is not None:
        try:
            with routing.container().work(actor) as work:
                routing.check_alive(work)
                preferences.change_mine(work, {"language": wanted})
        except Refusal:  # the record is being changed by somebody else: the browser keeps it
            pass
    back.set_cookie(
        routing.LANGUAGE_COOKIE,
        wanted,
        max_age=_A_YEAR,
        secure=routing.container().settings.app.base_url.startswith("https:"),
        httponly=True,
        samesite="Lax",
    )
    return back


def _without_language(path: str) -> str:
    """The path without a language of its own, which would outdo the one that was chosen."""
    parts = urlsplit(path)
    query = [(name, value) for name, value in parse_qsl(parts.query) if name != "lang"]
    return f"{parts.path}?{urlencode(query)}" if query else parts.path
