"""An audited activity as pages show it: with its files, what follows, and until when to appeal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from tracker.domain.credentials.appeals import appeal_due_on
from tracker.domain.desk import audits as rules
from tracker.domain.desk.audits import NoAnswer
from tracker.domain.schemes.schemes import Scheme
from tracker.models import ClaimAudit, Holder
from tracker.services.core.context import ReadContext, zone_of
from tracker.services.desk import audit_items, audits
from tracker.services.desk.audit_items import AuditItemRow
from tracker.services.desk.audits import AuditFigures, AuditRow
from tracker.services.points import evidence
from tracker.services.points.evidence import EvidenceRow


@dataclass(frozen=True, slots=True)
class AuditItemOverview:
    """An audited activity, the files of the activity, and what can follow.

    ``appeal_by`` is the last day to appeal against the outcome; None if there is nothing to appeal
    against, or an appeal is on record. ``on`` is the holder's day, ``language`` their language.
    """

    row: AuditItemRow
    scheme: Scheme
    files: Sequence[EvidenceRow]
    no_answer: NoAnswer
    appeal_by: date | None
    on: date
    language: str


def of_item(reading: ReadContext, item_id: str) -> AuditItemOverview:
    """An audited activity. Raises NotFound, also for another holder's."""
    row = audit_items.get(reading, item_id)
    scheme = reading.schemes[row.scheme]
    around = (
        select(ClaimAudit.no_answer, Holder.time_zone, Holder.language)
        .join(Holder, Holder.id == row.holder_id)
        .where(ClaimAudit.id == row.audit_id)
    )
    no_answer, zone, language = reading.rows(around)[0]
    return AuditItemOverview(
        row=row,
        scheme=scheme,
        files=evidence.of_activity(reading, row.activity_id),
        no_answer=NoAnswer(no_answer),
        appeal_by=_appeal_by(row, scheme, zone),
        on=reading.day_of(scheme, zone),
        language=language,
    )


def _appeal_by(row: AuditItemRow, scheme: Scheme, zone: str) -> date | None:
    if row.state not in rules.APPEALABLE or row.is_appealed or not row.decided_at:
        return None
    if scheme.appeals is None:
        return None
    noticed_on = row.decided_at.astimezone(zone_of(zone)).date()
    return appeal_due_on(scheme.appeals, noticed_on=noticed_on)


def listed(
    reading: ReadContext, *, after: str | None, limit: int
) -> tuple[AuditFigures, list[AuditRow]]:
    """The figures of all audits, and a page of them, oldest first."""
    return audits.figures(reading), audits.page(reading, after=after, limit=limit, scheme=None)


def of_audit(
    reading: ReadContext, audit_id: str, *, after: str | None, limit: int
) -> tuple[AuditRow, AuditFigures, list[AuditItemRow]]:
    """An audit with its figures, and a page of what it drew. Raises NotFound."""
    row = audits.get(reading, audit_id)
    items = audit_items.page(reading, after=after, limit=limit, filters={"audit_id": audit_id})
    return row, audits.figures(reading, audit_id), items
