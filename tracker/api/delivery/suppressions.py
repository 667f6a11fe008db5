"""Suppressions: addresses to which nothing is sent, and how staff lift a suppression."""

from __future__ import annotations

from flask import Response
from marshmallow import Schema, fields, validate

from tracker.api.http import paging, routing
from tracker.api.http.fields import ClosedSchema, NumberInQuery, WordsField, choice
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded, page_of
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.outbox import suppressions
from tracker.services.outbox.suppressions import SuppressedAddress

resource = Resource("suppressions", __name__, description=__doc__)


class SuppressionSchema(Schema):
    """An address to which nothing is sent, why, and until when."""

    address = fields.String(required=True)
    reason = choice(*suppressions.REASONS, required=True)
    until_at = fields.AwareDateTime(
        required=True, allow_none=True, metadata={"description": "Null: permanently."}
    )
    recorded_at = fields.AwareDateTime(required=True)


class SuppressionQuerySchema(ClosedSchema):
    """All suppressions, or those of one address."""

    after = paging.Cursor(metadata={"description": "The ``next_cursor`` of the previous page."})
    limit = NumberInQuery(
        load_default=paging.DEFAULT_LIMIT, validate=validate.Range(1, paging.LONGEST)
    )
    address = WordsField(254)


class LiftSchema(ClosedSchema):
    """Which address may get messages again, and why."""

    address = WordsField(254, required=True)
    reason = WordsField(500, required=True)


def _present(row: SuppressedAddress) -> dict[str, object]:
    return row._asdict()


@resource.reads(
    "GET /suppressions", "staff", query=SuppressionQuerySchema, returns=page_of(SuppressionSchema)
)
def page(reading: ReadContext, query: Loaded) -> Response:
    """The addresses to which nothing is sent now, in alphabetical order."""
    rows = suppressions.page(
        reading, after=query.get("after"), limit=query["limit"] + 1, address=query.get("address")
    )
    return paging.answer(rows, query, _present, key=lambda row: row.address)


@resource.writes(
    "POST /suppressions/lift", "staff", body=LiftSchema, returns=None, status=204, errors=(404,)
)
def lift(work: UnitOfWork, body: Loaded) -> Response:
    """Send to an address again, for instance because the mailbox works again."""
    suppressions.lift(work, body["address"], reason=body["reason"])
    return routing.done()
