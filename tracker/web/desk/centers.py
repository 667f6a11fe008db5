"""Assessment centers: codes, approvals, direct entry; results and courses that wait for staff."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request

from tracker.api.credentials.assessments import (
    CenterApprovalSchema,
    CenterChangeSchema,
    DirectEntrySchema,
    NewCenterSchema,
)
from tracker.api.desk.center_results import ResultDecisionSchema
from tracker.api.http import routing, session_cookies
from tracker.api.points.courses import CourseAnswerSchema
from tracker.domain.credentials.assessments import Approval
from tracker.domain.credentials.center_results import ResultVerdict
from tracker.domain.errors import Invalid, Refusal
from tracker.domain.permissions import Actor
from tracker.domain.points.courses import CourseVerdict
from tracker.language import catalogues
from tracker.language.voice import figure, in_words, month_names
from tracker.services.core.context import UnitOfWork
from tracker.services.credentials import centers
from tracker.services.desk import center_results
from tracker.services.desk.center_results import ResultDecision
from tracker.services.overview import center_overviews
from tracker.services.points import courses
from tracker.services.points.courses import CourseAnswer
from tracker.web import navigation
from tracker.web.desk import desk_forms, module_grids
from tracker.web.people import forms, lists, visitors

pages = Blueprint("desk-centers", __name__)

HERE = "/desk/centers"
_ONE = f"{HERE}/<uuid:center_id>"
_NEW = f"{HERE}/new"
_RESULTS = f"{HERE}/results"
_COURSES = f"{HERE}/courses"
_PERIOD = ("approved_on", "lapses_on")
_DAYS = [f"{name}_{part}" for name in _PERIOD for part in ("year", "month", "day")]


@dataclass(frozen=True, slots=True)
class DeskCentersWords:
    """One language's words."""

    title: str
    code: str
    category: str
    categories: dict[str, str]
    approved: str
    approved_until: str
    never: str
    waiting: str
    none: str
    new: str
    new_why: str
    add: str
    correct: str
    name_hint: str
    code_hint: str
    direct: str
    waits: str
    approvals: str
    add_approval: str
    approve: str
    let_enter: str
    let_wait: str
    results: str
    results_why: str
    no_results: str
    result: str
    passed: str
    failed: str
    sent: str
    accept: str
    accept_reason: str
    send_back: str
    back_reason: str
    whole: str
    courses: str
    courses_why: str
    no_courses: str
    course: str
    course_points: str
    approve_course: str
    refuse: str
    refuse_reason: str
    labels: dict[str, str]


WORDS = {
    lang: DeskCentersWords(**catalogues.topic(lang, "desk_centers_pages"))
    for lang in catalogues.LANGUAGES
}


# The directory.
@pages.get(HERE)
@visitors.for_staff
def listed(actor: Actor) -> Response:
    """The centers, with what waits from each."""
    with routing.container().reading(actor) as reading:
        found = center_overviews.listed(reading, after=lists.place(), limit=lists.LISTED + 1)
    rows, more = lists.cut(found, lambda one: one.center.id)
    return _page(actor, "desk/centers", None, rows=rows, more=more)


@pages.get(_NEW)
@visitors.for_staff
def asked(actor: Actor) -> Response:
    """The form for a center that is not on record."""
    return _new(actor)


@pages.post(_NEW)
@visitors.for_staff
def add(actor: Actor) -> Response:
    """Add a center, with its first period of approval if one is given."""

    def act(work: UnitOfWork) -> str:
        period = _period()
        said: dict[str, Any] = forms.sent("name", "code", "category")
        said["approvals"] = [period] if period else []
        values = routing.load(NewCenterSchema(), said)
        approvals = [Approval(**one) for one in values.pop("approvals")]
        return f"{HERE}/{centers.add_center(work, **values, approvals=approvals)}"

    return forms.attempted(
        actor, act, here=_NEW, refused=lambda refusal: _new(actor, _flat(refusal))
    )


def _flat(refusal: Refusal) -> Refusal:
    """The refusal with the rules about the first period as rules about its days."""
    if not isinstance(refusal, Invalid):
        return refusal
    named = {name.rpartition(".")[2]: rule for name, rule in refusal.fields.items()}
    return Invalid(refusal.detail, fields=named)


def _period() -> dict[str, str]:
    """The days of a period of approval that the form says."""
    said = {name: desk_forms.day(name) for name in _PERIOD}
    return {name: day for name, day in said.items() if day}


def _new(actor: Actor, refusal: Refusal | None = None) -> Response:
    return _page(
        actor,
        "desk/center_new",
        refusal,
        here=_NEW,
        months=month_names(routing.language()),
        categories=list(WORDS[routing.language()].categories.items()),
        stated=desk_forms.stated("name", "code", "category", *_DAYS),
    )


@pages.get(_ONE)
@visitors.for_staff
def show(actor: Actor, *, center_id: UUID) -> Response:
    """One center: its code, its periods of approval, how its results are entered."""
    return _center(actor, str(center_id))


@pages.post(f"{_ONE}/edit")
@visitors.for_staff
def correct(actor: Actor, *, center_id: UUID) -> Response:
    """Correct the name, code or category of the center."""
    id_ = str(center_id)

    def act(work: UnitOfWork) -> None:
        said: dict[str, Any] = forms.sent("name", "category")
        said["code"] = forms.sent("code").get("code")
        values = routing.load(CenterChangeSchema(), said)
        centers.correct(work, id_, values, forms.version())

    return _done(actor, act, f"{HERE}/{id_}", lambda refusal: _center(actor, id_, refusal))


@pages.post(f"{_ONE}/approvals")
@visitors.for_staff
def approve(actor: Actor, *, center_id: UUID) -> Response:
    """Record a period in which the center is approved."""
    id_ = str(center_id)

    def act(work: UnitOfWork) -> None:
        period = routing.load(CenterApprovalSchema(), _period())
        centers.approve_center(work, id_, Approval(**period))

    return _done(actor, act, f"{HERE}/{id_}", lambda refusal: _center(actor, id_, refusal))


@pages.post(f"{_ONE}/direct-entry")
@visitors.for_staff
def let_enter(actor: Actor, *, center_id: UUID) -> Response:
    """Have the center's results recorded at once, or wait for staff."""
    id_ = str(center_id)

    def act(work: UnitOfWork) -> None:
        directly = request.form.get("directly") == "yes"
        said = {"enters_directly": directly, **forms.sent("reason")}
        values = routing.load(DirectEntrySchema(), said)
        centers.let_enter(work, id_, directly=values["enters_directly"], reason=values["reason"])

    return _done(actor, act, f"{HERE}/{id_}", lambda refusal: _center(actor, id_, refusal))


def _center(actor: Actor, center_id: str, refusal: Refusal | None = None) -> Response:
    with routing.container().reading(actor) as reading:
        found = center_overviews.of_center(reading, center_id)
    known = found.center._asdict()
    corrected = ("name", "code", "category")
    stated = desk_forms.stated("reason", *corrected, *_DAYS)
    if not request.form.get("name"):
        stated |= {name: known[name] or "" for name in corrected}
    return _page(
        actor,
        "desk/center",
        refusal,
        found=found,
        here=f"{HERE}/{center_id}",
        months=month_names(routing.language()),
        categories=list(WORDS[routing.language()].categories.items()),
        stated=stated,
    )


# What centers sent.
@pages.get(_RESULTS)
@visitors.for_staff
def results(actor: Actor) -> Response:
    """The results that wait, of all centers."""
    return _results(actor)


@pages.post(_RESULTS)
@visitors.for_staff
def decide(actor: Actor) -> Response:
    """Accept a result, or all of its upload, or send it back with a reason."""

    def act(work: UnitOfWork) -> None:
        said: dict[str, Any] = forms.sent("verdict", "reason", "upload_id")
        if "upload_id" not in said:
            said["result_ids"] = request.form.getlist("result_id")
        values = routing.load(ResultDecisionSchema(), said)
        upload_id = values.get("upload_id")
        decision = ResultDecision(
            verdict=ResultVerdict(values["verdict"]),
            reason=values.get("reason"),
            result_ids=[str(one) for one in values.get("result_ids", ())],
            upload_id=str(upload_id) if upload_id else None,
        )
        center_results.decide(work, decision)

    return _done(actor, act, _RESULTS, lambda refusal: _results(actor, refusal))


def _results(actor: Actor, refusal: Refusal | None = None) -> Response:
    with routing.container().reading(actor) as reading:
        found = center_overviews.waiting_results(
            reading, after=lists.place(), limit=lists.LISTED + 1, center_id=None
        )
    rows, more = lists.cut(found, lambda one: one.result.id)
    rules = refusal.fields if isinstance(refusal, Invalid) else {}
    return _page(
        actor,
        "desk/center_results",
        refusal,
        rows=rows,
        more=more,
        here=_RESULTS,
        rules=rules,
        modules=module_grids.names(routing.container().schemes, routing.language()),
    )


# What providers propose.
@pages.get(_COURSES)
@visitors.for_staff
def proposed(actor: Actor) -> Response:
    """The courses that providers proposed."""
    return _courses(actor)


@pages.post(f"{_COURSES}/<uuid:course_id>")
@visitors.for_staff
def answer(actor: Actor, *, course_id: UUID) -> Response:
    """Approve a course for a period, or refuse it with a reason."""

    def act(work: UnitOfWork) -> None:
        said: dict[str, Any] = forms.sent("verdict", "reason")
        for name in ("approved_from", "approved_until"):
            if day := desk_forms.day(name):
                said[name] = day
        values = routing.load(CourseAnswerSchema(), said)
        verdict = CourseVerdict(values.pop("verdict"))
        given = CourseAnswer(verdict=verdict, **values)
        courses.decide(work, str(course_id), given, version=forms.version())

    return _done(actor, act, _COURSES, lambda refusal: _courses(actor, refusal))


def _courses(actor: Actor, refusal: Refusal | None = None) -> Response:
    with routing.container().reading(actor) as reading:
        found = center_overviews.proposed_courses(
            reading, after=lists.place(), limit=lists.LISTED + 1
        )
        points = {one.id: figure(courses.points(reading, one)) for one in found}
    rows, more = lists.cut(found, lambda one: one.id, _COURSES)
    return _page(
        actor,
        "desk/courses",
        refusal,
        rows=rows,
        more=more,
        here=_COURSES,
        points=points,
        months=month_names(routing.language()),
        figure=figure,
        stated={},
    )


# All of them.
def _done(
    actor: Actor,
    act: Callable[[UnitOfWork], None],
    here: str,
    refused: Callable[[Refusal], Response],
) -> Response:
    def acted(work: UnitOfWork) -> str:
        act(work)
        return here

    return forms.attempted(actor, acted, here=here, refused=refused)


def _page(actor: Actor, template: str, refusal: Refusal | None, **facts: Any) -> Response:
    language = routing.language()
    say = WORDS[language]
    errors, wrong = desk_forms.errors(refusal, say.labels)
    shown: Mapping[str, Any] = {"here": HERE, **facts}
    return visitors.page(
        template,
        language,
        422 if wrong else 200,
        say=say,
        form=desk_forms.words(),
        areas=navigation.of_records(language),
        day=lambda value: _day(value, language),
        moment=lambda instant: desk_forms.moment(instant, language),
        errors=errors,
        wrong=wrong,
        csrf_token=session_cookies.csrf_token(actor),
        **shown,
    )


def _day(value: date | None, language: str) -> str:
    return in_words(value, language) if value else ""
