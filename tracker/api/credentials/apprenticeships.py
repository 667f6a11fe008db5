"""Registered apprenticeships: how far they have come, for apprentices, staff and sponsors."""

from __future__ import annotations

from flask import Response
from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from tracker.api.http import paging, routing
from tracker.api.http.fields import ClosedSchema, DayField, WordsField, choice
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded, page_of
from tracker.domain.credentials.apprenticeships import ApprenticeshipStatus
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.credentials import apprenticeships
from tracker.services.credentials.apprenticeships import STATED, ApprenticeshipProgress
from tracker.services.people import holders

resource = Resource("apprenticeships", __name__, description=__doc__)

_HOURS = validate.Range(0, 100_000)
_REQUIRED_HOURS = validate.Range(1, 100_000)


class NewApprenticeshipSchema(ClosedSchema):
    """An apprenticeship with a sponsor of the directory."""

    sponsor_id = fields.UUID(required=True)
    scheme = WordsField(
        32,
        load_default="cpt",
        metadata={"description": "The scheme whose modules are credited."},
    )
    program_code = WordsField(
        32, required=True, metadata={"description": "The program's code in RAPIDS."}
    )
    occupation = WordsField(200, required=True)
    status = choice(*ApprenticeshipStatus, load_default=ApprenticeshipStatus.REGISTERED)
    started_on = DayField(required=True)
    expected_end_on = DayField(allow_none=True, load_default=None)
    ended_on = DayField(allow_none=True, load_default=None)
    instruction_hours = fields.Integer(
        strict=True,
        validate=_HOURS,
        load_default=0,
        metadata={"description": "Hours of related instruction done."},
    )
    instruction_hours_required = fields.Integer(
        strict=True, validate=_REQUIRED_HOURS, allow_none=True, load_default=None
    )


class ApprenticeshipCorrectionSchema(ClosedSchema):
    """What changed about an apprenticeship, and why; other fields stay as they are."""

    sponsor_id = fields.UUID()
    scheme = WordsField(32)
    program_code = WordsField(32)
    occupation = WordsField(200)
    status = choice(*ApprenticeshipStatus)
    started_on = DayField()
    expected_end_on = DayField(allow_none=True)
    ended_on = DayField(allow_none=True)
    instruction_hours = fields.Integer(strict=True, validate=_HOURS)
    instruction_hours_required = fields.Integer(
        strict=True, validate=_REQUIRED_HOURS, allow_none=True
    )
    reason = WordsField(500, required=True)

    @validates_schema
    def _changes_something(self, data: Loaded, **_kwargs: object) -> None:
        if not data.keys() & set(STATED):
            raise ValidationError(f"one of {', '.join(STATED)} is required")


class CreditedModuleSchema(Schema):
    """A module credited to the apprenticeship: it was passed on that day."""

    module = fields.String(required=True)
    passed_on = DayField(required=True)


class ApprenticeshipSchema(Schema):
    """An apprenticeship and its progress; ``shared``: its sponsor sees it."""

    id = fields.UUID(required=True)
    holder_id = fields.UUID(required=True)
    apprentice = fields.String(required=True)
    sponsor_id = fields.UUID(required=True)
    sponsor = fields.String(required=True)
    scheme = fields.String(required=True)
    program_code = fields.String(required=True)
    occupation = fields.String(required=True)
    status = choice(*ApprenticeshipStatus, required=True)
    started_on = DayField(required=True)
    expected_end_on = DayField(required=True, allow_none=True)
    ended_on = DayField(required=True, allow_none=True)
    days_left = fields.Integer(required=True, allow_none=True)
    instruction_hours = fields.Integer(required=True)
    instruction_hours_required = fields.Integer(required=True, allow_none=True)
    instruction_hours_left = fields.Integer(required=True, allow_none=True)
    modules_credited = fields.List(fields.Nested(CreditedModuleSchema), required=True)
    modules_missing = fields.List(fields.String(), required=True)
    shared = fields.Boolean(required=True)


def present(one: ApprenticeshipProgress) -> dict[str, object]:
    """An apprenticeship and its progress, in the form of the API."""
    row, terms = one.row, one.row.terms
    return {
        "id": row.id,
        "holder_id": row.holder_id,
        "apprentice": f"{one.apprentice.given_name} {one.apprentice.family_name}",
        "sponsor": row.name,
        **{name: getattr(row, name) for name in STATED},
        "days_left": terms.days_left(on=one.on),
        "instruction_hours_left": terms.hours_left(),
        "modules_credited": [
            {"module": each.module.code, "passed_on": each.passed_on} for each in one.modules.passed
        ],
        "modules_missing": [each.module.code for each in one.modules.missing],
        "shared": row.is_shared,
    }


def _stated(body: Loaded) -> dict[str, object]:
    return {
        name: str(body[name]) if name == "sponsor_id" else body[name]
        for name in STATED
        if name in body
    }


def _answer(reading: ReadContext, apprenticeship_id: str, status: int = 200) -> Response:
    shown = present(apprenticeships.get(reading, apprenticeship_id))
    location = f"/api/v1/apprenticeships/{apprenticeship_id}" if status == 201 else None  # noqa: PLR2004 - HTTP's own number
    return routing.answer(shown, status=status, location=location)


@resource.writes(
    "POST /holders/<uuid:holder_id>/apprenticeships",
    "staff",
    body=NewApprenticeshipSchema,
    returns=ApprenticeshipSchema,
    status=201,
    errors=(404, 409),
)
def register(work: UnitOfWork, body: Loaded, *, holder_id: str) -> Response:
    """Record an apprenticeship. Its sponsor sees it once the apprentice consents."""
    return _answer(work, apprenticeships.register(work, holder_id, _stated(body)), 201)


@resource.reads(
    "GET /holders/<uuid:holder_id>/apprenticeships",
    "holder",
    "staff",
    query=paging.PageSchema,
    returns=page_of(ApprenticeshipSchema),
    errors=(404,),
)
def of_holder(reading: ReadContext, query: Loaded, *, holder_id: str) -> Response:
    """A person's apprenticeships."""
    holders.get(reading, holder_id)
    rows = apprenticeships.page(
        reading, holder_id=holder_id, after=query.get("after"), limit=query["limit"] + 1
    )
    return paging.answer(rows, query, present, key=lambda one: one.row.id)


@resource.reads(
    "GET /apprenticeships",
    "sponsor",
    "staff",
    query=paging.PageSchema,
    returns=page_of(ApprenticeshipSchema),
)
def page(reading: ReadContext, query: Loaded) -> Response:
    """A sponsor's apprenticeships whose apprentices consent; for staff, all."""
    rows = apprenticeships.page(reading, after=query.get("after"), limit=query["limit"] + 1)
    return paging.answer(rows, query, present, key=lambda one: one.row.id)


@resource.reads(
    "GET /apprenticeships/<uuid:apprenticeship_id>",
    "holder",
    "sponsor",
    "staff",
    returns=ApprenticeshipSchema,
    errors=(404,),
)
def show(reading: ReadContext, *, apprenticeship_id: str) -> Response:
    """One apprenticeship and its progress."""
    return _answer(reading, apprenticeship_id)


@resource.writes(
    "POST /apprenticeships/<uuid:apprenticeship_id>/correction",
    "staff",
    body=ApprenticeshipCorrectionSchema,
    returns=ApprenticeshipSchema,
    errors=(404, 409),
)
def correct(work: UnitOfWork, body: Loaded, *, apprenticeship_id: str) -> Response:
    """Change the status, the hours, or what was recorded wrong."""
    apprenticeships.correct(work, apprenticeship_id, _stated(body), reason=body["reason"])
    return _answer(work, apprenticeship_id)


@resource.writes(
    "POST /apprenticeships/<uuid:apprenticeship_id>/consent",
    "holder",
    returns=ApprenticeshipSchema,
    errors=(404, 409),
)
def consent(work: UnitOfWork, *, apprenticeship_id: str) -> Response:
    """Let the sponsor see the apprenticeship, one's name and the modules passed."""
    apprenticeships.consent(work, apprenticeship_id)
    return _answer(work, apprenticeship_id)


@resource.writes(
    "POST /apprenticeships/<uuid:apprenticeship_id>/consent/end",
    "holder",
    "staff",
    returns=ApprenticeshipSchema,
    errors=(404, 409),
)
def end_consent(work: UnitOfWork, *, apprenticeship_id: str) -> Response:
    """End the sponsor's access at once."""
    apprenticeships.end_consent(work, apprenticeship_id)
    return _answer(work, apprenticeship_id)
