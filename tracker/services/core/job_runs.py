"""The last run of each job: when it ended, how long it took, how it ended, when the next is due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from tracker.models import JobRun
from tracker.services.core.context import ReadContext, UnitOfWork, columns_of

PATIENCE = timedelta(minutes=5)
"""How long after it was due a run counts as late."""


@dataclass(frozen=True, slots=True)
class LastRun:
    """A run of a job; ``error`` is the kind of its failure, None if it ended well."""

    name: str
    ended_at: datetime
    took_ms: int
    every_seconds: int
    error: str | None

    @property
    def next_at(self) -> datetime:
        """When the next run is due: a whole interval after this one began."""
        interval = timedelta(seconds=self.every_seconds)
        return self.ended_at - timedelta(milliseconds=self.took_ms) + interval

    def is_late(self, now: datetime) -> bool:
        """Whether the next run has not been noted long after it was due."""
        return now > self.next_at + PATIENCE


def note(
    work: UnitOfWork, name: str, *, took_ms: int, every_seconds: int, error: str | None
) -> None:
    """Note that a job has just run."""
    row = {
        "name": name,
        "ended_at": work.now,
        "took_ms": took_ms,
        "every_seconds": every_seconds,
        "error": error,
    }
    statement = work.upsert(JobRun).values(row)
    work.connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=row))


def last(reading: ReadContext) -> Sequence[LastRun]:
    """The last run of each job that ever ran, by name."""
    return reading.rows_as(LastRun, select(*columns_of(LastRun, JobRun)).order_by(JobRun.name))
