"""Row-level security on PostgreSQL: on whose behalf the statements of a connection run.

The tables' policies (``models/row_policies.py``) compare each row with the setting
``tracker.viewer``, which belongs to one transaction: so it works through PgBouncer in transaction
mode and never reaches whoever has the connection next. In a transaction it is sent once, before the
first statement; outside of transactions with every statement, in the same round trip.

Policies restrict a role that neither owns the tables nor may bypass them. A connection of any other
role sends nothing, and neither does SQLite, which has no policies. A connection that was told
nothing about its viewer sees no row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import psycopg
from psycopg import sql
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import OperationalError


class RowViewer(NamedTuple):
    """On whose behalf statements run: a function of the database, and what it is given."""

    function: str
    argument: str

    @property
    def statement(self) -> str:
        """The statement that tells it to the database."""
        return f"select {self.function}"


_SET = "set_config('tracker.viewer', %s, true)"
EVERYTHING = RowViewer(_SET, "all")
"""Staff, and the parts of the program: every row."""
NOBODY = RowViewer(_SET, "nobody")
"""Somebody who has not said who they are: only what is everybody's."""


def of_holder(holder_id: str) -> RowViewer:
    """A holder: the rows about this person."""
    return RowViewer(_SET, f"holder {holder_id}")


def of_organization(role: str, organization_id: str) -> RowViewer:
    """An organization: its own rows, and an employer also those of holders who share with it."""
    return RowViewer(_SET, f"{role} {organization_id}")


def who_asks_for(key: str) -> RowViewer:
    """Whoever verifies: the holder whose certification has this public id or number."""
    return RowViewer(_SET, f"asked {key}")


def with_token(digest: str) -> RowViewer:
    """The viewer whom the database finds by the digest of a token; without one nobody."""
    return RowViewer("tracker_admit(%s)", digest)


@dataclass(slots=True)
class _State:
    """What is known of a connection: whether policies restrict it, and who looks through it."""

    restricted: bool | None = None
    viewer: RowViewer | None = None
    sent: RowViewer | None = None


_STATES: WeakKeyDictionary[psycopg.Connection, _State] = WeakKeyDictionary()
_RESTRICTED = """
    select not (rolsuper or rolbypassrls or pg_has_role(current_user, relowner, 'usage'))
    from pg_class, pg_roles where pg_class.oid = to_regclass('holder') and rolname = current_user
"""


def listen(engine: Engine) -> None:
    """Have the connections of an engine on PostgreSQL tell who looks."""
    event.listen(engine, "do_execute", _execute)
    event.listen(engine, "do_executemany", _execute_many)
    event.listen(engine, "begin", _forget_sent)
    event.listen(engine, "rollback_savepoint", _forget_sent)
    event.listen(engine, "checkin", _forget_viewer)


def is_restricted(connection: Connection) -> bool:
    """Whether policies restrict what this connection sees: the second wall is up."""
    state = _state_of(connection)
    return state is not None and _is_restricted(connection, state)


def look_as(connection: Connection, viewer: RowViewer | None) -> RowViewer | None:
    """Run the statements that follow on behalf of a viewer; returns the one before."""
    state = _state_of(connection)
    if state is None or not _is_restricted(connection, state):
        return None
    before, state.viewer = state.viewer, viewer
    return before


@contextmanager
def looking_as(connection: Connection, viewer: RowViewer) -> Iterator[None]:
    """Run the statements of the block on behalf of a viewer."""
    before = look_as(connection, viewer)
    try:
        yield
    finally:
        look_as(connection, before)


def look_as_through(other: Connection, connection: Connection) -> None:
    """Run the statements of a connection on behalf of the viewer of another one."""
    state = _state_of(other)
    look_as(connection, state.viewer if state is not None else None)


def _state_of(connection: Connection) -> _State | None:
    driver = connection.connection.driver_connection
    return _STATES.setdefault(driver, _State()) if isinstance(driver, psycopg.Connection) else None


def _is_restricted(connection: Connection, state: _State) -> bool:
    """Asked once for each connection, as soon as there are tables.

    Raises OperationalError, as any statement of SQLAlchemy's, if the connection is lost.
    """
    if state.restricted is None:
        driver: Any = connection.connection.driver_connection
        try:
            row = driver.execute(_RESTRICTED).fetchone()
        except psycopg.OperationalError as error:
            connection.invalidate(error)
            raise OperationalError(_RESTRICTED, None, error, connection_invalidated=True) from error
        if row is None:
            return False
        state.restricted = bool(row[0])
    return state.restricted


def _execute(cursor: Any, statement: str, parameters: Any, _: object) -> bool:
    """Tell the viewer before a statement, or with it; true if this has run the statement."""
    state = _STATES.get(cursor.connection)
    if state is None or state.viewer is None:
        return False
    if not cursor.connection.autocommit:
        _send(cursor.connection, state)
        return False
    with cursor.connection.pipeline():  # one round trip and one transaction
        cursor.connection.execute(state.viewer.statement, (state.viewer.argument,))
        cursor.execute(statement, parameters)
    return True


def _execute_many(cursor: Any, statement: str, parameters: Sequence[Any], _: object) -> bool:
    state = _STATES.get(cursor.connection)
    if state is None or state.viewer is None:
        return False
    if not cursor.connection.autocommit:
        _send(cursor.connection, state)
        return False
    with cursor.connection.transaction():
        cursor.connection.execute(state.viewer.statement, (state.viewer.argument,))
        cursor.executemany(statement, parameters)
    return True


def _send(driver: Any, state: _State) -> None:
    viewer = state.viewer
    if viewer is not None and state.sent != viewer:
        driver.execute(viewer.statement, (viewer.argument,))
        state.sent = viewer


def _forget_sent(connection: Connection, *_: object) -> None:
    """The setting ends with its transaction, and goes back with its savepoint."""
    state = _state_of(connection)
    if state is not None:
        state.sent = None


def _forget_viewer(driver: Any, _record: object) -> None:
    state = _STATES.get(driver) if driver is not None else None
    if state is not None:
        state.viewer = state.sent = None


def grant(connection: Connection, role: str) -> None:
    """Let a role use the tables, of today and of later migrations, within their policies.

    It owns nothing, so it can change neither tables nor policies nor the history's triggers. Raises
    ProgrammingError if there is no such role.
    """
    driver: Any = connection.connection.driver_connection
    schema = connection.exec_driver_sql("select current_schema()").scalar_one()
    names = {
        "role": sql.Identifier(role),
        "schema": sql.Identifier(schema),
    }
    for statement in _GRANTS:
        connection.exec_driver_sql(sql.SQL(statement).format(**names).as_string(driver))


_GRANTS = (
    # Everybody may make things in the schema public of a database that began before PostgreSQL 15.
    # Who can, puts an operator of their own into a function that runs as the owner.
    "revoke create on schema {schema} from public",
    "revoke create on schema {schema} from {role}",
    "grant usage on schema {schema} to {role}",
    "grant select, insert, update, delete on all tables in schema {schema} to {role}",
    "grant usage, select on all sequences in schema {schema} to {role}",
    "revoke insert, update, delete on alembic_version, applied_migration from {role}",
    (
        "alter default privileges in schema {schema}"
        " grant select, insert, update, delete on tables to {role}"
    ),
    "alter default privileges in schema {schema} grant usage, select on sequences to {role}",
)
