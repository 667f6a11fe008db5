"""Passkeys: with which the caller signs in. They are added on the page, by the browser itself."""

from __future__ import annotations

from flask import Response
from marshmallow import Schema, fields

from tracker.api.http import paging, routing
from tracker.api.http.fields import ClosedSchema, WordsField
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded, page_of
from tracker.domain.people.passkeys import LONGEST_NAME
from tracker.domain.permissions import ORGANIZATIONS
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.people import passkeys
from tracker.services.people.passkeys import PasskeyRow

resource = Resource("passkeys", __name__, description=__doc__)


class PasskeySchema(Schema):
    """A passkey of the caller's."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    email = fields.String(
        required=True,
        metadata={
            "description": "The address that had signed in when it was added. A holder's passkey "
            "lets in as long as that address does."
        },
    )
    recorded_at = fields.AwareDateTime(required=True)
    last_used_at = fields.AwareDateTime(required=True, allow_none=True)


class PasskeyNameSchema(ClosedSchema):
    """The name that somebody gives a passkey."""

    name = WordsField(LONGEST_NAME, required=True)


def _present(row: PasskeyRow) -> dict[str, object]:
    return row._asdict()


@resource.reads(
    "GET /me/passkeys",
    "holder",
    *ORGANIZATIONS,
    "staff",
    query=paging.PageSchema,
    returns=page_of(PasskeySchema),
)
def mine(reading: ReadContext, query: Loaded) -> Response:
    """The caller's own passkeys."""
    rows = passkeys.page(reading, after=query.get("after"), limit=query["limit"] + 1)
    return paging.answer(rows, query, _present)


@resource.writes(
    "PATCH /me/passkeys/<uuid:passkey_id>",
    "holder",
    *ORGANIZATIONS,
    "staff",
    body=PasskeyNameSchema,
    returns=PasskeySchema,
    errors=(404,),
    personal=True,
)
def rename(work: UnitOfWork, body: Loaded, *, passkey_id: str) -> Response:
    """Give a passkey another name."""
    return routing.answer(_present(passkeys.rename(work, passkey_id, body["name"])))


@resource.writes(
    "DELETE /me/passkeys/<uuid:passkey_id>",
    "holder",
    *ORGANIZATIONS,
    "staff",
    returns=None,
    status=204,
    errors=(404, 409),
    personal=True,
)
def remove(work: UnitOfWork, *, passkey_id: str) -> Response:
    """Remove a passkey; the caller's other sessions and tokens end. A token may not."""
    passkeys.remove(work, passkey_id)
    return routing.done()
