"""Awards on record follow the passes: they are created, moved, withdrawn and restored.

Invariant: an award keeps its row, and with it its number, its public address and every staff
decision about it. A correction moves the row's date, marks it as withdrawn, or clears that mark;
only an award that never existed gets a new row. ``domain.credentials.awards`` decides which awards
there are; ``award_facts``, ``award_plans`` and ``award_rows`` read, plan and write for many holders
at once.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select

from tracker.domain.schemes.schemes import Scheme
from tracker.models import Assessment, Certification
from tracker.services.core import bulk
from tracker.services.core.context import UnitOfWork
from tracker.services.credentials import award_plans, award_rows
from tracker.services.credentials.award_plans import (
    FOLLOW,
    KEEP_EARLIER,
    REFUSE,
    Later,
    standing_awards,
)
from tracker.services.credentials.award_rows import Consequence, ConsequenceKind

__all__ = [
    "FOLLOW",
    "KEEP_EARLIER",
    "REFUSE",
    "Consequence",
    "ConsequenceKind",
    "Later",
    "settle",
    "settle_after",
    "standing_awards",
]


def settle(
    work: UnitOfWork, scheme: Scheme, holder_ids: Collection[str], later: Later = REFUSE
) -> list[Consequence]:
    """Make the awards on record agree with the passes; returns what changed.

    Runs in the transaction that changed passes, renewals or changes of standing. Schemes that have
    this one as a prerequisite are settled too. Raises SupportsRenewal, see ``Later``.
    """
    consequences: list[Consequence] = []
    for ids in bulk.chunks(sorted(holder_ids)):
        plans = award_plans.plans(work, scheme, ids, later)
        consequences += award_rows.write(work, scheme, plans, later)
    for dependent in work.schemes.dependents(scheme.code):
        consequences += settle(work, dependent, holder_ids, later)
    return consequences


def settle_after(
    work: UnitOfWork, scheme: Scheme, certification_ids: Collection[str], later: Later
) -> None:
    """Settle the awards of holders who passed modules after an award whose facts changed.

    Only for them does it matter when that award ends for good.
    """
    for ids in bulk.chunks(certification_ids):
        concerned = select(Certification.holder_id).where(
            bulk.among(work, Certification.id, ids),
            select(Assessment.id)
            .where(
                Assessment.holder_id == Certification.holder_id,
                Assessment.scheme == Certification.scheme,
                Assessment.passed,
                Assessment.voided_at.is_(None),
                Assessment.taken_on > Certification.awarded_on,
            )
            .exists(),
        )
        holders = {row.holder_id for row in work.rows(concerned)}
        if holders:
            settle(work, scheme, holders, later)
