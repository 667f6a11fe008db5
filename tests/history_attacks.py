"""What somebody can do who may do anything to the database, but has no key of the history."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, text

from tracker.services.core.context import Container


def tamper(container: Container, *statements: str, **values: Any) -> None:
    """Run statements past the triggers, as the owner of the tables can."""
    with container.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        past_triggers(connection)
        for statement in statements:
            connection.execute(text(statement), values)
        for usual in _USUAL[connection.dialect.name]:
            connection.execute(text(usual))


def past_triggers(connection: Connection) -> None:
    """Let statements that follow pass triggers and foreign keys; a rollback takes that back."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("set session_replication_role = replica"))
        return
    connection.execute(text("pragma foreign_keys=off"))
    connection.execute(text("pragma defer_foreign_keys=on"))  # in a transaction it is this one
    named = text("select name from sqlite_master where type = 'trigger'")
    for (name,) in connection.execute(named).fetchall():
        connection.execute(text(f"drop trigger {name}"))


_USUAL = {
    "postgresql": ["reset session_replication_role"],
    "sqlite": ["pragma foreign_keys=on"],
}
