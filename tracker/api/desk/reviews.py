"""Reviews: opened by one reviewer at a time, decided one by one or many at once, and counted."""

from __future__ import annotations

from flask import Response
from marshmallow import Schema, ValidationError, fields, validate, validates

from tracker.api.desk import review_queue
from tracker.api.desk.review_queue import QueuedRenewalSchema, ReviewSchema
from tracker.api.http import routing
from tracker.api.http.fields import ClosedSchema, DayField
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded
from tracker.api.points.activities import ActivitySchema, VerdictSchema, present_all
from tracker.domain.desk.reviews import MANY
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.desk import joint_decisions, queue_figures, reviews
from tracker.services.desk.queue_figures import DecidedLine, FigureKey
from tracker.services.points import activity_decisions, activity_rows

resource = Resource("reviews", __name__, description=__doc__)


class ActivityVersionSchema(ClosedSchema):
    """An activity, and the ``version`` of it that the reviewer read."""

    id = fields.UUID(required=True)
    version = fields.Integer(required=True, strict=True, validate=validate.Range(1, 2**31 - 1))


class JointVerdictSchema(VerdictSchema):
    """One answer to many activities, which are claims of one course on one day."""

    activities = fields.List(
        fields.Nested(ActivityVersionSchema), required=True, validate=validate.Length(1, MANY)
    )

    @validates("activities")
    def check_activities(self, given: list[Loaded], **_: object) -> None:
        """Refuse an activity that is given twice; one without an id is refused by its own field."""
        ids = [one["id"] for one in given if "id" in one]
        if len(set(ids)) < len(ids):
            raise ValidationError("An activity must not be given twice.")


class FiguresQuerySchema(ClosedSchema):
    """The days of decisions, both included; by default the last 90, at most 366."""

    from_on = DayField(data_key="from")
    until_on = DayField(data_key="until")


class DecidedSchema(Schema):
    """Decisions that ended a wait and were not taken back, and the waits of approvals and refusals.

    Waits are in business days, Monday to Friday, without the days on which the holder was asked.
    """

    approved = fields.Integer(required=True)
    rejected = fields.Integer(required=True)
    decided = fields.Integer(
        required=True, metadata={"description": "Those approved and those rejected."}
    )
    asked = fields.Integer(
        required=True, metadata={"description": "How often the holder was asked for more."}
    )
    late = fields.Integer(
        required=True,
        metadata={"description": "How many were decided after longer than the service level."},
    )
    median_days = fields.Integer(required=True, allow_none=True)
    percentile_90_days = fields.Integer(required=True, allow_none=True)


class WeekSchema(DecidedSchema):
    """The decisions of a week."""

    monday = DayField(required=True)


class ReviewerSchema(DecidedSchema):
    """The decisions of a reviewer."""

    reviewer_id = fields.UUID(required=True, allow_none=True)
    reviewer = fields.String(required=True)


class DecisionReasonSchema(DecidedSchema):
    """The decisions with a reason code; null: those without one."""

    reason_code = fields.String(required=True, allow_none=True)


class DecidedTypeSchema(DecidedSchema):
    """The decisions on a type of activity."""

    scheme = fields.String(required=True)
    category = fields.String(required=True)
    type = fields.String(required=True)


class FiguresSchema(Schema):
    """The queue now, and the decisions of a period: each grouping adds up to the total."""

    from_on = DayField(required=True, data_key="from")
    until_on = DayField(required=True, data_key="until")
    service_level_days = fields.Integer(required=True)
    waiting = fields.Integer(required=True)
    overdue = fields.Integer(
        required=True, metadata={"description": "Of those waiting, for longer than promised."}
    )
    with_holders = fields.Integer(
        required=True, metadata={"description": "Those about which the holder was asked."}
    )
    total = fields.Nested(DecidedSchema, required=True)
    weeks = fields.List(fields.Nested(WeekSchema), required=True)
    reviewers = fields.List(fields.Nested(ReviewerSchema), required=True)
    reasons = fields.List(fields.Nested(DecisionReasonSchema), required=True)
    types = fields.List(fields.Nested(DecidedTypeSchema), required=True)


@resource.writes(
    "POST /queue/<uuid:activity_id>/review",
    "reviewer",
    "staff",
    returns=ReviewSchema,
    errors=(404, 409),
)
def open_activity(work: UnitOfWork, *, activity_id: str) -> Response:
    """Open a review: all that is known about an activity, which nobody else decides meanwhile.

    The lock ends after some minutes, with the decision, or when it is handed back.
    """
    return review_queue.answer_review(work, reviews.open_activity(work, activity_id))


@resource.writes(
    "DELETE /queue/<uuid:activity_id>/review",
    "reviewer",
    "staff",
    returns=None,
    status=204,
    errors=(404, 409),
)
def hand_back_activity(work: UnitOfWork, *, activity_id: str) -> Response:
    """Hand a review back that one has opened, so that others can decide."""
    reviews.hand_back_activity(work, activity_id)
    return routing.done()


@resource.writes(
    "POST /queue/renewals/<uuid:renewal_id>/review",
    "staff",
    returns=QueuedRenewalSchema,
    errors=(404, 409),
)
def open_renewal(work: UnitOfWork, *, renewal_id: str) -> Response:
    """Open an application, which nobody else decides meanwhile."""
    opened = reviews.open_renewal(work, renewal_id)
    return routing.answer(review_queue.present_renewal(work, opened))


@resource.writes(
    "DELETE /queue/renewals/<uuid:renewal_id>/review",
    "staff",
    returns=None,
    status=204,
    errors=(404, 409),
)
def hand_back_renewal(work: UnitOfWork, *, renewal_id: str) -> Response:
    """Hand an application back that one has opened."""
    reviews.hand_back_renewal(work, renewal_id)
    return routing.done()


@resource.writes(
    "POST /queue/decisions",
    "reviewer",
    "staff",
    body=JointVerdictSchema,
    returns=ActivitySchema(many=True),
    errors=(404, 409, 412),
)
def decide(work: UnitOfWork, body: Loaded) -> Response:
    """Decide claims of one course on one day at once: all of them, or none.

    A refusal names the activity that it is about, in ``activity_id``.
    """
    versions = {str(one["id"]): one["version"] for one in body.pop("activities")}
    joint_decisions.decide(work, versions, activity_decisions.ReviewerDecision(**body))
    rows = activity_rows.by_ids(work, versions)
    return routing.answer(present_all(work, rows))


@resource.reads("GET /queue/figures", "staff", query=FiguresQuerySchema, returns=FiguresSchema)
def figures(reading: ReadContext, query: Loaded) -> Response:
    """How much waits, how much was decided in a period, by whom, why, and after how long."""
    found = queue_figures.of_period(reading, **query)
    level = found.service_level
    return routing.answer(
        {
            "from": found.period.starts_on,
            "until": found.period.ends_on,
            "service_level_days": level,
            "waiting": found.waiting,
            "overdue": found.overdue,
            "with_holders": found.with_holders,
            "total": _line(found.total, level),
            **{
                name: [_keyed(key, names, _line(line, level)) for key, line in lines.items()]
                for name, names, lines in (
                    ("weeks", ("monday",), found.weeks),
                    ("reviewers", ("reviewer_id", "reviewer"), found.reviewers),
                    ("reasons", ("reason_code",), found.reasons),
                    ("types", ("scheme", "category", "type"), found.types),
                )
            },
        }
    )


def _keyed(key: FigureKey, names: tuple[str, ...], line: dict[str, object]) -> dict[str, object]:
    return {**dict(zip(names, key, strict=True)), **line}


def _line(line: DecidedLine, service_level: int) -> dict[str, object]:
    return {
        "approved": line.approved,
        "rejected": line.rejected,
        "decided": line.decided,
        "asked": line.asked,
        "late": line.late(service_level),
        "median_days": line.waits.percentile(50),
        "percentile_90_days": line.waits.percentile(90),
    }
