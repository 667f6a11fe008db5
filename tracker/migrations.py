"""Migrating a database to the newest revision, and checking whether a release fits its schema."""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from tracker.settings import ROOT

_LOCK = 0x7261636B6572  # an arbitrary number that nothing else locks: "racker"
_LATER = text("select revision, kind from applied_migration where revision > :newest")


def config(connection: Connection | None = None) -> Config:
    """Alembic's configuration for the numbered migrations, using a connection if one is given."""
    made = Config()
    made.set_main_option("script_location", str(ROOT / "migrations"))
    if connection is not None:
        made.attributes["connection"] = connection
    return made


def upgrade(engine: Engine) -> bool:
    """Run all missing migrations; True if there were any.

    If several processes start at once, one migrates; the others wait and find nothing to do.
    """
    with _alone(engine):
        if _reached(current(engine)):
            return False
        with engine.connect() as connection, tables_may_be_rebuilt(connection):
            command.upgrade(config(connection), "head")
            connection.commit()
    return True


def _reached(found: str | None) -> bool:
    """Whether the database is at the newest migration that this release knows, or later.

    Revision numbers have leading zeros, so that they sort as text.
    """
    return found is not None and found >= (head() or "")


@contextmanager
def _alone(engine: Engine) -> Iterator[None]:
    """Let only one process migrate at a time.

    PostgreSQL: an advisory lock held by a transaction on its own connection, which also works
    through a pooler. SQLite: a lock file beside the database, because switching a new database to
    WAL does not wait for locks.
    """
    if engine.dialect.name == "sqlite":
        with Path(f"{engine.url.database}.migrating").open("wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
        return
    with engine.connect() as holder, holder.begin():
        holder.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        yield


@contextmanager
def tables_may_be_rebuilt(connection: Connection) -> Iterator[None]:
    """On SQLite, allow a table to be dropped and rebuilt while others refer to its rows.

    SQLite has no other way to change a column's constraints. Raises RuntimeError if rows refer to
    missing rows afterwards.
    """
    driver = connection.connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):
        yield
        return
    driver.execute("PRAGMA foreign_keys=OFF")  # has no effect within a transaction
    try:
        yield
        if broken := driver.execute("PRAGMA foreign_key_check").fetchall():
            raise RuntimeError(f"rows refer to rows that are missing: {broken[:10]}")
    finally:
        driver.execute("PRAGMA foreign_keys=ON")


def current(engine: Engine) -> str | None:
    """The number of the last migration that was run on this database."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def obstacle(connection: Connection) -> str | None:
    """Why this release cannot work with the database's schema; None if it can.

    It can work at its own newest migration. It can also work after a later release has migrated
    further, if all those migrations only add (`kind = "expand"`), so that processes of this release
    keep running during a rolling upgrade.
    """
    found = MigrationContext.configure(connection).get_current_revision()
    newest = head() or ""
    if found == newest:
        return None
    if found is None:
        return f"empty; the newest version is {newest}"
    if found < newest:
        return f"at version {found}; the newest is {newest}"
    later = connection.execute(_LATER, {"newest": newest})
    kinds = {str(revision): str(kind) for revision, kind in later}
    if found in kinds and set(kinds.values()) == {"expand"}:
        return None
    return (
        f"at version {found}, which this release ({newest}) cannot use: install the newer release"
    )


def head() -> str | None:
    """The number of the newest migration."""
    return ScriptDirectory.from_config(config()).get_current_head()
