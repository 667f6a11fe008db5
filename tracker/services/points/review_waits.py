"""How long decisions on activities took lately, and by when an activity should be submitted.

A job measures it once a day (``jobs.measure_waits()``); requests read two numbers.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, or_, select

from tracker.domain.credentials.certifications import Standing, Status
from tracker.domain.desk.reviews import WaitTimes
from tracker.domain.points import safe_days
from tracker.domain.points.activities import ActivityVerdict
from tracker.domain.points.safe_days import ExpectedWait, SafeDay
from tracker.models import Counter, Decision
from tracker.services.core import counters
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.standings.standings import CertificationPoints

PERCENT = 90
"""The share of decisions that the measured wait is enough for."""
DAYS, DECISIONS = "review_wait_days", "review_wait_decisions"
ENDED_A_WAIT = (Decision.waited_days.is_not(None), Decision.undone_at.is_(None))
"""The conditions of a decision that ended a wait and was not taken back."""

# Not IN, whose list SQLAlchemy writes into the text each time the statement is run.
MEASURED = select(Counter.name, Counter.count).where(
    or_(Counter.name == DAYS, Counter.name == DECISIONS)
)
_EARNING = frozenset({Status.ACTIVE, Status.RENEWAL_OPEN, Status.PENDING_RENEWAL, Status.GRACE})


def measure(work: UnitOfWork) -> WaitTimes:
    """Measure the waits that ended in the last days, and keep the result."""
    since = work.now.date() - timedelta(days=work.settings.reviews.measured_over_days)
    statement = select(Decision.waited_days, func.count()).where(
        *ENDED_A_WAIT,
        Decision.decided_on >= since,
        Decision.verdict != ActivityVerdict.MORE_INFORMATION,
    )
    rows = work.rows(statement.group_by(Decision.waited_days))
    times = WaitTimes({row.waited_days: row[1] for row in rows})
    counters.put(work, DAYS, times.percentile(PERCENT) or 0)
    counters.put(work, DECISIONS, times.count)
    return times


def expected(reading: ReadContext) -> ExpectedWait:
    """The wait to expect of a decision: as measured last, or the service level."""
    measured = {row.name: row.count for row in reading.rows(MEASURED, {})}
    rules = reading.settings.reviews
    return safe_days.expected_wait(
        measured.get(DAYS),
        measured.get(DECISIONS, 0),
        enough=rules.measured_decisions,
        service_level=rules.service_level_days,
    )


def safe_day(
    points: CertificationPoints | None, standing: Standing | None, wait: ExpectedWait | None
) -> SafeDay | None:
    """The latest safe day to submit, on the day of the standing.

    None where no points are missing, nothing expires, or no points are earned for a renewal.
    """
    if points is None or wait is None or points.evaluation.complete:
        return None
    if standing is None or standing.expires_on is None or standing.status not in _EARNING:
        return None
    expires_on, on = standing.expires_on, standing.on
    return safe_days.latest_safe_day(points.policy.terms_end_on(expires_on, on), wait, on=on)
