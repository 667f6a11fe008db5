"""Activities: logged, submitted, withdrawn, decided."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import get_args

from flask import Response
from marshmallow import Schema, fields

from tracker.api.credentials.schemes import asked_for
from tracker.api.http import paging, routing
from tracker.api.http.fields import (
    AmountField,
    ClosedSchema,
    DayField,
    WordsField,
    by_language,
    choice,
    reason_code_field,
)
from tracker.api.http.fields import tags as marks
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded, UndoingSchema, page_of
from tracker.domain.points.activities import ActivityState, ActivityVerdict
from tracker.domain.schemes.activity_types import EvidenceRule
from tracker.services.core.context import ReadContext, UnitOfWork, names_of
from tracker.services.points import (
    activities,
    activity_decisions,
    activity_rows,
    activity_types,
    decision_rows,
    evidence,
)
from tracker.services.points.activity_rows import ActivityRow
from tracker.services.standings import snapshots

resource = Resource("activities", __name__, description=__doc__)

UNIT = "The unit of ``quantity``, one that the type allows; empty: the type's own unit."
ROLE = "A role that the type allows, such as teaching; empty: attending."
DUTY = "Whether it was part of one's regular duties."


class ActivityChangeSchema(ClosedSchema):
    """What may be changed of an activity while it is with its holder."""

    category = WordsField(32, metadata={"example": "CE"})
    type = WordsField(32, metadata={"example": "college_noncredit"})
    title = WordsField(200)
    provider = WordsField(200, allow_none=True)
    quantity = AmountField(allow_none=True, metadata={"description": "In ``unit``."})
    starts_on = DayField(allow_none=True)
    completed_on = DayField(allow_none=True, metadata={"description": "Empty for a current job."})
    unit = WordsField(32, allow_none=True, metadata={"description": UNIT})
    role = WordsField(32, allow_none=True, metadata={"description": ROLE})
    tags = marks(allow_none=True)
    duty = fields.Boolean(truthy={True}, falsy={False}, metadata={"description": DUTY})


class NewActivitySchema(ActivityChangeSchema):
    """Something claimed for points."""

    category = WordsField(32, required=True, metadata={"example": "CE"})
    type = WordsField(32, required=True, metadata={"example": "college_noncredit"})
    title = WordsField(200, required=True)


class ActivityDecisionSchema(Schema):
    """The latest answer to an activity."""

    verdict = choice(*ActivityVerdict, required=True)
    decided_on = DayField(required=True)
    points_limit = AmountField(required=True, allow_none=True)
    provider_approved = fields.Boolean(required=True)
    reason_code = fields.String(required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True)


class EvidenceAskedSchema(Schema):
    """The evidence requested with an activity of this type."""

    evidence = choice(*get_args(EvidenceRule), required=True)
    kinds = by_language(
        allow_none=True,
        metadata={"description": "Which evidence is accepted; null: none is requested."},
    )


class ActivitySchema(Schema):
    """An activity with the latest decision on it."""

    id = fields.UUID(required=True)
    ref = fields.String(required=True, allow_none=True)
    holder_id = fields.UUID(required=True)
    scheme = fields.String(required=True)
    category = fields.String(required=True)
    type = fields.String(required=True)
    title = fields.String(required=True)
    provider = fields.String(required=True)
    quantity = AmountField(required=True, allow_none=True)
    starts_on = DayField(required=True, allow_none=True)
    completed_on = DayField(required=True, allow_none=True)
    unit = fields.String(required=True, metadata={"description": UNIT})
    role = fields.String(required=True, metadata={"description": ROLE})
    tags = fields.List(fields.String(), required=True)
    duty = fields.Boolean(required=True, metadata={"description": DUTY})
    state = choice(*ActivityState, required=True)
    submitted_on = DayField(required=True, allow_none=True)
    withdrawn_on = DayField(required=True, allow_none=True)
    course_id = fields.UUID(
        required=True,
        allow_none=True,
        metadata={"description": "The course whose attendance list or code brought it."},
    )
    recorded_at = fields.AwareDateTime(required=True)
    decision = fields.Nested(ActivityDecisionSchema, required=True, allow_none=True)
    evidence_asked = fields.Nested(EvidenceAskedSchema, required=True)


class ActivityQuerySchema(paging.PageSchema):
    """Filter by state."""

    state = choice(*ActivityState)


class AnyDecisionSchema(ActivityDecisionSchema):
    """An answer to an activity, including one that was superseded or taken back."""

    id = fields.UUID(required=True)
    decided_by = fields.String(required=True)
    recorded_at = fields.AwareDateTime(required=True)
    undone_at = fields.AwareDateTime(required=True, allow_none=True)
    undone_by = fields.String(required=True, allow_none=True)
    undone_reason = fields.String(required=True, allow_none=True)


class VerdictSchema(ClosedSchema):
    """A reviewer's answer; a refusal, or a change of an answer, needs a reason."""

    verdict = choice(*ActivityVerdict, required=True)
    points_limit = AmountField(
        allow_none=True, metadata={"description": "The most points to approve."}
    )
    provider_approved = fields.Boolean(
        truthy={True},
        falsy={False},
        metadata={"description": "Whether the reviewer confirmed that the provider is approved."},
    )
    reason_code = reason_code_field(allow_none=True)
    reason = WordsField(1000, allow_none=True)


_DECISION = (
    "verdict",
    "decided_on",
    "points_limit",
    "provider_approved",
    "reason_code",
    "reason",
)


_FIELDS = names_of(ActivityRow)
_values = attrgetter(*_FIELDS)


def present_all(reading: ReadContext, rows: Sequence[ActivityRow]) -> list[dict[str, object]]:
    """Rows of activities in the form of the API, each with the evidence its type requests."""
    kinds = activity_types.of_rows(reading, rows)
    return [{**_present(row), "evidence_asked": asked_for(kinds.get(row.id))} for row in rows]


def _present(row: ActivityRow) -> dict[str, object]:
    # Not asdict(), which copies every value: in a record of ten activities that takes a third.
    shown: dict[str, object] = dict(zip(_FIELDS, _values(row), strict=True))
    decision = {key: shown.pop(key) for key in _DECISION}
    shown["decision"] = decision if decision["verdict"] else None
    del shown["version"]
    return shown


def _answer(reading: ReadContext, activity_id: str, status: int = 200) -> Response:
    return _told(reading, activity_rows.get(reading, activity_id), status)


def _told(reading: ReadContext, row: ActivityRow, status: int) -> Response:
    location = f"/api/v1/activities/{row.id}" if status == 201 else None  # noqa: PLR2004 - HTTP's own number
    [shown] = present_all(reading, [row])
    return routing.answer(shown, status=status, version=row.version, location=location)


@resource.writes(
    "POST /certifications/<uuid:certification_id>/activities",
    "holder",
    "staff",
    body=NewActivitySchema,
    returns=ActivitySchema,
    status=201,
    errors=(404, 409),
)
def log(work: UnitOfWork, body: Loaded, *, certification_id: str) -> Response:
    """Log an activity as a draft."""
    return _told(work, activities.logged(work, certification_id, body), 201)


@resource.reads(
    "GET /certifications/<uuid:certification_id>/activities",
    "holder",
    "reviewer",
    "staff",
    query=ActivityQuerySchema,
    returns=page_of(ActivitySchema),
    errors=(404,),
)
def of_certification(reading: ReadContext, query: Loaded, *, certification_id: str) -> Response:
    """The activities of a certification."""
    row = snapshots.certification(reading, certification_id)
    rows = activity_rows.page(
        reading,
        after=query.get("after"),
        limit=query["limit"] + 1,
        holder_id=row.holder_id,
        scheme=row.scheme,
        state=query.get("state"),
    )
    return paging.answer_all(rows, query, lambda page: present_all(reading, page))


@resource.reads(
    "GET /activities",
    "reviewer",
    "staff",
    query=ActivityQuerySchema,
    returns=page_of(ActivitySchema),
)
def queue(reading: ReadContext, query: Loaded) -> Response:
    """All activities; those submitted are the reviewers' queue."""
    rows = activity_rows.page(
        reading, after=query.get("after"), limit=query["limit"] + 1, state=query.get("state")
    )
    return paging.answer_all(rows, query, lambda page: present_all(reading, page))


@resource.reads(
    "GET /activities/<uuid:activity_id>",
    "holder",
    "reviewer",
    "staff",
    returns=ActivitySchema,
    errors=(404,),
)
def show(reading: ReadContext, *, activity_id: str) -> Response:
    """One activity with the latest decision on it."""
    return _answer(reading, activity_id)


@resource.writes(
    "PATCH /activities/<uuid:activity_id>",
    "holder",
    "staff",
    body=ActivityChangeSchema,
    returns=ActivitySchema,
    versioned=True,
    errors=(404, 409),
)
def edit(work: UnitOfWork, body: Loaded, *, activity_id: str, version: int) -> Response:
    """Change what an activity claims: a draft, or a returned, rejected or withdrawn one."""
    activities.edit(work, activity_id, body, version=version)
    return _answer(work, activity_id)


@resource.writes(
    "DELETE /activities/<uuid:activity_id>",
    "holder",
    "staff",
    returns=None,
    status=204,
    versioned=True,
    errors=(404, 409),
)
def discard(work: UnitOfWork, *, activity_id: str, version: int) -> Response:
    """Delete a draft with its evidence."""
    evidence.remove_files(work, activities.discard(work, activity_id, version=version))
    return routing.done()


@resource.writes(
    "POST /activities/<uuid:activity_id>/submission",
    "holder",
    "staff",
    returns=ActivitySchema,
    errors=(404, 409),
)
def submit(work: UnitOfWork, *, activity_id: str) -> Response:
    """Submit an activity for review."""
    activities.submit(work, activity_id)
    return _answer(work, activity_id)


@resource.writes(
    "POST /activities/<uuid:activity_id>/withdrawal",
    "holder",
    "staff",
    returns=ActivitySchema,
    errors=(404, 409),
)
def withdraw(work: UnitOfWork, *, activity_id: str) -> Response:
    """Withdraw an activity before it is decided."""
    activities.withdraw(work, activity_id)
    return _answer(work, activity_id)


@resource.writes(
    "POST /activities/<uuid:activity_id>/decision",
    "reviewer",
    "staff",
    body=VerdictSchema,
    returns=ActivitySchema,
    versioned=True,
    errors=(404, 409),
)
def decide(work: UnitOfWork, body: Loaded, *, activity_id: str, version: int) -> Response:
    """Approve, reject or request more information; never one's own.

    An answer to an answered activity supersedes the one before and needs a reason.
    """
    activity_decisions.decide(
        work, activity_id, activity_decisions.ReviewerDecision(**body), version=version
    )
    return _answer(work, activity_id)


@resource.writes(
    "POST /activities/<uuid:activity_id>/decision/undo",
    "reviewer",
    "staff",
    body=UndoingSchema,
    returns=ActivitySchema,
    versioned=True,
    errors=(404, 409),
)
def undo(work: UnitOfWork, body: Loaded, *, activity_id: str, version: int) -> Response:
    """Take the latest decision back: the one before applies again, or the activity is pending."""
    activity_decisions.undo(work, activity_id, reason=body["reason"], version=version)
    return _answer(work, activity_id)


@resource.reads(
    "GET /activities/<uuid:activity_id>/decisions",
    "holder",
    "reviewer",
    "staff",
    returns=AnyDecisionSchema(many=True),
    errors=(404,),
)
def decisions(reading: ReadContext, *, activity_id: str) -> Response:
    """Every decision on an activity, oldest first, including those taken back."""
    rows = decision_rows.of_activity(reading, activity_id)
    return routing.answer([row._asdict() for row in rows])
