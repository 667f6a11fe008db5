"""The decisions on an activity, for reading; ``activities`` makes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from tracker.models import Decision
from tracker.services.core.context import ReadContext
from tracker.services.points import activities


def of_activity(reading: ReadContext, activity_id: str) -> Sequence[Any]:
    """Every decision on an activity, oldest first, including undone ones. Raises NotFound."""
    activities.get(reading, activity_id)
    table = Decision
    return reading.rows(
        select(
            table.id,
            table.verdict,
            table.decided_on,
            table.points_limit,
            table.provider_approved,
            table.reason_code,
            table.reason,
            table.decided_by,
            table.recorded_at,
            table.undone_at,
            table.undone_by,
            table.undone_reason,
        )
        .where(table.activity_id == activity_id)
        .order_by(table.decided_on, table.id)
    )
