"""Who visits a page, and how the pages of people are made: private, and for our own site alone."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from flask import Response, g, redirect, request
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, Unauthorized

from tracker.api.http import routing, session_cookies
from tracker.domain.errors import (
    NotFound,
    SecondFactorMissing,
    TooBusy,
    TooManyAtOnce,
    TooOften,
)
from tracker.domain.people.sign_in import HOME, own_path
from tracker.domain.permissions import SYSTEM, Actor, OrganizationRole
from tracker.services.people import password_sign_in
from tracker.web import navigation, pages
from tracker.web.people import kept_forms
from tracker.web.people.words import WORDS


def visitor() -> Actor | None:
    """Who is signed in; None if nobody is. The page speaks the language on a holder's record.

    A token opens no page, since pages ask for no scope.
    """
    try:
        with routing.container().reading(SYSTEM) as system:
            actor = routing.authenticate(system)
    except (Unauthorized, SecondFactorMissing):
        return None
    if not actor.session_id:
        return None
    g.language, g.visitor = actor.language, actor
    return actor


def signed_in(view: Callable[..., Response]) -> Callable[..., Response]:
    """A page for people who are signed in: the view gets the actor, others the sign-in page.

    A form without the token of its session changes nothing. What is not there, or is not for them,
    is said in words, with the way back.
    """

    @functools.wraps(view)
    def door(**path: Any) -> Response:
        try:
            actor = visitor()
        except BadRequest:
            return stale()
        if actor is None:
            return to_sign_in()
        try:
            return view(actor, **path)
        except NotFound:
            return not_there()

    return door


def for_staff(view: Callable[..., Response]) -> Callable[..., Response]:
    """A page for staff and administrators; for others there is none."""

    @functools.wraps(view)
    def door(actor: Actor, **path: Any) -> Response:
        if not actor.is_staff:
            raise NotFound
        return view(actor, **path)

    return signed_in(door)


def for_administrators(view: Callable[..., Response]) -> Callable[..., Response]:
    """A page for administrators; for others there is none."""

    @functools.wraps(view)
    def door(actor: Actor, **path: Any) -> Response:
        if actor.role != "admin":
            raise NotFound
        return view(actor, **path)

    return signed_in(door)


def for_organization(
    role: OrganizationRole, *, changes: bool = False
) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
    """A page for those who act for an organization of a kind; for others there is none.

    ``changes``: only for those who manage it, not for those who view.
    """

    def made(view: Callable[..., Response]) -> Callable[..., Response]:
        @functools.wraps(view)
        def door(actor: Actor, **path: Any) -> Response:
            if actor.role != role or actor.organization_id is None:
                raise NotFound
            if changes and "write" not in actor.scopes:
                raise NotFound
            return view(actor, actor.organization_id, **path)

        return signed_in(door)

    return made


def for_reviewers(view: Callable[..., Response]) -> Callable[..., Response]:
    """A page for whoever works for the certification body; for others there is none."""

    @functools.wraps(view)
    def door(actor: Actor, **path: Any) -> Response:
        if not actor.is_of_the_body:
            raise NotFound
        return view(actor, **path)

    return signed_in(door)


def check_holder(actor: Actor) -> str:
    """The record of a holder, who alone has such pages. Raises NotFound for anybody else.

    Also for staff who have a record of their own: they act on it when they sign in as holders.
    """
    if actor.role != "holder" or actor.holder_id is None:
        raise NotFound
    return actor.holder_id


def to_sign_in() -> Response:
    """Send the browser to the sign-in page, and from there to the page it asked for.

    Whoever has entered a password goes to the page for the second factor.
    """
    wanted = request.full_path.rstrip("?") if request.method == "GET" else HOME
    with routing.container().reading(SYSTEM) as system:
        waits = password_sign_in.waiting(system, session_cookies.sign_in_secret()) is not None
    path = "/sign-in/factor" if waits else "/sign-in"
    return go(f"{path}?{urlencode({'next': own_path(wanted)})}")


def to_confirm(here: str) -> Response:
    """Send the browser to confirm who it is, and from there to the page ``here``.

    What somebody has typed into a form is in it again, there.
    """
    return kept_forms.keep(go(f"/account/confirm?{urlencode({'next': here})}"), g.visitor)


def stale() -> Response:
    """The page after a form that another session or another site sent."""
    language = routing.language()
    words = WORDS[language]
    return page("message", language, 400, heading=words.stale, lines=[words.stale_why])


def not_there() -> Response:
    """The page for what is not on record, is over, or is for others: they all look alike."""
    language = routing.language()
    words = WORDS[language]
    links = ({"href": HOME, "text": words.account},)
    lines = [words.not_there_why]
    return page("message", language, 404, heading=words.not_there, lines=lines, links=links)


def too_often(error: TooOften) -> Response:
    """The page after too many attempts, which says when the next one is possible."""
    language, wait = routing.language(), str(error.facts["retry_after"])
    words = WORDS[language]
    lines = [words.wait.format(wait)]
    made = page("message", language, 429, heading=words.too_often, lines=lines)
    made.headers["Retry-After"] = wait
    return made


def refused_file(error: TooOften | TooManyAtOnce | TooBusy) -> Response:
    """The page instead of a file, of which too many were asked for, or are being written."""
    if isinstance(error, TooOften):
        return too_often(error)
    language = routing.language()
    words = WORDS[language]
    return page("message", language, 429, heading=words.too_often, lines=[words.one_at_a_time])


def takes_files(
    maximum: Callable[[], int], refused: Callable[..., Response]
) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
    """A form with files, of so many bytes at most; the token of its session is among its fields.

    It stands above ``signed_in``. ``refused`` makes the page for a body that is longer.
    """

    def made(view: Callable[..., Response]) -> Callable[..., Response]:
        @functools.wraps(view)
        def door(**path: Any) -> Response:
            request.max_content_length, g.takes_files = maximum(), True
            try:
                return view(**path)
            except RequestEntityTooLarge:
                return refused(**path)

        return door

    return made


def from_own_site(view: Callable[..., Response]) -> Callable[..., Response]:
    """A form for people who are not signed in; one that another site sent changes nothing.

    Too many attempts are answered by a page that says when the next one is possible.
    """

    @functools.wraps(view)
    def door(**path: Any) -> Response:
        try:
            session_cookies.check_own_site()
            return view(**path)
        except BadRequest:
            return stale()
        except TooOften as error:
            return too_often(error)

    return door


def agent() -> str:
    """What the browser calls itself."""
    return request.headers.get("User-Agent", "")


def go(path: str) -> Response:
    """Send the browser to another page of ours."""
    return private(redirect(path, 303))  # type: ignore[arg-type]


def page(template: str, language: str, status: int = 200, **facts: Any) -> Response:
    """A page of people, in a language; with their own links if they are signed in.

    A template of another area than ``people`` is named with its folder.
    """
    actor = g.get("visitor")
    top = (
        navigation.of_person(actor, language, session_cookies.csrf_token(actor)) if actor else None
    )
    made = pages.plain(
        f"{template}.html" if "/" in template else f"people/{template}.html",
        language=language,
        status=status,
        top=top,
        words=WORDS[language],
        **facts,
    )
    if actor is not None:
        made = kept_forms.filled(made, actor, WORDS[language].typed_again)
    return private(made)


def private(response: Response) -> Response:
    """Not kept, not indexed; the browser says where our own forms come from (``Origin``)."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Referrer-Policy"] = "same-origin"
    return response
