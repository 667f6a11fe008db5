"""Staffing: how many who meet a requirement a place must have, and when it no longer does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from tracker.domain.employers.requirements import Clearance, ClearanceState
from tracker.domain.employers.workforce import NEVER
from tracker.domain.periods import DAY

MOST_NEEDED = 1000
NEAREST_SHOWN = 5


@dataclass(frozen=True, slots=True)
class StaffedWorker:
    """A worker of a place: whether cleared, and through which day.

    ``renewed`` is the last day if those with enough points renew what they have. None, of either:
    there is no end, or no day is shared.
    """

    employee_id: str
    clearance: Clearance
    renewed: date | None = None

    @property
    def is_cleared(self) -> bool:
        """Whether the worker counts towards the minimum."""
        return self.clearance.state == ClearanceState.CLEARED


@dataclass(frozen=True, slots=True)
class StaffingBreak:
    """The first day on which there are fewer than needed, and how many there are."""

    on: date
    count: int


@dataclass(frozen=True, slots=True)
class StaffingOutlook:
    """How a place stands: those who count, and when they no longer suffice.

    ``breaks`` is the first day if nobody renews, ``breaks_renewed`` if those with enough points do;
    None: never, as far as is known. ``single_points`` are those without any one of whom the minimum
    would not be met today. ``nearest`` are those who lack least: training them closes the gap.
    """

    count: int
    breaks: StaffingBreak | None
    breaks_renewed: StaffingBreak | None
    single_points: Sequence[StaffedWorker]
    nearest: Sequence[StaffedWorker]
    not_shared: int


def outlook(workers: Iterable[StaffedWorker], least: int, *, on: date) -> StaffingOutlook:
    """How a place with these workers stands on a day, if at least so many are needed."""
    everyone = sorted(workers, key=lambda worker: worker.employee_id)
    cleared = [worker for worker in everyone if worker.is_cleared]
    lacking = [w for w in everyone if w.clearance.state == ClearanceState.NOT_CLEARED]
    return StaffingOutlook(
        count=len(cleared),
        breaks=first_break((w.clearance.last_day for w in cleared), least, on=on),
        breaks_renewed=first_break((w.renewed for w in cleared), least, on=on),
        single_points=cleared if len(cleared) == least else [],
        nearest=sorted(lacking, key=lambda w: len(w.clearance.lacking))[:NEAREST_SHOWN],
        not_shared=sum(w.clearance.state == ClearanceState.NOT_SHARED for w in everyone),
    )


def first_break(last_days: Iterable[date | None], least: int, *, on: date) -> StaffingBreak | None:
    """The first day from ``on`` with fewer than ``least`` of those who last through these days.

    >>> days = [date(2027, 5, 13), date(2027, 9, 1)]
    >>> first_break(days, 2, on=date(2026, 11, 21))
    StaffingBreak(on=datetime.date(2027, 5, 14), count=1)
    """
    lasting = sorted(day or NEVER for day in last_days)
    if len(lasting) < least:
        return StaffingBreak(on, len(lasting))
    last = lasting[len(lasting) - least]
    if last == NEVER:
        return None
    return StaffingBreak(last + DAY, sum(day > last for day in lasting))
