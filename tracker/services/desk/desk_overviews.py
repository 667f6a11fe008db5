"""What waits for the certification body's staff today, of each kind of work: how much, how long."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, case, func, literal, select

from tracker.domain.desk import requests as request_rules
from tracker.domain.desk.approvals import ApprovalState
from tracker.domain.desk.requests import RequestState
from tracker.domain.desk.reviews import latest_overdue_start
from tracker.domain.points.attendance import DiscrepancyState
from tracker.models import ActApproval, Appeal, Discrepancy, HolderRequest, Renewal
from tracker.services.core import days
from tracker.services.core.context import Column, ReadContext
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


def read(reading: ReadContext) -> DeskOverview:
    """What waits today."""
    found = queue_figures.ages(reading, QueueFilter())
    if not reading.actor.is_staff:
        return DeskOverview(found, {})
    today = days.today_everywhere(reading)
    level = reading.settings.reviews.service_level_days
    answered = request_rules.due_on(today) - today
    open_approvals = (ActApproval.state == ApprovalState.OPEN, ActApproval.expires_at > reading.now)
    return DeskOverview(
        found,
        {
            "renewals": _waiting(
                reading,
                Renewal.submitted_on,
                Renewal.submitted_on <= latest_overdue_start(today, level),
                (Renewal.decision.is_(None), Renewal.withdrawn_on.is_(None)),
            ),
            "appeals": _waiting(
                reading, Appeal.due_on, Appeal.due_on < today, (Appeal.outcome.is_(None),)
            ),
            "requests": _waiting(
                reading,
                HolderRequest.requested_on,
                HolderRequest.requested_on < today - answered,
                (HolderRequest.state == RequestState.REQUESTED,),
            ),
            "discrepancies": _waiting(
                reading,
                Discrepancy.recorded_at,
                literal(value=False),
                (Discrepancy.state == DiscrepancyState.OPEN,),
            ),
            "approvals": _waiting(
                reading, ActApproval.expires_at, literal(value=False), open_approvals
            ),
        },
    )


def _waiting(
    reading: ReadContext,
    first: Column[date] | Column[datetime],
    is_late: ColumnElement[bool],
    which: tuple[ColumnElement[bool], ...],
) -> WorkWaiting:
    late = func.coalesce(func.sum(case((is_late, 1), else_=0)), 0)
    row = reading.row(select(func.count(), func.min(first), late).where(*which))
    earliest = row[1].date() if isinstance(row[1], datetime) else row[1]
    return WorkWaiting(row[0], earliest, row[2])
