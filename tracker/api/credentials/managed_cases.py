"""Managed cases: whose attempts a sponsor's case managers see, by the holder's consent."""

from __future__ import annotations

from flask import Response
from marshmallow import Schema, fields

from tracker.api.http import paging, routing
from tracker.api.http.fields import ClosedSchema
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded, page_of
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.credentials import managed_cases
from tracker.services.credentials.managed_cases import ManagedCaseRow
from tracker.services.people import holders

resource = Resource("managed-cases", __name__, description=__doc__)


class NewManagedCaseSchema(ClosedSchema):
    """Which sponsor follows the person."""

    sponsor_id = fields.UUID(required=True)


class ManagedCaseSchema(Schema):
    """A case; ``shared``: the sponsor sees the person's attempts and who paid for them."""

    id = fields.UUID(required=True)
    holder_id = fields.UUID(required=True)
    person = fields.String(required=True)
    sponsor_id = fields.UUID(required=True)
    sponsor = fields.String(required=True)
    recorded_at = fields.AwareDateTime(required=True)
    shared = fields.Boolean(required=True)


def _present(row: ManagedCaseRow) -> dict[str, object]:
    return {
        "id": row.id,
        "holder_id": row.holder_id,
        "person": f"{row.given_name} {row.family_name}",
        "sponsor_id": row.sponsor_id,
        "sponsor": row.name,
        "recorded_at": row.recorded_at,
        "shared": row.is_shared,
    }


def _answer(reading: ReadContext, case_id: str, status: int = 200) -> Response:
    return routing.answer(_present(managed_cases.get(reading, case_id)), status=status)


@resource.writes(
    "POST /holders/<uuid:holder_id>/managed-cases",
    "staff",
    body=NewManagedCaseSchema,
    returns=ManagedCaseSchema,
    status=201,
    errors=(404, 409),
)
def register(work: UnitOfWork, body: Loaded, *, holder_id: str) -> Response:
    """Record that a sponsor follows somebody; it sees nothing until the person consents."""
    case_id = managed_cases.register(work, holder_id, str(body["sponsor_id"]))
    return _answer(work, case_id, status=201)


@resource.reads(
    "GET /holders/<uuid:holder_id>/managed-cases",
    "holder",
    "staff",
    query=paging.PageSchema,
    returns=page_of(ManagedCaseSchema),
    errors=(404,),
)
def of_holder(reading: ReadContext, query: Loaded, *, holder_id: str) -> Response:
    """Who follows a person, and whether they see the attempts."""
    holders.get(reading, holder_id)
    rows = managed_cases.page(
        reading, holder_id=holder_id, after=query.get("after"), limit=query["limit"] + 1
    )
    return paging.answer(rows, query, _present)


@resource.reads(
    "GET /managed-cases",
    "sponsor",
    "staff",
    query=paging.PageSchema,
    returns=page_of(ManagedCaseSchema),
)
def page(reading: ReadContext, query: Loaded) -> Response:
    """All cases; a sponsor sees those of its own whose people consented."""
    rows = managed_cases.page(reading, after=query.get("after"), limit=query["limit"] + 1)
    return paging.answer(rows, query, _present)


@resource.writes(
    "POST /managed-cases/<uuid:case_id>/consent",
    "holder",
    returns=ManagedCaseSchema,
    errors=(404, 409),
)
def consent(work: UnitOfWork, *, case_id: str) -> Response:
    """Let the sponsor see one's name, attempts at modules, and who paid for them."""
    managed_cases.consent(work, case_id)
    return _answer(work, case_id)


@resource.writes(
    "POST /managed-cases/<uuid:case_id>/consent/end",
    "holder",
    "staff",
    returns=ManagedCaseSchema,
    errors=(404, 409),
)
def end_consent(work: UnitOfWork, *, case_id: str) -> Response:
    """End the sponsor's access at once."""
    managed_cases.end_consent(work, case_id)
    return _answer(work, case_id)
