"""Fees of applications, appeals and attempts, and the applications that share one."""

from __future__ import annotations

from http import HTTPStatus

from flask import Response
from marshmallow import Schema, fields, validate

from tracker.api.credentials.renewals import RenewalSchema, present
from tracker.api.http import paging, routing
from tracker.api.http.fields import AmountField, ClosedSchema, WordsField, choice
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded, page_of
from tracker.domain.credentials.fees import FeeChange, FeeState
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.credentials import fees as fee_records
from tracker.services.credentials import renewal_fees, renewals
from tracker.services.credentials.fees import FeeRow

resource = Resource("fees", __name__, description=__doc__)


class FeeSchema(Schema):
    """The fee of an application, of several together, of an appeal or attempt; its last change."""

    id = fields.UUID(required=True)
    holder_id = fields.UUID(required=True)
    amount = AmountField(required=True)
    currency = fields.String(required=True)
    bundled = fields.Boolean(required=True)
    basis = fields.String(required=True, metadata={"description": "What the amount is."})
    state = choice(*FeeState, required=True)
    reference = fields.String(required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True)
    employer_id = fields.UUID(required=True, allow_none=True)
    refund_due = fields.Boolean(
        required=True,
        metadata={
            "description": "Whether what was paid is to be refunded: it was denied, or voided."
        },
    )
    changed_at = fields.AwareDateTime(required=True)
    changed_by = fields.String(required=True)
    recorded_at = fields.AwareDateTime(required=True)


class FeeQuerySchema(paging.PageSchema):
    """Filter by state."""

    state = choice(*FeeState)


class FeeChangeSchema(ClosedSchema):
    """What became of a fee."""

    state = choice(*FeeState, required=True)
    reference = WordsField(
        100,
        metadata={"description": "Of the receipt or the invoice; never the number of a card."},
    )
    reason = WordsField(500)
    employer_id = fields.UUID(metadata={"description": "Who gets the invoice."})


class AttemptFeeSchema(ClosedSchema):
    """What an attempt costs, in the currency of its scheme."""

    amount = AmountField(required=True)


class FeeAmountSchema(AttemptFeeSchema):
    """What an attempt costs after all, and why."""

    reason = WordsField(500, required=True)


class BundleSchema(ClosedSchema):
    """The certifications to recertify together."""

    certification_ids = fields.List(fields.UUID(), required=True, validate=validate.Length(2, 5))


class BundledSchema(Schema):
    """The applications of a bundle."""

    renewals = fields.List(fields.Nested(RenewalSchema), required=True)


def _present(row: FeeRow) -> dict[str, object]:
    shown = row._asdict()
    del shown["version"]
    return shown


@resource.reads("GET /fees", "staff", "holder", query=FeeQuerySchema, returns=page_of(FeeSchema))
def search(reading: ReadContext, query: Loaded) -> Response:
    """The fees on record; a holder sees their own."""
    rows = fee_records.page(
        reading, after=query.get("after"), limit=query["limit"] + 1, state=query.get("state")
    )
    return paging.answer(rows, query, _present)


@resource.reads("GET /fees/<uuid:fee_id>", "staff", "holder", returns=FeeSchema, errors=(404,))
def show(reading: ReadContext, *, fee_id: str) -> Response:
    """One fee."""
    return _answer(reading, fee_id)


def _answer(reading: ReadContext, fee_id: str, status: int = HTTPStatus.OK) -> Response:
    row = fee_records.get(reading, fee_id)
    return routing.answer(_present(row), status=status, version=row.version)


@resource.writes(
    "POST /assessments/<uuid:assessment_id>/fee",
    "staff",
    body=AttemptFeeSchema,
    returns=FeeSchema,
    status=201,
    errors=(404, 409),
)
def owe_for_attempt(work: UnitOfWork, body: Loaded, *, assessment_id: str) -> Response:
    """Record what an attempt costs: a fee that is quoted, and changed like any other."""
    fee_id = fee_records.owe_for_attempt(work, assessment_id, body["amount"])
    return _answer(work, fee_id, status=201)


@resource.writes(
    "POST /fees/<uuid:fee_id>/amount",
    "staff",
    body=FeeAmountSchema,
    returns=FeeSchema,
    versioned=True,
    errors=(404, 409),
)
def correct_amount(work: UnitOfWork, body: Loaded, *, version: int, fee_id: str) -> Response:
    """Correct the amount of an attempt's fee that is still open."""
    fee_records.correct_amount(work, fee_id, **body, version=version)
    return _answer(work, fee_id)


@resource.writes(
    "POST /fees/<uuid:fee_id>/state",
    "staff",
    body=FeeChangeSchema,
    returns=FeeSchema,
    versioned=True,
    errors=(404, 409),
)
def change(work: UnitOfWork, body: Loaded, *, version: int, fee_id: str) -> Response:
    """Record that a fee is due, invoiced, paid, waived or refunded, or take that back."""
    employer_id = str(body["employer_id"]) if "employer_id" in body else None
    told = FeeChange(
        FeeState(body["state"]), body.get("reference"), body.get("reason"), employer_id
    )
    renewal_fees.record(work, fee_id, told, version=version)
    return _answer(work, fee_id)


@resource.writes(
    "POST /renewals/bundles",
    "holder",
    "staff",
    body=BundleSchema,
    returns=BundledSchema,
    status=201,
    errors=(404, 409),
)
def apply_together(work: UnitOfWork, body: Loaded) -> Response:
    """Apply to recertify several certifications at their bundle price: one act and one fee."""
    ids = list(dict.fromkeys(str(one) for one in body["certification_ids"]))
    made = renewals.apply_together(work, ids)
    shown = [present(renewals.get(work, one)) for one in made]
    return routing.answer({"renewals": shown}, status=201)
