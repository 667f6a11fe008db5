"""Changes of a certification's standing as staff see them: what is allowed, what each would show.

A suspension and a reinstatement are acts of one person, a revocation of two (``two_person_acts``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import NamedTuple

from sqlalchemy import select

from tracker.domain.credentials import standing_changes
from tracker.domain.credentials.certifications import ChangeKind, Standing
from tracker.domain.desk.approvals import ApprovalState, TwoPersonAct
from tracker.domain.errors import NotFound
from tracker.domain.permissions import is_own
from tracker.domain.schemes.reasons import ReasonCode
from tracker.domain.schemes.schemes import Scheme
from tracker.models import Certification, Holder, StandingChange
from tracker.services.core import bulk
from tracker.services.core.context import ReadContext, UnitOfWork, columns_of
from tracker.services.credentials import certifications, verification
from tracker.services.credentials.verification import Verified
from tracker.services.desk import approvals
from tracker.services.overview import two_person_acts
from tracker.services.overview.two_person_acts import ProposedRevocation
from tracker.services.standings import snapshots, standings

BY_STAFF = (ChangeKind.SUSPEND, ChangeKind.REVOKE, ChangeKind.REINSTATE)
"""What staff do; a surrender is the holder's own act."""


@dataclass(frozen=True, slots=True)
class StandingAct:
    """A change of standing; without ``effective_on`` it applies from the usual day."""

    kind: ChangeKind
    reason_code: str
    reason: str
    effective_on: date | None = None
    barred_until: date | None = None


class RecordedChange(NamedTuple):
    """A change of standing on record."""

    kind: ChangeKind
    effective_on: date
    reason_code: str
    reason: str
    decided_by: str


@dataclass(frozen=True, slots=True)
class StandingDossier:
    """A certification with its changes so far, and the changes that are allowed today.

    ``is_proposed``: a colleague, or the reader, has proposed to revoke it and nobody has answered.
    """

    certification_id: str
    number: str
    holder_name: str
    scheme: Scheme
    standing: Standing | None
    allowed: Sequence[ChangeKind]
    changes: Sequence[RecordedChange]
    reasons: Sequence[ReasonCode]
    is_proposed: bool
    is_barred: bool


def of_certification(reading: ReadContext, certification_id: str) -> StandingDossier:
    """How a certification stands and what may be changed. Raises NotFound."""
    row = certifications.with_zone(reading, certification_id)
    scheme = reading.schemes[row.scheme]
    named = select(Certification.number, Holder.given_name, Holder.family_name).join(
        Holder, Holder.id == Certification.holder_id
    )
    number, given, family = reading.row(named.where(Certification.id == row.id))
    record = snapshots.records(reading, [row.id])[row.id]
    today = reading.today(scheme)
    held = standings.of_certification(reading, row.id, on=today)
    made = select(*columns_of(RecordedChange, StandingChange)).where(
        StandingChange.certification_id == row.id
    )
    open_ = {"state": ApprovalState.OPEN, "act": TwoPersonAct.REVOKE, "subject_id": row.id}
    may = standing_changes.allowed_on(record.changes, today)
    return StandingDossier(
        certification_id=row.id,
        number=number,
        holder_name=f"{given} {family}".strip(),
        scheme=scheme,
        standing=held.standing if held else None,
        allowed=[kind for kind in BY_STAFF if kind in may],
        changes=reading.rows_as(RecordedChange, made.order_by(StandingChange.id)),
        reasons=reading.reasons.for_act("suspension"),
        is_proposed=bool(approvals.page(reading, after=None, limit=1, filters=open_)),
        is_barred=is_own(reading.actor, row.holder_id),
    )


def preview(work: UnitOfWork, certification_id: str, act: StandingAct) -> Verified:
    """What the public page will say from the day of a change on; nothing is changed.

    Raises what ``certifications.change()`` raises.
    """
    savepoint = bulk.savepoint(work)
    try:
        change_id = _change(work, certification_id, act)
        by_id = select(Certification.public_id, Certification.scheme, StandingChange.effective_on)
        row = work.row(
            by_id.join(StandingChange, StandingChange.certification_id == Certification.id).where(
                StandingChange.id == change_id
            )
        )
        ahead = max(row.effective_on - work.today(work.schemes[row.scheme]), timedelta())
        return verification.by_address(replace(work, now=work.now + ahead), row.public_id)
    finally:
        savepoint.rollback()


def carry_out(work: UnitOfWork, certification_id: str, act: StandingAct) -> bool:
    """Change a standing, or propose to revoke; whether it is done, and not only proposed.

    Raises what ``certifications.change()`` and ``two_person_acts.propose_revocation()`` raise.
    """
    if act.kind != ChangeKind.REVOKE:
        _change(work, certification_id, act)
        return True
    wanted = ProposedRevocation(
        certification_id, act.reason_code, act.reason, act.effective_on, act.barred_until
    )
    two_person_acts.propose_revocation(work, wanted)
    return False


def _change(work: UnitOfWork, certification_id: str, act: StandingAct) -> str:
    if act.kind not in BY_STAFF:
        raise NotFound
    return certifications.change(
        work,
        certification_id,
        kind=act.kind,
        reason_code=act.reason_code,
        reason=act.reason,
        effective_on=act.effective_on,
        barred_until=act.barred_until,
    )
