"""Requests: what holders ask of the staff, and what the staff decide. Today: another name.

A holder has one open request of a kind; asking again replaces what it proposes. A decision is
corrected by another: a refused request can be granted later, and a name that was granted is
changed again like any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Literal, get_args

from sqlalchemy import select

from tracker.db import new_id
from tracker.domain.errors import IllegalTransition, Invalid, NotFound, Stale
from tracker.domain.permissions import check_own_holder
from tracker.models import Holder, Request
from tracker.services import history, holders, locks, notices
from tracker.services.locks import Lock
from tracker.services.notices import News
from tracker.services.work import Reading, Work

Decision = Literal["granted", "refused"]
DECISIONS: tuple[Decision, ...] = get_args(Decision)
KINDS = ("name_change",)
STATES = ("requested", "granted", "refused", "withdrawn")
_DECIDABLE: Mapping[Decision, tuple[str, ...]] = {
    "granted": ("requested", "refused"), "refused": ("requested",),
}  # fmt: skip
_WAY_ON = {
    "granted": "change the name again instead",
    "refused": "it can still be granted",
    "withdrawn": "the holder may ask again",
}

_ONE = select(
    Request.id, Request.holder_id, Request.kind, Request.proposal, Request.statement,
    Request.state, Request.requested_on, Request.decided_by, Request.reason, Request.recorded_at,
    Request.closed_at, Request.version, Holder.given_name, Holder.family_name,
).join(Holder, Holder.id == Request.holder_id)  # fmt: skip


# By the holder.
def ask_for_name(
    work: Work, holder: Any, proposal: Mapping[str, str], *, statement: str | None
) -> str:
    """Ask for another name, or for another one than was asked for; returns the request's id.

    The holder is locked by whoever calls, so that there is one open request.
    """
    made = work.session.scalars(
        select(Request).where(
            Request.holder_id == holder.id, Request.kind == "name_change",
            Request.state == "requested",
        )
    ).first()  # fmt: skip
    on = holders.today(work, holder)
    if made is None:
        return _ask(work, holder.id, proposal, statement, on)
    if made.proposal == proposal and statement in {None, made.statement}:
        return made.id
    before, made.proposal = made.proposal, dict(proposal)
    made.statement, made.requested_on = statement or made.statement, on
    work.session.flush()
    fields = sorted({*before, *proposal})
    changed = {name: (before.get(name), proposal.get(name)) for name in fields}
    history.record(work, "ask", "request", made.id, changes=changed)
    return made.id


def _ask(
    work: Work, holder_id: str, proposal: Mapping[str, str], statement: str | None, on: date
) -> str:
    made = Request(
        id=new_id(), holder_id=holder_id, kind="name_change", proposal=dict(proposal),
        statement=statement, requested_on=on, recorded_at=work.now,
    )  # fmt: skip
    work.session.add(made)
    work.session.flush()
    changed = {name: (None, value) for name, value in proposal.items()}
    history.record(work, "ask", "request", made.id, changes=changed)
    return made.id


def withdraw(work: Work, request_id: str) -> None:
    """Take a request back. Raises NotFound, also for somebody else's, and IllegalTransition."""
    found = _locked(work, request_id)
    _check_state(found, ("requested",))
    found.state, found.closed_at = "withdrawn", work.now
    work.session.flush()
    history.record(work, "withdraw", "request", found.id)


# By the staff.
def decide(
    work: Work, request_id: str, *, decision: Decision, reason: str | None, version: int
) -> None:
    """Grant or refuse a request, with a reason where it is refused; never one's own.

    Granting changes the record as a correction by the staff does. Raises NotFound, SelfReview,
    Invalid, IllegalTransition, Stale.
    """
    found = _locked(work, request_id, lock=locks.lock_one_to_decide)
    if found.version != version:
        raise Stale("The request changed since you read it; read it again.")
    _check_state(found, _DECIDABLE[decision])
    if decision == "refused" and not reason:
        rule = "is required where a request is refused: the holder is told"
        raise Invalid("A refusal needs a reason.", fields={"reason": rule})
    found.state, found.reason, found.decided_by = decision, reason, work.actor.name
    found.closed_at = work.now
    work.session.flush()
    history.record(work, _VERBS[decision], "request", found.id, reason=reason)
    holder = work.session.get_one(Holder, found.holder_id)
    if decision == "granted":
        holders.write(work, holder, found.proposal, reason=reason)
    news = News(
        kind="request_decided", holder_id=holder.id, subject_id=found.id, event=decision,
        on=work.now.date(),
    )  # fmt: skip
    notices.tell(work, [news])


_VERBS: Mapping[Decision, str] = {"granted": "grant", "refused": "refuse"}


def _locked(work: Work, request_id: str, *, lock: Lock = locks.lock_one) -> Request:
    """The request, its holder locked: whoever changes either waits."""
    found = work.session.get(Request, request_id)
    if found is None:
        raise NotFound
    check_own_holder(work.actor, found.holder_id)
    lock(work, found.holder_id)
    work.reread(found)
    return found


def _check_state(found: Request, allowed: tuple[str, ...]) -> None:
    if found.state not in allowed:
        raise IllegalTransition(
            f"The request is {found.state} already; {_WAY_ON[found.state]}.", state=found.state
        )


# To read.
def get(reading: Reading, request_id: str) -> Any:
    """A request's row. Raises NotFound, also for somebody else's."""
    row = reading.row(_ONE.where(Request.id == request_id))
    if row is None:
        raise NotFound
    check_own_holder(reading.actor, row.holder_id)
    return row


def page(
    reading: Reading, *, after: str | None, limit: int, filters: Mapping[str, str]
) -> list[Any]:
    """A page of requests, the oldest first; a holder sees their own. Raises NotFound."""
    statement, filters = _ONE.order_by(Request.id).limit(limit), dict(filters)
    if not reading.actor.is_staff:
        own = reading.actor.holder_id or ""
        check_own_holder(reading.actor, filters.setdefault("holder_id", own))
    if after:
        statement = statement.where(Request.id > after)
    for key, value in filters.items():
        statement = statement.where(getattr(Request, key) == value)
    return list(reading.rows(statement))
