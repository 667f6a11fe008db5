"""Likely duplicates: pairs of records that may be of one person, for staff to look at."""

from __future__ import annotations

from flask import Response
from marshmallow import Schema, fields

from tracker.api.http import paging, routing
from tracker.api.http.fields import ClosedSchema, WordsField, choice
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded, page_of
from tracker.domain.people.duplicates import DuplicateSign
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.people import duplicates
from tracker.services.people.duplicates import DuplicateRow

resource = Resource("duplicates", __name__, description=__doc__)


class ComparedPersonSchema(Schema):
    """One of the two people on record."""

    id = fields.UUID(required=True)
    ref = fields.String(required=True)
    name = fields.String(required=True)
    email = fields.String(required=True)


class DuplicatePairSchema(Schema):
    """A pair of records, why it is listed, and whether it is settled that they are two people."""

    id = fields.UUID(required=True)
    people = fields.List(fields.Nested(ComparedPersonSchema), required=True)
    signs = fields.List(choice(*DuplicateSign), required=True)
    recorded_at = fields.AwareDateTime(required=True)
    settled_at = fields.AwareDateTime(required=True, allow_none=True)
    settled_by = fields.String(required=True, allow_none=True)
    settled_reason = fields.String(required=True, allow_none=True)


class DuplicateQuerySchema(paging.PageSchema):
    """Which pairs."""

    settled = fields.Boolean(
        load_default=False,
        metadata={"description": "Those settled as two people, instead of those that are open."},
    )


class PairSettlementSchema(ClosedSchema):
    """Why they are two people, or why that is taken back."""

    reason = WordsField(500, required=True)


def present(row: DuplicateRow) -> dict[str, object]:
    """A pair in the form of the API."""
    shown: dict[str, object] = row._asdict()
    shown["people"] = [
        {name: shown.pop(f"{which}_{name}") for name in ("id", "ref", "name", "email")}
        for which in ("first", "second")
    ]
    return shown


@resource.reads(
    "GET /holders/duplicates",
    "staff",
    query=DuplicateQuerySchema,
    returns=page_of(DuplicatePairSchema),
)
def listed(reading: ReadContext, query: Loaded) -> Response:
    """Pairs of records that may be of one person, the first found first."""
    rows = duplicates.page(
        reading, after=query.get("after"), limit=query["limit"] + 1, settled=query["settled"]
    )
    return paging.answer(rows, query, present)


@resource.writes(
    "POST /holders/duplicates/<uuid:duplicate_id>/settlement",
    "staff",
    body=PairSettlementSchema,
    returns=DuplicatePairSchema,
    errors=(404, 409),
)
def settle(work: UnitOfWork, body: Loaded, *, duplicate_id: str) -> Response:
    """Record that they are two people: the pair is not listed again."""
    return routing.answer(present(duplicates.settle(work, duplicate_id, **body)))


@resource.writes(
    "POST /holders/duplicates/<uuid:duplicate_id>/reopening",
    "staff",
    body=PairSettlementSchema,
    returns=DuplicatePairSchema,
    errors=(404, 409),
)
def reopen(work: UnitOfWork, body: Loaded, *, duplicate_id: str) -> Response:
    """Take back that they are two people."""
    return routing.answer(present(duplicates.reopen(work, duplicate_id, **body)))
