"""Codes for the end of a class: made by a provider, entered by holders."""

from __future__ import annotations

from flask import Response
from marshmallow import Schema, fields, validate

from tracker.api.http import errors, paging, routing
from tracker.api.http.fields import ClosedSchema, DayField, MomentField, WordsField
from tracker.api.http.idempotency import ShownOnce
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded, page_of
from tracker.domain.errors import WrongProof
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.points import attendance_codes

resource = Resource("attendance codes", __name__, description=__doc__)

_NO_USE = "The code is wrong, used up or over; ask your provider."


class CodeSchema(Schema):
    """A code on record, without the code."""

    id = fields.UUID(required=True)
    course_id = fields.UUID(required=True)
    held_on = DayField(required=True)
    most = fields.Integer(required=True)
    used = fields.Integer(required=True)
    ends_at = fields.AwareDateTime(required=True)
    made_by = fields.String(required=True)
    withdrawn_at = fields.AwareDateTime(required=True, allow_none=True)
    recorded_at = fields.AwareDateTime(required=True)


class MadeCodeSchema(CodeSchema):
    """A new code, which is shown only this once."""

    code = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "Null when the request is repeated with its Idempotency-Key."},
    )


class NewCodeSchema(ClosedSchema):
    """For which day, for how many attendees, and until when."""

    held_on = DayField(required=True)
    most = fields.Integer(required=True, strict=True, validate=validate.Range(1, 1000))
    ends_at = MomentField(required=True)


class EnteredCodeSchema(ClosedSchema):
    """A code as its provider showed it."""

    code = WordsField(40, required=True)


class AttendedSchema(Schema):
    """What was attended; without an activity, staff have to look first."""

    title = fields.String(required=True)
    provider = fields.String(required=True)
    held_on = DayField(required=True)
    activity_id = fields.UUID(required=True, allow_none=True)


@resource.writes(
    "POST /courses/<uuid:course_id>/attendance-codes",
    "staff",
    "provider",
    body=NewCodeSchema,
    returns=MadeCodeSchema,
    status=201,
    errors=(404, 409),
)
def make(work: UnitOfWork, body: Loaded, *, course_id: str) -> Response:
    """Make a code for an approved course and a day; it is in this answer and nowhere else."""
    id_, code = attendance_codes.make(work, course_id, **body)
    shown = attendance_codes.get(work, id_)._asdict()
    answer = ShownOnce(routing.dump({**shown, "code": code}), status=201, mimetype=routing.JSON)
    answer.kept = routing.dump({**shown, "code": None})
    answer.headers["Location"] = f"/api/v1/attendance-codes/{id_}"
    answer.headers["Cache-Control"] = "no-store"
    return answer


@resource.reads(
    "GET /courses/<uuid:course_id>/attendance-codes",
    "staff",
    "provider",
    query=paging.PageSchema,
    returns=page_of(CodeSchema),
    errors=(404,),
)
def of_course(reading: ReadContext, query: Loaded, *, course_id: str) -> Response:
    """The codes of a course."""
    rows = attendance_codes.page(
        reading, course_id, after=query.get("after"), limit=query["limit"] + 1
    )
    return paging.answer(rows, query, lambda row: row._asdict())


@resource.reads(
    "GET /attendance-codes/<uuid:code_id>", "staff", "provider", returns=CodeSchema, errors=(404,)
)
def show(reading: ReadContext, *, code_id: str) -> Response:
    """One code, without the code."""
    return routing.answer(attendance_codes.get(reading, code_id)._asdict())


@resource.writes(
    "DELETE /attendance-codes/<uuid:code_id>",
    "staff",
    "provider",
    returns=None,
    status=204,
    errors=(404,),
)
def withdraw(work: UnitOfWork, *, code_id: str) -> Response:
    """Withdraw a code; who has entered it keeps what it brought."""
    attendance_codes.withdraw(work, code_id)
    return routing.done()


@resource.writes(
    "POST /me/attendance-codes",
    "holder",
    body=EnteredCodeSchema,
    returns=AttendedSchema,
    errors=(404,),
)
def enter(work: UnitOfWork, body: Loaded) -> Response:
    """Enter a code at the end of a class; one that is of no use is answered in one way."""
    attended = attendance_codes.enter(work, body["code"])
    if attended is None:  # answered and not raised, so that the attempt stays counted
        return errors.refused(WrongProof(_NO_USE, fields={"code": "cannot be used"}))
    return routing.answer(attended._asdict())
