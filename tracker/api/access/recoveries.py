"""Recoveries: somebody lost the second factor or the mailbox, and two of the staff let them in."""

from __future__ import annotations

from flask import Response
from marshmallow import Schema, fields

from tracker.api.http import paging, routing
from tracker.api.http.fields import ClosedSchema, Email, WordsField, choice
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded, page_of
from tracker.domain.people.recoveries import RecoveryKind, RecoveryState
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.people import recoveries
from tracker.services.people.recoveries import NewRecovery, RecoveryRow

resource = Resource("recoveries", __name__, description=__doc__)


class NewRecoverySchema(ClosedSchema):
    """``account_id``: its second factor is removed. Or ``holder_id`` with the new ``email``."""

    account_id = fields.UUID()
    holder_id = fields.UUID()
    email = Email()
    reason = WordsField(500, required=True)


class RefusalSchema(ClosedSchema):
    """Why a proposal is refused."""

    reason = WordsField(500, required=True)


class RecoverySchema(Schema):
    """A proposal and what became of it."""

    id = fields.UUID(required=True)
    kind = choice(*RecoveryKind, required=True)
    account_id = fields.UUID(required=True, allow_none=True)
    holder_id = fields.UUID(required=True, allow_none=True)
    email = fields.String(required=True, allow_none=True)
    reason = fields.String(required=True)
    proposed_by = fields.String(required=True)
    recorded_at = fields.AwareDateTime(required=True)
    state = choice(*RecoveryState, required=True)
    decided_by = fields.String(required=True, allow_none=True)
    decision_reason = fields.String(required=True, allow_none=True)
    decided_at = fields.AwareDateTime(required=True, allow_none=True)


class RecoveryQuerySchema(paging.PageSchema):
    """Filters by field name."""

    state = choice(*RecoveryState)


def _present(row: RecoveryRow) -> dict[str, object]:
    return row._asdict()


@resource.writes(
    "POST /recoveries",
    "staff",
    body=NewRecoverySchema,
    returns=RecoverySchema,
    status=201,
    errors=(409,),
)
def propose(work: UnitOfWork, body: Loaded) -> Response:
    """Propose a recovery; somebody else must approve it."""
    ids = {key: str(value) for key, value in body.items() if key.endswith("_id")}
    row = recoveries.propose(work, NewRecovery(**{**body, **ids}))
    location = f"/api/v1/recoveries/{row.id}"
    return routing.answer(_present(row), status=201, location=location)


@resource.reads(
    "GET /recoveries", "staff", query=RecoveryQuerySchema, returns=page_of(RecoverySchema)
)
def listed(reading: ReadContext, query: Loaded) -> Response:
    """The recoveries that were proposed."""
    rows = recoveries.page(
        reading, after=query.get("after"), limit=query["limit"] + 1, state=query.get("state")
    )
    return paging.answer(rows, query, _present)


@resource.reads(
    "GET /recoveries/<uuid:recovery_id>", "staff", returns=RecoverySchema, errors=(404,)
)
def show(reading: ReadContext, *, recovery_id: str) -> Response:
    """One recovery."""
    return routing.answer(_present(recoveries.get(reading, recovery_id)))


@resource.writes(
    "POST /recoveries/<uuid:recovery_id>/approval",
    "staff",
    returns=RecoverySchema,
    errors=(404, 409),
)
def approve(work: UnitOfWork, *, recovery_id: str) -> Response:
    """Carry out what somebody else proposed."""
    return routing.answer(_present(recoveries.approve(work, recovery_id)))


@resource.writes(
    "POST /recoveries/<uuid:recovery_id>/refusal",
    "staff",
    body=RefusalSchema,
    returns=RecoverySchema,
    errors=(404, 409),
)
def refuse(work: UnitOfWork, body: Loaded, *, recovery_id: str) -> Response:
    """Refuse a proposal, or take one's own back."""
    return routing.answer(_present(recoveries.refuse(work, recovery_id, **body)))
