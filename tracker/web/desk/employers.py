"""Employers as staff see them: found by name, and whether their confirmations are trusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, Response, request

from tracker.api.employers.confirmations import DirectConfirmationSchema
from tracker.api.http import routing, session_cookies
from tracker.api.http.directories import OrganizationQuerySchema
from tracker.domain.errors import Invalid, Refusal
from tracker.domain.permissions import Actor
from tracker.language import catalogues
from tracker.services.core.context import UnitOfWork
from tracker.services.employers import confirmations, employers
from tracker.services.employers.employers import EmployerRow
from tracker.web import navigation
from tracker.web.desk import desk_forms
from tracker.web.people import forms, lists, visitors

pages = Blueprint("desk-employers", __name__)

HERE = "/desk/employers"
_ONE = f"{HERE}/<uuid:employer_id>"


@dataclass(frozen=True, slots=True)
class DeskEmployersWords:
    """One language's words."""

    title: str
    name: str
    name_hint: str
    find: str
    none: str
    too_long: str
    email: str
    recorded: str
    direct: str
    waits: str
    trust: str
    trust_why: str
    distrust: str
    distrust_why: str


WORDS = {
    lang: DeskEmployersWords(**catalogues.topic(lang, "desk_employers_pages"))
    for lang in catalogues.LANGUAGES
}


@pages.get(HERE)
@visitors.for_staff
def listed(actor: Actor) -> Response:
    """The employers on record, or those whose name begins with what was typed."""
    language, typed = routing.language(), request.args.get("name", "").strip()
    found: Sequence[EmployerRow] = ()
    wrong = None
    try:
        query = routing.load(OrganizationQuerySchema(), {"name": typed} if typed else {})
    except Invalid:
        wrong = WORDS[language].too_long
    else:
        with routing.container().reading(actor) as reading:
            found = employers.DIRECTORY.page(
                reading, after=lists.place(), limit=lists.LISTED + 1, name=query.get("name")
            )
    rows, more = lists.cut(found, lambda one: one.id)
    return visitors.page(
        "desk/employers",
        language,
        422 if wrong else 200,
        say=WORDS[language],
        form=desk_forms.words(),
        areas=navigation.of_records(language),
        here=HERE,
        typed=typed,
        rows=rows,
        more=more,
        wrong=wrong,
    )


@pages.get(_ONE)
@visitors.for_staff
def show(actor: Actor, *, employer_id: UUID) -> Response:
    """One employer, and whether what it confirms waits for a reviewer."""
    return _show(actor, str(employer_id))


@pages.post(f"{_ONE}/direct-confirmation")
@visitors.for_staff
def trust(actor: Actor, *, employer_id: UUID) -> Response:
    """Have what an employer confirms count without a reviewer, or no longer."""
    id_ = str(employer_id)

    def act(work: UnitOfWork) -> str:
        directly = request.form.get("directly") == "yes"
        said = {"confirms_directly": directly, **forms.sent("reason")}
        values = routing.load(DirectConfirmationSchema(), said)
        confirmations.trust(
            work, id_, directly=values["confirms_directly"], reason=values["reason"]
        )
        return f"{HERE}/{id_}"

    return forms.attempted(
        actor, act, here=f"{HERE}/{id_}", refused=lambda refusal: _show(actor, id_, refusal)
    )


def _show(actor: Actor, employer_id: str, refusal: Refusal | None = None) -> Response:
    language = routing.language()
    form = desk_forms.words()
    with routing.container().reading(actor) as reading:
        row = employers.get(reading, employer_id)
    errors, wrong = desk_forms.errors(refusal, {"reason": form.reason})
    return visitors.page(
        "desk/employer",
        language,
        422 if wrong else 200,
        say=WORDS[language],
        form=form,
        areas=navigation.of_records(language),
        here=f"{HERE}/{employer_id}",
        row=row,
        recorded=desk_forms.moment(row.recorded_at, language),
        stated=desk_forms.stated("reason"),
        errors=errors,
        wrong=wrong,
        csrf_token=session_cookies.csrf_token(actor),
    )
