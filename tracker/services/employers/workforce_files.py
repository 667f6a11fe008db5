"""Workforces as files: every worker who matches, one row each."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace

from sqlalchemy import Executable, case, select

from tracker import row_security
from tracker.domain.points.claims import Evaluation
from tracker.models import Certification, Holder, RosterEntry, Sharing, Span
from tracker.services.core.context import AnyRow, ReadContext
from tracker.services.employers.workforce_selection import (
    DATES,
    EXPIRES_ON,
    NAME,
    REASON,
    STATUS,
    URGENCY,
    VALID,
    WorkforceFilter,
    days_left,
    parameters,
    selected,
)
from tracker.services.standings import standings
from tracker.services.standings.related_facts import CertificationKey

_PARTITION = 500  # workers whose points are counted at once
# The columns of an export in their order; the points columns only if requested.
COLUMNS = (
    "as_of",
    "scheme",
    "employee_id",
    "site",
    "department",
    "shift",
    "shared",
    "not_shared_reason",
    "name",
    "certificate_number",
    "status",
    "valid",
    "expires_on",
    "window_opens_on",
    "window_closes_on",
    "days_left",
)
POINTS_COLUMNS = ("points_counted", "points_required")


def export(
    reading: ReadContext, selection: WorkforceFilter, *, sort: str, with_points: bool
) -> Generator[tuple[object, ...], None, None]:
    """All workers that match, as rows in the order of the columns; memory use stays flat.

    One statement, so that the file shows one instant, on a separate connection: on PostgreSQL a
    server-side cursor needs a transaction; on SQLite a transaction would block writers.
    """
    isolation = "AUTOCOMMIT" if reading.dialect == "sqlite" else "REPEATABLE READ"
    streamed = {"stream_results": True, "yield_per": _PARTITION}
    statement = _lines(selection, sort, with_points=with_points)
    with reading.connection.engine.connect() as connection:
        connection.execution_options(isolation_level=isolation)
        row_security.look_as_through(reading.connection, connection)
        later = replace(reading, connection=connection)
        given = parameters(reading, selection)
        # Who stops reading leaves rows behind: the server's cursor must end before its connection.
        with connection.execute(statement, given, execution_options=streamed) as result:
            for rows in result.partitions():
                yield from _told(later, selection, rows, with_points=with_points)


def _told(
    reading: ReadContext, selection: WorkforceFilter, rows: Sequence[AnyRow], *, with_points: bool
) -> Iterator[tuple[object, ...]]:
    """The rows of some workers in the order of the columns, with their points if wanted."""
    width = len(_LINE)
    points: dict[str, Evaluation] = {}
    if with_points:
        code = selection.scheme.code
        keys = [
            CertificationKey(row.certification_id, row.holder_id, code)
            for row in rows
            if row.with_points and row.cycle is not None
        ]
        points = standings.evaluations(reading, keys, on=selection.on) if keys else {}
    for row in rows:
        line = (
            selection.on,
            selection.scheme.code,
            *row[:width],
            days_left(row[-1], selection.on),
        )
        total = points.get(row.certification_id) if with_points else None
        yield line + (_points_of(total) if with_points else ())


_LINE = (
    RosterEntry.employee_id,
    RosterEntry.site,
    RosterEntry.department,
    RosterEntry.shift,
    Sharing.id.is_not(None).label("shared"),
    REASON.label("reason"),
    NAME.label("name"),
    case((Span.certification_id.is_not(None), Certification.number)).label("number"),
    STATUS.label("status"),
    VALID.label("valid"),
    *DATES,
)
_FOR_POINTS = (
    Sharing.holder_id,
    Sharing.with_points,
    Certification.id.label("certification_id"),
    Span.cycle,
)


def _lines(selection: WorkforceFilter, sort: str, *, with_points: bool) -> Executable:
    """The rows of an export, only as wide as needed; the expiry is repeated at the end."""
    columns = [*_LINE, *(_FOR_POINTS if with_points else ())]
    statement = selected(select(*columns, EXPIRES_ON.label("last")), selection)
    order = (URGENCY, RosterEntry.id) if sort == "urgency" else (RosterEntry.employee_id,)
    return statement.join(Holder, Holder.id == Sharing.holder_id, isouter=True).order_by(*order)


def _points_of(points: Evaluation | None) -> tuple[object, ...]:
    return (points.total, points.required) if points else (None, None)
