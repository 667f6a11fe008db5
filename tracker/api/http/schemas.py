"""Schemas used by the routes of more than one resource."""

from __future__ import annotations

import functools
from typing import Any, TypeAlias

from marshmallow import INCLUDE, Schema, fields

from tracker.api.http.fields import (
    AmountField,
    ClosedSchema,
    DayField,
    MomentField,
    WordsField,
    choice,
)
from tracker.domain.credentials.certifications import Status

Loaded: TypeAlias = dict[str, Any]
"""What a schema has loaded and checked: values of the fields' types, by name."""


class FieldErrorSchema(Schema):
    """One bad field."""

    field = fields.String(required=True)
    message = fields.String(required=True)


class WayOutSchema(Schema):
    """Whether an exception to the refusal is possible, and how; ``detail`` says it in words."""

    kind = choice(
        "none",
        "override",
        "ask",
        required=True,
        metadata={
            "description": "``none``: no exception; ``override``: staff send a reason in "
            "``field``; ``ask``: the issuer can make one."
        },
    )
    field = fields.String(required=True, allow_none=True)
    ask_for = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "What you can ask the issuer for."},
    )


class ProblemSchema(Schema):
    """An error (RFC 9457). ``code`` is stable; the facts of the refusal are further fields."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    code = fields.String(required=True)
    request_id = fields.String(required=True)

    class Meta:
        """The facts of a refusal are further fields."""

        unknown = INCLUDE

    errors = fields.List(fields.Nested(FieldErrorSchema))
    exception = fields.Nested(
        WayOutSchema, metadata={"description": "Present if a rule refused the request."}
    )


class UndoingSchema(ClosedSchema):
    """Why a decision is taken back."""

    reason = WordsField(1000, required=True)


class StandingSchema(Schema):
    """What is true of a certification on a date."""

    status = choice(*Status, required=True)
    valid = fields.Boolean(required=True)
    as_of = DayField(required=True)
    cycle = fields.Integer(required=True)
    cycle_starts_on = DayField(required=True)
    expires_on = DayField(
        required=True, allow_none=True, metadata={"description": "Last valid day."}
    )
    window_opens_on = DayField(required=True, allow_none=True)
    window_closes_on = DayField(
        required=True,
        allow_none=True,
        metadata={"description": "Last day to apply in time."},
    )
    pending_since = DayField(required=True, allow_none=True)


class AsOfSchema(ClosedSchema):
    """The day in question; default: today in the scheme's time zone."""

    as_of = DayField()


class AsKnownSchema(AsOfSchema):
    """The day in question, and the instant to whose knowledge the answer is limited."""

    known_at = MomentField(
        metadata={"description": "The answer as it would have been at that time."},
    )


class PointsSchema(Schema):
    """Points of a cycle in short."""

    counted = AmountField(required=True)
    required = AmountField(required=True)
    missing = AmountField(required=True)
    verified = fields.Boolean(required=True)


@functools.cache
def page_of(item: type[Schema]) -> type[Schema]:
    """The schema of a list of ``item``: a page, and the cursor of the next one."""
    name = f"{item.__name__}Page"
    return type(
        name,
        (Schema,),
        {
            "__doc__": f"A page of {item.__name__}.",
            "items": fields.List(fields.Nested(item), required=True),
            "next": fields.String(required=True, allow_none=True),
        },
    )
