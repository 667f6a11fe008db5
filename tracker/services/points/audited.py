"""Whether an activity is being audited: then it takes evidence although it is approved."""

from __future__ import annotations

from sqlalchemy import select

from tracker.domain.desk.audits import OPEN
from tracker.models import AuditItem
from tracker.services.core.context import ReadContext


def is_audited(reading: ReadContext, activity_id: str) -> bool:
    """Whether an audit of the activity has no outcome yet."""
    found = select(AuditItem.id).where(
        AuditItem.activity_id == activity_id, AuditItem.state.in_(sorted(OPEN))
    )
    return reading.row(found) is not None
