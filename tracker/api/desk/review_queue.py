"""The review queue: what is waiting for a decision, and everything needed to decide."""

from __future__ import annotations

import functools
from datetime import date

from flask import Response
from marshmallow import Schema, fields

from tracker.api.http import paging, routing
from tracker.api.http.fields import AmountField, DayField, WordsField, choice
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded, page_of
from tracker.api.points import activities, evidence
from tracker.api.points.activities import ActivityDecisionSchema, ActivitySchema
from tracker.api.points.evidence import EvidenceSchema
from tracker.domain.points.activities import ActivityState
from tracker.domain.points.likeness import SIGNS
from tracker.services.core.context import ReadContext
from tracker.services.desk import renewal_queue, review_queue, reviews
from tracker.services.desk.queue_order import FLAGS, QueueFilter, QueuePlace
from tracker.services.desk.renewal_queue import QueuedRenewal, WaitingApplication
from tracker.services.desk.review_queue import PointsOf, QueuedActivity, Waiting
from tracker.services.desk.reviews import ReviewDossier as Opened
from tracker.services.desk.reviews import SameFile

resource = Resource("queue", __name__, description=__doc__)

_URGENT = "Only holders whose pending activities would complete a renewal that is due."


class QueueCursor(paging.Cursor):
    """A cursor over the queue: an expiry if it is urgent, a day of submission, an id."""

    def place(self, key: str) -> object:
        """The place. Raises ValueError or ValidationError."""
        expires_on, submitted_on, id_ = key.split("/")
        urgent = date.fromisoformat(expires_on) if expires_on else None
        return QueuePlace(urgent, date.fromisoformat(submitted_on), _id(id_))


class RenewalCursor(paging.Cursor):
    """A cursor over applications: an expiry, a day of submission, an id."""

    def place(self, key: str) -> object:
        """The place. Raises ValueError or ValidationError."""
        expires_on, submitted_on, id_ = key.split("/")
        days = date.fromisoformat(expires_on), date.fromisoformat(submitted_on)
        return renewal_queue.RenewalPlace(*days, _id(id_))


def _id(text: str) -> str:
    return str(fields.UUID().deserialize(text))


def key_of(place: QueuePlace | renewal_queue.RenewalPlace) -> str:
    """A place in the queue, or in the list of applications, as the key of a cursor."""
    return f"{place.expires_on or ''}/{place.submitted_on}/{place.id}"


class QueueQuerySchema(paging.PageSchema):
    """Which activities. With a flag, a page may be short although there is a next one."""

    after = QueueCursor(metadata={"description": "The ``next_cursor`` of the previous page."})
    scheme = WordsField(32)
    category = WordsField(32)
    type = WordsField(32)
    state = choice(
        *review_queue.STATES,
        load_default=str(ActivityState.SUBMITTED),
        metadata={"description": "``more_information``: activities waiting for their holder."},
    )
    flag = choice(*FLAGS)
    overdue = fields.Boolean(
        truthy={"true"},
        falsy={"false"},
        metadata={"description": "Only those waited for longer than the service level, or not."},
    )
    employer_id = fields.UUID(
        metadata={"description": "Only workers on this employer's list today."}
    )
    submitted_before = DayField()
    expires_before = DayField()


class ReviewLockSchema(Schema):
    """Who has opened the review; until it ends, nobody else decides."""

    reviewer = fields.String(required=True)
    since = fields.AwareDateTime(required=True)
    until = fields.AwareDateTime(required=True)
    own = fields.Boolean(required=True, metadata={"description": "Whether it is the caller's."})


class WaitSchema(Schema):
    """How long a decision has been waited for, and who has the review open."""

    days_waiting = fields.Integer(required=True)
    business_days_waiting = fields.Integer(
        required=True,
        metadata={
            "description": "Monday to Friday, without the days on which the holder was asked for "
            "more; holidays are not left out."
        },
    )
    overdue = fields.Boolean(
        required=True, metadata={"description": "Whether that is more than the service level."}
    )
    lock = fields.Nested(ReviewLockSchema, required=True, allow_none=True)


class QueuePointsSchema(Schema):
    """Points of the holder's cycle: now, with this activity, with everything that is pending."""

    now = AmountField(required=True)
    required = AmountField(required=True)
    if_approved = AmountField(
        required=True, metadata={"description": "The total if only this activity were approved."}
    )
    if_all_approved = AmountField(
        required=True,
        metadata={
            "description": "The total if all of the holder's pending activities were approved."
        },
    )
    complete_now = fields.Boolean(required=True)
    complete_if_approved = fields.Boolean(required=True)
    complete_if_all_approved = fields.Boolean(required=True)
    verified = fields.Boolean(required=True)


class PersonSchema(Schema):
    """The holder, the certification, and its standing today."""

    holder_id = fields.UUID(required=True)
    holder_ref = fields.String(required=True)
    holder_name = fields.String(required=True)
    deceased_on = DayField(required=True, allow_none=True)
    certification_id = fields.UUID(required=True, allow_none=True)
    certificate_number = fields.String(required=True, allow_none=True)
    scheme = fields.String(required=True)
    status = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "The status; null: there is no certification."},
    )
    valid = fields.Boolean(required=True, allow_none=True)
    expires_on = DayField(
        required=True, allow_none=True, metadata={"description": "Last valid day."}
    )
    days_left = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "Days until expiration; negative after it."},
    )


class QueuedActivitySchema(PersonSchema, WaitSchema):
    """An activity waiting for a decision, with all that a reviewer needs.

    ``version`` goes into If-Match.
    """

    id = fields.UUID(required=True)
    ref = fields.String(required=True, allow_none=True)
    category = fields.String(required=True)
    type = fields.String(required=True)
    title = fields.String(required=True)
    provider = fields.String(required=True)
    quantity = AmountField(required=True, allow_none=True)
    unit = fields.String(required=True)
    role = fields.String(required=True)
    tags = fields.List(fields.String(), required=True)
    duty = fields.Boolean(required=True)
    starts_on = DayField(required=True, allow_none=True)
    completed_on = DayField(required=True, allow_none=True)
    state = choice(*ActivityState, required=True)
    submitted_on = DayField(
        required=True,
        allow_none=True,
        metadata={"description": "How long it has been waiting, from this day."},
    )
    version = fields.Integer(required=True)
    urgent = fields.Boolean(required=True, metadata={"description": _URGENT})
    points = fields.Nested(QueuePointsSchema, required=True, allow_none=True)
    points_claimed = AmountField(
        required=True,
        allow_none=True,
        metadata={"description": "The points that it earns by itself."},
    )
    points_counting = AmountField(
        required=True,
        allow_none=True,
        metadata={"description": "The points that it would add to the total."},
    )
    evidence_count = fields.Integer(required=True)
    flags = fields.List(choice(*FLAGS), required=True)


class QueuedRenewalSchema(PersonSchema, WaitSchema):
    """An application waiting for a decision, with points now and with everything pending."""

    id = fields.UUID(required=True)
    ref = fields.String(required=True, allow_none=True)
    cycle = fields.Integer(required=True)
    submitted_on = DayField(required=True)
    version = fields.Integer(required=True)
    points_counted = AmountField(
        required=True,
        allow_none=True,
        metadata={"description": "The status on the day of the application."},
    )
    points_now = AmountField(required=True, allow_none=True)
    points_if_approved = AmountField(required=True, allow_none=True)
    points_required = AmountField(required=True, allow_none=True)
    complete_now = fields.Boolean(required=True, allow_none=True)
    complete_if_approved = fields.Boolean(required=True, allow_none=True)
    waiting_activities = fields.Integer(required=True)


class RenewalsQuerySchema(paging.PageSchema):
    """Applications of one scheme, if given."""

    after = RenewalCursor(metadata={"description": "The ``next_cursor`` of the previous page."})
    scheme = WordsField(32)


class LikelyDuplicateSchema(Schema):
    """Another claim of the holder that is probably the same activity, and the signs of it."""

    activity = fields.Nested(ActivitySchema, required=True)
    score = fields.Integer(required=True, metadata={"description": "The likeness, from 0 to 100."})
    signs = fields.List(choice(*SIGNS), required=True)


class SameFileSchema(Schema):
    """A file of this activity that is attached to another activity too, of any holder."""

    evidence_id = fields.UUID(required=True)
    activity_id = fields.UUID(required=True)
    filename = fields.String(required=True)
    sha256 = fields.String(required=True)
    recorded_at = fields.AwareDateTime(required=True)
    title = fields.String(required=True)
    scheme = fields.String(required=True)
    state = choice(*ActivityState, required=True)
    holder_id = fields.UUID(required=True)
    holder_ref = fields.String(required=True)
    holder_name = fields.String(required=True)


class EarlierDecisionSchema(ActivityDecisionSchema):
    """An earlier answer, including one that was taken back or superseded."""

    id = fields.UUID(required=True)
    decided_by = fields.String(required=True)
    recorded_at = fields.AwareDateTime(required=True)
    undone_at = fields.AwareDateTime(required=True, allow_none=True)
    undone_by = fields.String(required=True, allow_none=True)
    undone_reason = fields.String(required=True, allow_none=True)


class ConfirmedDaysSchema(Schema):
    """Days of a job that its employer confirmed, and who signed for it."""

    employer = fields.String(required=True)
    starts_on = DayField(required=True)
    ends_on = DayField(required=True)
    signed_by = fields.String(required=True)


class ReviewSchema(Schema):
    """Everything needed for a decision on one activity.

    The decision takes the activity's ``version`` as If-Match.
    """

    activity = fields.Nested(QueuedActivitySchema, required=True)
    language = fields.String(required=True)
    rules = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "The rules that apply to it, in words."},
    )
    outcome = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "What it would earn if it were approved now, in words."},
    )
    evidence = fields.List(fields.Nested(EvidenceSchema), required=True)
    confirmed = fields.List(fields.Nested(ConfirmedDaysSchema), required=True)
    likely_duplicates = fields.List(fields.Nested(LikelyDuplicateSchema), required=True)
    same_files = fields.List(fields.Nested(SameFileSchema), required=True)
    decisions = fields.List(fields.Nested(EarlierDecisionSchema), required=True)
    other_activities = fields.List(fields.Nested(ActivitySchema), required=True)


_CLAIM = (
    "id",
    "ref",
    "category",
    "type",
    "title",
    "provider",
    "quantity",
    "unit",
    "role",
    "tags",
    "duty",
    "starts_on",
    "completed_on",
    "state",
    "submitted_on",
    "version",
)


def _person(
    row: QueuedActivity | QueuedRenewal, waiting: Waiting | WaitingApplication
) -> dict[str, object]:
    standing = waiting.standing
    return {
        "holder_id": row.holder_id,
        "holder_ref": row.holder_ref,
        "holder_name": _name(row),
        "deceased_on": row.deceased_on,
        "certification_id": row.certification_id,
        "certificate_number": row.certificate_number,
        "scheme": row.scheme,
        "status": standing.status if standing else None,
        "valid": standing.valid if standing else None,
        "expires_on": standing.expires_on if standing else None,
        "days_left": waiting.days_left,
    }


def _name(row: QueuedActivity | QueuedRenewal | SameFile) -> str:
    return f"{row.given_name} {row.family_name}".strip()


def _wait(reading: ReadContext, waiting: Waiting | WaitingApplication) -> dict[str, object]:
    lock = waiting.lock
    return {
        "days_waiting": waiting.days_waiting,
        "business_days_waiting": waiting.business_days,
        "overdue": waiting.overdue,
        "lock": {
            "reviewer": lock.reviewer,
            "since": lock.taken_at,
            "until": lock.ends_at,
            "own": lock.reviewer_id == reading.actor.who,
        }
        if lock
        else None,
    }


def _points(points: PointsOf | None) -> dict[str, object] | None:
    if points is None:
        return None
    return {name: getattr(points, name) for name in QueuePointsSchema._declared_fields}  # noqa: SLF001 - marshmallow's own list


def _activity(reading: ReadContext, waiting: Waiting) -> dict[str, object]:
    row = waiting.activity
    return {
        **_person(row, waiting),
        **_wait(reading, waiting),
        **{name: getattr(row, name) for name in _CLAIM},
        "urgent": waiting.urgent,
        "points": _points(waiting.points),
        "points_claimed": waiting.claimed,
        "points_counting": waiting.counts,
        "evidence_count": waiting.evidence,
        "flags": list(waiting.flags),
    }


def present_renewal(reading: ReadContext, application: WaitingApplication) -> dict[str, object]:
    """An application that waits, in the form of the API."""
    row = application.renewal
    return {
        **_person(row, application),
        **_wait(reading, application),
        "id": row.id,
        "ref": row.ref,
        "cycle": row.cycle,
        "submitted_on": row.submitted_on,
        "version": row.version,
        "points_counted": row.points_counted,
        "points_now": application.points_now,
        "points_if_approved": application.points_if_approved,
        "points_required": application.required,
        "complete_now": application.complete_now,
        "complete_if_approved": application.complete_if_approved,
        "waiting_activities": application.waiting,
    }


@resource.reads(
    "GET /queue",
    "reviewer",
    "staff",
    query=QueueQuerySchema,
    returns=page_of(QueuedActivitySchema),
    errors=(404,),
)
def waiting(reading: ReadContext, query: Loaded) -> Response:
    """Activities waiting for a decision: the most urgent first, then the oldest."""
    filters = {k: v for k, v in query.items() if k not in {"after", "limit"}}
    if "employer_id" in filters:
        filters["employer_id"] = str(filters["employer_id"])
    page = review_queue.page(
        reading, QueueFilter(**filters), after=query.get("after"), limit=query["limit"]
    )
    items = [_activity(reading, each) for each in page.items]
    return paging.answer_page(items, key_of(page.next) if page.next else None)


@resource.reads(
    "GET /queue/renewals", "staff", query=RenewalsQuerySchema, returns=page_of(QueuedRenewalSchema)
)
def renewals(reading: ReadContext, query: Loaded) -> Response:
    """Renewal applications waiting for a decision, the soonest expiry first."""
    rows = renewal_queue.page(
        reading, scheme=query.get("scheme"), after=query.get("after"), limit=query["limit"] + 1
    )
    present = functools.partial(present_renewal, reading)
    return paging.answer(rows, query, present, key=lambda row: key_of(row.place))


@resource.reads(
    "GET /queue/<uuid:activity_id>", "reviewer", "staff", returns=ReviewSchema, errors=(404,)
)
def review(reading: ReadContext, *, activity_id: str) -> Response:
    """All that is known about one activity, also a decided one; nobody else is kept from it."""
    return answer_review(reading, reviews.of_activity(reading, activity_id))


def answer_review(reading: ReadContext, opened: Opened) -> Response:
    """A review in the caller's language."""
    language = routing.language()
    response = routing.answer(_review(reading, opened, language))
    response.headers["Content-Language"] = language
    response.vary.add("Accept-Language")
    return response


def _review(reading: ReadContext, opened: Opened, language: str) -> dict[str, object]:
    others = activities.present_all(reading, list(opened.claims.values()))
    by_id = {other["id"]: other for other in others}
    return {
        "activity": _activity(reading, opened.waiting),
        "language": language,
        "rules": opened.rules(language),
        "outcome": opened.outcome(language),
        "evidence": [evidence.present(row) for row in opened.evidence],
        "confirmed": [one._asdict() | {"employer": one.name} for one in opened.confirmed],
        "likely_duplicates": [
            {
                "activity": by_id[like.ref],
                "score": like.found.score,
                "signs": list(like.found.signs),
            }
            for like in opened.likely
            if like.ref in by_id
        ],
        "same_files": [_same_file(row) for row in opened.same_files],
        "decisions": [row._asdict() for row in opened.decisions],
        "other_activities": others,
    }


def _same_file(row: SameFile) -> dict[str, object]:
    names = set(SameFileSchema._declared_fields) - {"evidence_id", "holder_name"}  # noqa: SLF001 - marshmallow's own list
    shown = {name: getattr(row, name) for name in names}
    return {"evidence_id": row.id, "holder_name": _name(row), **shown}
