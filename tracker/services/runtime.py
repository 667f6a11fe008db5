"""Whether this database may send letters, and the scheduler's heartbeat: one row.

The row is bound to the place of the database when it is armed. A clone, or a backup restored
elsewhere, lies at another place and sends nothing until somebody arms it: its outbox may hold
letters that were sent long ago.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from sqlalchemy import bindparam, exists, select, text, update

from tracker.db import new_id
from tracker.models import Runtime
from tracker.services.work import Reading, Work

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
    """Write down that the scheduler is alive."""
    open_row(work)
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
    """Allow sending from this database where it lies now; a blown fuse is replaced."""
    open_row(work)
    work.connection.execute(update(Runtime).values(armed=True, place=place(work), fuse=None))


def disarm(work: Work) -> None:
    """Stop sending from this database, also for letters already claimed."""
    open_row(work)
    work.connection.execute(update(Runtime).values(armed=False))


def blow_fuse(work: Work, reason: str) -> None:
    """Stop sending because something is out of the ordinary, and say what, until armed again."""
    open_row(work)
    work.connection.execute(update(Runtime).values(fuse=reason))
