"""Assessments, and the directory of assessment centers."""

from __future__ import annotations

from http import HTTPStatus

from flask import Response
from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from tracker.api.http import paging, routing
from tracker.api.http.fields import AmountField, ClosedSchema, DayField, WordsField, choice
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded, page_of
from tracker.domain.credentials import funding
from tracker.domain.credentials.assessments import (
    CENTER_CATEGORIES,
    DELIVERIES,
    FUNDINGS,
    Approval,
    AttemptToRecord,
)
from tracker.domain.credentials.certifications import Standing, Status
from tracker.domain.credentials.funding import FundingSource
from tracker.domain.permissions import Actor
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.credentials import assessments
from tracker.services.credentials import centers as center_directory
from tracker.services.credentials.assessments import (
    AssessmentRow,
    CorrectedAttempt,
)
from tracker.services.credentials.centers import CenterRow
from tracker.services.credentials.effects import Effect
from tracker.services.people import holders

resource = Resource("assessments", __name__, description=__doc__)


OVERRIDES = (
    "Why the attempt is accepted before the waiting period ends, or at a center that was not "
    "approved on the day."
)


class MoreFundingSchema(ClosedSchema):
    """A source that pays for an attempt beside the first one."""

    funding = choice(*FUNDINGS, required=True)
    amount = AmountField(allow_none=True, metadata={"description": "In the scheme's currency."})
    funding_reference = WordsField(100, allow_none=True)

    @post_load
    def _as_source(self, data: Loaded, **_kwargs: object) -> FundingSource:
        return funding.source(**data)


class ShownFundingSchema(Schema):
    """A source that pays for an attempt beside the first one, as it is on record."""

    funding = choice(*FUNDINGS, required=True)
    amount = fields.String(required=True, allow_none=True)
    funding_reference = fields.String(required=True, allow_none=True)


def _more_funding() -> fields.List[FundingSource]:
    return fields.List(
        fields.Nested(MoreFundingSchema),
        validate=validate.Length(max=funding.MOST_SOURCES - 1),
        metadata={"description": "Who pays beside `funding`; each source once."},
    )


class AttemptSchema(ClosedSchema):
    """What is said of one attempt at a module's assessment, wherever it was taken."""

    scheme = WordsField(32, required=True, metadata={"example": "cpt"})
    module = WordsField(32, required=True, metadata={"example": "safety"})
    taken_on = DayField(required=True)
    result = choice("pass", "fail", required=True)
    score = AmountField(allow_none=True)
    delivery = choice(*DELIVERIES)
    edition = WordsField(32, metadata={"example": "4.0"})
    proctor = WordsField(200, metadata={"description": "Never the instructor."})
    instructor = WordsField(200)
    funding = choice(*FUNDINGS, metadata={"description": "Who pays."})
    amount = AmountField(metadata={"description": "How much, in the scheme's currency."})
    funding_reference = WordsField(100, metadata={"example": "ITA 2026-0412"})
    more_funding = _more_funding()
    override_reason = WordsField(500, metadata={"description": OVERRIDES})


class NewAssessmentSchema(AttemptSchema):
    """One attempt at a module's assessment."""

    center_id = fields.UUID()
    center = WordsField(200, metadata={"description": "The center's name or code, by itself."})


class AssessmentSchema(Schema):
    """An attempt on record; a voided one stays visible."""

    id = fields.UUID(required=True)
    ref = fields.String(required=True, allow_none=True)
    holder_id = fields.UUID(required=True)
    scheme = fields.String(required=True)
    module = fields.String(required=True)
    taken_on = DayField(required=True)
    result = choice("pass", "fail", required=True)
    score = AmountField(required=True, allow_none=True)
    delivery = fields.String(required=True, allow_none=True)
    edition = fields.String(required=True, allow_none=True)
    center_id = fields.UUID(required=True, allow_none=True)
    proctor = fields.String(required=True, allow_none=True)
    instructor = fields.String(required=True, allow_none=True)
    funding = fields.String(required=True, allow_none=True)
    amount = AmountField(required=True, allow_none=True)
    funding_reference = fields.String(required=True, allow_none=True)
    more_funding = fields.List(fields.Nested(ShownFundingSchema), required=True)
    fee_id = fields.UUID(required=True, allow_none=True)
    override_reason = fields.String(required=True, allow_none=True)
    warnings = fields.List(fields.String(), required=True)
    recorded_at = fields.AwareDateTime(required=True)
    recorded_by = fields.String(required=True)
    voided_at = fields.AwareDateTime(required=True, allow_none=True)
    void_reason = fields.String(required=True, allow_none=True)


LATER = (
    "What happens to approved renewals that no longer fit the corrected award: keep leaves the "
    "award and its later cycles as they are, unwind turns the approvals into denials."
)


class VoidSchema(ClosedSchema):
    """Why an attempt is taken back."""

    reason = WordsField(500, required=True)
    later_cycles = choice("keep", "unwind", metadata={"description": LATER})
    preview = fields.Boolean(
        load_default=False,
        truthy={True},
        falsy={False},
        metadata={"description": "Only report what would change; store nothing."},
    )


class AmendmentSchema(VoidSchema):
    """What an attempt should have said, and why it is corrected; other fields stay as they are."""

    module = WordsField(32, metadata={"example": "safety"})
    taken_on = DayField()
    result = choice("pass", "fail")
    score = AmountField(allow_none=True)
    delivery = choice(*DELIVERIES, allow_none=True)
    edition = WordsField(32, allow_none=True)
    center_id = fields.UUID(allow_none=True)
    proctor = WordsField(200, allow_none=True)
    instructor = WordsField(200, allow_none=True)
    funding = choice(*FUNDINGS, allow_none=True)
    amount = AmountField(allow_none=True)
    funding_reference = WordsField(100, allow_none=True)
    more_funding = _more_funding()
    override_reason = WordsField(500, allow_none=True, metadata={"description": OVERRIDES})

    @validates_schema
    def _changes_something(self, data: Loaded, **_kwargs: object) -> None:
        if not data.keys() & _AMENDABLE:
            raise ValidationError(f"one of {', '.join(sorted(_AMENDABLE))} is required")


_AMENDABLE = {
    "module",
    "taken_on",
    "result",
    "score",
    "delivery",
    "edition",
    "center_id",
    "proctor",
    "instructor",
    "funding",
    "amount",
    "funding_reference",
    "more_funding",
    "override_reason",
}


class StandingThenSchema(Schema):
    """A certification's standing today."""

    status = choice(*Status, required=True)
    valid = fields.Boolean(required=True)
    expires_on = DayField(required=True, allow_none=True)


class OutsideActivitySchema(Schema):
    """An activity that no longer lies in any cycle."""

    id = fields.UUID(required=True)
    title = fields.String(required=True)
    starts_on = DayField(required=True, allow_none=True)
    completed_on = DayField(required=True, allow_none=True)
    state = fields.String(required=True)


class UnfitRenewalSchema(Schema):
    """An approved renewal that does not fit the corrected award."""

    id = fields.UUID(required=True)
    submitted_on = DayField(required=True)


class CorrectedCertificationSchema(Schema):
    """What a correction changes about a certification; null: there is or was none."""

    certification_id = fields.UUID(required=True)
    number = fields.String(required=True)
    scheme = fields.String(required=True)
    change = choice(
        "awarded",
        "moved",
        "withdrawn",
        "restored",
        "kept",
        required=True,
        allow_none=True,
        metadata={"description": "What happens to the award; null: it stays as it is."},
    )
    awarded_on_before = DayField(required=True, allow_none=True)
    awarded_on_after = DayField(required=True, allow_none=True)
    before = fields.Nested(StandingThenSchema, required=True, allow_none=True)
    after = fields.Nested(StandingThenSchema, required=True, allow_none=True)
    activities = fields.List(fields.Nested(OutsideActivitySchema), required=True)
    renewals = fields.List(fields.Nested(UnfitRenewalSchema), required=True)


class CorrectedAssessmentSchema(AssessmentSchema):
    """A corrected attempt (or a preview of it), and every certification that this changes."""

    preview = fields.Boolean(required=True)
    certifications = fields.List(fields.Nested(CorrectedCertificationSchema), required=True)


class CenterApprovalSchema(ClosedSchema):
    """A period in which a center is approved; without ``lapses_on``: until further notice."""

    approved_on = DayField(required=True)
    lapses_on = DayField(allow_none=True, load_default=None)


class CenterChangeSchema(ClosedSchema):
    """The fields of a center that may be corrected."""

    name = WordsField(200)
    code = WordsField(32, allow_none=True, metadata={"example": "SC-014"})
    category = choice(*CENTER_CATEGORIES)


class NewCenterSchema(CenterChangeSchema):
    """An assessment center."""

    name = WordsField(200, required=True)
    category = choice(*CENTER_CATEGORIES, required=True)
    approvals = fields.List(fields.Nested(CenterApprovalSchema), load_default=list)


class DirectEntrySchema(ClosedSchema):
    """Whether a center's results are recorded at once, and why that changes."""

    enters_directly = fields.Boolean(required=True, truthy={True}, falsy={False})
    reason = WordsField(500, required=True)


class CenterSchema(Schema):
    """An assessment center with its periods of approval."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    code = fields.String(required=True, allow_none=True)
    enters_directly = fields.Boolean(
        required=True,
        allow_none=True,
        metadata={"description": "Whether its results are recorded at once; null for the public."},
    )
    category = choice(*CENTER_CATEGORIES, required=True, allow_none=True)
    approvals = fields.List(fields.Nested(CenterApprovalSchema), required=True)


class CenterQuerySchema(paging.PageSchema):
    """A page of the directory, of one category if given."""

    category = choice(*CENTER_CATEGORIES)


def present(row: AssessmentRow) -> dict[str, object]:
    """An assessment's row in the form of the API."""
    shown = row._asdict()
    shown["result"] = "pass" if shown.pop("passed") else "fail"
    return shown


def _present_corrected(corrected: CorrectedAttempt) -> dict[str, object]:
    return {
        **present(corrected.assessment),
        "preview": corrected.preview,
        "certifications": [present_effect(one) for one in corrected.changes],
    }


def present_effect(effect: Effect) -> dict[str, object]:
    """What a correction changes about a certification, in the form of the API."""
    return {
        "certification_id": effect.certification_id,
        "number": effect.number,
        "scheme": effect.scheme,
        "change": effect.change,
        "awarded_on_before": effect.awarded_on_before,
        "awarded_on_after": effect.awarded_on_after,
        "before": _present_standing(effect.before),
        "after": _present_standing(effect.after),
        "activities": [
            {
                "id": one.id,
                "title": one.title,
                "starts_on": one.starts_on,
                "completed_on": one.completed_on,
                "state": one.state,
            }
            for one in effect.activities
        ],
        "renewals": [{"id": r.id, "submitted_on": r.submitted_on} for r in effect.renewals],
    }


def _present_standing(standing: Standing | None) -> dict[str, object] | None:
    if standing is None:
        return None
    return {
        "status": standing.status,
        "valid": standing.valid,
        "expires_on": standing.expires_on,
    }


def present_center(
    found: tuple[CenterRow, list[Approval]], actor: Actor | None = None
) -> dict[str, object]:
    """A center with its approvals, in the form of the API, as the actor may see it."""
    row, approvals = found
    sees = actor is not None and (actor.is_of_the_body or actor.organization_id == row.id)
    return {
        "id": row.id,
        "name": row.name,
        "code": row.code,
        "category": row.category,
        "enters_directly": row.enters_directly if sees else None,
        "approvals": [{"approved_on": a.approved_on, "lapses_on": a.lapses_on} for a in approvals],
    }


@resource.writes(
    "POST /holders/<uuid:holder_id>/assessments",
    "staff",
    body=NewAssessmentSchema,
    returns=AssessmentSchema,
    status=201,
    errors=(404, 409),
)
def record(work: UnitOfWork, body: Loaded, *, holder_id: str) -> Response:
    """Record an attempt. The last required pass awards the certification at once."""
    passed = body.pop("result") == "pass"
    center_id = str(body.pop("center_id")) if "center_id" in body else None
    attempt = AttemptToRecord(**body, passed=passed, center_id=center_id)
    row = assessments.get(work, assessments.record(work, holder_id, attempt))
    return routing.answer(present(row), status=201, location=f"/api/v1/assessments/{row.id}")


@resource.reads(
    "GET /holders/<uuid:holder_id>/assessments",
    "staff",
    "holder",
    query=paging.PageSchema,
    returns=page_of(AssessmentSchema),
    errors=(404,),
)
def of_holder(reading: ReadContext, query: Loaded, *, holder_id: str) -> Response:
    """A person's attempts."""
    holders.get(reading, holder_id)
    rows = assessments.of_holder(
        reading, holder_id, after=query.get("after"), limit=query["limit"] + 1
    )
    return paging.answer(rows, query, present)


@resource.reads(
    "GET /assessments/<uuid:assessment_id>",
    "staff",
    "holder",
    returns=AssessmentSchema,
    errors=(404,),
)
def show(reading: ReadContext, *, assessment_id: str) -> Response:
    """One attempt."""
    return routing.answer(present(assessments.get(reading, assessment_id)))


@resource.writes(
    "POST /assessments/<uuid:assessment_id>/void",
    "staff",
    body=VoidSchema,
    returns=CorrectedAssessmentSchema,
    errors=(404, 409),
)
def void(work: UnitOfWork, body: Loaded, *, assessment_id: str) -> Response:
    """Void an attempt that was recorded in error; everything that followed from it is corrected."""
    found = assessments.void(work, assessment_id, **body)
    return routing.answer(_present_corrected(found))


@resource.writes(
    "POST /assessments/<uuid:assessment_id>/amendment",
    "staff",
    body=AmendmentSchema,
    returns=CorrectedAssessmentSchema,
    errors=(404, 409),
)
def amend(work: UnitOfWork, body: Loaded, *, assessment_id: str) -> Response:
    """Correct an attempt in place: numbers and addresses of the awards it supports stay."""
    why = {key: body.pop(key) for key in ("reason", "later_cycles", "preview") if key in body}
    if "result" in body:
        body["passed"] = body.pop("result") == "pass"
    if body.get("center_id") is not None:
        body["center_id"] = str(body["center_id"])
    return routing.answer(_present_corrected(assessments.amend(work, assessment_id, body, **why)))


@resource.writes(
    "POST /centers", "staff", body=NewCenterSchema, returns=CenterSchema, status=201, errors=(409,)
)
def add_center(work: UnitOfWork, body: Loaded) -> Response:
    """Add an assessment center to the directory."""
    approvals = [Approval(**one) for one in body["approvals"]]
    center_id = center_directory.add_center(
        work,
        name=body["name"],
        code=body.get("code"),
        category=body["category"],
        approvals=approvals,
    )
    return _center(work, center_id, status=201)


def _center(reading: ReadContext, center_id: str, *, status: int = HTTPStatus.OK) -> Response:
    row, approvals = center_directory.get(reading, center_id)
    shown = present_center((row, approvals), reading.actor)
    location = None if status == HTTPStatus.OK else f"/api/v1/centers/{center_id}"
    return routing.answer(shown, status=status, version=row.version, location=location)


@resource.reads("GET /centers", public=True, query=CenterQuerySchema, returns=page_of(CenterSchema))
def centers(reading: ReadContext, query: Loaded) -> Response:
    """The directory of assessment centers."""
    found = center_directory.page(
        reading, after=query.get("after"), limit=query["limit"] + 1, category=query.get("category")
    )
    return paging.answer(found, query, present_center, key=lambda one: one[0].id)


@resource.reads("GET /centers/<uuid:center_id>", public=True, returns=CenterSchema, errors=(404,))
def show_center(reading: ReadContext, *, center_id: str) -> Response:
    """One assessment center."""
    return _center(reading, center_id)


@resource.writes(
    "PATCH /centers/<uuid:center_id>",
    "staff",
    body=CenterChangeSchema,
    returns=CenterSchema,
    versioned=True,
    errors=(404, 409),
)
def correct_center(work: UnitOfWork, body: Loaded, *, version: int, center_id: str) -> Response:
    """Correct the name, the code or the category of a center."""
    center_directory.correct(work, center_id, body, version)
    return _center(work, center_id)


@resource.writes(
    "POST /centers/<uuid:center_id>/direct-entry",
    "staff",
    body=DirectEntrySchema,
    returns=CenterSchema,
    errors=(404, 409),
)
def let_enter(work: UnitOfWork, body: Loaded, *, center_id: str) -> Response:
    """Have a center's results recorded at once from now on, or wait for staff again."""
    center_directory.let_enter(
        work, center_id, directly=body["enters_directly"], reason=body["reason"]
    )
    return _center(work, center_id)


@resource.writes(
    "POST /centers/<uuid:center_id>/approvals",
    "staff",
    body=CenterApprovalSchema,
    returns=CenterSchema,
    status=201,
    errors=(404, 409),
)
def approve_center(work: UnitOfWork, body: Loaded, *, center_id: str) -> Response:
    """Record a period in which a center is approved."""
    center_directory.approve_center(work, center_id, Approval(**body))
    return _center(work, center_id, status=201)
