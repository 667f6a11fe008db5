"""Relay events: what the mail provider reports about messages, signed with a shared key.

``Tracker-Signature: t=<seconds since 1970>,v1=<hex>``, where v1 is the HMAC-SHA256 of the time, a
dot and the body, with the key that ``tracker reminders relay-key`` prints. Signatures are valid for
five minutes.
"""

from __future__ import annotations

import hmac
import re

from flask import Response, request
from marshmallow import fields, validate
from werkzeug.exceptions import Unauthorized

from tracker.api.http import bodies, routing
from tracker.api.http.fields import ClosedSchema, MomentField, WordsField, choice
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded
from tracker.domain.errors import Invalid
from tracker.domain.permissions import Actor
from tracker.services.delivery import relay_evidence
from tracker.services.delivery.relay_evidence import HAPPENINGS, Event

resource = Resource("relay-events", __name__, description=__doc__)

_RELAY = Actor(role="admin", name="mail relay")
_HEADER = "Tracker-Signature"
_TOLERANCE = 300  # seconds
_SIGNATURE = re.compile(r"t=(?P<t>[0-9]{1,12})(?P<signed>(?:,v1=[0-9a-f]{64}){1,5})")
_MOST = 1000


class RelayEventSchema(ClosedSchema):
    """What happened to one message; its Message-ID with or without angle brackets."""

    message_id = fields.String(
        required=True,
        validate=validate.Regexp(r"^<?[^<>\s\x00-\x1f\x7f]{3,118}>?\Z"),
        metadata={"example": "<abc@tracker.example>"},
    )
    event = choice(*HAPPENINGS, required=True)
    at = MomentField(required=True)
    queue_id = WordsField(64)
    status = fields.String(
        validate=validate.Regexp(r"^[245]\.[0-9]{1,3}\.[0-9]{1,3}\Z"),
        metadata={
            "description": "The enhanced status code (RFC 3463) of a bounce.",
            "example": "5.1.1",
        },
    )


_EVENTS = RelayEventSchema(many=True)


def take() -> Response:
    """Record what happened to messages, at most 1,000 a request; a repetition changes nothing."""
    signature = _signature()
    body = request.get_data()
    _check_signed(signature, body)
    events = [Event(**event) for event in _load(body)]
    with routing.container().work(_RELAY) as work:
        relay_evidence.take_events(work, events)
    return routing.done()


take.allowed, take.public = frozenset(), True  # type: ignore[attr-defined]
resource.routed(
    "POST /relay-events",
    resource.doc(
        requestBody={"required": True, "content": {routing.JSON: {"schema": _EVENTS}}},
        parameters=[
            {
                "in": "header",
                "name": _HEADER,
                "schema": {"type": "string"},
                "description": "t=<seconds since 1970>,v1=<hex of HMAC-SHA256 over t.body>",
            }
        ],
    )(take),
    status=204,
    returns=None,
    query=None,
    body=None,
    errors=(400, 401, 413, 422),
    public=True,
)


def _signature() -> re.Match[str]:
    """The signature, checked before the body is read. Raises Unauthorized if missing or too old."""
    found = _SIGNATURE.fullmatch(request.headers.get(_HEADER, ""))
    if found is None:
        raise Unauthorized(f"The header {_HEADER} is missing or malformed.")
    if abs(routing.container().clock().timestamp() - int(found["t"])) > _TOLERANCE:
        raise Unauthorized("The signature's time is too old, or in the future.")
    return found


def _check_signed(signature: re.Match[str], body: bytes) -> None:
    """Raise Unauthorized for a body that is not signed with our key."""
    signed = signature["t"].encode() + b"." + body
    genuine = hmac.digest(routing.container().relay_key, signed, "sha256").hex()
    signatures = signature["signed"].split(",v1=")[1:]  # several while the key is being changed
    if not any(hmac.compare_digest(genuine, one) for one in signatures):
        raise Unauthorized("The signature does not match.")


def _load(body: bytes) -> list[Loaded]:
    events = bodies.read(body)
    if not isinstance(events, list) or len(events) > _MOST:
        rule = f"must be a list of at most {_MOST} events"
        raise Invalid("A value is not acceptable.", fields={"body": rule})
    loaded: list[Loaded] = routing.load(_EVENTS, events)
    return loaded
