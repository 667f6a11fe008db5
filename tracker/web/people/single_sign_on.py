"""Signing in at an identity provider (OpenID Connect): the way there, and back."""

from __future__ import annotations

import base64
from dataclasses import replace
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, current_app, request

from tracker import openid
from tracker.api.http import limits, routing, session_cookies
from tracker.api.http.routing import VISITOR
from tracker.domain.errors import AlreadyRecorded, TooOften
from tracker.domain.people.sign_in import HOME, own_path
from tracker.domain.people.single_sign_on import IdentityProvider
from tracker.openid import ProviderFailedError
from tracker.services.people import single_sign_on
from tracker.services.people.single_sign_on import SsoEntered
from tracker.web.people import forms, visitors

pages = Blueprint("single-sign-on", __name__)


@pages.post("/sign-in/with/<string:provider>")
@visitors.from_own_site
def start(provider: str) -> Response:
    """Begin an attempt, and lead to the provider.

    By a page of our own, since a form may lead nowhere else (``form-action``).
    """
    chosen, container = _provider(provider), routing.container()
    limits.challenge()
    # Whoever confirms who they are is asked again, even if the provider knows the browser.
    asks_again = visitors.visitor() is not None
    with container.work(VISITOR) as work:
        secret, attempt = single_sign_on.begin(work, chosen, asks_again=asks_again)
        now = work.now
    try:
        going = replace(attempt, state=f"{attempt.state}.{_packed(request.form.get('next', ''))}")
        address = openid.authorization(chosen, going, container.settings.sso, now)
    except ProviderFailedError as error:
        return _failed(chosen, error)
    say = forms.words()
    page = visitors.page(
        "provider", routing.language(), heading=say.to_provider, label=chosen.label, href=address
    )
    page.headers["Refresh"] = f"0; url={address}"
    return session_cookies.give_sign_in(page, secret)


@pages.get("/sign-in/with/<string:provider>/return")
def come_back(provider: str) -> Response:
    """Sign in whoever the provider has named.

    The one page of people that changes something when it is opened: the protocol comes back this
    way. The state shows that this browser began it, so another site's link changes nothing.
    """
    chosen, container = _provider(provider), routing.container()
    try:
        limits.challenge()
    except TooOften as error:
        return visitors.too_often(error)
    secret, (state, _, packed) = (
        session_cookies.sign_in_secret(),
        request.args.get("state", "").partition("."),
    )
    with container.work(VISITOR) as work:
        attempt = single_sign_on.take(work, chosen, secret, state)
        now = work.now
    if attempt is None:
        return _refused(chosen, "no attempt of this browser has that state")
    if code := request.args.get("code", ""):
        try:
            found = openid.identity(chosen, attempt, code, container.settings.sso, now)
            with container.work(VISITOR) as work:
                entered = single_sign_on.enter(
                    work,
                    chosen,
                    found,
                    agent=visitors.agent(),
                    asked_again=attempt.asks_again,
                    former=session_cookies.secret(),
                )
        except ProviderFailedError as error:
            return _failed(chosen, error)
        except AlreadyRecorded:
            entered = None
        if entered is not None:
            return _entered(entered, _wanted(packed))
        return _refused(chosen, "nobody here belongs to that identity")
    return _refused(chosen, f"it answered {request.args.get('error', '')[:100]!r}")


def _packed(wanted: str) -> str:
    """The page to open afterwards, to travel with the state."""
    return base64.urlsafe_b64encode(own_path(wanted).encode()).rstrip(b"=").decode()


def _wanted(packed: str) -> str:
    """The page of ours that was packed; whatever somebody made of it is one of ours, too."""
    try:
        text = base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)).decode()
    except ValueError:
        return HOME
    return own_path(text)


def _entered(entered: SsoEntered, wanted: str) -> Response:
    if entered.session is not None:
        return session_cookies.give_session(visitors.go(wanted), entered.session)
    answer = visitors.go(f"/sign-in/factor?{urlencode({'next': wanted})}")
    return session_cookies.give_sign_in(answer, entered.factor or "")


def _provider(name: str) -> IdentityProvider:
    """The provider with that name. Raises NotFound."""
    found = routing.container().settings.identity_providers.get(name)
    return found if found is not None else abort(404)


def _failed(provider: IdentityProvider, error: ProviderFailedError) -> Response:
    current_app.logger.warning("identity provider %s failed: %s", provider.name, error)
    say = forms.words()
    return forms.message(say.provider_failed, say.provider_failed_why, status=502, sign_in=True)


def _refused(provider: IdentityProvider, why: str) -> Response:
    """Nobody is signed in; why is for the log, so that the page tells nobody who has an account."""
    current_app.logger.info("single sign-on at %s refused: %s", provider.name, why)
    say = forms.words()
    return forms.message(say.provider_refused, say.provider_refused_why, status=403, sign_in=True)
