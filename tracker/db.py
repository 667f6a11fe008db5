"""The database: naming convention, column types, engines, one transaction for each unit of work.

Writes run in transactions, reads in AUTOCOMMIT (a third fewer round trips), from one pool of
connections. On SQLite every transaction begins IMMEDIATE, so that two writers wait for each other
instead of failing halfway.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import psycopg
import uuid_utils
from flask_sqlalchemy import SQLAlchemy
from psycopg import Column, _queries
from psycopg.types.json import set_json_loads
from psycopg.types.string import TextLoader
from sqlalchemy import (
    TEXT,
    URL,
    VARCHAR,
    CheckConstraint,
    Connection,
    DateTime,
    Dialect,
    Engine,
    ExceptionContext,
    Integer,
    MetaData,
    Numeric,
    String,
    Text,
    TextClause,
    create_engine,
    event,
    make_url,
    text,
)
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, MappedAsDataclass, Session
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeDecorator, TypeEngine, Uuid

from tracker import row_security
from tracker.settings import Settings

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(MappedAsDataclass, DeclarativeBase, kw_only=True):
    """The base of every table."""

    metadata = MetaData(naming_convention=NAMING)


db = SQLAlchemy(metadata=Base.metadata)

Id = Uuid(as_uuid=False)
# A key from a file. It sorts in byte order on every database, so that lists have the same order.
Ref = String(64).with_variant(VARCHAR(64, collation="C"), "postgresql")
# Text searched by its beginning, for which an index needs byte order.
Folded = Text().with_variant(TEXT(collation="C"), "postgresql")


class Instant(TypeDecorator[datetime]):
    """An instant: always time zone aware and in UTC, on every database."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store UTC. Raises ValueError for a naive value."""
        del dialect
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        return value.astimezone(UTC)

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """What makes a value of a row: called for every cell, so nothing stands in between."""
        return _utc if dialect.name == "postgresql" else super().result_processor(dialect, coltype)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return UTC, even if the database stores no time zone."""
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _utc(value: datetime | None) -> datetime | None:
    return None if value is None else value.astimezone(UTC)


class AmountColumn(TypeDecorator[Decimal]):
    """Points or money with two decimals: Numeric(8, 2), or integer hundredths on SQLite."""

    impl = Numeric(8, 2)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[int] | TypeEngine[Decimal]:
        """Integers for SQLite, which has no decimals; Numeric(8, 2) elsewhere."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(Integer())
        return dialect.type_descriptor(Numeric(8, 2))

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Decimal | int | None:
        """Store exactly two decimals."""
        if value is None or dialect.name != "sqlite":
            return value
        return int((value * 100).to_integral_exact())

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """What makes a value of a row: on PostgreSQL nothing, which has decimals itself."""
        if dialect.name == "postgresql":
            return None
        return super().result_processor(dialect, coltype)

    def process_result_value(self, value: Decimal | int | None, dialect: Dialect) -> Decimal | None:
        """Return exactly two decimals."""
        del dialect
        if value is None or isinstance(value, Decimal):
            return value
        return Decimal(value).scaleb(-2)


def one_of(column: str, values: Iterable[str]) -> CheckConstraint:
    """A check, named after its column, that the column holds one of a few values.

    Invariant: a status is a ``StrEnum`` of the rules, and a row holds its plain text, which equals
    the member. So statuses are compared with ``==`` or ``in``, never with ``is``.
    """
    return CheckConstraint(_listed(column, values), name=column)


def written(column: str, *values: str) -> TextClause:
    """The condition that a column holds one of these values, written out and not bound.

    A partial index has such a condition, and serves only a query that repeats it.
    """
    if len(values) == 1:
        return text(f"{column} = '{values[0]}'")
    return text(_listed(column, values))


def _listed(column: str, values: Iterable[str]) -> str:
    listed = ", ".join(f"'{value}'" for value in values)
    return f"{column} in ({listed})"


def new_id() -> str:
    """A UUIDv7 as text: unique everywhere, and later ones sort after earlier ones."""
    return str(uuid_utils.uuid7())


def flask_config(settings: Settings) -> dict[str, Any]:
    """The Flask-SQLAlchemy configuration of the configured database."""
    url = make_url(settings.database.url)
    options: dict[str, object] = {
        "pool_size": settings.database.pool_size,
        "max_overflow": settings.database.pool_size,
        "hide_parameters": True,  # errors are logged, and parameters are people's data
    }
    if url.get_backend_name() == "sqlite":
        file = Path(url.database or "").resolve()
        file.parent.mkdir(parents=True, exist_ok=True)
        url = url.set(database=str(file))
        options["connect_args"] = {"timeout": settings.database.busy_timeout_seconds}
    else:
        url = url.set(drivername="postgresql+psycopg")
        options["pool_recycle"] = 1800
        options["skip_autocommit_rollback"] = True  # there is nothing to roll back
        options["connect_args"] = _over_network(settings, url)
    return {"SQLALCHEMY_DATABASE_URI": url, "SQLALCHEMY_ENGINE_OPTIONS": options}


# Without these, a connection to a host that lost power hangs for as long as TCP retries: minutes.
# The values are seconds (the last one milliseconds); those in the URL take precedence.
_TCP = {
    "connect_timeout": 5,
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}


def _over_network(settings: Settings, url: URL) -> dict[str, object]:
    """The arguments for psycopg. Behind a transaction pooler, no statement may stay prepared."""
    chosen: dict[str, object] = {n: value for n, value in _TCP.items() if n not in url.query}
    if settings.database.pooler == "transaction":
        chosen["prepare_threshold"] = None
    return chosen


def engine_of(settings: Settings) -> Engine:
    """An engine without the application, for what must not create anything beside the database."""
    made = flask_config(settings)
    return prepare(
        create_engine(made["SQLALCHEMY_DATABASE_URI"], **made["SQLALCHEMY_ENGINE_OPTIONS"])
    )


def prepare(engine: Engine) -> Engine:
    """Set up an engine for its dialect; call it once for each engine."""
    event.listen(engine, "handle_error", _keep_values_secret)
    engine.update_execution_options(**_BY_PLACE)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_immediate)
    else:
        event.listen(engine, "connect", _prepare_postgresql)
        event.listen(engine, "checkin", _end_reading)
        row_security.listen(engine)
    return engine


# Rows are read by names and places. Without this, SQLAlchemy would map the columns of a statement
# that was made anew to those of its first run, so that rows could be read by columns: a tenth of
# the time of a page with many statements. SQLAlchemy has the option for its ORM.
_BY_PLACE = {"_result_disable_adapt_to_context": True}


def _keep_values_secret(context: ExceptionContext) -> None:
    """Cut an error to its first line, because PostgreSQL quotes people's data in the others."""
    for error in (context.original_exception, context.sqlalchemy_exception):
        if error is not None and error.args:
            error.args = (str(error.args[0]).partition("\n")[0], *error.args[1:])


def _prepare_postgresql(connection: psycopg.Connection, _record: object) -> None:
    # Ids are text (Id): making a UUID object of each takes a tenth of the time to read a row.
    connection.adapters.register_loader("uuid", TextLoader)
    connection.cursor_factory = _Cursor
    set_json_loads(_from_json, connection)


def _from_json(written: str | bytes) -> Any:
    """What a JSON column holds; half a character, which PostgreSQL keeps, is the slow one's."""
    try:
        return orjson.loads(written)
    except orjson.JSONDecodeError:
        return json.loads(written)


# psycopg remembers how it took a statement apart up to this length. Statements that read ahead
# are longer, and taking one apart costs as much as sending it.
setattr(_queries, "MAX_CACHED_STATEMENT_LENGTH", 16_384)  # noqa: B010 - another module's


class _Cursor(psycopg.Cursor[Any]):
    """A cursor that describes its columns when somebody looks.

    SQLAlchemy knows the columns of a statement from its first run and then only asks whether there
    are any. Describing the forty of a prefetch took a tenth of the time of a request.
    """

    @property
    def description(self) -> Any:
        """The columns, as psycopg describes them; None if the statement gave no rows."""
        result = self.pgresult
        if result is None or not result.nfields:
            return super().description
        return _Columns(self, result.nfields)


class _Columns(Sequence[Column]):
    """The columns of a result, each made when it is asked for."""

    def __init__(self, cursor: _Cursor, count: int) -> None:
        self._cursor, self._count = cursor, count

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Column]:
        return (Column(self._cursor, place) for place in range(self._count))

    def __getitem__(self, index: Any) -> Any:
        return [*self][index]


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # BEGIN is sent by _begin_immediate
    connection.execute("PRAGMA foreign_keys=ON")
    _write_ahead(connection)


_A_MOMENT = 0.01  # seconds between two tries


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Have a file use a write-ahead log, waiting for others that open a new file at this moment.

    SQLite itself does not wait for a lock there, as it does for every other statement.
    """
    (patience,) = connection.execute("PRAGMA busy_timeout").fetchone()
    ends = time.monotonic() + patience / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() >= ends:
                raise
            time.sleep(_A_MOMENT)
        else:
            return


def _begin_immediate(connection: Connection) -> None:
    if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
        connection.exec_driver_sql("BEGIN IMMEDIATE")


@contextmanager
def unit_of_work(engine: Engine) -> Iterator[Session]:
    """One transaction: committed when the block ends, rolled back if it raises."""
    with Session(engine, expire_on_commit=False) as session, session.begin():
        yield session


@contextmanager
def single_statements(engine: Engine) -> Iterator[tuple[Connection, Session]]:
    """A connection on which each statement is its own transaction: one round trip, not three.

    Its session has not begun yet: most work needs none, and beginning takes as long as a statement.
    """
    with reading(engine) as connection, Session(connection, expire_on_commit=False) as session:
        yield connection, session
        session.flush()


@contextmanager
def without_waiting(connection: Connection) -> Iterator[None]:
    """On SQLite, skip a statement instead of waiting for another writer.

    On PostgreSQL the statement itself says which rows it skips (SKIP LOCKED).
    """
    driver = connection.connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):
        yield
        return
    patience = driver.execute("PRAGMA busy_timeout").fetchone()[0]
    driver.execute("PRAGMA busy_timeout=0")
    try:
        yield
    except OperationalError as error:
        if getattr(error.orig, "sqlite_errorcode", 0) & _PRIMARY_CODE != sqlite3.SQLITE_BUSY:
            raise
    finally:
        driver.execute(f"PRAGMA busy_timeout={patience}")


_PRIMARY_CODE = 0xFF  # the bits of SQLite's primary error code


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection in AUTOCOMMIT, for reading outside a transaction."""
    if engine.dialect.name == "sqlite":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            yield connection
        return
    with engine.connect() as connection:
        # What SQLAlchemy does for the option isolation_level takes four times as long.
        _set_autocommit(connection.connection.driver_connection, on=True)
        connection.info[_READING] = True
        yield connection


_READING = "tracker.reading"


def _end_reading(driver: object, record: ConnectionPoolEntry) -> None:
    """Whoever has the connection next begins transactions again."""
    if record.info.pop(_READING, False) and driver is not None:
        _set_autocommit(driver, on=False)


def _set_autocommit(driver: object, *, on: bool) -> None:
    if isinstance(driver, psycopg.Connection) and not driver.closed:
        driver.autocommit = on


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """A connection that sees the database as of one moment and writes nothing."""
    if engine.dialect.name == "sqlite":
        with reading(engine) as connection:
            connection.exec_driver_sql("BEGIN")
            try:
                yield connection
            finally:
                connection.exec_driver_sql("ROLLBACK")
        return
    options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with engine.connect().execution_options(**options) as connection, connection.begin():
        yield connection
