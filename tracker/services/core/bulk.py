"""Many rows at once, by the fastest way that each database has."""

from __future__ import annotations

import functools
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from operator import itemgetter
from typing import Any, cast

from sqlalchemy import (
    ARRAY,
    JSON,
    ColumnElement,
    Date,
    Insert,
    Table,
    TableValuedAlias,
    any_,
    bindparam,
    column,
    func,
    literal,
    select,
)
from sqlalchemy import insert as sql_insert
from sqlalchemy import update as sql_update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.dml import ReturningInsert

from tracker import row_security
from tracker.db import Base, Instant
from tracker.services.core.context import AnyRow, Column, Parameters, R, ReadContext, UnitOfWork

CHUNK = 500  # how many ids go into one IN list
_FEW = 20  # up to this many rows a plain statement is as fast as COPY


class Savepoint:
    """A savepoint of a unit of work, to which it goes back, or which it leaves behind.

    The session sets its savepoint only when its connection is next asked for, which a
    ``UnitOfWork`` never does again; so it is asked for here.
    """

    def __init__(self, work: UnitOfWork) -> None:
        self._unchained, self._recorded = work.unchained, len(work.unchained)
        self._nested = work.session.begin_nested()
        work.session.connection()

    def commit(self) -> None:
        """Keep what was done since."""
        self._nested.commit()

    def rollback(self) -> None:
        """Undo what was done since, and forget what was recorded in the history."""
        self._nested.rollback()
        self._unchained.forget(self._recorded)


def savepoint(work: UnitOfWork) -> Savepoint:
    """A savepoint, ended with ``rollback`` or ``commit``."""
    return Savepoint(work)


def chunks(ids: Collection[str]) -> list[list[str]]:
    """Ids in lists short enough for one statement."""
    listed = list(ids)
    return [listed[i : i + CHUNK] for i in range(0, len(listed), CHUNK)]


def table_of(model: type[Base]) -> Table:
    """The table of a model, for statements without objects."""
    return cast("Table", model.__table__)


def among(reading: ReadContext, column: Column[R], values: Collection[R]) -> ColumnElement[bool]:
    """Whether a column is one of many values.

    On PostgreSQL one array is sent, so that the statement's text does not grow with its values.
    """
    if reading.dialect == "postgresql":
        return column == any_(literal([*values], ARRAY(column.expression.type)))
    return column.in_([*values])


def among_given(dialect: str, column: Column[R]) -> ColumnElement[bool]:
    """The same for the values in the parameter ``ids``, for a statement that is built once."""
    if dialect == "postgresql":
        return column == any_(bindparam("ids", type_=ARRAY(column.expression.type)))
    return column.in_(bindparam("ids", expanding=True))


def insert(work: UnitOfWork, table: type[Base], rows: Collection[Mapping[str, object]]) -> None:
    """Insert rows that all have the same columns; many rows go by COPY on PostgreSQL, or as arrays.

    Column defaults are not filled in: the caller gives every value.
    """
    if not rows:
        return
    if work.dialect != "postgresql" or len(rows) <= _FEW:
        work.connection.execute(_insert_into(table), list(rows))
    elif row_security.is_restricted(work.connection):
        _insert_arrays(work, table_of(table), list(rows))
    else:
        _copy(work, table_of(table), rows)


@functools.cache
def _insert_into(table: type[Base]) -> Insert:
    """Cached, since building a statement costs as much as running it; returns no keys."""
    return sql_insert(table_of(table)).inline()


def insert_one(
    work: UnitOfWork, table: type[Base], row: Mapping[str, object], *, returning: str
) -> Any:
    """Insert a row; returns a column that the database has filled in."""
    return work.connection.execute(_insert_returning(table, returning), row).scalar_one()


def _insert_arrays(work: UnitOfWork, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
    """Insert where policies restrict the rows, which PostgreSQL does not allow with COPY."""
    names = [*rows[0]]
    values = _side_by_side([table.c[name] for name in names], rows)
    work.connection.execute(sql_insert(table).inline().from_select(names, select(*values.c)))


@functools.cache
def _insert_returning(table: type[Base], column: str) -> ReturningInsert[tuple[Any]]:
    return sql_insert(table_of(table)).returning(table_of(table).c[column])


def insert_new(
    work: UnitOfWork,
    table: type[Base],
    rows: Sequence[Mapping[str, object]],
    *,
    key: Sequence[str],
    returning: Sequence[str],
) -> Sequence[AnyRow]:
    """Insert the rows whose unique ``key`` is new; returns some columns of the rows inserted.

    One statement. On PostgreSQL it sends an array for each column, so its text does not grow with
    the number of rows.
    """
    if not rows:
        return ()
    answer = [table_of(table).c[name] for name in returning]
    statement, parameters = upsert(work, table, rows)
    statement = statement.on_conflict_do_nothing(index_elements=key)
    return work.rows(statement.returning(*answer), parameters)


def upsert(
    work: UnitOfWork, table: type[Base], rows: Sequence[Mapping[str, object]]
) -> tuple[postgresql.Insert | sqlite.Insert, Parameters]:
    """An INSERT of rows to which ON CONFLICT can be added, and its parameters.

    On PostgreSQL it is one statement, however many rows there are.
    """
    statement = work.upsert(table)
    if work.dialect != "postgresql" or len(rows) == 1:
        return statement, list(rows)
    names = [*rows[0]]
    values = _side_by_side([table_of(table).c[name] for name in names], rows)
    return statement.from_select(names, select(*values.c)), None


def update_by(
    work: UnitOfWork, table: type[Base], key: str, rows: Sequence[Mapping[str, object]]
) -> None:
    """Update the rows that ``key`` identifies; all rows have the same other columns."""
    if not rows:
        return
    columns, names = table_of(table).c, [*rows[0]]
    changed = [name for name in names if name != key]
    if work.dialect == "postgresql":
        values = _side_by_side([columns[name] for name in names], rows).c
        statement = sql_update(table_of(table)).where(columns[key] == values[key])
        work.connection.execute(statement.values({name: values[name] for name in changed}))
        return
    statement = sql_update(table_of(table)).where(columns[key] == bindparam(f"b_{key}"))
    statement = statement.values({name: bindparam(f"b_{name}") for name in changed})
    work.connection.execute(
        statement, [{f"b_{name}": value for name, value in row.items()} for row in rows]
    )


def _side_by_side(
    columns: Sequence[ColumnElement[object]], rows: Sequence[Mapping[str, object]]
) -> TableValuedAlias:
    """The rows as a table that PostgreSQL builds from one array for each column."""
    # One dimension: a list that is a value of JSON is no further one.
    kinds = [ARRAY(c.type, dimensions=1) for c in columns]
    arrays = [
        literal([row[c.name] for row in rows], kind) for c, kind in zip(columns, kinds, strict=True)
    ]
    named = [column(c.name, c.type) for c in columns]
    return func.unnest(*arrays).table_valued(*named, name="given").render_derived()


def _copy(work: UnitOfWork, table: Table, rows: Collection[Mapping[str, object]]) -> None:
    """Insert by COPY, faster than any statement; constraints are checked as usual."""
    names = list(next(iter(rows)))
    quoted = ", ".join(f'"{name}"' for name in names)
    statement = f'copy "{table.name}" ({quoted}) from stdin'
    driver: Any = work.connection.dialect.loaded_dbapi
    cursor: Any = work.connection.connection.cursor()
    try:
        with cursor.copy(statement) as copy:
            for row in _as_copied(table, names, rows):
                copy.write_row(row)
    except driver.Error as error:
        raise DBAPIError.instance(statement, None, error, driver.Error) from error
    except (KeyboardInterrupt, SystemExit):
        work.connection.invalidate()  # a COPY is unfinished on it
        raise


def _as_copied(
    table: Table, names: Sequence[str], rows: Collection[Mapping[str, object]]
) -> Iterable[Sequence[object]]:
    """The values of rows as COPY takes them: JSON and days as text.

    Column by column, which takes half the time of row by row. The driver writes days in Python, one
    at a time; most of them occur many times.
    """
    columns: list[Iterable[object]] = []
    for name in names:
        values: Iterable[object] = map(itemgetter(name), rows)
        if isinstance(table.c[name].type, JSON):
            values = map(json.dumps, values)
        elif isinstance(table.c[name].type, Date):
            values = map(_day_written, values)
        elif isinstance(table.c[name].type, Instant):
            values = map(_instant_written, values)
        columns.append(values)
    return zip(*columns, strict=True)


@functools.lru_cache(maxsize=16384)
def _day_written(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


@functools.lru_cache(maxsize=16384)
def _instant_written(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()


def update(work: UnitOfWork, table: type[Base], rows: Sequence[Mapping[str, object]]) -> None:
    """Update rows by ``_id`` and raise their versions; all rows have the same columns."""
    if not rows:
        return
    columns = table_of(table).c
    values: dict[str, ColumnElement[object]] = {
        name: bindparam(name) for name in rows[0] if name != "_id"
    }
    if "version" in columns:
        values["version"] = columns.version + 1
    statement = sql_update(table_of(table)).where(columns.id == bindparam("_id"))
    work.connection.execute(statement.values(values), rows)
