"""What becomes of a fee, and of an application that waits for nothing else."""

from __future__ import annotations

from sqlalchemy import select

from tracker.domain.credentials.appeals import AppealVerdict
from tracker.domain.credentials.fees import FeeChange
from tracker.domain.errors import BuiltUpon, IllegalTransition, RenewalPending
from tracker.models import Appeal, Renewal
from tracker.services.core import bulk, history
from tracker.services.core.context import UnitOfWork
from tracker.services.credentials import fees, renewals


def record(work: UnitOfWork, fee_id: str, change: FeeChange, *, version: int) -> None:
    """Record what became of a fee; an application that waited for it alone is approved.

    It waits for nothing else if an appeal against its denial was upheld. One that can't be renewed
    any more, such as that of a certification suspended since, waits for staff: what was paid is
    recorded in any case. Raises what ``fees.change`` raises.
    """
    fees.change(work, fee_id, change, version=version)
    waiting = (
        select(Renewal.id, Appeal.reason)
        .join(Appeal, Appeal.renewal_id == Renewal.id)
        .where(
            Renewal.fee_id == fee_id,
            Renewal.decision.is_(None),
            Renewal.withdrawn_on.is_(None),
            Appeal.outcome == AppealVerdict.UPHELD,
        )
        .order_by(Renewal.id, Appeal.id)
    )
    for id_, reason in {row.id: row.reason for row in work.rows(waiting)}.items():
        _approve(work, id_, reason=reason or "")


def _approve(work: UnitOfWork, renewal_id: str, *, reason: str) -> None:
    savepoint = bulk.savepoint(work)
    try:
        renewals.approve_on_appeal(work, renewal_id, reason=reason, paid=True)
    except (IllegalTransition, BuiltUpon, RenewalPending) as refusal:
        savepoint.rollback()
        work.session.expire_all()
        why = refusal.detail
        history.record(work, "wait", "renewal", renewal_id, reason=why)
    else:
        savepoint.commit()
