"""Who can see a holder: employers and sponsors, what each of them sees, and what they ask for."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from flask import Blueprint, Response, request

from tracker.api.http import routing, session_cookies
from tracker.domain.employers.consents import ConsentField
from tracker.domain.permissions import Actor
from tracker.language import consents as words_of_consents
from tracker.language.voice import in_words
from tracker.services.core.context import UnitOfWork
from tracker.services.credentials import apprenticeships, managed_cases
from tracker.services.employers import consent_requests, sharing
from tracker.services.people import preferences
from tracker.web.people import forms, visitors
from tracker.web.people.consents_words import WORDS

pages = Blueprint("consent-pages", __name__)

HERE = "/account/sharing"
_APPRENTICESHIP = f"{HERE}/apprenticeships/<uuid:apprenticeship_id>"
_CASE = f"{HERE}/cases/<uuid:case_id>"
_REQUEST = f"{HERE}/requests/<uuid:entry_id>"


@pages.get(HERE)
@visitors.signed_in
def home(actor: Actor) -> Response:
    """Everybody who sees the holder or asks to."""
    visitors.check_holder(actor)
    return page_with(actor)


@pages.post(f"{HERE}/<uuid:sharing_id>/end")
@visitors.signed_in
def end(actor: Actor, *, sharing_id: UUID) -> Response:
    """End a consent at once."""
    visitors.check_holder(actor)
    return _done(actor, lambda work: sharing.end(work, str(sharing_id)))


@pages.post(f"{_APPRENTICESHIP}/share")
@visitors.signed_in
def share(actor: Actor, *, apprenticeship_id: UUID) -> Response:
    """Let the sponsor see an apprenticeship."""
    visitors.check_holder(actor)
    return _done(actor, lambda work: apprenticeships.consent(work, str(apprenticeship_id)))


@pages.post(f"{_APPRENTICESHIP}/end")
@visitors.signed_in
def end_share(actor: Actor, *, apprenticeship_id: UUID) -> Response:
    """End the sponsor's access at once."""
    visitors.check_holder(actor)
    return _done(actor, lambda work: apprenticeships.end_consent(work, str(apprenticeship_id)))


@pages.post(f"{HERE}/modules")
@visitors.signed_in
def show_modules(actor: Actor) -> Response:
    """Let the public page of a certificate list the modules passed, or stop that at once."""
    visitors.check_holder(actor)
    wanted = {"shows_modules": request.form.get("show") == "yes"}
    return _done(actor, lambda work: preferences.change_mine(work, wanted))


@pages.post(f"{_CASE}/share")
@visitors.signed_in
def share_case(actor: Actor, *, case_id: UUID) -> Response:
    """Let the sponsor's case managers see the attempts."""
    visitors.check_holder(actor)
    return _done(actor, lambda work: managed_cases.consent(work, str(case_id)))


@pages.post(f"{_CASE}/end")
@visitors.signed_in
def end_case(actor: Actor, *, case_id: UUID) -> Response:
    """End their access at once."""
    visitors.check_holder(actor)
    return _done(actor, lambda work: managed_cases.end_consent(work, str(case_id)))


@pages.get(_REQUEST)
@visitors.signed_in
def question(actor: Actor, *, entry_id: UUID) -> Response:
    """What one employer asks, by itself: nothing else is on the page."""
    visitors.check_holder(actor)
    language = routing.language()
    with routing.container().reading(actor) as reading:
        found = consent_requests.get(reading, str(entry_id))
    return visitors.page(
        "consent_question",
        language,
        say=WORDS[language],
        found=found,
        here=f"{HERE}/requests/{found.id}",
        choices=[field for field in found.terms.fields if field != ConsentField.STANDING],
        field_words=words_of_consents.FIELDS[language],
        purpose=words_of_consents.PURPOSES[language][found.terms.purpose],
        csrf_token=session_cookies.csrf_token(actor),
    )


@pages.post(f"{_REQUEST}/accept")
@visitors.signed_in
def accept(actor: Actor, *, entry_id: UUID) -> Response:
    """Consent to what was asked, as far as it is ticked."""
    visitors.check_holder(actor)
    chosen = [field for field in ConsentField if request.form.get(field) == "yes"]
    return _done(actor, lambda work: consent_requests.accept(work, str(entry_id), fields=chosen))


@pages.post(f"{_REQUEST}/decline")
@visitors.signed_in
def decline(actor: Actor, *, entry_id: UUID) -> Response:
    """Decline; the employer is told so."""
    visitors.check_holder(actor)
    return _done(actor, lambda work: consent_requests.decline(work, str(entry_id)))


def _done(actor: Actor, act: Callable[[UnitOfWork], object]) -> Response:
    return forms.carried_out(actor, act, here=HERE, refused=lambda wrong: page_with(actor, wrong))


def page_with(actor: Actor, wrong: str | None = None) -> Response:
    """The page, with what was refused."""
    language = routing.language()
    with routing.container().reading(actor) as reading:
        viewers, asked = sharing.mine(reading), consent_requests.mine(reading)
        served = apprenticeships.page(reading, holder_id=actor.holder_id)
        shows_modules = preferences.mine(reading).holder.shows_modules
        cases = managed_cases.page(reading, holder_id=actor.holder_id)
    return visitors.page(
        "consents",
        language,
        422 if wrong else 200,
        say=WORDS[language],
        wrong=wrong,
        here=HERE,
        viewers=viewers,
        requests=asked,
        shows_modules=shows_modules,
        apprenticeships=[one.row for one in served],
        cases=cases,
        field_words=words_of_consents.FIELDS[language],
        purposes=words_of_consents.PURPOSES[language],
        day=lambda day: in_words(day, language),
        csrf_token=session_cookies.csrf_token(actor),
    )
