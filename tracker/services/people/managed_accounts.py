"""Accounts in the hands of others: list, change, deactivate; see and end their sessions.

Who may is said in ``domain.people.invitations``: administrators may all, staff those of
organizations and the sessions of holders, an organization's managers those of their colleagues.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, exists, func, or_, select, update

from tracker.domain.errors import IllegalTransition, Invalid, NotAllowed, NotFound, SelfReview
from tracker.domain.people import invitations as rules
from tracker.domain.people import managers as manager_rules
from tracker.domain.people.accounts import OrganizationAccess
from tracker.domain.permissions import (
    OF_THE_BODY,
    ORGANIZATIONS,
    OrganizationRole,
    Role,
    check_scope,
)
from tracker.models import Account, Authenticator, Holder, Passkey
from tracker.services.core import history, identities, organizations
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.people import (
    account_news,
    accounts,
    endings,
    own_records,
    second_factors,
    sessions,
)


class ManagedAccount(NamedTuple):
    """An account as those who manage it see it."""

    id: str
    role: Role
    name: str
    email: str | None
    access: OrganizationAccess | None
    organization_id: str | None
    holder_id: str | None
    has_second_factor: bool
    recorded_at: datetime
    deactivated_at: datetime | None


class ShortOfManagers(NamedTuple):
    """An organization with fewer managers than it should have."""

    id: str
    name: str
    managers: int


OWN_RECORD = func.coalesce(Account.holder_id, Account.own_record_id)
"""The record of the account's owner: a holder's, or that of somebody of the body who is one too."""
_NAME = func.coalesce(Account.name, Holder.given_name + " " + Holder.family_name)
_ACCOUNTS = select(
    Account.id,
    Account.role,
    _NAME.label("name"),
    Account.email,
    Account.access,
    Account.organization_id,
    OWN_RECORD.label("holder_id"),
    or_(
        exists(select(Authenticator.account_id).where(Authenticator.account_id == Account.id)),
        exists(select(Passkey.id).where(Passkey.account_id == Account.id)),
    ).label("has_second_factor"),
    Account.recorded_at,
    Account.deactivated_at,
).join(Holder, Holder.id == Account.holder_id, isouter=True)


def _visible(reading: ReadContext) -> list[ColumnElement[bool]]:
    actor = reading.actor
    if actor.role == "admin":
        return []
    if actor.is_staff:
        return [or_(Account.role.in_((*ORGANIZATIONS, "holder")), Account.id == actor.person_id)]
    return [Account.role == actor.role, organizations.is_of(Account, actor)]


def page(
    reading: ReadContext,
    *,
    after: str | None,
    limit: int,
    filters: Mapping[str, str],
    active: bool | None = None,
) -> Sequence[ManagedAccount]:
    """A page of the accounts that the actor may see, by id; without ``active`` also former ones.

    ``filters`` are role, holder_id, and the ids of organizations by the names of their columns.
    """
    statement = _ACCOUNTS.where(*_visible(reading))
    columns = {"holder_id": OWN_RECORD}
    statement = statement.where(
        *(columns.get(key, getattr(Account, key)) == value for key, value in filters.items())
    )
    if active is not None:
        statement = statement.where(accounts.IS_LIVING if active else ~accounts.IS_LIVING)
    if after:
        statement = statement.where(Account.id > after)
    return reading.rows_as(ManagedAccount, statement.order_by(Account.id).limit(limit))


def get(reading: ReadContext, account_id: str) -> ManagedAccount:
    """One account. Raises NotFound, also for one that the actor may not see."""
    statement = _ACCOUNTS.where(Account.id == account_id, *_visible(reading))
    row = reading.row_as(ManagedAccount, statement)
    if row is None:
        raise NotFound
    return row


def change(
    work: UnitOfWork,
    account_id: str,
    *,
    access: OrganizationAccess | None = None,
    role: Role | None = None,
) -> ManagedAccount:
    """Give somebody another access for their organization, or make staff administrators and back.

    Sessions and tokens end, since they were given more or less (``endings.of_rights``). Raises
    NotFound, NotAllowed, Invalid, IllegalTransition, LastManager, LastAdministrator.
    """
    _check_may_manage(work, get(work, account_id))
    before = _locked(work, account_id)
    is_of_one = before.role in ORGANIZATIONS
    if (access is not None) != is_of_one or (role is not None) == is_of_one:
        raise Invalid("An account of an organization has an access, others a role.")
    if role is not None and work.actor.role != "admin":
        raise NotAllowed("Only an administrator changes roles.")
    new = {"access": access} if is_of_one else {"role": role}
    changed = history.changes({key: getattr(before, key) for key in new}, new)
    if not changed:
        return before
    _check_not_last(work, before, override_reason=None)
    work.execute(update(Account).where(Account.id == account_id).values(new))
    endings.of_rights(work, account_id)
    history.record(work, "change", "account", account_id, changes=changed)
    account_news.tell(work, accounts.owner(work, account_id), account_news.RIGHTS_CHANGED)
    return get(work, account_id)


def name_own_record(
    work: UnitOfWork, account_id: str, *, holder_id: str | None, reason: str
) -> ManagedAccount:
    """Name the record of somebody of the body as a holder, or none, by an administrator.

    From now on the owner and the owner's tokens do not decide on it. Raises NotFound, NotAllowed,
    SelfReview for one's own account, Invalid, IllegalTransition, ReauthenticationRequired.
    """
    found = get(work, account_id)
    if found.role not in OF_THE_BODY:
        raise NotAllowed("Only an account of the certification body names an own record.")
    if account_id in identities.behind(work):
        raise SelfReview("Another administrator names your own record.")
    _check_may_manage(work, found)
    _locked(work, account_id)
    if holder_id is not None and work.session.get(Holder, holder_id) is None:
        rule = "is not a holder on record"
        raise Invalid("There is no such holder.", fields={"holder_id": rule})
    if found.holder_id != holder_id:
        own_records.name(work, account_id, holder_id, reason=reason)
    return get(work, account_id)


def deactivate(
    work: UnitOfWork, account_id: str, *, reason: str, override_reason: str | None = None
) -> ManagedAccount:
    """End an account for good; what the owner could come back by ends too, and the owner is told.

    The address can be invited again. People deactivate their own account, too. Raises NotFound,
    NotAllowed, IllegalTransition, LastManager, LastAdministrator.
    """
    if account_id != work.actor.person_id:
        _check_may_manage(work, get(work, account_id))
    before = _locked(work, account_id)
    _check_not_last(work, before, override_reason=override_reason)
    living = update(Account).where(Account.id == account_id)
    work.execute(living.values(deactivated_at=work.now))
    endings.of_rights(work, account_id)
    second_factors.unbind(work, account_id)  # or the owner, invited again, could not come back
    why = {"reason": reason, "override_reason": override_reason}
    history.record(work, "deactivate", "account", account_id, **why)
    account_news.tell(work, accounts.owner(work, account_id), account_news.DEACTIVATED)
    return get(work, account_id)


def _check_may_manage(work: UnitOfWork, found: ManagedAccount) -> None:
    """Refuse an actor who may not change the account, even their own.

    Whoever changes staff or an administrator must have proved lately who they are. Raises
    NotAllowed, ReauthenticationRequired.
    """
    if found.role != "holder":
        rules.check_may_manage(work.actor, found.role, found.organization_id)
    if found.role in OF_THE_BODY:
        sessions.check_fresh_person(work)


def _locked(work: UnitOfWork, account_id: str) -> ManagedAccount:
    """An account that is no holder's, locked. Raises NotFound, NotAllowed, IllegalTransition."""
    found = get(work, account_id)
    if found.role == "holder":
        raise NotAllowed("A holder's account belongs to the record; end its sessions instead.")
    counting = (Account.id == account_id) | _counting(found)
    work.rows(select(Account.id).where(counting).order_by(Account.id).with_for_update())
    locked = get(work, account_id)
    if locked.deactivated_at is not None:
        raise IllegalTransition("The account was deactivated.")
    return locked


def _counting(account: ManagedAccount) -> ColumnElement[bool]:
    """The condition of the accounts of which one must be left: administrators, or managers.

    All of them are locked, in one order, so that two cannot go at once.
    """
    if account.organization_id is None:
        return (Account.role == "admin") & accounts.IS_LIVING
    manages = Account.access == OrganizationAccess.MANAGE
    return organizations.is_named(Account, account.role, account.organization_id) & (
        manages & accounts.IS_LIVING
    )


def _check_not_last(
    work: UnitOfWork, account: ManagedAccount, *, override_reason: str | None
) -> None:
    """Refuse that nobody is left. Raises LastAdministrator, LastManager."""
    living = {row.id for row in work.rows(select(Account.id).where(_counting(account)))}
    if account.id in living:
        manager_rules.check_not_last(
            work.actor, account.role, len(living) - 1, override_reason=override_reason
        )


def sessions_of(
    reading: ReadContext, account_id: str, *, after: str | None, limit: int
) -> Sequence[Any]:
    """A page of somebody's sessions that are not over. Raises NotFound."""
    return sessions.of_account(reading, get(reading, account_id).id, after=after, limit=limit)


def end_session(work: UnitOfWork, account_id: str, session_id: str) -> None:
    """End somebody's session. Raises NotFound, NotAllowed."""
    found = get(work, account_id)
    if found.role == "holder":
        check_scope(work.actor, "write")
    else:
        rules.check_may_manage(work.actor, found.role, found.organization_id)
    sessions.end_of_account(work, account_id, session_id)


def short_of_managers(
    reading: ReadContext, role: OrganizationRole, *, after: str | None, limit: int
) -> Sequence[ShortOfManagers]:
    """A page of the organizations of a kind with fewer managers than they should have, by id."""
    table = organizations.TABLES[role]
    managers = (
        select(func.count(Account.id))
        .where(
            organizations.is_named(Account, role, table.id),
            Account.access == OrganizationAccess.MANAGE,
            accounts.IS_LIVING,
        )
        .scalar_subquery()
    )
    statement = select(table.id, table.name, managers.label("managers"))
    statement = statement.where(managers < manager_rules.WANTED).order_by(table.id)
    if after:
        statement = statement.where(table.id > after)
    return reading.rows_as(ShortOfManagers, statement.limit(limit))
