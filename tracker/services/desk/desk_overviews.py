"""What waits for the certification body's staff today, of each kind of work: how much, how long."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Date, bindparam, case, func, literal, select

from tracker.db import Instant
from tracker.domain.desk import requests as request_rules
from tracker.domain.desk.approvals import ApprovalState
from tracker.domain.desk.requests import RequestState
from tracker.domain.desk.reviews import latest_overdue_start
from tracker.domain.points.attendance import DiscrepancyState
from tracker.models import ActApproval, Appeal, Discrepancy, HolderRequest, Renewal
from tracker.services.core import days
from tracker.services.core.combined import Statement, Together
from tracker.services.core.context import AnyRow, Column, ReadContext
from tracker.services.desk import queue_figures
from tracker.services.desk.queue_figures import QueueAges
from tracker.services.desk.queue_order import QueueFilter


@dataclass(frozen=True, slots=True)
class WorkWaiting:
    """Work of one kind: how much waits, the first day that counts for it, how much is late.

    ``first_on`` is the earliest day of arrival, or the earliest deadline where there is one.
    """

    count: int
    first_on: date | None
    late: int


@dataclass(frozen=True, slots=True)
class DeskOverview:
    """All that waits. Reviewers decide activities alone: ``others`` is empty for them.

    ``others`` is by kind of work: renewals, appeals, requests, discrepancies, approvals.
    """

    reviews: QueueAges
    others: dict[str, WorkWaiting]


def _waiting(
    first: Column[date] | Column[datetime],
    is_late: ColumnElement[bool],
    *which: ColumnElement[bool],
) -> Statement:
    """How much waits, the first day or instant, and how much of it is late."""
    late = func.coalesce(func.sum(case((is_late, 1), else_=0)), 0).label("late")
    waiting = func.count().label("waiting")
    return select(waiting, func.min(first).label("first"), late).where(*which)


_TODAY, _OVERDUE = bindparam("today", type_=Date), bindparam("overdue", type_=Date)
_UNANSWERED, _NEVER = bindparam("unanswered", type_=Date), literal(value=False)
_KINDS: dict[str, Statement] = {
    "renewals": _waiting(
        Renewal.submitted_on,
        Renewal.submitted_on <= _OVERDUE,
        Renewal.decision.is_(None),
        Renewal.withdrawn_on.is_(None),
    ),
    "appeals": _waiting(Appeal.due_on, Appeal.due_on < _TODAY, Appeal.outcome.is_(None)),
    "requests": _waiting(
        HolderRequest.requested_on,
        HolderRequest.requested_on < _UNANSWERED,
        HolderRequest.state == RequestState.REQUESTED,
    ),
    "discrepancies": _waiting(
        Discrepancy.recorded_at, _NEVER, Discrepancy.state == DiscrepancyState.OPEN
    ),
    "approvals": _waiting(
        ActApproval.expires_at,
        _NEVER,
        ActApproval.state == ApprovalState.OPEN,
        ActApproval.expires_at > bindparam("now", type_=Instant),
    ),
}
_ALL = Together(*_KINDS.values())


def read(reading: ReadContext) -> DeskOverview:
    """What waits today."""
    found = queue_figures.ages(reading, QueueFilter())
    if not reading.actor.is_staff:
        return DeskOverview(found, {})
    today = days.today_everywhere(reading)
    level = reading.settings.reviews.service_level_days
    answered = request_rules.due_on(today) - today
    parameters = {
        "today": today,
        "now": reading.now,
        "overdue": latest_overdue_start(today, level),
        "unanswered": today - answered,
    }
    rows = [row for (row,) in _ALL.read(reading, parameters)]
    return DeskOverview(found, dict(zip(_KINDS, map(_shown, rows), strict=True)))


def _shown(row: AnyRow) -> WorkWaiting:
    first = row.first.date() if isinstance(row.first, datetime) else row.first
    return WorkWaiting(row.waiting, first, row.late)
