"""Recovering accounts by two people: propose, approve, refuse (``domain.people.recoveries``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import case, select, update
from sqlalchemy.exc import IntegrityError

from tracker.db import new_id
from tracker.domain.emails import compared
from tracker.domain.errors import (
    AlreadyRecorded,
    IllegalTransition,
    Invalid,
    NotFound,
)
from tracker.domain.people import recoveries as rules
from tracker.domain.people.recoveries import Proposal, RecoveryKind, RecoveryState
from tracker.domain.permissions import Role
from tracker.models import Account, Holder, Recovery
from tracker.services.core import bulk, history, identities, locks
from tracker.services.core.context import ReadContext, UnitOfWork, columns_of
from tracker.services.people import (
    account_news,
    accounts,
    endings,
    holders,
    second_factors,
    sessions,
)


class RecoveryRow(NamedTuple):
    """A proposal and what became of it."""

    id: str
    kind: RecoveryKind
    account_id: str | None
    holder_id: str | None
    email: str | None
    reason: str
    proposed_by: str
    recorded_at: datetime
    state: RecoveryState
    decided_by: str | None
    decision_reason: str | None
    decided_at: datetime | None


class NewRecovery(NamedTuple):
    """What is proposed: the second factor of an account, or a new address of a holder."""

    reason: str
    account_id: str | None = None
    holder_id: str | None = None
    email: str | None = None

    @property
    def kind(self) -> RecoveryKind:
        """What is lost. Raises Invalid unless it is exactly one of the two."""
        of_holder = self.holder_id is not None and self.email is not None
        of_account = self.account_id is not None
        neither = {self.holder_id, self.email} == {None}
        if of_account and neither:
            return RecoveryKind.SECOND_FACTOR
        if of_holder and not of_account:
            return RecoveryKind.ADDRESS
        raise Invalid("Give the account_id, or the holder_id and the new email.")


_ROWS = select(*columns_of(RecoveryRow, Recovery))


def propose(work: UnitOfWork, wanted: NewRecovery) -> RecoveryRow:
    """Propose to recover an account. Raises Invalid, NotAllowed, SelfReview, AlreadyRecorded."""
    kind, actor = wanted.kind, work.actor
    rules.check_may_propose(actor, account_id=wanted.account_id, holder_id=wanted.holder_id)
    _check_owner(work, wanted)
    row = Recovery(
        id=new_id(),
        kind=kind,
        **wanted._asdict(),
        proposed_by=actor.name,
        proposer_id=actor.who or "",
        proposer_role=actor.role,
        proposer_above=sorted(identities.behind(work)),
        recorded_at=work.now,
    )
    work.session.add(row)
    try:
        work.session.flush()
    except IntegrityError as error:
        raise AlreadyRecorded("A recovery of this account waits already.") from error
    about = {"kind": kind, "account": wanted.account_id, "holder": wanted.holder_id}
    history.record(work, "propose", "recovery", row.id, **about, reason=wanted.reason)
    return get(work, row.id)


def _check_owner(reading: ReadContext, wanted: NewRecovery) -> None:
    """Raise Invalid unless there is such a holder, or an account that has a second factor."""
    if wanted.holder_id is not None:
        found = reading.row(select(Holder.id).where(Holder.id == wanted.holder_id))
        field = "holder_id"
    else:
        living = select(Account.id).where(Account.id == wanted.account_id, accounts.IS_LIVING)
        found, field = reading.row(living.where(Account.role != "holder")), "account_id"
    if found is None:
        raise Invalid("There is no such account.", fields={field: "is not on record"})


def get(reading: ReadContext, recovery_id: str) -> RecoveryRow:
    """One proposal. Raises NotFound."""
    row = reading.row_as(RecoveryRow, _ROWS.where(Recovery.id == recovery_id))
    if row is None:
        raise NotFound
    return row


def page(
    reading: ReadContext, *, after: str | None, limit: int, state: str | None = None
) -> Sequence[RecoveryRow]:
    """A page of the proposals, by id."""
    statement = _ROWS.order_by(Recovery.id).limit(limit)
    if state is not None:
        statement = statement.where(Recovery.state == state)
    if after:
        statement = statement.where(Recovery.id > after)
    return reading.rows_as(RecoveryRow, statement)


def owners(reading: ReadContext, rows: Sequence[RecoveryRow]) -> Mapping[str, str]:
    """Whom proposals concern, by the id of the proposal: the names, and the reference or address.

    Whoever approves one makes sure of the person, so they must see who it is.
    """
    holder = Holder.given_name + " " + Holder.family_name + ", " + Holder.ref
    member = Account.name + ", " + Account.email
    statement = (
        select(Recovery.id, case((Recovery.holder_id.is_not(None), holder), else_=member))
        .join(Holder, Holder.id == Recovery.holder_id, isouter=True)
        .join(Account, Account.id == Recovery.account_id, isouter=True)
        .where(bulk.among(reading, Recovery.id, {row.id for row in rows}))
    )
    return {id_: who.strip() for id_, who in reading.rows(statement)}


def approve(work: UnitOfWork, recovery_id: str) -> RecoveryRow:
    """Carry out what somebody else proposed; the owner is told, sessions and tokens end.

    After a lost second factor, the next sign-in sets up a new one. A holder signs in with the new
    address; the former one is told. Raises NotFound, SamePerson, NotAllowed, IllegalTransition,
    ReauthenticationRequired.
    """
    row = get(work, recovery_id)
    proposal = _proposal(work, row)
    rules.check_may_approve(work.actor, proposal, above=identities.behind(work))
    sessions.check_fresh_person(work)
    _decide(work, row, RecoveryState.APPROVED, reason=None)
    history.record(work, "approve", "recovery", row.id)
    if row.account_id is not None:
        reset_factor(work, row.account_id)
    if row.holder_id is not None and row.email is not None:
        _replace_address(work, row.holder_id, row.email, reason=row.reason)
    return get(work, recovery_id)


def refuse(work: UnitOfWork, recovery_id: str, *, reason: str) -> RecoveryRow:
    """Refuse a proposal, or take one's own back. Raises NotFound, IllegalTransition."""
    row = get(work, recovery_id)
    _decide(work, row, RecoveryState.REFUSED, reason=reason)
    history.record(work, "refuse", "recovery", row.id, reason=reason)
    return get(work, recovery_id)


def _decide(
    work: UnitOfWork, row: RecoveryRow, state: RecoveryState, *, reason: str | None
) -> None:
    waits = update(Recovery).where(Recovery.id == row.id, Recovery.state == RecoveryState.PROPOSED)
    decided = waits.values(
        state=state,
        decided_by=work.actor.name,
        decider_id=work.actor.who,
        decision_reason=reason,
        decided_at=work.now,
    )
    if work.row(decided.returning(Recovery.id)) is None:
        raise IllegalTransition("The recovery was decided already.")


def _proposal(reading: ReadContext, row: RecoveryRow) -> Proposal:
    columns = (Recovery.proposer_id, Recovery.proposer_role, Recovery.proposer_above)
    first = reading.row(select(*columns).where(Recovery.id == row.id))
    role: Role = "holder"
    if row.account_id is not None:
        role = accounts.owner(reading, row.account_id).role
    return Proposal(
        proposer_id=first.proposer_id,
        proposer_role=accounts.proposer_role(reading, first.proposer_id, first.proposer_role),
        owner_role=role,
        account_id=row.account_id,
        holder_id=row.holder_id,
        above=first.proposer_above,
    )


def reset_factor(work: UnitOfWork, account_id: str) -> None:
    """Remove an account's app, recovery codes and passkeys; the owner is told.

    Sessions, tokens and attempts to sign in end: in one of these, a password alone would do now.
    """
    account = accounts.lock(work, account_id)
    second_factors.remove(work, account_id)
    endings.of_access(work, account_id)
    history.record(work, "reset_factor", "account", account_id)
    account_news.tell(work, account, account_news.FACTOR_RESET)


def reset_factor_at(work: UnitOfWork, address: str) -> None:
    """The same for the account of an address, by the operator. Raises NotFound."""
    key = compared(address)
    row = work.row(select(Account.id).where(Account.email_key == key, accounts.IS_LIVING))
    if row is None:
        raise NotFound(f"There is no account with the address {address!r}.")
    reset_factor(work, row.id)


def _replace_address(work: UnitOfWork, holder_id: str, email: str, *, reason: str) -> None:
    """Record the new address, with which the holder signs in from now on."""
    locks.lock_one(work, holder_id)
    holder = work.session.get(Holder, holder_id)
    if holder is None:
        raise NotFound
    former = holder.email
    holders.write(work, holder, {"email": email}, reason=reason, is_approved=True)
    account_news.tell_holder(work, holder_id, account_news.ADDRESS_CHANGED, address=former)
    endings.of_holder(work, holder_id)
