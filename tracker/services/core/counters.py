"""Numbers that no row holds: running totals, and the result of the last audit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from tracker.models import Counter as Row
from tracker.services.core.context import ReadContext, UnitOfWork

VIOLATIONS = "identity_violations"
"""The number of violations that the last audit found."""
DELETED = "deleted:"
"""How many rows were deleted after their period, since the beginning; a rule's name follows."""
RECONCILED = ("taken_back", "in_doubt", "found_sent", "found_unsent", "sent_again")
"""Outcomes of reaping, counted since the beginning."""


@dataclass(frozen=True, slots=True)
class CounterValue:
    """A number, and when it was last written."""

    count: int
    at: datetime


def add(work: UnitOfWork, counts: Mapping[str, int]) -> None:
    """Add to counters; zero is not written. In sorted order, so that two writers never deadlock."""
    for name, count in sorted(counts.items()):
        if count:
            statement = work.upsert(Row).values(name=name, count=count, at=work.now)
            new = statement.excluded
            sums = {"count": Row.count + new.count, "at": new.at}
            work.connection.execute(
                statement.on_conflict_do_update(index_elements=["name"], set_=sums)
            )


def put(work: UnitOfWork, name: str, count: int) -> None:
    """Replace the value of a counter."""
    row = {"name": name, "count": count, "at": work.now}
    statement = work.upsert(Row).values(row)
    work.connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=row))


def known(reading: ReadContext) -> dict[str, CounterValue]:
    """All counters by name."""
    rows = reading.rows(select(Row.name, Row.count, Row.at))
    return {name: CounterValue(count, at) for name, count, at in rows}
