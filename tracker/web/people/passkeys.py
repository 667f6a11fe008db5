"""Passkeys: sign in with one, confirm who it is, add, rename, remove.

The browser asks the device, so these pages have a script (``static/passkey.js``). It reads what to
ask for from the page, puts the answer into the form and sends it: nothing else is loaded or sent.
Without scripts the page says so and leads to the other ways.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request

from tracker.api.http import limits, routing, session_cookies
from tracker.api.http.routing import VISITOR
from tracker.domain import values
from tracker.domain.errors import TooOften
from tracker.domain.people import passkeys as rules
from tracker.domain.people.sign_in import own_path
from tracker.domain.permissions import Actor
from tracker.services.core.context import UnitOfWork
from tracker.services.people import passkey_ceremonies, passkeys
from tracker.services.people.passkeys import PasskeyChallenge, PasskeyRow
from tracker.web import pages as site
from tracker.web.people import forms, visitors
from tracker.web.people.account import moment
from tracker.web.static_files import PASSKEY_SCRIPT

pages = Blueprint("passkeys-of-people", __name__)

HERE = "/account/passkeys"
_ZONE = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class PasskeyShown:
    """A passkey in the words of the page; ``used`` is empty if it never was."""

    id: str
    name: str
    added: str
    used: str


@pages.post("/sign-in/passkey")
@visitors.from_own_site
def start() -> Response:
    """Ask for a passkey, whoever it is."""
    limits.challenge()
    with routing.container().work(VISITOR) as work:
        asked = passkeys.begin(work)
    wanted = own_path(request.form.get("next", ""))
    return _ask_to_sign_in(asked, wanted)


@pages.post("/sign-in/passkey/answer")
@visitors.from_own_site
def sign_in() -> Response:
    """Sign in with the passkey; known and unknown ones get the same answer if they do not."""
    limits.challenge()
    wanted = own_path(request.form.get("next", ""))
    with routing.container().work(VISITOR) as work:
        session = passkeys.enter(
            work,
            session_cookies.sign_in_secret(),
            request.form.get("credential", ""),
            agent=visitors.agent(),
            former=session_cookies.secret(),
        )
        asked = passkeys.begin(work) if session is None else None
    if session is None and asked is not None:
        return _ask_to_sign_in(asked, wanted, wrong=forms.words().wrong_passkey)
    return session_cookies.give_session(visitors.go(wanted), session or "")


def _ask_to_sign_in(asked: PasskeyChallenge, wanted: str, *, wrong: str | None = None) -> Response:
    following = urlencode({"next": wanted})
    return ask(
        asked,
        action="/sign-in/passkey/answer",
        other=f"/sign-in?{following}",
        hidden={"next": wanted},
        wrong=wrong,
    )


@pages.get(HERE)
@visitors.signed_in
def home(actor: Actor) -> Response:
    """The person's passkeys, and how to add one."""
    return _home(actor)


@pages.post(HERE)
@visitors.signed_in
def begin(actor: Actor) -> Response:
    """Ask the browser to make a passkey with this name."""
    name = _name()
    if name is None:
        return _home(actor, wrong=forms.words().name_passkey)
    made: list[PasskeyChallenge] = []
    refused = forms.carried_out(
        actor,
        lambda work: made.append(passkeys.begin_addition(work)),
        here=HERE,
        refused=lambda why: _home(actor, wrong=why),
    )
    if not made:
        return refused
    hidden = {"name": name, "csrf_token": session_cookies.csrf_token(actor)}
    return ask(made[0], action=f"{HERE}/answer", other=HERE, hidden=hidden)


@pages.post(f"{HERE}/answer")
@visitors.signed_in
def add(actor: Actor) -> Response:
    """Add the passkey that the browser has made."""
    name, secret = _name(), session_cookies.sign_in_secret()
    answer = request.form.get("credential", "")
    if name is None:
        return _home(actor, wrong=forms.words().name_passkey)
    return _done(actor, lambda work: passkeys.add(work, secret, answer, name=name))


@pages.post(f"{HERE}/<uuid:passkey_id>/rename")
@visitors.signed_in
def rename(actor: Actor, *, passkey_id: UUID) -> Response:
    """Give a passkey another name."""
    name = _name()
    if name is None:
        return _home(actor, wrong=forms.words().name_passkey)
    return _done(actor, lambda work: passkeys.rename(work, str(passkey_id), name))


@pages.post(f"{HERE}/<uuid:passkey_id>/remove")
@visitors.signed_in
def remove(actor: Actor, *, passkey_id: UUID) -> Response:
    """Remove a passkey."""
    return _done(actor, lambda work: passkeys.remove(work, str(passkey_id)))


@pages.post("/account/confirm/passkey")
@visitors.signed_in
def begin_to_confirm(actor: Actor) -> Response:
    """Ask for one of the person's passkeys, to confirm who it is."""
    return _ask_to_confirm(actor, own_path(request.form.get("next", "")))


@pages.post("/account/confirm/passkey/answer")
@visitors.signed_in
def confirm(actor: Actor) -> Response:
    """It counts as just proved who this is, if the passkey is right."""
    wanted = own_path(request.form.get("next", ""))
    with routing.container().work(actor) as work:
        routing.check_alive(work)
        is_right = passkeys.confirm(
            work, session_cookies.sign_in_secret(), request.form.get("credential", "")
        )
    if is_right:
        return visitors.go(wanted)
    return _ask_to_confirm(actor, wanted, wrong=forms.words().wrong_passkey)


def _ask_to_confirm(actor: Actor, wanted: str, *, wrong: str | None = None) -> Response:
    try:
        limits.challenge()
    except TooOften as error:
        return visitors.too_often(error)
    with routing.container().work(actor) as work:
        routing.check_alive(work)
        asked = passkeys.begin_confirmation(work)
    return ask(
        asked,
        action="/account/confirm/passkey/answer",
        other=f"/account/confirm?{urlencode({'next': wanted})}",
        hidden={"next": wanted, "csrf_token": session_cookies.csrf_token(actor)},
        wrong=wrong,
    )


def _done(actor: Actor, act: Callable[[UnitOfWork], object]) -> Response:
    """Do it in one transaction; the list then shows the result, or why it was refused."""
    return forms.carried_out(actor, act, here=HERE, refused=lambda wrong: _home(actor, wrong=wrong))


def _name() -> str | None:
    """The name in the form, in the form in which it is kept; None if it is none."""
    try:
        return values.line(request.form.get("name", ""), rules.LONGEST_NAME)
    except ValueError:
        return None


def _home(actor: Actor, *, wrong: str | None = None) -> Response:
    language, container = routing.language(), routing.container()
    with container.reading(actor) as reading:
        rows = passkeys.page(reading, after=None, limit=rules.MOST)
    return visitors.page(
        "passkeys",
        language,
        422 if wrong else 200,
        more=forms.words(),
        passkeys=[_shown(row, language) for row in rows],
        possible=passkey_ceremonies.are_possible(container.settings),
        longest=rules.LONGEST_NAME,
        here=HERE,
        wrong=wrong,
        csrf_token=session_cookies.csrf_token(actor),
    )


def _shown(row: PasskeyRow, language: str) -> PasskeyShown:
    used = moment(row.last_used_at, language, _ZONE) if row.last_used_at else ""
    return PasskeyShown(row.id, row.name, moment(row.recorded_at, language, _ZONE), used)


def ask(
    asked: PasskeyChallenge,
    *,
    action: str,
    other: str,
    hidden: Mapping[str, str],
    wrong: str | None = None,
) -> Response:
    """The page that has the browser ask the device; ``other`` leads to the other ways."""
    page = visitors.page(
        "passkey",
        routing.language(),
        422 if wrong else 200,
        more=forms.words(),
        script=PASSKEY_SCRIPT.address,
        options=asked.options,
        action=action,
        other=other,
        hidden=hidden,
        wrong=wrong,
    )
    return session_cookies.give_sign_in(site.with_script(page), asked.secret)
