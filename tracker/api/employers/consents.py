"""Who sees a holder's standing, and what they see."""

from __future__ import annotations

from flask import Response
from marshmallow import Schema, fields

from tracker.api.http import routing
from tracker.api.http.fields import ClosedSchema, DayField, choice
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded
from tracker.domain.employers.consents import (
    ConsentField,
    ConsentPurpose,
    ConsentTerms,
    terms,
)
from tracker.domain.employers.workforce import SEEN
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.employers import bars, sharing

resource = Resource("sharing", __name__, description=__doc__)


_SEEN = [name for names in SEEN.values() for name in names]
_USUAL = ConsentTerms()


class SharingSchema(Schema):
    """An employer who lists the holder, or whom the holder lets see their standing.

    ``id`` is that of the consent in force, null without one; it lasts no longer than the
    employment. ``fields`` are the sets of facts that it covers, ``seen`` what the employer sees
    today by the names of its own list.
    """

    id = fields.UUID(required=True, allow_none=True)
    employer_id = fields.UUID(required=True)
    employer_name = fields.String(required=True)
    on_roster = fields.Boolean(required=True)
    shared = fields.Boolean(required=True)
    barred = fields.Boolean(
        required=True,
        metadata={"description": "Whether the employer is barred; see POST /me/bars."},
    )
    since = DayField(required=True, allow_none=True)
    until_on = DayField(
        required=True, allow_none=True, metadata={"description": "The last day of the consent."}
    )
    purpose = choice(*ConsentPurpose, required=True, allow_none=True)
    covers = fields.List(choice(*ConsentField), required=True, data_key="fields")
    seen = fields.List(choice(*_SEEN), required=True)


class NewSharingSchema(ClosedSchema):
    """Consent: to whom, to what, for which purpose, and until when (default: no end).

    The standing is always covered. It ends with the employment: an employer that lists the holder
    again needs a new consent.
    """

    employer_id = fields.UUID(required=True)
    until_on = DayField(load_default=None, allow_none=True)
    covers = fields.List(
        choice(*ConsentField), load_default=lambda: list(_USUAL.fields), data_key="fields"
    )
    purpose = choice(*ConsentPurpose, load_default=_USUAL.purpose)


class NewBarSchema(ClosedSchema):
    """An employer that may not ask for anything."""

    employer_id = fields.UUID(required=True)


class BarSchema(Schema):
    """A barred employer."""

    employer_id = fields.UUID(required=True)


def presented(viewer: sharing.Viewer) -> dict[str, object]:
    """An employer who may see the holder, as the answers show it."""
    return {
        "id": viewer.id,
        "employer_id": viewer.employer_id,
        "employer_name": viewer.employer_name,
        "on_roster": bool(viewer.on_roster),
        "shared": viewer.shared,
        "barred": viewer.barred,
        "since": viewer.since,
        "until_on": viewer.until_on,
        "purpose": viewer.terms and viewer.terms.purpose,
        "fields": viewer.fields,
        "seen": viewer.seen,
    }


@resource.reads("GET /me/sharing", "holder", returns=SharingSchema(many=True), errors=(404,))
def mine(reading: ReadContext) -> Response:
    """Who can see me: employers who list me or whom I share with, and what they see."""
    return routing.answer([presented(viewer) for viewer in sharing.mine(reading)])


@resource.writes(
    "POST /me/sharing",
    "holder",
    body=NewSharingSchema,
    returns=SharingSchema,
    status=201,
    errors=(404, 409),
)
def consent(work: UnitOfWork, body: Loaded) -> Response:
    """Let an employer see my standing; refused if a consent is already in force."""
    chosen = terms(body["covers"], body["purpose"])
    viewer = sharing.consent(work, str(body["employer_id"]), chosen, until_on=body["until_on"])
    return routing.answer(presented(viewer), status=201)


@resource.writes(
    "DELETE /me/sharing/<uuid:sharing_id>", "holder", returns=None, status=204, errors=(404,)
)
def end(work: UnitOfWork, *, sharing_id: str) -> Response:
    """End a consent; the employer sees nothing more from this moment."""
    sharing.end(work, sharing_id)
    return routing.done()


@resource.writes(
    "POST /me/bars", "holder", body=NewBarSchema, returns=BarSchema, status=201, errors=(404, 409)
)
def bar(work: UnitOfWork, body: Loaded) -> Response:
    """Bar an employer: its consent ends, and I get no more messages about it.

    The employer is not told; its list looks the same as if the worker had never consented.
    """
    employer_id = str(body["employer_id"])
    bars.put(work, employer_id)
    return routing.answer({"employer_id": employer_id}, status=201)


@resource.writes(
    "DELETE /me/bars/<uuid:employer_id>", "holder", returns=None, status=204, errors=(404,)
)
def lift(work: UnitOfWork, *, employer_id: str) -> Response:
    """Let a barred employer ask me again."""
    bars.lift(work, employer_id)
    return routing.done()


@resource.reads(
    "GET /holders/<uuid:holder_id>/sharing",
    "staff",
    returns=SharingSchema(many=True),
    errors=(404,),
)
def of_holder(reading: ReadContext, *, holder_id: str) -> Response:
    """Who can see a holder."""
    return routing.answer([presented(viewer) for viewer in sharing.viewers(reading, holder_id)])
