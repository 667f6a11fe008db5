"""Requests for consent: an employer asks to see workers, and each of them answers."""

from __future__ import annotations

from dataclasses import asdict

from flask import Response
from marshmallow import Schema, fields
from marshmallow.validate import Length

from tracker.api.employers.consents import SharingSchema, presented
from tracker.api.http import routing
from tracker.api.http.fields import ClosedSchema, DayField, choice
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded
from tracker.domain.employers.consents import ConsentField, ConsentPurpose, ConsentTerms, terms
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.employers import consent_requests
from tracker.services.employers.consent_requests import ConsentRequest

resource = Resource("consent_requests", __name__, description=__doc__)

_MOST = 200
_USUAL = ConsentTerms()


class ConsentTermsSchema(ClosedSchema):
    """What is asked for, and why."""

    covers = fields.List(
        choice(*ConsentField), load_default=lambda: list(_USUAL.fields), data_key="fields"
    )
    purpose = choice(*ConsentPurpose, required=True)


class NewConsentRequestsSchema(ConsentTermsSchema):
    """Whom to ask, by the ids of their entries in the roster, for what and why."""

    entry_ids = fields.List(fields.UUID(), required=True, validate=Length(min=1, max=_MOST))


class AskedWorkerSchema(Schema):
    """Whether a worker is asked; otherwise why not, and from which day it is possible.

    An entry that means nobody on record is answered as one that means somebody. ``reason``:
    ``not_matched`` (the entry has nothing by which somebody could be found), ``shared``, ``asked``
    within the last 14 days, or ``declined`` within the last 90.
    """

    entry_id = fields.UUID(required=True)
    asked = fields.Boolean(required=True)
    reason = choice("not_matched", "shared", "asked", "declined", required=True, allow_none=True)
    again_on = DayField(required=True, allow_none=True)


class ConsentRequestSchema(Schema):
    """An employer asks to see these facts for a purpose; ``id`` is that of the roster entry."""

    id = fields.UUID(required=True)
    employer_id = fields.UUID(required=True)
    employer_name = fields.String(required=True)
    asked_on = DayField(required=True)
    covers = fields.List(choice(*ConsentField), required=True, data_key="fields")
    purpose = choice(*ConsentPurpose, required=True)


class AcceptanceSchema(ClosedSchema):
    """Consent to all that was asked, or to fewer ``fields``; until when (default: no end)."""

    covers = fields.List(
        choice(*ConsentField), load_default=None, allow_none=True, data_key="fields"
    )
    until_on = DayField(load_default=None, allow_none=True)


def _present(request: ConsentRequest) -> dict[str, object]:
    return {
        "id": request.id,
        "employer_id": request.employer_id,
        "employer_name": request.employer_name,
        "asked_on": request.asked_on,
        "fields": request.terms.fields,
        "purpose": request.terms.purpose,
    }


@resource.writes(
    "POST /employers/<uuid:employer_id>/consent-requests",
    "employer",
    "staff",
    body=NewConsentRequestsSchema,
    returns=AskedWorkerSchema(many=True),
    errors=(404,),
)
def ask(work: UnitOfWork, body: Loaded, *, employer_id: str) -> Response:
    """Ask workers for their consent; the answer does not say whether we know them."""
    ids = {str(id_) for id_ in body["entry_ids"]}
    chosen = terms(body["covers"], body["purpose"])
    asked = consent_requests.ask(work, employer_id, ids, chosen)
    return routing.answer([asdict(one) for one in asked])


@resource.reads(
    "GET /me/consent-requests",
    "holder",
    returns=ConsentRequestSchema(many=True),
    errors=(404,),
)
def mine(reading: ReadContext) -> Response:
    """The employers who ask to see me and wait for my answer."""
    return routing.answer([_present(request) for request in consent_requests.mine(reading)])


@resource.writes(
    "POST /me/consent-requests/<uuid:entry_id>/acceptance",
    "holder",
    body=AcceptanceSchema,
    returns=SharingSchema,
    status=201,
    errors=(404, 409),
)
def accept(work: UnitOfWork, body: Loaded, *, entry_id: str) -> Response:
    """Let the employer see what it asked for, or less; this replaces a consent in force."""
    viewer = consent_requests.accept(
        work, entry_id, fields=body["covers"], until_on=body["until_on"]
    )
    return routing.answer(presented(viewer), status=201)


@resource.writes(
    "POST /me/consent-requests/<uuid:entry_id>/refusal",
    "holder",
    returns=None,
    status=204,
    errors=(404,),
)
def decline(work: UnitOfWork, *, entry_id: str) -> Response:
    """Decline; the employer is told so, and cannot ask me again for 90 days."""
    consent_requests.decline(work, entry_id)
    return routing.done()
