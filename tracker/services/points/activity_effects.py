"""The effects of a decision on an activity, or of its withdrawal, on applications and reminders."""

from __future__ import annotations

from tracker.domain.points.activities import ActivityVerdict
from tracker.models import Activity, Decision
from tracker.services.core.context import UnitOfWork
from tracker.services.credentials import certifications, renewals
from tracker.services.outbox import cursors


def follow(work: UnitOfWork, activity: Activity, *, replaced: Decision | None = None) -> None:
    """Update the application that depends on this activity, if there is one.

    If an approval is ``replaced``, the holder's reminders are planned again: the points may no
    longer be complete, and then a reminder that they made needless must be sent after all.
    """
    if replaced is not None and replaced.verdict == ActivityVerdict.APPROVED:
        cursors.touch_holders(work, [activity.holder_id])
    certification = certifications.of_holder(work, activity.holder_id, activity.scheme)
    if certification is not None:
        renewals.follow(work, certification)
