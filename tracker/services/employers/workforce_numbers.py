"""Workforces in numbers: how many are certified and fall due today, and month by month."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import case, func, null, or_, select

from tracker.domain.employers import workforce as rules
from tracker.domain.employers.workforce import WorkforceSegment
from tracker.domain.periods import Period
from tracker.services.core.context import ReadContext
from tracker.services.employers.workforce_selection import (
    EXPIRES_ON,
    FALLS_DUE,
    SEGMENT,
    STATUS,
    VALID,
    WorkforceFilter,
    parameters,
    selected,
)


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
    thresholds = reading.settings.employers.thresholds.periods(selection.on)
    soonest = sorted(thresholds)
    bucket = case(
        (or_(~FALLS_DUE, selection.on > EXPIRES_ON), null()),
        *((thresholds[days].ends_on >= EXPIRES_ON, days) for days in soonest),
    )
    grouped = select(
        STATUS.label("status"), VALID.label("valid"), bucket.label("due"), func.count().label("n")
    )
    statement = selected(grouped, selection).group_by("status", "valid", "due")
    rows = reading.rows(statement, parameters(reading, selection))
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


def segments(reading: ReadContext, selection: WorkforceFilter) -> dict[WorkforceSegment, int]:
    """The number of workers in each part of a workforce, in one statement."""
    counted = selected(select(SEGMENT.label("part"), func.count()), selection)
    rows = reading.rows(counted.group_by("part"), parameters(reading, selection))
    found = {WorkforceSegment(row[0]): row[1] for row in rows}
    return {one: found.get(one, 0) for one in WorkforceSegment}


def forecast(reading: ReadContext, selection: WorkforceFilter) -> list[tuple[date, int]]:
    """The number of certifications in force that expire in each of 24 months, in one statement."""
    last = rules.days_ahead(rules.forecast_months(selection.on)[-1], on=selection.on).ends_on
    counted = (
        selected(select(EXPIRES_ON, func.count()), selection)
        .where(FALLS_DUE, selection.on <= EXPIRES_ON, last >= EXPIRES_ON)
        .group_by(EXPIRES_ON)
    )
    rows = reading.rows(counted, parameters(reading, selection))
    return rules.forecast([(row[0], row[1]) for row in rows], on=selection.on)
