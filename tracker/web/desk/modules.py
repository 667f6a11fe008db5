"""Recording results: find the person by a number, check the name, see what exists, record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, Response, request

from tracker.api.credentials.assessments import NewAssessmentSchema
from tracker.api.http import routing, session_cookies
from tracker.api.people.holders import HolderQuerySchema
from tracker.domain.credentials.assessments import AttemptToRecord
from tracker.domain.errors import Invalid, Refusal
from tracker.domain.permissions import Actor
from tracker.language import catalogues
from tracker.language.voice import in_words
from tracker.services.core.context import UnitOfWork
from tracker.services.credentials import assessments
from tracker.services.overview import person_overviews
from tracker.services.overview.person_overviews import ModulesOverview, PersonListed
from tracker.web import navigation
from tracker.web.desk import attempt_forms, desk_forms, module_grids
from tracker.web.people import forms, lists, visitors
from tracker.web.verify_words import WORDS as ON_THE_PAGE

pages = Blueprint("desk-modules", __name__)

HERE = "/desk/modules"
_PERSON = "/desk/people/<uuid:holder_id>/modules"
_MOST = 20


@dataclass(frozen=True, slots=True)
class DeskModulesWords:
    """One language's words."""

    title: str
    who: str
    who_hint: str
    family_name: str
    family_hint: str
    find: str
    nobody: str
    several: str
    several_why: str
    by_file: str
    of_person: str
    ref: str
    record: str
    save: str
    recorded: str
    results: dict[str, str]
    awarded: str
    warnings: str
    next_person: str
    correct: str
    wrong_name: str


WORDS = {
    lang: DeskModulesWords(**catalogues.topic(lang, "desk_modules_pages"))
    for lang in catalogues.LANGUAGES
}


@pages.get(HERE)
@visitors.for_staff
def find(actor: Actor) -> Response:
    """Ask whose result it is; one person who is meant is shown at once."""
    language, who = routing.language(), request.args.get("who", "").strip()
    family_name, wrong = request.args.get("family_name", "").strip(), None
    rows: Sequence[PersonListed] = ()
    if who:
        try:
            query = routing.load(HolderQuerySchema(), {"q": who})["q"]
        except Invalid:
            wrong = WORDS[language].nobody
        else:
            with routing.container().reading(actor) as reading:
                rows = person_overviews.search(reading, query, after=None, limit=_MOST)
            wrong = None if rows else WORDS[language].nobody
    carried = f"?{urlencode({'family_name': family_name})}" if family_name else ""
    if len(rows) == 1:
        return visitors.go(f"/desk/people/{rows[0].holder.id}/modules{carried}")
    return visitors.page(
        "desk/modules",
        language,
        422 if wrong else 200,
        say=WORDS[language],
        form=desk_forms.words(),
        areas=navigation.of_records(language),
        here=HERE,
        stated={"who": who, "family_name": family_name},
        carried=carried,
        rows=rows,
        errors={"who": wrong} if wrong else {},
        wrong=wrong,
    )


@pages.get(_PERSON)
@visitors.for_staff
def show(actor: Actor, *, holder_id: UUID) -> Response:
    """The modules of a person, and the form to record a result."""
    family_name = request.args.get("family_name", "")
    return _page(actor, str(holder_id), stated={"family_name": family_name, "result": "pass"})


@pages.post(_PERSON)
@visitors.for_staff
def record(actor: Actor, *, holder_id: UUID) -> Response:
    """Record a result; the last required pass awards the certification at once."""
    id_ = str(holder_id)
    here = f"/desk/people/{id_}/modules"

    def act(work: UnitOfWork) -> str:
        if family_name := request.form.get("family_name", "").strip():
            person_overviews.check_family_name(work, id_, family_name)
        values = routing.load(NewAssessmentSchema(), attempt_forms.sent())
        passed = values.pop("result") == "pass"
        attempt = AttemptToRecord(**values, passed=passed)
        return f"{here}?recorded={assessments.record(work, id_, attempt)}"

    return forms.attempted(
        actor,
        act,
        here=here,
        refused=lambda refusal: _page(actor, id_, stated=attempt_forms.typed(), refusal=refusal),
    )


def _page(
    actor: Actor, holder_id: str, *, stated: Mapping[str, str], refusal: Refusal | None = None
) -> Response:
    language = routing.language()
    with routing.container().reading(actor) as reading:
        found = person_overviews.of_modules(
            reading, holder_id, recorded_id=lists.id_in_address("recorded")
        )
    touched = {one.scheme.code for one in found.modules} or {_usual()}
    offered = attempt_forms.form(routing.container().schemes, language, first=touched)
    errors, wrong = desk_forms.errors(refusal, offered.labels)
    return visitors.page(
        "desk/record_result",
        language,
        422 if wrong else 200,
        say=WORDS[language],
        form=desk_forms.words(),
        areas=navigation.of_records(language),
        here=f"/desk/people/{holder_id}",
        found=found,
        done=_done(found, language),
        grids=[
            module_grids.of_scheme(found.modules, scheme, language)
            for scheme in routing.container().schemes
            if scheme.code in touched
        ],
        statuses=ON_THE_PAGE[language].statuses,
        attempt=offered,
        stated=stated,
        errors=errors,
        wrong=wrong,
        csrf_token=session_cookies.csrf_token(actor),
    )


def _usual() -> str:
    """The scheme of which the grid is shown for somebody who attempted nothing: the first one."""
    schemes = [scheme.code for scheme in routing.container().schemes]
    return "cpt" if "cpt" in schemes else schemes[0]


def _done(found: ModulesOverview, language: str) -> Sequence[str]:
    """What was just recorded, and the award that came of it, in sentences."""
    row, say = found.recorded, WORDS[language]
    if row is None:
        return ()
    schemes = routing.container().schemes
    module = module_grids.names(schemes, language)[row.scheme, row.module]
    day = in_words(row.taken_on, language)
    result = say.results["pass" if row.passed else "fail"]
    told = [say.recorded.format(module=module, day=day, result=result)]
    for held in found.certifications:
        if row.passed and held.scheme == row.scheme and held.awarded_on == row.taken_on:
            title = schemes[held.scheme].full_name(language)
            told.append(say.awarded.format(certification=title, number=held.number, day=day))
    return [*told, *(say.warnings.format(one) for one in row.warnings)]
