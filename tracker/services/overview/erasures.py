"""Erasing a person's data, in two steps by two people: ask or propose, then approve.

Names, addresses, activities, files, messages, consents, accounts and what the history tells of the
person go in one transaction; ``belongings`` says what becomes of every table. The entries of the
history stay, so the chain holds. The certificate number, the scheme and the dates stay: the public
page says that the certificate is no longer available.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from tracker.db import new_id
from tracker.domain.desk import approvals as two_people
from tracker.domain.errors import AlreadyRecorded, IllegalTransition, Invalid, NotFound
from tracker.domain.people.erasures import ErasureState
from tracker.domain.permissions import Role, check_own_holder
from tracker.models import Erasure, Holder, RecordMerge
from tracker.services.core import bulk, days, history, identities, locks
from tracker.services.core.context import ReadContext, UnitOfWork, columns_of
from tracker.services.outbox import suppressions
from tracker.services.overview import belongings, history_erasure
from tracker.services.overview.belongings import ErasedPerson
from tracker.services.people import account_news, accounts, endings, sessions
from tracker.services.points import evidence


class ErasureRow(NamedTuple):
    """A request and what became of it."""

    id: str
    holder_id: str
    reason: str
    proposed_by: str
    proposer_role: Role
    recorded_at: datetime
    due_on: date
    state: ErasureState
    decided_by: str | None
    decision_reason: str | None
    decided_at: datetime | None

    @property
    def is_holders(self) -> bool:
        """Whether the holder asked, and not one of the staff."""
        return self.proposer_role == "holder"


_ROWS = select(*columns_of(ErasureRow, Erasure))


# Asking.
def ask(work: UnitOfWork, holder_id: str, *, reason: str) -> ErasureRow:
    """Ask to erase one's own data, or as staff somebody else's.

    Raises NotFound, NotAllowed, SelfReview, AlreadyRecorded, ReauthenticationRequired.
    """
    check_own_holder(work.actor, holder_id)
    ids = identities.behind(work)
    if work.actor.is_staff:
        two_people.check_may_propose(work.actor, holder_id=holder_id, ids=ids)
    sessions.check_fresh_person(work)
    _living(work, holder_id)
    within = timedelta(days=work.settings.privacy.request_days)
    row = Erasure(
        id=new_id(),
        holder_id=holder_id,
        reason=reason,
        proposed_by=work.actor.name,
        proposer_id=work.actor.who or "",
        proposer_role=work.actor.role,
        proposer_ids=sorted(ids),
        recorded_at=work.now,
        due_on=days.today_everywhere(work) + within,
    )
    work.session.add(row)
    try:
        work.session.flush()
    except IntegrityError as error:
        raise AlreadyRecorded("An erasure of this record waits already.") from error
    history.record(work, "ask_erasure", "holder", holder_id, erasure=row.id)
    return get(work, row.id)


def _living(work: UnitOfWork, holder_id: str) -> Holder:
    """The holder, locked. Raises NotFound, also for one who was erased already."""
    locks.lock_one(work, holder_id)
    holder = work.session.get(Holder, holder_id)
    if holder is None or holder.erased_at is not None:
        raise NotFound
    return holder


def ask_for_me(work: UnitOfWork, *, reason: str) -> ErasureRow:
    """Ask to erase the acting holder's data. Raises NotFound for other actors, and as ``ask``."""
    if work.actor.role != "holder" or work.actor.holder_id is None:
        raise NotFound
    return ask(work, work.actor.holder_id, reason=reason)


def waits(reading: ReadContext) -> ErasureRow | None:
    """The acting holder's open request, if there is one."""
    mine = Erasure.holder_id == reading.actor.holder_id
    return reading.row_as(ErasureRow, _ROWS.where(mine, Erasure.state == ErasureState.REQUESTED))


def mine(reading: ReadContext) -> ErasureRow:
    """The acting holder's open request. Raises NotFound."""
    row = waits(reading)
    if row is None:
        raise NotFound
    return row


def withdraw(work: UnitOfWork) -> None:
    """Withdraw the acting holder's open request. Raises NotFound."""
    row = mine(work)
    _decide(work, row, ErasureState.WITHDRAWN, reason=None)
    history.record(work, "withdraw_erasure", "holder", row.holder_id, erasure=row.id)


# Reading.
def get(reading: ReadContext, erasure_id: str) -> ErasureRow:
    """One request. Raises NotFound."""
    row = reading.row_as(ErasureRow, _ROWS.where(Erasure.id == erasure_id))
    if row is None:
        raise NotFound
    return row


def page(
    reading: ReadContext, *, after: str | None, limit: int, state: str | None
) -> Sequence[ErasureRow]:
    """A page of requests by id, the oldest first: each is due so many days after it was made."""
    statement = _ROWS.order_by(Erasure.id).limit(limit)
    if state is not None:
        statement = statement.where(Erasure.state == state)
    if after:
        statement = statement.where(Erasure.id > after)
    return reading.rows_as(ErasureRow, statement)


def owners(reading: ReadContext, rows: Sequence[ErasureRow]) -> Mapping[str, str]:
    """Whose data requests are about, by the id of the holder: the name and the reference.

    Whoever approves one makes sure of the person, so they must see who it is.
    """
    who = Holder.given_name + " " + Holder.family_name + ", " + Holder.ref
    about = bulk.among(reading, Holder.id, {row.holder_id for row in rows})
    return {id_: name.strip() for id_, name in reading.rows(select(Holder.id, who).where(about))}


# Deciding.
def approve(work: UnitOfWork, erasure_id: str) -> ErasureRow:
    """Erase the data, as another person asked; it cannot be undone.

    Raises NotFound, SamePerson, NotAllowed, SelfReview, IllegalTransition, TooBusy,
    ReauthenticationRequired.
    """
    row = get(work, erasure_id)
    proposer_ids = _proposer_ids(work, row)
    accounts.proposer_role(work, proposer_ids[0], "holder")
    two_people.check_may_approve(
        work.actor,
        holder_id=row.holder_id,
        ids=identities.behind(work),
        proposer_ids=proposer_ids,
    )
    sessions.check_fresh_person(work)
    holder = _living(work, row.holder_id)
    _decide(work, row, ErasureState.APPROVED, reason=None)
    for merged in _merged(work, holder.id):
        _erase(work, merged)
    addresses = [address for address in (holder.email, holder.second_email) if address]
    _erase(work, ErasedPerson(holder.id, addresses))
    return get(work, erasure_id)


def _merged(work: UnitOfWork, holder_id: str) -> Sequence[ErasedPerson]:
    """The records that were merged into this one, with addresses that are on none any more."""
    statement = (
        select(Holder.id, RecordMerge.summary)
        .join(RecordMerge, RecordMerge.merged_id == Holder.id)
        .where(Holder.merged_into_id == holder_id, RecordMerge.undone_at.is_(None))
    )
    return [
        ErasedPerson(id_, summary.get("addresses_left_out", ()))
        for id_, summary in work.rows(statement)
    ]


def _erase(work: UnitOfWork, person: ErasedPerson) -> None:
    """First what the history tells, while it is known which records are the person's."""
    endings.of_holder(work, person.id)
    own, why = belongings.only_own_addresses(work, person), work.settings.privacy.erasure_keeps
    named = belongings.entries_naming(work, own)
    history_erasure.erase_person(work, person.id, reason=why, also=named)
    keys = belongings.keys_of_files(work, person)
    work.session.flush()
    work.session.expire_all()
    belongings.remove_mentions(work, person, own, named)
    belongings.remove(work, person)
    belongings.empty(work, person.id, work.now)
    suppressions.conceal(work, own)
    # The holder may have given a name or a reason in it.
    mine = update(Erasure).where(Erasure.holder_id == person.id)
    work.execute(mine.values(reason="", decision_reason=None))
    work.execute(mine.where(Erasure.proposer_role == "holder").values(proposed_by="holder"))
    evidence.remove_files(work, keys)


def refuse(work: UnitOfWork, erasure_id: str, *, reason: str) -> ErasureRow:
    """Refuse a request, or take one's own back; a holder who asked is told why.

    Raises NotFound, IllegalTransition, Invalid.
    """
    if not reason:
        raise Invalid("A refusal needs a reason.", fields={"reason": "is required"})
    row = get(work, erasure_id)
    _decide(work, row, ErasureState.REFUSED, reason=reason)
    history.record(work, "refuse_erasure", "holder", row.holder_id, erasure=row.id)
    holder = work.session.get_one(Holder, row.holder_id)
    if row.is_holders:
        what, why = account_news.ERASURE_REFUSED, reason
        account_news.tell_refusal(work, holder.id, what, address=holder.email, why=why)
    return get(work, erasure_id)


def _decide(work: UnitOfWork, row: ErasureRow, state: ErasureState, *, reason: str | None) -> None:
    waits = update(Erasure).where(Erasure.id == row.id, Erasure.state == ErasureState.REQUESTED)
    decided = waits.values(
        state=state,
        decided_by=work.actor.role if state == ErasureState.WITHDRAWN else work.actor.name,
        decider_id=work.actor.who,
        decision_reason=reason,
        decided_at=work.now,
    )
    if work.row(decided.returning(Erasure.id)) is None:
        raise IllegalTransition("The erasure was decided already.")


def _proposer_ids(reading: ReadContext, row: ErasureRow) -> Sequence[str]:
    columns = (Erasure.proposer_id, Erasure.proposer_ids)
    first = reading.row(select(*columns).where(Erasure.id == row.id))
    return [first.proposer_id, *first.proposer_ids]
