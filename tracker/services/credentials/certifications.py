"""Certifications: changes of their standing, and the refresh of their timelines.

Which awards there are is decided in ``awards``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date

from sqlalchemy import select

from tracker.domain.credentials import standing_changes
from tracker.domain.credentials.certifications import ChangeKind
from tracker.domain.delivery.notices import NoticeKind
from tracker.domain.errors import IllegalTransition, NotFound
from tracker.domain.permissions import check_not_own, check_own_holder
from tracker.domain.schemes.reasons import Act
from tracker.domain.schemes.schemes import Scheme
from tracker.models import Certification, Holder, StandingChange
from tracker.services.core import history
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.credentials import awards, restored_days, timelines
from tracker.services.credentials.awards import REFUSE, Later
from tracker.services.outbox import notices
from tracker.services.outbox.notices import NoticeToTell
from tracker.services.standings import snapshots
from tracker.services.standings.snapshots import CertificationRow, ZonedCertification

# Changes that holders are notified of; a surrender is their own act.
NEWS_OF = {
    ChangeKind.SUSPEND: NoticeKind.SUSPENDED,
    ChangeKind.REINSTATE: NoticeKind.REINSTATED,
    ChangeKind.REVOKE: NoticeKind.REVOKED,
}


def refresh(
    work: UnitOfWork, scheme: Scheme, certification_ids: Collection[str], *, later: Later = REFUSE
) -> None:
    """Rebuild the timelines of these certifications and update their reminder cursors.

    Called in every transaction that writes a cycle, an adjustment, a renewal or a change. These
    decide when an award ends for good, and so whether later passes make a new one.
    """
    timelines.lay_out_again(work, scheme, certification_ids)
    awards.settle_after(work, scheme, certification_ids, later)


_ACTS: Mapping[ChangeKind, Act] = {
    ChangeKind.SUSPEND: "suspension",
    ChangeKind.REVOKE: "revocation",
    ChangeKind.REINSTATE: "reinstatement",
    ChangeKind.SURRENDER: "surrender",
}


def change(
    work: UnitOfWork,
    certification_id: str,
    *,
    kind: ChangeKind,
    reason_code: str,
    reason: str,
    effective_on: date | None = None,
    barred_until: date | None = None,
) -> str:
    """Suspend, revoke, reinstate or surrender as of a day; the transition table decides.

    The default day is that of ``domain.credentials.standing_changes.effective_day``.

    A revocation bars the holder from earning the certification again through ``barred_until``. A
    reinstatement that undoes a suspension or revocation restores the days lost in the renewal
    window. A surrender is the holder's own act. Raises SelfReview, IllegalTransition, Invalid,
    UnknownReason, NotFound. Returns the id of the change.
    """
    work.reasons.check(_ACTS[kind], reason_code, words=reason)
    row = (locked if kind == ChangeKind.SURRENDER else locked_to_decide)(work, certification_id)
    scheme, record = work.schemes[row.scheme], snapshots.records(work, [row.id])[row.id]
    effective_on = effective_on or standing_changes.effective_day(
        kind, reason_code, record.changes, today=work.today(scheme)
    )
    check_open(work, row, kind, effective_on)
    standing_changes.check_awarded(kind, effective_on=effective_on, awarded_on=row.awarded_on)
    standing_changes.check_change(kind, record.changes, effective_on=effective_on)
    standing_changes.check_bar(kind, effective_on=effective_on, barred_until=barred_until)
    change_id = _record(
        work,
        StandingChange(
            certification_id=row.id,
            kind=kind,
            effective_on=effective_on,
            reason_code=reason_code,
            reason=reason,
            barred_until=barred_until,
            decided_by=work.actor.name,
            decided_by_id=work.actor.who,
            recorded_at=work.now,
        ),
    )
    if kind == ChangeKind.REINSTATE:
        restored_days.give_back(work, scheme, [change_id])
    refresh(work, scheme, [row.id])
    if kind in NEWS_OF:
        _notify(work, row, NEWS_OF[kind], change_id, on=max(effective_on, work.today(scheme)))
    return change_id


def _notify(
    work: UnitOfWork, row: CertificationRow, kind: NoticeKind, change_id: str, *, on: date
) -> None:
    news = NoticeToTell(
        kind=kind, holder_id=row.holder_id, subject_id=row.id, event=change_id, on=on
    )
    notices.tell(work, [news])


def _record(work: UnitOfWork, made: StandingChange) -> str:
    """Write a change of standing and its line of history; returns the id of the change."""
    work.session.add(made)
    work.session.flush()
    history.record(
        work,
        made.kind,
        "certification",
        made.certification_id,
        effective_on=made.effective_on,
        reason_code=made.reason_code,
        reason=made.reason,
        barred_until=made.barred_until,
    )
    return made.id


def check_open(
    work: UnitOfWork, row: CertificationRow, kind: ChangeKind | None, effective_on: date
) -> None:
    """Refuse to change a withdrawn certification, or one that another award replaced by that day.

    A withdrawn one can be reinstated: earlier decisions against it apply again with the award.
    Raises IllegalTransition, which names the certification that counts instead.
    """
    if row.withdrawn_at is not None and kind != ChangeKind.REINSTATE:
        raise IllegalTransition(
            "The certification was withdrawn because it had been recorded in error. To restore "
            "it, correct the assessments.",
            state="withdrawn",
        )
    if row.replaced_on is not None and effective_on >= row.replaced_on:
        current = of_holder(work, row.holder_id, row.scheme)
        if current is None:
            raise NotFound
        raise IllegalTransition(
            f"The holder was certified again on {row.replaced_on}; from that day on, use "
            f"certification {current.number}.",
            state="replaced",
            number=current.number,
            certification_id=str(current.id),
        )


def with_zone(reading: ReadContext, certification_id: str) -> ZonedCertification:
    """The certification's row with its holder's time zone. Raises NotFound."""
    row = reading.row_as(ZonedCertification, _WITH_ZONE, {"id": certification_id})
    if row is None:
        raise NotFound
    check_own_holder(reading.actor, row.holder_id)
    return row


def locked(work: UnitOfWork, certification_id: str) -> ZonedCertification:
    """The certification's row with its holder's time zone; locks the holder for the transaction.

    Raises NotFound, also if the holder's data were erased.
    """
    row = work.row_as(ZonedCertification, _LOCKED, {"id": certification_id})
    if row is None:
        raise NotFound
    check_own_holder(work.actor, row.holder_id)
    return row


def locked_to_decide(work: UnitOfWork, certification_id: str) -> ZonedCertification:
    """The same for a staff decision. Raises NotFound, SelfReview."""
    row = locked(work, certification_id)
    check_not_own(work.actor, row.holder_id)
    return row


_WITH_ZONE = snapshots.CERTIFICATION_BY_ID.add_columns(Holder.time_zone).join(
    Holder, Holder.id == Certification.holder_id
)
_LOCKED = (
    # Asked again by the database once the lock was waited for.
    _WITH_ZONE.where(Holder.erased_at.is_(None)).with_for_update(of=Holder)
)


def of_holder(reading: ReadContext, holder_id: str, scheme: str) -> ZonedCertification | None:
    """The row of a holder's current certification in a scheme, or None.

    Includes the holder's time zone.
    """
    table = Certification
    return reading.row_as(
        ZonedCertification,
        select(*snapshots.CERTIFICATION, Holder.time_zone)
        .join(Holder, Holder.id == table.holder_id)
        .where(table.holder_id == holder_id, table.scheme == scheme, snapshots.CURRENT),
    )
