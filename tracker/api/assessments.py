"""Assessments, and the directory of assessment centers."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import Schema, fields

from tracker.api import doors, paging
from tracker.api.doors import Nouns
from tracker.api.fields import Amount, Closed, Day, Words, choice
from tracker.api.schemas import page_of
from tracker.domain.assessments import CENTER_CATEGORIES, DELIVERIES, FUNDINGS, Approval
from tracker.services import assessments, holders
from tracker.services.assessments import Attempt
from tracker.services.work import Reading, Work

nouns = Nouns("assessments", __name__, description=__doc__)


class NewAssessment(Closed):
    """One attempt at a module's assessment."""

    scheme = Words(32, required=True, metadata={"example": "cpt"})
    module = Words(32, required=True, metadata={"example": "safety"})
    taken_on = Day(required=True)
    result = choice("pass", "fail", required=True)
    score = Amount(allow_none=True)
    delivery = choice(*DELIVERIES)
    center_id = fields.UUID()
    funding = choice(*FUNDINGS)
    override_reason = Words(500, metadata={"description": "Why an early retake is accepted."})


class Assessment(Schema):
    """An attempt on record; a voided one stays visible."""

    id = fields.UUID(required=True)
    ref = fields.String(required=True, allow_none=True)
    holder_id = fields.UUID(required=True)
    scheme = fields.String(required=True)
    module = fields.String(required=True)
    taken_on = Day(required=True)
    result = choice("pass", "fail", required=True)
    score = Amount(required=True, allow_none=True)
    delivery = fields.String(required=True, allow_none=True)
    center_id = fields.UUID(required=True, allow_none=True)
    funding = fields.String(required=True, allow_none=True)
    override_reason = fields.String(required=True, allow_none=True)
    warnings = fields.List(fields.String(), required=True)
    recorded_at = fields.AwareDateTime(required=True)
    recorded_by = fields.String(required=True)
    voided_at = fields.AwareDateTime(required=True, allow_none=True)
    void_reason = fields.String(required=True, allow_none=True)


class Void(Closed):
    """Why an attempt is taken back."""

    reason = Words(500, required=True)


class CenterApproval(Closed):
    """A period in which a center is approved; no ``lapses_on``: until further notice."""

    approved_on = Day(required=True)
    lapses_on = Day(allow_none=True, load_default=None)


class NewCenter(Closed):
    """An assessment center."""

    name = Words(200, required=True)
    category = choice(*CENTER_CATEGORIES, required=True)
    approvals = fields.List(fields.Nested(CenterApproval), load_default=list)


class Center(Schema):
    """An assessment center with its periods of approval."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    category = choice(*CENTER_CATEGORIES, required=True, allow_none=True)
    approvals = fields.List(fields.Nested(CenterApproval), required=True)


class CenterQuery(paging.Page):
    """A page of the directory, of one category if asked."""

    category = choice(*CENTER_CATEGORIES)


def present(row: Any) -> dict[str, Any]:
    """An assessment's row as the interface shows it."""
    shown = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public accessor
    shown["result"] = "pass" if shown.pop("passed") else "fail"
    return shown


def present_center(found: tuple[Any, list[Approval]]) -> dict[str, Any]:
    """A center with its approvals as the interface shows it."""
    row, approvals = found
    told = [{"approved_on": a.approved_on, "lapses_on": a.lapses_on} for a in approvals]
    return {"id": row.id, "name": row.name, "category": row.category, "approvals": told}


@nouns.writes(
    "POST /holders/<uuid:holder_id>/assessments",
    "staff",
    body=NewAssessment,
    returns=Assessment,
    status=201,
    errors=(404, 409),
)
def record(work: Work, body: dict[str, Any], *, holder_id: str) -> Response:
    """Record an attempt. The last required pass awards the certification at once."""
    passed = body.pop("result") == "pass"
    center_id = str(body.pop("center_id")) if "center_id" in body else None
    attempt = Attempt(**body, passed=passed, center_id=center_id)
    row = assessments.get(work, assessments.record(work, holder_id, attempt))
    return doors.answer(present(row), status=201, location=f"/api/v1/assessments/{row.id}")


@nouns.reads(
    "GET /holders/<uuid:holder_id>/assessments",
    "staff",
    "holder",
    query=paging.Page,
    returns=page_of(Assessment),
    errors=(404,),
)
def of_holder(reading: Reading, query: dict[str, Any], *, holder_id: str) -> Response:
    """A person's attempts."""
    holders.get(reading, holder_id)
    rows = assessments.of_holder(
        reading, holder_id, after=query.get("after"), limit=query["limit"] + 1
    )
    return paging.answer(rows, query, present)


@nouns.reads(
    "GET /assessments/<uuid:assessment_id>", "staff", "holder", returns=Assessment, errors=(404,)
)
def show(reading: Reading, *, assessment_id: str) -> Response:
    """One attempt."""
    return doors.answer(present(assessments.get(reading, assessment_id)))


@nouns.writes(
    "POST /assessments/<uuid:assessment_id>/void",
    "staff",
    body=Void,
    returns=Assessment,
    errors=(404, 409),
)
def void(work: Work, body: dict[str, Any], *, assessment_id: str) -> Response:
    """Take an attempt back that was recorded in error; what followed from it is corrected."""
    assessments.void(work, assessment_id, reason=body["reason"])
    return doors.answer(present(assessments.get(work, assessment_id)))


@nouns.writes("POST /centers", "staff", body=NewCenter, returns=Center, status=201, errors=(409,))
def add_center(work: Work, body: dict[str, Any]) -> Response:
    """Put an assessment center into the directory."""
    approvals = [Approval(**one) for one in body["approvals"]]
    center_id = assessments.add_center(
        work, name=body["name"], category=body["category"], approvals=approvals
    )
    shown = present_center(assessments.center(work, center_id))
    return doors.answer(shown, status=201, location=f"/api/v1/centers/{center_id}")


@nouns.reads("GET /centers", public=True, query=CenterQuery, returns=page_of(Center))
def centers(reading: Reading, query: dict[str, Any]) -> Response:
    """The directory of assessment centers."""
    found = assessments.centers(
        reading, after=query.get("after"), limit=query["limit"] + 1, category=query.get("category")
    )
    return paging.answer(found, query, present_center, key=lambda one: one[0].id)


@nouns.reads("GET /centers/<uuid:center_id>", public=True, returns=Center, errors=(404,))
def show_center(reading: Reading, *, center_id: str) -> Response:
    """One assessment center."""
    return doors.answer(present_center(assessments.center(reading, center_id)))


@nouns.writes(
    "POST /centers/<uuid:center_id>/approvals",
    "staff",
    body=CenterApproval,
    returns=Center,
    status=201,
    errors=(404, 409),
)
def approve_center(work: Work, body: dict[str, Any], *, center_id: str) -> Response:
    """Record a period in which a center is approved."""
    assessments.approve_center(work, center_id, Approval(**body))
    shown = present_center(assessments.center(work, center_id))
    return doors.answer(shown, status=201, location=f"/api/v1/centers/{center_id}")
