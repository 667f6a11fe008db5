"""What people change about their own account: password, authenticator app, recovery codes.

Whoever has not proved lately who they are is sent to the page that asks for it, and then back.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, request

from tracker.api.http import limits, routing, session_cookies
from tracker.domain.errors import (
    AddressShared,
    ReauthenticationRequired,
    TooOften,
    UnacceptablePassword,
    WrongProof,
)
from tracker.domain.people import second_factors as factor_rules
from tracker.domain.people.sign_in import own_path
from tracker.domain.permissions import Actor
from tracker.services.people import (
    own_account,
    passkeys,
    passwords,
    second_factors,
    sign_in,
    single_sign_on,
)
from tracker.web.people import forms, visitors
from tracker.web.people.forms import FormButton, FormText

pages = Blueprint("own-security", __name__)

HERE = "/account/security"
_APP = "/account/authenticator"


def _fresh(view: Callable[..., Response]) -> Callable[..., Response]:
    """A page for a sensitive act; who has to confirm first is sent there."""

    @functools.wraps(view)
    def door(actor: Actor, **path: Any) -> Response:
        try:
            return view(actor, **path)
        except ReauthenticationRequired:
            return visitors.to_confirm(HERE)

    return visitors.signed_in(door)


@pages.get(HERE)
@visitors.signed_in
def home(actor: Actor) -> Response:
    """How the account is protected, and how to change that."""
    return _home(actor)


@pages.post("/account/password")
@_fresh
def change_password(actor: Actor) -> Response:
    """Replace the password."""
    container, say = routing.container(), forms.words()
    with container.reading(actor) as reading:
        about = own_account.about(reading)
    try:
        text = request.form.get("new_password", "")
        new_hash = passwords.chosen(container.settings, text, about=about)
    except UnacceptablePassword as refused:
        return _home(actor, wrong=say.faults[str(refused.facts["fault"])])
    try:
        with container.work(actor) as work:
            routing.check_alive(work)
            own_account.change_password(work, new_hash)
    except AddressShared as refused:
        return _home(actor, wrong=say.refusal(refused.code))
    return forms.message(say.password_changed, say.others_ended, back=HERE)


@pages.post("/account/password/remove")
@_fresh
def remove_password(actor: Actor) -> Response:
    """Remove a holder's password."""
    with routing.container().work(actor) as work:
        routing.check_alive(work)
        own_account.remove_password(work)
    return visitors.go(HERE)


@pages.post("/account/recovery-codes")
@_fresh
def new_recovery_codes(actor: Actor) -> Response:
    """Show new recovery codes, once."""
    with routing.container().work(actor) as work:
        routing.check_alive(work)
        codes = own_account.new_recovery_codes(work)
    return forms.recovery_codes(codes, HERE)


@pages.post(f"{HERE}/providers/<string:provider>/unbind")
@_fresh
def unbind(actor: Actor, *, provider: str) -> Response:
    """Untie the account from an identity provider."""
    with routing.container().work(actor) as work:
        routing.check_alive(work)
        single_sign_on.unbind(work, provider)
    return visitors.go(HERE)


@pages.get(_APP)
@visitors.signed_in
def next_app(actor: Actor) -> Response:
    """Show the key for a new app."""
    return _next_app(actor)


@pages.post(_APP)
@_fresh
def replace_app(actor: Actor) -> Response:
    """Replace the app once its code is right, and show new recovery codes."""
    try:
        with routing.container().work(actor) as work:
            routing.check_alive(work)
            codes = own_account.replace_app(work, request.form.get("code", ""))
    except WrongProof:
        return _next_app(actor, wrong=forms.words().wrong_code)
    return forms.recovery_codes(codes, HERE)


@pages.get("/account/confirm")
@visitors.signed_in
def ask_to_confirm(actor: Actor) -> Response:
    """Ask who it is: for password and code, or for a mailed code."""
    return _confirm(actor, own_path(request.args.get("next", "")))


@pages.post("/account/confirm")
@visitors.signed_in
def confirm(actor: Actor) -> Response:
    """Check password and code, or mail a code, which is entered as when signing in."""
    wanted = own_path(request.form.get("next", ""))
    try:
        if actor.role == "holder":
            return _mail_code(actor, wanted)
        is_right = _check(actor)
    except TooOften as error:
        return visitors.too_often(error)
    if not is_right:
        return _confirm(actor, wanted, wrong=forms.words().wrong_proof)
    return visitors.go(wanted)


def _check(actor: Actor) -> bool:
    """Whether password and code are right; it then counts as just proved who this is."""
    container, person = routing.container(), actor.person_id or ""
    uses = limits.guess("confirmations", person)
    with container.reading(actor) as reading:
        if not own_account.is_own_password(reading, request.form.get("password", "")):
            return False
    try:
        with container.work(actor) as work:
            routing.check_alive(work)
            own_account.confirm(work, request.form.get("code", ""))
    except WrongProof:
        return False
    limits.was_right(uses)
    return True


def _mail_code(actor: Actor, wanted: str) -> Response:
    limits.sign_in(f"confirmation of {actor.person_id}")
    with routing.container().work(actor) as work:
        secret = sign_in.begin_again(work, wanted=wanted)
    answer = visitors.go(f"/sign-in/code?{urlencode({'next': wanted})}")
    return session_cookies.give_sign_in(answer, secret)


def _home(actor: Actor, *, wrong: str | None = None) -> Response:
    with routing.container().reading(actor) as reading:
        found = own_account.security(reading)
        providers = single_sign_on.own(reading)
    return visitors.page(
        "security",
        routing.language(),
        422 if wrong else 200,
        found=found,
        more=forms.words(),
        field=forms.new_password(),
        app=_APP,
        confirm=f"/account/confirm?{urlencode({'next': HERE})}",
        is_holder=actor.role == "holder",
        providers=providers,
        wrong=wrong,
        csrf_token=session_cookies.csrf_token(actor),
    )


def _next_app(actor: Actor, *, wrong: str | None = None) -> Response:
    container, say = routing.container(), forms.words()
    with container.reading(actor) as reading:
        found = own_account.security(reading)
        if not found.is_fresh:
            return visitors.to_confirm(_APP)
        secret = second_factors.secret_of(container.message_key, own_account.next_seed(reading))
        address = second_factors.address_of(reading, secret, found.email or "")
    has_one = found.app_confirmed_at is not None
    return forms.page(
        say.replace_app if has_one else say.set_up,
        action=_APP,
        button=say.confirm,
        fields=[forms.code()],
        lines=say.set_up_lines[1:],
        shown=[
            FormText(say.secret, factor_rules.grouped(secret)),
            FormText(say.on_this_device, say.open_app, address),
        ],
        hidden={"csrf_token": session_cookies.csrf_token(actor)},
        wrong=wrong,
    )


def _confirm(actor: Actor, wanted: str, *, wrong: str | None = None) -> Response:
    say, is_holder = forms.words(), actor.role == "holder"
    hidden = {"next": wanted, "csrf_token": session_cookies.csrf_token(actor)}
    return forms.page(
        say.confirm_yourself,
        action="/account/confirm",
        button=say.mail_code if is_holder else say.go_on,
        fields=[] if is_holder else [forms.password(), forms.code()],
        lines=[say.confirm_why],
        hidden=hidden,
        others=_other_ways(actor, hidden),
        wrong=wrong,
    )


def _other_ways(actor: Actor, hidden: Mapping[str, str]) -> list[FormButton]:
    """A passkey, if there is one; and signing in again at the providers that know the person."""
    container, say = routing.container(), forms.words()
    with container.reading(actor) as reading:
        has_passkey = passkeys.are_set_up(reading)
        providers = single_sign_on.own(reading)
    ways = [
        FormButton(f"/sign-in/with/{one.name}", say.by_provider.format(one.label), hidden)
        for one in providers
    ]
    return [FormButton("/account/confirm/passkey", say.use_passkey, hidden)] * has_passkey + ways
