"""Renewals: applications, decisions, and what they cost."""

from __future__ import annotations

from flask import Response
from marshmallow import Schema, fields, validate

from tracker.api.http import paging, routing
from tracker.api.http.fields import (
    AmountField,
    ClosedSchema,
    DayField,
    WordsField,
    choice,
    reason_code_field,
)
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded, UndoingSchema, page_of
from tracker.domain.credentials.renewals import RenewalVerdict
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.credentials import bundles, former_decisions, renewals
from tracker.services.credentials.renewals import RenewalRow
from tracker.services.standings import snapshots

resource = Resource("renewals", __name__, description=__doc__)

_ID = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"


class RenewalSchema(Schema):
    """An application to recertify, and how it ended."""

    id = fields.UUID(required=True)
    ref = fields.String(required=True, allow_none=True)
    certification_id = fields.UUID(required=True)
    holder_id = fields.UUID(required=True)
    scheme = fields.String(required=True)
    fee_id = fields.UUID(required=True, allow_none=True)
    cycle = fields.Integer(required=True)
    submitted_on = DayField(required=True)
    points_counted = AmountField(
        required=True,
        allow_none=True,
        metadata={"description": "The points on the day of the application."},
    )
    points_if_approved = AmountField(
        required=True,
        allow_none=True,
        metadata={
            "description": "The same, including activities waiting for a decision on that day."
        },
    )
    decision = choice(*RenewalVerdict, required=True, allow_none=True)
    decided_on = DayField(required=True, allow_none=True)
    reason_code = fields.String(required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True)
    withdrawn_on = DayField(required=True, allow_none=True)
    recorded_at = fields.AwareDateTime(required=True)


class RenewalQuerySchema(paging.PageSchema):
    """Only those waiting for a decision, or only those that are not."""

    pending = fields.Boolean(truthy={"true"}, falsy={"false"})


class RenewalDecisionSchema(ClosedSchema):
    """How an application ends; a denial, and a change of a decision, need their reason."""

    decision = choice(*RenewalVerdict, required=True)
    reason_code = reason_code_field(allow_none=True)
    reason = WordsField(1000, load_default=None, allow_none=True)
    checks = fields.List(
        WordsField(32),
        load_default=list,
        validate=validate.Length(max=20),
        metadata={"description": "The codes of the policy's checks that the reviewer confirms."},
    )


class RulingOrFormerSchema(Schema):
    """A decision on a renewal: the one in force, or an earlier one."""

    id = fields.UUID(required=True, allow_none=True)
    decision = choice(*RenewalVerdict, required=True)
    decided_on = DayField(required=True)
    decided_by = fields.String(required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True)
    ended_at = fields.AwareDateTime(
        required=True,
        allow_none=True,
        metadata={"description": "When it was superseded or undone. Null: it is in force."},
    )
    ended_by = fields.String(required=True, allow_none=True)
    ended_reason = fields.String(required=True, allow_none=True)
    undone = fields.Boolean(
        required=True, metadata={"description": "Whether it was undone rather than superseded."}
    )


class QuoteQuerySchema(ClosedSchema):
    """Which certifications to renew together: their ids, separated by commas."""

    certification_ids = fields.String(
        required=True,
        validate=validate.Regexp(
            f"^{_ID}(,{_ID}){{0,4}}$", error="must be 1 to 5 ids, separated by commas"
        ),
    )


class QuoteSchema(Schema):
    """A price, the reason for it, and the days on which it applies."""

    schemes = fields.List(fields.String(), required=True)
    amount = AmountField(required=True)
    late_fees = AmountField(
        required=True,
        metadata={"description": "The part of the amount that is charged for applying late."},
    )
    currency = fields.String(required=True)
    bundled = fields.Boolean(required=True)
    reason = fields.String(required=True)
    available_from = DayField(required=True, allow_none=True)
    available_until = DayField(required=True, allow_none=True)
    refundable = fields.Boolean(required=True)
    verified = fields.Boolean(required=True)


def present(row: RenewalRow) -> dict[str, object]:
    """A renewal's row in the form of the API."""
    shown = row._asdict()
    del shown["version"]
    return shown


def _answer(reading: ReadContext, renewal_id: str, status: int = 200) -> Response:
    row = renewals.get(reading, renewal_id)
    location = f"/api/v1/renewals/{row.id}" if status == 201 else None  # noqa: PLR2004 - HTTP's own number
    return routing.answer(present(row), status=status, version=row.version, location=location)


@resource.writes(
    "POST /certifications/<uuid:certification_id>/renewals",
    "holder",
    "staff",
    returns=RenewalSchema,
    status=201,
    errors=(404, 409),
)
def apply(work: UnitOfWork, *, certification_id: str) -> Response:
    """Apply to recertify. Refusals say why: window, points, expiry, pending application."""
    return _answer(work, renewals.apply(work, certification_id), 201)


@resource.reads(
    "GET /certifications/<uuid:certification_id>/renewals",
    "holder",
    "staff",
    query=RenewalQuerySchema,
    returns=page_of(RenewalSchema),
    errors=(404,),
)
def of_certification(reading: ReadContext, query: Loaded, *, certification_id: str) -> Response:
    """The renewals of a certification."""
    row = snapshots.certification(reading, certification_id)
    rows = renewals.page(
        reading,
        after=query.get("after"),
        limit=query["limit"] + 1,
        certification_id=row.id,
        pending=query.get("pending"),
    )
    return paging.answer(rows, query, present)


@resource.reads("GET /renewals", "staff", query=RenewalQuerySchema, returns=page_of(RenewalSchema))
def queue(reading: ReadContext, query: Loaded) -> Response:
    """All renewals; the pending ones are the reviewers' queue."""
    rows = renewals.page(
        reading, after=query.get("after"), limit=query["limit"] + 1, pending=query.get("pending")
    )
    return paging.answer(rows, query, present)


@resource.reads(
    "GET /renewals/quote",
    "holder",
    "staff",
    query=QuoteQuerySchema,
    returns=QuoteSchema,
    errors=(404, 409),
)
def quote(reading: ReadContext, query: Loaded) -> Response:
    """What renewing certifications together costs, why, and until when."""
    found = bundles.quote(reading, query["certification_ids"].lower().split(","))
    days = found.available
    return routing.answer(
        {
            "schemes": list(found.schemes),
            "amount": found.amount,
            "late_fees": found.late_fees,
            "currency": found.currency,
            "bundled": found.bundled,
            "reason": found.reason,
            "available_from": days.starts_on if days else None,
            "available_until": days.ends_on if days else None,
            "refundable": found.refundable,
            "verified": found.verified,
        }
    )


@resource.reads(
    "GET /renewals/<uuid:renewal_id>", "holder", "staff", returns=RenewalSchema, errors=(404,)
)
def show(reading: ReadContext, *, renewal_id: str) -> Response:
    """One renewal."""
    return _answer(reading, renewal_id)


@resource.writes(
    "POST /renewals/<uuid:renewal_id>/decision",
    "staff",
    body=RenewalDecisionSchema,
    returns=RenewalSchema,
    versioned=True,
    errors=(404, 409),
)
def decide(work: UnitOfWork, body: Loaded, *, renewal_id: str, version: int) -> Response:
    """Approve, which opens the next cycle at once, or deny with a reason.

    An approval confirms every check that the policy requires. It is refused while points are
    missing, naming the activities waiting for a decision. A decision on a decided renewal
    supersedes the one before and needs a reason.
    """
    renewals.decide(
        work,
        renewal_id,
        decision=body["decision"],
        reason=body["reason"],
        version=version,
        checks=body["checks"],
        reason_code=body.get("reason_code"),
    )
    return _answer(work, renewal_id)


@resource.writes(
    "POST /renewals/<uuid:renewal_id>/decision/undo",
    "staff",
    body=UndoingSchema,
    returns=RenewalSchema,
    versioned=True,
    errors=(404, 409),
)
def undo(work: UnitOfWork, body: Loaded, *, renewal_id: str, version: int) -> Response:
    """Take the decision back: the one before applies again, or the application is pending."""
    renewals.undo(work, renewal_id, reason=body["reason"], version=version)
    return _answer(work, renewal_id)


@resource.reads(
    "GET /renewals/<uuid:renewal_id>/decisions",
    "holder",
    "staff",
    returns=RulingOrFormerSchema(many=True),
    errors=(404,),
)
def decisions(reading: ReadContext, *, renewal_id: str) -> Response:
    """Every decision on a renewal, oldest first; the one in force comes last."""
    row = renewals.get(reading, renewal_id)
    rows = former_decisions.with_ruling(reading, row.id)
    return routing.answer([row._asdict() for row in rows])


@resource.writes(
    "POST /renewals/<uuid:renewal_id>/withdrawal",
    "holder",
    "staff",
    returns=RenewalSchema,
    errors=(404, 409),
)
def withdraw(work: UnitOfWork, *, renewal_id: str) -> Response:
    """Take an application back before it is decided."""
    renewals.withdraw(work, renewal_id)
    return _answer(work, renewal_id)
