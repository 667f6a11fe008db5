"""A holder's own data: everything about them to download, or to be erased."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response

from tracker.api.http import routing, session_cookies
from tracker.api.overview import archives
from tracker.domain.errors import ReauthenticationRequired, TooOften
from tracker.domain.permissions import Actor
from tracker.language.voice import in_words
from tracker.services.core.context import UnitOfWork
from tracker.services.overview import erasures
from tracker.web.people import forms, papers, visitors
from tracker.web.people.consents_words import WORDS

pages = Blueprint("personal-data", __name__)

HERE = "/account/data"


@pages.get(HERE)
@visitors.signed_in
def home(actor: Actor) -> Response:
    """What the holder can do with their data."""
    visitors.check_holder(actor)
    return _home(actor)


@pages.post(f"{HERE}/erasure")
@visitors.signed_in
def erase(actor: Actor) -> Response:
    """Ask to erase the holder's data."""
    return _done(actor, lambda work: erasures.ask_for_me(work, reason=""))


@pages.post(f"{HERE}/erasure/withdraw")
@visitors.signed_in
def withdraw(actor: Actor) -> Response:
    """Withdraw that request."""
    return _done(actor, erasures.withdraw)


def _done(actor: Actor, act: Callable[[UnitOfWork], object]) -> Response:
    return forms.carried_out(actor, act, here=HERE, refused=lambda wrong: _home(actor, wrong=wrong))


def _home(actor: Actor, *, wrong: str | None = None) -> Response:
    language = routing.language()
    with routing.container().reading(actor) as reading:
        waits = erasures.waits(reading)
    return visitors.page(
        "personal_data",
        language,
        422 if wrong else 200,
        say=WORDS[language],
        here=HERE,
        transcript=papers.WORDS[language].transcript,
        wrong=wrong,
        due=in_words(waits.due_on, language) if waits else "",
        csrf_token=session_cookies.csrf_token(actor),
    )


@pages.get(f"{HERE}/archive")
@visitors.signed_in
def archive(actor: Actor) -> Response:
    """Everything about the holder as one file, once they have proved who they are."""
    holder_id = visitors.check_holder(actor)
    try:
        with routing.container().reading(actor) as reading:
            return visitors.private(archives.archive(reading, holder_id))
    except ReauthenticationRequired:
        return visitors.to_confirm(HERE)
    except TooOften as error:
        return visitors.too_often(error)
