"""Sending: whether messages may leave this database, and how an administrator stops them."""

from __future__ import annotations

from flask import Response
from marshmallow import Schema, fields

from tracker.api.http import routing
from tracker.api.http.fields import ClosedSchema, WordsField
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.delivery import send_safety

resource = Resource("sending", __name__, description=__doc__)


class SendingSchema(Schema):
    """Whether messages may leave; if not, why, and what to do about it."""

    enabled = fields.Boolean(required=True)
    obstacle = fields.String(required=True, allow_none=True)
    remedy = fields.String(required=True, allow_none=True)


class SwitchSchema(ClosedSchema):
    """Whether messages may leave from now on, and why; the reason is kept in the history."""

    enabled = fields.Boolean(required=True, truthy={True}, falsy={False})
    reason = WordsField(500, required=True)


@resource.reads("GET /reminders/sending", "staff", returns=SendingSchema)
def show(reading: ReadContext) -> Response:
    """Whether messages may leave this database now."""
    return _answer(reading)


@resource.writes("POST /reminders/sending", body=SwitchSchema, returns=SendingSchema)
def switch(work: UnitOfWork, body: Loaded) -> Response:
    """Allow messages to leave, whatever stopped them; or stop all messages at once."""
    change = send_safety.enable if body["enabled"] else send_safety.disable
    change(work, reason=body["reason"])
    return _answer(work)


def _answer(reading: ReadContext) -> Response:
    found = send_safety.obstacle(reading)
    return routing.answer(
        {
            "enabled": found is None,
            "obstacle": found and found.reason,
            "remedy": found and found.remedy,
        }
    )
