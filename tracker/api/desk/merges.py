"""Merges: two records of one person become one, which can be undone while nothing depends on it."""

from __future__ import annotations

from flask import Response
from marshmallow import Schema, fields

from tracker.api.desk import approvals
from tracker.api.desk.approvals import ApprovalSchema
from tracker.api.http import paging, routing
from tracker.api.http.fields import ClosedSchema, WordsField
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded, page_of
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.desk import merges
from tracker.services.desk.merges import MergeRow
from tracker.services.overview import two_person_acts

resource = Resource("merges", __name__, description=__doc__)


class MergeToProposeSchema(ClosedSchema):
    """Which record is merged into the one in the path, and why they are of one person."""

    merged_id = fields.UUID(required=True)
    reason = WordsField(500, required=True)


class UndoneMergeSchema(ClosedSchema):
    """Why a merge is undone."""

    reason = WordsField(500, required=True)


class MergeSchema(Schema):
    """A merge, what it brought, and whether it was undone."""

    id = fields.UUID(required=True)
    holder_id = fields.UUID(required=True, metadata={"description": "The record that stays."})
    merged_id = fields.UUID(required=True, metadata={"description": "The record that leads to it."})
    reason = fields.String(required=True)
    summary = fields.Dict(
        required=True,
        metadata={
            "description": "The refs of both, how many rows of each kind went from one to the "
            "other, which addresses and account stay, and each certificate with its standing "
            "before and after, and the number to which it leads; and what becomes of each "
            "extension and reduction of an award that leads on: carried, covered or left."
        },
    )
    recorded_at = fields.AwareDateTime(required=True)
    recorded_by = fields.String(required=True)
    undone_at = fields.AwareDateTime(required=True, allow_none=True)
    undone_by = fields.String(required=True, allow_none=True)
    undone_reason = fields.String(required=True, allow_none=True)


class MergeQuerySchema(paging.PageSchema):
    """Those of one record, either way."""

    holder_id = fields.UUID()


def present(row: MergeRow) -> dict[str, object]:
    """A merge in the form of the API."""
    return row._asdict()


@resource.writes(
    "POST /holders/<uuid:holder_id>/merge",
    "staff",
    body=MergeToProposeSchema,
    returns=ApprovalSchema,
    status=201,
    errors=(404, 409),
)
def propose(work: UnitOfWork, body: Loaded, *, holder_id: str) -> Response:
    """Propose to merge another record into this one; ``preview`` says what it would bring.

    Somebody else must approve it (POST /approvals/{id}/approval).
    """
    row = two_person_acts.propose_merge(
        work, holder_id, str(body["merged_id"]), reason=body["reason"]
    )
    return approvals.proposed(work, row)


@resource.reads("GET /merges", "staff", query=MergeQuerySchema, returns=page_of(MergeSchema))
def listed(reading: ReadContext, query: Loaded) -> Response:
    """The merges, oldest first."""
    holder_id = str(query["holder_id"]) if "holder_id" in query else None
    rows = merges.page(
        reading, after=query.get("after"), limit=query["limit"] + 1, holder_id=holder_id
    )
    return paging.answer(rows, query, present)


@resource.reads("GET /merges/<uuid:merge_id>", "staff", returns=MergeSchema, errors=(404,))
def show(reading: ReadContext, *, merge_id: str) -> Response:
    """One merge."""
    return routing.answer(present(merges.get(reading, merge_id)))


@resource.writes(
    "POST /merges/<uuid:merge_id>/undo",
    "staff",
    body=UndoneMergeSchema,
    returns=MergeSchema,
    errors=(404, 409),
)
def undo(work: UnitOfWork, body: Loaded, *, merge_id: str) -> Response:
    """Undo a merge: both records are as before. Refused if something later depends on it."""
    return routing.answer(present(merges.undo(work, merge_id, **body)))
