"""Sessions: where the caller is signed in."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import Schema, fields

from tracker.api.http import paging, routing
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import page_of
from tracker.domain.permissions import ORGANIZATIONS
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.people import sessions

resource = Resource("sessions", __name__, description=__doc__)


class SessionSchema(Schema):
    """A browser in which the caller is signed in."""

    id = fields.UUID(required=True)
    agent = fields.String(
        required=True, metadata={"description": "What the browser called itself."}
    )
    started_at = fields.AwareDateTime(required=True)
    last_used_at = fields.AwareDateTime(required=True, metadata={"description": "To the minute."})
    current = fields.Boolean(
        required=True, metadata={"description": "Whether this request belongs to it."}
    )


@resource.reads(
    "GET /me/sessions",
    "holder",
    *ORGANIZATIONS,
    "reviewer",
    "staff",
    query=paging.PageSchema,
    returns=page_of(SessionSchema),
)
def mine(reading: ReadContext, query: dict[str, Any]) -> Response:
    """The caller's own sessions that are not over."""
    rows = sessions.page(reading, after=query.get("after"), limit=query["limit"] + 1)
    return paging.answer(rows, query, lambda row: present(reading, row))


def present(reading: ReadContext, row: Any) -> dict[str, Any]:
    """A session as it is answered."""
    return {
        "id": row.id,
        "agent": row.agent,
        "started_at": row.started_at,
        "last_used_at": row.last_used_at,
        "current": row.id == reading.actor.session_id,
    }


@resource.writes(
    "DELETE /me/sessions/<uuid:session_id>",
    "holder",
    *ORGANIZATIONS,
    "reviewer",
    "staff",
    returns=None,
    status=204,
    errors=(404,),
    personal=True,
)
def end(work: UnitOfWork, *, session_id: str) -> Response:
    """Sign a browser out; its next request is refused."""
    sessions.end(work, session_id)
    return routing.done()
