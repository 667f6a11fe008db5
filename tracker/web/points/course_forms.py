"""Proposing a course, amending and withdrawing it: the pages of a provider's people."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, Response, request

from tracker.api.http import routing, session_cookies
from tracker.api.points.courses import (
    CourseChangeSchema,
    CourseWithdrawalSchema,
    NewCourseSchema,
)
from tracker.domain.errors import AlreadyRecorded, Invalid, Refusal
from tracker.domain.permissions import Actor
from tracker.domain.points.courses import CourseState
from tracker.domain.schemes.activity_types import ActivityType, as_noun, translated
from tracker.domain.schemes.schemes import Scheme
from tracker.language import catalogues
from tracker.language.voice import figure
from tracker.services.core.context import UnitOfWork
from tracker.services.points import courses
from tracker.web.people import forms, visitors

pages = Blueprint("course-form-pages", __name__)

HERE = "/provider/courses"
_NEW = f"{HERE}/new"
_ONE = f"{HERE}/<uuid:course_id>"
_FIELDS = ("title", "type", "quantity", "code", "reason")


@dataclass(frozen=True, slots=True)
class CourseFormsWords:
    """One language's words."""

    courses: str
    propose: str
    propose_why: str
    propose_button: str
    amend: str
    amend_why: str
    amend_button: str
    withdraw: str
    withdraw_why: str
    withdraw_button: str
    choose: str
    kind: str
    labels: dict[str, str]
    hints: dict[str, str]
    wrong: dict[str, str]


WORDS = {
    lang: CourseFormsWords(**catalogues.topic(lang, "course_forms_pages"))
    for lang in catalogues.LANGUAGES
}


@pages.get(_NEW)
@visitors.for_organization("provider", changes=True)
def asked(actor: Actor, provider_id: str) -> Response:
    """The form for a course."""
    del provider_id
    return _new(actor)


@pages.post(_NEW)
@visitors.for_organization("provider", changes=True)
def propose(actor: Actor, provider_id: str) -> Response:
    """Propose a course; staff decide whether and when it is approved."""
    del provider_id

    def act(work: UnitOfWork) -> str:
        said = {**forms.sent("title", "code", "quantity"), **_kind()}
        body = routing.load(NewCourseSchema(), said)
        made = courses.propose(work, courses.CourseToPropose(**{"provider_id": None, **body}))
        return f"{HERE}/{made}"

    return forms.attempted(actor, act, here=_NEW, refused=lambda refusal: _new(actor, refusal))


@pages.get(f"{_ONE}/edit")
@visitors.for_organization("provider", changes=True)
def edit(actor: Actor, provider_id: str, *, course_id: UUID) -> Response:
    """The form with what the course says now."""
    del provider_id
    return _edit(actor, str(course_id))


@pages.post(f"{_ONE}/edit")
@visitors.for_organization("provider", changes=True)
def amend(actor: Actor, provider_id: str, *, course_id: UUID) -> Response:
    """Amend a course, which staff then approve again."""
    del provider_id
    id_ = str(course_id)

    def act(work: UnitOfWork) -> str:
        said: dict[str, object] = dict(forms.sent("title", "reason"))
        said["quantity"] = forms.sent("quantity").get("quantity")
        said["type"] = _kind().get("type", "")
        values = routing.load(CourseChangeSchema(), said)
        reason = values.pop("reason")
        courses.amend(work, id_, values, reason=reason, version=forms.version())
        return f"{HERE}/{id_}"

    return _changed(actor, id_, act)


@pages.post(f"{_ONE}/withdraw")
@visitors.for_organization("provider", changes=True)
def withdraw(actor: Actor, provider_id: str, *, course_id: UUID) -> Response:
    """Withdraw a course."""
    del provider_id
    id_ = str(course_id)

    def act(work: UnitOfWork) -> str:
        reason = routing.load(CourseWithdrawalSchema(), forms.sent("reason"))["reason"]
        courses.withdraw(work, id_, reason=reason, version=forms.version())
        return f"{HERE}/{id_}"

    return _changed(actor, id_, act)


def _changed(actor: Actor, course_id: str, act: Callable[[UnitOfWork], str]) -> Response:
    return forms.attempted(
        actor,
        act,
        here=f"{HERE}/{course_id}/edit",
        refused=lambda refusal: _edit(actor, course_id, refusal),
    )


def _kind() -> dict[str, str]:
    """The scheme and the type that the form chooses together."""
    scheme, _, type_ = request.form.get("type", "").partition("/")
    return {name: code for name, code in (("scheme", scheme), ("type", type_)) if code}


def _new(actor: Actor, refusal: Refusal | None = None) -> Response:
    say = WORDS[routing.language()]
    with routing.container().reading(actor) as reading:
        kinds = courses.kinds(reading)
    facts: dict[str, object] = {
        "title": say.propose,
        "why": say.propose_why,
        "action": _NEW,
        "button": say.propose_button,
        "back": "/provider",
        "over": say.courses,
        "fields_shown": _FIELDS[:-1],
        "withdraws": "",
        "version": 0,
    }
    return _form(actor, refusal, kinds, request.form, facts)


def _edit(actor: Actor, course_id: str, refusal: Refusal | None = None) -> Response:
    say = WORDS[routing.language()]
    with routing.container().reading(actor) as reading:
        course = courses.get(reading, course_id)
        kinds = [one for one in courses.kinds(reading) if one[0].code == course.scheme]
    known = {
        "title": course.title,
        "type": f"{course.scheme}/{course.type}",
        "quantity": "" if course.quantity is None else figure(course.quantity),
    }
    stated = request.form if refusal and "title" in request.form else known
    facts: dict[str, object] = {
        "title": say.amend,
        "why": say.amend_why,
        "action": f"{HERE}/{course_id}/edit",
        "button": say.amend_button,
        "back": f"{HERE}/{course_id}",
        "over": course.title,
        "fields_shown": ("title", "type", "quantity", "reason"),
        "withdraws": f"{HERE}/{course_id}/withdraw"
        if course.state != CourseState.WITHDRAWN
        else "",
        "version": course.version,
    }
    return _form(actor, refusal, kinds, stated, facts)


def _form(
    actor: Actor,
    refusal: Refusal | None,
    kinds: Sequence[tuple[Scheme, ActivityType]],
    stated: Mapping[str, str],
    facts: Mapping[str, object],
) -> Response:
    language = routing.language()
    say = WORDS[language]
    named = refusal.fields if isinstance(refusal, Invalid) else {}
    if "scheme" in named:
        named = {**named, "type": named["scheme"]}
    if isinstance(refusal, AlreadyRecorded):
        named = {"code": refusal.detail}
    errors = {name: say.wrong[name] for name in _FIELDS if name in named}
    usual = forms.words().refusal(refusal.code) if refusal else None
    return visitors.page(
        "points/course_form",
        language,
        422 if refusal else 200,
        say=say,
        choices=[(f"{one.code}/{kind.code}", _named(one, kind, language)) for one, kind in kinds],
        stated=stated,
        errors=errors,
        wrong=next(iter(errors.values()), usual),
        csrf_token=session_cookies.csrf_token(actor),
        **facts,
    )


def _named(scheme: Scheme, kind: ActivityType, language: str) -> str:
    """A type with the unit in which its quantity is counted."""
    unit = as_noun(translated(kind.unit, language)).many
    short, name = scheme.abbreviation or scheme.number_prefix, translated(kind.name, language)
    return WORDS[language].kind.format(scheme=short, name=name, unit=unit)
