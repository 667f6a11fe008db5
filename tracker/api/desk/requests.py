"""Requests of holders to the staff, such as a change of name, and the decisions on them."""

from __future__ import annotations

from flask import Response
from marshmallow import Schema, fields

from tracker.api.http import paging, routing
from tracker.api.http.fields import ClosedSchema, DayField, WordsField, choice
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded, page_of
from tracker.domain.desk import requests as rules
from tracker.domain.desk.requests import RequestKind, RequestState, RequestVerdict
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.desk import requests
from tracker.services.desk.requests import RequestRow

resource = Resource("requests", __name__, description=__doc__)


class ProposedNameSchema(Schema):
    """The requested name; fields that stay the same are left out."""

    given_name = fields.String()
    family_name = fields.String()


class OnRecordSchema(Schema):
    """The name on record now."""

    given_name = fields.String(required=True)
    family_name = fields.String(required=True)


class RequestSchema(Schema):
    """A request of a holder: the current values, and the proposed ones."""

    id = fields.UUID(required=True)
    holder_id = fields.UUID(required=True)
    kind = choice(*RequestKind, required=True)
    state = choice(*RequestState, required=True)
    on_record = fields.Nested(OnRecordSchema, required=True)
    proposal = fields.Nested(ProposedNameSchema, required=True)
    statement = fields.String(required=True, allow_none=True)
    requested_on = DayField(required=True)
    due_on = DayField(
        required=True, metadata={"description": "The last day on which it should be answered."}
    )
    decided_by = fields.String(required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True)
    recorded_at = fields.AwareDateTime(required=True)
    closed_at = fields.AwareDateTime(required=True, allow_none=True)


class RequestQuerySchema(paging.PageSchema):
    """Filters; a holder sees their own requests."""

    state = choice(*RequestState)
    kind = choice(*RequestKind)
    holder_id = fields.UUID()


class NewRequestSchema(ClosedSchema):
    """What is asked, and why; files are added by POST /requests/{id}/proofs."""

    kind = choice(*sorted(rules.IN_WORDS), required=True)
    statement = WordsField(5000, required=True)


class RequestDecisionSchema(ClosedSchema):
    """A decision; ``reason`` is required for a refusal, and shown to the holder."""

    decision = choice(*RequestVerdict, required=True)
    reason = WordsField(2000, load_default=None, allow_none=True)


def present(row: RequestRow) -> dict[str, object]:
    """A request's row in the form of the API."""
    shown: dict[str, object] = row._asdict()
    name = {key: shown.pop(key) for key in ("given_name", "family_name")}
    del shown["version"]
    return shown | {"on_record": name, "due_on": rules.due_on(row.requested_on)}


def _answer(row: RequestRow) -> Response:
    return routing.answer(present(row), version=row.version)


@resource.writes(
    "POST /me/requests",
    "holder",
    body=NewRequestSchema,
    returns=RequestSchema,
    status=201,
    errors=(404,),
)
def ask(work: UnitOfWork, body: Loaded) -> Response:
    """Request a correction, an exemption or an extension; asking again replaces an open request.

    Another name is requested by PATCH /holders/{id}.
    """
    id_ = requests.ask(work, RequestKind(body["kind"]), statement=body["statement"])
    row = requests.get(work, id_)
    where = f"/api/v1/requests/{row.id}"
    return routing.answer(present(row), status=201, version=row.version, location=where)


@resource.reads(
    "GET /requests",
    "staff",
    "holder",
    query=RequestQuerySchema,
    returns=page_of(RequestSchema),
    errors=(404,),
)
def search(reading: ReadContext, query: Loaded) -> Response:
    """Requests, oldest first."""
    filters = {k: str(v) for k, v in query.items() if k not in {"after", "limit"}}
    rows = requests.page(
        reading, after=query.get("after"), limit=query["limit"] + 1, filters=filters
    )
    return paging.answer(rows, query, present)


@resource.reads(
    "GET /requests/<uuid:request_id>", "staff", "holder", returns=RequestSchema, errors=(404,)
)
def show(reading: ReadContext, *, request_id: str) -> Response:
    """One request."""
    return _answer(requests.get(reading, request_id))


@resource.writes(
    "POST /requests/<uuid:request_id>/decision",
    "staff",
    body=RequestDecisionSchema,
    returns=RequestSchema,
    versioned=True,
    errors=(404, 409),
)
def decide(work: UnitOfWork, body: Loaded, *, request_id: str, version: int) -> Response:
    """Grant or refuse a request, never one's own; a refused one can be granted later."""
    requests.decide(
        work, request_id, decision=body["decision"], reason=body["reason"], version=version
    )
    return _answer(requests.get(work, request_id))


@resource.writes(
    "POST /requests/<uuid:request_id>/withdrawal",
    "holder",
    returns=RequestSchema,
    errors=(404, 409),
)
def withdraw(work: UnitOfWork, *, request_id: str) -> Response:
    """Withdraw a request before it is decided."""
    requests.withdraw(work, request_id)
    return _answer(requests.get(work, request_id))
