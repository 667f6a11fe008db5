"""Metrics for operators: whether requests can be served, and the state of the reminders."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import case, func, select, union_all

from tracker import migrations
from tracker.db import Instant, written
from tracker.domain.delivery.bounces import ReturnKind
from tracker.domain.delivery.queue_acts import HELD, STUCK, WAITING, MessageState
from tracker.models import Bounce, Message, ReminderCursor
from tracker.services.core import counters
from tracker.services.core.context import ReadContext
from tracker.services.core.counters import CounterValue
from tracker.services.delivery import send_safety
from tracker.services.delivery.due_stages import AT_ONCE
from tracker.services.employers import digests
from tracker.services.outbox import suppressions

__all__ = ["Gauges", "ReadinessCheck", "checks", "gauges"]

PATIENCE = timedelta(minutes=15)  # a message overdue for longer means that nothing is being sent


@dataclass(frozen=True, slots=True)
class ReadinessCheck:
    """One condition of readiness, and why it is not met."""

    name: str
    failure: str | None


def checks(reading: ReadContext) -> Iterator[ReadinessCheck]:
    """The conditions for serving requests; stalled mail is not one of them."""
    yield ReadinessCheck("database", None)
    yield ReadinessCheck("migrations", migrations.obstacle(reading.connection))


UNFINISHED = (*WAITING, *STUCK)
"""The states that are counted; finished messages are not, since they are most of all messages."""
GROUPS = {1: "urgent", 5: "usual", 9: "again"}
"""Messages by priority; urgent: a stage at most seven days before the expiry, or a code."""
_DAY = timedelta(days=1)

# Literals instead of parameters: a partial index serves only a query that repeats its condition.
_READY = (
    select(Message.priority, func.min(Message.next_at).label("oldest"), func.count().label("n"))
    .where(written("message.state", MessageState.READY))
    .group_by(Message.priority)
)
_COUNTED = select(Message.state, func.count().label("n")).group_by(Message.state)
_OTHERS = union_all(
    _COUNTED.where(written("message.state", *HELD)),
    _COUNTED.where(written("message.state", *STUCK)),
)


@dataclass(frozen=True, slots=True)
class Gauges:
    """Current numbers; an instant is None where there is none.

    ``outbox`` counts unfinished messages by state, ``waiting_since`` is when the oldest ready
    message of each group fell due. ``bounces`` are those of the last day, by kind. Nothing is sent
    before ``relay_resume_at``. ``digests_late`` are more than an hour overdue. ``tallies`` are the
    outcomes of reaping so far, and the result of the last audit.
    """

    outbox: dict[str, int]
    waiting_since: dict[str, datetime]
    cursors_due: int
    oldest_due: datetime | None
    heartbeat: datetime | None
    enabled: bool
    held: str | None
    evidence_until: datetime | None
    relay_failures: int
    relay_resume_at: datetime | None
    relay_error: str | None
    suppressed: int
    bounces: dict[str, int]
    digests_late: int
    tallies: dict[str, CounterValue]


def gauges(reading: ReadContext) -> Gauges:
    """The metrics, each number from an index or a small table.

    No statement reads what is finished or not due, so that the cost is the same with ten million
    certifications as with ten.
    """
    ready = reading.rows(_READY)
    counts = {row.state: row.n for row in reading.rows(_OTHERS)}
    at = ReminderCursor.next_due_at
    due = reading.row(
        select(
            func.count().label("n"),
            func.min(case((at > AT_ONCE, at)), type_=Instant).label("oldest"),
        ).where(at <= reading.now)
    )
    one, obstacle = send_safety.look(reading)
    return Gauges(
        outbox={**dict.fromkeys(UNFINISHED, 0), **counts, "ready": sum(row.n for row in ready)},
        waiting_since={
            GROUPS.get(row.priority, "other"): row.oldest
            for row in ready
            if row.oldest <= reading.now
        },
        cursors_due=due.n,
        oldest_due=due.oldest,
        heartbeat=one.last_tick_at if one else None,
        enabled=obstacle is None,
        held=one.fuse if one else None,
        evidence_until=one.evidence_until if one else None,
        relay_failures=one.relay_failures if one else 0,
        relay_resume_at=one.relay_resume_at if one else None,
        relay_error=one.relay_error if one else None,
        suppressed=suppressions.count(reading),
        bounces=_bounces(reading),
        digests_late=digests.late(reading),
        tallies=counters.known(reading),
    )


def _bounces(reading: ReadContext) -> dict[str, int]:
    """The bounces of the last day, by kind."""
    recent = Bounce.at > reading.now - _DAY
    counted = select(Bounce.kind, func.count().label("n")).where(recent).group_by(Bounce.kind)
    counts = {row.kind: row.n for row in reading.rows(counted)}
    return {**dict.fromkeys(ReturnKind, 0), **counts}
