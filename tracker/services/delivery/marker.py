"""The marker: written before the first byte of a message leaves, if the message is still true.

Invariant: whatever changed since the message was composed is checked here, in the statement that
writes the marker, so that nothing stale leaves.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import (
    Boolean,
    Date,
    and_,
    bindparam,
    distinct,
    exists,
    func,
    or_,
    select,
    update,
)

from tracker.db import Instant, written
from tracker.domain.delivery import reminders as rules
from tracker.domain.delivery.queue_acts import MessageState
from tracker.domain.emails import compared
from tracker.models import Holder, Message, Preference, RelayAccept, Reminder
from tracker.services.core.context import UnitOfWork
from tracker.services.delivery import composers, recipients, reminder_messages, send_safety
from tracker.services.delivery.reminder_messages import OWED
from tracker.services.delivery.sealing import Composed, MessageClaim
from tracker.services.outbox import suppressions

# Written out, not bound: a partial index serves only a query that repeats its condition.
_CLAIMED = written("message.state", MessageState.CLAIMED)

_OWED_STAGES = (
    select(func.count(distinct(Reminder.certification_id)))
    .where(
        Reminder.message_id == Message.id,
        Reminder.certification_id.in_(bindparam("certifications", expanding=True)),
        OWED,
    )
    .scalar_subquery()
)
ACCEPTED = exists(
    select(RelayAccept.message_id).where(RelayAccept.message_id == Message.message_id)
)
"""The condition that the relay's own evidence shows it took the message."""

_PAUSED = and_(
    bindparam("can_wait", type_=Boolean), Preference.snoozed_until >= bindparam("day", type_=Date)
)
_SAME_RECIPIENT = exists(
    select(Holder.id).where(
        Holder.id == Message.holder_id,
        Holder.language == bindparam("language"),
        or_(Holder.email == bindparam("to"), Holder.second_email == bindparam("to")),
    )
)
_MARK = (
    update(Message)
    .where(
        Message.id == bindparam("b_id"),
        Message.token == bindparam("b_token"),
        _CLAIMED,
        Message.lease_until > bindparam("now", type_=Instant),
        send_safety.MAY_SEND,
        ~suppressions.is_suppressed(bindparam("suppressed"), bindparam("now", type_=Instant)),
        ~recipients.is_deceased(Message.holder_id),
        bindparam("stages") == _OWED_STAGES,
        ~ACCEPTED,
        ~exists(
            select(Preference.holder_id).where(
                Preference.holder_id == Message.holder_id,
                Preference.type == bindparam("type"),
                or_(~Preference.wanted, _PAUSED),
            )
        ),
        or_(Message.holder_id.is_(None), _SAME_RECIPIENT),
    )
    .values(
        state=MessageState.TRANSMITTING,
        lease_until=bindparam("b_until"),
        facts=bindparam("b_facts"),
        address=bindparam("b_address"),
    )
)


def mark(work: UnitOfWork, claimed: MessageClaim, composed: Composed, *, place: str) -> bool:
    """Record that the message is being transmitted, if all of it is still owed.

    One statement checks and writes: the claim is ours and its lease has not run out; every stage in
    the message is owed (not renewed, in force, not overtaken by the next stage); the holder is
    alive, wants this type and has not paused it, and has this address and this language; the
    address is not suppressed; this database may send. A message without stages is first asked
    whether it would say the same now. False means that nothing was written and nothing may be sent.
    """
    if not composed.certification_ids and not composers.is_unchanged(work, claimed, composed):
        return False
    until = work.now + timedelta(seconds=work.settings.reminders.transmitting_seconds)
    result = work.connection.execute(
        _MARK,
        {
            **reminder_messages.moment(work, composed.time_zone),
            "b_id": claimed.id,
            "b_token": claimed.token,
            "place": place,
            "suppressed": compared(composed.address),
            "b_until": until,
            "b_facts": composed.facts,
            "b_address": composed.address,
            "certifications": list(composed.certification_ids),
            "stages": len(composed.certification_ids),
            "type": composed.type,
            "to": composed.address,
            "language": composed.facts["language"],
            "can_wait": composed.stage is not None and composed.stage > rules.LAST_DAYS,
        },
    )
    return bool(result.rowcount)
