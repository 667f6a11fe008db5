"""Discrepancies between providers' lists and holders' claims, settled one by one."""

from __future__ import annotations

from dataclasses import asdict

from flask import Response
from marshmallow import Schema, fields

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
from tracker.api.http.schemas import Loaded, page_of
from tracker.domain.points.attendance import (
    CHOICES,
    DiscrepancyKind,
    DiscrepancyState,
    Outcome,
    ProviderAnswer,
)
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.desk import discrepancies
from tracker.services.desk.discrepancies import DiscrepancyRow, Settlement

resource = Resource("discrepancies", __name__, description=__doc__)


class ListedPersonSchema(Schema):
    """How a provider's list names somebody."""

    name = fields.String(required=True, allow_none=True)
    holder_ref = fields.String(required=True, allow_none=True)
    certificate_number = fields.String(required=True, allow_none=True)
    email = fields.String(required=True, allow_none=True)


class DiscrepancySchema(Schema):
    """What the provider said and what the holder claims, and how it was settled.

    ``listed`` is null where the provider's list has nobody: the holder alone says so. ``answer`` is
    what the provider says of its list.
    """

    id = fields.UUID(required=True)
    kind = choice(*DiscrepancyKind, required=True)
    state = choice(*DiscrepancyState, required=True)
    course_id = fields.UUID(required=True)
    course = fields.String(required=True)
    title = fields.String(required=True)
    provider_id = fields.UUID(required=True)
    provider = fields.String(required=True)
    held_on = DayField(required=True)
    listed = fields.Nested(ListedPersonSchema, required=True, allow_none=True)
    holder_id = fields.UUID(required=True, allow_none=True)
    holder_name = fields.String(required=True, allow_none=True)
    activity_id = fields.UUID(required=True, allow_none=True)
    said = AmountField(required=True, allow_none=True)
    claimed = AmountField(required=True, allow_none=True)
    detail = fields.String(required=True, allow_none=True)
    answer = choice(*ProviderAnswer, required=True, allow_none=True)
    answer_note = fields.String(required=True, allow_none=True)
    answered_by = fields.String(required=True, allow_none=True)
    answered_at = fields.AwareDateTime(required=True, allow_none=True)
    outcome = choice(*Outcome, required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True)
    settled_by = fields.String(required=True, allow_none=True)
    settled_at = fields.AwareDateTime(required=True, allow_none=True)
    recorded_at = fields.AwareDateTime(required=True)


class DiscrepancyQuerySchema(paging.PageSchema):
    """Filters."""

    state = choice(*DiscrepancyState)
    kind = choice(*DiscrepancyKind)
    course_id = fields.UUID()
    provider_id = fields.UUID()
    holder_id = fields.UUID()


class DiscrepancySettlementSchema(ClosedSchema):
    """An outcome with what it needs.

    ``matched`` needs ``holder_id``; the others need a reason. Where the provider's silence counts,
    the claim is rejected, which needs a ``reason_code``.
    """

    outcome = choice(*CHOICES, required=True)
    reason = WordsField(2000, load_default=None, allow_none=True)
    reason_code = reason_code_field(allow_none=True)
    holder_id = fields.UUID(load_default=None, allow_none=True)


class ReopeningSchema(ClosedSchema):
    """Why it is opened again."""

    reason = WordsField(2000, required=True)


_GIVEN = {
    "name": "given_name",
    "holder_ref": "given_holder_ref",
    "certificate_number": "given_number",
    "email": "given_email",
}


def listed_person(shown: dict[str, object]) -> dict[str, object]:
    """Take out of the columns of a row how the list names the person."""
    return {name: shown.pop(column) for name, column in _GIVEN.items()}


def _present(row: DiscrepancyRow) -> dict[str, object]:
    shown = asdict(row)
    listed = listed_person(shown)
    own = shown.pop("attendance_id")
    del shown["version"]
    named = {"course": shown.pop("code"), "provider": shown.pop("name")}
    return shown | named | {"listed": listed if own else None}


def _answer(reading: ReadContext, discrepancy_id: str) -> Response:
    row = discrepancies.get(reading, discrepancy_id)
    return routing.answer(_present(row), version=row.version)


@resource.reads(
    "GET /discrepancies",
    "staff",
    query=DiscrepancyQuerySchema,
    returns=page_of(DiscrepancySchema),
)
def search(reading: ReadContext, query: Loaded) -> Response:
    """The discrepancies, oldest first."""
    filters = {k: str(v) for k, v in query.items() if k not in {"after", "limit"}}
    rows = discrepancies.page(
        reading, after=query.get("after"), limit=query["limit"] + 1, filters=filters
    )
    return paging.answer(rows, query, _present)


@resource.reads(
    "GET /discrepancies/<uuid:discrepancy_id>", "staff", returns=DiscrepancySchema, errors=(404,)
)
def show(reading: ReadContext, *, discrepancy_id: str) -> Response:
    """One discrepancy."""
    return _answer(reading, discrepancy_id)


@resource.writes(
    "POST /discrepancies/<uuid:discrepancy_id>/settlement",
    "staff",
    body=DiscrepancySettlementSchema,
    returns=DiscrepancySchema,
    versioned=True,
    errors=(404, 409),
)
def settle(work: UnitOfWork, body: Loaded, *, discrepancy_id: str, version: int) -> Response:
    """Settle a discrepancy, never one about one's own record."""
    holder_id = body["holder_id"]
    settlement = Settlement(
        outcome=Outcome(body["outcome"]),
        reason=body["reason"],
        reason_code=body.get("reason_code"),
        holder_id=None if holder_id is None else str(holder_id),
    )
    discrepancies.settle(work, discrepancy_id, settlement, version=version)
    return _answer(work, discrepancy_id)


@resource.writes(
    "POST /discrepancies/<uuid:discrepancy_id>/reopening",
    "staff",
    body=ReopeningSchema,
    returns=DiscrepancySchema,
    versioned=True,
    errors=(404, 409),
)
def reopen(work: UnitOfWork, body: Loaded, *, discrepancy_id: str, version: int) -> Response:
    """Open a settled discrepancy again; a match is taken back with what it brought."""
    discrepancies.reopen(work, discrepancy_id, reason=body["reason"], version=version)
    return _answer(work, discrepancy_id)
