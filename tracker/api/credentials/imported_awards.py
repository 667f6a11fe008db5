"""Imported awards: what a file said of a certification, amended or voided by staff."""

from __future__ import annotations

from flask import Response
from marshmallow import ValidationError, fields, validates_schema

from tracker.api.credentials.assessments import (
    CorrectedCertificationSchema,
    VoidSchema,
    present_effect,
)
from tracker.api.credentials.certifications import CertificationDetailSchema, present_detail
from tracker.api.http import routing
from tracker.api.http.fields import ClosedSchema, DayField, NumberFromElsewhere, WordsField
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded
from tracker.domain.credentials.imported_awards import Stretch
from tracker.services.core.context import UnitOfWork
from tracker.services.desk import imported_award_acts
from tracker.services.desk.imported_award_acts import CorrectedAward

resource = Resource("imported awards", __name__, description=__doc__)

_AMENDABLE = ("number", "awarded_on", "cycles", "edition", "source")
_MOST_CYCLES = 60


class CycleGivenSchema(ClosedSchema):
    """A cycle as the file should have given it; cycles are in the order of their days."""

    starts_on = DayField(
        allow_none=True,
        load_default=None,
        metadata={
            "description": "Null: the day of the award, or the day after the previous cycle."
        },
    )
    expires_on = DayField(
        allow_none=True,
        load_default=None,
        metadata={"description": "Last valid day. Null: by the scheme's validity."},
    )


class AwardAmendmentSchema(VoidSchema):
    """What a file should have said of an award, and why it is corrected; other fields stay."""

    number = NumberFromElsewhere()
    awarded_on = DayField()
    cycles = fields.List(
        fields.Nested(CycleGivenSchema),
        metadata={"description": "All imported cycles; cycles opened by renewals follow them."},
    )
    edition = WordsField(64, allow_none=True)
    source = WordsField(200, allow_none=True)

    @validates_schema
    def _changes_something(self, data: Loaded, **_kwargs: object) -> None:
        if not data.keys() & set(_AMENDABLE):
            raise ValidationError(f"one of {', '.join(_AMENDABLE)} is required")
        if not 1 <= len(data.get("cycles", [None])) <= _MOST_CYCLES:
            raise ValidationError(f"must have 1 to {_MOST_CYCLES} cycles", "cycles")


class CorrectedAwardSchema(CertificationDetailSchema):
    """A corrected certification (or a preview of it), and every one that this changes."""

    preview = fields.Boolean(required=True)
    warnings = fields.List(fields.String(), required=True)
    certifications = fields.List(fields.Nested(CorrectedCertificationSchema), required=True)


def _present(found: CorrectedAward) -> dict[str, object]:
    return {
        **present_detail(found.detail),
        "preview": found.preview,
        "warnings": list(found.warnings),
        "certifications": [present_effect(one) for one in found.changes],
    }


@resource.writes(
    "POST /certifications/<uuid:certification_id>/amendment",
    "staff",
    body=AwardAmendmentSchema,
    returns=CorrectedAwardSchema,
    errors=(404, 409),
)
def amend(work: UnitOfWork, body: Loaded, *, certification_id: str) -> Response:
    """Correct what a file said of an award; a void award is restored. Its address stays."""
    why = {key: body.pop(key) for key in ("reason", "later_cycles", "preview") if key in body}
    if "cycles" in body:
        body["cycles"] = [Stretch(**one) for one in body["cycles"]]
    return routing.answer(_present(imported_award_acts.amend(work, certification_id, body, **why)))


@resource.writes(
    "POST /certifications/<uuid:certification_id>/void",
    "staff",
    body=VoidSchema,
    returns=CorrectedAwardSchema,
    errors=(404, 409),
)
def void(work: UnitOfWork, body: Loaded, *, certification_id: str) -> Response:
    """Void an award that a file recorded in error; passes may still support it."""
    return routing.answer(_present(imported_award_acts.void(work, certification_id, **body)))
