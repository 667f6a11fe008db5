"""Assessment centers and training providers as staff see them: what waits for an answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import func, select

from tracker.domain.credentials.assessments import Approval
from tracker.domain.credentials.center_results import ResultState
from tracker.domain.points.courses import CourseState
from tracker.models import Center, CenterResult, Holder
from tracker.services.core import bulk
from tracker.services.core.context import ReadContext, columns_of
from tracker.services.credentials import center_results, centers
from tracker.services.credentials.center_results import CenterResultRow
from tracker.services.credentials.centers import CenterRow
from tracker.services.points import courses
from tracker.services.points.courses import CourseRow


@dataclass(frozen=True, slots=True)
class CenterListed:
    """A center with its periods of approval, and how many of its results wait."""

    center: CenterRow
    approvals: Sequence[Approval]
    waiting: int


def listed(reading: ReadContext, *, after: str | None, limit: int) -> list[CenterListed]:
    """A page of the directory of centers, in the order of their ids."""
    found = centers.page(reading, after=after, limit=limit)
    waiting = _waiting(reading, [row.id for row, _ in found])
    return [CenterListed(row, approvals, waiting[row.id]) for row, approvals in found]


def of_center(reading: ReadContext, center_id: str) -> CenterListed:
    """One center. Raises NotFound."""
    row, approvals = centers.get(reading, center_id)
    return CenterListed(row, approvals, _waiting(reading, [center_id])[center_id])


def _waiting(reading: ReadContext, center_ids: Collection[str]) -> Counter[str]:
    counted = select(CenterResult.center_id, func.count()).where(
        bulk.among(reading, CenterResult.center_id, center_ids),
        CenterResult.state == ResultState.WAITING,
    )
    return Counter(dict(reading.rows(counted.group_by(CenterResult.center_id))))


class CandidateName(NamedTuple):
    """Somebody whose result a center sent."""

    id: str
    ref: str
    given_name: str
    family_name: str


@dataclass(frozen=True, slots=True)
class WaitingResult:
    """A result that waits for staff: of whom, from which center, and what to look at."""

    result: CenterResultRow
    holder: CandidateName
    center: str
    warnings: Sequence[str]


def waiting_results(
    reading: ReadContext, *, after: str | None, limit: int, center_id: str | None
) -> list[WaitingResult]:
    """A page of the results that wait, the oldest first; of one center, if it is named."""
    found = center_results.page(
        reading, after=after, limit=limit, state=ResultState.WAITING, center_id=center_id
    )
    people = _people(reading, {row.holder_id for row, _ in found})
    names = select(Center.id, Center.name)
    ids = {row.center_id for row, _ in found}
    places = dict(reading.rows(names.where(bulk.among(reading, Center.id, ids)))) if ids else {}
    return [
        WaitingResult(row, people[row.holder_id], places[row.center_id], warnings)
        for row, warnings in found
    ]


def _people(reading: ReadContext, ids: Collection[str]) -> Mapping[str, CandidateName]:
    if not ids:
        return {}
    statement = select(*columns_of(CandidateName, Holder)).where(
        bulk.among(reading, Holder.id, ids)
    )
    return {row.id: row for row in reading.rows_as(CandidateName, statement)}


def proposed_courses(reading: ReadContext, *, after: str | None, limit: int) -> Sequence[CourseRow]:
    """A page of the courses that providers proposed and nobody has answered, the oldest first."""
    filters = {"state": str(CourseState.PROPOSED)}
    return courses.page(reading, after=after, limit=limit, filters=filters)
