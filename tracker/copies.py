"""Private copies of the database, for dry runs of which nothing must remain.

A transaction that is rolled back still holds its locks while it runs. So a dry run writes to tables
of its own, in which the rest of the code finds the same rows as in the real ones. On SQLite that is
a copy of the file as of one moment. On PostgreSQL they are temporary tables of the same names,
filled in one snapshot, on a connection that is closed afterwards; foreign keys are not checked
there. On both, only changes to the tables' structure wait for a lock.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, StaticPool, create_engine, text
from sqlalchemy.orm import Session

from tracker import row_security
from tracker.db import Base

# For tables that only grow: the rows that are read again. ``schema`` is that of the real tables.
_ROWS_READ = {
    "history": "where id in (select history_id from {schema}.history_value)",
    "idempotency_key": "where false",
    "import_run": "where false",
}


@contextmanager
def private(engine: Engine) -> Iterator[Session]:
    """One transaction on a copy of the database, rolled back at the end."""
    with _copied(engine) as connection, Session(connection, expire_on_commit=False) as session:
        yield session
        session.rollback()


def _copied(engine: Engine) -> AbstractContextManager[Connection]:
    return _of_file(engine) if engine.dialect.name == "sqlite" else _of_tables(engine)


@contextmanager
def _of_file(engine: Engine) -> Iterator[Connection]:
    with tempfile.TemporaryDirectory() as folder:
        # Safe across threads: only one at a time uses the connection.
        target = sqlite3.connect(Path(folder) / "copy", check_same_thread=False)
        with closing(target), engine.connect() as source:
            source.execution_options(isolation_level="AUTOCOMMIT")
            _driver(source).backup(target)
            source.close()
            target.isolation_level = None
            for pragma in ("journal_mode=MEMORY", "synchronous=OFF", "foreign_keys=ON"):
                target.execute(f"PRAGMA {pragma}")
            copy = create_engine(
                "sqlite://", creator=lambda: target, poolclass=StaticPool, hide_parameters=True
            )
            with copy.connect() as connection, connection.begin():
                connection.exec_driver_sql("BEGIN")
                yield connection
            copy.dispose()


@contextmanager
def _of_tables(engine: Engine) -> Iterator[Connection]:
    with engine.connect() as connection:
        connection.execution_options(isolation_level="REPEATABLE READ")
        # A statement prepared earlier on this connection would keep using the real tables.
        _driver(connection).prepare_threshold = None
        # Before it is detached: from then on row_security does not find what it knows of it.
        row_security.look_as(connection, row_security.EVERYTHING)  # copies have no policies
        connection.detach()
        with connection.begin():
            _fill(connection)
            yield connection


def _fill(connection: Connection) -> None:
    quote = connection.dialect.identifier_preparer.quote
    schema = quote(connection.execute(text("select current_schema()")).scalar_one())
    for table in Base.metadata.sorted_tables:
        name = quote(table.name)
        columns = ", ".join(quote(column.name) for column in table.columns)
        rows = _ROWS_READ.get(table.name, "").format(schema=schema)
        for statement in (
            f"create temporary table {name} (like {schema}.{name} including all) on commit drop",
            f"insert into pg_temp.{name} ({columns}) select {columns} from {schema}.{name} {rows}",  # noqa: S608 - names of our own
            f"analyze pg_temp.{name}",
        ):
            connection.exec_driver_sql(statement)


def _driver(connection: Connection) -> Any:
    """The driver's own connection."""
    return connection.connection.driver_connection
