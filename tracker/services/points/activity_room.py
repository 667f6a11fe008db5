"""The limits on a holder's activities and drafts in a scheme."""

from __future__ import annotations

from sqlalchemy import bindparam, case, func, select

from tracker.domain.errors import LimitReached
from tracker.domain.points.activities import ActivityState
from tracker.models import Activity
from tracker.services.core.context import ReadContext

COUNTED = select(
    func.count().label("all"),
    func.sum(case((Activity.state == ActivityState.DRAFT, 1), else_=0)).label("drafts"),
).where(Activity.holder_id == bindparam("holder_id"), Activity.scheme == bindparam("scheme"))
"""How many activities and drafts a holder has in a scheme; can be prefetched."""


def check(reading: ReadContext, holder_id: str, scheme: str) -> None:
    """Refuse an activity beyond the limits; the caller locks the holder. Raises LimitReached."""
    counts = reading.row(COUNTED, {"holder_id": holder_id, "scheme": scheme})
    limits = reading.settings.limits
    if counts.all >= limits.claims:
        message = f"There are {limits.claims} activities on record, the most allowed."
        raise LimitReached(f"{message} Ask the issuer for help.", limit=limits.claims)
    if (counts.drafts or 0) >= limits.drafts:
        message = (
            f"There are already {limits.drafts} drafts, the most allowed; submit or delete some "
            "first."
        )
        raise LimitReached(message, limit=limits.drafts)
