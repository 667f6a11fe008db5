"""What an outcome of an audit changes: points, standing, and applications that no longer fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import select

from tracker.domain.credentials.certifications import cycle_on
from tracker.domain.credentials.renewals import RenewalVerdict
from tracker.models import Activity, Renewal
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.credentials import applications, certifications
from tracker.services.credentials.applications import ApplicationPoints
from tracker.services.standings import snapshots, standings
from tracker.services.standings.snapshots import ZonedCertification


@dataclass(frozen=True, slots=True)
class AppliedPoints:
    """An application, and the points of what was submitted for it in time."""

    renewal_id: str
    submitted_on: date
    decision: RenewalVerdict | None
    total: Decimal
    required: Decimal
    complete: bool


@dataclass(frozen=True, slots=True)
class AuditSituation:
    """The points of the activity's cycle, the standing today, and the applications by their id."""

    points: Decimal | None
    status: str | None
    valid: bool
    expires_on: date | None
    applications: Mapping[str, AppliedPoints]


@dataclass(frozen=True, slots=True)
class AuditEffects:
    """The situation before and after an outcome.

    Approved applications that no longer fit stay approved until somebody decides them again; one
    that waits is denied where nothing more can come.
    """

    before: AuditSituation
    after: AuditSituation

    @property
    def fallen(self) -> list[AppliedPoints]:
        """The applications that had their points before and lack some after, as they are after."""
        had = self.before.applications
        return [
            one
            for id_, one in self.after.applications.items()
            if not one.complete and id_ in had and had[id_].complete
        ]


def points_of_cycle(reading: ReadContext, activity: Activity) -> Decimal | None:
    """The points of the cycle that the activity belongs to, by its last day or by today.

    None without a current certification, or where no points are counted.
    """
    row = certifications.of_holder(reading, activity.holder_id, activity.scheme)
    return None if row is None else _points(reading, row, activity)


def most_of(reading: ReadContext, activity: Activity) -> Decimal | None:
    """The most that an approved activity may bring: its points before limits cut them.

    None without a current certification, or where it brings nothing in its cycle.
    """
    row = certifications.of_holder(reading, activity.holder_id, activity.scheme)
    counted = None if row is None else _counted(reading, row, activity)
    lines = counted.judged.evaluation.credits if counted else ()
    return next((one.claimed for one in lines if one.ref == activity.id), None)


def _points(reading: ReadContext, row: ZonedCertification, activity: Activity) -> Decimal | None:
    counted = _counted(reading, row, activity)
    return counted.judged.evaluation.total if counted else None


def _counted(
    reading: ReadContext, row: ZonedCertification, activity: Activity
) -> ApplicationPoints | None:
    scheme = reading.schemes[row.scheme]
    record = snapshots.records(reading, [row.id])[row.id]
    today = reading.day_of(scheme, row.time_zone)
    done = activity.completed_on or activity.starts_on or today
    cycle = cycle_on(record.cycles, min(done, today))
    on = min(today, cycle.expires_on or today)
    return applications.count(reading, row, record, on=max(on, cycle.starts_on), last=date.max)


def situation(work: UnitOfWork, activity: Activity) -> AuditSituation:
    """How things stand with the holder's certification under the activity's scheme."""
    work.session.flush()
    row = certifications.of_holder(work, activity.holder_id, activity.scheme)
    if row is None:
        return AuditSituation(None, None, valid=False, expires_on=None, applications={})
    on = work.day_of(work.schemes[row.scheme], row.time_zone)
    held = standings.of_certification(work, row.id, on=on)
    return AuditSituation(
        _points(work, row, activity),
        held.standing.status if held else None,
        valid=held is not None and held.standing.valid,
        expires_on=held.standing.expires_on if held else None,
        applications=_applications(work, row),
    )


def _applications(work: UnitOfWork, row: ZonedCertification) -> dict[str, AppliedPoints]:
    """Every application that waits or was approved, or denied for want of points just now."""
    made = select(Renewal).where(Renewal.certification_id == row.id, Renewal.withdrawn_on.is_(None))
    record = snapshots.records(work, [row.id])[row.id]
    found: dict[str, AppliedPoints] = {}
    for renewal in work.session.scalars(made.order_by(Renewal.id)).all():
        case = applications.of_renewal(work, row, record, renewal)
        counted = applications.judge(work, row, case)
        if counted is not None:
            points = counted.judged.evaluation
            found[renewal.id] = AppliedPoints(
                renewal.id,
                renewal.submitted_on,
                RenewalVerdict(renewal.decision) if renewal.decision else None,
                points.total,
                points.required,
                points.complete,
            )
    return found
