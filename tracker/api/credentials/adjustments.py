"""Adjustments of cycles: extensions, reduced requirements, and mass extensions."""

from __future__ import annotations

from flask import Response
from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from tracker.api.http import paging, routing
from tracker.api.http.fields import (
    AmountField,
    ClosedSchema,
    DayField,
    Reference,
    WordsField,
    choice,
    reason_code_field,
)
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded, page_of
from tracker.domain.periods import Duration, Period
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.credentials import adjustments
from tracker.services.credentials.adjustments import AdjustmentRow, AdjustmentToRecord
from tracker.services.employers import mass_extensions
from tracker.services.employers.mass_extensions import (
    ExtensionOutcome,
    MassExtension,
    PastExtension,
    Selection,
)

resource = Resource("adjustments", __name__, description=__doc__)

_MOST_REFS, _MOST_TOLD, _LONGEST = 1000, 1000, 3652
_OVERRIDE = "Why it is granted against the policy's rule."


class NewAdjustmentSchema(ClosedSchema):
    """A later expiry, a lower requirement, or both, for the last cycle opened."""

    extended_to = DayField(metadata={"description": "The new last valid day."})
    points_required = AmountField(
        metadata={"description": "Fewer points than the policy requires."}
    )
    reason_code = reason_code_field(required=True)
    reason = WordsField(1000, required=True)
    effective_on = DayField(
        metadata={"description": "The day from which it applies. Default: today."}
    )
    requested_on = DayField(
        metadata={"description": "The day on which it was requested. Default: today."}
    )
    override_reason = WordsField(500, metadata={"description": _OVERRIDE})

    @validates_schema
    def _sets_something(self, data: Loaded, **_kwargs: object) -> None:
        if "extended_to" not in data and "points_required" not in data:
            raise ValidationError("extended_to, points_required or both are required")


class AdjustmentSchema(Schema):
    """An adjustment of a cycle; of several, the last one wins, value by value."""

    id = fields.UUID(required=True)
    certification_id = fields.UUID(required=True)
    cycle = fields.Integer(required=True)
    number = fields.Integer(
        required=True,
        metadata={"description": "The number of the adjustment within its cycle, from 1."},
    )
    extended_to = DayField(required=True, allow_none=True)
    points_required = AmountField(required=True, allow_none=True)
    effective_on = DayField(required=True)
    reason_code = fields.String(required=True)
    reason = fields.String(required=True)
    override_reason = fields.String(required=True, allow_none=True)
    decided_by = fields.String(required=True)
    batch_id = fields.UUID(required=True, allow_none=True)
    batch = fields.String(required=True, allow_none=True)
    recorded_at = fields.AwareDateTime(required=True)


class LengthSchema(ClosedSchema):
    """A length of time in calendar units."""

    length = fields.Integer(required=True, strict=True, validate=validate.Range(1, _LONGEST))
    unit = choice("days", "months", "years", required=True)


class NewBatchSchema(ClosedSchema):
    """A mass extension: for whom, until when, and why."""

    ref = Reference(
        required=True,
        metadata={
            "description": "A name for this act; repeating the request under it changes nothing."
        },
    )
    scheme = WordsField(32, required=True, metadata={"example": "cpt"})
    expiring_from = DayField(
        required=True,
        metadata={"description": "The current expiration date counts, extensions included."},
    )
    expiring_to = DayField(required=True)
    holder_refs = fields.List(
        Reference(),
        load_default=list,
        metadata={"maxItems": _MOST_REFS},
        validate=validate.Length(max=_MOST_REFS),
    )
    employer_id = fields.UUID(
        metadata={"description": "Only workers who share their status with this employer."}
    )
    until = DayField(metadata={"description": "One new expiration date for all; or use ``by``."})
    by = fields.Nested(
        LengthSchema,
        metadata={"description": "How much later than now each expires; or use ``until``."},
    )
    reason_code = reason_code_field(required=True)
    reason = WordsField(1000, required=True)
    effective_on = DayField(
        metadata={"description": "The day from which it applies. Default: today."}
    )
    override_reason = WordsField(500, metadata={"description": _OVERRIDE})
    dry_run = fields.Boolean(
        load_default=False,
        metadata={"description": "Only report who would be extended; store nothing."},
    )


class FateSchema(Schema):
    """What happens to one certification; a refused one keeps its expiry."""

    certification_id = fields.UUID(required=True)
    certificate_number = fields.String(required=True)
    holder_ref = fields.String(required=True)
    expires_on = DayField(required=True)
    extended_to = DayField(required=True)
    refused = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "The code of the refusal; null if it was not refused."},
    )
    detail = fields.String(required=True, allow_none=True)


class BatchOutcomeSchema(Schema):
    """What a mass extension did, or would do; lists at most a thousand certifications."""

    batch_id = fields.UUID(required=True, allow_none=True)
    ref = fields.String(required=True)
    dry_run = fields.Boolean(required=True)
    repeated = fields.Boolean(required=True)
    extended = fields.Integer(required=True)
    refused = fields.Integer(required=True)
    unchanged = fields.Integer(required=True)
    certifications = fields.List(fields.Nested(FateSchema), required=True)


class BatchSchema(Schema):
    """A mass extension on record."""

    id = fields.UUID(required=True)
    ref = fields.String(required=True)
    scheme = fields.String(required=True)
    request = fields.Dict(
        keys=fields.String(), required=True, metadata={"description": "The request as it was made."}
    )
    extended = fields.Integer(required=True)
    refused = fields.Integer(required=True)
    decided_by = fields.String(required=True)
    recorded_at = fields.AwareDateTime(required=True)


def present(row: AdjustmentRow) -> dict[str, object]:
    """An adjustment's row in the form of the API."""
    return row._asdict()


def _present_batch(row: PastExtension) -> dict[str, object]:
    return row._asdict()


def _present_outcome(outcome: ExtensionOutcome) -> dict[str, object]:
    return {
        "batch_id": outcome.batch_id,
        "ref": outcome.ref,
        "dry_run": outcome.dry_run,
        "repeated": outcome.repeated,
        "extended": outcome.extended,
        "refused": outcome.refused,
        "unchanged": outcome.unchanged,
        "certifications": [
            {
                "certification_id": fate.certification_id,
                "holder_ref": fate.holder_ref,
                "certificate_number": fate.certificate_number,
                "expires_on": fate.expires_on,
                "extended_to": fate.extended_to,
                "refused": fate.refused,
                "detail": fate.detail,
            }
            for fate in outcome.fates[:_MOST_TOLD]
        ],
    }


@resource.writes(
    "POST /certifications/<uuid:certification_id>/adjustments",
    "staff",
    body=NewAdjustmentSchema,
    returns=AdjustmentSchema,
    status=201,
    errors=(404, 409),
)
def adjust(work: UnitOfWork, body: Loaded, *, certification_id: str) -> Response:
    """Extend a certification's last cycle, or reduce its requirement."""
    row = adjustments.get(
        work, adjustments.adjust(work, certification_id, AdjustmentToRecord(**body))
    )
    return routing.answer(present(row), status=201, location=f"/api/v1/adjustments/{row.id}")


@resource.reads(
    "GET /certifications/<uuid:certification_id>/adjustments",
    "staff",
    "holder",
    query=paging.PageSchema,
    returns=page_of(AdjustmentSchema),
    errors=(404,),
)
def of_certification(reading: ReadContext, query: Loaded, *, certification_id: str) -> Response:
    """The adjustments of a certification's cycles."""
    rows = adjustments.page(
        reading, certification_id, after=query.get("after"), limit=query["limit"] + 1
    )
    return paging.answer(rows, query, present)


@resource.reads(
    "GET /adjustments/<uuid:adjustment_id>",
    "staff",
    "holder",
    returns=AdjustmentSchema,
    errors=(404,),
)
def show(reading: ReadContext, *, adjustment_id: str) -> Response:
    """One adjustment."""
    return routing.answer(present(adjustments.get(reading, adjustment_id)))


@resource.writes(
    "POST /adjustments/batches",
    "admin",
    body=NewBatchSchema,
    returns=BatchOutcomeSchema,
    status=201,
    errors=(409,),
)
def extend_many(work: UnitOfWork, body: Loaded) -> Response:
    """Extend many certifications in one act; with ``dry_run``, only say what it would do."""
    dry_run, extension = body.pop("dry_run"), _extension(body)
    outcome = (mass_extensions.foresee if dry_run else mass_extensions.extend)(work, extension)
    location = f"/api/v1/adjustments/batches/{outcome.batch_id}" if outcome.batch_id else None
    return routing.answer(_present_outcome(outcome), status=201, location=location)


def _extension(body: Loaded) -> MassExtension:
    employer_id, by = body.pop("employer_id", None), body.pop("by", None)
    selection = Selection(
        scheme=body.pop("scheme"),
        expiring=Period(body.pop("expiring_from"), body.pop("expiring_to")),
        holder_refs=tuple(body.pop("holder_refs")),
        employer_id=str(employer_id) if employer_id else None,
    )
    return MassExtension(selection=selection, by=Duration(**by) if by else None, **body)


@resource.reads(
    "GET /adjustments/batches", "staff", query=paging.PageSchema, returns=page_of(BatchSchema)
)
def batches(reading: ReadContext, query: Loaded) -> Response:
    """The mass extensions that were made."""
    rows = mass_extensions.page(reading, after=query.get("after"), limit=query["limit"] + 1)
    return paging.answer(rows, query, _present_batch)


@resource.reads(
    "GET /adjustments/batches/<uuid:batch_id>", "staff", returns=BatchSchema, errors=(404,)
)
def show_batch(reading: ReadContext, *, batch_id: str) -> Response:
    """One mass extension."""
    return routing.answer(_present_batch(mass_extensions.get(reading, batch_id)))


@resource.reads(
    "GET /adjustments/batches/<uuid:batch_id>/adjustments",
    "staff",
    query=paging.PageSchema,
    returns=page_of(AdjustmentSchema),
    errors=(404,),
)
def of_batch(reading: ReadContext, query: Loaded, *, batch_id: str) -> Response:
    """The adjustments made by a mass extension."""
    rows = mass_extensions.members(
        reading, batch_id, after=query.get("after"), limit=query["limit"] + 1
    )
    return paging.answer(rows, query, present)
