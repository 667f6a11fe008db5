"""Former decisions on renewals: superseded by a later one, or undone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import bindparam, false, null, select

from tracker.domain.credentials.renewals import RenewalVerdict
from tracker.models import FormerRenewalDecision, Renewal
from tracker.services.core.context import ReadContext, UnitOfWork, columns_of


class RenewalDecisionRow(NamedTuple):
    """A decision on a renewal; the current one has no id and has not ended."""

    id: str | None
    decision: RenewalVerdict
    decided_on: date
    decided_by: str | None
    reason: str | None
    ended_at: datetime | None
    ended_by: str | None
    ended_reason: str | None
    undone: bool


def superseded_by_ruling(work: UnitOfWork, renewal_id: str) -> FormerRenewalDecision | None:
    """The decision that the current one superseded, if any.

    Goes through the former decisions in the order in which they ended, because undoing a decision
    makes the superseded one current again.
    """
    superseded: list[FormerRenewalDecision] = []
    for former in of_renewal(work, renewal_id):
        if not former.undone:
            superseded.append(former)
        elif superseded:
            superseded.pop()
    return superseded[-1] if superseded else None


def of_renewal(work: UnitOfWork, renewal_id: str) -> Sequence[FormerRenewalDecision]:
    """The former decisions on a renewal, in the order in which they ended."""
    table = FormerRenewalDecision
    statement = select(table).where(table.renewal_id == renewal_id).order_by(table.id)
    return work.session.scalars(statement).all()


def of_certification(
    reading: ReadContext, certification_id: str
) -> Mapping[str, Sequence[RenewalDecisionRow]]:
    """The former decisions on each renewal of a certification, in the order in which they ended."""
    found: dict[str, list[RenewalDecisionRow]] = defaultdict(list)
    for row in reading.rows(_OF_CERTIFICATION, {"id": certification_id}):
        found[row[0]].append(RenewalDecisionRow(*row[1:]))
    return found


_OF_CERTIFICATION = (
    select(FormerRenewalDecision.renewal_id, *columns_of(RenewalDecisionRow, FormerRenewalDecision))
    .join(Renewal, Renewal.id == FormerRenewalDecision.renewal_id)
    .where(Renewal.certification_id == bindparam("id"))
    .order_by(FormerRenewalDecision.id)
)


def with_ruling(reading: ReadContext, renewal_id: str) -> Sequence[RenewalDecisionRow]:
    """Every decision on a renewal, oldest first, the current one last."""
    table, ruling = FormerRenewalDecision, Renewal
    former = select(*columns_of(RenewalDecisionRow, table)).where(table.renewal_id == renewal_id)
    now = select(
        null().label("id"),
        ruling.decision,
        ruling.decided_on,
        ruling.decided_by,
        ruling.reason,
        null().label("ended_at"),
        null().label("ended_by"),
        null().label("ended_reason"),
        false().label("undone"),
    ).where(ruling.id == renewal_id, ruling.decision.is_not(None))
    return [
        *reading.rows_as(RenewalDecisionRow, former.order_by(table.id)),
        *reading.rows_as(RenewalDecisionRow, now),
    ]
