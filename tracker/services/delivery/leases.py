"""The states of a message in the outbox: waiting, claimed, marked, handed over, settled.

    ready -> claimed -> transmitting -> sent | dead
      ^         |            |
      +---------+- retry ----+-> ambiguous -> sent | ready | parked

A claim is a lease with a token, and every later write names the token.

Invariant: the marker ``transmitting`` is durable before the first byte of a message leaves, and
the statement that writes it checks again whether the message is owed. So a process that dies
leaves a message that certainly was not sent, or one marked as possibly sent, which ``reap``
resolves by evidence.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import TextClause, bindparam, select, update

from tracker.db import Instant, written
from tracker.domain.delivery.queue_acts import HELD, MessageState
from tracker.domain.emails import compared
from tracker.mail.smtp_sender import Delivery, DeliveryOutcome
from tracker.models import Holder, Message, RelayAccept
from tracker.services.core import bulk
from tracker.services.core.context import UnitOfWork
from tracker.services.delivery import composers, sealing, send_safety
from tracker.services.delivery.sealing import MessageClaim, Uncomposed
from tracker.services.outbox import cursors, suppressions

_FIRST_WAIT, _LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=6)
_RELAY_WAIT = timedelta(seconds=30)  # retry delay while the relay is unavailable

# Written out, not bound: a partial index serves only a query that repeats its condition.
_READY = written("message.state", MessageState.READY)
_CLAIMED = written("message.state", MessageState.CLAIMED)
_TRANSMITTING = written("message.state", MessageState.TRANSMITTING)
_UNSETTLED = written("message.state", *HELD, MessageState.AMBIGUOUS)


def claim(work: UnitOfWork, *, owner: str, place: str, limit: int) -> list[MessageClaim]:
    """Claim due messages, the most urgent first; none if this database may not send."""
    due = (
        select(Message.id)
        .where(_READY, Message.next_at <= work.now, send_safety.MAY_SEND)
        .order_by(Message.priority, Message.next_at)
        .limit(limit)
        .with_for_update(skip_locked=True, of=Message)
    )
    ids = [row.id for row in work.rows(due, {"place": place})]
    return _take(work, ids, owner) if ids else []


def _take(work: UnitOfWork, ids: Collection[str], owner: str) -> list[MessageClaim]:
    lease = work.now + timedelta(seconds=work.settings.reminders.lease_seconds)
    taken = (
        update(Message)
        .where(bulk.among(work, Message.id, ids), _READY)
        .values(
            state=MessageState.CLAIMED,
            owner=owner,
            lease_until=lease,
            token=Message.token + 1,
            attempts=Message.attempts + 1,
        )
        .returning(*(getattr(Message, name) for name in MessageClaim.__slots__))
    )
    claims = [MessageClaim(*row) for row in work.rows(taken)]
    return sorted(claims, key=lambda claim: (claim.priority, claim.next_at, claim.id))


# Settlement.
def settle(work: UnitOfWork, claimed: MessageClaim, delivery: Delivery, *, to: str = "") -> str:
    """Record the outcome of handing a message over; returns the message's new state.

    ``to`` is the address it was handed over for; the row names it only once it is marked. The
    state "lost" means that the claim is no longer ours. If the relay accepted such a message, it is
    recorded as evidence, so that the worker who holds the claim now does not send a copy.
    """
    match delivery.outcome:
        case DeliveryOutcome.ACCEPTED:
            return _accepted(work, claimed)
        case DeliveryOutcome.AMBIGUOUS:
            settled = _change(
                work,
                claimed,
                _TRANSMITTING,
                state=MessageState.AMBIGUOUS,
                last_error=delivery.reply,
            )
            return MessageState.AMBIGUOUS if settled else "lost"
        case DeliveryOutcome.NOT_OWED:
            return _unmarked(work, claimed)
        case DeliveryOutcome.RETRY:
            return retry(work, claimed, delivery.reply, own_fault=not delivery.connection_failed)
        case DeliveryOutcome.REFUSED:
            return _elsewhere(work, claimed, delivery.reply, to)
        case DeliveryOutcome.SUPPRESS:
            return _suppressed(work, claimed, delivery.reply, to)


def _change(
    work: UnitOfWork,
    claimed: MessageClaim,
    from_state: TextClause,
    **values: object,
) -> bool:
    """Update the row if this claim still holds it; False if it does not."""
    statement = update(Message).where(
        Message.id == claimed.id, Message.token == claimed.token, from_state
    )
    return bool(work.connection.execute(statement.values(**values)).rowcount)


_ACCEPT = (
    update(Message)
    .where(Message.id == bindparam("b_id"), Message.token == bindparam("b_token"), _UNSETTLED)
    .values(
        state=MessageState.SENT,
        finished_at=bindparam("b_now", type_=Instant),
        lease_until=None,
        last_error=None,
    )
)


def _accepted(work: UnitOfWork, claimed: MessageClaim) -> str:
    done = work.connection.execute(
        _ACCEPT, {"b_id": claimed.id, "b_token": claimed.token, "b_now": work.now}
    )
    if done.rowcount:
        return MessageState.SENT
    accepted = {"message_id": claimed.message_id, "at": work.now}
    work.connection.execute(work.upsert(RelayAccept).values(accepted).on_conflict_do_nothing())
    return "lost"


def finish(work: UnitOfWork, claimed: MessageClaim, state: str, reason: str) -> str:
    """End a message as ``dead`` or ``cancelled``; returns the state, or "lost".

    A message for which there is evidence by now was sent. If a reminder is withheld for a reason
    that may go away, the planner looks again, to find out when. Cursors are locked before messages,
    in the same order as in the planner.
    """
    if work.row(_EVIDENCE, {"message_id": claimed.message_id}) is not None:
        return _accepted(work, claimed)
    if claimed.kind == "reminder" and reason in sealing.MENDABLE and claimed.holder_id:
        cursors.touch_holders(work, [claimed.holder_id])
    done = _change(
        work,
        claimed,
        _UNSETTLED,
        state=state,
        finished_at=work.now,
        lease_until=None,
        last_error=reason,
    )
    return state if done else "lost"


_EVIDENCE = select(RelayAccept.queue_id).where(RelayAccept.message_id == bindparam("message_id"))


def retry(work: UnitOfWork, claimed: MessageClaim, reason: str, *, own_fault: bool) -> str:
    """Retry later. The relay certainly accepted nothing, so the message is recomposed then.

    A second copy keeps the words of the first one. The delay is one minute times 4^n, at most six
    hours, with full jitter; a relay that is down costs no attempt. A message that would come too
    late is cancelled: the next stage follows.
    """
    wait = _RELAY_WAIT
    if own_fault:
        longest = min(_FIRST_WAIT * 4 ** min(claimed.attempts - 1, 6), _LONGEST_WAIT)
        wait = longest * random.random()  # noqa: S311 - it spreads load and guards nothing
    if work.now + wait >= claimed.useful_until:
        return finish(
            work, claimed, MessageState.CANCELLED, f"Too late for another attempt after: {reason}"
        )
    done = _change(
        work,
        claimed,
        _UNSETTLED,
        state=MessageState.READY,
        next_at=work.now + wait,
        lease_until=None,
        last_error=reason,
        attempts=claimed.attempts - (not own_fault),
        **({"facts": None} if claimed.facts is None else {}),
    )
    return MessageState.READY if done else "lost"


def release(work: UnitOfWork, claims: Iterable[MessageClaim]) -> None:
    """Release claimed messages that were not tried, as they were before the claim."""
    for claimed in claims:
        _change(
            work,
            claimed,
            _CLAIMED,
            state=MessageState.READY,
            lease_until=None,
            attempts=claimed.attempts - 1,
        )


def _unmarked(work: UnitOfWork, claimed: MessageClaim) -> str:
    """The marker refused: cancel a message that is not owed; release others to be recomposed.

    A second copy also loses its stored words, because they are no longer true. Notices and digests
    are composed again after a short wait.
    """
    if work.row(_EVIDENCE, {"message_id": claimed.message_id}) is not None:
        return _accepted(work, claimed)
    owed = composers.owed(work, replace(claimed, facts=None))
    if isinstance(owed, Uncomposed) and not owed.owed:
        return finish(work, claimed, MessageState.CANCELLED, owed.reason)
    next_at = claimed.next_at if claimed.kind == "reminder" else work.now + _RELAY_WAIT
    done = _change(
        work,
        claimed,
        _CLAIMED,
        state=MessageState.READY,
        lease_until=None,
        facts=None,
        next_at=next_at,
    )
    return MessageState.READY if done else "lost"


_ADDRESSES = (
    select(Message.address, Holder.email, Holder.second_email)
    .join(Holder, Holder.id == Message.holder_id, isouter=True)
    .where(Message.id == bindparam("id"))
)


def _suppressed(work: UnitOfWork, claimed: MessageClaim, reply: str, to: str) -> str:
    """Suppress the address; the message goes to the holder's other address if there is one."""
    to = to or work.row(_ADDRESSES, {"id": claimed.id}).address
    suppressions.suppress(work, [to], suppressions.HARD)
    return _elsewhere(work, claimed, reply, to)


def _elsewhere(work: UnitOfWork, claimed: MessageClaim, reply: str, to: str) -> str:
    """Send a message that one address refused for good to the holder's other address at once.

    If that address is suppressed for a while, the message ends as ``dead``; for a reminder the
    planner looks again when the suppression ends.
    """
    row = work.row(_ADDRESSES, {"id": claimed.id})
    refused = {*sealing.refused(claimed), compared(to or row.address)}
    suppressed = {*suppressions.of_holders(work, [row], now=work.now), *refused}
    if work.now >= claimed.useful_until or suppressions.address_of(row, suppressed) is None:
        rests = suppressions.rests(work, [row], now=work.now)
        if claimed.kind == "reminder" and claimed.holder_id and rests:
            cursors.look_by(work, claimed.holder_id, min(rests.values()))
        return finish(work, claimed, MessageState.DEAD, reply)
    done = _change(
        work,
        claimed,
        _UNSETTLED,
        state=MessageState.READY,
        next_at=work.now,
        lease_until=None,
        last_error=reply,
        facts=None,
        about={**(claimed.about or {}), "refused": sorted(refused)},
    )
    return MessageState.READY if done else "lost"
