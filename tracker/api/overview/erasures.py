"""Erasing a person's data: one person asks, another one approves."""

from __future__ import annotations

from flask import Response
from marshmallow import Schema, fields

from tracker.api.http import paging, routing
from tracker.api.http.fields import ClosedSchema, DayField, WordsField, choice
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded, page_of
from tracker.domain.people.erasures import ErasureState
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.overview import erasures
from tracker.services.overview.erasures import ErasureRow

resource = Resource("erasures", __name__, description=__doc__)


class OwnErasureSchema(ClosedSchema):
    """Why, if the holder wants to say so."""

    reason = WordsField(500, load_default=None, allow_none=True)


class NewErasureSchema(ClosedSchema):
    """Whose data, and why."""

    holder_id = fields.UUID(required=True)
    reason = WordsField(500, required=True)


class ErasureRefusalSchema(ClosedSchema):
    """Why a request is refused."""

    reason = WordsField(500, required=True)


class ErasureSchema(Schema):
    """A request to erase a person's data. ``due_on``: the last day to answer it."""

    id = fields.UUID(required=True)
    holder_id = fields.UUID(required=True)
    reason = fields.String(required=True)
    proposed_by = fields.String(required=True)
    recorded_at = fields.AwareDateTime(required=True)
    due_on = DayField(required=True)
    state = choice(*ErasureState, required=True)
    decided_by = fields.String(required=True, allow_none=True)
    decision_reason = fields.String(required=True, allow_none=True)
    decided_at = fields.AwareDateTime(required=True, allow_none=True)


class ErasureQuerySchema(paging.PageSchema):
    """Filters by field name."""

    state = choice(*ErasureState)


def _present(row: ErasureRow) -> dict[str, object]:
    shown = row._asdict()
    del shown["proposer_role"]
    return shown


@resource.writes(
    "POST /me/erasure",
    "holder",
    body=OwnErasureSchema,
    returns=ErasureSchema,
    status=201,
    errors=(404, 409),
)
def ask(work: UnitOfWork, body: Loaded) -> Response:
    """Ask to erase my data; my certificates' numbers, schemes and dates stay on record."""
    return routing.answer(
        _present(erasures.ask_for_me(work, reason=body["reason"] or "")), status=201
    )


@resource.reads("GET /me/erasure", "holder", returns=ErasureSchema, errors=(404,))
def mine(reading: ReadContext) -> Response:
    """My request that waits."""
    return routing.answer(_present(erasures.mine(reading)))


@resource.writes("DELETE /me/erasure", "holder", returns=None, status=204, errors=(404,))
def withdraw(work: UnitOfWork) -> Response:
    """Withdraw my request."""
    erasures.withdraw(work)
    return routing.done()


@resource.writes(
    "POST /erasures",
    "staff",
    body=NewErasureSchema,
    returns=ErasureSchema,
    status=201,
    errors=(404, 409),
)
def propose(work: UnitOfWork, body: Loaded) -> Response:
    """Propose to erase a holder's data; somebody else must approve it."""
    row = erasures.ask(work, str(body["holder_id"]), reason=body["reason"])
    return routing.answer(_present(row), status=201, location=f"/api/v1/erasures/{row.id}")


@resource.reads("GET /erasures", "staff", query=ErasureQuerySchema, returns=page_of(ErasureSchema))
def listed(reading: ReadContext, query: Loaded) -> Response:
    """The requests, the one that is due first at the top."""
    rows = erasures.page(
        reading, after=query.get("after"), limit=query["limit"] + 1, state=query.get("state")
    )
    return paging.answer(rows, query, _present)


@resource.reads("GET /erasures/<uuid:erasure_id>", "staff", returns=ErasureSchema, errors=(404,))
def show(reading: ReadContext, *, erasure_id: str) -> Response:
    """One request."""
    return routing.answer(_present(erasures.get(reading, erasure_id)))


@resource.writes(
    "POST /erasures/<uuid:erasure_id>/approval",
    "staff",
    returns=ErasureSchema,
    errors=(404, 409, 429),
)
def approve(work: UnitOfWork, *, erasure_id: str) -> Response:
    """Erase the data, as another person asked; this cannot be undone."""
    return routing.answer(_present(erasures.approve(work, erasure_id)))


@resource.writes(
    "POST /erasures/<uuid:erasure_id>/refusal",
    "staff",
    body=ErasureRefusalSchema,
    returns=ErasureSchema,
    errors=(404, 409),
)
def refuse(work: UnitOfWork, body: Loaded, *, erasure_id: str) -> Response:
    """Refuse a request, with the reason."""
    return routing.answer(_present(erasures.refuse(work, erasure_id, reason=body["reason"])))
