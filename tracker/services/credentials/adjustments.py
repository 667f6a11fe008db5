"""Adjustments of cycles: extend a certification, reduce its requirement, and read both.

Invariant: an adjustment is written with the holder locked, in one transaction with its history
entry and the resulting timeline and reminder cursor. For many at once, see ``mass_extensions``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter
from typing import NamedTuple

from sqlalchemy import ColumnElement, select
from sqlalchemy.exc import IntegrityError

from tracker.db import new_id
from tracker.domain.credentials import adjustments as rules
from tracker.domain.credentials.adjustments import ExtensionRequest
from tracker.domain.credentials.certifications import CycleTerm, hold_on, requirement_of
from tracker.domain.delivery.notices import NoticeKind
from tracker.domain.errors import AlreadyRecorded, Invalid, NotFound
from tracker.domain.points.claims import Evaluation
from tracker.domain.schemes.policies import Policy
from tracker.domain.schemes.reasons import of_policies
from tracker.domain.schemes.schemes import Scheme
from tracker.models import Adjustment, AdjustmentBatch
from tracker.services.core import bulk, history
from tracker.services.core.batched import ID, KNOWN_AT
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.core.row_scope import scope
from tracker.services.credentials import certifications
from tracker.services.credentials.restored_days import AdjustmentToInsert
from tracker.services.outbox import notices
from tracker.services.outbox.notices import NoticeToTell
from tracker.services.standings import related_facts, snapshots, standings
from tracker.services.standings.snapshots import CertificationRow

ONE = Decimal(1)
RequirementShare = Callable[[], Decimal]
"""Computes the earned share of the requirement; called only if the rule needs it."""


@dataclass(frozen=True, slots=True)
class AdjustmentToRecord:
    """An adjustment as requested; a day that is not given is today.

    ``override_reason`` says why it is granted although the policy's rule refuses it.
    """

    reason_code: str
    reason: str
    extended_to: date | None = None
    points_required: Decimal | None = None
    effective_on: date | None = None
    requested_on: date | None = None
    override_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Granted:
    """An adjustment that has been checked: the cycle, the change, and any refusal overridden."""

    record: snapshots.CertificationRecord
    cycle: CycleTerm
    wanted: AdjustmentToRecord
    effective_on: date
    requested_on: date
    overrode: str | None


class AdjustmentRow(NamedTuple):
    """An adjustment as it is shown, with the ref of its batch."""

    id: str
    certification_id: str
    cycle: int
    number: int
    extended_to: date | None
    points_required: Decimal | None
    effective_on: date
    reason_code: str
    reason: str
    override_reason: str | None
    decided_by: str
    batch_id: str | None
    batch: str | None
    recorded_at: datetime


def adjust(work: UnitOfWork, certification_id: str, wanted: AdjustmentToRecord) -> str:
    """Extend the last cycle opened, reduce its requirement, or both.

    Raises the refusals of ``domain.credentials.adjustments``; those of the policy's rule can be
    overridden with an ``override_reason``. Also raises Invalid, UnknownReason, SelfReview,
    AlreadyRecorded, NotFound.
    """
    row = certifications.locked_to_decide(work, certification_id)
    rules.check_reason(wanted.reason_code)
    certifications.check_open(work, row, None, date.max)
    scheme = work.schemes[row.scheme]
    check_reason(work, scheme, wanted.reason_code, wanted.reason)
    record = snapshots.records(work, [row.id])[row.id]
    today = work.today(scheme)
    granted = grant(
        scheme,
        record,
        wanted,
        today=today,
        share=lambda: _share(work, scheme, row, record, wanted.requested_on or today),
    )
    made = row_of(work, granted)
    try:
        bulk.insert(work, Adjustment, [made])
    except IntegrityError as error:
        raise AlreadyRecorded(
            "Someone else adjusted this cycle just now; read it again."
        ) from error
    history.record(work, action_of(wanted), "certification", row.id, **detail_of(granted))
    certifications.refresh(work, scheme, [row.id])
    notices.tell(work, [news_of(made, row.holder_id, today)])
    return made["id"]


def news_of(made: AdjustmentToInsert, holder_id: str, today: date) -> NoticeToTell:
    """The notice to a holder about an adjustment made today."""
    return NoticeToTell(
        kind=NoticeKind.ADJUSTED,
        holder_id=holder_id,
        subject_id=made["certification_id"],
        event=made["id"],
        on=today,
    )


def check_reason(reading: ReadContext, scheme: Scheme, code: str, words: str) -> None:
    """Refuse a reason code that is neither in the list nor in a policy of the scheme.

    Raises UnknownReason.
    """
    reading.reasons.check("extension", code, words=words, also=of_policies(scheme))


def grant(
    scheme: Scheme,
    record: snapshots.CertificationRecord,
    wanted: AdjustmentToRecord,
    *,
    today: date,
    share: RequirementShare,
) -> Granted:
    """Check an adjustment of the last cycle opened: its values, and the policy's rule."""
    cycle = record.cycles[-1]
    requested_on, effective_on = wanted.requested_on or today, wanted.effective_on or today
    expires_on = rules.check_adjustable(cycle, hold_on(record.changes, date.max))
    _check_day("requested_on", requested_on, cycle.opened_on, today)
    _check_day("effective_on", effective_on, cycle.opened_on, today)
    policy = scheme.policy(cycle.policy)
    in_force = record.expires_on or expires_on
    if wanted.extended_to is not None:
        rules.check_later(wanted.extended_to, expires_on=expires_on, in_force=in_force)
    if wanted.points_required is not None:
        rules.check_lower(
            wanted.points_required,
            required=policy.points_required,
            in_force=requirement_of(cycle, record.adjustments, date.max),
        )
    granted = Granted(record, cycle, wanted, effective_on, requested_on, overrode=None)
    try:
        _check_rules(policy, granted, share)
    except rules.OVERRIDABLE as refusal:
        if not wanted.override_reason:
            raise
        return replace(granted, overrode=refusal.code)
    return granted


def _check_day(field: str, day: date, first: date, last: date) -> None:
    if not first <= day <= last:
        rule = f"must be between the first day of the cycle ({first}) and today ({last})"
        raise Invalid("The day is outside the cycle.", fields={field: rule})


def _check_rules(policy: Policy, granted: Granted, share: RequirementShare) -> None:
    wanted, rule = granted.wanted, policy.extension
    if wanted.extended_to is not None:
        asks = rule is not None and rule.share_earned is not None
        request = ExtensionRequest(
            extended_to=wanted.extended_to,
            requested_on=granted.requested_on,
            in_force=granted.record.expires_on or date.max,
            share_earned=share() if asks else ONE,
            reason=wanted.reason_code,
        )
        rules.check_extension(rule, granted.cycle, request)
    if wanted.points_required is not None:
        rules.check_reduction(
            policy.reduction,
            required=policy.points_required,
            points_required=wanted.points_required,
            reason=wanted.reason_code,
        )


def _share(
    work: UnitOfWork,
    scheme: Scheme,
    row: CertificationRow,
    record: snapshots.CertificationRecord,
    on: date,
) -> Decimal:
    """The share of the requirement that the holder had earned by a day."""
    claimed = snapshots.activities(work, [row.holder_id])[row.holder_id, row.scheme]
    related = related_facts.of_one(work, scheme, row)
    day = max(on, record.cycles[-1].starts_on)
    points = standings.evaluate(scheme, record, claimed, on=day, related=related)
    return share_of(points.evaluation if points else None)


def share_of(evaluation: Evaluation | None) -> Decimal:
    """The share of the requirement earned, from 0 to 1; 0.5 is half."""
    if evaluation is None or evaluation.complete or not evaluation.required:
        return ONE
    return min(evaluation.total / evaluation.required, ONE)


def row_of(
    work: UnitOfWork, granted: Granted, *, batch_id: str | None = None
) -> AdjustmentToInsert:
    """An adjustment as a row to insert; its number is the next one of its cycle."""
    record, wanted, ordinal = granted.record, granted.wanted, granted.cycle.ordinal
    return {
        "id": new_id(),
        "certification_id": record.certification_id,
        "ordinal": ordinal,
        "number": sum(a.ordinal == ordinal for a in record.adjustments) + 1,
        "extended_to": wanted.extended_to,
        "points_required": wanted.points_required,
        "effective_on": granted.effective_on,
        "reason_code": wanted.reason_code,
        "reason": wanted.reason,
        "override_reason": wanted.override_reason if granted.overrode else None,
        "decided_by": work.actor.name,
        "batch_id": batch_id,
        "recorded_at": work.now,
    }


def action_of(wanted: AdjustmentToRecord) -> str:
    """The action under which history records it."""
    return "reduce" if wanted.extended_to is None else "extend"


def detail_of(granted: Granted, **more: object) -> dict[str, object]:
    """The detail that history records; an override is recorded by the code of the refusal."""
    wanted = granted.wanted
    return {
        "cycle": granted.cycle.ordinal,
        "expires_on": granted.cycle.expires_on,
        "before": granted.record.expires_on,
        "extended_to": wanted.extended_to,
        "points_required": wanted.points_required,
        "effective_on": granted.effective_on,
        "requested_on": granted.requested_on,
        "reason_code": wanted.reason_code,
        "reason": wanted.reason,
        "override": wanted.override_reason if granted.overrode else None,
        "overrode": granted.overrode,
        **more,
    }


# Reading.
COLUMNS = (
    Adjustment.id,
    Adjustment.certification_id,
    Adjustment.ordinal.label("cycle"),
    Adjustment.number,
    Adjustment.extended_to,
    Adjustment.points_required,
    Adjustment.effective_on,
    Adjustment.reason_code,
    Adjustment.reason,
    Adjustment.override_reason,
    Adjustment.decided_by,
    Adjustment.batch_id,
    AdjustmentBatch.ref.label("batch"),
    Adjustment.recorded_at,
)
_ALL = select(*COLUMNS).join(
    AdjustmentBatch, AdjustmentBatch.id == Adjustment.batch_id, isouter=True
)
OF_CERTIFICATION = _ALL.where(Adjustment.certification_id == ID, Adjustment.recorded_at <= KNOWN_AT)
"""The adjustments of the certification ``id``; can be prefetched."""


def known_of(reading: ReadContext, parameters: Mapping[str, object]) -> Sequence[AdjustmentRow]:
    """The adjustments of a certification in the order of recording; see ``OF_CERTIFICATION``."""
    rows = reading.rows_as(AdjustmentRow, OF_CERTIFICATION, parameters)
    return sorted(rows, key=attrgetter("cycle", "number"))


def page(
    reading: ReadContext, certification_id: str, *, after: str | None, limit: int
) -> Sequence[AdjustmentRow]:
    """A page of a certification's adjustments, in the order of recording. Raises NotFound."""
    row = snapshots.certification(reading, certification_id)
    return page_where(reading, Adjustment.certification_id == row.id, after=after, limit=limit)


def page_where(
    reading: ReadContext, condition: ColumnElement[bool], *, after: str | None, limit: int
) -> Sequence[AdjustmentRow]:
    """A page of adjustments that meet a condition, in the order of their ids."""
    statement = _ALL.where(condition).order_by(Adjustment.id).limit(limit)
    if after:
        statement = statement.where(Adjustment.id > after)
    return reading.rows_as(AdjustmentRow, statement)


def get(reading: ReadContext, adjustment_id: str) -> AdjustmentRow:
    """One adjustment. Raises NotFound, also for another holder's."""
    statement = _ALL.where(Adjustment.id == adjustment_id, scope(reading.actor, Adjustment))
    row = reading.row_as(AdjustmentRow, statement)
    if row is None:
        raise NotFound
    return row
