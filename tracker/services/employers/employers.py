"""Employers: companies on record, and access to their data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import select

from tracker.domain.delivery.notices import NoticeKind
from tracker.models import RosterEntry, Sharing
from tracker.models.notices import LONGEST_EVENT
from tracker.services.core import days
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.core.organizations import ContactDirectory
from tracker.services.employers.consents import CONSENTED
from tracker.services.outbox import notices
from tracker.services.outbox.notices import NoticeToTell


class EmployerRow(NamedTuple):
    """A company on record; ``confirms_directly``: what it confirms counts without a reviewer."""

    id: str
    name: str
    email: str | None
    recorded_at: datetime
    confirms_directly: bool
    version: int


DIRECTORY = ContactDirectory("employer", EmployerRow)
"""The directory of companies."""


def today(reading: ReadContext) -> date:
    """The day that decides employment and consent, the same in every request."""
    return days.today_everywhere(reading)


def day_of(reading: ReadContext, instant: datetime) -> date:
    """The date of an instant by the same calendar."""
    return today(replace(reading, now=instant))


def register(work: UnitOfWork, *, name: str, email: str | None = None) -> EmployerRow:
    """Register a company. Raises AlreadyRecorded if the name is taken, in any spelling."""
    return DIRECTORY.enter(work, name=name, email=email)


def get(reading: ReadContext, employer_id: str) -> EmployerRow:
    """An employer's row. Raises NotFound, also for another company's."""
    return DIRECTORY.get(reading, employer_id)


def correct(
    work: UnitOfWork, employer_id: str, values: Mapping[str, str | None], version: int
) -> EmployerRow:
    """Change a company's record; workers who share with it are notified of a new name.

    Raises NotFound, NotAllowed for an employer that changes its own name, Stale if the record has
    changed, AlreadyRecorded if another employer has the name.
    """
    changed = DIRECTORY.correct(work, employer_id, values, version)
    made = get(work, employer_id)
    if "name" in changed:
        before, _ = changed["name"]
        _tell_renamed(work, employer_id, f"{made.version}:{before}"[:LONGEST_EVENT])
    return made


def _tell_renamed(work: UnitOfWork, employer_id: str, event: str) -> None:
    statement = select(RosterEntry.holder_id).join(Sharing, CONSENTED)
    rows = work.rows(
        statement.where(RosterEntry.employer_id == employer_id), {"today": (day := today(work))}
    )
    news = (
        NoticeToTell(
            kind=NoticeKind.EMPLOYER_RENAMED,
            holder_id=row.holder_id,
            subject_id=employer_id,
            event=event,
            on=day,
        )
        for row in rows
    )
    notices.tell(work, news)
