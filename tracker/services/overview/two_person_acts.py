"""The acts that need two people, and how each is carried out once a second person approves it.

Each has one entry in ``ACTS``; no door carries one out in another way. Files of the operator, who
has the database itself, and an appeal that puts a revocation back are no second ways: the former
tell what was decided elsewhere, the latter is decided by a second person already.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

from sqlalchemy import select

from tracker.domain.credentials.certifications import ChangeKind
from tracker.domain.desk.approvals import ApprovalState, TwoPersonAct
from tracker.domain.errors import NotFound
from tracker.models import Certification
from tracker.services.core import bulk
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.credentials import certifications, verification
from tracker.services.desk import approvals, merges
from tracker.services.desk.approvals import ApprovalRow, Performance, ProposedAct


@dataclass(frozen=True, slots=True)
class ProposedRevocation:
    """A revocation; without ``effective_on`` it applies from the day of the approval."""

    certification_id: str
    reason_code: str
    reason: str
    effective_on: date | None = None
    barred_until: date | None = None


def propose_revocation(work: UnitOfWork, wanted: ProposedRevocation) -> ApprovalRow:
    """Propose to revoke a certification.

    Raises NotFound, NotAllowed, SelfReview, AlreadyRecorded, and what a revocation raises
    (``certifications.change()``).
    """
    held = select(Certification.holder_id).where(Certification.id == wanted.certification_id)
    row = work.row(held)
    if row is None:
        raise NotFound
    what = {
        "reason_code": wanted.reason_code,
        "effective_on": _text(wanted.effective_on),
        "barred_until": _text(wanted.barred_until),
    }
    act = ProposedAct(row.holder_id, wanted.certification_id, what, wanted.reason)
    return approvals.propose(work, TwoPersonAct.REVOKE, act, ACTS[TwoPersonAct.REVOKE])


def propose_merge(work: UnitOfWork, holder_id: str, merged_id: str, *, reason: str) -> ApprovalRow:
    """Propose to merge a record into another one of the same person.

    Raises NotFound, NotAllowed, SelfReview, AlreadyRecorded, and what a merge raises
    (``merges.merge()``).
    """
    act = ProposedAct(holder_id, merged_id, {"merged_id": merged_id}, reason)
    return approvals.propose(work, TwoPersonAct.MERGE, act, ACTS[TwoPersonAct.MERGE])


def approve(work: UnitOfWork, approval_id: str) -> ApprovalRow:
    """Carry out what somebody else proposed (``approvals.approve()``)."""
    return approvals.approve(work, approval_id, ACTS)


def decline(work: UnitOfWork, approval_id: str, *, reason: str) -> ApprovalRow:
    """Decline a proposal. Raises NotFound, IllegalTransition."""
    return approvals.close(work, approval_id, ApprovalState.DECLINED, reason=reason)


def withdraw(work: UnitOfWork, approval_id: str, *, reason: str) -> ApprovalRow:
    """Withdraw one's own proposal. Raises NotFound, NotAllowed, IllegalTransition."""
    return approvals.close(work, approval_id, ApprovalState.WITHDRAWN, reason=reason)


def _revoke(work: UnitOfWork, act: ProposedAct) -> str:
    return certifications.change(
        work,
        act.subject_id,
        kind=ChangeKind.REVOKE,
        reason_code=act.what["reason_code"] or "",
        reason=act.reason,
        effective_on=_day(act.what["effective_on"]),
        barred_until=_day(act.what["barred_until"]),
    )


def _page_if_revoked(work: UnitOfWork, act: ProposedAct) -> Mapping[str, object]:
    """What the public page will say from the day on which the revocation applies."""
    savepoint = bulk.savepoint(work)
    try:
        _revoke(work, act)
        return _public_page(work, act)
    finally:
        savepoint.rollback()


def _public_page(work: UnitOfWork, act: ProposedAct) -> Mapping[str, object]:
    by_id = select(Certification.public_id, Certification.scheme)
    row = work.row(by_id.where(Certification.id == act.subject_id))
    today = work.today(work.schemes[row.scheme])
    ahead = max((_day(act.what["effective_on"]) or today) - today, timedelta())
    page = verification.by_address(_later(work, ahead), row.public_id)
    return {
        "status": page.standing.status,
        "valid": page.standing.valid,
        "number": page.number,
        "scheme": page.scheme.code,
        "expires_on": _text(page.standing.expires_on),
        "on": _text(page.standing.on),
    }


def _merge(work: UnitOfWork, act: ProposedAct) -> str:
    return merges.merge(work, act.holder_id, act.subject_id, reason=act.reason)


def _merge_preview(work: UnitOfWork, act: ProposedAct) -> Mapping[str, object]:
    return merges.preview(work, act.holder_id, act.subject_id)


def _later(reading: ReadContext, ahead: timedelta) -> ReadContext:
    return replace(reading, now=reading.now + ahead)


def _text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


ACTS: Mapping[TwoPersonAct, Performance] = {
    TwoPersonAct.REVOKE: Performance(_revoke, _page_if_revoked),
    TwoPersonAct.MERGE: Performance(_merge, _merge_preview),
}
