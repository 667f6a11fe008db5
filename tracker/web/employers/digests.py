"""The summary by email: ordering, changing and canceling it."""

from __future__ import annotations

from flask import Blueprint, Response, request

from tracker.api.employers.digests import NewOrderSchema
from tracker.api.http import routing, session_cookies
from tracker.domain.delivery.digests import DigestFrequency
from tracker.domain.errors import Invalid, NotFound, Refusal
from tracker.domain.permissions import Actor
from tracker.language.catalogues import LANGUAGES
from tracker.language.voice import in_words
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.employers import digests, employers
from tracker.services.employers.digests import Order
from tracker.web.employers import workforce_words
from tracker.web.employers.employer_words import WORDS
from tracker.web.employers.workforce_words import WORDS as LIST_WORDS
from tracker.web.people import forms, visitors

pages = Blueprint("digest-pages", __name__)

HERE = "/employer/digest"
_FIELDS = ("every", "language", "address")


@pages.get(HERE)
@visitors.for_organization("employer")
def home(actor: Actor, employer_id: str) -> Response:
    """What is ordered, and the form for those who manage."""
    return _home(actor, employer_id)


@pages.post(HERE)
@visitors.for_organization("employer", changes=True)
def order(actor: Actor, employer_id: str) -> Response:
    """Order the summary, or change the order."""

    def act(work: UnitOfWork) -> str:
        wanted = routing.load(NewOrderSchema(), forms.sent(*_FIELDS))
        digests.order(
            work,
            employer_id,
            every=wanted["every"],
            language=wanted["language"],
            address=wanted.get("address"),
        )
        return "/employer?done=ordered"

    return forms.attempted(
        actor, act, here=HERE, refused=lambda refusal: _home(actor, employer_id, refusal)
    )


@pages.post(f"{HERE}/cancel")
@visitors.for_organization("employer", changes=True)
def call_off(actor: Actor, employer_id: str) -> Response:
    """Cancel the order."""

    def act(work: UnitOfWork) -> str:
        digests.call_off(work, employer_id)
        return "/employer?done=called_off"

    return forms.attempted(
        actor, act, here=HERE, refused=lambda refusal: _home(actor, employer_id, refusal)
    )


def _home(actor: Actor, employer_id: str, refusal: Refusal | None = None) -> Response:
    language = routing.language()
    say = WORDS[language]
    with routing.container().reading(actor) as reading:
        ordered = _ordered(reading, employer_id)
    named = refusal.fields if isinstance(refusal, Invalid) else {}
    errors = {name: getattr(say, f"wrong_{name}") for name in _FIELDS if name in named}
    usual = forms.words().refusal(refusal.code) if refusal else None
    stated = {name: getattr(ordered, name) for name in _FIELDS} if ordered else {}
    return visitors.page(
        "employers/digest",
        language,
        422 if refusal else 200,
        say=say,
        frame_words=LIST_WORDS[language],
        parts=workforce_words.parts(actor, language),
        here=HERE,
        may_change="write" in actor.scopes,
        ordered=ordered,
        told=_told(ordered, language) if ordered else say.off,
        frequencies=list(DigestFrequency),
        languages=LANGUAGES,
        stated=request.form if refusal else {"language": language, **stated},
        errors=errors,
        wrong=next(iter(errors.values()), usual),
        csrf_token=session_cookies.csrf_token(actor),
    )


def _ordered(reading: ReadContext, employer_id: str) -> Order | None:
    """The order, if there is one; the employer is the actor's own."""
    employers.get(reading, employer_id)
    try:
        return digests.order_of(reading, employer_id)
    except NotFound:
        return None


def _told(ordered: Order, language: str) -> str:
    say = WORDS[language]
    return say.on.format(
        every=say.frequencies[ordered.every],
        address=ordered.address,
        next=in_words(ordered.next_on, language),
    )
