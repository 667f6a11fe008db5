"""Approvals: acts that need two people. One proposes, another one approves: so it is done."""

from __future__ import annotations

from flask import Response
from marshmallow import Schema, fields

from tracker.api.credentials.certifications import RevocationSchema
from tracker.api.http import paging, routing
from tracker.api.http.fields import ClosedSchema, WordsField, choice
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded, page_of
from tracker.domain.desk.approvals import ApprovalState, TwoPersonAct
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.desk import approvals
from tracker.services.desk.approvals import ApprovalRow
from tracker.services.overview import two_person_acts
from tracker.services.overview.two_person_acts import ProposedRevocation

resource = Resource("approvals", __name__, description=__doc__)


class AnswerSchema(ClosedSchema):
    """Why it is declined or withdrawn."""

    reason = WordsField(500, required=True)


class ApprovalSchema(Schema):
    """A proposal and what became of it."""

    id = fields.UUID(required=True)
    act = choice(*TwoPersonAct, required=True)
    holder_id = fields.UUID(required=True)
    subject_id = fields.UUID(
        required=True, metadata={"description": "The certification, or the holder."}
    )
    what = fields.Dict(
        required=True, metadata={"description": "What exactly is done, beside the reason."}
    )
    preview = fields.Dict(
        required=True,
        metadata={
            "description": "What it brings; for a revocation, what the public page will say on "
            "its day."
        },
    )
    reason = fields.String(required=True)
    proposed_by = fields.String(required=True)
    recorded_at = fields.AwareDateTime(required=True)
    expires_at = fields.AwareDateTime(required=True)
    state = choice(*ApprovalState, required=True)
    decided_by = fields.String(required=True, allow_none=True)
    decision_reason = fields.String(required=True, allow_none=True)
    closed_at = fields.AwareDateTime(required=True, allow_none=True)
    outcome_id = fields.UUID(
        required=True, allow_none=True, metadata={"description": "The record that the act made."}
    )


class ApprovalQuerySchema(paging.PageSchema):
    """Filters by field name."""

    act = choice(*TwoPersonAct)
    holder_id = fields.UUID()
    subject_id = fields.UUID()
    state = choice(*ApprovalState)


def present(reading: ReadContext, row: ApprovalRow) -> dict[str, object]:
    """A proposal in the form of the API."""
    return {**row._asdict(), "state": row.state_at(reading.now)}


def proposed(work: UnitOfWork, row: ApprovalRow) -> Response:
    """The answer of a route that proposes an act."""
    location = f"/api/v1/approvals/{row.id}"
    return routing.answer(present(work, row), status=201, location=location)


@resource.writes(
    "POST /certifications/<uuid:certification_id>/revocation",
    "staff",
    body=RevocationSchema,
    returns=ApprovalSchema,
    status=201,
    errors=(404, 409),
)
def revoke(work: UnitOfWork, body: Loaded, *, certification_id: str) -> Response:
    """Propose to revoke a certification; somebody else must approve it."""
    row = two_person_acts.propose_revocation(work, ProposedRevocation(certification_id, **body))
    return proposed(work, row)


@resource.reads(
    "GET /approvals", "staff", query=ApprovalQuerySchema, returns=page_of(ApprovalSchema)
)
def listed(reading: ReadContext, query: Loaded) -> Response:
    """The acts that were proposed."""
    names = ("act", "holder_id", "subject_id", "state")
    rows = approvals.page(
        reading,
        after=query.get("after"),
        limit=query["limit"] + 1,
        filters={name: str(query[name]) for name in names if name in query},
    )
    return paging.answer(rows, query, lambda row: present(reading, row))


@resource.reads("GET /approvals/<uuid:approval_id>", "staff", returns=ApprovalSchema, errors=(404,))
def show(reading: ReadContext, *, approval_id: str) -> Response:
    """One proposal."""
    return routing.answer(present(reading, approvals.get(reading, approval_id)))


@resource.writes(
    "POST /approvals/<uuid:approval_id>/approval",
    "staff",
    returns=ApprovalSchema,
    errors=(404, 409),
)
def approve(work: UnitOfWork, *, approval_id: str) -> Response:
    """Carry out what somebody else proposed."""
    return routing.answer(present(work, two_person_acts.approve(work, approval_id)))


@resource.writes(
    "POST /approvals/<uuid:approval_id>/refusal",
    "staff",
    body=AnswerSchema,
    returns=ApprovalSchema,
    errors=(404, 409),
)
def decline(work: UnitOfWork, body: Loaded, *, approval_id: str) -> Response:
    """Decline a proposal."""
    return routing.answer(present(work, two_person_acts.decline(work, approval_id, **body)))


@resource.writes(
    "POST /approvals/<uuid:approval_id>/withdrawal",
    "staff",
    body=AnswerSchema,
    returns=ApprovalSchema,
    errors=(404, 409),
)
def withdraw(work: UnitOfWork, body: Loaded, *, approval_id: str) -> Response:
    """Withdraw one's own proposal."""
    return routing.answer(present(work, two_person_acts.withdraw(work, approval_id, **body)))
