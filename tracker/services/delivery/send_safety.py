"""Whether this database may send messages now: enabled, held, relay; and the heartbeat. One row.

The row is bound to the place of the database when sending was enabled. A clone, or a backup
restored elsewhere, lies at another place and sends nothing until somebody enables it: its outbox
may hold messages that were sent long ago. A new installation sends nothing until somebody has
seen the amount (``golive.py``).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import bindparam, case, exists, func, select, text, update

from tracker.db import new_id
from tracker.models import ReminderCursor, Runtime
from tracker.services.core import history
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.delivery import heartbeat
from tracker.services.delivery.heartbeat import Heartbeat

FORESEEN = timedelta(days=90)
"""How far ahead the calendar shows what falls due; later stages, all at once, look like a clock."""
RELAY_FAILURES = 5
"""So many failed connections in a row, of all processes, and the relay is left alone a while."""
RELAY_REMEDY = "Start the relay, or correct TRACKER_MAIL_SERVER, _PORT, _USERNAME and _PASSWORD."
_SHORTEST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=30), timedelta(minutes=10)

_SERVER = (
    "select d.datname, d.oid, c.system_identifier{} from pg_database d, pg_control_system() c"
    " where d.datname = current_database()"
)
# A server that was promoted, or recovered to a moment, goes on in a new timeline.
_TIMELINE = (
    ", case when pg_is_in_recovery() then (select timeline_id::text from pg_control_checkpoint())"
    " else substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) end"
)
_FORMER_PLACE = text(_SERVER.format(""))
_PLACE_IN_POSTGRESQL = text(_SERVER.format(_TIMELINE))

# A condition of every claim and every marker, so that disabling holds from that moment on.
MAY_SEND = exists(
    select(Runtime.id).where(
        Runtime.armed, Runtime.fuse.is_(None), Runtime.place == bindparam("place")
    )
)

_RESTORED = (
    "Have the relay's log since the backup read (`tracker reminders relay-log FILE`): what it took "
    "is not sent again. Then run `tracker reminders enable --reason WHY`."
)
_ROW = select(*Runtime.__table__.columns)
_ENABLE = "To send again, run `tracker reminders enable --reason WHY`."


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
    """A digest of where this database lies.

    Server, timeline and database, or path and inode of the file.
    """
    if reading.dialect == "sqlite":
        file = Path(next(r.file for r in reading.rows(text("pragma database_list"))))
        described = f"{file.resolve()} {file.stat().st_ino}"
    else:
        described = " ".join(str(part) for part in reading.row(_PLACE_IN_POSTGRESQL))
    return hashlib.sha256(described.encode()).hexdigest()


def prepare(work: UnitOfWork) -> None:
    """Before anything is sent or counted: the row is there, and a restored database is held."""
    open_row(work)
    if work.dialect == "postgresql":
        _adopt(work)
    if behind := _behind(work):
        hold(work, behind)


def _adopt(work: UnitOfWork) -> None:
    """Take the timeline into the place of an installation that was enabled before it counted."""
    described = " ".join(str(part) for part in work.row(_FORMER_PLACE))
    former = hashlib.sha256(described.encode()).hexdigest()
    work.connection.execute(
        update(Runtime).where(Runtime.place == former).values(place=place(work))
    )


def _behind(reading: ReadContext) -> str | None:
    """What to say of a database that is behind the heartbeat that the storage directory knows.

    Invariant: the directory is asked first. Its number was in the database before it was there, so
    a database that is asked after it knows that number, however many send at once.
    """
    known = heartbeat.last(reading.settings)
    return _judged(known, reading.row(_ROW))


def _judged(known: Heartbeat | None, row: Any) -> str | None:
    if row is None or known is None or known.database_id != row.database_id:
        return None
    if known.number <= row.beats:
        return None
    return (
        f"This database was restored: it knows nothing of what was sent up to "
        f"{known.at:%Y-%m-%d %H:%M} UTC."
    )


def advance(work: UnitOfWork) -> Heartbeat | None:
    """Number the next heartbeat, to be kept beside the database; None where it is behind."""
    if _behind(work):
        return None
    counted = update(Runtime).values(beats=Runtime.beats + 1)
    row = work.row(counted.returning(Runtime.database_id, Runtime.beats))
    return Heartbeat(row.database_id, row.beats, work.now)


def open_row(work: UnitOfWork) -> None:
    """Make the row of a new database, which sends nothing yet; an existing one stays as it is."""
    row = {"id": 1, "database_id": new_id(), "armed": False, "place": place(work)}
    work.connection.execute(work.upsert(Runtime).values(row).on_conflict_do_nothing())


def beat(work: UnitOfWork) -> Heartbeat | None:
    """Write down that the scheduler is alive; the heartbeat to keep beside the database.

    After a pause, however long, it goes on where it stopped. Sending is held only if more fell
    due beyond the days that the calendar showed at the last beat than leave unconfirmed: a clock
    that is wrong by a year would make every stage of that year pass, with false words.
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
    """Why nothing may be sent from this database; None if messages may leave."""
    return look(reading)[1]


def look(reading: ReadContext) -> tuple[Any, SendObstacle | None]:
    """The row, None in a new database, with why nothing may be sent."""
    known = heartbeat.last(reading.settings)
    row = reading.row(_ROW)
    return row, _obstacle(reading, row, known)


def _obstacle(reading: ReadContext, row: Any, known: Heartbeat | None) -> SendObstacle | None:
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
        return SendObstacle(str(row.fuse), f"Look at `tracker golive --dry-run`. {_ENABLE}")
    return None


def is_new(reading: ReadContext) -> bool:
    """Whether sending was never started here."""
    return obstacle(reading) is _NEVER_STARTED


def enable(work: UnitOfWork, *, reason: str) -> None:
    """Allow sending from this database where it lies now; what held it is lifted.

    Whoever enables it has looked at what waits: the amount of this day holds nothing.
    """
    open_row(work)
    allow(work)
    history.record(work, "enable", "sending", _database_id(work), reason=reason)


def allow(work: UnitOfWork) -> None:
    """The same without a line of history, for databases that are made to be thrown away."""
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
    """Stop sending from this database, also of messages already claimed, and planning."""
    open_row(work)
    work.connection.execute(update(Runtime).values(armed=False, fuse=reason))
    history.record(work, "disable", "sending", _database_id(work), reason=reason)


def _database_id(reading: ReadContext) -> str:
    return str(reading.connection.execute(select(Runtime.database_id)).scalar_one())


# The limit.
def is_held(reading: ReadContext) -> bool:
    """Whether sending was stopped: then nothing is planned either, since the clock may be wrong."""
    row = reading.row(select(Runtime.fuse))
    return row is not None and row.fuse is not None


def hold(work: UnitOfWork, reason: str) -> None:
    """Stop sending because something is out of the ordinary, and say what, until it is enabled."""
    open_row(work)
    work.connection.execute(update(Runtime).values(fuse=reason))


def count_unforeseen(work: UnitOfWork, messages: int) -> None:
    """Count messages that no calendar foresaw; more of them than one import brings hold sending.

    They come of records that are new or changed, such as an import or another policy, and are
    late already. Stages that fall due in their time are never too many, however many there are,
    and neither is what fell due in a pause.
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


# The circuit breaker of the relay, one for all processes.
def relay_failed(work: UnitOfWork, error: str) -> int:
    """Count a connection that failed; returns how many have failed in a row.

    From ``RELAY_FAILURES`` on nothing is tried for a while; the pause doubles from half a minute
    to ten.
    """
    open_row(work)
    counted = update(Runtime).values(relay_failures=Runtime.relay_failures + 1, relay_error=error)
    failures = int(work.connection.execute(counted.returning(Runtime.relay_failures)).scalar_one())
    if failures >= RELAY_FAILURES:
        pause = min(_SHORTEST_PAUSE * 2 ** min(failures - RELAY_FAILURES, 10), _LONGEST_PAUSE)
        work.connection.execute(update(Runtime).values(relay_resume_at=work.now + pause))
    return failures


def relay_worked(work: UnitOfWork) -> bool:
    """The relay answers: forget its failures; whether there were any."""
    forgotten = (
        update(Runtime)
        .where(Runtime.relay_failures > 0)
        .values(relay_failures=0, relay_resume_at=None, relay_error=None)
    )
    return bool(work.connection.execute(forgotten).rowcount)


def relay_failures(reading: ReadContext) -> int:
    """How many connections in a row have failed."""
    row = reading.row(select(Runtime.relay_failures))
    return int(row.relay_failures) if row else 0


def take_probe(work: UnitOfWork) -> bool:
    """Whether the pause is over: then one letter may be tried, by one of all who ask."""
    probing = (
        update(Runtime)
        .where(Runtime.relay_failures >= RELAY_FAILURES, Runtime.relay_resume_at <= work.now)
        .values(relay_resume_at=work.now + _SHORTEST_PAUSE)
    )
    return bool(work.connection.execute(probing).rowcount)
