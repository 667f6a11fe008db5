"""A forgotten password: a mailed link leads to the page on which a new one is chosen.

The answers to people on record and to others are the same. Opening a page changes nothing.
"""

from __future__ import annotations

from flask import Blueprint, Response, request

from tracker.api.http import limits, routing
from tracker.api.http.routing import VISITOR
from tracker.domain import emails
from tracker.domain.errors import UnacceptablePassword
from tracker.services.people import password_changes, passwords, sign_in
from tracker.web.people import forms, visitors
from tracker.web.people.words import WORDS

pages = Blueprint("password-resets", __name__)


@pages.get("/password/forgotten")
def start() -> Response:
    """Ask for the address."""
    return _ask()


@pages.post("/password/forgotten")
@visitors.from_own_site
def send_link() -> Response:
    """Begin; whether there is such an account is looked up later."""
    say = forms.words()
    try:
        address = emails.compared(emails.email(request.form.get("email", "")))
    except ValueError:
        return _ask(wrong=say.wrong_email)
    limits.password_reset(address)
    with routing.container().work(VISITOR) as work:
        sign_in.begin_reset(work, address)
    return forms.message(say.link_sent, say.link_sent_why)


@pages.get("/password/reset/<string:proof>")
def open_link(proof: str) -> Response:
    """Ask for the new password."""
    container = routing.container()
    with container.reading(VISITOR) as reading:
        about = password_changes.about(reading, container.message_key, proof)
    return over() if about is None else _choose(proof)


@pages.post("/password/reset/<string:proof>")
@visitors.from_own_site
def choose(proof: str) -> Response:
    """Replace the password; this signs nobody in."""
    container, say = routing.container(), forms.words()
    with container.reading(VISITOR) as reading:
        about = password_changes.about(reading, container.message_key, proof)
    if about is None:
        return over()
    try:
        text = request.form.get("new_password", "")
        new_hash = passwords.chosen(container.settings, text, about=about)
    except UnacceptablePassword as refused:
        return _choose(proof, wrong=say.faults[str(refused.facts["fault"])])
    with container.work(VISITOR) as work:
        is_done = password_changes.reset(work, proof, new_hash)
    if not is_done:
        return over()
    link = forms.FormText("", say.by_password, "/sign-in/password")
    return visitors.page(
        "message",
        routing.language(),
        heading=say.password_changed,
        lines=[say.password_changed_why],
        links=[link],
    )


def _ask(*, wrong: str | None = None) -> Response:
    say = forms.words()
    return forms.page(
        say.forgotten,
        action="/password/forgotten",
        button=say.send_link,
        fields=[forms.email()],
        lines=[say.forgotten_hint, say.holder_forgot],
        wrong=wrong,
    )


def _choose(proof: str, *, wrong: str | None = None) -> Response:
    say = forms.words()
    return forms.page(
        say.choose_password,
        action=f"/password/reset/{proof}",
        button=say.change_password,
        fields=[forms.new_password()],
        wrong=wrong,
    )


def over() -> Response:
    """The page of a link that can no longer be used."""
    words = WORDS[routing.language()]
    return forms.message(words.link_over, words.link_over_why, status=404, sign_in=True)
