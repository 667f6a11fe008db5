"""Activities as their holders log, change, submit and withdraw them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import delete, select, update

from tracker.db import new_id
from tracker.domain.credentials.certifications import Hold, cycle_on, hold_on
from tracker.domain.delivery.notices import NoticeKind
from tracker.domain.errors import IllegalTransition, Invalid, NotFound
from tracker.domain.points import activities as rules
from tracker.domain.points import cycle_rules
from tracker.domain.points.activities import ActivityState
from tracker.domain.points.claims import Claim
from tracker.domain.points.cycle_rules import Case
from tracker.domain.schemes.activity_types import ActivityType
from tracker.models import Activity, Evidence, OtherCredential
from tracker.services.core import bulk, history, writers
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.core.prefetch import Prefetch
from tracker.services.credentials import certifications
from tracker.services.points import (
    activity_changes,
    activity_effects,
    activity_room,
    activity_rows,
    confirmed_months,
    listed_claims,
)
from tracker.services.standings import snapshots
from tracker.services.standings.snapshots import CertificationRecord, ZonedCertification

CLAIMED = (
    "category",
    "type",
    "title",
    "provider",
    "quantity",
    "starts_on",
    "completed_on",
    "unit",
    "role",
    "tags",
    "duty",
)


def claimed(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of an activity's row; a missing value becomes an empty text or list."""
    value, tags = values.get, values.get("tags")
    return {
        "category": value("category"),
        "type": value("type"),
        "title": value("title"),
        "provider": value("provider") or "",
        "quantity": value("quantity"),
        "starts_on": value("starts_on"),
        "completed_on": value("completed_on"),
        "unit": value("unit") or "",
        "role": value("role") or "",
        "tags": sorted(set(tags)) if tags else [],
        "duty": bool(value("duty")),
    }


def claim_of(ref: str, stated: Mapping[str, Any]) -> Claim:
    """The claim that a row with these values makes."""
    return Claim(ref=ref, **{**stated, "tags": frozenset(stated["tags"])})


def log(work: UnitOfWork, certification_id: str, values: Mapping[str, object]) -> str:
    """Log an activity as a draft; returns its id.

    ``values`` are those of ``CLAIMED``, of which some may be missing. Raises Invalid, OutsideCycle,
    LimitReached, IllegalTransition, NotFound.
    """
    return logged(work, certification_id, values).id


_TO_LOG = Prefetch(*snapshots.RECORD, activity_room.COUNTED)


def logged(
    work: UnitOfWork, certification_id: str, values: Mapping[str, object]
) -> activity_rows.ActivityRow:
    """The same; returns the activity as ``get()`` would, without reading what was just written."""
    row = certifications.locked(work, certification_id)
    whose = {"holder_id": row.holder_id, "scheme": row.scheme}
    facts = _TO_LOG.read(work, snapshots.known({"id": row.id, **whose}))
    check(work, row, snapshots.record(facts, row.id), values)
    activity_room.check(facts, row.holder_id, row.scheme)
    id_ = new_id()
    made = {
        "id": id_,
        "holder_id": row.holder_id,
        "scheme": row.scheme,
        "state": ActivityState.DRAFT,
        "recorded_at": work.now,
        "version": 1,
        **claimed(values),
    }
    bulk.insert(work, Activity, [made])
    history.record(work, "log", "activity", id_, type=values["type"])
    writers.note(work, [id_])
    return activity_rows.as_logged(made)


def _check(
    work: UnitOfWork, certification: ZonedCertification, values: Mapping[str, object]
) -> ActivityType:
    """Check a claim against its cycle and its cycle's policy; returns the activity's type.

    Today is the date in the holder's time zone, even if staff log the activity for them.
    """
    record = snapshots.records(work, [certification.id])[certification.id]
    return check(work, certification, record, values)


def check(
    work: UnitOfWork,
    certification: ZonedCertification,
    record: CertificationRecord,
    values: Mapping[str, object],
) -> ActivityType:
    """The same check against facts that the caller has read; returns the activity's type."""
    scheme = work.schemes[certification.scheme]
    on = work.day_of(scheme, certification.time_zone)
    if hold_on(record.changes, on) in {Hold.REVOKED, Hold.SURRENDERED}:
        raise IllegalTransition(
            "The certification was revoked or surrendered; its points are frozen.", state="ended"
        )
    claim = claim_of("", claimed(values))
    case = Case(scheme, record.cycles, record.applications, record.adjustments)
    kind = type_of_claim(case, claim, on=on)
    zone = scheme.zone_of(certification.time_zone)
    earning = cycle_rules.earning(case, on)
    rules.check_dates(kind, claim, record.cycles, on=on, earning=earning, zone=zone)
    return kind


def type_of_claim(case: Case, claim: Claim, *, on: date) -> ActivityType:
    """The type of a claim by the first version that governs its cycle and accepts it.

    Raises UnknownActivityType, or Invalid with the reasons of the last version that refused it.
    """
    cycle = cycle_on(case.cycles, min(claim.completed_on or on, on))
    if not cycle.policy:
        raise Invalid(
            f"The scheme {case.scheme.code} never expires, so no points are counted for it."
        )
    refused: Invalid | None = None
    for policy in cycle_rules.versions(case, cycle, on):
        try:
            kind = policy.activity_type(claim.type, claim.category)
            rules.check_claim(kind, claim, tags=policy.tags)
        except Invalid as refusal:
            refused = refusal
        else:
            return kind
    raise refused or Invalid("No version of the policy applies to the cycle.")


def edit(work: UnitOfWork, activity_id: str, values: Mapping[str, object], *, version: int) -> None:
    """Change an activity that is with its holder: a draft, a returned or a withdrawn one.

    Raises IllegalTransition, Stale.
    """
    activity = activity_changes.own(work, activity_id, version)
    rules.check_step("edit", activity.state)  # type: ignore[arg-type]
    merged = claimed({key: values.get(key, getattr(activity, key)) for key in CLAIMED})
    _check(work, _certification(work, activity), merged)
    changed = history.changes({key: getattr(activity, key) for key in CLAIMED}, merged)
    for key, value in merged.items():
        setattr(activity, key, value)
    activity_changes.flush(work)
    history.record(work, "edit", "activity", activity.id, changes=changed)
    writers.note(work, [activity.id])


def _certification(work: UnitOfWork, activity: Activity) -> ZonedCertification:
    """The certification that the activity is claimed for, with its holder's time zone."""
    row = certifications.of_holder(work, activity.holder_id, activity.scheme)
    if row is None:
        raise NotFound
    return row


def submit(work: UnitOfWork, activity_id: str) -> None:
    """Submit an activity for review, today.

    An answer to a reviewer's question keeps the original submission date, so that what was in time
    stays in time; the days with the holder are not waited for the decision. Raises
    IllegalTransition, OutsideCycle, EvidenceMissing.
    """
    activity = activity_changes.own(work, activity_id, None)
    rules.check_step("submit", activity.state)  # type: ignore[arg-type]
    certification = _certification(work, activity)
    _check_submission(work, activity, certification)
    on = work.day_of(work.schemes[activity.scheme], certification.time_zone)
    if activity.state != ActivityState.MORE_INFORMATION or activity.submitted_on is None:
        activity.submitted_on, activity.wait_from = on, None
    else:
        activity.wait_from = (
            activity_changes.wait(activity, activity_changes.ruling(work, activity))
            .resumed(on)
            .begins_on
        )
    activity.state = ActivityState.SUBMITTED
    activity.submitted_at, activity.withdrawn_on = work.now, None
    activity_changes.flush(work)
    history.record(work, "submit", "activity", activity.id)
    listed_claims.compare(work, activity)
    writers.note(work, [activity.id])
    event = work.now.isoformat()
    activity_changes.tell(work, activity, kind=NoticeKind.ACTIVITY_SUBMITTED, event=event, on=on)


def _check_submission(
    work: UnitOfWork, activity: Activity, certification: ZonedCertification
) -> None:
    """Refuse an activity that may not be submitted."""
    kind = _check(work, certification, {key: getattr(activity, key) for key in CLAIMED})
    rules.check_evidence(
        kind,
        files=activity_rows.count_evidence(work, activity.id) or _count_confirmed(work, activity),
        add_at=f"POST /api/v1/activities/{activity.id}/evidence",
    )


def _count_confirmed(reading: ReadContext, activity: Activity) -> int:
    """How many confirmations of an employer are evidence for the activity, as a file would be."""
    if not is_job(reading, activity):
        return 0
    confirmed = confirmed_months.of_holder(reading, activity.holder_id)
    days = activity.starts_on, activity.completed_on
    return len(confirmed_months.of_claim(confirmed, activity.provider, *days))


def withdraw(work: UnitOfWork, activity_id: str) -> None:
    """Withdraw an activity before it is decided. Raises IllegalTransition."""
    activity = activity_changes.own(work, activity_id, None)
    rules.check_step("withdraw", activity.state)  # type: ignore[arg-type]
    certification = _certification(work, activity)
    activity.state = ActivityState.WITHDRAWN
    on = work.day_of(work.schemes[activity.scheme], certification.time_zone)
    activity.withdrawn_on = max(on, activity.submitted_on or on)
    activity_changes.flush(work)
    history.record(work, "withdraw", "activity", activity.id)
    activity_effects.follow(work, activity)


def discard(work: UnitOfWork, activity_id: str, *, version: int) -> list[str]:
    """Delete a draft with its evidence; returns the storage keys of the files to remove.

    A credential that it was claimed for can be claimed again.
    """
    activity = activity_changes.own(work, activity_id, version)
    rules.check_step("delete", activity.state)  # type: ignore[arg-type]
    keys = [
        r.key for r in work.rows(select(Evidence.key).where(Evidence.activity_id == activity.id))
    ]
    work.connection.execute(delete(Evidence).where(Evidence.activity_id == activity.id))
    claimed_as = update(OtherCredential).where(OtherCredential.activity_id == activity.id)
    work.execute(claimed_as.values(activity_id=None))
    work.session.delete(activity)
    activity_changes.flush(work)
    history.record(work, "discard", "activity", activity_id)
    return keys


def is_job(work: ReadContext, activity: Activity) -> bool:
    """Whether an activity is employment, by the policy versions of its scheme."""
    policies = work.schemes[activity.scheme].policies
    kinds = (policy.types.get(activity.type) for policy in policies)
    return any(kind is not None and kind.is_job for kind in kinds)
