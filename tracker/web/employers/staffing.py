"""Enough people: the minimums of each place, from when they are not met, and who could help."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, Response, request

from tracker.api.employers import staffing as staffing_api
from tracker.api.employers.staffing import NewMinimumSchema
from tracker.api.http import routing, session_cookies
from tracker.domain.employers.staffing import StaffingBreak
from tracker.domain.errors import AlreadyRecorded, Invalid, Refusal
from tracker.domain.permissions import Actor
from tracker.language import clearances as words
from tracker.language.voice import in_words
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.employers import requirements, staffing, workforce_overview
from tracker.services.employers.staffing import StaffingAt
from tracker.services.employers.workforce_overview import WorkforceGroups
from tracker.web.employers import workforce_words
from tracker.web.employers.staffing_words import WORDS, StaffingWords
from tracker.web.employers.workforce_words import WORDS as LIST_WORDS
from tracker.web.people import forms, visitors

pages = Blueprint("staffing-pages", __name__)

HERE = "/employer/staffing"


@dataclass(frozen=True, slots=True)
class PlaceShown:
    """How the place of a minimum stands, in words."""

    id: str
    sentence: str
    is_short: bool
    if_none: str
    if_ready: str
    single: Sequence[str]
    nearest: Sequence[tuple[str, str]]
    not_shared: str


@pages.get(HERE)
@visitors.for_organization("employer")
def home(actor: Actor, employer_id: str) -> Response:
    """How each place stands, and the form for those who manage."""
    return _home(actor, employer_id)


@pages.post(HERE)
@visitors.for_organization("employer", changes=True)
def add(actor: Actor, employer_id: str) -> Response:
    """Set a minimum."""

    def act(work: UnitOfWork) -> str:
        sent = forms.sent("requirement_id", *staffing.PLACE)
        least = forms.number(request.form.get("least", ""))
        body = routing.load(NewMinimumSchema(), {**sent, "least": least})
        place = {name: body[name] for name in staffing.PLACE if name in body}
        staffing.add(work, employer_id, str(body["requirement_id"]), place, body["least"])
        return HERE

    return forms.attempted(
        actor, act, here=HERE, refused=lambda refusal: _home(actor, employer_id, refusal)
    )


@pages.post(f"{HERE}/<uuid:minimum_id>/end")
@visitors.for_organization("employer", changes=True)
def end(actor: Actor, employer_id: str, *, minimum_id: UUID) -> Response:
    """End a minimum."""

    def act(work: UnitOfWork) -> str:
        staffing.end(work, employer_id, str(minimum_id))
        return HERE

    return forms.attempted(
        actor, act, here=HERE, refused=lambda refusal: _home(actor, employer_id, refusal)
    )


def _home(actor: Actor, employer_id: str, refusal: Refusal | None = None) -> Response:
    language = routing.language()
    say = WORDS[language]
    with routing.container().reading(actor) as reading:
        jobs = requirements.page(reading, employer_id)
        groups = workforce_overview.groups(reading, employer_id)
        places, too_many = _places(reading, employer_id, say)
    errors = _errors(refusal, say)
    usual = forms.words().refusal(refusal.code) if refusal else None
    return visitors.page(
        "employers/staffing",
        language,
        422 if refusal else 200,
        say=say,
        frame_words=LIST_WORDS[language],
        parts=workforce_words.parts(actor, language),
        here=HERE,
        may_change="write" in actor.scopes,
        places=places,
        too_many=too_many,
        jobs=[(job.id, job.name) for job in jobs],
        groups=_groups(groups, say),
        stated=request.form if refusal else {},
        errors=errors,
        wrong=next(iter(errors.values()), usual),
        csrf_token=session_cookies.csrf_token(actor),
    )


def _places(
    reading: ReadContext, employer_id: str, say: StaffingWords
) -> tuple[list[PlaceShown], str]:
    """How the places stand, or why they cannot be counted; who is counted was looked at."""
    try:
        found = staffing.report(reading, employer_id)
    except Invalid:
        return [], say.too_many
    staffing_api.note(reading, found, employer_id)
    return [_shown(reading, one, say) for one in found.places], ""


def _shown(reading: ReadContext, one: StaffingAt, say: StaffingWords) -> PlaceShown:
    language, minimum, outlook = routing.language(), one.minimum, one.outlook
    return PlaceShown(
        id=minimum.id,
        sentence=words.staffing(
            minimum.place, outlook.count, minimum.least, outlook.breaks, language
        ),
        is_short=outlook.count < minimum.least,
        if_none=_break(outlook.breaks, minimum.least, say),
        if_ready=_break(outlook.breaks_renewed, minimum.least, say),
        single=[worker.employee_id for worker in outlook.single_points],
        nearest=[
            (
                worker.employee_id,
                words.answer(
                    worker.clearance,
                    language,
                    schemes=reading.schemes,
                    catalog=reading.credentials,
                ),
            )
            for worker in outlook.nearest
        ],
        not_shared=say.not_shared(outlook.not_shared),
    )


def _break(found: StaffingBreak | None, least: int, say: StaffingWords) -> str:
    if found is None:
        return say.never
    day = in_words(found.on, routing.language())
    return say.from_day.format(count=found.count, least=least, day=day)


def _groups(groups: WorkforceGroups, say: StaffingWords) -> list[tuple[str, str, Sequence[str]]]:
    """The sites, departments and shifts of the list: field, label, values."""
    known = (groups.sites, groups.departments, groups.shifts)
    return [
        (name, getattr(say, name), values)
        for name, values in zip(staffing.PLACE, known, strict=True)
        if values
    ]


def _errors(refusal: Refusal | None, say: StaffingWords) -> Mapping[str, str]:
    """What is wrong with the form, by the field to correct."""
    if isinstance(refusal, AlreadyRecorded):
        return {"requirement_id": say.wrong_site}
    named = refusal.fields if isinstance(refusal, Invalid) else {}
    known = ("requirement_id", "least")
    return {name: getattr(say, f"wrong_{name}") for name in known if name in named}
