"""What becomes of a fee, and of an application that waits for nothing else."""

from __future__ import annotations

from sqlalchemy import select

from tracker.domain.credentials.appeals import AppealVerdict
from tracker.domain.credentials.fees import FeeChange
from tracker.models import Appeal, Renewal
from tracker.services.core.context import UnitOfWork
from tracker.services.credentials import fees, renewals


def record(work: UnitOfWork, fee_id: str, change: FeeChange, *, version: int) -> None:
    """Record what became of a fee; an application that waited for it alone is approved.

    It waits for nothing else if an appeal against its denial was upheld. Raises what
    ``fees.change`` raises.
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
        .order_by(Renewal.id)
    )
    for id_, reason in work.rows(waiting):
        renewals.approve_on_appeal(work, id_, reason=reason or "", paid=True)
