"""What stands in the database of a test."""

from __future__ import annotations

from sqlalchemy import ColumnElement, func, select

from tracker.db import Base
from tracker.domain.permissions import SYSTEM
from tracker.models import HistoryEntry
from tracker.services.core.context import Container


def count(container: Container, table: type[Base], *where: ColumnElement[bool]) -> int:
    """How many rows of a table there are for which all of this is so."""
    with container.reading(SYSTEM) as reading:
        return int(reading.row(select(func.count()).select_from(table).where(*where))[0])


def acts_on(container: Container, subject: str) -> list[str]:
    """What the history says was done to the records of a kind, in order."""
    with container.reading(SYSTEM) as reading:
        lines = select(HistoryEntry.action).where(HistoryEntry.subject == subject)
        return [row.action for row in reading.rows(lines.order_by(HistoryEntry.id))]
