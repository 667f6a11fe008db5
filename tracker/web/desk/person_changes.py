"""Correcting what a record says of a person: name, addresses, language, time zone, a death."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, Response, request

from tracker.api.http import routing, session_cookies
from tracker.api.people.holders import HolderChangeSchema
from tracker.domain.errors import Refusal
from tracker.domain.permissions import Actor
from tracker.language import catalogues
from tracker.language.voice import month_names
from tracker.services.core.context import UnitOfWork
from tracker.services.desk import corrections
from tracker.services.people import holders
from tracker.services.people.holders import HolderRow
from tracker.web import navigation
from tracker.web.desk import desk_forms
from tracker.web.people import forms, visitors

pages = Blueprint("desk-person-changes", __name__)

_HERE = "/desk/people/<uuid:holder_id>/edit"
_FILLED = ("given_name", "family_name", "email", "language", "time_zone")
_TYPED = (*_FILLED, "second_email", "reason")
_DAYS = ("deceased_on_year", "deceased_on_month", "deceased_on_day")


@dataclass(frozen=True, slots=True)
class PersonChangeWords:
    """One language's words."""

    title: str
    why: str
    labels: dict[str, str]
    hints: dict[str, str]
    languages: dict[str, str]
    save: str


WORDS = {
    lang: PersonChangeWords(**catalogues.topic(lang, "desk_person_pages"))
    for lang in catalogues.LANGUAGES
}


@pages.get(_HERE)
@visitors.for_staff
def show(actor: Actor, *, holder_id: UUID) -> Response:
    """The form with what the record says now."""
    return _form(actor, str(holder_id))


@pages.post(_HERE)
@visitors.for_staff
def change(actor: Actor, *, holder_id: UUID) -> Response:
    """Correct the record; the former values stay in its history."""
    id_ = str(holder_id)

    def act(work: UnitOfWork) -> str:
        before = holders.get(work, id_)
        values = routing.load(HolderChangeSchema(), _changed(before))
        reason = values.pop("reason", None)
        corrections.change(work, id_, values, version=forms.version(), reason=reason)
        return f"/desk/people/{id_}"

    return forms.attempted(
        actor,
        act,
        here=f"/desk/people/{id_}/edit",
        refused=lambda refusal: _form(actor, id_, refusal),
    )


def _changed(before: HolderRow) -> dict[str, object]:
    """The fields that differ from the record, as the API would be told them."""
    typed: dict[str, object] = {name: request.form.get(name, "").strip() for name in _FILLED}
    typed |= {
        "second_email": request.form.get("second_email", "").strip() or None,
        "deceased_on": desk_forms.day("deceased_on"),
    }
    own = before._asdict()
    own["deceased_on"] = before.deceased_on and before.deceased_on.isoformat()
    changed = {name: value for name, value in typed.items() if value != own[name]}
    return changed | forms.sent("reason")


def _form(actor: Actor, holder_id: str, refusal: Refusal | None = None) -> Response:
    language = routing.language()
    with routing.container().reading(actor) as reading:
        holder = holders.get(reading, holder_id)
    say = WORDS[language]
    errors, wrong = desk_forms.errors(refusal, say.labels)
    stated = desk_forms.stated(*_TYPED, *_DAYS, "version") if refusal else _stated(holder)
    return visitors.page(
        "desk/person_edit",
        language,
        422 if wrong else 200,
        say=say,
        form=desk_forms.words(),
        areas=navigation.of_records(language),
        here=f"/desk/people/{holder_id}",
        holder=holder,
        months=month_names(language),
        languages=[(code, say.languages.get(code, code)) for code in catalogues.LANGUAGES],
        stated=stated,
        errors=errors,
        wrong=wrong,
        csrf_token=session_cookies.csrf_token(actor),
    )


def _stated(holder: HolderRow) -> Mapping[str, str]:
    """What the record says, in the form's own fields."""
    own = {name: getattr(holder, name) or "" for name in _TYPED if name != "reason"}
    days = desk_forms.day_fields("deceased_on", holder.deceased_on)
    return own | days | {"version": str(holder.version), "reason": ""}
