"""What follows from a decision on an activity, or its withdrawal, for what waits for points."""

from __future__ import annotations

from tracker.domain.points.activities import ActivityVerdict
from tracker.models import Activity, Decision
from tracker.services.core.context import UnitOfWork
from tracker.services.credentials import certifications, renewals
from tracker.services.outbox import cursors


def follow(work: UnitOfWork, activity: Activity, *, replaced: Decision | None = None) -> None:
    """Decide the application that waited for this activity, if one did.

    Where an approval is ``replaced``, the planner looks again: points that were complete may be so
    no more, and then a reminder that they made needless is told after all.
    """
    if replaced is not None and replaced.verdict == ActivityVerdict.APPROVED:
        cursors.touch_holders(work, [activity.holder_id])
    certification = certifications.of_holder(work, activity.holder_id, activity.scheme)
    if certification is not None:
        renewals.follow(work, certification)
