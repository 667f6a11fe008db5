"""Many rows at once: the fastest way in and out that each database has."""

from __future__ import annotations

import functools
import json
from collections.abc import Collection, Sequence
from typing import Any, cast

from sqlalchemy import ARRAY, JSON, ColumnElement, Table, any_, bindparam, literal
from sqlalchemy import insert as sql_insert
from sqlalchemy import update as sql_update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import SessionTransaction

from tracker.db import Base
from tracker.services.work import Reading, Work

_FEW = 20  # rows for which a plain statement is as fast as COPY


def savepoint(work: Work) -> SessionTransaction:
    """A point of the transaction to go back to, with ``rollback`` or ``commit``.

    The session sets its savepoint when it is next asked for its connection, which a ``Work``
    never does again; so it is asked here.
    """
    nested = work.session.begin_nested()
    work.session.connection()
    return nested


def table_of(model: type[Base]) -> Table:
    """The table of a model, for statements that know no objects."""
    return cast("Table", model.__table__)


def among(reading: Reading, column: Any, values: Collection[Any]) -> ColumnElement[bool]:
    """Whether a column is one of many values.

    On PostgreSQL one array is sent, so that the statement's text does not grow with its values.
    """
    if reading.dialect == "postgresql":
        return cast("ColumnElement[bool]", column == any_(literal([*values], ARRAY(column.type))))
    return cast("ColumnElement[bool]", column.in_([*values]))


def among_given(dialect: str, column: Any) -> ColumnElement[bool]:
    """The same of the values that the parameter ``ids`` gives, for a statement made once."""
    if dialect == "postgresql":
        ids: Any = bindparam("ids", type_=ARRAY(column.type))
        return cast("ColumnElement[bool]", column == any_(ids))
    return cast("ColumnElement[bool]", column.in_(bindparam("ids", expanding=True)))


def insert(work: Work, table: type[Base], rows: Collection[dict[str, Any]]) -> None:
    """Insert rows, all of them with the same columns: many by COPY where the database has it.

    No column's default is filled in; whoever calls gives every value.
    """
    if not rows:
        return
    if work.dialect == "postgresql" and len(rows) > _FEW:
        _copy(work, table_of(table), rows)
    else:
        work.connection.execute(_insert_into(table), list(rows))


@functools.cache
def _insert_into(table: type[Base]) -> Any:
    """Made once, since making a statement costs as much as running it; asks for no keys back."""
    return sql_insert(table_of(table)).inline()


def _copy(work: Work, table: Table, rows: Collection[dict[str, Any]]) -> None:
    """COPY takes rows faster than any statement; constraints are checked as ever."""
    names = list(next(iter(rows)))
    quoted = ", ".join(f'"{name}"' for name in names)
    as_json = {name for name in names if isinstance(table.c[name].type, JSON)}
    statement = f'copy "{table.name}" ({quoted}) from stdin'
    driver: Any = work.connection.dialect.loaded_dbapi
    cursor: Any = work.connection.connection.cursor()
    try:
        with cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row([json.dumps(row[n]) if n in as_json else row[n] for n in names])
    except driver.Error as error:
        raise DBAPIError.instance(statement, None, error, driver.Error) from error
    except (KeyboardInterrupt, SystemExit):
        work.connection.invalidate()  # half a COPY is under way on it
        raise


def update(work: Work, table: type[Base], rows: Sequence[dict[str, Any]]) -> None:
    """Update rows by ``_id``, all of them with the same columns, and their versions with them."""
    if not rows:
        return
    columns = table_of(table).c
    values: dict[str, Any] = {name: bindparam(name) for name in rows[0] if name != "_id"}
    if "version" in columns:
        values["version"] = columns.version + 1
    statement = sql_update(table_of(table)).where(columns.id == bindparam("_id"))
    work.connection.execute(statement.values(values), rows)
