"""Workforces: what consent lets an employer see of its workers, on any day.

Invariant: a certification, a standing and a name are reached from a roster entry only through the
live consent of its holder, so a worker without one has no data to leak: the joins find none.
Consent is always checked for today, whatever day is asked about, and reveals no day before it was
given.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple, TypeVarTuple

from sqlalchemy import (
    ColumnElement,
    Executable,
    ScalarSelect,
    Select,
    and_,
    case,
    func,
    null,
    or_,
    select,
)
from sqlalchemy.orm import aliased

from tracker.domain.employers import workforce as rules
from tracker.domain.employers.workforce import NEVER, NOT_CERTIFIED, NOT_SHARED, Thresholds
from tracker.domain.errors import NotFound
from tracker.domain.periods import Period
from tracker.domain.points.claims import Evaluation
from tracker.domain.schemes.schemes import Scheme
from tracker.models import Certification, Holder, RosterEntry, Sharing, Span
from tracker.services.core.batched import ON
from tracker.services.core.context import ReadContext
from tracker.services.employers import employers
from tracker.services.employers.roster import CONSENTED, EMPLOYED
from tracker.services.standings import snapshots, standings
from tracker.services.standings.neighbours import CertificationKey

Columns = TypeVarTuple("Columns")

FILTERS = (
    "status",
    "valid",
    "site",
    "department",
    "shift",
    "employee_id",
    "expires_from",
    "expires_until",
)
PARTITION = 500  # workers whose points are counted at once in an export

_STATUS = case(
    (Sharing.id.is_(None), NOT_SHARED),
    (Span.certification_id.is_(None), NOT_CERTIFIED),
    else_=standings.STATUS,
)
_VALID = case((Span.certification_id.is_(None), null()), (standings.VALID, True), else_=False)
# A consent does not reveal what was so before it.
_CONSENTED_BY = and_(CONSENTED, Sharing.consented_on <= ON)
_URGENCY = func.coalesce(Span.expires_on, NEVER)
_NAME = Holder.given_name + " " + Holder.family_name
# Suspended, revoked and surrendered certifications do not fall due.
_FALLS_DUE = and_(Span.certification_id.is_not(None), Span.hold.is_(None))


@dataclass(frozen=True, slots=True)
class WorkforceFilter:
    """The workers to show, in which scheme, on which day; None means any.

    ``expires_from`` and ``expires_until`` select certifications that fall due on those days.
    """

    employer_id: str
    scheme: Scheme
    on: date
    status: str | None = None
    valid: bool | None = None
    site: str | None = None
    department: str | None = None
    shift: str | None = None
    employee_id: str | None = None
    expires_from: date | None = None
    expires_until: date | None = None


@dataclass(frozen=True, slots=True)
class WorkforcePlace:
    """The place of a worker, after which a page begins."""

    expires_on: date
    id: str


@dataclass(frozen=True, slots=True)
class Worker:
    """One worker as the employer sees them; without consent only the employer's own data."""

    id: str
    employee_id: str
    site: str | None
    department: str | None
    shift: str | None
    shared: bool
    name: str | None
    certificate_number: str | None
    status: str
    valid: bool | None
    expires_on: date | None
    window_opens_on: date | None
    window_closes_on: date | None
    days_left: int | None
    points: Evaluation | None

    @property
    def place(self) -> WorkforcePlace:
        """The place after which the next page begins."""
        return WorkforcePlace(rules.urgency(self.expires_on), self.id)


def question(
    reading: ReadContext, employer_id: str, scheme: str, *, on: date | None
) -> WorkforceFilter:
    """A filter for all workers that the actor may use: the employer is theirs, the scheme known.

    Raises NotFound, UnknownScheme.
    """
    employers.get(reading, employer_id)
    found = reading.schemes[scheme]
    return WorkforceFilter(employer_id, found, on or reading.today(found))


def _parameters(reading: ReadContext, selection: WorkforceFilter) -> dict[str, object]:
    return {"today": employers.today(reading), "on": selection.on}


def _selected(statement: Select[*Columns], selection: WorkforceFilter) -> Select[*Columns]:
    """Join what consent reveals to the employer's entries, and apply the filter."""
    statement = (
        statement.select_from(RosterEntry)
        .join(Sharing, _CONSENTED_BY, isouter=True)
        .join(
            Certification,
            and_(
                Certification.holder_id == Sharing.holder_id,
                Certification.scheme == selection.scheme.code,
                snapshots.COUNTING,
            ),
            isouter=True,
        )
        .join(
            Span,
            and_(Span.certification_id == Certification.id, standings.ON_SPAN),
            isouter=True,
        )
        .where(RosterEntry.employer_id == selection.employer_id, EMPLOYED)
    )
    return statement.where(*_conditions(selection))


def _conditions(selection: WorkforceFilter) -> Iterator[ColumnElement[bool]]:
    for key in ("site", "department", "shift"):
        if (value := getattr(selection, key)) is not None:
            yield getattr(RosterEntry, key) == value
    if selection.employee_id is not None:
        yield RosterEntry.employee_id.istartswith(selection.employee_id, autoescape=True)
    if selection.status is not None:
        status = _STATUS
        yield status == selection.status
    if selection.valid is not None:
        yield _VALID.is_(selection.valid)
    if selection.expires_from is not None:
        yield and_(_FALLS_DUE, Span.expires_on >= selection.expires_from)
    if selection.expires_until is not None:
        yield and_(_FALLS_DUE, Span.expires_on <= selection.expires_until)


class _WorkerRow(NamedTuple):
    """A worker, and what consent reveals; ``name`` is read last, for the rows of a page."""

    id: str
    employee_id: str
    site: str | None
    department: str | None
    shift: str | None
    shared: bool
    holder_id: str | None
    with_points: bool | None
    certification_id: str | None
    number: str | None
    status: str
    valid: bool | None
    cycle: int | None
    expires_on: date | None
    window_opens_on: date | None
    window_closes_on: date | None
    name: str | None


_ENTRY = (
    RosterEntry.id,
    RosterEntry.employee_id,
    RosterEntry.site,
    RosterEntry.department,
    RosterEntry.shift,
    Sharing.id.is_not(None).label("shared"),
    Sharing.holder_id,
    Sharing.with_points,
    Certification.id.label("certification_id"),
    Certification.number,
    _STATUS.label("status"),
    _VALID.label("valid"),
    Span.cycle,
    Span.expires_on,
    Span.window_opens_on,
    Span.window_closes_on,
    _URGENCY.label("urgency"),
)


def page(
    reading: ReadContext,
    selection: WorkforceFilter,
    *,
    after: WorkforcePlace | None,
    limit: int,
    sort: str,
) -> list[Worker]:
    """A page of workers, the most urgent first or by employee_id, in a few statements.

    Sorting by urgency reads the employer's whole list for every page; sorting by employee_id reads
    only the page.
    """
    statement = _ordered(selection, after, sort, limit)
    rows = reading.rows_as(_WorkerRow, statement, _parameters(reading, selection))
    points = _points(reading, rows, selection)
    return [_worker(row, points, selection.on) for row in rows]


def one(reading: ReadContext, selection: WorkforceFilter, entry_id: str) -> Worker:
    """A worker who shares. Raises NotFound for any other, as for an unknown id."""
    statement = _named(_selected(select(*_ENTRY), selection).where(RosterEntry.id == entry_id))
    row = reading.row_as(_WorkerRow, statement, _parameters(reading, selection))
    if row is None or not row.shared:
        raise NotFound
    return _worker(row, _points(reading, [row], selection), selection.on)


def _ordered(
    selection: WorkforceFilter, after: WorkforcePlace | None, sort: str, limit: int
) -> Select[*tuple[object, ...]]:
    """The rows of a page in order."""
    statement = _selected(select(*_ENTRY), selection).limit(limit)
    if sort == "urgency":
        key = _URGENCY
        statement = statement.order_by(key, RosterEntry.id)
        if after is not None:
            later = and_(key == after.expires_on, RosterEntry.id > after.id)
            statement = statement.where(or_(key > after.expires_on, later))
    else:
        statement = statement.order_by(RosterEntry.employee_id)
        if after is not None:
            statement = statement.where(RosterEntry.employee_id > _employee_id(selection, after))
    return _named(statement, sort)


def _employee_id(selection: WorkforceFilter, after: WorkforcePlace) -> ScalarSelect[str]:
    """The employee_id of the worker after whom a page begins."""
    before = aliased(RosterEntry)
    return (
        select(before.employee_id)
        .where(before.id == after.id, before.employer_id == selection.employer_id)
        .scalar_subquery()
    )


def _named(statement: Select[*Columns], sort: str = "employee_id") -> Select[*tuple[object, ...]]:
    """Add names to the rows found, and to no others."""
    entries = statement.subquery("found")
    order = (entries.c.urgency, entries.c.id) if sort == "urgency" else (entries.c.employee_id,)
    return (
        select(entries, _NAME.label("name"))
        .join(Holder, Holder.id == entries.c.holder_id, isouter=True)
        .order_by(*order)
    )


def _points(
    reading: ReadContext, rows: Iterable[_WorkerRow], selection: WorkforceFilter
) -> dict[str, Evaluation]:
    """The points of those who share them, by certification; a constant number of statements."""
    keys = [
        CertificationKey(row.certification_id, row.holder_id, selection.scheme.code)
        for row in rows
        if row.with_points and row.cycle is not None and row.certification_id and row.holder_id
    ]
    return standings.evaluations(reading, keys, on=selection.on) if keys else {}


def _worker(row: _WorkerRow, points: Mapping[str, Evaluation], on: date) -> Worker:
    certified = row.cycle is not None
    return Worker(
        id=row.id,
        employee_id=row.employee_id,
        site=row.site,
        department=row.department,
        shift=row.shift,
        shared=row.shared,
        name=row.name,
        certificate_number=row.number if certified else None,
        status=row.status,
        valid=row.valid,
        expires_on=row.expires_on,
        window_opens_on=row.window_opens_on,
        window_closes_on=row.window_closes_on,
        days_left=_days_left(row.expires_on, on),
        points=points.get(row.certification_id or ""),
    )


def _days_left(expires_on: date | None, on: date) -> int | None:
    return None if expires_on is None else (expires_on - on).days


# The columns of an export in their order; the points columns only if requested.
COLUMNS = (
    "as_of",
    "scheme",
    "employee_id",
    "site",
    "department",
    "shift",
    "shared",
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
) -> Iterator[tuple[object, ...]]:
    """All workers that match, as rows in the order of the columns; memory use stays flat.

    One statement, so that the file shows one instant, on a separate connection: on PostgreSQL a
    server-side cursor needs a transaction; on SQLite a transaction would block writers.
    """
    isolation = "AUTOCOMMIT" if reading.dialect == "sqlite" else "REPEATABLE READ"
    streamed = {"stream_results": True, "yield_per": PARTITION}
    statement = _lines(selection, sort, with_points=with_points)
    width = len(_LINE)
    with reading.connection.engine.connect() as connection:
        connection.execution_options(isolation_level=isolation)
        later = replace(reading, connection=connection)
        result = connection.execute(
            statement, _parameters(reading, selection), execution_options=streamed
        )
        for rows in result.partitions():
            points: dict[str, Evaluation] = {}
            if with_points:
                code = selection.scheme.code
                keys = [
                    CertificationKey(row.certification_id, row.holder_id, code)
                    for row in rows
                    if row.with_points and row.cycle is not None
                ]
                points = standings.evaluations(later, keys, on=selection.on) if keys else {}
            for row in rows:
                line = (
                    selection.on,
                    selection.scheme.code,
                    *row[:width],
                    _days_left(row[-1], selection.on),
                )
                total = points.get(row.certification_id) if with_points else None
                yield line + (_points_of(total) if with_points else ())


_LINE = (
    RosterEntry.employee_id,
    RosterEntry.site,
    RosterEntry.department,
    RosterEntry.shift,
    Sharing.id.is_not(None).label("shared"),
    _NAME.label("name"),
    case((Span.certification_id.is_not(None), Certification.number)).label("number"),
    _STATUS.label("status"),
    _VALID.label("valid"),
    Span.expires_on,
    Span.window_opens_on,
    Span.window_closes_on,
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
    statement = _selected(select(*columns, Span.expires_on.label("last")), selection)
    order = (_URGENCY, RosterEntry.id) if sort == "urgency" else (RosterEntry.employee_id,)
    return statement.join(Holder, Holder.id == Sharing.holder_id, isouter=True).order_by(*order)


def _points_of(points: Evaluation | None) -> tuple[object, ...]:
    return (points.total, points.required) if points else (None, None)


@dataclass(frozen=True, slots=True)
class ExpiringCount:
    """The number of certifications in force that expire within so many days, both ends included."""

    days: int
    period: Period
    count: int


@dataclass(frozen=True, slots=True)
class WorkforceSummary:
    """The counts of a workforce; ``by_status`` adds up to ``total``."""

    total: int
    valid: int
    by_status: dict[str, int]
    due: list[ExpiringCount]


def summary(reading: ReadContext, selection: WorkforceFilter) -> WorkforceSummary:
    """Count workers by status, and those valid and due, in one statement."""
    thresholds = Thresholds().periods(selection.on)
    soonest = sorted(thresholds)
    bucket = case(
        (or_(~_FALLS_DUE, Span.expires_on < selection.on), null()),
        *((Span.expires_on <= thresholds[days].ends_on, days) for days in soonest),
    )
    grouped = select(
        _STATUS.label("status"), _VALID.label("valid"), bucket.label("due"), func.count().label("n")
    )
    statement = _selected(grouped, selection).group_by("status", "valid", "due")
    rows = reading.rows(statement, _parameters(reading, selection))
    by_status: dict[str, int] = dict.fromkeys(map(str, rules.WORKER_STATUSES), 0)
    for row in rows:
        by_status[row.status] += row.n
    return WorkforceSummary(
        total=sum(by_status.values()),
        valid=sum(row.n for row in rows if row.valid),
        by_status=by_status,
        due=[
            ExpiringCount(
                days, period, sum(r.n for r in rows if r.due is not None and r.due <= days)
            )
            for days, period in thresholds.items()
        ],
    )


def forecast(reading: ReadContext, selection: WorkforceFilter) -> list[tuple[date, int]]:
    """The number of certifications in force that expire in each of 24 months, in one statement."""
    last = rules.days_ahead(rules.forecast_months(selection.on)[-1], on=selection.on).ends_on
    counted = (
        _selected(select(Span.expires_on, func.count()), selection)
        .where(_FALLS_DUE, Span.expires_on >= selection.on, Span.expires_on <= last)
        .group_by(Span.expires_on)
    )
    rows = reading.rows(counted, _parameters(reading, selection))
    return rules.forecast([(row[0], row[1]) for row in rows], on=selection.on)
