"""Employers and their rosters."""

from __future__ import annotations

from flask import Response
from marshmallow import Schema, fields

from tracker.api.http import paging, routing
from tracker.api.http.fields import (
    CertificateNumber,
    ClosedSchema,
    CompanyName,
    DayField,
    Email,
    NewReference,
    Reference,
    Sought,
    WordsField,
)
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded, page_of
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.employers import employers, roster
from tracker.services.employers.employers import EmployerRow
from tracker.services.employers.roster import ListedWorker

resource = Resource("employers", __name__, description=__doc__)


class EmployerSchema(Schema):
    """A company whose HR checks on its workers."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    email = fields.String(required=True, allow_none=True)
    recorded_at = fields.AwareDateTime(required=True)


class EmployerChangeSchema(ClosedSchema):
    """The fields that may be corrected."""

    name = CompanyName(metadata={"description": "Only staff can change it."})
    email = Email(allow_none=True)


class NewEmployerSchema(EmployerChangeSchema):
    """A company to be recorded."""

    name = CompanyName(required=True)


class EmployerQuerySchema(paging.PageSchema):
    """Names match by their beginning."""

    name = Sought(200)


class NewRosterEntrySchema(ClosedSchema):
    """A worker, by the employer's own number, with values by which we may recognize them.

    A certificate number takes precedence over an email address. The answer does not say whether the
    worker was recognized: the employer sees the worker once they consent.
    """

    employee_id = NewReference(
        required=True, metadata={"description": "Unique within the employer."}
    )
    certificate_number = CertificateNumber(allow_none=True)
    email = Email(allow_none=True)
    holder_ref = Reference(metadata={"description": "Only staff may use it."})
    site = WordsField(100, allow_none=True)
    department = WordsField(100, allow_none=True)
    shift = WordsField(32, allow_none=True)


class RosterEntrySchema(Schema):
    """A worker on an employer's list. ``shared``: the worker lets the employer see them now."""

    id = fields.UUID(required=True)
    employer_id = fields.UUID(required=True)
    employee_id = fields.String(required=True)
    certificate_number = fields.String(required=True, allow_none=True)
    email = fields.String(required=True, allow_none=True)
    site = fields.String(required=True, allow_none=True)
    department = fields.String(required=True, allow_none=True)
    shift = fields.String(required=True, allow_none=True)
    shared = fields.Boolean(required=True)
    ended_on = DayField(
        required=True,
        allow_none=True,
        metadata={"description": "The first day on which the employer has no access."},
    )
    recorded_at = fields.AwareDateTime(required=True)
    holder_ref = fields.String(allow_none=True, metadata={"description": "Shown only to staff."})
    holder_id = fields.UUID(allow_none=True, metadata={"description": "Shown only to staff."})


class RosterQuerySchema(paging.PageSchema):
    """Filters by field name; ``ended=false`` leaves out workers who no longer work there."""

    employee_id = Sought(64)
    site = Sought(100)
    department = Sought(100)
    shift = Sought(32)
    ended = fields.Boolean(truthy={"true"}, falsy={"false"})


def _present(row: EmployerRow) -> dict[str, object]:
    shown = row._asdict()
    del shown["version"]
    return shown


def _present_entry(reading: ReadContext, row: ListedWorker) -> dict[str, object]:
    """An entry; only staff see whom it was matched to."""
    shown: dict[str, object] = {
        "id": row.id,
        "employer_id": row.employer_id,
        "employee_id": row.employee_id,
        "certificate_number": row.given_number,
        "email": row.given_email,
        "site": row.site,
        "department": row.department,
        "shift": row.shift,
        "shared": row.shared,
        "ended_on": row.ended_on,
        "recorded_at": row.recorded_at,
    }
    if reading.actor.is_staff:
        shown |= {"holder_ref": row.given_holder_ref, "holder_id": row.holder_id}
    return shown


@resource.writes(
    "POST /employers",
    "staff",
    body=NewEmployerSchema,
    returns=EmployerSchema,
    status=201,
    errors=(409,),
)
def register(work: UnitOfWork, body: Loaded) -> Response:
    """Record a company."""
    row = employers.register(work, **body)
    return routing.answer(
        _present(row), status=201, version=row.version, location=f"/api/v1/employers/{row.id}"
    )


@resource.reads(
    "GET /employers", "staff", query=EmployerQuerySchema, returns=page_of(EmployerSchema)
)
def search(reading: ReadContext, query: Loaded) -> Response:
    """The companies on record."""
    rows = employers.page(
        reading, after=query.get("after"), limit=query["limit"] + 1, name=query.get("name")
    )
    return paging.answer(rows, query, _present)


@resource.reads(
    "GET /employers/<uuid:employer_id>", "staff", "employer", returns=EmployerSchema, errors=(404,)
)
def show(reading: ReadContext, *, employer_id: str) -> Response:
    """One company; an employer sees its own."""
    row = employers.get(reading, employer_id)
    return routing.answer(_present(row), version=row.version)


@resource.writes(
    "PATCH /employers/<uuid:employer_id>",
    "staff",
    "employer",
    body=EmployerChangeSchema,
    returns=EmployerSchema,
    versioned=True,
    errors=(404, 409),
)
def correct(work: UnitOfWork, body: Loaded, *, employer_id: str, version: int) -> Response:
    """Correct the record of a company; only staff may change its name."""
    row = employers.correct(work, employer_id, body, version=version)
    return routing.answer(_present(row), version=row.version)


@resource.writes(
    "POST /employers/<uuid:employer_id>/roster",
    "employer",
    "staff",
    body=NewRosterEntrySchema,
    returns=RosterEntrySchema,
    status=201,
    errors=(404, 409),
)
def add(work: UnitOfWork, body: Loaded, *, employer_id: str) -> Response:
    """Add a worker to the list; the answer is the same whether or not we know them."""
    row = roster.add(work, employer_id, **body)
    location = f"/api/v1/employers/{employer_id}/roster/{row.id}"
    return routing.answer(_present_entry(work, row), status=201, location=location)


@resource.reads(
    "GET /employers/<uuid:employer_id>/roster",
    "employer",
    "staff",
    query=RosterQuerySchema,
    returns=page_of(RosterEntrySchema),
    errors=(404,),
)
def of_employer(reading: ReadContext, query: Loaded, *, employer_id: str) -> Response:
    """The list of an employer's workers, ended entries included."""
    filters = {k: v for k, v in query.items() if k not in {"after", "limit", "ended"}}
    rows = roster.page(
        reading,
        employer_id,
        after=query.get("after"),
        limit=query["limit"] + 1,
        filters=filters,
        ended=query.get("ended"),
    )
    return paging.answer(rows, query, lambda row: _present_entry(reading, row))


@resource.reads(
    "GET /employers/<uuid:employer_id>/roster/<uuid:entry_id>",
    "employer",
    "staff",
    returns=RosterEntrySchema,
    errors=(404,),
)
def entry(reading: ReadContext, *, employer_id: str, entry_id: str) -> Response:
    """One entry of the list."""
    row = roster.get(reading, employer_id, entry_id)
    return routing.answer(_present_entry(reading, row))


@resource.writes(
    "DELETE /employers/<uuid:employer_id>/roster/<uuid:entry_id>",
    "employer",
    "staff",
    returns=None,
    status=204,
    errors=(404,),
)
def end(work: UnitOfWork, *, employer_id: str, entry_id: str) -> Response:
    """End a worker's employment today: access ends at once, the entry stays on record."""
    roster.end(work, employer_id, entry_id)
    return routing.done()
