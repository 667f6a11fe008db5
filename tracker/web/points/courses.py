"""A training provider's courses: where each stands, attendance lists, and codes for a class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request

from tracker.api.http import routing, session_cookies
from tracker.api.points.attendance_codes import NewCodeSchema
from tracker.domain.errors import IllegalTransition, Invalid, NotFound, Refusal
from tracker.domain.permissions import Actor
from tracker.domain.points.courses import CourseState
from tracker.language.voice import figure, in_words
from tracker.services.core import organizations
from tracker.services.core.context import UnitOfWork
from tracker.services.points import attendance_codes, courses
from tracker.services.points.attendance_codes import CodeRow
from tracker.services.points.courses import CourseRow
from tracker.web.imports import uploads
from tracker.web.imports.uploads_words import WORDS as UPLOAD_WORDS
from tracker.web.people import forms, lists, visitors
from tracker.web.people.account import moment
from tracker.web.points import discrepancy_answers
from tracker.web.points.provider_words import WORDS

pages = Blueprint("provider-pages", __name__)

HERE = "/provider"
_COURSE = f"{HERE}/courses/<uuid:course_id>"
_KIND = "attendance"
_SHOWN = 50
_FIELDS = ("held_on", "most", "ends_at")
_END_OF_DAY = time(23, 59)


@dataclass(frozen=True, slots=True)
class CourseShown:
    """A course in words."""

    href: str
    title: str
    state: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CodeShown:
    """A code in words, without the code; ``is_open``: it can still be used."""

    id: str
    held: str
    lines: tuple[str, ...]
    is_open: bool


@pages.get(HERE)
@visitors.for_organization("provider")
def home(actor: Actor, provider_id: str) -> Response:
    """The courses, and the form for an attendance list."""
    del provider_id
    return _home(actor)


@pages.post(HERE)
@visitors.takes_files(uploads.most, uploads.too_large)
@visitors.for_organization("provider", changes=True)
def upload(actor: Actor, provider_id: str) -> Response:
    """Check an attendance list, or store the one that was checked."""
    del provider_id
    return uploads.handled(actor, _KIND, HERE, lambda wrong: _home(actor, wrong))


@pages.get(_COURSE)
@visitors.for_organization("provider")
def show(actor: Actor, provider_id: str, *, course_id: UUID) -> Response:
    """A course with its codes."""
    del provider_id
    return _show(actor, str(course_id))


@pages.post(f"{_COURSE}/codes")
@visitors.for_organization("provider", changes=True)
def make(actor: Actor, provider_id: str, *, course_id: UUID) -> Response:
    """Make a code; it is on this page and on no other."""
    del provider_id
    id_, language = str(course_id), routing.language()
    try:
        with routing.container().work(actor) as work:
            routing.check_alive(work)
            course = courses.get(work, id_)
            zone = work.schemes[course.scheme].time_zone
            wanted = routing.load(NewCodeSchema(), _wanted(zone))
            _, code = attendance_codes.make(work, id_, **wanted)
    except NotFound:
        raise
    except Refusal as refusal:
        return _show(actor, id_, refusal)
    say = WORDS[language]
    told = say.shown_for.format(
        title=course.title,
        on=in_words(wanted["held_on"], language),
        most=wanted["most"],
        ends=moment(wanted["ends_at"], language, zone),
    )
    links = ({"href": f"{HERE}/courses/{id_}", "text": say.back},)
    lines = [code, say.shown_once, told]
    return visitors.page("message", language, heading=say.shown, lines=lines, links=links)


@pages.post(f"{HERE}/codes/<uuid:code_id>/withdraw")
@visitors.for_organization("provider", changes=True)
def withdraw(actor: Actor, provider_id: str, *, code_id: UUID) -> Response:
    """Withdraw a code; what was recorded by it stays."""
    del provider_id
    with routing.container().reading(actor) as reading:
        row = attendance_codes.get(reading, str(code_id))

    def act(work: UnitOfWork) -> str:
        attendance_codes.withdraw(work, row.id)
        return f"{HERE}/courses/{row.course_id}"

    return forms.attempted(
        actor, act, here=HERE, refused=lambda refusal: _show(actor, row.course_id, refusal)
    )


def _wanted(zone: ZoneInfo) -> Mapping[str, object]:
    """What the form says, as the API would be told it: the code ends with a day of the scheme."""
    sent = {name: request.form.get(name, "").strip() for name in ("held_on", "most", "lasts")}
    most = forms.number(sent["most"])
    wanted: dict[str, object] = {"held_on": sent["held_on"], "most": most}
    try:
        last = date.fromisoformat(sent["held_on"]) + timedelta(int(sent["lasts"]))
        wanted["ends_at"] = datetime.combine(last, _END_OF_DAY, zone).isoformat()
    except (ValueError, OverflowError):
        wanted["ends_at"] = ""
    return wanted


def _home(actor: Actor, wrong: str = "") -> Response:
    language = routing.language()
    with routing.container().reading(actor) as reading:
        rows = courses.page(reading, after=lists.place(), limit=_SHOWN + 1, filters={})
        own = organizations.named(reading, actor)
    up = UPLOAD_WORDS[language]
    return visitors.page(
        "points/courses",
        language,
        422 if wrong else 200,
        say=WORDS[language],
        up=up,
        own=own,
        parts=discrepancy_answers.parts(language),
        here=HERE,
        rows=[_course(row, language) for row in rows[:_SHOWN]],
        following=rows[_SHOWN - 1].id if len(rows) > _SHOWN else "",
        is_later="after" in request.args,
        done=uploads.done(language),
        may_upload="write" in actor.scopes,
        columns=uploads.columns(_KIND),
        hint=up.file_hint.format(uploads.megabytes()),
        wrong=wrong,
        csrf_token=session_cookies.csrf_token(actor),
    )


def _course(row: CourseRow, language: str) -> CourseShown:
    say = WORDS[language]
    lines = [say.code.format(row.code)]
    if row.quantity is not None:
        lines.append(say.quantity.format(figure(row.quantity)))
    if row.state == CourseState.APPROVED and row.approved_from and row.approved_until:
        first, last = (in_words(day, language) for day in (row.approved_from, row.approved_until))
        lines.append(say.approved.format(first=first, last=last))
    if row.reason:
        lines.append(say.reason.format(row.reason))
    return CourseShown(f"{HERE}/courses/{row.id}", row.title, say.states[row.state], tuple(lines))


def _show(actor: Actor, course_id: str, refusal: Refusal | None = None) -> Response:
    language = routing.language()
    say = WORDS[language]
    with routing.container().reading(actor) as reading:
        course = courses.get(reading, course_id)
        codes = attendance_codes.page(reading, course_id, after=None, limit=None)
        zone = reading.schemes[course.scheme].time_zone
        now = reading.now
    named = refusal.fields if isinstance(refusal, Invalid) else {}
    if isinstance(refusal, IllegalTransition):
        named = {"held_on": ""}
    errors = {name: getattr(say, f"wrong_{name}") for name in _FIELDS if name in named}
    usual = forms.words().refusal(refusal.code) if refusal else None
    today = now.astimezone(zone).date()
    return visitors.page(
        "points/course",
        language,
        422 if refusal else 200,
        say=say,
        here=HERE,
        course=_course(course, language),
        may_change="write" in actor.scopes,
        is_approved=course.state == CourseState.APPROVED,
        codes=[_code(row, now, zone, language) for row in reversed(codes)],
        typed=request.form if refusal else {"held_on": today.isoformat(), "lasts": "1"},
        errors=errors,
        wrong=next(iter(errors.values()), usual),
        csrf_token=session_cookies.csrf_token(actor),
    )


def _code(row: CodeRow, now: datetime, zone: ZoneInfo, language: str) -> CodeShown:
    say = WORDS[language]
    is_open = row.withdrawn_at is None and row.ends_at > now
    ends = say.ends.format(moment(row.ends_at, language, zone))
    state = say.withdrawn if row.withdrawn_at else ends if is_open else say.over
    used = say.used.format(used=row.used, most=row.most)
    return CodeShown(
        row.id, say.held.format(in_words(row.held_on, language)), (used, state), is_open
    )
