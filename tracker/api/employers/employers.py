"""Employers and their rosters."""

from __future__ import annotations

from flask import Response
from marshmallow import Schema, fields

from tracker.api.http import directories, paging, routing
from tracker.api.http.directories import OrganizationSchema
from tracker.api.http.fields import (
    CertificateNumber,
    ClosedSchema,
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
from tracker.services.employers.roster import ListedWorker

resource = Resource("employers", __name__, description=__doc__)


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


class RosterPlaceSchema(ClosedSchema):
    """Where a worker works."""

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


class EmployerOnRecordSchema(OrganizationSchema):
    """An employer on record; ``confirms_directly``: its confirmations count without a reviewer."""

    confirms_directly = fields.Boolean(required=True)


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


directories.routes(
    resource, employers.DIRECTORY, correct=employers.correct, schema=EmployerOnRecordSchema
)


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
    "PATCH /employers/<uuid:employer_id>/roster/<uuid:entry_id>",
    "employer",
    "staff",
    body=RosterPlaceSchema,
    returns=RosterEntrySchema,
    errors=(404,),
)
def move(work: UnitOfWork, body: Loaded, *, employer_id: str, entry_id: str) -> Response:
    """Change where a worker works; nobody is told."""
    roster.move(work, employer_id, entry_id, body)
    return routing.answer(_present_entry(work, roster.get(work, employer_id, entry_id)))


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
