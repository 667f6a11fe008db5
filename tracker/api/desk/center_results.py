"""Results that assessment centers send, what staff decide on them, and a center's sittings."""

from __future__ import annotations

from flask import Response
from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from tracker.api.credentials.assessments import AttemptSchema, ShownFundingSchema
from tracker.api.http import paging, routing
from tracker.api.http.fields import AmountField, ClosedSchema, DayField, WordsField, choice
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded, page_of
from tracker.domain.credentials.assessments import AttemptToRecord
from tracker.domain.credentials.center_results import ResultState, ResultVerdict
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.credentials import center_results
from tracker.services.credentials.center_results import CenterResultRow, SentResult, SittingRow
from tracker.services.desk import center_results as decisions
from tracker.services.desk.center_results import ResultDecision

resource = Resource("center-results", __name__, description=__doc__)

_MOST_AT_ONCE = 500


class NewResultSchema(AttemptSchema):
    """One result of a candidate at the caller's center."""

    attempt_ref = WordsField(
        64, required=True, metadata={"description": "The center's own number of the attempt."}
    )
    holder_ref = WordsField(64, required=True)
    family_name = WordsField(
        100, required=True, metadata={"description": "The candidate's, as a check of holder_ref."}
    )


class _SaidSchema(Schema):
    """What was said of an attempt."""

    scheme = fields.String(required=True)
    module = fields.String(required=True)
    taken_on = DayField(required=True)
    result = choice("pass", "fail", required=True)
    score = AmountField(required=True, allow_none=True)
    delivery = fields.String(required=True, allow_none=True)
    edition = fields.String(required=True, allow_none=True)
    proctor = fields.String(required=True, allow_none=True)
    instructor = fields.String(required=True, allow_none=True)
    funding = fields.String(required=True, allow_none=True)
    amount = AmountField(required=True, allow_none=True)
    funding_reference = fields.String(required=True, allow_none=True)
    more_funding = fields.List(fields.Nested(ShownFundingSchema), required=True)


class CenterResultSchema(_SaidSchema):
    """A result as the center sent it, and what became of it."""

    id = fields.UUID(required=True)
    center_id = fields.UUID(required=True)
    holder_id = fields.UUID(required=True)
    upload_id = fields.UUID(
        required=True, allow_none=True, metadata={"description": "The import that brought it."}
    )
    attempt_ref = fields.String(required=True)
    override_reason = fields.String(required=True, allow_none=True)
    warnings = fields.List(fields.String(), required=True)
    state = choice(*ResultState, required=True)
    sent_at = fields.AwareDateTime(required=True)
    sent_by = fields.String(required=True)
    decided_at = fields.AwareDateTime(required=True, allow_none=True)
    decided_by = fields.String(required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True)
    assessment_id = fields.UUID(required=True, allow_none=True)


class SittingSchema(_SaidSchema):
    """An attempt on record at a center."""

    id = fields.UUID(required=True)
    attempt_ref = fields.String(required=True, allow_none=True)
    voided_at = fields.AwareDateTime(required=True, allow_none=True)


class ResultQuerySchema(paging.PageSchema):
    """Filter by state, center and import."""

    state = choice(*ResultState)
    center_id = fields.UUID()
    upload_id = fields.UUID()


class ResultDecisionSchema(ClosedSchema):
    """What staff decide: on some results, or on all of one import that wait."""

    verdict = choice(*ResultVerdict, required=True)
    reason = WordsField(
        500,
        metadata={
            "description": "Required to send back; accepting with it overrides a wait that is not "
            "over and an approval that the center lacks."
        },
    )
    result_ids = fields.List(fields.UUID(), validate=validate.Length(1, _MOST_AT_ONCE))
    upload_id = fields.UUID()

    @validates_schema
    def _names_results(self, data: Loaded, **_kwargs: object) -> None:
        if ("result_ids" in data) == ("upload_id" in data):
            raise ValidationError("exactly one of result_ids and upload_id is required")


class DecidedResultsSchema(Schema):
    """How many results were decided."""

    decided = fields.Integer(required=True)


def _present(found: tuple[CenterResultRow, list[str]]) -> dict[str, object]:
    row, warnings = found
    shown = row._asdict()
    shown["result"] = "pass" if shown.pop("passed") else "fail"
    shown["attempt_ref"] = shown.pop("ref")
    return shown | {"warnings": warnings}


def _present_sitting(row: SittingRow) -> dict[str, object]:
    shown = row._asdict()
    shown["result"] = "pass" if shown.pop("passed") else "fail"
    return shown


@resource.writes(
    "POST /center-results",
    "center",
    body=NewResultSchema,
    returns=CenterResultSchema,
    status=201,
    errors=(409,),
)
def send(work: UnitOfWork, body: Loaded) -> Response:
    """Send one result of the caller's center: it waits for staff, or is recorded at once."""
    named = {name: body.pop(name) for name in ("holder_ref", "family_name")}
    ref, passed = body.pop("attempt_ref"), body.pop("result") == "pass"
    sent = SentResult(ref=ref, attempt=AttemptToRecord(**body, passed=passed), **named)
    return routing.answer(_present(center_results.send(work, sent)), status=201)


@resource.reads(
    "GET /center-results",
    "staff",
    "center",
    query=ResultQuerySchema,
    returns=page_of(CenterResultSchema),
)
def results(reading: ReadContext, query: Loaded) -> Response:
    """The results that centers sent; a center sees its own."""
    names = ("state", "center_id", "upload_id")
    wanted = {name: str(query[name]) for name in names if name in query}
    rows = center_results.page(
        reading, after=query.get("after"), limit=query["limit"] + 1, **wanted
    )
    return paging.answer(rows, query, _present, key=lambda one: one[0].id)


@resource.writes(
    "POST /center-results/decisions",
    "staff",
    body=ResultDecisionSchema,
    returns=DecidedResultsSchema,
    errors=(404, 409),
)
def decide(work: UnitOfWork, body: Loaded) -> Response:
    """Accept results or send them back, all or none; the center is told."""
    upload_id = str(body["upload_id"]) if "upload_id" in body else None
    decision = ResultDecision(
        verdict=ResultVerdict(body["verdict"]),
        reason=body.get("reason"),
        result_ids=[str(one) for one in body.get("result_ids", ())],
        upload_id=upload_id,
    )
    return routing.answer({"decided": decisions.decide(work, decision)})


@resource.reads(
    "GET /centers/<uuid:center_id>/assessments",
    "staff",
    "center",
    query=paging.PageSchema,
    returns=page_of(SittingSchema),
    errors=(404,),
)
def sittings(reading: ReadContext, query: Loaded, *, center_id: str) -> Response:
    """The attempts on record at a center."""
    rows = center_results.sittings(
        reading, center_id, after=query.get("after"), limit=query["limit"] + 1
    )
    return paging.answer(rows, query, _present_sitting)
