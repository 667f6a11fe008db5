"""Digests: regular emails to an employer about its workers: how often, where, in which language."""

from __future__ import annotations

from flask import Response
from marshmallow import Schema, fields

from tracker.api.http import routing
from tracker.api.http.fields import ClosedSchema, DayField, Email, choice
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded
from tracker.domain.delivery.digests import DigestFrequency
from tracker.domain.permissions import Role
from tracker.domain.schemes.activity_types import ENGLISH
from tracker.language.catalogues import LANGUAGES
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.employers import digests
from tracker.services.employers.digests import Order

resource = Resource("digests", __name__, description=__doc__)

_PATH = "/employers/<uuid:employer_id>/digest"
_MAY_ASK: tuple[Role, ...] = ("employer", "staff")
_SHOWN = (
    "employer_id",
    "every",
    "language",
    "address",
    "through_on",
    "next_on",
    "deliverable",
    "changed_at",
)


class NewOrderSchema(ClosedSchema):
    """How often: weekly (Monday to Sunday) or monthly."""

    every = choice(*DigestFrequency, required=True)
    language = choice(*LANGUAGES, load_default=ENGLISH)
    address = Email(metadata={"description": "Default: the employer's address on record."})


class DigestOrderSchema(Schema):
    """An order. It names only workers who agreed that the employer sees their standing."""

    employer_id = fields.UUID(required=True)
    every = choice(*DigestFrequency, required=True)
    language = choice(*LANGUAGES, required=True)
    address = fields.String(required=True)
    through_on = DayField(
        required=True,
        allow_none=True,
        metadata={"description": "The last day that digests have covered so far."},
    )
    next_on = DayField(
        required=True,
        metadata={"description": "The day on which the next digest is written, at midnight."},
    )
    deliverable = fields.Boolean(
        required=True, metadata={"description": "False if emails to the address bounced."}
    )
    changed_at = fields.AwareDateTime(required=True)


def _present(order: Order) -> dict[str, object]:
    return {name: getattr(order, name) for name in _SHOWN}


@resource.reads(f"GET {_PATH}", *_MAY_ASK, returns=DigestOrderSchema, errors=(404,))
def show(reading: ReadContext, *, employer_id: str) -> Response:
    """The order; 404 if there is none."""
    return routing.answer(_present(digests.order_of(reading, employer_id)))


@resource.writes(
    f"PUT {_PATH}", *_MAY_ASK, body=NewOrderSchema, returns=DigestOrderSchema, errors=(404,)
)
def order(work: UnitOfWork, body: Loaded, *, employer_id: str) -> Response:
    """Order a digest, or change the order; the same order again changes nothing."""
    made = digests.order(
        work,
        employer_id,
        every=body["every"],
        language=body["language"],
        address=body.get("address"),
    )
    return routing.answer(_present(made))


@resource.writes(f"DELETE {_PATH}", *_MAY_ASK, returns=None, status=204, errors=(404,))
def call_off(work: UnitOfWork, *, employer_id: str) -> Response:
    """Cancel the order; a digest already in the outbox is not sent either."""
    digests.call_off(work, employer_id)
    return routing.done()
