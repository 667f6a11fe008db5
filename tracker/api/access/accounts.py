"""Accounts of others: who has one, what they may do, where they are signed in; ending it."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import Schema, fields

from tracker.api.access.sessions import SessionSchema, present
from tracker.api.http import organizations, paging, routing
from tracker.api.http.fields import ClosedSchema, WordsField, choice
from tracker.api.http.organizations import OrganizationFilterSchema, OrganizationIdsSchema
from tracker.api.http.routing import Resource
from tracker.api.http.schemas import Loaded, page_of
from tracker.domain.people.accounts import OrganizationAccess
from tracker.domain.permissions import ORGANIZATIONS, ROLES, OrganizationRole
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.people import managed_accounts
from tracker.services.people.managed_accounts import ManagedAccount, ShortOfManagers

resource = Resource("accounts", __name__, description=__doc__)


class AccountSchema(OrganizationIdsSchema):
    """An account. Holders sign in by a mailed code and have no second factor.

    ``holder_id`` is the record of the account's owner. Somebody who works for the certification
    body and is a holder too does not decide on it.
    """

    id = fields.UUID(required=True)
    role = choice(*ROLES, required=True)
    name = fields.String(required=True)
    email = fields.String(required=True, allow_none=True)
    access = choice(*OrganizationAccess, required=True, allow_none=True)
    holder_id = fields.UUID(required=True, allow_none=True)
    has_second_factor = fields.Boolean(required=True)
    recorded_at = fields.AwareDateTime(required=True)
    deactivated_at = fields.AwareDateTime(required=True, allow_none=True)


class AccountQuerySchema(paging.PageSchema, OrganizationFilterSchema):
    """Filters by field name; ``active=false``: only those that were deactivated."""

    role = choice(*ROLES)
    holder_id = fields.UUID()
    active = fields.Boolean(truthy={"true"}, falsy={"false"})


class AccountChangeSchema(ClosedSchema):
    """``access`` for an organization's account; ``role`` for the others, by an administrator."""

    access = choice(*OrganizationAccess)
    role = choice("reviewer", "staff", "admin")


class OwnRecordSchema(ClosedSchema):
    """The record of the account's owner as a holder; null: there is none."""

    holder_id = fields.UUID(required=True, allow_none=True)
    reason = WordsField(500, required=True)


class DeactivationSchema(ClosedSchema):
    """Why the account ends."""

    reason = WordsField(500, required=True)
    override_reason = WordsField(
        500,
        metadata={
            "description": "Staff: why it ends although it is the organization's last manager."
        },
    )


class ShortOfManagersSchema(Schema):
    """An organization with fewer than two managers."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    managers = fields.Integer(required=True)


def _present(row: ManagedAccount) -> dict[str, object]:
    return organizations.shown(row._asdict())


def _present_short(row: ShortOfManagers) -> dict[str, object]:
    return row._asdict()


@resource.reads(
    "GET /accounts",
    *ORGANIZATIONS,
    "staff",
    query=AccountQuerySchema,
    returns=page_of(AccountSchema),
)
def listed(reading: ReadContext, query: Loaded) -> Response:
    """The accounts that the caller may see: one's colleagues; for staff those of others."""
    filters = organizations.given(query, "role", "holder_id")
    rows = managed_accounts.page(
        reading,
        after=query.get("after"),
        limit=query["limit"] + 1,
        filters=filters,
        active=query.get("active"),
    )
    return paging.answer(rows, query, _present)


@resource.reads(
    "GET /accounts/<uuid:account_id>", *ORGANIZATIONS, "staff", returns=AccountSchema, errors=(404,)
)
def show(reading: ReadContext, *, account_id: str) -> Response:
    """One account."""
    return routing.answer(_present(managed_accounts.get(reading, account_id)))


@resource.writes(
    "PATCH /accounts/<uuid:account_id>",
    *ORGANIZATIONS,
    "staff",
    body=AccountChangeSchema,
    returns=AccountSchema,
    errors=(404, 409),
)
def change(work: UnitOfWork, body: Loaded, *, account_id: str) -> Response:
    """Change what somebody may do; they sign in again."""
    return routing.answer(_present(managed_accounts.change(work, account_id, **body)))


@resource.writes(
    "PUT /accounts/<uuid:account_id>/own-record",
    body=OwnRecordSchema,
    returns=AccountSchema,
    errors=(404, 409),
)
def name_own_record(work: UnitOfWork, body: Loaded, *, account_id: str) -> Response:
    """Name the own record of somebody of the body, on which they do not decide; never one's own."""
    holder_id = None if body["holder_id"] is None else str(body["holder_id"])
    row = managed_accounts.name_own_record(
        work, account_id, holder_id=holder_id, reason=body["reason"]
    )
    return routing.answer(_present(row))


@resource.writes(
    "POST /accounts/<uuid:account_id>/deactivation",
    *ORGANIZATIONS,
    "staff",
    body=DeactivationSchema,
    returns=AccountSchema,
    errors=(404, 409),
)
def deactivate(work: UnitOfWork, body: Loaded, *, account_id: str) -> Response:
    """End an account; its sessions and tokens end at once."""
    return routing.answer(_present(managed_accounts.deactivate(work, account_id, **body)))


@resource.reads(
    "GET /accounts/<uuid:account_id>/sessions",
    *ORGANIZATIONS,
    "staff",
    query=paging.PageSchema,
    returns=page_of(SessionSchema),
    errors=(404,),
)
def sessions_of(reading: ReadContext, query: dict[str, Any], *, account_id: str) -> Response:
    """Where somebody is signed in."""
    rows = managed_accounts.sessions_of(
        reading, account_id, after=query.get("after"), limit=query["limit"] + 1
    )
    return paging.answer(rows, query, lambda row: present(reading, row))


@resource.writes(
    "DELETE /accounts/<uuid:account_id>/sessions/<uuid:session_id>",
    *ORGANIZATIONS,
    "staff",
    returns=None,
    status=204,
    errors=(404,),
)
def end_session(work: UnitOfWork, *, account_id: str, session_id: str) -> Response:
    """Sign somebody out."""
    managed_accounts.end_session(work, account_id, session_id)
    return routing.done()


def _short(role: OrganizationRole) -> None:
    """The route for one kind of organization."""

    def short_of_managers(reading: ReadContext, query: Loaded) -> Response:
        rows = managed_accounts.short_of_managers(
            reading, role, after=query.get("after"), limit=query["limit"] + 1
        )
        return paging.answer(rows, query, _present_short)

    short_of_managers.__name__ = f"{role}s_short_of_managers"
    short_of_managers.__doc__ = (
        f"The {role}s with fewer than two managers: when the last one leaves, nobody can invite."
    )
    resource.reads(
        f"GET /{role}s/short-of-managers",
        "staff",
        query=paging.PageSchema,
        returns=page_of(ShortOfManagersSchema),
    )(short_of_managers)


for _role in ORGANIZATIONS:
    _short(_role)
