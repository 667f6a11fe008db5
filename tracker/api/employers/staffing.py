"""Staffing: how many who meet a requirement a place must have, and when it no longer does."""

from __future__ import annotations

from flask import Response
from marshmallow import Schema, fields, validate

from tracker.api.employers.requirements import MAY_ASK
from tracker.api.http import paging, routing
from tracker.api.http.fields import ClosedSchema, DayField, WordsField
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded, page_of
from tracker.domain.employers.looks import LookKind
from tracker.domain.employers.staffing import (
    MOST_NEEDED,
    StaffedWorker,
    StaffingBreak,
    StaffingOutlook,
)
from tracker.language import clearances as words
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.employers import looks, staffing
from tracker.services.employers.staffing import MinimumOnRecord, StaffingReport

resource = Resource("staffing", __name__, description=__doc__)

_PATH = "/employers/<uuid:employer_id>/staffing-minimums"
_EXAMPLE = "Line 3, night shift: 1 of 2 from May 14, 2027"


class NewMinimumSchema(ClosedSchema):
    """At least so many who meet the requirement; what is left out of the place is any."""

    requirement_id = fields.UUID(required=True)
    site = WordsField(100)
    department = WordsField(100)
    shift = WordsField(32)
    least = fields.Integer(required=True, strict=True, validate=validate.Range(1, MOST_NEEDED))


class MinimumSchema(Schema):
    """A minimum in force."""

    id = fields.UUID(required=True)
    requirement_id = fields.UUID(required=True)
    requirement = fields.String(required=True)
    site = fields.String(required=True, allow_none=True)
    department = fields.String(required=True, allow_none=True)
    shift = fields.String(required=True, allow_none=True)
    least = fields.Integer(required=True)
    recorded_at = fields.AwareDateTime(required=True)


class StaffingQuerySchema(ClosedSchema):
    """The day in question; default: today."""

    as_of = DayField()


class StaffingBreakSchema(Schema):
    """The first day on which there are too few, and how many there are."""

    on = DayField(required=True)
    count = fields.Integer(required=True)


class NearWorkerSchema(Schema):
    """A worker who lacks little; ``answer`` says what."""

    employee_id = fields.String(required=True)
    answer = fields.String(required=True)


class StaffingPlaceSchema(Schema):
    """How the place of a minimum stands; ``sentence`` says it in short.

    ``breaks`` is the first day with too few if nobody renews, ``breaks_if_ready_renew`` if those
    renew who share their points and have enough; null: never, as far as is known. Workers who share
    no dates are taken to stay. ``single_points`` are the workers without any one of whom there
    would be too few. ``nearest`` are those who lack least. ``not_shared`` counts those who do not
    share what would decide it.
    """

    minimum = fields.Nested(MinimumSchema, required=True)
    count = fields.Integer(required=True)
    breaks = fields.Nested(StaffingBreakSchema, required=True, allow_none=True)
    breaks_if_ready_renew = fields.Nested(StaffingBreakSchema, required=True, allow_none=True)
    single_points = fields.List(fields.String(), required=True)
    nearest = fields.List(fields.Nested(NearWorkerSchema), required=True)
    not_shared = fields.Integer(required=True)
    sentence = fields.String(required=True, metadata={"example": _EXAMPLE})


class StaffingSchema(Schema):
    """How all places with a minimum stand on a day."""

    as_of = DayField(required=True)
    places = fields.List(fields.Nested(StaffingPlaceSchema), required=True)


def _minimum(row: MinimumOnRecord) -> dict[str, object]:
    return {
        "id": row.id,
        "requirement_id": row.requirement_id,
        "requirement": row.requirement,
        **{name: getattr(row, name) or None for name in staffing.PLACE},
        "least": row.least,
        "recorded_at": row.recorded_at,
    }


def _near(reading: ReadContext, worker: StaffedWorker) -> dict[str, object]:
    answer = words.answer(
        worker.clearance, routing.language(), schemes=reading.schemes, catalog=reading.credentials
    )
    return {"employee_id": worker.employee_id, "answer": answer}


def _break(found: StaffingBreak | None) -> dict[str, object] | None:
    return {"on": found.on, "count": found.count} if found else None


def _place(
    reading: ReadContext, minimum: MinimumOnRecord, outlook: StaffingOutlook
) -> dict[str, object]:
    return {
        "minimum": _minimum(minimum),
        "count": outlook.count,
        "breaks": _break(outlook.breaks),
        "breaks_if_ready_renew": _break(outlook.breaks_renewed),
        "single_points": [one.employee_id for one in outlook.single_points],
        "nearest": [_near(reading, one) for one in outlook.nearest],
        "not_shared": outlook.not_shared,
        "sentence": words.staffing(
            minimum.place, outlook.count, minimum.least, outlook.breaks, routing.language()
        ),
    }


@resource.reads(
    f"GET {_PATH}",
    *MAY_ASK,
    query=paging.PageSchema,
    returns=page_of(MinimumSchema),
    errors=(404,),
)
def of_employer(reading: ReadContext, query: Loaded, *, employer_id: str) -> Response:
    """The minimums of an employer's places."""
    rows = staffing.page(reading, employer_id, after=query.get("after"), limit=query["limit"] + 1)
    return paging.answer(rows, query, _minimum)


@resource.writes(
    f"POST {_PATH}",
    *MAY_ASK,
    body=NewMinimumSchema,
    returns=MinimumSchema,
    status=201,
    errors=(404, 409),
)
def add(work: UnitOfWork, body: Loaded, *, employer_id: str) -> Response:
    """Add a minimum for a place."""
    place = {name: body[name] for name in staffing.PLACE if name in body}
    made = staffing.add(work, employer_id, str(body["requirement_id"]), place, body["least"])
    where = f"/api/v1/employers/{employer_id}/staffing-minimums/{made}"
    row = staffing.get(work, employer_id, made)
    return routing.answer(_minimum(row), status=201, location=where)


@resource.reads(f"GET {_PATH}/<uuid:minimum_id>", *MAY_ASK, returns=MinimumSchema, errors=(404,))
def show(reading: ReadContext, *, employer_id: str, minimum_id: str) -> Response:
    """One minimum in force."""
    return routing.answer(_minimum(staffing.get(reading, employer_id, minimum_id)))


@resource.writes(
    f"DELETE {_PATH}/<uuid:minimum_id>", *MAY_ASK, returns=None, status=204, errors=(404,)
)
def end(work: UnitOfWork, *, employer_id: str, minimum_id: str) -> Response:
    """End a minimum; it stays on record."""
    staffing.end(work, employer_id, minimum_id)
    return routing.done()


def note(reading: ReadContext, found: StaffingReport, employer_id: str) -> None:
    """Record who is about to be told of, or counted; nothing is if nobody shares."""
    if not found.seen:
        return
    with routing.container().work(reading.actor) as work:
        looks.record_clearance(
            work, employer_id, found.schemes, LookKind.CLEARANCE, found.seen, on=found.on
        )


@resource.reads(
    "GET /employers/<uuid:employer_id>/staffing",
    *MAY_ASK,
    query=StaffingQuerySchema,
    returns=StaffingSchema,
    errors=(404,),
)
def report(reading: ReadContext, query: Loaded, *, employer_id: str) -> Response:
    """How each place with a minimum stands, and from when it has too few."""
    found = staffing.report(reading, employer_id, on=query.get("as_of"))
    note(reading, found, employer_id)
    places = [_place(reading, one.minimum, one.outlook) for one in found.places]
    return routing.answer({"as_of": found.on, "places": places})
