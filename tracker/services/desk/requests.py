"""Requests of holders that staff decide: another name, a correction, an exemption, an extension.

A holder has one open request of a kind; asking again replaces what it says. A decision can be
corrected: a refused request can be granted later, and a granted name can be changed again like any
other. Granting another name changes the record. What is asked in words is only answered here: staff
then extend a cycle, or correct a record, as they do without a request.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import select

from tracker.db import new_id
from tracker.domain.delivery.notices import NoticeKind
from tracker.domain.desk import requests as rules
from tracker.domain.desk.requests import RequestKind, RequestState, RequestVerdict
from tracker.domain.errors import Invalid, NotFound, Stale
from tracker.domain.permissions import check_own_holder
from tracker.models import Holder, HolderRequest
from tracker.services.core import history, locks
from tracker.services.core.context import ReadContext, UnitOfWork, columns_of, zone_of
from tracker.services.core.locks import Lock
from tracker.services.core.row_scope import scope
from tracker.services.outbox import notices
from tracker.services.outbox.notices import NoticeToTell
from tracker.services.people import holders


class RequestRow(NamedTuple):
    """A request, and its holder's name on record."""

    id: str
    holder_id: str
    kind: str
    proposal: Mapping[str, str]
    statement: str | None
    state: str
    requested_on: date
    decided_by: str | None
    reason: str | None
    recorded_at: datetime
    closed_at: datetime | None
    version: int
    given_name: str
    family_name: str


_ONE = select(*columns_of(RequestRow, HolderRequest, Holder)).join(
    Holder, Holder.id == HolderRequest.holder_id
)


# By the holder.
def ask_for_name(
    work: UnitOfWork,
    holder_id: str,
    proposal: Mapping[str, str],
    *,
    statement: str | None,
    on: date,
) -> str:
    """Request another name on a day, or change the open request; returns the request's id.

    The caller has locked the holder, so that only one request is open.
    """
    made = _waiting(work, holder_id, RequestKind.NAME_CHANGE)
    if made is None:
        return _ask(work, holder_id, proposal, statement, on)
    if made.proposal == proposal and statement in {None, made.statement}:
        return made.id
    before, made.proposal = made.proposal, dict(proposal)
    made.statement, made.requested_on = statement or made.statement, on
    work.session.flush()
    fields = sorted({*before, *proposal})
    changed = {name: (before.get(name), proposal.get(name)) for name in fields}
    history.record(work, "ask", "request", made.id, changes=changed)
    return made.id


def ask(work: UnitOfWork, kind: RequestKind, *, statement: str) -> str:
    """Request in words something that staff decide, or change the open request; returns its id.

    It is about the actor's own record. Raises NotFound for somebody who has none.
    """
    holder_id = work.actor.holder_id
    if holder_id is None:
        raise NotFound
    locks.lock_one(work, holder_id)
    holder = work.session.get_one(Holder, holder_id)
    on = holders.today(work, holder)
    made = _waiting(work, holder_id, kind)
    if made is None:
        return _ask(work, holder_id, {}, statement, on, kind=kind)
    if made.statement != statement:
        made.statement, made.requested_on = statement, on
        work.session.flush()
        history.record(work, "ask", "request", made.id)
    return made.id


def _waiting(work: UnitOfWork, holder_id: str, kind: RequestKind) -> HolderRequest | None:
    return work.session.scalars(
        select(HolderRequest).where(
            HolderRequest.holder_id == holder_id,
            HolderRequest.kind == kind,
            HolderRequest.state == RequestState.REQUESTED,
        )
    ).first()


def _ask(
    work: UnitOfWork,
    holder_id: str,
    proposal: Mapping[str, str],
    statement: str | None,
    on: date,
    *,
    kind: RequestKind = RequestKind.NAME_CHANGE,
) -> str:
    made = HolderRequest(
        id=new_id(),
        holder_id=holder_id,
        kind=kind,
        proposal=dict(proposal),
        statement=statement,
        requested_on=on,
        recorded_at=work.now,
    )
    work.session.add(made)
    work.session.flush()
    changed = {name: (None, value) for name, value in proposal.items()}
    history.record(work, "ask", "request", made.id, changes=changed)
    return made.id


def withdraw(work: UnitOfWork, request_id: str) -> None:
    """Withdraw a request. Raises NotFound, also for another holder's, and IllegalTransition."""
    request = _locked(work, request_id)
    rules.check_state(RequestState(request.state), (RequestState.REQUESTED,))
    request.state, request.closed_at = RequestState.WITHDRAWN, work.now
    work.session.flush()
    history.record(work, "withdraw", "request", request.id)


# By the staff.
def decide(
    work: UnitOfWork, request_id: str, *, decision: RequestVerdict, reason: str | None, version: int
) -> None:
    """Grant or refuse a request, with a reason for a refusal; never one's own.

    Granting changes the record as a correction by staff does. Raises NotFound, SelfReview, Invalid,
    IllegalTransition, Stale.
    """
    request = _locked(work, request_id, lock=locks.lock_one_to_decide)
    if request.version != version:
        raise Stale("The request has changed since you read it; read it again.")
    rules.check_state(RequestState(request.state), rules.DECIDABLE[decision])
    if decision == RequestVerdict.REFUSED and not reason:
        rule = "is required for a refusal, and shown to the holder"
        raise Invalid("A refusal needs a reason.", fields={"reason": rule})
    request.state, request.reason, request.decided_by = decision, reason, work.actor.name
    request.closed_at = work.now
    work.session.flush()
    history.record(work, _VERBS[decision], "request", request.id, reason=reason)
    holder = work.session.get_one(Holder, request.holder_id)
    if decision == RequestVerdict.GRANTED and request.proposal:
        holders.write(work, holder, request.proposal, reason=reason)
    news = NoticeToTell(
        kind=NoticeKind.REQUEST_DECIDED,
        holder_id=holder.id,
        subject_id=request.id,
        event=decision,
        on=work.now.astimezone(zone_of(holder.time_zone)).date(),
    )
    notices.tell(work, [news])


_VERBS: Mapping[RequestVerdict, str] = {
    RequestVerdict.GRANTED: "grant",
    RequestVerdict.REFUSED: "refuse",
}


def _locked(work: UnitOfWork, request_id: str, *, lock: Lock = locks.lock_one) -> HolderRequest:
    """The request, with its holder locked, so that changes to either wait for each other."""
    seen = HolderRequest.id == request_id, scope(work.actor, HolderRequest)
    request = work.session.scalar(select(HolderRequest).where(*seen))
    if request is None:
        raise NotFound
    lock(work, request.holder_id)
    work.reread(request)
    return request


# Reading.
def get(reading: ReadContext, request_id: str) -> RequestRow:
    """A request's row. Raises NotFound, also for another holder's."""
    statement = _ONE.where(HolderRequest.id == request_id, scope(reading.actor, HolderRequest))
    row = reading.row_as(RequestRow, statement)
    if row is None:
        raise NotFound
    return row


def page(
    reading: ReadContext, *, after: str | None, limit: int, filters: Mapping[str, str]
) -> list[RequestRow]:
    """A page of requests, oldest first; a holder sees their own. Raises NotFound."""
    statement, filters = _ONE.order_by(HolderRequest.id).limit(limit), dict(filters)
    if not reading.actor.is_staff:
        own = reading.actor.holder_id or ""
        check_own_holder(reading.actor, filters.setdefault("holder_id", own))
    if after:
        statement = statement.where(HolderRequest.id > after)
    for key, value in filters.items():
        statement = statement.where(getattr(HolderRequest, key) == value)
    return reading.rows_as(RequestRow, statement)
