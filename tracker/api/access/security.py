"""How the caller's own account is protected. Secrets are entered on pages alone."""

from __future__ import annotations

from flask import Response
from marshmallow import Schema, fields

from tracker.api.http import routing
from tracker.api.http.routing import Resource
from tracker.domain.permissions import ORGANIZATIONS
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.people import own_account, single_sign_on

resource = Resource("security", __name__, description=__doc__)


class OwnProviderSchema(Schema):
    """An identity provider to which the account is tied."""

    name = fields.String(required=True)
    label = fields.String(required=True)


class SecuritySchema(Schema):
    """Password, authenticator app, recovery codes, passkeys and single sign-on of an account."""

    email = fields.String(required=True, allow_none=True)
    password_changed_at = fields.AwareDateTime(required=True, allow_none=True)
    app_confirmed_at = fields.AwareDateTime(required=True, allow_none=True)
    recovery_codes_left = fields.Integer(required=True)
    has_passkey = fields.Boolean(required=True)
    providers = fields.List(fields.Nested(OwnProviderSchema), required=True)
    is_fresh = fields.Boolean(
        required=True,
        metadata={
            "description": "Whether sensitive acts are possible now; otherwise confirm who you "
            "are, at /account/confirm."
        },
    )


@resource.reads(
    "GET /me/security",
    "holder",
    *ORGANIZATIONS,
    "reviewer",
    "staff",
    returns=SecuritySchema,
    errors=(404,),
)
def show(reading: ReadContext) -> Response:
    """How the caller's account is protected, for people who signed in.

    A token has no such account: 404.
    """
    found = own_account.security(reading)._asdict()
    tied = [{"name": one.name, "label": one.label} for one in single_sign_on.own(reading)]
    return routing.answer(found | {"providers": tied})


@resource.writes(
    "DELETE /me/identity-providers/<string:provider>",
    *ORGANIZATIONS,
    "reviewer",
    "staff",
    returns=None,
    status=204,
    errors=(404, 409),
    personal=True,
)
def unbind(work: UnitOfWork, *, provider: str) -> Response:
    """Untie the caller's account from an identity provider; other sessions and tokens end.

    The next sign-in there with the account's address ties it again.
    """
    single_sign_on.unbind(work, provider)
    return routing.done()
