"""Certifications: changes of their standing, and the timeline that follows from facts.

Which awards there are is in ``awards``. Everything here works on many holders at once; one is the
case of many.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import date
from typing import Any

from sqlalchemy import select

from tracker.domain import certifications, changes
from tracker.domain.errors import IllegalTransition, NotFound
from tracker.domain.permissions import check_not_own, check_own_holder, own_records
from tracker.domain.reasons import Act
from tracker.domain.schemes import Scheme
from tracker.models import Certification, Holder, StandingChange
from tracker.services import awards, facts, history, notices, restored_days, timelines
from tracker.services.awards import REFUSE, Later
from tracker.services.notices import News
from tracker.services.work import Work

# What holders are told of by letter; a surrender is their own act.
NEWS_OF = {"suspend": "suspended", "reinstate": "reinstated", "revoke": "revoked"}
Lock = Callable[[Work, str], None]
"""A way to lock a holder's record."""
settle = awards.settle
cycle_row = timelines.cycle_row


def lock(work: Work, holder_ids: Collection[str]) -> int:
    """Make others wait who write to these holders' records; the number of those on record.

    Always in the same order. Without it two processes that record the last two passes at once
    would each miss the other's.
    """
    locked = 0
    for ids in facts.chunks(sorted(holder_ids)):
        statement = select(Holder.id).where(Holder.id.in_(ids)).order_by(Holder.id)
        locked += len(work.rows(statement.with_for_update()))
    return locked


def lock_to_decide(work: Work, holder_ids: Collection[str]) -> set[str]:
    """Lock holders' records for a decision of the staff; those on which the actor may not decide.

    Every decision of the staff locks here, whether on one record or on a file of them, so that
    none forgets to ask whose record it is.
    """
    lock(work, holder_ids)
    return own_records(work.actor, holder_ids)


def lock_one(work: Work, holder_id: str) -> None:
    """Lock one holder's record, if there is one."""
    lock(work, [holder_id])


def lock_one_to_decide(work: Work, holder_id: str) -> None:
    """Lock a holder's record for a decision of the staff. Raises NotFound, SelfReview."""
    check_own_holder(work.actor, holder_id)
    if lock_to_decide(work, [holder_id]):
        check_not_own(work.actor, holder_id)


def refresh(
    work: Work, scheme: Scheme, certification_ids: Collection[str], *, later: Later = REFUSE
) -> None:
    """Lay the timelines of these certifications out anew and touch their reminder cursors.

    Called in every transaction that writes a cycle, an adjustment, a renewal or a change. These
    decide when an award ends for good, and so whether passes taken since are a new one.
    """
    timelines.lay_out_anew(work, scheme, certification_ids)
    awards.settle_after(work, scheme, certification_ids, later)


_ACTS: Mapping[certifications.ChangeKind, Act] = {
    "suspend": "suspension", "revoke": "revocation", "reinstate": "reinstatement",
    "surrender": "surrender",
}  # fmt: skip


def change(
    work: Work,
    certification_id: str,
    *,
    kind: certifications.ChangeKind,
    reason_code: str,
    reason: str,
    effective_on: date | None = None,
    barred_until: date | None = None,
) -> str:
    """Suspend, revoke, reinstate or surrender as of a day; the transition table decides.

    Without a day it is the one of ``domain.changes.effective_day``.

    A revocation bars from earning the certification anew through ``barred_until``. A
    reinstatement that undoes a suspension or revocation gives back what it took from the chance
    to renew. A surrender is the holder's own act. Raises SelfReview, IllegalTransition, Invalid,
    UnknownReason. Returns the id of the change.
    """
    work.reasons.check(_ACTS[kind], reason_code, words=reason)
    row = (locked if kind == "surrender" else locked_to_decide)(work, certification_id)
    scheme, record = work.schemes[row.scheme], facts.records(work, [row.id])[row.id]
    effective_on = effective_on or changes.effective_day(
        kind, reason_code, record.changes, today=work.today(scheme)
    )
    check_open(work, row, kind, effective_on)
    changes.check_awarded(kind, effective_on=effective_on, awarded_on=row.awarded_on)
    changes.check_change(kind, record.changes, effective_on=effective_on)
    changes.check_bar(kind, effective_on=effective_on, barred_until=barred_until)
    made = StandingChange(
        certification_id=row.id, kind=kind, effective_on=effective_on, reason_code=reason_code,
        reason=reason, barred_until=barred_until, decided_by=work.actor.name,
        decided_by_id=work.actor.who,
        recorded_at=work.now,
    )  # fmt: skip
    work.session.add(made)
    work.session.flush()
    history.record(
        work, kind, "certification", row.id, effective_on=effective_on, reason_code=reason_code,
        reason=reason, barred_until=barred_until,
    )  # fmt: skip
    if kind == "reinstate":
        restored_days.give_back(work, scheme, [made.id])
    refresh(work, scheme, [row.id])
    if kind in NEWS_OF:
        news = News(
            kind=NEWS_OF[kind], holder_id=row.holder_id, subject_id=row.id, event=made.id,
            on=max(effective_on, work.today(scheme)),
        )  # fmt: skip
        notices.tell(work, [news])
    return made.id


def check_open(
    work: Work, row: Any, kind: certifications.ChangeKind | None, effective_on: date
) -> None:
    """Refuse to change what does not stand, or what another award replaced by that day.

    A withdrawn one can be reinstated: what was decided against it holds again with the award.
    Raises IllegalTransition, which names the certification that speaks for the holder instead.
    """
    if row.withdrawn_at is not None and kind != "reinstate":
        raise IllegalTransition(
            "The certification is withdrawn: recorded in error. Correct the assessments first.",
            state="withdrawn",
        )
    if row.replaced_on is not None and effective_on >= row.replaced_on:
        current = of_holder(work, row.holder_id, row.scheme)
        raise IllegalTransition(
            f"The holder was certified again on {row.replaced_on}: from that day on it is about "
            f"certification {current.number}.",
            state="replaced", number=current.number, certification_id=str(current.id),
        )  # fmt: skip


def locked(work: Work, certification_id: str) -> Any:
    """The certification's row and its holder's time zone, the holder locked until the end.

    Raises NotFound.
    """
    row = work.row(_LOCKED, {"id": certification_id})
    if row is None:
        raise NotFound
    check_own_holder(work.actor, row.holder_id)
    return row


def locked_to_decide(work: Work, certification_id: str) -> Any:
    """The same for a decision of the staff. Raises NotFound, SelfReview."""
    row = locked(work, certification_id)
    check_not_own(work.actor, row.holder_id)
    return row


_LOCKED = (
    facts.CERTIFICATION_BY_ID.add_columns(Holder.time_zone)
    .join(Holder, Holder.id == Certification.holder_id)
    .with_for_update(of=Holder)
)


def of_holder(work: Work, holder_id: str, scheme: str) -> Any:
    """The row of the certification that speaks for a holder under a scheme, or None.

    With the holder's time zone.
    """
    table = Certification
    return work.row(
        select(*facts.CERTIFICATION, Holder.time_zone)
        .join(Holder, Holder.id == table.holder_id)
        .where(table.holder_id == holder_id, table.scheme == scheme, facts.CURRENT)
    )
