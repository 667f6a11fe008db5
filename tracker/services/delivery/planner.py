"""The planner: turns due cursors into recorded reminders and messages in the outbox.

Every decision uses the container's clock, not the database's: the clock can be set for
demonstrations, and the dry run, the planner and the messages must agree on the date. The clocks
of several machines must agree within seconds, as NTP provides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import func, select

from tracker.db import new_id
from tracker.domain.delivery.queue_acts import MessageState
from tracker.domain.delivery.reminders import StageOutcome
from tracker.domain.permissions import SYSTEM
from tracker.mail import envelopes
from tracker.models import Certification, Holder, Message, RelayAccept, Reminder, ReminderCursor
from tracker.services.core import bulk
from tracker.services.core.context import Container, UnitOfWork
from tracker.services.delivery import due_stages, send_safety
from tracker.services.delivery.due_stages import (
    AT_ONCE,
    AUDIENCE,
    CURSORS,
    DueCursor,
    Examined,
    ExaminedAt,
)
from tracker.services.outbox import pacing, queue
from tracker.services.outbox.pacing import Pace
from tracker.services.standings import snapshots

_LATE = timedelta(days=1)
_BEFORE_MANY = timedelta(minutes=10)  # delay in which the send limit can stop a large import's mail
_STAGE = ("certification_id", "cycle", "expires_on", "offset", "audience")


@dataclass(frozen=True, slots=True)
class PlanCounts:
    """What one batch did: certifications examined, and their stages by fate."""

    examined: int = 0
    planned: int = 0
    superseded: int = 0
    skipped: int = 0

    def __add__(self, other: PlanCounts) -> PlanCounts:
        return PlanCounts(
            self.examined + other.examined,
            self.planned + other.planned,
            self.superseded + other.superseded,
            self.skipped + other.skipped,
        )


def plan_due(container: Container, *, limit: int) -> PlanCounts:
    """Decide the due stages of at most ``limit`` certifications, in one transaction.

    All due certifications of a holder are decided together, so that they make one message. Every
    examined cursor moves on, whatever the outcome; ``examined`` is 0 when nothing is due or
    another planner has locked it.
    """
    with container.work(SYSTEM) as work:
        rows = _lock_due(work, limit)
        if not rows:
            return PlanCounts()
        examined = due_stages.examine(
            work,
            rows,
            lambda row, scheme: ExaminedAt(work.now, work.day_of(scheme, row.time_zone)),
        )
        messages = _messages(work, examined)
        wanted = {message.key: message for message in messages.values()}
        ids = queue.enqueue(work, container.message_key, list(wanted.values()))
        send_safety.count_unforeseen(work, len(_unforeseen(work, examined)))
        message_ids = {id_: ids[message.key] for id_, message in messages.items()}
        counts = _record(work, examined, message_ids)
        _advance(work, examined)
    return counts


def _lock_due(work: UnitOfWork, limit: int) -> Sequence[DueCursor]:
    """Lock due cursors and their holders, leaving out those locked by another transaction.

    Invariant: the planner never waits for a holder's lock. Services lock the holder and then
    touch the cursor; a planner that held the cursor and waited would cause a deadlock.
    """
    due = select(ReminderCursor.certification_id).where(ReminderCursor.next_due_at <= work.now)
    due = due.order_by(ReminderCursor.next_due_at).limit(limit)
    ids = [row.certification_id for row in work.rows(due.with_for_update(skip_locked=True))]
    rows: list[DueCursor] = []
    for some in bulk.chunks(ids):
        held = bulk.among(work, Certification.id, some)
        holders = select(Certification.holder_id).where(held)
        of_holders = CURSORS.where(
            Certification.holder_id.in_(holders),
            snapshots.CURRENT,
            ReminderCursor.next_due_at <= work.now,
        )
        unlocked = of_holders.with_for_update(skip_locked=True, of=ReminderCursor)
        rows += work.rows_as(DueCursor, unlocked)
    by_id = {row.certification_id: row for row in rows}
    free = _lock_holders(work, {row.holder_id for row in by_id.values()})
    return [row for row in by_id.values() if row.holder_id in free]


def _lock_holders(work: UnitOfWork, holder_ids: Collection[str]) -> set[str]:
    free: set[str] = set()
    for ids in bulk.chunks(sorted(holder_ids)):
        statement = select(Holder.id).where(bulk.among(work, Holder.id, ids)).order_by(Holder.id)
        statement = statement.with_for_update(read=True, key_share=True, skip_locked=True)
        free.update(row.id for row in work.rows(statement))
    return free


def _messages(work: UnitOfWork, examined: Sequence[Examined]) -> dict[str, queue.MessageToSend]:
    """One message for each holder with a stage to send, by certification.

    Its key is the day on which the latest of its stages fell due, not the day of planning: a
    restored database plans the same message again, with the same Message-ID.
    """
    groups: dict[tuple[str, date], list[Examined]] = defaultdict(list)
    sending = [c for c in examined if c.plan.current is not None]
    days = _days_of_messages(work, sending)
    for one in sending:
        day = days[one.row.certification_id]
        groups[one.row.holder_id, day].append(one)
    late, wait = _unforeseen(work, examined), timedelta()
    if late and _are_many(work):
        wait = _BEFORE_MANY
    messages: dict[str, queue.MessageToSend] = {}
    for (holder_id, day), group in groups.items():
        begins = work.now + (wait if holder_id in late else timedelta())
        wanted = _message(work, group, pacing.of_zone(work, group[0].row.time_zone), begins)
        wanted = replace(wanted, key=_key(holder_id, day))
        messages |= {one.row.certification_id: wanted for one in group}
    return messages


def _key(holder_id: str, day: date) -> str:
    return f"h:{holder_id}:{day}"


def _due_on(one: Examined) -> date:
    """The local day on which the current stage fell due."""
    stage, expires_on = one.plan.current, one.row.expires_on
    assert stage is not None  # noqa: S101 - for the type checker
    assert expires_on is not None  # noqa: S101 - for the type checker
    return date.fromordinal(expires_on.toordinal() - stage.offset)


def _days_of_messages(work: UnitOfWork, examined: Sequence[Examined]) -> dict[str, date]:
    """The day in the key of each certification's message: the holder's latest due day.

    A message that already waits also covers stages due before its day. After a restore there may
    be evidence that the relay took a message of an earlier day: it covered the stages due until
    then, and only stages due later go into a new message.
    """
    by_holder: dict[str, set[date]] = defaultdict(set)
    for one in examined:
        by_holder[one.row.holder_id].add(_due_on(one))
    waiting = _waiting(work, by_holder)
    for holder_id, days in waiting.items():
        by_holder[holder_id] |= {day for day in days if day >= max(by_holder[holder_id])}
    taken = _taken(work, {id_: days for id_, days in by_holder.items() if len(days) > 1})
    days_of: dict[str, date] = {}
    for one in examined:
        holder_id, on = one.row.holder_id, _due_on(one)
        known = max(taken.get(holder_id, ()), default=None)
        day = known if known is not None and on <= known else max(by_holder[holder_id])
        days_of[one.row.certification_id] = day
    return days_of


def _waiting(work: UnitOfWork, holder_ids: Collection[str]) -> dict[str, set[date]]:
    """The days of these holders' reminders that wait and were never claimed."""
    waiting: dict[str, set[date]] = defaultdict(set)
    for ids in bulk.chunks(sorted(holder_ids)):
        statement = select(Message.holder_id, Message.dedupe_key).where(
            bulk.among(work, Message.holder_id, ids),
            Message.kind == "reminder",
            Message.state == MessageState.READY,
            Message.facts.is_(None),
        )
        for row in work.rows(statement):
            waiting[row.holder_id].add(date.fromisoformat(row.dedupe_key.split(":")[2]))
    return waiting


def _taken(work: UnitOfWork, days: Mapping[str, Collection[date]]) -> dict[str, set[date]]:
    """The days, by holder, for which there is evidence that the relay took the message."""
    domain = work.settings.mail.message_id_domain
    ids = {
        envelopes.message_id(work.message_key, queue.first(_key(holder_id, day)), domain): (
            holder_id,
            day,
        )
        for holder_id, some in days.items()
        for day in some
    }
    taken: dict[str, set[date]] = defaultdict(set)
    for some in bulk.chunks(ids):
        statement = select(RelayAccept.message_id).where(RelayAccept.message_id.in_(some))
        for row in work.rows(statement):
            holder_id, day = ids[row.message_id]
            taken[holder_id].add(day)
    return taken


def _unforeseen(work: UnitOfWork, examined: Sequence[Examined]) -> set[str]:
    """The holders with a late planned stage that was not in the calendar when it fell due.

    Their records are new or changed: an import, a correction, another policy.
    """
    return {
        one.row.holder_id
        for one in examined
        if one.row.next_due_at == AT_ONCE
        and (stage := one.plan.current)
        and work.now - stage.due_at > _LATE
    }


def _are_many(work: UnitOfWork) -> bool:
    """Whether more touched certifications wait for the planner than the send limit allows."""
    limit = work.settings.reminders.fuse_minimum
    waiting = select(ReminderCursor.certification_id).where(ReminderCursor.next_due_at == AT_ONCE)
    some = waiting.limit(limit + 1).subquery()
    count: int = work.connection.execute(select(func.count()).select_from(some)).scalar_one()
    return count > limit


def _message(
    work: UnitOfWork, group: Sequence[Examined], pace: Pace, begins: datetime
) -> queue.MessageToSend:
    """The message, delayed past the quiet hours if every stage is still useful then."""
    stages = [stage for one in group if (stage := one.plan.current)]
    first, ends = group[0], [stage.useful_until for stage in stages]
    wanted = queue.MessageToSend(
        key="",
        kind="reminder",
        holder_id=first.row.holder_id,
        address=first.address or "",
        stage=min(stage.offset for stage in stages),
        useful_until=max(ends),
    )
    civil = pace.earliest(begins)
    return replace(wanted, not_before=civil if civil < min(ends) else work.now)


def _record(
    work: UnitOfWork, examined: Sequence[Examined], message_ids: dict[str, str]
) -> PlanCounts:
    """Write one row for each decided stage; a stage that has one keeps it.

    The exception is a stage that did not reach the holder and is now planned: its row is updated.
    ``message_ids`` are those of the messages, by certification.
    """
    rows = [
        {
            "id": new_id(),
            "certification_id": one.row.certification_id,
            "cycle": one.row.cycle,
            "expires_on": one.row.expires_on,
            "offset": stage.offset,
            "audience": AUDIENCE,
            "due_at": stage.due_at,
            "useful_until": stage.useful_until,
            "fate": fate,
            "reason": reason,
            "recorded_at": work.now,
            "message_id": _message_of(message_ids, one, fate),
        }
        for one in examined
        for stage, fate, reason in one.plan.fates
    ]
    if rows:
        bulk.insert_new(work, Reminder, rows, key=_STAGE, returning=["id"])
    reopened = [
        {
            "id": one.reopened[stage.offset],
            "fate": fate,
            "reason": None,
            "message_id": message_ids[one.row.certification_id],
            "recorded_at": work.now,
        }
        for one in examined
        for stage, fate, _ in one.plan.fates
        if fate == StageOutcome.PLANNED and stage.offset in one.reopened
    ]
    bulk.update_by(work, Reminder, "id", reopened)
    fates = [row["fate"] for row in rows]
    return PlanCounts(
        len(examined),
        fates.count(StageOutcome.PLANNED),
        fates.count(StageOutcome.SUPERSEDED),
        fates.count(StageOutcome.SKIPPED),
    )


def _message_of(message_ids: Mapping[str, str], one: Examined, fate: StageOutcome) -> str | None:
    """The message that tells of a stage, if it is told."""
    return message_ids[one.row.certification_id] if fate == StageOutcome.PLANNED else None


def _advance(work: UnitOfWork, examined: Sequence[Examined]) -> None:
    rows = [
        {
            "certification_id": one.row.certification_id,
            "last_offset": one.plan.last_offset,
            "next_due_at": one.plan.next_due_at,
        }
        for one in examined
    ]
    bulk.update_by(work, ReminderCursor, "certification_id", rows)
