"""Which sponsors follow somebody: staff register one, and end its access at once."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, Response, request

from tracker.api.credentials.managed_cases import NewManagedCaseSchema
from tracker.api.http import routing, session_cookies
from tracker.domain.errors import NotFound, Refusal
from tracker.domain.permissions import Actor
from tracker.language import catalogues
from tracker.language.voice import in_words
from tracker.services.core import organizations
from tracker.services.core.context import UnitOfWork
from tracker.services.credentials import managed_cases
from tracker.services.credentials.managed_cases import ManagedCaseRow
from tracker.services.people import holders
from tracker.web import navigation
from tracker.web.desk import desk_forms
from tracker.web.people import forms, visitors

pages = Blueprint("desk-managed-cases", __name__)

_PERSON = "/desk/people/<uuid:holder_id>"
_HERE = f"{_PERSON}/cases"


@dataclass(frozen=True, slots=True)
class DeskCasesWords:
    """One language's words."""

    title: str
    why: str
    none: str
    registered: str
    shared: str
    not_yet: str
    ended: str
    end: str
    add: str
    sponsor: str
    sponsor_hint: str
    register: str


WORDS = {
    lang: DeskCasesWords(**catalogues.topic(lang, "desk_cases_pages"))
    for lang in catalogues.LANGUAGES
}


@pages.get(_HERE)
@visitors.for_staff
def listed(actor: Actor, *, holder_id: UUID) -> Response:
    """Who follows a person, and the form for another sponsor."""
    return _listed(actor, str(holder_id))


@pages.post(_HERE)
@visitors.for_staff
def register(actor: Actor, *, holder_id: UUID) -> Response:
    """Record that a sponsor follows the person, who alone consents."""
    id_ = str(holder_id)

    def act(work: UnitOfWork) -> str:
        name = request.form.get("sponsor", "").strip()
        sponsor_id = organizations.meant(work, "sponsor", {"sponsor": name})
        values = routing.load(NewManagedCaseSchema(), {"sponsor_id": sponsor_id})
        managed_cases.register(work, id_, str(values["sponsor_id"]))
        return f"/desk/people/{id_}/cases"

    return forms.attempted(
        actor,
        act,
        here=f"/desk/people/{id_}/cases",
        refused=lambda refusal: _listed(actor, id_, refusal),
    )


@pages.post(f"{_HERE}/<uuid:case_id>/end")
@visitors.for_staff
def end(actor: Actor, *, holder_id: UUID, case_id: UUID) -> Response:
    """End the sponsor's access at once."""
    id_ = str(holder_id)

    def act(work: UnitOfWork) -> str:
        if managed_cases.get(work, str(case_id)).holder_id != id_:
            raise NotFound
        managed_cases.end_consent(work, str(case_id))
        return f"/desk/people/{id_}/cases"

    return forms.attempted(
        actor,
        act,
        here=f"/desk/people/{id_}/cases",
        refused=lambda refusal: _listed(actor, id_, refusal),
    )


def _listed(actor: Actor, holder_id: str, refusal: Refusal | None = None) -> Response:
    language = routing.language()
    say = WORDS[language]
    with routing.container().reading(actor) as reading:
        holder = holders.get(reading, holder_id)
        rows = managed_cases.page(reading, holder_id=holder_id)
    errors, wrong = desk_forms.errors(refusal, {"sponsor": say.sponsor})
    return visitors.page(
        "desk/managed_cases",
        language,
        422 if wrong else 200,
        say=say,
        form=desk_forms.words(),
        areas=navigation.of_records(language),
        person=f"/desk/people/{holder_id}",
        here=f"/desk/people/{holder_id}/cases",
        holder=holder,
        rows=[(one, _state(one, language)) for one in rows],
        moment=lambda instant: desk_forms.moment(instant, language),
        stated=desk_forms.stated("sponsor"),
        errors=errors,
        wrong=wrong,
        csrf_token=session_cookies.csrf_token(actor),
    )


def _state(row: ManagedCaseRow, language: str) -> str:
    """Whether the sponsor sees the person's attempts, and since when."""
    say = WORDS[language]
    if row.consent_ended_at is not None:
        return say.ended.format(in_words(row.consent_ended_at.date(), language))
    if row.consented_at is not None:
        return say.shared.format(in_words(row.consented_at.date(), language))
    return say.not_yet
