"""The forms of an evaluation: points explained, what would close the gap, what if."""

from __future__ import annotations

from marshmallow import Schema, fields

from tracker.api.activities import DUTY, ROLE, UNIT
from tracker.api.fields import Amount, Closed, Day, Factor, Words, choice
from tracker.api.fields import tags as marks
from tracker.api.schemas import AsKnown


class Cut(Schema):
    """Points that a rule took from a claim; ``group`` says of what kind ``subject`` is."""

    rule = fields.String(required=True)
    group = fields.String(required=True, allow_none=True)
    points = Amount(required=True)
    subject = fields.String(required=True)
    bound = Factor(required=True, allow_none=True)
    sentence = fields.String(required=True)


class Credit(Schema):
    """What one claim brought: claimed less every cut is counted."""

    activity_id = fields.String(required=True)
    category = fields.String(required=True)
    type = fields.String(required=True)
    title = fields.String(required=True)
    state = choice("approved", "pending", "extra", required=True)
    units = Factor(required=True)
    rate = Factor(required=True)
    role = fields.String(required=True)
    factor = Factor(required=True)
    tags = fields.List(fields.String(), required=True)
    claimed = Amount(required=True)
    counted = Amount(required=True)
    cuts = fields.List(fields.Nested(Cut), required=True)
    sentence = fields.String(required=True)


class GroupTotal(Schema):
    """The points of a group with its limits: for an event, a year, the cycle."""

    claimed = Amount(required=True)
    counted = Amount(required=True)
    maximum = Amount(required=True, allow_none=True)
    minimum = Amount(required=True, allow_none=True)
    per_event = Amount(required=True, allow_none=True)
    per_year = Amount(required=True, allow_none=True)


class CategoryTotal(GroupTotal):
    """A category's points with its limits."""

    category = fields.String(required=True)


class TagTotal(GroupTotal):
    """The points of activities of any category that bear a tag, with its limits."""

    tag = fields.String(required=True)


class PeriodTotal(Schema):
    """The points of a year, or of a stretch of the cycle, that needs some of its own.

    ``code`` is that of a ``group`` (category, tag or type), where only its points are meant.
    """

    starts_on = Day(required=True)
    ends_on = Day(required=True)
    counted = Amount(required=True)
    minimum = Amount(required=True)
    group = fields.String(required=True, allow_none=True)
    code = fields.String(required=True, allow_none=True)


class Shortfall(Schema):
    """A minimum beside the total that is not reached; of ``kinds`` it is a number of them.

    Of a ``year`` or ``window``, whose first day is the subject, the points of a ``group``
    (category, tag or type) of that ``code`` may be meant.
    """

    of = fields.String(required=True)
    subject = fields.String(required=True)
    counted = Amount(required=True)
    minimum = Amount(required=True)
    missing = Amount(required=True)
    group = fields.String(required=True, allow_none=True)
    code = fields.String(required=True, allow_none=True)


class GapPortion(Schema):
    """What is to be done in one stretch of time: the quantity of each activity."""

    starts_on = Day(required=True)
    ends_on = Day(required=True)
    units = fields.List(Factor(), required=True)
    points = Amount(required=True)


class GapActivity(Schema):
    """So much more of one activity type, with the tags that it must bear, if any."""

    type = fields.String(required=True)
    category = fields.String(required=True)
    tags = fields.List(fields.String(), required=True)
    units = Factor(required=True)
    points = Amount(required=True)
    portions = fields.List(fields.Nested(GapPortion), required=True)


class GapWay(Schema):
    """A set of further activities that would close the gap, none of which can be left out."""

    activities = fields.List(fields.Nested(GapActivity), required=True)
    sentence = fields.String(required=True)


class Gap(Schema):
    """What would close the gap by ``until``; ``obstacles`` says why, where nothing does.

    ``jobs_go_on``: there are jobs without an end, which are taken to go on. A way without
    activities says that these alone will do.
    """

    certification_id = fields.UUID(required=True)
    as_of = Day(required=True)
    policy = fields.String(required=True)
    complete = fields.Boolean(required=True)
    until = Day(required=True)
    jobs_go_on = fields.Boolean(required=True)
    ways = fields.List(fields.Nested(GapWay), required=True)
    assumptions = fields.List(fields.String(), required=True)
    obstacles = fields.List(fields.String(), required=True)


class Evaluation(Schema):
    """The points of the cycle on a date, every one explained; ``gap`` where it was asked for."""

    certification_id = fields.UUID(required=True)
    as_of = Day(required=True)
    policy = fields.String(required=True)
    verified = fields.Boolean(required=True)
    unverified = fields.List(fields.String(), required=True)
    credit = fields.String(required=True, metadata={"description": "What its points are called."})
    cycle_starts_on = Day(required=True)
    cycle_ends_on = Day(required=True)
    total = Amount(required=True)
    required = Amount(required=True)
    missing = Amount(required=True)
    complete = fields.Boolean(required=True)
    carried_over = Amount(required=True)
    carries_over = Amount(required=True)
    earliest_first = fields.Boolean(
        required=True,
        metadata={
            "description": "Whether the earliest activities were counted first, of all ways to the"
            " same total. False where hundreds of activities overlap so that finding that way"
            " costs too much: the total and what is missing are exact then too."
        },
    )
    reexamined_on = Day(required=True, allow_none=True)
    pending_points = Amount(required=True)
    total_if_approved = Amount(
        required=True, metadata={"description": "With everything that waits for a decision."}
    )
    missing_if_approved = Amount(
        required=True, metadata={"description": "Still missing if all that waits is approved."}
    )
    complete_if_approved = fields.Boolean(required=True)
    projected_total = Amount(required=True)
    categories = fields.List(fields.Nested(CategoryTotal), required=True)
    tags = fields.List(fields.Nested(TagTotal), required=True)
    years = fields.List(fields.Nested(PeriodTotal), required=True)
    windows = fields.List(fields.Nested(PeriodTotal), required=True)
    kinds = fields.Integer(required=True, allow_none=True)
    shortfalls = fields.List(fields.Nested(Shortfall), required=True)
    credits = fields.List(fields.Nested(Credit), required=True)
    gap = fields.Nested(Gap, required=True, allow_none=True)
    sentences = fields.List(fields.String(), required=True)


class AsExplained(AsKnown):
    """The day and the instant asked about, and whether to tell what would close the gap."""

    gap = fields.Boolean(
        load_default=False, truthy={"true"}, falsy={"false"},
        metadata={"description": "Tell what would close the gap, which takes longer."},
    )  # fmt: skip


class ExtraClaim(Closed):
    """A claim that is not stored: what if."""

    category = Words(32, required=True)
    type = Words(32, required=True)
    title = Words(200, metadata={"description": "Without one it is no duplicate of anything."})
    provider = Words(200)
    quantity = Amount(load_default=None, metadata={"description": "In ``unit``."})
    starts_on = Day(load_default=None)
    completed_on = Day(load_default=None)
    unit = Words(32, metadata={"description": UNIT})
    role = Words(32, metadata={"description": ROLE})
    tags = marks()
    duty = fields.Boolean(truthy={True}, falsy={False}, metadata={"description": DUTY})
    provider_approved = fields.Boolean(
        truthy={True}, falsy={False},
        metadata={"description": "As if a reviewer had approved the provider."},
    )  # fmt: skip


class WhatIf(Closed):
    """The claims to add."""

    extra = fields.List(
        fields.Nested(ExtraClaim), required=True, metadata={"maxItems": 50},
        validate=lambda given: len(given) <= 50,  # noqa: PLR2004
    )  # fmt: skip
