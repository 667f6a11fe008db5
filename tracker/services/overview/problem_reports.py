"""Problems that anybody reports about a public page: reported, listed and closed."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select, update

from tracker.db import new_id
from tracker.domain.errors import NotFound
from tracker.models import ProblemReport
from tracker.services.core import allowances, history
from tracker.services.core.allowances import Use
from tracker.services.core.context import ReadContext, UnitOfWork, columns_of


class ProblemReportRow(NamedTuple):
    """A report that is open."""

    id: str
    about: str
    statement: str
    recorded_at: datetime


_OPEN = select(*columns_of(ProblemReportRow, ProblemReport)).where(
    ProblemReport.closed_at.is_(None)
)


def report(work: UnitOfWork, use: Use, *, about: str, statement: str, language: str) -> None:
    """Record a report; ``use`` counts those of the caller. Raises TooOften."""
    allowances.take(work, use)
    made = ProblemReport(
        id=new_id(), about=about, statement=statement, language=language, recorded_at=work.now
    )
    work.session.add(made)
    work.session.flush()
    history.record(work, "report", "problem_report", made.id)


def page(reading: ReadContext, *, after: str | None, limit: int) -> list[ProblemReportRow]:
    """A page of the open ones, oldest first. Raises NotFound for others than staff."""
    if not reading.actor.is_staff:
        raise NotFound
    statement = _OPEN.order_by(ProblemReport.id).limit(limit)
    if after:
        statement = statement.where(ProblemReport.id > after)
    return reading.rows_as(ProblemReportRow, statement)


def close(work: UnitOfWork, report_id: str) -> None:
    """Close a report that was looked at. Raises NotFound, also for one that is closed."""
    if not work.actor.is_staff:
        raise NotFound
    closed = work.connection.execute(
        update(ProblemReport)
        .where(ProblemReport.id == report_id, ProblemReport.closed_at.is_(None))
        .values(closed_at=work.now, closed_by=work.actor.name)
    )
    if not closed.rowcount:
        raise NotFound
    history.record(work, "close", "problem_report", report_id)
