"""Signing in with a password, then a second factor; for holders without one, a mailed code."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Blueprint, Response, request

from tracker.api.http import limits, routing, session_cookies
from tracker.api.http.routing import VISITOR
from tracker.domain import emails
from tracker.domain.people import second_factors as factor_rules
from tracker.domain.people.sign_in import own_path
from tracker.services.people import passkey_ceremonies, password_sign_in, second_factors
from tracker.services.people.password_sign_in import WaitingSignIn
from tracker.web.people import forms, visitors
from tracker.web.people.forms import FormButton, FormText

pages = Blueprint("password-sign-in", __name__)


@pages.get("/sign-in/password")
def start() -> Response:
    """Ask for the address and the password."""
    wanted = own_path(request.args.get("next", ""))
    return visitors.go(wanted) if visitors.visitor() else _ask(wanted)


@pages.post("/sign-in/password")
@visitors.from_own_site
def enter_password() -> Response:
    """Check the password. Known and unknown people get the same answer, after as much work."""
    wanted = own_path(request.form.get("next", ""))
    try:
        address = emails.compared(emails.email(request.form.get("email", "")))
    except ValueError:
        return _ask(wanted, wrong=forms.words().wrong_email)
    uses = limits.guess("passwords", address)
    with routing.container().reading(VISITOR) as reading:
        right = password_sign_in.check(reading, address, request.form.get("password", ""))
    begun = None
    if right is not None:
        limits.was_right(uses)
        with routing.container().work(VISITOR) as work:
            begun = password_sign_in.begin(work, right, wanted=wanted)
    if begun is None:
        return _ask(wanted, wrong=forms.words().wrong_password)
    path = "/sign-in/code" if begun.mailed else "/sign-in/factor"
    answer = visitors.go(f"{path}?{urlencode({'next': wanted})}")
    return session_cookies.give_sign_in(answer, begun.secret)


@pages.get("/sign-in/factor")
def ask_for_factor() -> Response:
    """Ask for the second factor, or for setting one up."""
    return _factor(own_path(request.args.get("next", "")))


@pages.post("/sign-in/factor")
@visitors.from_own_site
def enter_factor() -> Response:
    """Sign in with the second factor; who sets one up gets the recovery codes, once."""
    wanted = own_path(request.form.get("next", ""))
    secret = session_cookies.sign_in_secret()
    with routing.container().reading(VISITOR) as reading:
        waits = password_sign_in.waiting(reading, secret)
    if waits is None:
        return _over()
    uses = limits.guess("second factors", waits.account_id)
    with routing.container().work(VISITOR) as work:
        done = password_sign_in.enter(
            work,
            secret,
            request.form.get("code", ""),
            agent=visitors.agent(),
            former=session_cookies.secret(),
        )
    if done is None:
        return _factor(wanted, wrong=forms.words().wrong_code)
    limits.was_right(uses)
    codes = done.recovery_codes
    answer = forms.recovery_codes(codes, wanted) if codes else visitors.go(wanted)
    return session_cookies.give_session(answer, done.secret)


def _ask(wanted: str, *, wrong: str | None = None) -> Response:
    say, following = forms.words(), urlencode({"next": wanted})
    return forms.page(
        say.by_password,
        action="/sign-in/password",
        button=say.go_on,
        fields=[forms.email(), forms.password()],
        hidden={"next": wanted},
        links=[
            FormText("", say.forgotten, "/password/forgotten"),
            FormText("", say.by_code, f"/sign-in?{following}"),
        ],
        others=other_ways(wanted),
        wrong=wrong,
    )


def other_ways(wanted: str) -> list[FormButton]:
    """The ways to sign in that need neither a code nor a password."""
    chosen, say, hidden = routing.container().settings, forms.words(), {"next": wanted}
    ways = [
        FormButton(f"/sign-in/with/{one.name}", say.by_provider.format(one.label), hidden)
        for one in chosen.identity_providers.values()
    ]
    if passkey_ceremonies.are_possible(chosen):
        ways.insert(0, FormButton("/sign-in/passkey", say.by_passkey, hidden))
    return ways


def _factor(wanted: str, *, wrong: str | None = None) -> Response:
    container = routing.container()
    with container.reading(VISITOR) as reading:
        waits = password_sign_in.waiting(reading, session_cookies.sign_in_secret())
        if waits is None:
            return _over()
        has_app = second_factors.is_set_up(reading, waits.account_id)
        if not has_app and second_factors.has_passkey(reading, waits.account_id):
            return _passkey_only(wanted)
        if not has_app:
            secret = second_factors.secret_of(container.message_key, waits.id)
            address = second_factors.address_of(reading, secret, waits.email)
            return _set_up(waits, wanted, secret, address, wrong=wrong)
    say = forms.words()
    return forms.page(
        say.second_factor,
        action="/sign-in/factor",
        button=say.go_on,
        fields=[forms.code()],
        lines=[say.second_factor_hint],
        hidden={"next": wanted},
        wrong=wrong,
    )


def _passkey_only(wanted: str) -> Response:
    """Whose second factor is a passkey signs in with it; no app is set up in its place."""
    say = forms.words()
    return forms.page(
        say.passkey,
        action="/sign-in/passkey",
        button=say.by_passkey,
        lines=[say.passkey_is_factor],
        hidden={"next": wanted},
    )


def _set_up(
    waits: WaitingSignIn, wanted: str, secret: str, address: str, *, wrong: str | None
) -> Response:
    say = forms.words()
    return forms.page(
        say.set_up,
        action="/sign-in/factor",
        button=say.confirm,
        fields=[forms.code()],
        lines=say.set_up_lines,
        shown=[
            FormText(say.email, waits.email),
            FormText(say.secret, factor_rules.grouped(secret)),
            FormText(say.on_this_device, say.open_app, address),
        ],
        hidden={"next": wanted},
        wrong=wrong,
    )


def _over() -> Response:
    say = forms.words()
    return forms.message(say.sign_in_over, say.sign_in_over_why, status=403, sign_in=True)
