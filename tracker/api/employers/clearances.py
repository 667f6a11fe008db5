"""Clearances: whether workers who share have what a requirement asks, and lists for gates."""

from __future__ import annotations

from flask import Response
from marshmallow import Schema, fields, validate

from tracker import signatures
from tracker.api.employers.requirements import MAY_ASK
from tracker.api.http import routing
from tracker.api.http.fields import ClosedSchema, DayField, WordsField, choice
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded
from tracker.domain.employers.looks import LookKind
from tracker.domain.employers.requirements import PROOF_STATUSES, ClearanceState, WorkerProof
from tracker.language import clearances as words
from tracker.services.core.context import ReadContext
from tracker.services.employers import clearances, gate_lists, looks
from tracker.services.employers.clearances import ClearanceCheck, ClearedWorker

resource = Resource("clearances", __name__, description=__doc__)

_LONGEST_SAID = 200


class ClearanceQuestionSchema(ClosedSchema):
    """Whom to ask about, by employee id, certificate number or the address on a certificate."""

    requirement_id = fields.UUID(required=True)
    people = fields.List(
        WordsField(_LONGEST_SAID),
        required=True,
        validate=validate.Length(1, clearances.MOST_PEOPLE),
        metadata={"example": ["1001", "CPT-VDN4V-98SGQ"]},
    )
    as_of = DayField(metadata={"description": "Default: today."})


class LackingProofSchema(Schema):
    """What is so of one alternative of a need that is not met."""

    scheme = fields.String()
    module = fields.String()
    credential = fields.String()
    status = choice(*map(str, PROOF_STATUSES), required=True)
    ended_on = DayField(
        required=True,
        allow_none=True,
        metadata={"description": "The last day on which it held, if dates are shared."},
    )


class ClearedWorkerSchema(Schema):
    """The answer about one who was asked about as ``said``; ``answer`` says it in a sentence.

    ``until_on`` is the last day if nothing changes; null if there is none, or dates are not shared.
    ``lacking`` has the needs that are not met, of each its alternatives. A worker who does not
    share is ``not_shared``; a number that no worker who shares has is ``unknown``.
    """

    said = fields.String(required=True)
    employee_id = fields.String(required=True, allow_none=True)
    name = fields.String(required=True, allow_none=True)
    state = choice(*ClearanceState, required=True)
    until_on = DayField(required=True, allow_none=True)
    dates_shared = fields.Boolean(required=True)
    lacking = fields.List(fields.List(fields.Nested(LackingProofSchema)), required=True)
    answer = fields.String(required=True)


class ClearancesSchema(Schema):
    """The answers in the order of the questions."""

    requirement_id = fields.UUID(required=True)
    as_of = DayField(required=True)
    items = fields.List(fields.Nested(ClearedWorkerSchema), required=True)


class GateListQuestionSchema(ClosedSchema):
    """For how long the list may be kept."""

    hours = fields.Integer(
        required=True, strict=True, validate=validate.Range(1, gate_lists.LONGEST_HOURS)
    )


class GateListSchema(Schema):
    """The workers who are cleared until ``good_until``.

    ``signed`` is the same as a JWS, to be checked with a key of ``GET /signing-keys``; its ``typ``
    is ``tracker-gate-list+jwt``. Who shares no dates is only on lists that end today.
    """

    id = fields.UUID(required=True)
    requirement_id = fields.UUID(required=True)
    made_at = fields.AwareDateTime(required=True)
    good_until = fields.AwareDateTime(required=True)
    employee_ids = fields.List(fields.String(), required=True)
    signed = fields.String(required=True)


class SigningKeysSchema(Schema):
    """A JWK Set (RFC 7517)."""

    keys = fields.List(fields.Dict(keys=fields.String(), values=fields.String()), required=True)


def _lacking(proof: WorkerProof) -> dict[str, object]:
    named = ("scheme", "module", "credential")
    needed = {name: value for name in named if (value := getattr(proof.needed, name))}
    return {**needed, "status": str(proof.status), "ended_on": proof.last_day}


def _present(reading: ReadContext, worker: ClearedWorker) -> dict[str, object]:
    """One answer; the keys are written out, so that no other ever appears."""
    found = worker.clearance
    answer = words.answer(
        found, routing.language(), schemes=reading.schemes, catalog=reading.credentials
    )
    return {
        "said": worker.said,
        "employee_id": worker.employee_id,
        "name": worker.name,
        "state": found.state,
        "until_on": found.last_day,
        "dates_shared": worker.shares_dates,
        "lacking": [[_lacking(proof) for proof in need] for need in found.lacking],
        "answer": answer,
    }


def note(reading: ReadContext, check: ClearanceCheck, kind: LookKind) -> None:
    """Record who is about to be told of; nothing is if nobody shares."""
    if not check.seen:
        return
    with routing.container().work(reading.actor) as work:
        looks.record_clearance(
            work, check.requirement.employer_id, check.schemes, kind, check.seen, on=check.on
        )


@resource.reads(
    "POST /employers/<uuid:employer_id>/clearances",
    *MAY_ASK,
    body=ClearanceQuestionSchema,
    returns=ClearancesSchema,
    errors=(404,),
)
def check(reading: ReadContext, body: Loaded, *, employer_id: str) -> Response:
    """Whether each worker has what a requirement asks on a day: until when, or why not."""
    found = clearances.check(
        reading,
        employer_id,
        str(body["requirement_id"]),
        body["people"],
        on=body.get("as_of"),
    )
    note(reading, found, LookKind.CLEARANCE)
    items = [_present(reading, worker) for worker in found.workers]
    return routing.answer(
        {"requirement_id": found.requirement.id, "as_of": found.on, "items": items}
    )


@resource.reads(
    "POST /employers/<uuid:employer_id>/requirements/<uuid:requirement_id>/gate-list",
    *MAY_ASK,
    body=GateListQuestionSchema,
    returns=GateListSchema,
    errors=(404,),
)
def gate_list(
    reading: ReadContext, body: Loaded, *, employer_id: str, requirement_id: str
) -> Response:
    """A signed list of those who are cleared, for gates without a network."""
    seed = routing.container().signing_key
    made = gate_lists.make(reading, seed, employer_id, requirement_id, hours=body["hours"])
    note(reading, made.check, LookKind.GATE_LIST)
    return routing.answer(
        {
            "id": made.id,
            "requirement_id": requirement_id,
            "made_at": made.made_at,
            "good_until": made.good_until,
            "employee_ids": made.employee_ids,
            "signed": made.signed,
        }
    )


@resource.reads("GET /signing-keys", public=True, returns=SigningKeysSchema)
def signing_keys(_: ReadContext) -> Response:
    """The public keys with which anybody checks what this installation signs."""
    return routing.answer({"keys": [signatures.public_key(routing.container().signing_key)]})
