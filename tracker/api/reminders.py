"""Reminders: what became of every stage, and of its letter."""

from __future__ import annotations

from typing import Any, get_args

from flask import Response
from marshmallow import Schema, fields, validate

from tracker.api import doors, paging
from tracker.api.doors import Nouns
from tracker.api.fields import Closed, Day, choice
from tracker.api.schemas import page_of
from tracker.services import operations, reminder_calendar, reminders
from tracker.services.work import Reading

nouns = Nouns("reminders", __name__, description=__doc__)

_FATES = tuple(fate for fate in get_args(reminders.StageState) if fate != "ahead")
_SHOWN = (
    "cycle", "expires_on", "offset", "due_at", "fate", "reason", "message_state", "sent_at",
    "last_error",
)  # fmt: skip


class Stage(Schema):
    """One stage of one cycle: what became of it, and of its letter if it was planned."""

    cycle = fields.Integer(required=True)
    expires_on = Day(required=True)
    offset = fields.Integer(required=True, metadata={"description": "Days before the expiry."})
    due_at = fields.AwareDateTime(required=True)
    fate = choice(*get_args(reminders.StageState), required=True)
    reason = fields.String(required=True, allow_none=True)
    message_state = choice(*operations.MESSAGE_STATES, required=True, allow_none=True)
    sent_at = fields.AwareDateTime(
        required=True, allow_none=True,
        metadata={"description": "When the mail server took the letter."},
    )  # fmt: skip
    last_error = fields.String(
        required=True, allow_none=True, metadata={"description": "Shown to staff."}
    )


class Reminder(Stage):
    """A stage that is decided, with whom it is about."""

    id = fields.UUID(required=True)
    certification_id = fields.UUID(required=True)
    holder_id = fields.UUID(required=True)
    scheme = fields.String(required=True)
    recorded_at = fields.AwareDateTime(required=True)


class ReminderQuery(paging.Page):
    """Of one fate, or with a letter in one state, if asked."""

    fate = choice(*_FATES)
    state = choice(*operations.MESSAGE_STATES, metadata={"description": "The letter's."})


class CalendarQuery(Closed):
    """How many days ahead, today not counted."""

    days = fields.Integer(
        load_default=90, strict=False, validate=validate.Range(1, reminder_calendar.LONGEST)
    )


class DueStage(Schema):
    """How many certifications of a scheme have a stage on a day, at most.

    Holders who want no reminders, or have no address, are counted too; where
    ``when_complete`` is false, also those whose points will be complete. They get no letter.
    """

    on = Day(required=True)
    scheme = fields.String(required=True)
    stage = fields.Integer(required=True, metadata={"description": "Days before the expiry."})
    count = fields.Integer(required=True)
    when_complete = fields.Boolean(required=True)


class Calendar(Schema):
    """What falls due from one day through another, both included; today also what is overdue."""

    from_on = Day(required=True)
    through_on = Day(required=True)
    due = fields.List(fields.Nested(DueStage), required=True)


def _stage(reading: Reading, one: Any) -> dict[str, Any]:
    shown = {name: getattr(one, name) for name in _SHOWN}
    return shown if reading.actor.is_staff else {**shown, "last_error": None}


def _reminder(reading: Reading, row: Any) -> dict[str, Any]:
    return {
        "id": row.id, "certification_id": row.certification_id, "holder_id": row.holder_id,
        "scheme": row.scheme, "recorded_at": row.recorded_at, **_stage(reading, row),
    }  # fmt: skip


@nouns.reads(
    "GET /certifications/<uuid:certification_id>/reminders",
    "staff",
    "holder",
    returns=Stage(many=True),
    errors=(404,),
)
def of_certification(reading: Reading, *, certification_id: str) -> Response:
    """Every stage of a certification's cycles, oldest first, those ahead included."""
    found = reminders.fates(reading, certification_id)
    return doors.answer([_stage(reading, one) for one in found])


@nouns.reads("GET /reminders", "staff", "holder", query=ReminderQuery, returns=page_of(Reminder))
def page(reading: Reading, query: dict[str, Any]) -> Response:
    """The stages that are decided, in the order of their recording; a holder sees their own."""
    rows = reminders.page(
        reading, after=query.get("after"), limit=query["limit"] + 1, state=query.get("state"),
        fate=query.get("fate"), holder_id=reading.actor.holder_id if _own(reading) else None,
    )  # fmt: skip
    return paging.answer(rows, query, lambda row: _reminder(reading, row))


@nouns.reads("GET /reminders/calendar", "staff", query=CalendarQuery, returns=Calendar)
def calendar(reading: Reading, query: dict[str, Any]) -> Response:
    """What falls due in the days ahead, by day, scheme and stage."""
    found = reminder_calendar.ahead(reading, days=query["days"])
    due = [
        {"on": one.on, "scheme": one.scheme, "stage": one.stage, "count": one.count,
         "when_complete": one.when_complete}
        for one in found.due
    ]  # fmt: skip
    return doors.answer({"from_on": found.from_on, "through_on": found.through_on, "due": due})


def _own(reading: Reading) -> bool:
    return not reading.actor.is_staff
