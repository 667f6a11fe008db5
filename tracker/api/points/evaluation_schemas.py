"""The schemas of an evaluation: points explained, what would close the gap, what if."""

from __future__ import annotations

from marshmallow import Schema, fields

from tracker.api.http.fields import (
    AmountField,
    ClosedSchema,
    DayField,
    FactorField,
    WordsField,
    choice,
)
from tracker.api.http.fields import tags as marks
from tracker.api.http.schemas import AsKnownSchema
from tracker.api.points.activities import DUTY, ROLE, UNIT


class CutSchema(Schema):
    """Points that a rule took from a claim; ``group`` is the kind of ``subject``."""

    rule = fields.String(required=True)
    group = fields.String(required=True, allow_none=True)
    points = AmountField(required=True)
    subject = fields.String(required=True)
    bound = FactorField(required=True, allow_none=True)
    sentence = fields.String(required=True)


class CreditSchema(Schema):
    """What one claim earned: claimed less every cut is counted."""

    activity_id = fields.String(required=True)
    category = fields.String(required=True)
    type = fields.String(required=True)
    title = fields.String(required=True)
    state = choice("approved", "pending", "extra", required=True)
    units = FactorField(required=True)
    rate = FactorField(required=True)
    role = fields.String(required=True)
    factor = FactorField(required=True)
    tags = fields.List(fields.String(), required=True)
    claimed = AmountField(required=True)
    counted = AmountField(required=True)
    cuts = fields.List(fields.Nested(CutSchema), required=True)
    sentence = fields.String(required=True)


class GroupTotalSchema(Schema):
    """The points of a group with its limits: per event, per year, per cycle."""

    claimed = AmountField(required=True)
    counted = AmountField(required=True)
    maximum = AmountField(required=True, allow_none=True)
    minimum = AmountField(required=True, allow_none=True)
    per_event = AmountField(required=True, allow_none=True)
    per_year = AmountField(required=True, allow_none=True)


class CategoryTotalSchema(GroupTotalSchema):
    """A category's points with its limits."""

    category = fields.String(required=True)


class TagTotalSchema(GroupTotalSchema):
    """The points of activities of any category that carry a tag, with its limits."""

    tag = fields.String(required=True)


class PeriodTotalSchema(Schema):
    """The points of a year, or of a stretch of the cycle, that has a minimum of its own.

    ``code`` is that of a ``group`` (category, tag or type), if only its points count.
    """

    starts_on = DayField(required=True)
    ends_on = DayField(required=True)
    counted = AmountField(required=True)
    minimum = AmountField(required=True)
    group = fields.String(required=True, allow_none=True)
    code = fields.String(required=True, allow_none=True)


class ShortfallSchema(Schema):
    """A minimum besides the total that is not reached; for ``kinds``, the number of kinds.

    For a ``year`` or ``window``, whose first day is the subject, only the points of a ``group``
    (category, tag or type) of that ``code`` may count.
    """

    of = fields.String(required=True)
    subject = fields.String(required=True)
    counted = AmountField(required=True)
    minimum = AmountField(required=True)
    missing = AmountField(required=True)
    group = fields.String(required=True, allow_none=True)
    code = fields.String(required=True, allow_none=True)


class GapPortionSchema(Schema):
    """What is to be done in one stretch of time: the quantity of each activity."""

    starts_on = DayField(required=True)
    ends_on = DayField(required=True)
    units = fields.List(FactorField(), required=True)
    points = AmountField(required=True)


class GapActivitySchema(Schema):
    """How much more of one activity type, with the tags that it must carry, if any."""

    type = fields.String(required=True)
    category = fields.String(required=True)
    tags = fields.List(fields.String(), required=True)
    units = FactorField(required=True)
    points = AmountField(required=True)
    portions = fields.List(fields.Nested(GapPortionSchema), required=True)


class GapWaySchema(Schema):
    """A set of further activities that would close the gap, none of which can be left out."""

    activities = fields.List(fields.Nested(GapActivitySchema), required=True)
    sentence = fields.String(required=True)


class GapSchema(Schema):
    """What would close the gap by ``until``; if nothing would, ``obstacles`` says why.

    ``jobs_go_on``: there are jobs without an end, which are assumed to go on. A way without
    activities says that these jobs are enough.
    """

    certification_id = fields.UUID(required=True)
    as_of = DayField(required=True)
    policy = fields.String(required=True)
    complete = fields.Boolean(required=True)
    until = DayField(required=True)
    jobs_go_on = fields.Boolean(required=True)
    ways = fields.List(fields.Nested(GapWaySchema), required=True)
    assumptions = fields.List(fields.String(), required=True)
    obstacles = fields.List(fields.String(), required=True)


class SafeDaySchema(Schema):
    """By when to submit activities, so that they are decided before applications close."""

    on = DayField(
        required=True, metadata={"description": "The last safe day, which may be past already."}
    )
    business_days = fields.Integer(
        required=True,
        metadata={"description": "How many days (Monday to Friday) a decision may take."},
    )
    measured = fields.Boolean(
        required=True,
        metadata={
            "description": "Whether nine out of ten decisions took at most that long lately; "
            "false: the service level, since there were too few."
        },
    )
    sentence = fields.String(required=True)


class EvaluationSchema(Schema):
    """The points of the cycle on a date, every one explained; ``gap`` if it was requested."""

    certification_id = fields.UUID(required=True)
    as_of = DayField(required=True)
    policy = fields.String(required=True)
    verified = fields.Boolean(required=True)
    unverified = fields.List(fields.String(), required=True)
    credit = fields.String(
        required=True, metadata={"description": "What the scheme calls its points."}
    )
    cycle_starts_on = DayField(required=True)
    cycle_ends_on = DayField(required=True)
    total = AmountField(required=True)
    required = AmountField(required=True)
    missing = AmountField(required=True)
    complete = fields.Boolean(required=True)
    carried_over = AmountField(required=True)
    carries_over = AmountField(required=True)
    earliest_first = fields.Boolean(
        required=True,
        metadata={
            "description": "Whether, of all ways to the same total, the one that counts the "
            "earliest activities first was used. False if hundreds of activities overlap, so "
            "that finding it would take too long; the total and the missing points are exact "
            "even then."
        },
    )
    reexamined_on = DayField(required=True, allow_none=True)
    pending_points = AmountField(required=True)
    total_if_approved = AmountField(
        required=True,
        metadata={"description": "The total if all pending activities were approved."},
    )
    missing_if_approved = AmountField(
        required=True,
        metadata={
            "description": "The points still missing if all pending activities were approved."
        },
    )
    complete_if_approved = fields.Boolean(required=True)
    projected_total = AmountField(required=True)
    categories = fields.List(fields.Nested(CategoryTotalSchema), required=True)
    tags = fields.List(fields.Nested(TagTotalSchema), required=True)
    years = fields.List(fields.Nested(PeriodTotalSchema), required=True)
    windows = fields.List(fields.Nested(PeriodTotalSchema), required=True)
    kinds = fields.Integer(required=True, allow_none=True)
    shortfalls = fields.List(fields.Nested(ShortfallSchema), required=True)
    credits = fields.List(fields.Nested(CreditSchema), required=True)
    safe_day = fields.Nested(
        SafeDaySchema,
        required=True,
        allow_none=True,
        metadata={"description": "Null where no more points are needed."},
    )
    gap = fields.Nested(GapSchema, required=True, allow_none=True)
    sentences = fields.List(fields.String(), required=True)


class AsExplainedSchema(AsKnownSchema):
    """The day and the instant in question, and whether to include what would close the gap."""

    gap = fields.Boolean(
        load_default=False,
        truthy={"true"},
        falsy={"false"},
        metadata={
            "description": "Whether to include what would close the gap, which takes longer."
        },
    )


class ExtraClaimSchema(ClosedSchema):
    """A claim that is not stored: what if."""

    category = WordsField(32, required=True)
    type = WordsField(32, required=True)
    title = WordsField(200, metadata={"description": "Without a provider it is never a duplicate."})
    provider = WordsField(200)
    quantity = AmountField(load_default=None, metadata={"description": "In ``unit``."})
    starts_on = DayField(load_default=None)
    completed_on = DayField(load_default=None)
    unit = WordsField(32, metadata={"description": UNIT})
    role = WordsField(32, metadata={"description": ROLE})
    tags = marks()
    duty = fields.Boolean(truthy={True}, falsy={False}, metadata={"description": DUTY})
    provider_approved = fields.Boolean(
        truthy={True},
        falsy={False},
        metadata={"description": "Whether to count it as if a reviewer had approved the provider."},
    )


class WhatIfSchema(ClosedSchema):
    """The claims to add."""

    extra = fields.List(
        fields.Nested(ExtraClaimSchema),
        required=True,
        metadata={"maxItems": 50},
        validate=lambda given: len(given) <= 50,  # noqa: PLR2004 - obvious from the line
    )
