"""Preferences: which emails a holder wants, which are paused, in which language, to where."""

from __future__ import annotations

from flask import Response
from marshmallow import Schema, fields

from tracker.api.http import routing
from tracker.api.http.fields import ClosedSchema, DayField, Email, WordsField, choice
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded
from tracker.language import catalogues
from tracker.language.catalogues import LANGUAGES
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.people import preferences
from tracker.services.people.preferences import ALWAYS_SENT, REMINDERS, Preferences, Wish

resource = Resource("preferences", __name__, description=__doc__)

_SNOOZED = "Reminders are paused through this day, for at most a year. Those of the last 7 days"
_SNOOZED += " before expiration are sent anyway."
_SHOWS = "Whether the public page of a certificate lists the modules passed, with their days."
_ALWAYS = catalogues.phrase("preferences", "always")
_OFF = catalogues.phrase("preferences", "off")


class DecisionWishesSchema(Schema):
    """Emails about decisions: on activities, renewals and awards.

    Staff see who changed it last and when.
    """

    wanted = fields.Boolean(required=True)
    reason = fields.String(metadata={"description": "Why staff set it for the holder."})
    changed_at = fields.AwareDateTime()
    changed_by = fields.String()


class ReminderWishesSchema(DecisionWishesSchema):
    """Reminders before a certification expires."""

    snoozed_until = DayField(required=True, allow_none=True, metadata={"description": _SNOOZED})


class PreferenceWarningSchema(Schema):
    """A consequence of a choice."""

    code = choice("last_reminders_stop", required=True)
    message = fields.String(required=True)


class WantedSchema(Schema):
    """What a holder wants, and what is sent in any case."""

    reminders = fields.Nested(ReminderWishesSchema, required=True)
    decisions = fields.Nested(DecisionWishesSchema, required=True)
    shows_modules = fields.Boolean(required=True, metadata={"description": _SHOWS})
    language = choice(*LANGUAGES, required=True)
    email = fields.String(required=True)
    second_email = fields.String(required=True, allow_none=True)
    always_sent = fields.List(choice(*ALWAYS_SENT), required=True)
    always_sent_because = fields.String(required=True)
    warnings = fields.List(fields.Nested(PreferenceWarningSchema), required=True)


class DecisionChangeSchema(ClosedSchema):
    """Whether emails about decisions are wanted."""

    wanted = fields.Boolean(truthy={True}, falsy={False})


class ReminderChangeSchema(DecisionChangeSchema):
    """Whether reminders are wanted, and a pause; null ends it."""

    snoozed_until = DayField(allow_none=True, metadata={"description": _SNOOZED})


class PreferenceChangeSchema(ClosedSchema):
    """Fields that are not given stay as they are."""

    reminders = fields.Nested(ReminderChangeSchema)
    decisions = fields.Nested(DecisionChangeSchema)
    shows_modules = fields.Boolean(truthy={True}, falsy={False}, metadata={"description": _SHOWS})
    language = choice(*LANGUAGES)
    second_email = Email(allow_none=True)


class ChangeForHolderSchema(ClosedSchema):
    """What staff set for a holder; fields that are not given stay as they are."""

    reminders = fields.Nested(ReminderChangeSchema)
    decisions = fields.Nested(DecisionChangeSchema)
    reason = WordsField(
        2000,
        load_default=None,
        allow_none=True,
        metadata={"description": "Why; shown to the holder."},
    )


def _wish(wish: Wish, *, to_staff: bool) -> dict[str, object]:
    shown: dict[str, object] = {"wanted": wish.wanted}
    named = ("reason", "changed_at", "changed_by") if to_staff else ("reason",)
    return shown | {name: said for name in named if (said := getattr(wish, name)) is not None}


def _answer(found: Preferences, *, to_staff: bool = False) -> Response:
    language = routing.language()
    wishes, holder = found.wishes, found.holder
    reminders, decisions = wishes[REMINDERS], wishes["decisions"]
    off = [{"code": "last_reminders_stop", "message": _OFF[language]}]
    answer = routing.answer(
        {
            "reminders": {
                **_wish(reminders, to_staff=to_staff),
                "snoozed_until": reminders.snoozed_until,
            },
            "decisions": _wish(decisions, to_staff=to_staff),
            "shows_modules": holder.shows_modules,
            "language": holder.language,
            "email": holder.email,
            "second_email": holder.second_email,
            "always_sent": ALWAYS_SENT,
            "always_sent_because": _ALWAYS[language],
            "warnings": [] if reminders.wanted else off,
        }
    )
    answer.vary.add("Accept-Language")
    return answer


@resource.reads("GET /me/preferences", "holder", returns=WantedSchema, errors=(404,))
def mine(reading: ReadContext) -> Response:
    """Which emails I want."""
    return _answer(preferences.mine(reading))


@resource.writes(
    "PATCH /me/preferences",
    "holder",
    body=PreferenceChangeSchema,
    returns=WantedSchema,
    errors=(404,),
)
def change(work: UnitOfWork, body: Loaded) -> Response:
    """Change which emails I want, from the next one on; other choices stay as they are.

    Without reminders, those of the last 7 days stop too: the answer's ``warnings`` say so.
    """
    return _answer(preferences.change_mine(work, body))


@resource.reads(
    "GET /holders/<uuid:holder_id>/preferences", "staff", returns=WantedSchema, errors=(404,)
)
def of_holder(reading: ReadContext, *, holder_id: str) -> Response:
    """Which emails a holder wants."""
    return _answer(preferences.of_holder(reading, holder_id), to_staff=True)


@resource.writes(
    "PATCH /holders/<uuid:holder_id>/preferences",
    "staff",
    body=ChangeForHolderSchema,
    returns=WantedSchema,
    errors=(404,),
)
def change_for(work: UnitOfWork, body: Loaded, *, holder_id: str) -> Response:
    """Set which emails a holder wants on their behalf, from the next one on.

    The holder sees the reason and may change it back.
    """
    reason = body.pop("reason")
    found = preferences.change_for(work, holder_id, body, reason=reason)
    return _answer(found, to_staff=True)
