"""Invitations: who may invite whom, and in which state an invitation is.

Administrators invite everybody, staff invite people of organizations, and those who manage for an
organization invite colleagues.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tracker.domain.errors import Invalid, NotAllowed, NotFound
from tracker.domain.people.accounts import OrganizationAccess
from tracker.domain.permissions import (
    ORGANIZATIONS,
    Actor,
    Role,
    check_own_organization,
    check_scope,
)

INVITED: tuple[Role, ...] = (*ORGANIZATIONS, "reviewer", "staff", "admin")
"""The roles to which somebody is invited; holders need no invitation."""


class InvitationState(StrEnum):
    """An invitation is open until it is accepted or withdrawn, or has expired."""

    OPEN = "open"
    EXPIRED = "expired"
    ACCEPTED = "accepted"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class InvitationTimes:
    """The instants that decide the state of an invitation."""

    expires_at: datetime
    accepted_at: datetime | None = None
    withdrawn_at: datetime | None = None

    def state(self, now: datetime) -> InvitationState:
        """The state at an instant."""
        if self.accepted_at is not None:
            return InvitationState.ACCEPTED
        if self.withdrawn_at is not None:
            return InvitationState.WITHDRAWN
        return InvitationState.OPEN if now < self.expires_at else InvitationState.EXPIRED


def check_may_manage(actor: Actor, role: Role, organization_id: str | None) -> None:
    """Refuse an actor who may not invite, change or deactivate somebody with that role.

    Raises NotFound for another organization, NotAllowed.
    """
    check_scope(actor, "write")
    if actor.role == "admin":
        return
    if role not in ORGANIZATIONS or actor.role not in {role, "staff"}:
        raise NotAllowed(f"The role {actor.role} may not do this to somebody with the role {role}.")
    check_own_organization(actor, role, organization_id or "")


def check_place(role: Role, organization_id: str | None, access: OrganizationAccess | None) -> None:
    """Refuse people of an organization without it or an access, and others with one.

    Raises Invalid.
    """
    is_of_one = role in ORGANIZATIONS
    roles = ", ".join(ORGANIZATIONS)
    rule = f"is required for the roles {roles} and must be empty for other roles"
    given = {f"{role}_id" if is_of_one else "organization_id": organization_id, "access": access}
    wrong = {name: rule for name, value in given.items() if (value is not None) != is_of_one}
    if wrong:
        raise Invalid("Such an account is not possible.", fields=wrong)


def check_visible(actor: Actor, role: Role, organization_id: str | None) -> None:
    """Answer "no such record" to an actor who may not see such people. Raises NotFound."""
    if actor.role == "admin" or (actor.role == "staff" and role in {*ORGANIZATIONS, "holder"}):
        return
    is_of_one = actor.is_of_organization and actor.role == role
    if not is_of_one or actor.organization_id != organization_id:
        raise NotFound
