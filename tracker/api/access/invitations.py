"""Invitations: organizations' people, staff and administrators are invited by email."""

from __future__ import annotations

from flask import Response
from marshmallow import fields

from tracker.api.http import organizations, paging, routing
from tracker.api.http.fields import ClosedSchema, Email, WordsField, choice
from tracker.api.http.organizations import OrganizationFilterSchema, OrganizationIdsSchema
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded, page_of
from tracker.domain.people.accounts import OrganizationAccess
from tracker.domain.people.invitations import INVITED, InvitationState
from tracker.domain.permissions import ORGANIZATIONS, organization_of
from tracker.domain.schemes.activity_types import ENGLISH
from tracker.language.catalogues import LANGUAGES
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.people import invitations
from tracker.services.people.invitations import InvitationRow, PersonToInvite

resource = Resource("invitations", __name__, description=__doc__)

_ACCESS = (
    "What somebody may do for an organization: ``view``, or ``manage``: also change and invite."
    " Required for the roles of organizations."
)


class NewInvitationSchema(ClosedSchema, OrganizationFilterSchema):
    """Who is invited as what: for an organization with the id of that kind, or one's own."""

    role = choice(*INVITED, required=True)
    name = WordsField(100, required=True)
    email = Email(required=True)
    access = choice(*OrganizationAccess, metadata={"description": _ACCESS})
    language = choice(*LANGUAGES, load_default=ENGLISH)


class InvitationSchema(OrganizationIdsSchema):
    """An invitation. Its link is in the email and nowhere else."""

    id = fields.UUID(required=True)
    state = choice(*InvitationState, required=True)
    role = choice(*INVITED, required=True)
    access = choice(*OrganizationAccess, required=True, allow_none=True)
    name = fields.String(required=True)
    email = fields.String(required=True)
    language = choice(*LANGUAGES, required=True)
    invited_by = fields.String(required=True)
    recorded_at = fields.AwareDateTime(required=True)
    sent_at = fields.AwareDateTime(required=True)
    expires_at = fields.AwareDateTime(required=True)
    accepted_at = fields.AwareDateTime(required=True, allow_none=True)
    withdrawn_at = fields.AwareDateTime(required=True, allow_none=True)
    account_id = fields.UUID(required=True, allow_none=True)


class InvitationQuerySchema(paging.PageSchema):
    """``waiting``: only those that were neither accepted nor withdrawn, or only the others."""

    waiting = fields.Boolean(truthy={"true"}, falsy={"false"})


def _present(reading: ReadContext, row: InvitationRow) -> dict[str, object]:
    shown = organizations.shown(row._asdict())
    del shown["sendings"]
    return shown | {"state": row.state(reading.now)}


@resource.writes(
    "POST /invitations",
    *ORGANIZATIONS,
    "staff",
    body=NewInvitationSchema,
    returns=InvitationSchema,
    status=201,
    errors=(404, 409),
)
def invite(work: UnitOfWork, body: Loaded) -> Response:
    """Invite somebody: admins invite everybody, others people of organizations, or of their own."""
    ids = organizations.given(body)
    about = {name: value for name, value in body.items() if name not in organizations.NAMES}
    wanted = PersonToInvite(**about, organization_id=organization_of(body["role"], ids))
    row = invitations.invite(work, wanted)
    location = f"/api/v1/invitations/{row.id}"
    return routing.answer(_present(work, row), status=201, location=location)


@resource.reads(
    "GET /invitations",
    *ORGANIZATIONS,
    "staff",
    query=InvitationQuerySchema,
    returns=page_of(InvitationSchema),
)
def listed(reading: ReadContext, query: Loaded) -> Response:
    """The invitations that the caller may see: of their organization; staff, of every one."""
    rows = invitations.page(
        reading,
        after=query.get("after"),
        limit=query["limit"] + 1,
        waiting=query.get("waiting"),
    )
    return paging.answer(rows, query, lambda row: _present(reading, row))


@resource.reads(
    "GET /invitations/<uuid:invitation_id>",
    *ORGANIZATIONS,
    "staff",
    returns=InvitationSchema,
    errors=(404,),
)
def show(reading: ReadContext, *, invitation_id: str) -> Response:
    """One invitation."""
    return routing.answer(_present(reading, invitations.get(reading, invitation_id)))


@resource.writes(
    "POST /invitations/<uuid:invitation_id>/sending",
    *ORGANIZATIONS,
    "staff",
    returns=InvitationSchema,
    errors=(404, 409),
)
def send_again(work: UnitOfWork, *, invitation_id: str) -> Response:
    """Send a new link, valid for as long as the first; the former link is worth nothing then."""
    return routing.answer(_present(work, invitations.send_again(work, invitation_id)))


@resource.writes(
    "DELETE /invitations/<uuid:invitation_id>",
    *ORGANIZATIONS,
    "staff",
    returns=None,
    status=204,
    errors=(404, 409),
)
def withdraw(work: UnitOfWork, *, invitation_id: str) -> Response:
    """Withdraw an invitation."""
    invitations.withdraw(work, invitation_id)
    return routing.done()
