"""Whether this database may send messages now: sending enabled, holds, the relay, the heartbeat.

All of it is one row (``Runtime``), bound to the place where the database was when sending was
enabled. A clone, or a backup restored elsewhere, is at another place and sends nothing until
somebody enables it: its outbox may hold messages that were sent long ago. A new installation sends
nothing until somebody has seen how many messages would leave (``golive.py``).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import bindparam, case, exists, func, select, text, update

from tracker.db import new_id
from tracker.models import ReminderCursor, Runtime
from tracker.services.core import history
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.delivery import heartbeat
from tracker.services.delivery.heartbeat import Heartbeat

FORESEEN = timedelta(days=90)
"""How far ahead the calendar shows stages; many due beyond that suggest that the clock is wrong."""
RELAY_FAILURES = 5
"""Failed connections in a row, over all processes, after which sending pauses for the relay."""
RELAY_REMEDY = "Start the relay, or correct TRACKER_MAIL_SERVER, _PORT, _USERNAME and _PASSWORD."
_SHORTEST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=30), timedelta(minutes=10)

_SERVER = (
    "select d.datname, d.oid, c.system_identifier{} from pg_database d, pg_control_system() c"
    " where d.datname = current_database()"
)
# A server that was promoted, or recovered to a point in time, continues in a new timeline.
_TIMELINE = (
    ", case when pg_is_in_recovery() then (select timeline_id::text from pg_control_checkpoint())"
    " else substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) end"
)
_FORMER_PLACE = text(_SERVER.format(""))
_PLACE_IN_POSTGRESQL = text(_SERVER.format(_TIMELINE))

# A condition of every claim and every marker, so that disabling takes effect at once.
MAY_SEND = exists(
    select(Runtime.id).where(
        Runtime.armed, Runtime.fuse.is_(None), Runtime.place == bindparam("place")
    )
)

_RESTORED = (
    "Have the relay's log since the backup read (`tracker reminders relay-log FILE`): what it took "
    "is not sent again. Then run `tracker reminders enable --reason WHY`."
)
_ENABLE = "To send again, run `tracker reminders enable --reason WHY`."


class SendState(NamedTuple):
    """The row: whether sending is enabled, what holds it, the heartbeat, and the relay."""

    database_id: str
    armed: bool
    armed_at: datetime | None
    fuse: str | None
    place: str
    beats: int
    last_tick_at: datetime | None
    evidence_until: datetime | None
    relay_failures: int
    relay_resume_at: datetime | None
    relay_error: str | None


_STATE = select(*(getattr(Runtime, name) for name in SendState._fields))


@dataclass(frozen=True, slots=True)
class SendObstacle:
    """Why nothing is sent from this database, and what to do about it."""

    reason: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.reason} {self.remedy}"


_NEVER_STARTED = SendObstacle(
    "Sending was never started here.",
    "Run `tracker golive`: it shows what would be sent and asks.",
)


def place(reading: ReadContext) -> str:
    """A hash of the database's place.

    PostgreSQL: server, timeline and database. SQLite: path and inode of the file.
    """
    if reading.dialect == "sqlite":
        file = Path(next(r.file for r in reading.rows(text("pragma database_list"))))
        described = f"{file.resolve()} {file.stat().st_ino}"
    else:
        described = " ".join(str(part) for part in reading.row(_PLACE_IN_POSTGRESQL))
    return hashlib.sha256(described.encode()).hexdigest()


def prepare(work: UnitOfWork) -> None:
    """Before anything is sent or counted, make the row and hold a restored database."""
    open_row(work)
    if work.dialect == "postgresql":
        _adopt(work)
    if behind := _behind(work):
        hold(work, behind)


def _adopt(work: UnitOfWork) -> None:
    """Add the timeline to a place stored by a version that did not include it."""
    described = " ".join(str(part) for part in work.row(_FORMER_PLACE))
    former = hashlib.sha256(described.encode()).hexdigest()
    work.connection.execute(
        update(Runtime).where(Runtime.place == former).values(place=place(work))
    )


def _behind(reading: ReadContext) -> str | None:
    """Why the database counts as restored: it is behind the heartbeat in the storage directory.

    Invariant: the directory is read first. Its number was in the database before it was in the
    file, so a database that is read later has that number, however many processes send at once.
    """
    known = heartbeat.last(reading.settings)
    return _judged(known, reading.row_as(SendState, _STATE))


def _judged(known: Heartbeat | None, row: SendState | None) -> str | None:
    if row is None or known is None or known.database_id != row.database_id:
        return None
    if known.number <= row.beats:
        return None
    return (
        f"This database was restored: it knows nothing of what was sent up to "
        f"{known.at:%Y-%m-%d %H:%M} UTC."
    )


def advance(work: UnitOfWork) -> Heartbeat | None:
    """Number the next heartbeat, to be kept beside the database; None if the database is behind."""
    if _behind(work):
        return None
    counted = update(Runtime).values(beats=Runtime.beats + 1)
    row = work.row(counted.returning(Runtime.database_id, Runtime.beats))
    return Heartbeat(row.database_id, row.beats, work.now)


def open_row(work: UnitOfWork) -> None:
    """Make the row of a new database, with sending disabled; an existing row stays as it is."""
    row = {"id": 1, "database_id": new_id(), "armed": False, "place": place(work)}
    work.connection.execute(work.upsert(Runtime).values(row).on_conflict_do_nothing())


def beat(work: UnitOfWork) -> Heartbeat | None:
    """Record that the scheduler is alive; returns the heartbeat to keep beside the database.

    After a pause, however long, the scheduler continues where it stopped. Sending is held only if
    the stages due beyond the days that the calendar showed at the last beat exceed the send limit:
    a clock that is wrong by a year would make every stage of that year due, with false words.
    """
    prepare(work)
    last = work.connection.execute(select(Runtime.last_tick_at)).scalar_one()
    if last is not None and work.now - last > FORESEEN:
        beyond = select(func.count()).where(
            ReminderCursor.next_due_at > last + FORESEEN, ReminderCursor.next_due_at <= work.now
        )
        count = work.connection.execute(beyond).scalar_one()
        if count > work.settings.reminders.fuse_minimum:
            hold(
                work,
                f"The scheduler last ran on {last:%Y-%m-%d}; today, {work.now:%Y-%m-%d}, {count:,} "
                f"certifications are due more than {FORESEEN.days} days after that. Is the clock "
                "right?",
            )
    work.connection.execute(update(Runtime).values(last_tick_at=work.now))
    return advance(work)


def obstacle(reading: ReadContext) -> SendObstacle | None:
    """Why this database may not send; None if it may."""
    return look(reading)[1]


def look(reading: ReadContext) -> tuple[SendState | None, SendObstacle | None]:
    """The row (None in a new database), and why this database may not send (None if it may)."""
    known = heartbeat.last(reading.settings)
    row = reading.row_as(SendState, _STATE)
    return row, _obstacle(reading, row, known)


def _obstacle(
    reading: ReadContext, row: SendState | None, known: Heartbeat | None
) -> SendObstacle | None:
    if behind := _judged(known, row):
        return SendObstacle(behind, _RESTORED)
    if row is None or not (row.armed or row.armed_at or row.fuse):
        return _NEVER_STARTED
    if not row.armed:
        reason = (row.fuse or "no reason is known").removesuffix(".")
        return SendObstacle(f"Sending is disabled: {reason}.", _ENABLE)
    if row.place != place(reading):
        return SendObstacle(
            "This database was moved, cloned or restored since sending was enabled.",
            f"Make sure that no other copy sends. {_RESTORED}",
        )
    if row.fuse:
        return SendObstacle(row.fuse, f"Look at `tracker golive --dry-run`. {_ENABLE}")
    return None


def is_new(reading: ReadContext) -> bool:
    """Whether sending was never started in this database."""
    return obstacle(reading) is _NEVER_STARTED


def enable(work: UnitOfWork, *, reason: str) -> None:
    """Allow sending from this database at its present place, and lift any hold.

    Whoever enables sending has looked at what waits, so the send limit does not apply that day.
    """
    open_row(work)
    allow(work)
    history.record(work, "enable", "sending", _database_id(work), reason=reason)


def allow(work: UnitOfWork) -> None:
    """The same without an entry in history, for throwaway databases."""
    open_row(work)
    known = heartbeat.last(work.settings)
    beats = work.connection.execute(select(Runtime.beats)).scalar_one()
    work.connection.execute(
        update(Runtime).values(
            armed=True,
            armed_at=work.now,
            place=place(work),
            fuse=None,
            beats=max(beats, known.number if known else 0),
        )
    )


def disable(work: UnitOfWork, *, reason: str) -> None:
    """Stop planning, and sending from this database, also of messages already claimed."""
    open_row(work)
    work.connection.execute(update(Runtime).values(armed=False, fuse=reason))
    history.record(work, "disable", "sending", _database_id(work), reason=reason)


def _database_id(reading: ReadContext) -> str:
    return str(reading.connection.execute(select(Runtime.database_id)).scalar_one())


# The send limit.
def is_held(reading: ReadContext) -> bool:
    """Whether sending was stopped; then nothing is planned either, since the clock may be wrong."""
    row = reading.row(select(Runtime.fuse))
    return row is not None and row.fuse is not None


def hold(work: UnitOfWork, reason: str) -> None:
    """Stop sending, because of something unusual (``reason``), until somebody enables it."""
    open_row(work)
    work.connection.execute(update(Runtime).values(fuse=reason))


def count_unforeseen(work: UnitOfWork, messages: int) -> None:
    """Count messages that were in no calendar; sending is held if a day's number exceeds the limit.

    They come from new or changed records, such as an import or another policy, and are already
    late. Stages that fall due in their time do not count, however many there are, nor do those
    that fell due in a pause.
    """
    if not messages:
        return
    open_row(work)
    today, limit = work.now.date(), work.settings.reminders.fuse_minimum
    so_far = case((Runtime.unforeseen_on == today, Runtime.unforeseen), else_=0) + messages
    counted = update(Runtime).values(unforeseen=so_far, unforeseen_on=today)
    row = work.row(counted.returning(Runtime.unforeseen, Runtime.armed_at))
    confirmed = row.armed_at is not None and row.armed_at.date() == today
    if row.unforeseen > limit and not confirmed:
        hold(
            work,
            f"{row.unforeseen:,} messages of {today} were in no calendar; up to {limit:,} a day "
            "leave without being confirmed.",
        )


# The circuit breaker for the relay, one for all processes.
def relay_failed(work: UnitOfWork, error: str) -> int:
    """Count a failed connection; returns how many have failed in a row.

    From ``RELAY_FAILURES`` on, sending pauses; the pause doubles from 30 seconds to ten minutes.
    """
    open_row(work)
    counted = update(Runtime).values(relay_failures=Runtime.relay_failures + 1, relay_error=error)
    failures = int(work.connection.execute(counted.returning(Runtime.relay_failures)).scalar_one())
    if failures >= RELAY_FAILURES:
        pause = min(_SHORTEST_PAUSE * 2 ** min(failures - RELAY_FAILURES, 10), _LONGEST_PAUSE)
        work.connection.execute(update(Runtime).values(relay_resume_at=work.now + pause))
    return failures


def relay_worked(work: UnitOfWork) -> bool:
    """Reset the failures because the relay works; True if there were any."""
    forgotten = (
        update(Runtime)
        .where(Runtime.relay_failures > 0)
        .values(relay_failures=0, relay_resume_at=None, relay_error=None)
    )
    return bool(work.connection.execute(forgotten).rowcount)


def relay_failures(reading: ReadContext) -> int:
    """The number of connections that have failed in a row."""
    row = reading.row(select(Runtime.relay_failures))
    return int(row.relay_failures) if row else 0


def take_probe(work: UnitOfWork) -> bool:
    """Whether the pause is over; then one message may be tried, by only one of all processes."""
    probing = (
        update(Runtime)
        .where(Runtime.relay_failures >= RELAY_FAILURES, Runtime.relay_resume_at <= work.now)
        .values(relay_resume_at=work.now + _SHORTEST_PAUSE)
    )
    return bool(work.connection.execute(probing).rowcount)
