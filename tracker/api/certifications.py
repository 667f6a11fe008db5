"""Certifications: standings on any date, points explained, changes of standing, appeals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from flask import Response
from marshmallow import Schema, fields

from tracker.api import doors, paging
from tracker.api.adjustments import Adjustment
from tracker.api.adjustments import present as present_adjustment
from tracker.api.doors import Nouns
from tracker.api.evaluation_forms import AsExplained, Evaluation, Gap, WhatIf
from tracker.api.fields import CertificateNumber, Closed, Day, Words, choice, reason_code_field
from tracker.api.schemas import AsKnown, Standing, page_of
from tracker.domain.certifications import STATUSES, ChangeKind
from tracker.domain.claims import Claim
from tracker.domain.permissions import Role
from tracker.services import activities, certifications, evaluations, standings
from tracker.services.work import Reading, Work

nouns = Nouns("certifications", __name__, description=__doc__)


class Cycle(Schema):
    """One validity period."""

    ordinal = fields.Integer(required=True)
    starts_on = Day(required=True)
    expires_on = Day(
        required=True, allow_none=True,
        metadata={"description": "Last valid day, extensions decided by the day included."},
    )  # fmt: skip
    unextended_expires_on = Day(
        required=True, allow_none=True, metadata={"description": "The same without them."}
    )
    opened_on = Day(required=True)
    policy = fields.String(required=True)
    imported = fields.Boolean(
        required=True,
        metadata={"description": "Its days are a file's, whatever the scheme's validity gives."},
    )


class Certification(Schema):
    """A certification with its standing on a date."""

    id = fields.UUID(required=True)
    number = fields.String(required=True)
    public_id = fields.String(required=True)
    holder_id = fields.UUID(required=True)
    scheme = fields.String(required=True)
    awarded_on = Day(required=True)
    replaced_on = Day(
        required=True, allow_none=True,
        metadata={"description": "The day from which a later award speaks for the holder."},
    )  # fmt: skip
    withdrawn_at = fields.AwareDateTime(
        required=True, allow_none=True,
        metadata={"description": "Recorded in error: no passes on record carry it."},
    )  # fmt: skip
    standing = fields.Nested(Standing, required=True, allow_none=True)


class CertificationDetail(Certification):
    """A certification with its standing, all its cycles, and what was adjusted in them."""

    imported_at = fields.AwareDateTime(
        required=True, allow_none=True,
        metadata={
            "description": "When a file put the award on record: its number and days are those "
            "of the file. Null: it follows from the passes."
        },
    )  # fmt: skip
    edition = fields.String(required=True, allow_none=True)
    source = fields.String(
        required=True, allow_none=True, metadata={"description": "Where the file has it from."}
    )
    voided_at = fields.AwareDateTime(
        required=True, allow_none=True,
        metadata={"description": "When staff took back what the file said."},
    )  # fmt: skip
    void_reason = fields.String(required=True, allow_none=True)
    cycles = fields.List(fields.Nested(Cycle), required=True)
    adjustments = fields.List(fields.Nested(Adjustment), required=True)


class CertificationQuery(paging.Page):
    """Filters by field name; the standing is that of ``as_of``."""

    as_of = Day()
    holder_id = fields.UUID()
    scheme = Words(32)
    number = CertificateNumber()
    status = choice(*STATUSES)


class StandingChange(Closed):
    """Why, and from when. An effective date in the past or future is allowed."""

    reason_code = reason_code_field(required=True)
    reason = Words(1000, required=True)
    effective_on = Day(
        metadata={
            "description": "Today if not given; of a reinstatement for a mistake or an upheld "
            "appeal the day of what it undoes."
        }
    )


class Revocation(StandingChange):
    """The same of a revocation, which may bar from earning the certification anew."""

    barred_until = Day(
        metadata={
            "description": "The last day on which it cannot be earned anew; without it for good, "
            "or as the scheme says."
        }
    )


def present(held: standings.Held) -> dict[str, Any]:
    """A certification with its standing as the interface shows it."""
    return {
        "id": held.id, "number": held.number, "public_id": held.public_id,
        "holder_id": held.holder_id, "scheme": held.scheme, "awarded_on": held.awarded_on,
        "replaced_on": held.replaced_on, "withdrawn_at": held.withdrawn_at,
        "standing": present_standing(held.standing),
    }  # fmt: skip


def present_standing(standing: Any) -> dict[str, Any] | None:
    """A standing as the interface shows it; None before the award."""
    if standing is None:
        return None
    return {
        "status": standing.status, "valid": standing.valid, "as_of": standing.on,
        "cycle": standing.cycle, "cycle_starts_on": standing.cycle_starts_on,
        "expires_on": standing.expires_on, "window_opens_on": standing.window_opens_on,
        "window_closes_on": standing.window_closes_on, "pending_since": standing.pending_since,
    }  # fmt: skip


def present_detail(found: evaluations.Detail) -> dict[str, Any]:
    """A certification with its cycles and adjustments as the interface shows it."""
    return {
        "id": found.id, "number": found.number, "public_id": found.public_id,
        "holder_id": found.holder_id, "scheme": found.scheme, "awarded_on": found.awarded_on,
        "replaced_on": found.replaced_on, "withdrawn_at": found.withdrawn_at,
        "standing": present_standing(found.standing), "imported_at": found.imported_at,
        "edition": found.edition, "source": found.source, "voided_at": found.voided_at,
        "void_reason": found.void_reason,
        "cycles": [
            {"ordinal": c.ordinal, "starts_on": c.starts_on, "expires_on": found.expires_on(c),
             "unextended_expires_on": c.expires_on, "opened_on": c.opened_on, "policy": c.policy,
             "imported": c.imported}
            for c in found.cycles
        ],
        "adjustments": [present_adjustment(row) for row in found.adjustments],
    }  # fmt: skip


@nouns.reads(
    "GET /certifications",
    "staff",
    "holder",
    query=CertificationQuery,
    returns=page_of(Certification),
)
def search(reading: Reading, query: dict[str, Any]) -> Response:
    """Certifications with their standings on ``as_of``; a holder sees their own."""
    rows = evaluations.page(
        reading, after=query.get("after"), limit=query["limit"] + 1, on=query.get("as_of"),
        holder_id=str(query["holder_id"]) if "holder_id" in query else None,
        scheme=query.get("scheme"), number=query.get("number"), status=query.get("status"),
    )  # fmt: skip
    return paging.answer(rows, query, present)


@nouns.reads(
    "GET /certifications/<uuid:certification_id>",
    "staff",
    "holder",
    query=AsKnown,
    returns=CertificationDetail,
    errors=(404,),
    ahead=evaluations.AHEAD_OF_DETAIL,
)
def show(reading: Reading, query: dict[str, Any], *, certification_id: str) -> Response:
    """One certification with its standing on ``as_of``; null before its award."""
    found = evaluations.detail(
        reading, certification_id, on=query.get("as_of"), known_at=query.get("known_at")
    )
    return doors.answer(present_detail(found))


@nouns.reads(
    "GET /certifications/<uuid:certification_id>/evaluation",
    "staff",
    "holder",
    query=AsExplained,
    returns=Evaluation,
    errors=(404, 409),
    ahead=evaluations.AHEAD_OF_EXPLAIN,
)
def evaluate(reading: Reading, query: dict[str, Any], *, certification_id: str) -> Response:
    """The points of the cycle on ``as_of``, every one explained."""
    found = evaluations.explain(
        reading, certification_id, on=query.get("as_of"), known_at=query.get("known_at")
    )
    return _explained(evaluations.in_words(found, doors.language(), with_gap=query["gap"]))


@nouns.reads(
    "GET /certifications/<uuid:certification_id>/gap",
    "staff",
    "holder",
    query=AsKnown,
    returns=Gap,
    errors=(404, 409),
    ahead=evaluations.AHEAD_OF_EXPLAIN,
)
def close_gap(reading: Reading, query: dict[str, Any], *, certification_id: str) -> Response:
    """What would close the gap from ``as_of`` on."""
    found = evaluations.explain(
        reading, certification_id, on=query.get("as_of"), known_at=query.get("known_at")
    )
    return _explained(evaluations.gap_in_words(found, doors.language()))


@nouns.reads(
    "POST /certifications/<uuid:certification_id>/evaluation",
    "staff",
    "holder",
    query=AsExplained,
    body=WhatIf,
    returns=Evaluation,
    errors=(404, 409),
)
def what_if(
    reading: Reading, query: dict[str, Any], body: dict[str, Any], *, certification_id: str
) -> Response:
    """The same with extra claims that are not stored: what if."""
    extra = [_extra(f"extra-{n}", one) for n, one in enumerate(body["extra"], start=1)]
    found = evaluations.explain(
        reading, certification_id, on=query.get("as_of"), known_at=query.get("known_at"),
        extra=extra,
    )  # fmt: skip
    return _explained(evaluations.in_words(found, doors.language(), with_gap=query["gap"]))


def _extra(ref: str, given: dict[str, Any]) -> Claim:
    claim = activities.claim_of(ref, activities.claimed({"title": ref, **given}))
    return replace(claim, approved=given.get("provider_approved", False))


def _explained(told: dict[str, Any]) -> Response:
    response = doors.answer(told)
    response.headers["Content-Language"] = doors.language()
    response.vary.add("Accept-Language")
    return response


def _change(kind: ChangeKind, work: Work, body: dict[str, Any], certification_id: str) -> Response:
    certifications.change(
        work, certification_id, kind=kind, reason_code=body["reason_code"], reason=body["reason"],
        effective_on=body.get("effective_on"),
        barred_until=body.get("barred_until"),
    )  # fmt: skip
    return doors.answer(
        present_detail(evaluations.detail(work, certification_id, on=None, known_at=None)),
        status=201,
    )


def _changes(
    name: str, *roles: Role, body: type[Schema] = StandingChange
) -> Callable[[doors.View], doors.View]:
    """A route that changes a standing."""
    rule = f"POST /certifications/<uuid:certification_id>/{name}"
    return nouns.writes(
        rule, *roles, body=body, returns=CertificationDetail, status=201,
        errors=(404, 409),
    )  # fmt: skip


@_changes("suspension", "staff")
def suspend(work: Work, body: dict[str, Any], *, certification_id: str) -> Response:
    """Suspend a certification."""
    return _change("suspend", work, body, certification_id)


@_changes("revocation", "staff", body=Revocation)
def revoke(work: Work, body: dict[str, Any], *, certification_id: str) -> Response:
    """Revoke a certification."""
    return _change("revoke", work, body, certification_id)


@_changes("reinstatement", "staff")
def reinstate(work: Work, body: dict[str, Any], *, certification_id: str) -> Response:
    """Reinstate a suspended, revoked or surrendered certification."""
    return _change("reinstate", work, body, certification_id)


@_changes("surrender", "staff", "holder")
def surrender(work: Work, body: dict[str, Any], *, certification_id: str) -> Response:
    """Give a certification up."""
    return _change("surrender", work, body, certification_id)
