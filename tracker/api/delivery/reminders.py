"""Reminders: the outcome of every stage, and of its message."""

from __future__ import annotations

from flask import Response
from marshmallow import Schema, fields, validate

from tracker.api.http import paging, routing
from tracker.api.http.fields import ClosedSchema, DayField, NumberInQuery, choice
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded, page_of
from tracker.domain.delivery.queue_acts import MessageState
from tracker.domain.delivery.reminders import StageOutcome
from tracker.services.core.context import ReadContext
from tracker.services.delivery import ledger, reminder_calendar
from tracker.services.delivery.ledger import RecordedReminder, StageFate

resource = Resource("reminders", __name__, description=__doc__)

_SHOWN = (
    "cycle",
    "expires_on",
    "offset",
    "due_at",
    "fate",
    "reason",
    "message_state",
    "sent_at",
    "last_error",
)


class StageSchema(Schema):
    """One stage of one cycle: its outcome, and that of its message if one was planned."""

    cycle = fields.Integer(required=True)
    expires_on = DayField(required=True)
    offset = fields.Integer(
        required=True, metadata={"description": "Days before expiration; negative: after it."}
    )
    due_at = fields.AwareDateTime(required=True)
    fate = choice(ledger.AHEAD, *StageOutcome, required=True)
    reason = fields.String(required=True, allow_none=True)
    message_state = choice(*MessageState, required=True, allow_none=True)
    sent_at = fields.AwareDateTime(
        required=True,
        allow_none=True,
        metadata={"description": "When the mail server accepted the message."},
    )
    last_error = fields.String(
        required=True, allow_none=True, metadata={"description": "Shown only to staff."}
    )


class ReminderSchema(StageSchema):
    """A decided stage, with the holder and certification that it is about."""

    id = fields.UUID(required=True)
    certification_id = fields.UUID(required=True)
    holder_id = fields.UUID(required=True)
    scheme = fields.String(required=True)
    recorded_at = fields.AwareDateTime(required=True)


class ReminderQuerySchema(paging.PageSchema):
    """Filters by outcome, or by the state of the message."""

    fate = choice(*StageOutcome)
    state = choice(*MessageState, metadata={"description": "The state of its message."})


class CalendarQuerySchema(ClosedSchema):
    """How many days ahead, not counting today."""

    days = NumberInQuery(load_default=90, validate=validate.Range(1, reminder_calendar.LONGEST))


class DueStageSchema(Schema):
    """How many certifications of a scheme have a stage on a day, at most.

    Holders who want no reminders, or have no address, are counted too; if ``when_complete`` is
    false, also those whose points will be complete. They get no message.
    """

    on = DayField(required=True)
    scheme = fields.String(required=True)
    stage = fields.Integer(
        required=True, metadata={"description": "Days before expiration; negative: after it."}
    )
    count = fields.Integer(required=True)
    when_complete = fields.Boolean(required=True)


class CalendarSchema(Schema):
    """What is due from one day through another, both included; today includes overdue stages."""

    from_on = DayField(required=True)
    through_on = DayField(required=True)
    due = fields.List(fields.Nested(DueStageSchema), required=True)


def _stage(reading: ReadContext, stage: StageFate | RecordedReminder) -> dict[str, object]:
    shown = {name: getattr(stage, name) for name in _SHOWN}
    return shown if reading.actor.is_staff else {**shown, "last_error": None}


def _reminder(reading: ReadContext, row: RecordedReminder) -> dict[str, object]:
    return {
        "id": row.id,
        "certification_id": row.certification_id,
        "holder_id": row.holder_id,
        "scheme": row.scheme,
        "recorded_at": row.recorded_at,
        **_stage(reading, row),
    }


@resource.reads(
    "GET /certifications/<uuid:certification_id>/reminders",
    "staff",
    "holder",
    returns=StageSchema(many=True),
    errors=(404,),
)
def of_certification(reading: ReadContext, *, certification_id: str) -> Response:
    """Every stage of a certification's cycles, oldest first, including future ones."""
    found = ledger.fates(reading, certification_id)
    return routing.answer([_stage(reading, one) for one in found])


@resource.reads(
    "GET /reminders", "staff", "holder", query=ReminderQuerySchema, returns=page_of(ReminderSchema)
)
def page(reading: ReadContext, query: Loaded) -> Response:
    """The decided stages, in the order of their recording; a holder sees their own."""
    rows = ledger.page(
        reading,
        after=query.get("after"),
        limit=query["limit"] + 1,
        state=query.get("state"),
        fate=query.get("fate"),
        holder_id=reading.actor.holder_id if _own(reading) else None,
    )
    return paging.answer(rows, query, lambda row: _reminder(reading, row))


@resource.reads(
    "GET /reminders/calendar", "staff", query=CalendarQuerySchema, returns=CalendarSchema
)
def calendar(reading: ReadContext, query: Loaded) -> Response:
    """What is due in the days ahead, by day, scheme and stage."""
    found = reminder_calendar.ahead(reading, days=query["days"])
    due = [
        {
            "on": one.on,
            "scheme": one.scheme,
            "stage": one.stage,
            "count": one.count,
            "when_complete": one.when_complete,
        }
        for one in found.due
    ]
    return routing.answer({"from_on": found.from_on, "through_on": found.through_on, "due": due})


def _own(reading: ReadContext) -> bool:
    return not reading.actor.is_staff
