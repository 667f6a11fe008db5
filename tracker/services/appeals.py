"""Appeals: filed against a suspension or revocation, decided by somebody not involved before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from tracker.domain.errors import IllegalTransition, NotAllowed, NotFound, Stale
from tracker.domain.permissions import check_not_own, check_own_holder
from tracker.domain.renewals import check_appeal
from tracker.models import Appeal, Certification, StandingChange
from tracker.services import certifications, facts, history
from tracker.services.work import Reading, Work

_ONE = select(
    Appeal.id, Appeal.certification_id, Appeal.change_id, Appeal.statement, Appeal.filed_on,
    Appeal.due_on, Appeal.fee, Appeal.fee_refunded, Appeal.outcome, Appeal.decided_on,
    Appeal.reason, Appeal.version, Certification.holder_id,
).join(Certification, Certification.id == Appeal.certification_id)  # fmt: skip


def file(work: Work, certification_id: str, *, statement: str) -> str:
    """Appeal against the latest suspension or revocation. Raises AppealTooLate, IllegalTransition.

    Due within the published days of the notice; decided within those after it.
    """
    row = certifications.locked(work, certification_id)
    scheme = work.schemes[row.scheme]
    change = work.row(
        select(StandingChange.id, StandingChange.kind, StandingChange.recorded_at)
        .where(StandingChange.certification_id == row.id)
        .order_by(StandingChange.id.desc())
    )
    if change is None or change.kind not in {"suspend", "revoke"} or scheme.appeals is None:
        raise IllegalTransition("There is no suspension or revocation to appeal.", state="none")
    rule, on = scheme.appeals, work.today(scheme)
    noticed_on = change.recorded_at.astimezone(scheme.time_zone).date()
    check_appeal(rule, noticed_on=noticed_on, on=on)
    made = Appeal(
        certification_id=row.id, change_id=change.id, statement=statement, filed_on=on,
        due_on=on + timedelta(days=rule.decided_within_days), fee=rule.fee, recorded_at=work.now,
    )  # fmt: skip
    work.session.add(made)
    try:
        work.session.flush()
    except IntegrityError as error:
        raise IllegalTransition("An appeal is open already.", state="open") from error
    history.record(work, "appeal", "certification", row.id, change_id=change.id)
    return made.id


def decide(
    work: Work, appeal_id: str, *, outcome: Literal["upheld", "dismissed"], reason: str,
    version: int,
) -> None:  # fmt: skip
    """Uphold an appeal, which reinstates and refunds the fee, or dismiss it.

    By somebody who did not decide what is appealed. Where the policy restores the gap, the
    reinstatement takes effect on the day of the change it undoes. Raises NotAllowed, Stale.
    """
    found = work.session.get(Appeal, appeal_id)
    if found is None:
        raise NotFound
    row = certifications.locked(work, found.certification_id)
    work.session.refresh(found)
    check_not_own(work.actor, row.holder_id)
    if found.outcome is not None:
        raise IllegalTransition(f"The appeal is {found.outcome} already.", state=found.outcome)
    if found.version != version:
        raise Stale("The appeal changed since you read it; read it again.")
    change = work.session.get_one(StandingChange, found.change_id)
    if change.decided_by == work.actor.name:
        raise NotAllowed("An appeal is decided by somebody not involved before.")
    scheme = work.schemes[row.scheme]
    rule = scheme.appeals
    on = work.today(scheme)
    found.outcome, found.reason, found.decided_on = outcome, reason, on
    found.decided_by = work.actor.name
    found.fee_refunded = outcome == "upheld" and bool(rule and rule.refunded_on_success)
    work.session.flush()
    history.record(work, outcome, "appeal", found.id, reason=reason)
    if outcome == "upheld":
        certifications.change(
            work, row.id, kind="reinstate", reason_code="appeal_upheld", reason=reason,
            effective_on=change.effective_on if rule and rule.restores_gap else on,
        )  # fmt: skip


def get(reading: Reading, appeal_id: str) -> Any:
    """An appeal's row. Raises NotFound, also for somebody else's."""
    row = reading.row(_ONE.where(Appeal.id == appeal_id))
    if row is None:
        raise NotFound
    check_own_holder(reading.actor, row.holder_id)
    return row


def of_certification(reading: Reading, certification_id: str) -> Sequence[Any]:
    """The appeals about a certification, oldest first. Raises NotFound."""
    row = facts.certification(reading, certification_id)
    return reading.rows(_ONE.where(Appeal.certification_id == row.id).order_by(Appeal.id))
