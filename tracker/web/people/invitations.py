"""Accepting an invitation: the mailed link leads to choosing a password, or to making a passkey."""

from __future__ import annotations

from flask import Blueprint, Response, request

from tracker.api.http import limits, routing, session_cookies
from tracker.api.http.routing import VISITOR
from tracker.domain.errors import AlreadyRecorded, Conflict, UnacceptablePassword, WrongProof
from tracker.domain.people.sign_in import HOME
from tracker.services.people import invitations, passkey_ceremonies, passkeys, passwords
from tracker.services.people.invitations import OpenInvitation
from tracker.web.people import forms, visitors
from tracker.web.people.forms import FormButton, FormText
from tracker.web.people.passkeys import ask

pages = Blueprint("accept-invitations", __name__)


@pages.get("/invitation/<string:proof>")
def open_link(proof: str) -> Response:
    """Show who is invited as what. Opening the page changes nothing."""
    found = _found(proof)
    return _over() if found is None else _choose(proof, found)


@pages.post("/invitation/<string:proof>")
@visitors.from_own_site
def accept(proof: str) -> Response:
    """Open the account with the chosen password; the second factor is set up next."""
    found, say = _found(proof), forms.words()
    if found is None:
        return _over()
    container = routing.container()
    try:
        text = request.form.get("new_password", "")
        new_hash = passwords.chosen(container.settings, text, about=found.about)
        with container.work(VISITOR) as work:
            secret = invitations.accept(work, proof, new_hash)
    except UnacceptablePassword as refused:
        return _choose(proof, found, wrong=say.faults[str(refused.facts["fault"])])
    except AlreadyRecorded:
        return forms.message(say.has_account, say.has_account_why, status=409, sign_in=True)
    if secret is None:
        return _over()
    return session_cookies.give_sign_in(visitors.go("/sign-in/factor"), secret)


@pages.post("/invitation/<string:proof>/passkey")
@visitors.from_own_site
def begin_passkey(proof: str) -> Response:
    """Ask the browser to make a passkey, with which the account is opened."""
    found = _found(proof)
    return _over() if found is None else _ask(proof, found)


@pages.post("/invitation/<string:proof>/passkey/answer")
@visitors.from_own_site
def accept_by_passkey(proof: str) -> Response:
    """Open the account with the passkey that the browser has made, and sign in."""
    found, say = _found(proof), forms.words()
    if found is None:
        return _over()
    try:
        with routing.container().work(VISITOR) as work:
            session = invitations.accept_by_passkey(
                work,
                proof,
                session_cookies.sign_in_secret(),
                request.form.get("credential", ""),
                name=say.first_passkey,
                agent=visitors.agent(),
            )
    except (WrongProof, Conflict) as refused:
        if isinstance(refused, AlreadyRecorded):
            return forms.message(say.has_account, say.has_account_why, status=409, sign_in=True)
        return _ask(proof, found, wrong=say.wrong_passkey)
    return _over() if session is None else session_cookies.give_session(visitors.go(HOME), session)


def _ask(proof: str, found: OpenInvitation, *, wrong: str | None = None) -> Response:
    limits.challenge()
    with routing.container().work(VISITOR) as work:
        asked = passkeys.begin_invited(work, name=found.name, email=found.email)
    here = f"/invitation/{proof}"
    return ask(asked, action=f"{here}/passkey/answer", other=here, hidden={}, wrong=wrong)


def _over() -> Response:
    """The page of an invitation that was accepted, withdrawn or replaced, or has expired."""
    say = forms.words()
    link = FormText("", say.by_password, "/sign-in/password")
    return visitors.page(
        "message",
        routing.language(),
        404,
        heading=say.invitation_over,
        lines=[say.invitation_over_why],
        links=[link],
    )


def _found(proof: str) -> OpenInvitation | None:
    container = routing.container()
    with container.reading(VISITOR) as reading:
        return invitations.opened(reading, container.message_key, proof)


def _choose(proof: str, found: OpenInvitation, *, wrong: str | None = None) -> Response:
    say = forms.words()
    return forms.page(
        say.invitation,
        action=f"/invitation/{proof}",
        button=say.accept,
        fields=[forms.new_password()],
        lines=[say.invited_as[found.role].format(found.organization)],
        shown=[FormText(say.name, found.name), FormText(say.email, found.email)],
        others=_others(proof),
        wrong=wrong,
    )


def _others(proof: str) -> list[FormButton]:
    """The way without a password, where browsers offer passkeys."""
    possible = passkey_ceremonies.are_possible(routing.container().settings)
    one = FormButton(f"/invitation/{proof}/passkey", forms.words().accept_by_passkey, {})
    return [one] if possible else []
