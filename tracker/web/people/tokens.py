"""Tokens with which one's own programs call: make one, see when it was last used, end it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request

from tracker.api.http import routing, session_cookies
from tracker.domain.errors import ReauthenticationRequired, Refusal
from tracker.domain.permissions import SCOPES, Actor, Scope, check_scope
from tracker.language import catalogues
from tracker.services.core.tokens import TokenRow
from tracker.services.overview import me
from tracker.web.people import forms, visitors
from tracker.web.people.account import moment

pages = Blueprint("own-tokens", __name__)

HERE = "/account/tokens"
DAYS = (30, 90, 365)  # for which a token may be made here
_SHOWN = 50
_UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class TokenWords:
    """One language's words."""

    heading: str
    why: str
    none: str
    made: str
    expires: str
    never_expires: str
    last_used: str
    never_used: str
    end: str
    make: str
    may: str
    lasts: str
    days: str
    shown: str
    shown_once: str
    back: str
    scopes: dict[str, str]


WORDS = {lang: TokenWords(**catalogues.topic(lang, "tokens")) for lang in catalogues.LANGUAGES}


@dataclass(frozen=True, slots=True)
class TokenShown:
    """A token in the words of the page, without its secret."""

    id: str
    name: str
    may: str
    lines: tuple[str, str, str]


@pages.get(HERE)
@visitors.signed_in
def home(actor: Actor) -> Response:
    """The tokens that can still be used, and the form for another."""
    return _page(actor)


@pages.post(HERE)
@visitors.signed_in
def make(actor: Actor) -> Response:
    """Make a token; its secret is on this page and on no other. Who may only view makes none."""
    check_scope(actor, "write")
    say = WORDS[routing.language()]
    scopes: list[Scope] = [s for s in SCOPES if s in request.form.getlist("scope")]
    try:
        with routing.container().work(actor) as work:
            routing.check_alive(work)
            ends = work.now + timedelta(days=_days(request.form.get("days", "")))
            _, secret = me.make_token(work, {"scopes": scopes, "expires_at": ends})
    except ReauthenticationRequired:
        return visitors.to_confirm(HERE)
    except Refusal as refused:
        return _page(actor, wrong=forms.words().refusal(refused.code))
    links = ({"href": HERE, "text": say.back},)
    return visitors.page(
        "message",
        routing.language(),
        heading=say.shown,
        lines=[say.shown_once, secret],
        links=links,
    )


@pages.post(f"{HERE}/<uuid:token_id>/end")
@visitors.signed_in
def end(actor: Actor, *, token_id: UUID) -> Response:
    """End a token at once, and all that were made with it."""
    check_scope(actor, "write")
    with routing.container().work(actor) as work:
        routing.check_alive(work)
        me.end_token(work, str(token_id))
    return visitors.go(HERE)


def _days(text: str) -> int:
    """The days of the form; the shortest for anything else."""
    return next((days for days in DAYS if str(days) == text), DAYS[0])


def _page(actor: Actor, *, wrong: str | None = None) -> Response:
    language = routing.language()
    say = WORDS[language]
    with routing.container().reading(actor) as reading:
        rows = me.own_tokens(reading, limit=_SHOWN)
    return visitors.page(
        "tokens",
        language,
        422 if wrong else 200,
        say=say,
        here=HERE,
        tokens=[_shown(row, language) for row in rows],
        scopes=[(scope, say.scopes[scope]) for scope in SCOPES if scope in actor.scopes],
        days=[(days, say.days.format(days)) for days in DAYS],
        may_change="write" in actor.scopes,
        wrong=wrong,
        csrf_token=session_cookies.csrf_token(actor),
    )


def _shown(row: TokenRow, language: str) -> TokenShown:
    say = WORDS[language]
    ends, used = row.expires_at, row.last_used_at
    return TokenShown(
        id=row.id,
        name=row.name,
        may=", ".join(say.scopes[scope] for scope in row.scopes),
        lines=(
            say.made.format(moment(row.recorded_at, language, _UTC)),
            say.expires.format(moment(ends, language, _UTC)) if ends else say.never_expires,
            say.last_used.format(moment(used, language, _UTC)) if used else say.never_used,
        ),
    )
