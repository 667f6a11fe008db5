"""Receipts of verifications: signed JSON, and the same as a PDF, by a certificate's address."""

from __future__ import annotations

from flask import Response
from marshmallow import Schema, fields

from tracker.api import SIGNING_KEYS
from tracker.api.http import limits, routing
from tracker.api.http.fields import DayField, choice
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded
from tracker.domain.credentials.certifications import Status
from tracker.domain.errors import NotFound
from tracker.language import receipts as words
from tracker.language.receipts import ReceiptFacts
from tracker.services.core.context import ReadContext
from tracker.services.credentials import receipts, verification
from tracker.services.credentials.receipts import VerificationReceipt
from tracker.services.credentials.verification import Verified
from tracker.web.verify import VerifyQuerySchema
from tracker.web.verify_words import WORDS

public = Resource("receipts", __name__, description=__doc__)

PDF = "application/pdf"
_PATH = "/verify/<string:public_id>/receipt"


class ReceiptSchema(Schema):
    """What was so of a certificate on a day (``as_of``), as known at an instant.

    ``signed`` is the same as a JWS, to be checked with a key of ``GET /api/v1/signing-keys``; its
    ``typ`` is ``tracker-receipt+jwt``.
    """

    iss = fields.String(required=True)
    iat = fields.Integer(required=True)
    sub = fields.String(required=True, metadata={"description": "The address of the certificate."})
    number = fields.String(required=True)
    holder = fields.String(required=True)
    scheme = fields.String(required=True)
    module = fields.String(required=True, allow_none=True)
    status = choice(*Status, required=True)
    valid = fields.Boolean(required=True)
    awarded_on = DayField(required=True)
    expires_on = DayField(required=True, allow_none=True)
    as_of = DayField(required=True)
    known_at = fields.AwareDateTime(required=True)
    signed = fields.String(required=True)


@public.reads(
    f"GET {_PATH}",
    public=True,
    returns=ReceiptSchema,
    errors=(404, 410, 429),
)
def show(reading: ReadContext, *, public_id: str) -> Response:
    """A signed receipt of what is so now."""
    _, made = _made(reading, public_id)
    return _private(routing.answer({**made.values, "signed": made.signed}))


@public.reads(
    f"GET {_PATH}.pdf",
    public=True,
    query=VerifyQuerySchema,
    returns=None,
    content=PDF,
    errors=(404, 410, 429, 503),
)
def as_pdf(reading: ReadContext, query: Loaded, *, public_id: str) -> Response:
    """The same to print or to file; the number of them is limited."""
    found, made = _made(reading, public_id)
    limits.printed()
    language = str(query.get("lang") or routing.language())
    data = receipts.pdf(reading, words.report(_facts(found, made, language), language))
    answer = _private(Response(data, mimetype=PDF))
    answer.headers["Content-Disposition"] = f'attachment; filename="receipt-{public_id}.pdf"'
    return answer


def _made(reading: ReadContext, public_id: str) -> tuple[Verified, VerificationReceipt]:
    """The certificate and its receipt. Raises NotFound, NoLongerAvailable, TooOften."""
    container = routing.container()
    address = f"{container.settings.app.base_url.rstrip('/')}/verify/{public_id}"
    try:
        found = verification.by_address(reading, public_id)
    except NotFound:
        uses = [limits.caller()]
        limits.check(reading, uses)
        limits.missed(uses)
        raise
    return found, receipts.of(reading, container.signing_key, found, address)


def _facts(found: Verified, made: VerificationReceipt, language: str) -> ReceiptFacts:
    say, standing = WORDS[language], found.standing
    base = routing.container().settings.app.base_url.rstrip("/")
    return ReceiptFacts(
        scheme=found.scheme,
        module=found.module,
        holder=found.holder,
        number=found.number,
        status=say.over if found.is_over else say.statuses[standing.status],
        is_valid=standing.valid,
        awarded_on=found.awarded_on,
        expires_on=None if found.has_no_last_day else standing.expires_on,
        as_of=standing.on,
        known_at=found.checked_at,
        address=str(made.values["sub"]),
        keys=f"{base}{SIGNING_KEYS}",
        signed=made.signed,
    )


def _private(response: Response) -> Response:
    """Not indexed, not cached: a receipt is of one instant."""
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Cache-Control"] = "no-store"
    return response
