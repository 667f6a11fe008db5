"""Who visits a page, and how the pages of people are made: private, and for our own site alone."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from flask import Response, redirect, request
from werkzeug.exceptions import BadRequest, Unauthorized

from tracker.api.http import routing
from tracker.domain.people.sign_in import HOME, own_path
from tracker.domain.permissions import SYSTEM, Actor
from tracker.web import pages
from tracker.web.people.words import WORDS


def visitor() -> Actor | None:
    """Who is signed in; None if nobody is.

    A token opens no page, since pages ask for no scope.
    """
    try:
        with routing.container().reading(SYSTEM) as system:
            actor = routing.authenticate(system)
    except Unauthorized:
        return None
    return actor if actor.session_id else None


def signed_in(view: Callable[..., Response]) -> Callable[..., Response]:
    """A page for people who are signed in: the view gets the actor, others the sign-in page.

    A form without the token of its session changes nothing.
    """

    @functools.wraps(view)
    def door(**path: Any) -> Response:
        try:
            actor = visitor()
        except BadRequest:
            return stale()
        return to_sign_in() if actor is None else view(actor, **path)

    return door


def to_sign_in() -> Response:
    """Send the browser to the sign-in page, and from there to the page it asked for."""
    wanted = request.full_path.rstrip("?") if request.method == "GET" else HOME
    return go(f"/sign-in?{urlencode({'next': own_path(wanted)})}")


def stale() -> Response:
    """The page after a form that another session or another site sent."""
    language = routing.language()
    words = WORDS[language]
    return page("message", language, 400, heading=words.stale, lines=[words.stale_why])


def go(path: str) -> Response:
    """Send the browser to another page of ours."""
    return private(redirect(path, 303))  # type: ignore[arg-type]


def page(template: str, language: str, status: int = 200, **facts: Any) -> Response:
    """A page of people, in a language."""
    made = pages.plain(
        f"people/{template}.html", language=language, status=status, words=WORDS[language], **facts
    )
    return private(made)


def private(response: Response) -> Response:
    """Not kept, not indexed; the browser says where our own forms come from (``Origin``)."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Referrer-Policy"] = "same-origin"
    return response
