"""Courses: proposed by training providers, approved by staff for a period, with their points."""

from __future__ import annotations

from flask import Response
from marshmallow import Schema, fields

from tracker.api.http import paging, routing
from tracker.api.http.fields import (
    AmountField,
    ClosedSchema,
    DayField,
    NewReference,
    WordsField,
    choice,
)
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded, page_of
from tracker.domain.points.courses import CourseState, CourseVerdict
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.points import courses
from tracker.services.points.courses import CourseAnswer, CourseRow, CourseToPropose

resource = Resource("courses", __name__, description=__doc__)

_QUANTITY = "Of one attendance, in the unit of its type; null for a type that counts as a whole."


class CourseSchema(Schema):
    """A course on record; ``points`` is the most that one attendance may bring."""

    id = fields.UUID(required=True)
    provider_id = fields.UUID(required=True)
    provider = fields.String(required=True)
    code = fields.String(required=True, metadata={"description": "Names it in lists."})
    scheme = fields.String(required=True)
    category = fields.String(required=True)
    type = fields.String(required=True)
    title = fields.String(required=True)
    quantity = AmountField(required=True, allow_none=True, metadata={"description": _QUANTITY})
    points = AmountField(required=True)
    state = choice(*CourseState, required=True)
    approved_from = DayField(required=True, allow_none=True)
    approved_until = DayField(required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True)
    proposed_by = fields.String(required=True)
    decided_by = fields.String(required=True, allow_none=True)
    decided_at = fields.AwareDateTime(required=True, allow_none=True)
    recorded_at = fields.AwareDateTime(required=True)


class NewCourseSchema(ClosedSchema):
    """A course to be proposed; the people of a provider leave out ``provider_id``."""

    provider_id = fields.UUID()
    code = NewReference(required=True)
    scheme = WordsField(32, required=True, metadata={"example": "cpt"})
    type = WordsField(32, required=True, metadata={"example": "third_party"})
    title = WordsField(200, required=True)
    quantity = AmountField(load_default=None, allow_none=True, metadata={"description": _QUANTITY})


class CourseChangeSchema(ClosedSchema):
    """What is amended, and why; the course must be approved again."""

    type = WordsField(32)
    title = WordsField(200)
    quantity = AmountField(allow_none=True, metadata={"description": _QUANTITY})
    reason = WordsField(2000, required=True)


class CourseAnswerSchema(ClosedSchema):
    """An approval for a period, or a refusal with its reason."""

    verdict = choice(*CourseVerdict, required=True)
    approved_from = DayField(load_default=None, allow_none=True)
    approved_until = DayField(load_default=None, allow_none=True)
    reason = WordsField(2000, load_default=None, allow_none=True)


class CourseWithdrawalSchema(ClosedSchema):
    """Why a course is withdrawn."""

    reason = WordsField(2000, required=True)


class CourseQuerySchema(paging.PageSchema):
    """Filters; a provider sees its own courses."""

    provider_id = fields.UUID()
    state = choice(*CourseState)
    code = WordsField(64)


def _present(reading: ReadContext, row: CourseRow) -> dict[str, object]:
    shown = row._asdict()
    del shown["version"], shown["decided_by_id"]
    return shown | {"provider": shown.pop("name"), "points": courses.points(reading, row)}


def _answer(reading: ReadContext, course_id: str, status: int = 200) -> Response:
    row = courses.get(reading, course_id)
    where = f"/api/v1/courses/{row.id}" if status == 201 else None  # noqa: PLR2004 - created
    return routing.answer(
        _present(reading, row), status=status, version=row.version, location=where
    )


@resource.writes(
    "POST /courses",
    "staff",
    "provider",
    body=NewCourseSchema,
    returns=CourseSchema,
    status=201,
    errors=(404, 409),
)
def propose(work: UnitOfWork, body: Loaded) -> Response:
    """Propose a course, for which staff decide whether and when it is approved."""
    named = body.get("provider_id")
    wanted = CourseToPropose(**{**body, "provider_id": None if named is None else str(named)})
    return _answer(work, courses.propose(work, wanted), status=201)


@resource.reads(
    "GET /courses", "staff", "provider", query=CourseQuerySchema, returns=page_of(CourseSchema)
)
def search(reading: ReadContext, query: Loaded) -> Response:
    """Courses in the order of their ids."""
    filters = {k: str(v) for k, v in query.items() if k not in {"after", "limit"}}
    rows = courses.page(
        reading, after=query.get("after"), limit=query["limit"] + 1, filters=filters
    )
    return paging.answer(rows, query, lambda row: _present(reading, row))


@resource.reads(
    "GET /courses/<uuid:course_id>", "staff", "provider", returns=CourseSchema, errors=(404,)
)
def show(reading: ReadContext, *, course_id: str) -> Response:
    """One course."""
    return _answer(reading, course_id)


@resource.writes(
    "PATCH /courses/<uuid:course_id>",
    "staff",
    "provider",
    body=CourseChangeSchema,
    returns=CourseSchema,
    versioned=True,
    errors=(404, 409),
)
def amend(work: UnitOfWork, body: Loaded, *, course_id: str, version: int) -> Response:
    """Amend a course; who attended before keeps what they have."""
    values = {name: value for name, value in body.items() if name != "reason"}
    courses.amend(work, course_id, values, reason=body["reason"], version=version)
    return _answer(work, course_id)


@resource.writes(
    "POST /courses/<uuid:course_id>/decision",
    "staff",
    body=CourseAnswerSchema,
    returns=CourseSchema,
    versioned=True,
    errors=(404, 409),
)
def decide(work: UnitOfWork, body: Loaded, *, course_id: str, version: int) -> Response:
    """Approve a course for a period, or refuse it; never what one has proposed oneself."""
    answer = CourseAnswer(**{**body, "verdict": CourseVerdict(body["verdict"])})
    courses.decide(work, course_id, answer, version=version)
    return _answer(work, course_id)


@resource.writes(
    "POST /courses/<uuid:course_id>/withdrawal",
    "staff",
    "provider",
    body=CourseWithdrawalSchema,
    returns=CourseSchema,
    versioned=True,
    errors=(404, 409),
)
def withdraw(work: UnitOfWork, body: Loaded, *, course_id: str, version: int) -> Response:
    """Withdraw a course: its lists and codes bring no more points."""
    courses.withdraw(work, course_id, reason=body["reason"], version=version)
    return _answer(work, course_id)
