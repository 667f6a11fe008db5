"""Bringing a database to the newest migration, and telling whether it is there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from tracker.settings import ROOT


def config(connection: Connection | None = None) -> Config:
    """Alembic's configuration for the numbered migrations, on a connection if one is given."""
    made = Config()
    made.set_main_option("script_location", str(ROOT / "migrations"))
    if connection is not None:
        made.attributes["connection"] = connection
    return made


def upgrade(engine: Engine) -> bool:
    """Run every migration that is missing; True if there was one."""
    before, newest = current(engine), head()
    if before == newest:
        return False
    with engine.connect() as connection, _tables_may_be_rebuilt(connection):
        command.upgrade(config(connection), "head")
        connection.commit()
    return True


@contextmanager
def _tables_may_be_rebuilt(connection: Connection) -> Iterator[None]:
    """On SQLite, let a table be dropped and made anew while others refer to its rows.

    SQLite changes a column's constraints in no other way. Raises RuntimeError if rows refer to
    nothing afterwards.
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    driver: Any = connection.connection.dbapi_connection
    driver.execute("PRAGMA foreign_keys=OFF")  # has no effect within a transaction
    try:
        yield
        if broken := driver.execute("PRAGMA foreign_key_check").fetchall():
            raise RuntimeError(f"rows refer to rows that are missing: {broken[:10]}")
    finally:
        driver.execute("PRAGMA foreign_keys=ON")


def current(engine: Engine) -> str | None:
    """The number of the last migration that this database has seen."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def head() -> str | None:
    """The number of the newest migration."""
    return ScriptDirectory.from_config(config()).get_current_head()
