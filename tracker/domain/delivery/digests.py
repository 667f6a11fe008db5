"""Employers' digests: which days a digest covers, and when it is worth sending.

A week runs from Monday to Sunday, a month from its first day to its last. The cut-off is the first
instant after the period; one digest covers all periods that were missed.
"""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum

from tracker.domain.periods import DAY, Period, add_months

_WEEK = timedelta(days=7)


class DigestFrequency(StrEnum):
    """How often an employer gets a digest."""

    WEEK = "week"
    MONTH = "month"


def last_closed(every: DigestFrequency, today: date) -> Period:
    """The latest whole period that is over on ``today``."""
    if every == DigestFrequency.WEEK:
        monday = today - timedelta(days=today.weekday())
        return Period(monday - _WEEK, monday - DAY)
    first = today.replace(day=1)
    return Period(add_months(first, -1), first - DAY)


def owed(every: DigestFrequency, *, today: date, through_on: date | None) -> Period | None:
    """The days that the next digest must cover: from the day after the last one covered.

    None while the period runs. ``through_on`` is the last day covered; None: nothing yet.
    """
    closed = last_closed(every, today)
    if through_on is None:
        return closed
    return Period(through_on + DAY, closed.ends_on) if through_on < closed.ends_on else None


def next_cutoff(every: DigestFrequency, today: date) -> date:
    """The first day after the period that runs on ``today``, when the next digest is written."""
    if every == DigestFrequency.WEEK:
        return last_closed(every, today).ends_on + DAY + _WEEK
    return add_months(today.replace(day=1), 1)
