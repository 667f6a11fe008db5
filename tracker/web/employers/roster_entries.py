"""One worker of an employer's list, by hand: added, or moved to another site or shift."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from flask import Blueprint, Response, request

from tracker.api.employers.employers import NewRosterEntrySchema, RosterPlaceSchema
from tracker.api.http import routing, session_cookies
from tracker.domain.errors import Invalid, Refusal
from tracker.domain.permissions import Actor
from tracker.services.core.context import UnitOfWork
from tracker.services.employers import roster
from tracker.web.employers.roster_words import WORDS
from tracker.web.employers.selections import HERE
from tracker.web.people import forms, visitors

pages = Blueprint("roster-entry-pages", __name__)

_NEW = f"{HERE}/workers/new"
_ONE = f"{HERE}/workers/<uuid:entry_id>/edit"
_NAMED = ("employee_id", "certificate_number", "email")


@pages.get(_NEW)
@visitors.for_organization("employer", changes=True)
def asked(actor: Actor, employer_id: str) -> Response:
    """The form for one worker."""
    del employer_id
    return _new(actor)


@pages.post(_NEW)
@visitors.for_organization("employer", changes=True)
def add(actor: Actor, employer_id: str) -> Response:
    """Add a worker, who is asked for consent if we find them."""

    def act(work: UnitOfWork) -> str:
        values = routing.load(NewRosterEntrySchema(), forms.sent(*_NAMED, *roster.PLACES))
        made = roster.add(work, employer_id, **values)
        return f"{HERE}/workers/{made.id}?done=added"

    return forms.attempted(actor, act, here=_NEW, refused=lambda refusal: _new(actor, refusal))


@pages.get(_ONE)
@visitors.for_organization("employer", changes=True)
def edit(actor: Actor, employer_id: str, *, entry_id: UUID) -> Response:
    """The form for where a worker works."""
    return _edit(actor, employer_id, str(entry_id))


@pages.post(_ONE)
@visitors.for_organization("employer", changes=True)
def move(actor: Actor, employer_id: str, *, entry_id: UUID) -> Response:
    """Change where a worker works."""
    id_ = str(entry_id)
    here = f"{HERE}/workers/{id_}"

    def act(work: UnitOfWork) -> str:
        said = forms.sent(*roster.PLACES)
        body = {name: said.get(name) for name in roster.PLACES}
        roster.move(work, employer_id, id_, routing.load(RosterPlaceSchema(), body))
        return f"{here}?done=moved"

    return forms.attempted(
        actor,
        act,
        here=f"{here}/edit",
        refused=lambda refusal: _edit(actor, employer_id, id_, refusal),
    )


def _new(actor: Actor, refusal: Refusal | None = None) -> Response:
    say = WORDS[routing.language()]
    stated = {name: request.form.get(name, "") for name in (*_NAMED, *roster.PLACES)}
    facts = {
        "title": say.one,
        "why": [say.one_why, say.one_asked],
        "action": _NEW,
        "back": f"{HERE}/roster",
        "over": say.title,
        "button": say.one_button,
        "named": list(_NAMED),
    }
    return _form(actor, refusal, stated, facts)


def _edit(
    actor: Actor, employer_id: str, entry_id: str, refusal: Refusal | None = None
) -> Response:
    say, here = WORDS[routing.language()], f"{HERE}/workers/{entry_id}"
    with routing.container().reading(actor) as reading:
        entry = roster.get(reading, employer_id, entry_id)
    known = {name: getattr(entry, name) or "" for name in roster.PLACES}
    sent = {name: request.form.get(name, "") for name in roster.PLACES}
    facts = {
        "title": say.move.format(entry.employee_id),
        "why": [say.move_why],
        "action": f"{here}/edit",
        "back": here,
        "over": entry.employee_id,
        "button": say.move_button,
        "named": [],
    }
    return _form(actor, refusal, sent if refusal else known, facts)


def _form(
    actor: Actor,
    refusal: Refusal | None,
    stated: Mapping[str, str],
    facts: Mapping[str, object],
) -> Response:
    language = routing.language()
    say = WORDS[language]
    named = refusal.fields if isinstance(refusal, Invalid) else {}
    if refusal is not None and refusal.code == "already_recorded":
        named = {"employee_id": ""}
    errors = {name: say.wrong[name] for name in named if name in say.wrong}
    usual = forms.words().refusal(refusal.code) if refusal else None
    return visitors.page(
        "employers/roster_entry",
        language,
        422 if refusal else 200,
        say=say,
        places=list(roster.PLACES),
        stated=stated,
        errors=errors,
        wrong=next(iter(errors.values()), usual),
        csrf_token=session_cookies.csrf_token(actor),
        **facts,
    )
