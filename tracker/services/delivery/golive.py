"""Before sending starts: count the messages by stage, and spread the backlog over several days.

For an installation's first sending, after a large import, and whenever sending was held because
of the number of messages. Urgent messages are never delayed, and no message is delayed beyond the
time when it is useful.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from sqlalchemy import func, select

from tracker.db import written
from tracker.domain.delivery import reminders as rules
from tracker.domain.delivery.queue_acts import MessageState
from tracker.domain.delivery.reminders import StageOutcome
from tracker.models import Holder, Message
from tracker.services.core import bulk
from tracker.services.core.context import Container, ReadContext, UnitOfWork, zone_of
from tracker.services.delivery import ledger, planner

# Written out, not bound: a partial index serves only a query that repeats its condition.
_READY = written("message.state", MessageState.READY)


@dataclass(frozen=True, slots=True)
class MessageEstimate:
    """How many messages wait already, together with those that today's stages will add.

    ``by_stage`` counts reminders by days before the expiry; ``others`` counts notices and digests.
    """

    by_stage: dict[int, int]
    others: int

    @property
    def total(self) -> int:
        """The number of all messages."""
        return sum(self.by_stage.values()) + self.others

    @property
    def backlog(self) -> int:
        """The number of reminders that may wait: all but those in the last days before expiry."""
        return sum(n for stage, n in self.by_stage.items() if stage > rules.LAST_DAYS)

    def days(self, a_day: int) -> int:
        """How many days the backlog takes at ``a_day`` messages a day; at least one."""
        return max(-(-self.backlog // a_day), 1)


def amount(reading: ReadContext) -> MessageEstimate:
    """How many messages would leave if sending was enabled now. Nothing is written."""
    waiting = reading.rows(
        select(Message.kind, Message.stage, func.count().label("n"))
        .where(_READY)
        .group_by(Message.kind, Message.stage)
    )
    stages, others = Counter[int](), 0
    for row in waiting:
        if row.kind == "reminder" and row.stage is not None:
            stages[row.stage] += row.n
        else:
            others += row.n
    most_urgent: dict[str, int] = {}
    for foreseen in ledger.foresee(reading, as_of=reading.now.date()):
        if foreseen.fate == StageOutcome.PLANNED:
            known = most_urgent.get(foreseen.holder_id, foreseen.offset)
            most_urgent[foreseen.holder_id] = min(known, foreseen.offset)
    stages.update(most_urgent.values())
    return MessageEstimate(dict(sorted(stages.items(), reverse=True)), others)


def plan_all(container: Container) -> None:
    """Put all due reminders into the outbox, where they wait until sending is enabled."""
    while planner.plan_due(container, limit=container.settings.reminders.batch).examined:
        pass


class _WaitingMessage(NamedTuple):
    """A message that waits, and its holder's time zone if it is for a holder."""

    id: str
    kind: str
    stage: int | None
    next_at: datetime
    useful_until: datetime
    time_zone: str | None


def spread(work: UnitOfWork, *, days: int) -> dict[date, int]:
    """Spread the backlog over ``days`` days; messages that lose their use soonest leave first.

    Returns the number of messages by day (UTC), including those that are not delayed. No message
    leaves in the holder's quiet hours.
    """
    waiting = work.rows_as(
        _WaitingMessage,
        select(
            Message.id,
            Message.kind,
            Message.stage,
            Message.next_at,
            Message.useful_until,
            Holder.time_zone,
        )
        .join(Holder, Holder.id == Message.holder_id, isouter=True)
        .where(_READY)
        .order_by(Message.useful_until, Message.id)
        .with_for_update(of=Message),
    )
    late = [row for row in waiting if row.stage is not None and row.stage > rules.LAST_DAYS]
    moved = dict(_moved(work, late, days))
    bulk.update_by(work, Message, "id", [{"id": id_, "next_at": at} for id_, at in moved.items()])
    leaving = (max(moved.get(row.id, row.next_at), work.now).date() for row in waiting)
    return dict(sorted(Counter(leaving).items()))


def _moved(
    work: UnitOfWork, late: Sequence[_WaitingMessage], days: int
) -> Iterator[tuple[str, datetime]]:
    """The new send times of the delayed messages; one that would come too late is left as is."""
    settings = work.settings.reminders
    quiet = (time(settings.quiet_from_hour), time(settings.quiet_until_hour))
    a_day = -(-len(late) // days)
    for position, row in enumerate(late):
        wait = timedelta(days=position // a_day)
        zone = zone_of(row.time_zone or "UTC")
        at = rules.after_quiet(max(row.next_at, work.now + wait), *quiet, zone)
        if row.next_at < at < row.useful_until:
            yield row.id, at
