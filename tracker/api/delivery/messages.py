"""Messages: what was sent to whom, what happened to it, and what staff can do with it."""

from __future__ import annotations

from flask import Response
from marshmallow import Schema, fields

from tracker.api.http import paging, routing
from tracker.api.http.fields import ClosedSchema, WordsField, choice
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded, page_of
from tracker.domain.delivery.queue_acts import MessageState, QueueAct
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.delivery import by_hand, sent_messages
from tracker.services.delivery.sent_messages import Copy, MessageFilter
from tracker.services.outbox.queue import SECRET

resource = Resource("messages", __name__, description=__doc__)

KINDS = ("reminder", "notice", "digest", *SECRET)
_SENT_TO_ME = ("id", "kind", "state", "finished_at")
_OF_ROW = (
    "id",
    "kind",
    "state",
    "holder_id",
    "employer_id",
    "address",
    "stage",
    "created_at",
    "attempts",
    "last_error",
    "finished_at",
)


class MyMessageSchema(Schema):
    """A message that was sent to the holder, or tried. Its words are those that were sent."""

    id = fields.UUID(required=True)
    kind = choice(*KINDS, required=True)
    state = choice(*MessageState, required=True)
    subject = fields.String(required=True, allow_none=True)
    text = fields.String(required=True, allow_none=True)
    finished_at = fields.AwareDateTime(
        required=True,
        allow_none=True,
        metadata={"description": "When it was sent, canceled or abandoned."},
    )


class MessageSchema(Schema):
    """A message and its state. ``subject`` is null until the first attempt to send it."""

    id = fields.UUID(required=True)
    kind = choice(*KINDS, required=True)
    state = choice(*MessageState, required=True)
    holder_id = fields.UUID(required=True, allow_none=True)
    employer_id = fields.UUID(required=True, allow_none=True)
    address = fields.String(required=True)
    stage = fields.Integer(required=True, allow_none=True)
    subject = fields.String(required=True, allow_none=True)
    created_at = fields.AwareDateTime(required=True)
    next_at = fields.AwareDateTime(
        required=True, allow_none=True, metadata={"description": "When the next attempt is due."}
    )
    attempts = fields.Integer(required=True)
    last_error = fields.String(required=True, allow_none=True)
    finished_at = fields.AwareDateTime(required=True, allow_none=True)


class WholeMessageSchema(MessageSchema):
    """A message with its words."""

    text = fields.String(required=True, allow_none=True)


class MessageQuerySchema(paging.PageSchema):
    """Filters by state, kind or holder. Long-finished messages are listed by holder only."""

    state = choice(*MessageState)
    kind = choice(*KINDS)
    holder_id = fields.UUID()


class WhySchema(ClosedSchema):
    """Why staff change a message; the reason is kept in the history."""

    reason = WordsField(500, required=True)


def _present(copy: Copy) -> dict[str, object]:
    shown = {name: getattr(copy.row, name) for name in _OF_ROW}
    return {**shown, "subject": copy.subject, "next_at": copy.next_at}


def _whole(copy: Copy) -> dict[str, object]:
    return {**_present(copy), "text": copy.text}


def _mine(copy: Copy) -> dict[str, object]:
    shown = {name: getattr(copy.row, name) for name in _SENT_TO_ME}
    return {**shown, "subject": copy.subject, "text": copy.text}


def _key() -> bytes:
    return routing.container().message_key


@resource.reads("GET /messages", "staff", query=MessageQuerySchema, returns=page_of(MessageSchema))
def page(reading: ReadContext, query: Loaded) -> Response:
    """The messages, newest first."""
    holder_id, state = query.get("holder_id"), query.get("state")
    asked = MessageFilter(
        query.get("after"),
        query["limit"] + 1,
        (state,) if state else None,
        query.get("kind"),
        holder_id=str(holder_id) if holder_id else None,
    )
    rows = sent_messages.page(reading, _key(), asked)
    return paging.answer(rows, query, _present)


@resource.reads(
    "GET /messages/<uuid:message_id>", "staff", returns=WholeMessageSchema, errors=(404,)
)
def show(reading: ReadContext, *, message_id: str) -> Response:
    """One message, with its words once a first attempt was made to send it."""
    return routing.answer(_whole(sent_messages.one(reading, _key(), message_id)))


@resource.reads(
    "GET /me/messages",
    "holder",
    query=paging.PageSchema,
    returns=page_of(MyMessageSchema),
    errors=(404,),
)
def mine(reading: ReadContext, query: Loaded) -> Response:
    """The messages that we sent you, newest first."""
    rows = sent_messages.mine(reading, _key(), after=query.get("after"), limit=query["limit"] + 1)
    return paging.answer(rows, query, _mine)


@resource.writes(
    "POST /messages/<uuid:message_id>/requeue",
    "staff",
    body=WhySchema,
    returns=WholeMessageSchema,
    errors=(404, 409),
)
def requeue(work: UnitOfWork, body: Loaded, *, message_id: str) -> Response:
    """Send a dead, cancelled, ambiguous or parked message; if it may have been sent, unchanged."""
    return _change(work, message_id, QueueAct.REQUEUE, body)


@resource.writes(
    "POST /messages/<uuid:message_id>/cancel",
    "staff",
    body=WhySchema,
    returns=WholeMessageSchema,
    errors=(404, 409),
)
def cancel(work: UnitOfWork, body: Loaded, *, message_id: str) -> Response:
    """Cancel a message that is ready, parked or ambiguous."""
    return _change(work, message_id, QueueAct.CANCEL, body)


def _change(work: UnitOfWork, message_id: str, act: QueueAct, body: Loaded) -> Response:
    """The message afterwards. One being sent is refused; a repeated request changes nothing."""
    by_hand.change(work, message_id, act, reason=body["reason"])
    return routing.answer(_whole(sent_messages.one(work, _key(), message_id)))
