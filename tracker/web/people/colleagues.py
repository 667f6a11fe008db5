"""The people of an organization or of the certification body: accounts, sessions, invitations."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request

from tracker.api.http import routing, session_cookies
from tracker.domain import emails, values
from tracker.domain.errors import Invalid, NotFound
from tracker.domain.people.accounts import OrganizationAccess
from tracker.domain.people.invitations import INVITED
from tracker.domain.permissions import OF_THE_BODY, ORGANIZATIONS, Actor, Role, check_role
from tracker.domain.schemes.activity_types import ENGLISH
from tracker.language.catalogues import LANGUAGES
from tracker.services.core import organizations, tokens
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.people import invitations, managed_accounts
from tracker.services.people.invitations import PersonToInvite
from tracker.services.people.managed_accounts import ManagedAccount
from tracker.web.people import forms, lists, visitors
from tracker.web.people.account import session_shown

pages = Blueprint("colleagues", __name__)

HERE = "/account/people"
_ROLES: tuple[Role, ...] = ("reviewer", "staff", "admin")  # one becomes the other
_LONGEST_NAME = 200  # of an organization
_SHOWN = 100  # of each list; programs read the rest


@dataclass(frozen=True, slots=True)
class InvitationShown:
    """An invitation in the words of the page."""

    id: str
    name: str
    email: str
    what: str
    state: str


@dataclass(frozen=True, slots=True)
class AccountShown:
    """An account in the words of the page."""

    id: str
    name: str
    email: str
    what: str
    role: str
    access: str | None
    is_active: bool
    has_second_factor: bool
    is_holder_too: bool


def _for_members(view: Callable[..., Response]) -> Callable[..., Response]:
    """A page for everybody who signed in but holders and reviewers, for whom there is none."""

    @functools.wraps(view)
    def door(actor: Actor, **path: Any) -> Response:
        if actor.role in {"holder", "reviewer"}:
            raise NotFound
        return view(actor, **path)

    return visitors.signed_in(door)


@pages.get(HERE)
@_for_members
def home(actor: Actor) -> Response:
    """Who is invited, and the form to invite somebody."""
    return _page(actor)


@pages.post(f"{HERE}/invitations")
@_for_members
def invite(actor: Actor) -> Response:
    """Invite somebody."""
    return _done(actor, lambda work: invitations.invite(work, _wanted(work)))


@pages.post(f"{HERE}/invitations/<uuid:invitation_id>/again")
@_for_members
def send_again(actor: Actor, *, invitation_id: UUID) -> Response:
    """Send an invitation again."""
    return _done(actor, lambda work: invitations.send_again(work, str(invitation_id)))


@pages.post(f"{HERE}/invitations/<uuid:invitation_id>/withdraw")
@_for_members
def withdraw(actor: Actor, *, invitation_id: UUID) -> Response:
    """Withdraw an invitation."""
    return _done(actor, lambda work: invitations.withdraw(work, str(invitation_id)))


@pages.get(f"{HERE}/<uuid:account_id>")
@_for_members
def account(actor: Actor, *, account_id: UUID) -> Response:
    """One account: where it is signed in, and what can be changed about it."""
    return _account_page(actor, str(account_id))


@pages.post(f"{HERE}/<uuid:account_id>/change")
@_for_members
def change(actor: Actor, *, account_id: UUID) -> Response:
    """Give somebody another access or role."""
    sent, id_ = request.form, str(account_id)
    access = _access()
    role = next((one for one in _ROLES if one == sent.get("role")), None)
    return _done(
        actor, lambda work: managed_accounts.change(work, id_, access=access, role=role), id_
    )


@pages.post(f"{HERE}/<uuid:account_id>/own-record")
@_for_members
def name_own_record(actor: Actor, *, account_id: UUID) -> Response:
    """Name the record of a colleague who is a holder, too; without a reference, there is none."""
    id_ = str(account_id)

    def act(work: UnitOfWork) -> None:
        check_role(actor, frozenset())
        reason, ref = _line("reason"), _line("holder")
        if not reason:
            raise Invalid("Say why.")
        holder_id = tokens.holder_of_ref(work, ref) if ref else None
        managed_accounts.name_own_record(work, id_, holder_id=holder_id, reason=reason)

    return _done(actor, act, id_)


@pages.post(f"{HERE}/<uuid:account_id>/deactivate")
@_for_members
def deactivate(actor: Actor, *, account_id: UUID) -> Response:
    """End an account."""
    id_ = str(account_id)

    def act(work: UnitOfWork) -> None:
        reason, override = (_line(name) for name in ("reason", "override_reason"))
        if not reason:
            raise Invalid("Say why.")
        managed_accounts.deactivate(work, id_, reason=reason, override_reason=override or None)

    done = _done(actor, act, id_)
    # Who deactivated their own account is signed out, and the page would not open.
    is_own = id_ == actor.person_id and done.status_code == 303  # noqa: PLR2004 - HTTP's own number
    return visitors.go("/sign-in") if is_own else done


@pages.post(f"{HERE}/<uuid:account_id>/sessions/<uuid:session_id>/end")
@_for_members
def end_session(actor: Actor, *, account_id: UUID, session_id: UUID) -> Response:
    """Sign somebody out."""
    id_, session = str(account_id), str(session_id)
    return _done(actor, lambda work: managed_accounts.end_session(work, id_, session), id_)


def _access() -> OrganizationAccess | None:
    """The access in the form, if it is one."""
    return next((one for one in OrganizationAccess if one == request.form.get("access")), None)


def _line(name: str) -> str:
    """A line of text in the form; empty if there is none. Raises Invalid."""
    text = request.form.get(name, "")
    try:
        return values.line(text, 500) if text.strip() else ""
    except ValueError as error:
        raise Invalid("A value is not acceptable.") from error


def _done(
    actor: Actor, act: Callable[[UnitOfWork], object], account_id: str | None = None
) -> Response:
    """Do it in one transaction; the page then shows the result, or why it was refused.

    It is the page of an account, if one is given.
    """
    if account_id is None:
        return forms.carried_out(
            actor,
            act,
            here=HERE,
            refused=lambda wrong: _page(actor, wrong=wrong),
            invalid=_invalid(actor),
        )
    return forms.carried_out(
        actor,
        act,
        here=f"{HERE}/{account_id}",
        refused=lambda wrong: _account_page(actor, account_id, wrong),
        invalid=forms.words().invalid_account,
    )


def _invalid(actor: Actor) -> str:
    """What the form for an invitation needs: only the body's people name the organization."""
    say = forms.words()
    return say.invalid_colleague if actor.is_of_organization else say.invalid_invitation


def _wanted(work: UnitOfWork) -> PersonToInvite:
    """Whom the form invites. Raises Invalid."""
    sent = request.form
    own: Role = work.actor.role if work.actor.is_of_organization else "employer"
    role: Role = next((one for one in INVITED if one == sent.get("role")), own)
    access = _access()
    language = sent.get("language", "")
    try:
        return PersonToInvite(
            role=role,
            name=values.line(sent.get("name", ""), 100),
            email=emails.email(sent.get("email", "")),
            organization_id=_organization(work, role),
            access=(access or OrganizationAccess.VIEW) if role in ORGANIZATIONS else None,
            language=language if language in LANGUAGES else ENGLISH,
        )
    except ValueError as error:
        raise Invalid("A value is not acceptable.") from error


def _organization(work: UnitOfWork, role: Role) -> str | None:
    """The organization that staff named; others invite to their own, and the body has none.

    Raises ValueError, Invalid.
    """
    if role not in ORGANIZATIONS or not work.actor.is_staff:
        return work.actor.organization_id
    name = values.line(request.form.get("organization", ""), _LONGEST_NAME)
    return organizations.meant(work, role, {role: name})


def _near(reading: ReadContext) -> list[str]:
    """The organizations that may be meant by the name in a form that was refused."""
    name, role = request.form.get("organization", ""), request.form.get("role", "")
    may_ask = reading.actor.is_staff and role in ORGANIZATIONS
    return organizations.names_near(reading, role, name[:_LONGEST_NAME]) if may_ask else []


def _page(actor: Actor, *, wrong: str | None = None) -> Response:
    say = forms.words()
    with routing.container().reading(actor) as reading:
        near = _near(reading) if wrong else []
        waiting = invitations.page(reading, after=None, limit=_SHOWN, waiting=True)
        shown = [_invitation(reading, row) for row in waiting]
        rows = managed_accounts.page(
            reading, after=lists.place(), limit=_SHOWN + 1, filters=_members(actor), active=True
        )
        short = (
            [
                one
                for role in ORGANIZATIONS
                for one in managed_accounts.short_of_managers(
                    reading, role, after=None, limit=_SHOWN
                )
            ]
            if actor.is_staff
            else ()
        )
    return visitors.page(
        "colleagues",
        routing.language(),
        422 if wrong else 200,
        actor=actor,
        more=say,
        here=HERE,
        roles=_invited(actor),
        accesses=list(OrganizationAccess),
        languages=LANGUAGES,
        may_change="write" in actor.scopes,
        role=_members(actor)["role"],
        accounts=[_account(row) for row in rows[:_SHOWN]],
        more_after=rows[_SHOWN - 1].id if len(rows) > _SHOWN else None,
        short=short,
        invitations=shown,
        wrong=wrong,
        near=near,
        typed=request.form if wrong else {},
        csrf_token=session_cookies.csrf_token(actor),
    )


def _members(actor: Actor) -> dict[str, str]:
    """The role of the accounts on the page: staff see those of organizations, not all holders."""
    asked, roles = request.args.get("role", ""), _invited(actor)
    usual = "staff" if actor.role == "admin" else roles[0]
    return {"role": asked if asked in roles else usual}


def _invited(actor: Actor) -> tuple[Role, ...]:
    """The roles of those whom the actor invites."""
    if actor.role == "admin":
        return INVITED
    return ORGANIZATIONS if actor.is_staff else (actor.role,)


def _account_page(actor: Actor, account_id: str, wrong: str | None = None) -> Response:
    language = routing.language()
    with routing.container().reading(actor) as reading:
        found = managed_accounts.get(reading, account_id)
        rows = managed_accounts.sessions_of(reading, account_id, after=None, limit=_SHOWN)
    return visitors.page(
        "colleague",
        language,
        422 if wrong else 200,
        actor=actor,
        more=forms.words(),
        here=f"{HERE}/{account_id}",
        people=HERE,
        found=_account(found),
        accesses=list(OrganizationAccess) if found.role in ORGANIZATIONS else (),
        roles=_ROLES if found.role in _ROLES and actor.role == "admin" else (),
        may_change="write" in actor.scopes and found.deactivated_at is None,
        may_deactivate=found.role != "holder",
        may_name=actor.role == "admin"
        and found.role in OF_THE_BODY
        and found.id != actor.person_id,
        sessions=[session_shown(row, actor, language, ZoneInfo("UTC")) for row in rows],
        wrong=wrong,
        csrf_token=session_cookies.csrf_token(actor),
    )


def _account(row: ManagedAccount) -> AccountShown:
    say = forms.words()
    return AccountShown(
        id=row.id,
        name=row.name,
        email=row.email or "",
        what=say.accesses[row.access] if row.access else say.member_roles[row.role],
        role=row.role,
        access=row.access,
        is_active=row.deactivated_at is None,
        has_second_factor=row.has_second_factor,
        is_holder_too=row.role != "holder" and row.holder_id is not None,
    )


def _invitation(reading: ReadContext, row: invitations.InvitationRow) -> InvitationShown:
    say = forms.words()
    return InvitationShown(
        id=row.id,
        name=row.name,
        email=row.email,
        what=say.accesses[row.access] if row.access else say.member_roles[row.role],
        state=say.states[row.state(reading.now)],
    )
