"""Signing in and out: an address or a certificate number, the mailed code or link, a session.

Opening a page changes nothing. The answers to people on record and to others are the same.
"""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Blueprint, Response, g, request
from werkzeug.exceptions import BadRequest

from tracker.api.http import limits, routing, session_cookies
from tracker.api.http.routing import VISITOR
from tracker.domain.errors import TooOften
from tracker.domain.people import sign_in as rules
from tracker.services.people import sessions, sign_in
from tracker.web.people import visitors
from tracker.web.people.password_sign_in import other_ways
from tracker.web.people.words import WORDS

pages = Blueprint("sign-in", __name__)


@pages.get("/sign-in")
def start() -> Response:
    """Ask for an address or a certificate number."""
    wanted = rules.own_path(request.args.get("next", ""))
    return visitors.go(wanted) if visitors.visitor() else _ask(wanted)


@pages.post("/sign-in")
def send_code() -> Response:
    """Begin an attempt; whether there is such a person is looked up later."""
    wanted = rules.own_path(request.form.get("next", ""))
    try:
        session_cookies.check_own_site()
        identifier = rules.identifier(request.form.get("identifier", ""))
        limits.sign_in(identifier)
    except BadRequest:
        return visitors.stale()
    except ValueError:
        return _ask(wanted, status=422, wrong=True)
    except TooOften as error:
        return visitors.too_often(error)
    with routing.container().work(VISITOR) as work:
        secret = sign_in.begin(work, identifier, wanted=wanted)
    answer = visitors.go(f"/sign-in/code?{urlencode({'next': wanted})}")
    return session_cookies.give_sign_in(answer, secret)


@pages.get("/sign-in/code")
def ask_for_code() -> Response:
    """Ask for the code."""
    return _ask_for_code(rules.own_path(request.args.get("next", "")))


@pages.post("/sign-in/code")
def enter_code() -> Response:
    """Sign in with the code."""
    wanted = rules.own_path(request.form.get("next", ""))
    try:
        session_cookies.check_own_site()
    except BadRequest:
        return visitors.stale()
    with routing.container().work(VISITOR) as work:
        session = sign_in.by_code(
            work,
            session_cookies.sign_in_secret(),
            request.form.get("code", ""),
            agent=visitors.agent(),
            former=session_cookies.secret(),
        )
    if session is None:
        return _ask_for_code(wanted, status=422, wrong=True)
    return session_cookies.give_session(visitors.go(wanted), session)


@pages.get("/sign-in/link/<string:proof>")
def open_link(proof: str) -> Response:
    """Show the button that signs in: mail programs and scanners open links by themselves."""
    container = routing.container()
    with container.reading(VISITOR) as reading:
        is_open = sign_in.is_open(reading, container.message_key, proof)
    language = routing.language()
    return visitors.page("link", language) if is_open else _link_is_over(language)


@pages.post("/sign-in/link/<string:proof>")
def use_link(proof: str) -> Response:
    """Sign in with the link."""
    try:
        session_cookies.check_own_site()
    except BadRequest:
        return visitors.stale()
    with routing.container().work(VISITOR) as work:
        done = sign_in.by_link(work, proof, agent=visitors.agent(), former=session_cookies.secret())
    if done is None:
        return _link_is_over(routing.language())
    return session_cookies.give_session(visitors.go(done.wanted), done.secret)


@pages.post("/sign-out")
def sign_out() -> Response:
    """End the session of this browser."""
    try:
        actor = visitors.visitor()
    except BadRequest:
        return visitors.stale()
    if actor is not None and actor.session_id is not None:
        with routing.container().work(actor) as work:
            sessions.end(work, actor.session_id)
    g.visitor = None
    language = routing.language()
    page = visitors.page("message", language, heading=WORDS[language].signed_out, sign_in=True)
    return session_cookies.end_session(page)


def _ask(wanted: str, *, status: int = 200, wrong: bool = False) -> Response:
    return visitors.page(
        "sign_in",
        routing.language(),
        status,
        wanted=wanted,
        others=other_ways(wanted),
        wrong=wrong,
    )


def _ask_for_code(wanted: str, *, status: int = 200, wrong: bool = False) -> Response:
    return visitors.page("code", routing.language(), status, wanted=wanted, wrong=wrong)


def _link_is_over(language: str) -> Response:
    words = WORDS[language]
    lines = [words.link_over_why]
    return visitors.page(
        "message", language, 404, heading=words.link_over, lines=lines, sign_in=True
    )
