"""Certifications: standing on any date, and changes of standing."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response
from marshmallow import Schema, fields

from tracker.api.credentials.adjustments import AdjustmentSchema
from tracker.api.credentials.adjustments import present as present_adjustment
from tracker.api.http import paging, routing
from tracker.api.http.fields import (
    CertificateNumber,
    ClosedSchema,
    DayField,
    WordsField,
    choice,
    reason_code_field,
)
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import AsKnownSchema, Loaded, StandingSchema, page_of
from tracker.domain.credentials.certifications import ChangeKind, Standing, Status
from tracker.domain.permissions import Role
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.credentials import certifications
from tracker.services.points import evaluations
from tracker.services.standings import standings

resource = Resource("certifications", __name__, description=__doc__)


class CycleSchema(Schema):
    """One validity period."""

    ordinal = fields.Integer(required=True)
    starts_on = DayField(required=True)
    expires_on = DayField(
        required=True,
        allow_none=True,
        metadata={"description": "Last valid day, including extensions decided by ``as_of``."},
    )
    unextended_expires_on = DayField(
        required=True,
        allow_none=True,
        metadata={"description": "Last valid day without extensions."},
    )
    opened_on = DayField(required=True)
    policy = fields.String(required=True)
    imported = fields.Boolean(
        required=True,
        metadata={
            "description": "Whether its dates come from an imported file instead of the "
            "scheme's validity."
        },
    )


class CertificationSchema(Schema):
    """A certification with its standing on a date."""

    id = fields.UUID(required=True)
    number = fields.String(required=True)
    public_id = fields.String(required=True)
    holder_id = fields.UUID(required=True)
    scheme = fields.String(required=True)
    awarded_on = DayField(required=True)
    replaced_on = DayField(
        required=True,
        allow_none=True,
        metadata={"description": "The day from which a later award replaces this one."},
    )
    withdrawn_at = fields.AwareDateTime(
        required=True,
        allow_none=True,
        metadata={
            "description": "Whether it was recorded in error: no passes on record support it."
        },
    )
    standing = fields.Nested(StandingSchema, required=True, allow_none=True)


class CertificationDetailSchema(CertificationSchema):
    """A certification with its standing, all its cycles and their adjustments."""

    imported_at = fields.AwareDateTime(
        required=True,
        allow_none=True,
        metadata={
            "description": "When the award was imported; its number and dates are those of the "
            "file. Null: it is based on passes."
        },
    )
    edition = fields.String(required=True, allow_none=True)
    source = fields.String(
        required=True, allow_none=True, metadata={"description": "The source that the file names."}
    )
    voided_at = fields.AwareDateTime(
        required=True,
        allow_none=True,
        metadata={"description": "When staff voided the imported award."},
    )
    void_reason = fields.String(required=True, allow_none=True)
    cycles = fields.List(fields.Nested(CycleSchema), required=True)
    adjustments = fields.List(fields.Nested(AdjustmentSchema), required=True)


class CertificationQuerySchema(paging.PageSchema):
    """Filters by field name; the standing is that of ``as_of``."""

    as_of = DayField()
    holder_id = fields.UUID()
    scheme = WordsField(32)
    number = CertificateNumber()
    status = choice(*Status)


class StandingChangeSchema(ClosedSchema):
    """Why, and from when. An effective date in the past or future is allowed."""

    reason_code = reason_code_field(required=True)
    reason = WordsField(1000, required=True)
    effective_on = DayField(
        metadata={
            "description": "Default: today; for a reinstatement because of a mistake or an upheld "
            "appeal, the effective date of the decision that it reverses."
        }
    )


class RevocationSchema(StandingChangeSchema):
    """The same for a revocation, which may bar the holder from earning the certification again."""

    barred_until = DayField(
        metadata={
            "description": "The last day on which it cannot be earned again. Default: as the "
            "scheme says, or forever."
        }
    )


def present(held: standings.HeldCertification) -> dict[str, object]:
    """A certification with its standing, in the form of the API."""
    return {
        "id": held.id,
        "number": held.number,
        "public_id": held.public_id,
        "holder_id": held.holder_id,
        "scheme": held.scheme,
        "awarded_on": held.awarded_on,
        "replaced_on": held.replaced_on,
        "withdrawn_at": held.withdrawn_at,
        "standing": present_standing(held.standing),
    }


def present_standing(standing: Standing | None) -> dict[str, object] | None:
    """A standing in the form of the API; None before the award."""
    if standing is None:
        return None
    return {
        "status": standing.status,
        "valid": standing.valid,
        "as_of": standing.on,
        "cycle": standing.cycle,
        "cycle_starts_on": standing.cycle_starts_on,
        "expires_on": standing.expires_on,
        "window_opens_on": standing.window_opens_on,
        "window_closes_on": standing.window_closes_on,
        "pending_since": standing.pending_since,
    }


def present_detail(found: evaluations.Detail) -> dict[str, object]:
    """A certification with its cycles and adjustments, in the form of the API."""
    return {
        "id": found.id,
        "number": found.number,
        "public_id": found.public_id,
        "holder_id": found.holder_id,
        "scheme": found.scheme,
        "awarded_on": found.awarded_on,
        "replaced_on": found.replaced_on,
        "withdrawn_at": found.withdrawn_at,
        "standing": present_standing(found.standing),
        "imported_at": found.imported_at,
        "edition": found.edition,
        "source": found.source,
        "voided_at": found.voided_at,
        "void_reason": found.void_reason,
        "cycles": [
            {
                "ordinal": c.ordinal,
                "starts_on": c.starts_on,
                "expires_on": found.expires_on(c),
                "unextended_expires_on": c.expires_on,
                "opened_on": c.opened_on,
                "policy": c.policy,
                "imported": c.imported,
            }
            for c in found.cycles
        ],
        "adjustments": [present_adjustment(row) for row in found.adjustments],
    }


@resource.reads(
    "GET /certifications",
    "staff",
    "holder",
    query=CertificationQuerySchema,
    returns=page_of(CertificationSchema),
    errors=(404,),
)
def search(reading: ReadContext, query: Loaded) -> Response:
    """Certifications with their standings on ``as_of``; a holder sees their own."""
    rows = evaluations.page(
        reading,
        after=query.get("after"),
        limit=query["limit"] + 1,
        on=query.get("as_of"),
        holder_id=str(query["holder_id"]) if "holder_id" in query else None,
        scheme=query.get("scheme"),
        number=query.get("number"),
        status=query.get("status"),
    )
    return paging.answer(rows, query, present)


@resource.reads(
    "GET /certifications/<uuid:certification_id>",
    "reviewer",
    "staff",
    "holder",
    query=AsKnownSchema,
    returns=CertificationDetailSchema,
    errors=(404,),
    ahead=evaluations.AHEAD_OF_DETAIL,
)
def show(reading: ReadContext, query: Loaded, *, certification_id: str) -> Response:
    """One certification with its standing on ``as_of``; null before its award."""
    detail = evaluations.detail(
        reading, certification_id, on=query.get("as_of"), known_at=query.get("known_at")
    )
    return routing.answer(present_detail(detail))


def _change(kind: ChangeKind, work: UnitOfWork, body: Loaded, certification_id: str) -> Response:
    certifications.change(
        work,
        certification_id,
        kind=kind,
        reason_code=body["reason_code"],
        reason=body["reason"],
        effective_on=body.get("effective_on"),
    )
    return routing.answer(
        present_detail(evaluations.detail(work, certification_id, on=None, known_at=None)),
        status=201,
    )


def _changes(name: str, *roles: Role) -> Callable[[routing.View], routing.View]:
    """A route that changes a standing; a revocation needs two people (``api.desk.approvals``)."""
    rule = f"POST /certifications/<uuid:certification_id>/{name}"
    return resource.writes(
        rule,
        *roles,
        body=StandingChangeSchema,
        returns=CertificationDetailSchema,
        status=201,
        errors=(404, 409),
    )


@_changes("suspension", "staff")
def suspend(work: UnitOfWork, body: Loaded, *, certification_id: str) -> Response:
    """Suspend a certification."""
    return _change(ChangeKind.SUSPEND, work, body, certification_id)


@_changes("reinstatement", "staff")
def reinstate(work: UnitOfWork, body: Loaded, *, certification_id: str) -> Response:
    """Reinstate a suspended, revoked or surrendered certification."""
    return _change(ChangeKind.REINSTATE, work, body, certification_id)


@_changes("surrender", "staff", "holder")
def surrender(work: UnitOfWork, body: Loaded, *, certification_id: str) -> Response:
    """Surrender a certification."""
    return _change(ChangeKind.SURRENDER, work, body, certification_id)
