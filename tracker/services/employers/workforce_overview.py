"""Workforces at a glance: the parts, the months ahead, and a page of workers, for one look."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import NamedTuple

from sqlalchemy import select

from tracker.domain.employers.consents import ConsentTerms
from tracker.domain.employers.looks import LookKind
from tracker.domain.employers.workforce import WorkforceSegment
from tracker.models import RosterEntry
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.employers import (
    consent_requests,
    employers,
    looks,
    nudges,
    roster,
    workforce,
    workforce_files,
    workforce_numbers,
)
from tracker.services.employers.consent_requests import ConsentState
from tracker.services.employers.consents import EMPLOYED
from tracker.services.employers.nudges import NudgeState
from tracker.services.employers.roster import ListedWorker
from tracker.services.employers.workforce import Worker, WorkforcePlace
from tracker.services.employers.workforce_selection import WorkforceFilter


@dataclass(frozen=True, slots=True)
class WorkforceGroups:
    """The sites, departments and shifts on an employer's current list, each in order."""

    sites: Sequence[str]
    departments: Sequence[str]
    shifts: Sequence[str]


@dataclass(frozen=True, slots=True)
class WorkforceOverview:
    """The numbers of a group, and a page of those in it whom a filter finds.

    ``following``: the place after which the next page begins, if there is one.
    """

    employer: str
    parts: dict[WorkforceSegment, int]
    months: Sequence[tuple[date, int]]
    groups: WorkforceGroups
    workers: Sequence[Worker]
    following: WorkforcePlace | None

    @property
    def total(self) -> int:
        """The number of workers in the group."""
        return sum(self.parts.values())


class _GroupRow(NamedTuple):
    site: str | None
    department: str | None
    shift: str | None


def overview(
    reading: ReadContext,
    selection: WorkforceFilter,
    *,
    after: WorkforcePlace | None,
    limit: int,
    sort: str,
) -> WorkforceOverview:
    """The numbers and a page, in a constant number of statements. Raises NotFound."""
    own = employers.get(reading, selection.employer_id)
    rows = workforce.page(reading, selection, after=after, limit=limit + 1, sort=sort)
    return WorkforceOverview(
        employer=own.name,
        parts=workforce_numbers.segments(reading, selection.group),
        months=workforce_numbers.forecast(reading, selection.group),
        groups=groups(reading, selection.employer_id),
        workers=rows[:limit],
        following=rows[limit - 1].place if len(rows) > limit else None,
    )


def groups(reading: ReadContext, employer_id: str) -> WorkforceGroups:
    """What an employer's current entries may be filtered by, in one statement."""
    statement = select(RosterEntry.site, RosterEntry.department, RosterEntry.shift).where(
        RosterEntry.employer_id == employer_id, EMPLOYED
    )
    today = {"today": employers.today(reading)}
    rows = reading.rows_as(_GroupRow, statement.distinct(), today)
    return WorkforceGroups(
        _distinct(row.site for row in rows),
        _distinct(row.department for row in rows),
        _distinct(row.shift for row in rows),
    )


def _distinct(values: Iterable[str | None]) -> list[str]:
    return sorted({value for value in values if value})


def note(work: UnitOfWork, selection: WorkforceFilter, shown: WorkforceOverview) -> None:
    """Record that the actor is about to see an overview: its numbers, and its workers."""
    looks.record_numbers(work, selection.group)
    note_workers(work, selection, LookKind.LIST, shown.workers)


def note_workers(
    work: UnitOfWork, selection: WorkforceFilter, kind: LookKind, shown: Iterable[Worker]
) -> None:
    """Record who is about to be shown or was asked about; nothing is if nobody shares."""
    looks.record(work, selection, kind, {one.holder_id for one in shown if one.holder_id})


@dataclass(frozen=True, slots=True)
class WorkforceReport:
    """Those whom a filter finds, as rows of ``workforce_files.COLUMNS``, at an instant.

    ``is_cut``: there are more of them.
    """

    employer: str
    at: datetime
    rows: Sequence[tuple[object, ...]]
    is_cut: bool


def report(
    reading: ReadContext, selection: WorkforceFilter, *, sort: str, most: int
) -> WorkforceReport:
    """The workers whom a filter finds, at most so many. Raises NotFound."""
    own = employers.get(reading, selection.employer_id)
    lines = workforce_files.export(reading, selection, sort=sort, with_points=False)
    with closing(lines):
        rows = list(islice(lines, most + 1))
    return WorkforceReport(own.name, reading.now, rows[:most], len(rows) > most)


@dataclass(frozen=True, slots=True)
class WorkerOverview:
    """A worker with the employer's own entry, and the state of their consent and of nudges."""

    worker: Worker
    entry: ListedWorker
    consent: ConsentState
    nudge: NudgeState


def of_worker(
    reading: ReadContext, selection: WorkforceFilter, entry_id: str, terms: ConsentTerms
) -> WorkerOverview:
    """One worker of the list, who shares or does not; ``terms`` are what would be asked.

    Without consent, the answer depends on nothing but what the employer wrote, asked and was told
    before. Raises NotFound.
    """
    worker = workforce.listed(reading, selection, entry_id)
    entry = roster.get(reading, selection.employer_id, entry_id)
    asked = consent_requests.state(reading, selection.employer_id, entry_id, terms)
    nudge = nudges.state(reading, selection, entry_id)
    return WorkerOverview(worker, entry, asked, nudge)
