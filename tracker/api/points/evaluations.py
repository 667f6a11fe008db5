"""Evaluations: points explained, what would close the gap, what if."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from flask import Response

from tracker.api.http import routing
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import AsKnownSchema, Loaded
from tracker.api.points.evaluation_schemas import (
    AsExplainedSchema,
    EvaluationSchema,
    GapSchema,
    WhatIfSchema,
)
from tracker.domain.points.claims import Claim
from tracker.services.core.context import ReadContext
from tracker.services.points import activities, evaluations

resource = Resource("evaluations", __name__, description=__doc__)


@resource.reads(
    "GET /certifications/<uuid:certification_id>/evaluation",
    "reviewer",
    "staff",
    "holder",
    query=AsExplainedSchema,
    returns=EvaluationSchema,
    errors=(404, 409),
    ahead=evaluations.AHEAD_OF_EXPLAIN,
)
def evaluate(reading: ReadContext, query: Loaded, *, certification_id: str) -> Response:
    """The points of the cycle on ``as_of``, every one explained."""
    explained = evaluations.explain(
        reading, certification_id, on=query.get("as_of"), known_at=query.get("known_at")
    )
    language = routing.language()
    return _answer(evaluations.in_words(explained, language, with_gap=query["gap"]), language)


@resource.reads(
    "GET /certifications/<uuid:certification_id>/gap",
    "reviewer",
    "staff",
    "holder",
    query=AsKnownSchema,
    returns=GapSchema,
    errors=(404, 409),
    ahead=evaluations.AHEAD_OF_EXPLAIN,
)
def close_gap(reading: ReadContext, query: Loaded, *, certification_id: str) -> Response:
    """What would close the gap from ``as_of`` on."""
    explained = evaluations.explain(
        reading, certification_id, on=query.get("as_of"), known_at=query.get("known_at")
    )
    language = routing.language()
    return _answer(evaluations.gap_in_words(explained, language), language)


@resource.reads(
    "POST /certifications/<uuid:certification_id>/evaluation",
    "reviewer",
    "staff",
    "holder",
    query=AsExplainedSchema,
    body=WhatIfSchema,
    returns=EvaluationSchema,
    errors=(404, 409),
)
def what_if(
    reading: ReadContext, query: Loaded, body: Loaded, *, certification_id: str
) -> Response:
    """The points of the cycle with extra claims that are not stored: what if."""
    extra = [_extra(f"extra-{n}", values) for n, values in enumerate(body["extra"], start=1)]
    explained = evaluations.explain(
        reading,
        certification_id,
        on=query.get("as_of"),
        known_at=query.get("known_at"),
        extra=extra,
    )
    language = routing.language()
    return _answer(evaluations.in_words(explained, language, with_gap=query["gap"]), language)


def _extra(ref: str, values: Loaded) -> Claim:
    claim = activities.claim_of(ref, activities.claimed({"title": ref, **values}))
    return replace(claim, approved=values.get("provider_approved", False))


def _answer(explanation: Mapping[str, object], language: str) -> Response:
    response = routing.answer(explanation)
    response.headers["Content-Language"] = language
    response.vary.add("Accept-Language")
    return response
