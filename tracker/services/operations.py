"""What operators watch: whether requests can be served, and how the reminders are doing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from alembic.runtime.migration import MigrationContext
from sqlalchemy import func, select, text

from tracker import migrations
from tracker.models import Message, ReminderCursor, Runtime
from tracker.models.outbox import MESSAGE_STATES
from tracker.services.reminder_plans import AT_ONCE
from tracker.services.work import Reading

__all__ = ["MESSAGE_STATES", "Check", "Gauges", "checks", "gauges"]

PATIENCE = timedelta(minutes=15)  # a letter due for longer means that nobody sends


@dataclass(frozen=True, slots=True)
class Check:
    """One condition of being ready, and why it is not met."""

    name: str
    failure: str | None


def checks(reading: Reading) -> Iterator[Check]:
    """The conditions in order; those after an unmet one would make no sense."""
    found: str | None = MigrationContext.configure(reading.connection).get_current_revision()
    newest: str | None = migrations.head()
    behind = None if found == newest else f"at {found}, the newest is {newest}"
    yield Check("database", None)
    yield Check("migrations", behind)
    if behind is None:
        yield Check("outbox", _stuck(reading))


def _stuck(reading: Reading) -> str | None:
    # Written out, not bound: a partial index serves only a query that repeats its condition.
    ready = select(func.min(Message.next_at)).where(text("message.state = 'ready'"))
    oldest = reading.connection.execute(ready).scalar()
    if oldest is None or reading.now - oldest <= PATIENCE:
        return None
    return f"a letter has been due since {oldest:%Y-%m-%dT%H:%M:%SZ}"


@dataclass(frozen=True, slots=True)
class Gauges:
    """Numbers of the moment. ``oldest_due`` and ``heartbeat`` are instants; None: there is none."""

    outbox: dict[str, int]
    cursors_due: int
    oldest_due: datetime | None
    heartbeat: datetime | None


def gauges(reading: Reading) -> Gauges:
    """Letters by state, reminder cursors that are due, and the scheduler's last heartbeat."""
    counted = select(Message.state, func.count().label("n")).group_by(Message.state)
    due = ReminderCursor.next_due_at <= reading.now
    oldest = select(func.min(ReminderCursor.next_due_at)).where(
        due, ReminderCursor.next_due_at > AT_ONCE
    )
    return Gauges(
        outbox={
            **dict.fromkeys(MESSAGE_STATES, 0),
            **{r.state: r.n for r in reading.rows(counted)},
        },
        cursors_due=reading.connection.execute(select(func.count()).where(due)).scalar_one(),
        oldest_due=reading.connection.execute(oldest).scalar(),
        heartbeat=reading.connection.execute(select(Runtime.last_tick_at)).scalar(),
    )
