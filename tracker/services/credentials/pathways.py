"""Pathways that people are on, and where they stand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import bindparam, select
from sqlalchemy.exc import IntegrityError

from tracker.domain.credentials import pathways as rules
from tracker.domain.credentials.apprenticeships import ApprenticeshipStatus
from tracker.domain.credentials.pathways import Achievements, PathwayProgress
from tracker.domain.errors import AlreadyRecorded, IllegalTransition, Invalid, NotFound
from tracker.domain.permissions import check_own_holder
from tracker.models import (
    Apprenticeship,
    Assessment,
    Certification,
    OtherCredential,
    PathwayChoice,
)
from tracker.services.core import history, locks
from tracker.services.core.context import AnyRow, ReadContext, UnitOfWork, columns_of

K = TypeVar("K")


class PathwayChoiceRow(NamedTuple):
    """A pathway that somebody chose; ``left_at`` is None while they are on it."""

    id: str
    holder_id: str
    pathway: str
    recorded_at: datetime
    recorded_by: str
    left_at: datetime | None


class ChosenPathway(NamedTuple):
    """A pathway that somebody is on, and where they stand."""

    choice: PathwayChoiceRow
    progress: PathwayProgress


CHOSEN_BY_HOLDER = select(*columns_of(PathwayChoiceRow, PathwayChoice)).where(
    PathwayChoice.holder_id == bindparam("id"), PathwayChoice.left_at.is_(None)
)
"""The choices of the holder ``id``, in no order; can be prefetched."""


def choose(work: UnitOfWork, holder_id: str, pathway: str) -> str:
    """Put a person on a pathway; returns the choice's id. Raises Invalid, AlreadyRecorded."""
    check_own_holder(work.actor, holder_id)
    locks.lock_one(work, holder_id)
    if pathway not in work.pathways:
        rule = f"must be one of {', '.join(sorted(work.pathways))}"
        raise Invalid(f"There is no pathway {pathway!r}.", fields={"pathway": rule})
    row = PathwayChoice(
        holder_id=holder_id,
        pathway=pathway,
        recorded_at=work.now,
        recorded_by=work.actor.name,
    )
    work.session.add(row)
    try:
        work.session.flush()
    except IntegrityError as error:
        raise AlreadyRecorded("The person is on this pathway already.") from error
    history.record(work, "choose", "pathway_choice", row.id, pathway=pathway)
    return row.id


def leave(work: UnitOfWork, choice_id: str) -> None:
    """Take a person off a pathway; it can be chosen again. Raises IllegalTransition, NotFound."""
    row = work.session.get(PathwayChoice, choice_id)
    if row is None:
        raise NotFound
    check_own_holder(work.actor, row.holder_id)
    locks.lock_one(work, row.holder_id)
    work.reread(row)
    if row.left_at is not None:
        raise IllegalTransition("The person left this pathway already.", state="left")
    row.left_at = work.now
    work.session.flush()
    history.record(work, "leave", "pathway_choice", row.id, pathway=row.pathway)


def of_holder(reading: ReadContext, holder_id: str) -> list[ChosenPathway]:
    """The pathways that a person is on, in the order in which they were chosen.

    One whose file is gone is left out. Raises NotFound, also for another person's record.
    """
    check_own_holder(reading.actor, holder_id)
    rows = reading.rows_as(PathwayChoiceRow, CHOSEN_BY_HOLDER, {"id": holder_id})
    known = sorted([row for row in rows if row.pathway in reading.pathways])
    if not known:
        return []
    achieved = achievements(reading, holder_id)
    return [
        ChosenPathway(row, rules.progress(reading.pathways[row.pathway], achieved)) for row in known
    ]


def achievements(reading: ReadContext, holder_id: str) -> Achievements:
    """What a person has on record that can complete a step."""
    tried = reading.rows(
        select(Assessment.scheme, Assessment.module, Assessment.taken_on).where(
            Assessment.holder_id == holder_id, Assessment.passed, Assessment.voided_at.is_(None)
        )
    )
    paid = reading.rows(
        select(Assessment.funding, Assessment.more_funding, Assessment.taken_on).where(
            Assessment.holder_id == holder_id,
            Assessment.funding.is_not(None),
            Assessment.voided_at.is_(None),
        )
    )
    held = reading.rows(
        select(Certification.scheme, Certification.awarded_on).where(
            Certification.holder_id == holder_id, Certification.withdrawn_at.is_(None)
        )
    )
    brought = reading.rows(
        select(OtherCredential.credential, OtherCredential.level, OtherCredential.issued_on).where(
            OtherCredential.holder_id == holder_id, OtherCredential.withdrawn_at.is_(None)
        )
    )
    return Achievements(
        passes=_first(tried, lambda row: (row[0], row[1])),
        awards=_first(held, lambda row: row[0]),
        credentials=_first(brought, lambda row: (row[0], row[1])),
        fundings=_first(_sources(paid), lambda row: row[0]),
        apprenticeships=_apprenticeships(reading, holder_id),
    )


def _sources(paid: Iterable[AnyRow]) -> Iterator[tuple[str, date]]:
    """Each source of each attempt, with the day of the attempt."""
    for row in paid:
        yield row.funding, row.taken_on
        for one in row.more_funding:
            yield one["funding"], row.taken_on


def _apprenticeships(reading: ReadContext, holder_id: str) -> dict[str, date]:
    """When an apprenticeship was first registered, and completed; a cancelled one counts not."""
    table = Apprenticeship
    rows = reading.rows(
        select(table.status, table.started_on, table.ended_on).where(
            table.holder_id == holder_id, table.status != ApprenticeshipStatus.CANCELLED
        )
    )
    ended = [row.ended_on for row in rows if row.status == ApprenticeshipStatus.COMPLETED]
    marks = {
        "registered": min((row.started_on for row in rows), default=None),
        "completed": min(ended, default=None),
    }
    return {mark: day for mark, day in marks.items() if day is not None}


def _first(rows: Iterable[Sequence[Any]], key: Callable[[Sequence[Any]], K]) -> dict[K, date]:
    """The first day of each key; the day is the last column of a row."""
    days: dict[K, date] = {}
    for row in rows:
        days[key(row)] = min(days.get(key(row), row[-1]), row[-1])
    return days
