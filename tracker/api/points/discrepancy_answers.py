"""A provider's discrepancies: what does not fit in its own lists, and what it says of it."""

from __future__ import annotations

from dataclasses import asdict

from flask import Response
from marshmallow import Schema, fields

from tracker.api.desk.discrepancies import ListedPersonSchema, listed_person
from tracker.api.http import paging, routing
from tracker.api.http.fields import AmountField, ClosedSchema, DayField, WordsField, choice
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded, page_of
from tracker.domain.points.attendance import (
    ASKED_OF_PROVIDERS,
    DiscrepancyKind,
    DiscrepancyState,
    Outcome,
    ProviderAnswer,
)
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.points import discrepancy_answers
from tracker.services.points.discrepancy_answers import AskedDiscrepancy

resource = Resource("discrepancy_answers", __name__, description=__doc__)

_PATH = "/provider/discrepancies"


class AskedDiscrepancySchema(Schema):
    """What the list says (null if it has nobody), what was claimed, and the provider's answer."""

    id = fields.UUID(required=True)
    kind = choice(*sorted(ASKED_OF_PROVIDERS), required=True)
    state = choice(*DiscrepancyState, required=True)
    course_id = fields.UUID(required=True)
    course = fields.String(required=True)
    title = fields.String(required=True)
    held_on = DayField(required=True)
    listed = fields.Nested(ListedPersonSchema, required=True, allow_none=True)
    said = AmountField(required=True, allow_none=True)
    claimed = AmountField(required=True, allow_none=True)
    answer = choice(*ProviderAnswer, required=True, allow_none=True)
    answer_note = fields.String(required=True, allow_none=True)
    answered_by = fields.String(required=True, allow_none=True)
    answered_at = fields.AwareDateTime(required=True, allow_none=True)
    outcome = choice(*Outcome, required=True, allow_none=True)
    recorded_at = fields.AwareDateTime(required=True)


class AskedDiscrepancyQuerySchema(paging.PageSchema):
    """Only those in a state."""

    state = choice(*DiscrepancyState)


class ProviderAnswerSchema(ClosedSchema):
    """Whether the list is right; whom a row means that fits nobody for certain, in the note."""

    answer = choice(*ProviderAnswer, required=True)
    note = WordsField(2000, load_default=None, allow_none=True)


def _present(row: AskedDiscrepancy) -> dict[str, object]:
    shown = asdict(row)
    listed, is_listed = listed_person(shown), row.kind != DiscrepancyKind.SILENT
    return shown | {"course": shown.pop("code"), "listed": listed if is_listed else None}


@resource.reads(
    f"GET {_PATH}",
    "provider",
    query=AskedDiscrepancyQuerySchema,
    returns=page_of(AskedDiscrepancySchema),
)
def search(reading: ReadContext, query: Loaded) -> Response:
    """The discrepancies of my lists, oldest first."""
    rows = discrepancy_answers.page(
        reading, state=query.get("state"), after=query.get("after"), limit=query["limit"] + 1
    )
    return paging.answer(rows, query, _present)


@resource.reads(
    f"GET {_PATH}/<uuid:discrepancy_id>",
    "provider",
    returns=AskedDiscrepancySchema,
    errors=(404,),
)
def show(reading: ReadContext, *, discrepancy_id: str) -> Response:
    """One of them."""
    return routing.answer(_present(discrepancy_answers.get(reading, discrepancy_id)))


@resource.writes(
    f"POST {_PATH}/<uuid:discrepancy_id>/answer",
    "provider",
    body=ProviderAnswerSchema,
    returns=AskedDiscrepancySchema,
    errors=(404, 409),
)
def answer(work: UnitOfWork, body: Loaded, *, discrepancy_id: str) -> Response:
    """Say whether my list is right; staff decide on it."""
    said = ProviderAnswer(body["answer"])
    discrepancy_answers.answer(work, discrepancy_id, said, note=body["note"])
    return routing.answer(_present(discrepancy_answers.get(work, discrepancy_id)))
