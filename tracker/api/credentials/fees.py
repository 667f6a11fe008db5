"""Fees of applications to recertify, and the applications that share one."""

from __future__ import annotations

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
    """The fee of an application, or of several together, and its last change."""

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
        metadata={"description": "Whether it was paid for what was denied, and is to be refunded."},
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
    row = fee_records.get(reading, fee_id)
    return routing.answer(_present(row), version=row.version)


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
    row = fee_records.get(work, fee_id)
    return routing.answer(_present(row), version=row.version)


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
