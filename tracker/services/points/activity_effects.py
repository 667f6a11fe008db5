"""The effects of decisions on activities, or of a withdrawal, on applications and reminders."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select

from tracker.domain.permissions import SYSTEM
from tracker.domain.points.activities import ActivityVerdict
from tracker.models import Activity, Certification, Decision, Holder, Renewal
from tracker.services.core import bulk
from tracker.services.core.context import UnitOfWork
from tracker.services.credentials import certifications, renewals
from tracker.services.outbox import cursors
from tracker.services.standings import snapshots
from tracker.services.standings.snapshots import HolderScheme, ZonedCertification


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


def follow_many(work: UnitOfWork, places: Collection[HolderScheme]) -> None:
    """The same after activities that nobody had answered, of many holders, were decided.

    One statement finds the applications that may depend on one of them; each is then updated by
    itself.
    """
    automatic = Renewal.decision.is_(None) | (Renewal.decided_by == SYSTEM.name)
    statement = (
        select(*snapshots.CERTIFICATION, Holder.time_zone)
        .join(Holder, Holder.id == Certification.holder_id)
        .where(
            bulk.among(work, Certification.holder_id, {holder_id for holder_id, _ in places}),
            snapshots.CURRENT,
            Certification.id.in_(
                select(Renewal.certification_id).where(Renewal.withdrawn_on.is_(None), automatic)
            ),
        )
        .order_by(Certification.id)
    )
    for row in work.rows_as(ZonedCertification, statement):
        if (row.holder_id, row.scheme) in places:
            renewals.follow(work, row)
