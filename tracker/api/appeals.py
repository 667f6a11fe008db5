"""Appeals against a suspension, a revocation or a denied renewal, and how they end."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import Schema, fields

from tracker.api import doors
from tracker.api.doors import Nouns
from tracker.api.fields import Amount, Closed, Day, Words, choice
from tracker.services import appeals as cases
from tracker.services.work import Reading, Work

nouns = Nouns("appeals", __name__, description=__doc__)


class NewAppeal(Closed):
    """An appeal against a denied renewal, or the latest suspension or revocation."""

    statement = Words(20_000, required=True)
    renewal_id = fields.UUID(
        load_default=None, allow_none=True,
        metadata={"description": "The denied renewal; absent: the suspension or revocation."},
    )  # fmt: skip


class AppealDecision(Closed):
    """How an appeal ends; a later outcome supersedes the one before."""

    outcome = choice("upheld", "dismissed", required=True)
    reason = Words(2000, required=True)


class Appeal(Schema):
    """An appeal."""

    id = fields.UUID(required=True)
    certification_id = fields.UUID(required=True)
    change_id = fields.UUID(required=True, allow_none=True)
    renewal_id = fields.UUID(required=True, allow_none=True)
    statement = fields.String(required=True)
    filed_on = Day(required=True)
    due_on = Day(required=True)
    fee = Amount(required=True)
    fee_refunded = fields.Boolean(required=True)
    outcome = choice("upheld", "dismissed", required=True, allow_none=True)
    decided_on = Day(required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True)


def present(row: Any) -> dict[str, Any]:
    """An appeal's row as the interface shows it."""
    shown = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public accessor
    del shown["version"], shown["holder_id"]
    return shown


@nouns.writes(
    "POST /certifications/<uuid:certification_id>/appeals",
    "holder",
    "staff",
    body=NewAppeal,
    returns=Appeal,
    status=201,
    errors=(404, 409),
)
def appeal(work: Work, body: dict[str, Any], *, certification_id: str) -> Response:
    """Appeal against a denied renewal, or the latest suspension or revocation."""
    against = str(body["renewal_id"]) if body["renewal_id"] else None
    made = cases.file(work, certification_id, statement=body["statement"], renewal_id=against)
    row = cases.get(work, made)
    return doors.answer(
        present(row), status=201, version=row.version, location=f"/api/v1/appeals/{row.id}"
    )


@nouns.reads(
    "GET /certifications/<uuid:certification_id>/appeals",
    "holder",
    "staff",
    returns=Appeal(many=True),
    errors=(404,),
)
def appeals(reading: Reading, *, certification_id: str) -> Response:
    """The appeals about a certification."""
    rows = cases.of_certification(reading, certification_id)
    return doors.answer([present(row) for row in rows])


@nouns.reads("GET /appeals/<uuid:appeal_id>", "holder", "staff", returns=Appeal, errors=(404,))
def show_appeal(reading: Reading, *, appeal_id: str) -> Response:
    """One appeal."""
    row = cases.get(reading, appeal_id)
    return doors.answer(present(row), version=row.version)


@nouns.writes(
    "POST /appeals/<uuid:appeal_id>/decision",
    "staff",
    body=AppealDecision,
    returns=Appeal,
    versioned=True,
    errors=(404, 409),
)
def decide_appeal(work: Work, body: dict[str, Any], *, appeal_id: str, version: int) -> Response:
    """Uphold or dismiss an appeal, or change its outcome; never by who decided what is appealed."""
    cases.decide(work, appeal_id, outcome=body["outcome"], reason=body["reason"], version=version)
    row = cases.get(work, appeal_id)
    return doors.answer(present(row), version=row.version)
