"""Whether this database may send letters now: armed, fuse, relay; and the heartbeat. One row.

The row is bound to the place of the database when it is armed. A clone, or a backup restored
elsewhere, lies at another place and sends nothing until somebody arms it: its outbox may hold
letters that were sent long ago.
"""

from __future__ import annotations

import hashlib
import statistics
from datetime import timedelta
from pathlib import Path

from sqlalchemy import bindparam, exists, select, text, update

from tracker.db import new_id
from tracker.models import Runtime, Volume
from tracker.services.work import Reading, Work

LONGEST_GAP = timedelta(days=7)
"""A heartbeat so long after the last one, or before it, blows the fuse."""
RELAY_FAILURES = 5
"""So many failed connections in a row, of all processes, and the relay is left alone a while."""
_SHORTEST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=30), timedelta(minutes=10)
_FUSE_FACTOR, _LOOKED_BACK, _DAYS_NEEDED = 5, 28, 7

_PLACE_IN_POSTGRESQL = text(
    "select d.datname, d.oid, c.system_identifier from pg_database d, pg_control_system() c"
    " where d.datname = current_database()"
)

# A condition of every claim and every marker, so that disarming holds from that moment on.
MAY_SEND = exists(
    select(Runtime.id).where(
        Runtime.armed, Runtime.fuse.is_(None), Runtime.place == bindparam("place")
    )
)


def place(reading: Reading) -> str:
    """A digest of where this database lies: server and database, or path and inode of the file."""
    if reading.dialect == "sqlite":
        file = Path(next(r.file for r in reading.rows(text("pragma database_list"))))
        described = f"{file.resolve()} {file.stat().st_ino}"
    else:
        described = " ".join(str(part) for part in reading.row(_PLACE_IN_POSTGRESQL))
    return hashlib.sha256(described.encode()).hexdigest()


def open_row(work: Work) -> None:
    """Make the row of a new database, armed where it lies; an existing one stays as it is."""
    row = {"id": 1, "database_id": new_id(), "armed": True, "place": place(work)}
    work.connection.execute(work.upsert(Runtime).values(row).on_conflict_do_nothing())


def beat(work: Work) -> None:
    """Write down that the scheduler is alive; after a jump of the clock, stop sending.

    A clock that was wrong by a year would make every stage of that year pass unsent.
    """
    open_row(work)
    last = work.connection.execute(select(Runtime.last_tick_at)).scalar_one()
    if last is not None and abs(work.now - last) > LONGEST_GAP:
        blow_fuse(
            work, f"The clock went from {last:%Y-%m-%d %H:%M} to {work.now:%Y-%m-%d %H:%M} UTC."
        )
    work.connection.execute(update(Runtime).values(last_tick_at=work.now))


def obstacle(reading: Reading) -> str | None:
    """Why nothing may be sent from this database; None if letters may go out."""
    row = reading.row(select(Runtime.armed, Runtime.place, Runtime.fuse))
    if row is None:
        return None  # a new database: the first heartbeat or dispatch makes the row
    if not row.armed:
        return "Sending is disarmed."
    if row.place != place(reading):
        return "This database was moved, cloned or restored since it was armed."
    return str(row.fuse) if row.fuse else None


def arm(work: Work) -> None:
    """Allow sending from this database where it lies now; a blown fuse is replaced.

    Whoever arms it has looked at what waits: the volume of this day blows no fuse.
    """
    open_row(work)
    work.connection.execute(
        update(Runtime).values(armed=True, armed_at=work.now, place=place(work), fuse=None)
    )


def disarm(work: Work) -> None:
    """Stop sending from this database, also for letters already claimed."""
    open_row(work)
    work.connection.execute(update(Runtime).values(armed=False))


# The fuse.
def is_blown(reading: Reading) -> bool:
    """Whether the fuse has blown: then nothing is planned either, since the clock may be wrong."""
    row = reading.row(select(Runtime.fuse))
    return row is not None and row.fuse is not None


def blow_fuse(work: Work, reason: str) -> None:
    """Stop sending because something is out of the ordinary, and say what, until armed again."""
    open_row(work)
    work.connection.execute(update(Runtime).values(fuse=reason))


def count_volume(work: Work, letters: int) -> None:
    """Count letters that the planner wants sent today; far more than usual blow the fuse.

    Usual is the median of the last 28 days on which there were any; before a week of them is
    known, and below ``fuse_minimum``, nothing is unusual.
    """
    if not letters:
        return
    today = work.now.date()
    row = {"on_day": today, "letters": letters}
    statement = work.upsert(Volume).values(row)
    statement = statement.on_conflict_do_update(
        index_elements=["on_day"], set_={"letters": Volume.letters + statement.excluded.letters}
    )
    so_far = work.connection.execute(statement.returning(Volume.letters)).scalar_one()
    minimum = work.settings.reminders.fuse_minimum
    if so_far <= minimum or _armed_today(work):
        return
    recent = select(Volume.letters).where(
        Volume.on_day < today, Volume.on_day >= today - timedelta(days=_LOOKED_BACK)
    )
    known = [found.letters for found in work.rows(recent)]
    usual = statistics.median(known) if len(known) >= _DAYS_NEEDED else None
    if usual is not None and so_far > max(minimum, _FUSE_FACTOR * usual):
        blow_fuse(
            work, f"{so_far} letters on {today}; usual are {usual:g} a day. Arm sending to go on."
        )


def _armed_today(reading: Reading) -> bool:
    armed_at = reading.connection.execute(select(Runtime.armed_at)).scalar()
    return armed_at is not None and armed_at.date() == reading.now.date()


# The circuit breaker of the relay, one for all processes.
def relay_failed(work: Work, error: str) -> bool:
    """Count a connection that failed; True if nothing should be tried for a while.

    From the fifth failure in a row on; the pause doubles from half a minute to ten.
    """
    open_row(work)
    counted = update(Runtime).values(relay_failures=Runtime.relay_failures + 1, relay_error=error)
    failures = work.connection.execute(counted.returning(Runtime.relay_failures)).scalar_one()
    if failures < RELAY_FAILURES:
        return False
    pause = min(_SHORTEST_PAUSE * 2 ** min(failures - RELAY_FAILURES, 10), _LONGEST_PAUSE)
    work.connection.execute(update(Runtime).values(relay_resume_at=work.now + pause))
    return True


def relay_worked(work: Work) -> None:
    """The relay answers: forget its failures."""
    work.connection.execute(
        update(Runtime)
        .where(Runtime.relay_failures > 0)
        .values(relay_failures=0, relay_resume_at=None, relay_error=None)
    )


def relay_failures(reading: Reading) -> int:
    """How many connections in a row have failed."""
    row = reading.row(select(Runtime.relay_failures))
    return int(row.relay_failures) if row else 0


def take_probe(work: Work) -> bool:
    """Whether the pause is over: then one letter may be tried, by one of all who ask."""
    probing = (
        update(Runtime)
        .where(Runtime.relay_failures >= RELAY_FAILURES, Runtime.relay_resume_at <= work.now)
        .values(relay_resume_at=work.now + _SHORTEST_PAUSE)
    )
    return bool(work.connection.execute(probing).rowcount)
