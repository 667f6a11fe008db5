"""Invitations to organizations' people, staff and administrators: send, list, withdraw, accept."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, select, true, update
from sqlalchemy.exc import IntegrityError

from tracker.db import new_id
from tracker.domain.emails import compared
from tracker.domain.errors import AlreadyRecorded, IllegalTransition, Invalid, NotFound, WrongProof
from tracker.domain.people import invitations as rules
from tracker.domain.people.accounts import OrganizationAccess
from tracker.domain.people.invitations import InvitationState, InvitationTimes
from tracker.domain.permissions import ORGANIZATIONS, Actor, Role
from tracker.domain.schemes.activity_types import ENGLISH
from tracker.models import Account, Invitation
from tracker.services.core import history, organizations, signed_links
from tracker.services.core.context import ReadContext, UnitOfWork, columns_of
from tracker.services.outbox import queue
from tracker.services.outbox.queue import ACCOUNT, MessageToSend
from tracker.services.people import (
    accounts,
    endings,
    passkeys,
    password_changes,
    password_sign_in,
    sessions,
)

_PURPOSE = "invitation"


class InvitationRow(NamedTuple):
    """An invitation, without its link."""

    id: str
    role: Role
    access: OrganizationAccess | None
    organization_id: str | None
    name: str
    email: str
    language: str
    invited_by: str
    recorded_at: datetime
    sent_at: datetime
    sendings: int
    expires_at: datetime
    accepted_at: datetime | None
    withdrawn_at: datetime | None
    account_id: str | None

    def state(self, now: datetime) -> InvitationState:
        """The state at an instant."""
        return InvitationTimes(self.expires_at, self.accepted_at, self.withdrawn_at).state(now)


class OpenInvitation(NamedTuple):
    """What the page of an open invitation says; ``organization`` is its name, empty for others."""

    id: str
    role: Role
    name: str
    email: str
    organization: str

    @property
    def about(self) -> Collection[str]:
        """The texts about the person that make no password (``passwords.chosen()``)."""
        return [self.name, self.email, self.organization]


class PersonToInvite(NamedTuple):
    """Who is invited as what; without an organization there is no ``access`` either."""

    role: Role
    name: str
    email: str
    organization_id: str | None = None
    access: OrganizationAccess | None = None
    language: str = ENGLISH


_INVITATIONS = select(*columns_of(InvitationRow, Invitation))
IS_WAITING = and_(Invitation.accepted_at.is_(None), Invitation.withdrawn_at.is_(None))
"""The condition of an invitation that was neither accepted nor withdrawn; it may have expired."""


def invite(work: UnitOfWork, wanted: PersonToInvite) -> InvitationRow:
    """Invite somebody by email. Who acts for an organization invites to that one by default.

    Who invites staff or an administrator must have proved lately who they are. Raises NotAllowed,
    NotFound for another organization, Invalid, AlreadyRecorded, SessionEnded,
    ReauthenticationRequired.
    """
    if work.actor.role == wanted.role and wanted.organization_id is None:
        wanted = wanted._replace(organization_id=work.actor.organization_id)
    rules.check_may_manage(work.actor, wanted.role, wanted.organization_id)
    rules.check_place(wanted.role, wanted.organization_id, wanted.access)
    if wrong := organizations.faults(work, wanted.role, wanted.organization_id):
        raise Invalid(f"There is no such {wanted.role}.", fields=wrong)
    if wanted.organization_id is None:
        sessions.check_fresh_person(work)
    _check_new(work, wanted)
    endings.hold(work)
    row = Invitation(
        id=new_id(),
        role=wanted.role,
        name=wanted.name,
        email=wanted.email,
        access=wanted.access,
        language=wanted.language,
        email_key=compared(wanted.email),
        invited_by=work.actor.name,
        inviter_id=work.actor.who,
        recorded_at=work.now,
        sent_at=work.now,
        expires_at=_end(work),
    )
    row.name_organization(wanted.role, wanted.organization_id)
    work.session.add(row)
    try:
        work.session.flush()
    except IntegrityError as error:
        raise AlreadyRecorded("This person is invited already; send that again.") from error
    place = {"role": row.role, "access": row.access, "organization": wanted.organization_id}
    history.record(work, "invite", "invitation", row.id, **place)
    made = get(work, row.id)
    _send(work, made)
    return made


def _check_new(reading: ReadContext, wanted: PersonToInvite) -> None:
    """Refuse an address that has an account which the actor may see. Raises AlreadyRecorded.

    Others are noticed when the invitation is accepted: an organization learns nothing about them.
    """
    same = Account.email_key == compared(wanted.email)
    statement = select(Account.id).where(same, accounts.IS_LIVING, _visible(reading.actor, Account))
    if reading.row(statement) is not None:
        raise AlreadyRecorded("There is already an account with this email address.")


def _visible(actor: Actor, table: type[Account | Invitation]) -> ColumnElement[bool]:
    """The condition that the actor may see an account or an invitation."""
    if actor.role == "admin":
        return true()
    if actor.is_staff:
        return table.role.in_(ORGANIZATIONS)
    return (table.role == actor.role) & organizations.is_of(table, actor)


def _end(reading: ReadContext) -> datetime:
    return reading.now + timedelta(days=reading.settings.accounts.invitation_days)


def _send(work: UnitOfWork, row: InvitationRow) -> None:
    message = MessageToSend(
        key=f"{ACCOUNT}:{_PURPOSE}:{row.id}:{row.sendings}",
        kind=ACCOUNT,
        address=row.email,
        useful_until=row.expires_at,
        about={"type": _PURPOSE, "invitation_id": row.id, "sending": row.sendings},
    )
    queue.enqueue(work, work.message_key, [message])


def get(reading: ReadContext, invitation_id: str) -> InvitationRow:
    """One invitation. Raises NotFound, also for one that the actor may not see."""
    visible = _visible(reading.actor, Invitation)
    statement = _INVITATIONS.where(Invitation.id == invitation_id, visible)
    row = reading.row_as(InvitationRow, statement)
    if row is None:
        raise NotFound
    return row


def page(
    reading: ReadContext, *, after: str | None, limit: int, waiting: bool | None = None
) -> Sequence[InvitationRow]:
    """A page of the invitations that the actor may see, by id; ``waiting``: not answered yet."""
    statement = _INVITATIONS.where(_visible(reading.actor, Invitation))
    if waiting is not None:
        statement = statement.where(IS_WAITING if waiting else ~IS_WAITING)
    if after:
        statement = statement.where(Invitation.id > after)
    return reading.rows_as(InvitationRow, statement.order_by(Invitation.id).limit(limit))


def send_again(work: UnitOfWork, invitation_id: str) -> InvitationRow:
    """Send a new link, which makes the former one worthless. Raises NotFound, IllegalTransition."""
    _check_waits(work, invitation_id)
    waits = update(Invitation).where(Invitation.id == invitation_id, IS_WAITING)
    again = waits.values(sendings=Invitation.sendings + 1, sent_at=work.now, expires_at=_end(work))
    _take(work, again)
    made = get(work, invitation_id)
    history.record(work, "send_again", "invitation", invitation_id, sending=made.sendings)
    _send(work, made)
    return made


def withdraw(work: UnitOfWork, invitation_id: str) -> None:
    """Withdraw an invitation: its link is worth nothing any more.

    Raises NotFound, IllegalTransition if it was accepted or withdrawn.
    """
    _check_waits(work, invitation_id)
    waits = update(Invitation).where(Invitation.id == invitation_id, IS_WAITING)
    _take(work, waits.values(withdrawn_at=work.now))
    history.record(work, "withdraw", "invitation", invitation_id)


def _check_waits(work: UnitOfWork, invitation_id: str) -> None:
    row = get(work, invitation_id)
    rules.check_may_manage(work.actor, row.role, row.organization_id)


def _take(work: UnitOfWork, change: Any) -> None:
    if work.row(change.returning(Invitation.id)) is None:
        raise IllegalTransition("The invitation was accepted or withdrawn.")


def link(reading: ReadContext, key: bytes, invitation_id: str, sending: int) -> str:
    """The address of the page on which the invitation is accepted."""
    base = reading.settings.app.base_url.rstrip("/")
    return f"{base}/invitation/{signed_links.proof(key, _PURPOSE, f'{invitation_id}-{sending}')}"


def opened(reading: ReadContext, key: bytes, proof: str) -> OpenInvitation | None:
    """The invitation of a link; None if the link can no longer be used."""
    usable = _usable(reading, key, proof)
    if usable is None:
        return None
    statement = select(
        Invitation.id,
        Invitation.role,
        Invitation.name,
        Invitation.email,
        organizations.name_of(Invitation).label("organization"),
    )
    row = reading.row(statement.where(*usable))
    if row is None:
        return None
    return OpenInvitation(row.id, row.role, row.name, row.email, row.organization or "")


def _usable(reading: ReadContext, key: bytes, proof: str) -> tuple[ColumnElement[bool], ...] | None:
    """The conditions of the open invitation with this link."""
    text = signed_links.proven(key, _PURPOSE, proof)
    if text is None:
        return None
    id_, _, sending = text.rpartition("-")
    return (
        Invitation.id == id_,
        Invitation.sendings == int(sending),
        IS_WAITING,
        Invitation.expires_at > reading.now,
    )


def accept(work: UnitOfWork, proof: str, new_hash: str) -> str | None:
    """Open the account with its password; returns the secret with which the browser goes on.

    The second factor is set up next. None if the link can no longer be used. Raises AlreadyRecorded
    if the address has an account.
    """
    usable = _usable(work, work.message_key, proof)
    if usable is None:
        return None
    row = work.row_as(InvitationRow, _INVITATIONS.where(*usable).with_for_update())
    if row is None:
        return None
    account_id, own = _open(work, row)
    password_changes.replace_hash(own, account_id, new_hash)
    return password_sign_in.begin_factor(own, account_id, row.email)


def accept_by_passkey(
    work: UnitOfWork, proof: str, secret: str, answer: str, *, name: str, agent: str
) -> str | None:
    """Open the account with a passkey, which is both factors; returns the session's secret.

    ``secret`` is that of the browser which was asked for it (``passkeys.begin_invited``). None if
    the link can no longer be used. Raises WrongProof, AlreadyRecorded, Conflict.
    """
    usable = _usable(work, work.message_key, proof)
    if usable is None:
        return None
    row = work.row_as(InvitationRow, _INVITATIONS.where(*usable).with_for_update())
    if row is None:
        return None
    made = passkeys.take_invited(work, secret, answer)
    if made is None:
        raise WrongProof("The passkey could not be checked; add it again.")
    account_id, own = _open(work, row, id_=made[0])
    passkey_id = passkeys.record(own, account_id, made[1], name=name, email=row.email)
    accounts.lock(own, account_id)
    return sessions.enter(
        own, account_id, email=row.email, agent=agent, former=None, passkey=passkey_id
    )


def accept_at(
    work: UnitOfWork, key: str, may_be: Callable[[str, str | None, str], bool]
) -> str | None:
    """Open the account of somebody invited at an address, in compared form, that is proved theirs.

    ``may_be`` says whether the role, the organization and the address are admitted. Returns the
    account's id; None without such an invitation. Raises AlreadyRecorded.
    """
    waits = _INVITATIONS.where(
        Invitation.email_key == key, IS_WAITING, Invitation.expires_at > work.now
    )
    rows = work.rows_as(InvitationRow, waits.order_by(Invitation.id).with_for_update())
    for row in rows:
        if may_be(row.role, row.organization_id, row.email):
            return _open(work, row)[0]
    return None


def _open(
    work: UnitOfWork, row: InvitationRow, *, id_: str | None = None
) -> tuple[str, UnitOfWork]:
    """Open the account of a locked invitation; returns its id, and the work of its owner."""
    # The name is no part of an entry before there is an account that it belongs to.
    person = Actor(role=row.role, name=row.role, organization_id=row.organization_id)
    account_id = accounts.open_account(
        replace(work, actor=person),
        role=row.role,
        name=row.name,
        email=row.email,
        organization_id=row.organization_id,
        access=row.access,
        language=row.language,
        id_=id_,
    )
    accepted = update(Invitation).where(Invitation.id == row.id, IS_WAITING)
    taken = accepted.values(accepted_at=work.now, account_id=account_id).returning(Invitation.id)
    if work.row(taken) is None:
        raise NotFound
    own = replace(work, actor=replace(person, name=row.name, person_id=account_id))
    history.record(own, "accept", "invitation", row.id, account=account_id)
    return account_id, own
