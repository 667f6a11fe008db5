"""The list of import runs; ``imports`` runs one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select

from tracker.models import ImportRun
from tracker.services.core.context import ReadContext, columns_of
from tracker.services.core.row_scope import scope


class ImportRunRow(NamedTuple):
    """A run on record; ``report`` is that of the file, or its errors and their ``total``."""

    id: str
    kind: str
    filename: str
    dry_run: bool
    outcome: str
    report: Mapping[str, object]
    actor: str
    employer_id: str | None
    center_id: str | None
    provider_id: str | None
    sponsor_id: str | None
    recorded_at: datetime


RUNS = select(*columns_of(ImportRunRow, ImportRun))


def page(
    reading: ReadContext, *, after: str | None, limit: int, kind: str | None = None
) -> list[ImportRunRow]:
    """A page of runs in the order of their ids; an organization sees its own."""
    statement = RUNS.where(scope(reading.actor, ImportRun)).order_by(ImportRun.id).limit(limit)
    if kind is not None:
        statement = statement.where(ImportRun.kind == kind)
    if after:
        statement = statement.where(ImportRun.id > after)
    return reading.rows_as(ImportRunRow, statement)
