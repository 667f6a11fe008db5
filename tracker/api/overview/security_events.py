"""Security events: what happened to the caller's own account and data, and failed attempts."""

from __future__ import annotations

from dataclasses import asdict

from flask import Response
from marshmallow import Schema, fields

from tracker.api.http import paging, routing
from tracker.api.http.fields import choice
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded, page_of
from tracker.api.overview.history import HistoryPageSchema
from tracker.domain.people.security_events import FailureKind, SecurityEventKind
from tracker.domain.permissions import ORGANIZATIONS, ROLES
from tracker.services.core.context import ReadContext
from tracker.services.overview import security_events
from tracker.services.overview.security_events import SecurityEvent

resource = Resource("security-events", __name__, description=__doc__)


class SecurityEventSchema(Schema):
    """An event, whoever caused it.

    ``role`` is that of whoever did it, null for the program. ``session_id`` and ``agent`` are those
    of the caller's own session that it is about or was done in.
    """

    id = fields.Integer(required=True)
    at = fields.AwareDateTime(required=True)
    kind = choice(*SecurityEventKind, required=True)
    by_me = fields.Boolean(
        required=True,
        metadata={"description": "Whether it was done in a session or with a token of the caller."},
    )
    role = choice(*ROLES, "system", required=True, allow_none=True)
    session_id = fields.UUID(required=True, allow_none=True)
    agent = fields.String(required=True, allow_none=True)


class FailureSchema(Schema):
    """Failed attempts with one kind of secret within the last day, and when they began."""

    kind = choice(*FailureKind, required=True)
    count = fields.Integer(required=True)
    since = fields.AwareDateTime(required=True)


class FailuresSchema(Schema):
    """The failed attempts to sign in as the caller."""

    items = fields.List(fields.Nested(FailureSchema), required=True)


def _present(event: SecurityEvent) -> dict[str, object]:
    return asdict(event)


@resource.reads(
    "GET /me/security-events",
    "holder",
    *ORGANIZATIONS,
    "staff",
    query=HistoryPageSchema,
    returns=page_of(SecurityEventSchema),
)
def mine(reading: ReadContext, query: Loaded) -> Response:
    """What happened to the caller's own account and data, the newest event first."""
    rows = security_events.page(reading, after=query.get("after"), limit=query["limit"] + 1)
    return paging.answer(rows, query, _present)


@resource.reads(
    "GET /me/failed-attempts", "holder", *ORGANIZATIONS, "staff", returns=FailuresSchema
)
def failed(reading: ReadContext) -> Response:
    """How often somebody tried to sign in as the caller within the last day, and failed."""
    found = security_events.failures(reading, routing.container().message_key)
    return routing.answer({"items": [asdict(one) for one in found]})
