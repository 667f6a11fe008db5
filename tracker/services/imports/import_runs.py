"""The list of import runs; ``imports`` runs one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from tracker.models import ImportRun
from tracker.services.core.context import ReadContext

_COLUMNS = (
    ImportRun.id,
    ImportRun.kind,
    ImportRun.filename,
    ImportRun.dry_run,
    ImportRun.outcome,
    ImportRun.report,
    ImportRun.employer_id,
    ImportRun.recorded_at,
)


def page(
    reading: ReadContext, *, after: str | None, limit: int, kind: str | None = None
) -> Sequence[Any]:
    """A page of runs in the order of their ids; an employer sees its own."""
    statement = select(*_COLUMNS).order_by(ImportRun.id).limit(limit)
    if not reading.actor.is_staff:
        statement = statement.where(ImportRun.employer_id == reading.actor.employer_id)
    if kind is not None:
        statement = statement.where(ImportRun.kind == kind)
    if after:
        statement = statement.where(ImportRun.id > after)
    return reading.rows(statement)
