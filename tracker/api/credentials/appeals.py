"""Appeals against a suspension, a revocation or a denied renewal, and how they end."""

from __future__ import annotations

from flask import Response
from marshmallow import Schema, fields

from tracker.api.http import routing
from tracker.api.http.fields import AmountField, ClosedSchema, DayField, WordsField, choice
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded
from tracker.domain.credentials.appeals import AppealVerdict
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.credentials import appeals as cases
from tracker.services.credentials.appeals import AppealRow

resource = Resource("appeals", __name__, description=__doc__)


class NewAppealSchema(ClosedSchema):
    """An appeal against a denied renewal, or the latest suspension or revocation."""

    statement = WordsField(20_000, required=True)
    renewal_id = fields.UUID(
        load_default=None,
        allow_none=True,
        metadata={
            "description": "The denied renewal. Left out: the latest suspension or revocation."
        },
    )


class AppealDecisionSchema(ClosedSchema):
    """How an appeal ends; a later outcome supersedes the one before."""

    outcome = choice(*AppealVerdict, required=True)
    reason = WordsField(2000, required=True)


class AppealSchema(Schema):
    """An appeal."""

    id = fields.UUID(required=True)
    certification_id = fields.UUID(required=True)
    change_id = fields.UUID(required=True, allow_none=True)
    renewal_id = fields.UUID(required=True, allow_none=True)
    statement = fields.String(required=True)
    filed_on = DayField(required=True)
    due_on = DayField(required=True)
    fee = AmountField(required=True)
    fee_refunded = fields.Boolean(required=True)
    fee_id = fields.UUID(required=True, allow_none=True)
    outcome = choice(*AppealVerdict, required=True, allow_none=True)
    decided_on = DayField(required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True)


def present(row: AppealRow) -> dict[str, object]:
    """An appeal's row in the form of the API."""
    shown = row._asdict()
    del shown["version"], shown["holder_id"]
    return shown


@resource.writes(
    "POST /certifications/<uuid:certification_id>/appeals",
    "holder",
    "staff",
    body=NewAppealSchema,
    returns=AppealSchema,
    status=201,
    errors=(404, 409),
)
def appeal(work: UnitOfWork, body: Loaded, *, certification_id: str) -> Response:
    """Appeal against a denied renewal, or the latest suspension or revocation."""
    against = str(body["renewal_id"]) if body["renewal_id"] else None
    made = cases.file(work, certification_id, statement=body["statement"], renewal_id=against)
    row = cases.get(work, made)
    return routing.answer(
        present(row), status=201, version=row.version, location=f"/api/v1/appeals/{row.id}"
    )


@resource.reads(
    "GET /certifications/<uuid:certification_id>/appeals",
    "holder",
    "staff",
    returns=AppealSchema(many=True),
    errors=(404,),
)
def appeals(reading: ReadContext, *, certification_id: str) -> Response:
    """The appeals about a certification."""
    rows = cases.of_certification(reading, certification_id)
    return routing.answer([present(row) for row in rows])


@resource.reads(
    "GET /appeals/<uuid:appeal_id>", "holder", "staff", returns=AppealSchema, errors=(404,)
)
def show_appeal(reading: ReadContext, *, appeal_id: str) -> Response:
    """One appeal."""
    row = cases.get(reading, appeal_id)
    return routing.answer(present(row), version=row.version)


@resource.writes(
    "POST /appeals/<uuid:appeal_id>/decision",
    "staff",
    body=AppealDecisionSchema,
    returns=AppealSchema,
    versioned=True,
    errors=(404, 409),
)
def decide_appeal(work: UnitOfWork, body: Loaded, *, appeal_id: str, version: int) -> Response:
    """Uphold or dismiss an appeal, or change its outcome.

    The person who made the decision in question may not decide the appeal.
    """
    cases.decide(work, appeal_id, outcome=body["outcome"], reason=body["reason"], version=version)
    row = cases.get(work, appeal_id)
    return routing.answer(present(row), version=row.version)
