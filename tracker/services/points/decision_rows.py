"""The decisions on an activity, for reading; ``activity_decisions`` makes them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import select

from tracker.domain.points.activities import ActivityVerdict
from tracker.models import Decision
from tracker.services.core.context import ReadContext, columns_of
from tracker.services.points import activity_rows


class DecisionRow(NamedTuple):
    """A reviewer's decision on an activity, also if it was superseded or taken back."""

    id: str
    verdict: ActivityVerdict
    decided_on: date
    points_limit: Decimal | None
    provider_approved: bool
    reason_code: str | None
    reason: str | None
    decided_by: str
    recorded_at: datetime
    undone_at: datetime | None
    undone_by: str | None
    undone_reason: str | None


def of_activity(reading: ReadContext, activity_id: str) -> Sequence[DecisionRow]:
    """Every decision on an activity, oldest first, including undone ones. Raises NotFound."""
    activity_rows.get(reading, activity_id)
    table = Decision
    return reading.rows_as(
        DecisionRow,
        select(*columns_of(DecisionRow, table))
        .where(table.activity_id == activity_id)
        .order_by(table.decided_on, table.id),
    )
