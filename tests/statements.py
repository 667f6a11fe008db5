"""The statements that are sent to the database: how many there are is part of what is promised."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from tracker.services.core.context import Container


@contextmanager
def counted(container: Container) -> Iterator[list[str]]:
    """The statements that run inside the block."""
    ran: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        ran.append(statement)

    event.listen(container.engine, "before_cursor_execute", note)
    try:
        yield ran
    finally:
        event.remove(container.engine, "before_cursor_execute", note)
