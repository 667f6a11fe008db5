"""Sending: whether messages may leave this database, and how an administrator stops them."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import Schema, fields

from tracker.api import doors
from tracker.api.doors import Nouns
from tracker.api.fields import Closed, Words
from tracker.services import runtime
from tracker.services.work import Reading, Work

nouns = Nouns("sending", __name__, description=__doc__)


class Sending(Schema):
    """Whether messages may leave; if not, why, and what to do about it."""

    enabled = fields.Boolean(required=True)
    obstacle = fields.String(required=True, allow_none=True)
    remedy = fields.String(required=True, allow_none=True)


class Switch(Closed):
    """Whether messages may leave from now on, and why; the reason stands in the history."""

    enabled = fields.Boolean(required=True, truthy={True}, falsy={False})
    reason = Words(500, required=True)


@nouns.reads("GET /reminders/sending", "staff", returns=Sending)
def show(reading: Reading) -> Response:
    """Whether messages may leave this database now."""
    return _answer(reading)


@nouns.writes("POST /reminders/sending", body=Switch, returns=Sending)
def switch(work: Work, body: dict[str, Any]) -> Response:
    """Allow messages to leave, whatever stopped them; or stop every one at once."""
    change = runtime.enable if body["enabled"] else runtime.disable
    change(work, reason=body["reason"])
    return _answer(work)


def _answer(reading: Reading) -> Response:
    found = runtime.obstacle(reading)
    return doors.answer(
        {"enabled": found is None, "obstacle": found and found.reason,
         "remedy": found and found.remedy}
    )  # fmt: skip
