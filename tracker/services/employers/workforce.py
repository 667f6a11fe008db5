"""Workforces: the workers whom an employer sees on a day, in pages or one by one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import ScalarSelect, Select, and_, or_, select
from sqlalchemy.orm import aliased

from tracker.domain.employers import workforce as rules
from tracker.domain.employers.consents import NotSharedReason
from tracker.domain.errors import NotFound
from tracker.domain.points.claims import Evaluation
from tracker.models import Certification, Holder, RosterEntry, Sharing, Span
from tracker.services.core.context import ReadContext
from tracker.services.employers import employers
from tracker.services.employers.workforce_selection import (
    DATES,
    NAME,
    REASON,
    STATUS,
    URGENCY,
    VALID,
    Columns,
    WorkforceFilter,
    days_left,
    parameters,
    selected,
)
from tracker.services.standings import snapshots, standings
from tracker.services.standings.related_facts import CertificationKey


@dataclass(frozen=True, slots=True)
class WorkforcePlace:
    """The place of a worker, after which a page begins."""

    expires_on: date
    id: str


class PassedModule(NamedTuple):
    """A module that a worker has passed; the day only if dates are shared."""

    module: str
    passed_on: date | None


@dataclass(frozen=True, slots=True)
class Worker:
    """One worker as the employer sees them; without consent only the employer's own data.

    ``reason`` says why the worker does not share, and ``reason_on`` since when, if that is known.
    ``modules`` are those passed, with the day if dates are shared; None if they are not shared.
    """

    id: str
    employee_id: str
    site: str | None
    department: str | None
    shift: str | None
    shared: bool
    reason: NotSharedReason | None
    reason_on: date | None
    name: str | None
    certificate_number: str | None
    status: str
    valid: bool | None
    expires_on: date | None
    window_opens_on: date | None
    window_closes_on: date | None
    days_left: int | None
    points: Evaluation | None
    modules: Sequence[PassedModule] | None
    holder_id: str | None

    @property
    def place(self) -> WorkforcePlace:
        """The place after which the next page begins."""
        return WorkforcePlace(rules.urgency(self.expires_on), self.id)


class _WorkerRow(NamedTuple):
    """A worker, and what consent reveals; ``name`` is read last, for the rows of a page."""

    id: str
    employee_id: str
    site: str | None
    department: str | None
    shift: str | None
    shared: bool
    reason: str | None
    asked_at: datetime | None
    answered_at: datetime | None
    holder_id: str | None
    with_dates: bool | None
    with_points: bool | None
    with_modules: bool | None
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
    REASON.label("reason"),
    RosterEntry.asked_at,
    RosterEntry.answered_at,
    Sharing.holder_id,
    Sharing.with_dates,
    Sharing.with_points,
    Sharing.with_modules,
    Certification.id.label("certification_id"),
    Certification.number,
    STATUS.label("status"),
    VALID.label("valid"),
    Span.cycle,
    *DATES,
    URGENCY.label("urgency"),
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
    rows = reading.rows_as(_WorkerRow, statement, parameters(reading, selection))
    return _workers(reading, rows, selection)


def one(reading: ReadContext, selection: WorkforceFilter, entry_id: str) -> Worker:
    """A worker who shares. Raises NotFound for any other, as for an unknown id."""
    worker = listed(reading, selection, entry_id)
    if not worker.shared:
        raise NotFound
    return worker


def listed(reading: ReadContext, selection: WorkforceFilter, entry_id: str) -> Worker:
    """A worker of the list, who shares or does not. Raises NotFound for an unknown id."""
    statement = _named(selected(select(*_ENTRY), selection).where(RosterEntry.id == entry_id))
    row = reading.row_as(_WorkerRow, statement, parameters(reading, selection))
    if row is None:
        raise NotFound
    return _workers(reading, [row], selection)[0]


def _ordered(
    selection: WorkforceFilter, after: WorkforcePlace | None, sort: str, limit: int
) -> Select[*tuple[object, ...]]:
    """The rows of a page in order."""
    statement = selected(select(*_ENTRY), selection).limit(limit)
    if sort == "urgency":
        key = URGENCY
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
        select(entries, NAME.label("name"))
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


def _modules(
    reading: ReadContext, rows: Iterable[_WorkerRow], selection: WorkforceFilter
) -> dict[str, list[PassedModule]]:
    """The modules that those who share them had passed by the day, by holder; in one statement."""
    sharing = {row.holder_id: row for row in rows if row.with_modules and row.holder_id}
    attempts = snapshots.attempts(reading, list(sharing)) if sharing else {}
    passed: dict[str, list[PassedModule]] = {}
    for holder_id, row in sharing.items():
        days: dict[str, date] = {}
        for attempt in attempts.get((holder_id, selection.scheme.code), ()):
            if attempt.passed and attempt.taken_on <= selection.on:
                days.setdefault(attempt.module, attempt.taken_on)
        passed[holder_id] = (
            [PassedModule(module, day) for module, day in days.items()]
            if row.with_dates
            # By name: the order of the days would tell which came first.
            else [PassedModule(module, None) for module in sorted(days)]
        )
    return passed


def _workers(
    reading: ReadContext, rows: Sequence[_WorkerRow], selection: WorkforceFilter
) -> list[Worker]:
    """Workers as the employer sees them, in a constant number of statements."""
    points = _points(reading, rows, selection)
    modules = _modules(reading, rows, selection)
    return [_worker(reading, row, points, modules, selection.on) for row in rows]


def _reason_on(reading: ReadContext, row: _WorkerRow) -> date | None:
    """Since when a worker is not shared, for the reasons that have a day of their own."""
    moments = {
        NotSharedReason.ASKED: row.asked_at,
        NotSharedReason.DECLINED: row.answered_at,
    }
    moment = moments.get(NotSharedReason(row.reason)) if row.reason else None
    return employers.day_of(reading, moment) if moment else None


def _worker(
    reading: ReadContext,
    row: _WorkerRow,
    points: Mapping[str, Evaluation],
    modules: Mapping[str, Sequence[PassedModule]],
    on: date,
) -> Worker:
    certified = row.cycle is not None
    return Worker(
        id=row.id,
        employee_id=row.employee_id,
        site=row.site,
        department=row.department,
        shift=row.shift,
        shared=row.shared,
        reason=NotSharedReason(row.reason) if row.reason else None,
        reason_on=_reason_on(reading, row),
        name=row.name,
        certificate_number=row.number if certified else None,
        status=row.status,
        valid=row.valid,
        expires_on=row.expires_on,
        window_opens_on=row.window_opens_on,
        window_closes_on=row.window_closes_on,
        days_left=days_left(row.expires_on, on),
        points=points.get(row.certification_id or ""),
        modules=modules.get(row.holder_id or ""),
        holder_id=row.holder_id if row.shared else None,
    )
