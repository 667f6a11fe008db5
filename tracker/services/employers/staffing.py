"""Staffing: the minimums of an employer's places, and how each place stands.

A minimum is added and ended, never changed. It is in force as long as its requirement is. However
many minimums and workers there are, the same number of statements answers.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, or_, select, true
from sqlalchemy.exc import IntegrityError

from tracker.domain.employers import requirements as rules
from tracker.domain.employers import staffing
from tracker.domain.employers.requirements import JobNeeds
from tracker.domain.employers.staffing import StaffedWorker, StaffingOutlook
from tracker.domain.errors import AlreadyRecorded, Invalid, NotFound
from tracker.domain.permissions import check_own_employer
from tracker.models import JobRequirement, RosterEntry, StaffingMinimum
from tracker.services.core import history
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.core.row_scope import scope
from tracker.services.employers import employers, requirements, worker_proofs
from tracker.services.employers.consents import EMPLOYED
from tracker.services.employers.worker_proofs import WorkerWithProofs
from tracker.services.standings import standings

MOST = 200
"""How many minimums an employer may have at the same time."""
MOST_WORKERS = 20_000
"""How many workers the places with minimums may have together."""
PLACE = ("site", "department", "shift")


class _MinimumRow(NamedTuple):
    id: str
    employer_id: str
    requirement_id: str
    requirement: str
    needs: list[list[dict[str, str]]]
    site: str
    department: str
    shift: str
    least: int
    recorded_at: datetime


class MinimumOnRecord(NamedTuple):
    """A minimum in force, with its requirement; what is empty of its place is any."""

    id: str
    employer_id: str
    requirement_id: str
    requirement: str
    needs: JobNeeds
    site: str
    department: str
    shift: str
    least: int
    recorded_at: datetime

    @property
    def place(self) -> tuple[str, ...]:
        """What is required, and where."""
        return (self.requirement, self.site, self.department, self.shift)


@dataclass(frozen=True, slots=True)
class StaffingAt:
    """How the place of a minimum stands."""

    minimum: MinimumOnRecord
    outlook: StaffingOutlook


@dataclass(frozen=True, slots=True)
class StaffingReport:
    """How all places with minimums stand on a day; ``seen`` are the holders who were looked at."""

    on: date
    places: Sequence[StaffingAt]
    seen: Collection[str]
    schemes: Collection[str]


_ROWS = select(
    StaffingMinimum.id,
    StaffingMinimum.employer_id,
    StaffingMinimum.requirement_id,
    JobRequirement.name.label("requirement"),
    JobRequirement.needs,
    StaffingMinimum.site,
    StaffingMinimum.department,
    StaffingMinimum.shift,
    StaffingMinimum.least,
    StaffingMinimum.recorded_at,
).join(JobRequirement, JobRequirement.id == StaffingMinimum.requirement_id)


def page(
    reading: ReadContext, employer_id: str, *, after: str | None = None, limit: int = MOST
) -> list[MinimumOnRecord]:
    """An employer's minimums that are in force, in the order of their ids. Raises NotFound."""
    employers.get(reading, employer_id)
    statement = _ROWS.where(
        StaffingMinimum.employer_id == employer_id,
        StaffingMinimum.ended_at.is_(None),
        JobRequirement.ended_at.is_(None),
        scope(reading.actor, StaffingMinimum),
    )
    if after:
        statement = statement.where(StaffingMinimum.id > after)
    statement = statement.order_by(StaffingMinimum.id).limit(limit)
    return [_on_record(row) for row in reading.rows_as(_MinimumRow, statement)]


def _on_record(row: _MinimumRow) -> MinimumOnRecord:
    return MinimumOnRecord(**{**row._asdict(), "needs": requirements.needs_of(row.needs)})


def add(
    work: UnitOfWork, employer_id: str, requirement_id: str, place: Mapping[str, str], least: int
) -> str:
    """Add a minimum for a place; returns its id.

    Raises NotFound, Invalid for an ended requirement or one minimum too many, AlreadyRecorded if
    the place has a minimum of this requirement.
    """
    if len(page(work, employer_id)) >= MOST:
        rule = f"at most {MOST} at the same time"
        raise Invalid("End a minimum before you add another.", fields={"least": rule})
    if requirements.get(work, employer_id, requirement_id).ended_at is not None:
        rule = "has ended"
        raise Invalid("This is required no more.", fields={"requirement_id": rule})
    row = StaffingMinimum(
        employer_id=employer_id,
        requirement_id=requirement_id,
        least=least,
        recorded_at=work.now,
        site=place.get("site", ""),
        department=place.get("department", ""),
        shift=place.get("shift", ""),
    )
    work.session.add(row)
    try:
        work.session.flush()
    except IntegrityError as error:
        raise AlreadyRecorded("The place has a minimum of this requirement.") from error
    stated = {name: getattr(row, name) for name in ("requirement_id", *PLACE, "least")}
    changes = history.changes(dict.fromkeys(stated), stated)
    history.record(work, "add", "staffing_minimum", row.id, changes=changes)
    return row.id


def get(reading: ReadContext, employer_id: str, minimum_id: str) -> MinimumOnRecord:
    """One minimum in force. Raises NotFound, also for another company's."""
    found = next((one for one in page(reading, employer_id) if one.id == minimum_id), None)
    if found is None:
        raise NotFound
    return found


def end(work: UnitOfWork, employer_id: str, minimum_id: str) -> None:
    """End a minimum; it stays on record. Raises NotFound."""
    check_own_employer(work.actor, employer_id)
    row = work.session.get(StaffingMinimum, minimum_id)
    if row is None or row.employer_id != employer_id or row.ended_at is not None:
        raise NotFound
    row.ended_at = work.now
    work.session.flush()
    history.record(work, "end", "staffing_minimum", row.id)


# How places stand.
def report(reading: ReadContext, employer_id: str, *, on: date | None = None) -> StaffingReport:
    """How all places with minimums stand on a day; today if it is not given.

    Raises NotFound, Invalid if the places have too many workers.
    """
    minimums = page(reading, employer_id)
    on = on or employers.today(reading)
    needed = {one for minimum in minimums for one in rules.proofs_of(minimum.needs)}
    if not minimums:
        return StaffingReport(on, (), (), ())
    named = worker_proofs.listed(employer_id, EMPLOYED, or_(*map(_is_at, minimums)))
    limited = named.order_by(RosterEntry.employee_id).limit(MOST_WORKERS + 1)
    workers = list(worker_proofs.find(reading, limited, needed, on=on).values())
    if len(workers) > MOST_WORKERS:
        rule = f"at most {MOST_WORKERS:,} workers in all places with a minimum"
        raise Invalid("There are too many workers.", fields={"as_of": rule})
    ready = _with_enough_points(reading, workers, on)
    return StaffingReport(
        on,
        [_at(minimum, workers, ready, on) for minimum in minimums],
        {one.row.holder_id for one in workers if one.row.holder_id},
        {one.scheme for one in needed if one.scheme},
    )


def _is_at(minimum: MinimumOnRecord) -> ColumnElement[bool]:
    """The condition that an entry is of the place of a minimum."""
    given = (
        getattr(RosterEntry, name) == value for name in PLACE if (value := getattr(minimum, name))
    )
    return and_(true(), *given)


def _at(
    minimum: MinimumOnRecord,
    workers: Sequence[WorkerWithProofs],
    ready: Collection[str],
    on: date,
) -> StaffingAt:
    there = [
        _staffed(worker, minimum.needs, ready)
        for worker in workers
        if all(getattr(minimum, name) in {"", getattr(worker.row, name)} for name in PLACE)
    ]
    return StaffingAt(minimum, staffing.outlook(there, minimum.least, on=on))


def _staffed(worker: WorkerWithProofs, needs: JobNeeds, ready: Collection[str]) -> StaffedWorker:
    employee_id = worker.row.employee_id
    if not worker.is_shared:
        return StaffedWorker(employee_id, rules.NOT_SHARED)
    renewed = {
        one: replace(proof, last_day=None)
        if one in worker.certifications and worker.certifications[one].id in ready
        else proof
        for one, proof in worker.proofs.items()
    }
    return StaffedWorker(
        employee_id, rules.judge(needs, worker.proofs), rules.judge(needs, renewed).last_day
    )


def _with_enough_points(
    reading: ReadContext, workers: Sequence[WorkerWithProofs], on: date
) -> set[str]:
    """The certifications that hold and whose holders share points, and have enough of them."""
    keys = {
        key
        for worker in workers
        if worker.row.with_points
        for one, key in worker.certifications.items()
        if worker.proofs[one].is_held
    }
    found = standings.evaluations(reading, sorted(keys), on=on) if keys else {}
    return {id_ for id_, evaluation in found.items() if not evaluation.missing}
