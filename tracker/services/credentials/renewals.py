"""Renewals: applications, decisions that later ones may supersede, and quotes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter
from typing import NamedTuple

from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.attributes import flag_modified

from tracker.domain.credentials import certifications as rules
from tracker.domain.credentials import fees, renewals
from tracker.domain.credentials.appeals import AppealVerdict
from tracker.domain.credentials.renewals import RenewalVerdict
from tracker.domain.delivery.notices import NoticeKind
from tracker.domain.errors import (
    BuiltUpon,
    IllegalTransition,
    Invalid,
    NotAllowed,
    NotFound,
    RenewalPending,
    Stale,
)
from tracker.domain.permissions import SYSTEM
from tracker.domain.schemes.policies import Policy
from tracker.domain.schemes.schemes import Scheme
from tracker.models import Appeal, Certification, Cycle, FormerRenewalDecision, Renewal
from tracker.services.core import history, identities, open_reviews, writers
from tracker.services.core.context import ReadContext, UnitOfWork, columns_of
from tracker.services.core.row_scope import scope
from tracker.services.credentials import (
    applications,
    bundles,
    certifications,
    former_decisions,
    timelines,
)
from tracker.services.credentials import fees as fee_records
from tracker.services.outbox import notices
from tracker.services.outbox.notices import NoticeToTell
from tracker.services.standings import snapshots, standings
from tracker.services.standings.snapshots import ZonedCertification


class RenewalRow(NamedTuple):
    """A renewal with its certification's holder and scheme."""

    id: str
    ref: str | None
    certification_id: str
    fee_id: str | None
    cycle: int
    submitted_on: date
    points_counted: Decimal | None
    points_if_approved: Decimal | None
    decision: RenewalVerdict | None
    decided_on: date | None
    reason_code: str | None
    reason: str | None
    withdrawn_on: date | None
    recorded_at: datetime
    version: int
    holder_id: str
    scheme: str


_ONE = select(*columns_of(RenewalRow, Renewal, Certification)).join(
    Certification, Certification.id == Renewal.certification_id
)
OF_HOLDER = _ONE.where(Certification.holder_id == bindparam("id"))
_OF_CERTIFICATION = _ONE.where(Renewal.certification_id == bindparam("id")).order_by(Renewal.id)
_DECISION = (
    "decision",
    "decided_on",
    "decided_by",
    "decided_by_id",
    "reason_code",
    "reason",
    "closed_at",
)
_POINTS_MISSING = "points_missing"
_TOGETHER = "certification_ids"
_STALE = "The renewal has changed since you read it; read it again."


def apply(work: UnitOfWork, certification_id: str) -> str:
    """Apply to recertify, on today's date in the holder's time zone.

    Undecided activities count where the policy allows it. The fee is quoted, if the scheme has one.
    The refusals are those of ``domain.credentials.renewals.objections``.
    """
    renewal, row, (scheme, standing, policy) = _apply(work, certification_id)
    if scheme.fees is not None and scheme.fees.renewal is not None:
        quoted = fees.quote({scheme: standing}, {scheme: policy} if policy else {})
        fee_records.owe(work, row.holder_id, quoted, [renewal])
    return renewal.id


def apply_together(work: UnitOfWork, certification_ids: Sequence[str]) -> list[str]:
    """Apply to recertify several certifications of one holder at their bundle price.

    It is one act with one fee; each certification keeps its own points and gets its own decision.
    Raises what ``apply`` raises for any of them; Invalid where no bundle has that price today.
    """
    made = [_apply(work, certification_id) for certification_id in certification_ids]
    if len({row.holder_id for _, row, _ in made}) > 1:
        raise Invalid("They are not of one person.", fields={_TOGETHER: "must be of one holder"})
    chosen = {scheme: standing for _, _, (scheme, standing, _) in made}
    policies = {scheme: policy for _, _, (scheme, _, policy) in made if policy is not None}
    quoted = fees.quote(chosen, policies)
    if not quoted.bundled:
        rule = "must have a price together; apply for each by itself"
        raise Invalid(f"There is no bundle price today. {quoted.reason}", fields={_TOGETHER: rule})
    renewals_made = [renewal for renewal, _, _ in made]
    fee_records.owe(work, made[0][1].holder_id, quoted, renewals_made)
    return [renewal.id for renewal in renewals_made]


_Priced = tuple[Scheme, rules.Standing, Policy | None]


def _apply(work: UnitOfWork, certification_id: str) -> tuple[Renewal, ZonedCertification, _Priced]:
    row = certifications.locked(work, certification_id)
    scheme = work.schemes[row.scheme]
    on = work.day_of(scheme, row.time_zone)
    held = standings.of_certification(work, row.id, on=on)
    if held is None:
        raise NotFound
    record = snapshots.records(work, [row.id])[row.id]
    counted = applications.count(work, row, record, on=on, last=on)
    judged = counted.judged if counted else None
    renewals.check_application(held.standing, judged, zone=scheme.zone_of(row.time_zone))
    renewal = Renewal(
        certification_id=row.id,
        cycle=record.cycles[-1].ordinal,
        submitted_on=on,
        points_counted=judged.evaluation.total if judged else None,
        points_if_approved=judged.pending.total if judged and judged.pending else None,
        recorded_at=work.now,
    )
    work.session.add(renewal)
    _flush(work)
    history.record(work, "apply", "renewal", renewal.id, certification_id=row.id)
    writers.note(work, [renewal.id])
    certifications.refresh(work, scheme, [row.id])
    received = NoticeToTell(
        kind=NoticeKind.RENEWAL_RECEIVED,
        holder_id=row.holder_id,
        subject_id=renewal.id,
        event="received",
        on=on,
    )
    notices.tell(work, [received])
    version = record.cycles[-1].policy
    return renewal, row, (scheme, held.standing, scheme.policy(version) if version else None)


def _flush(work: UnitOfWork) -> None:
    """Flush; the database refuses a second undecided application for a certification."""
    try:
        work.session.flush()
    except IntegrityError as error:
        raise RenewalPending("Another application is already under review.") from error


# Decisions.
def _open(
    work: UnitOfWork,
    renewal_id: str,
    lock: Callable[[UnitOfWork, str], ZonedCertification] = certifications.locked,
) -> tuple[Renewal, ZonedCertification]:
    """A renewal that is not withdrawn, and its certification; locks the holder."""
    renewal = work.session.get(Renewal, renewal_id)
    if renewal is None:
        raise NotFound
    row = lock(work, renewal.certification_id)
    work.reread(renewal)
    if renewal.withdrawn_on:
        raise IllegalTransition("The renewal was already withdrawn.", state="withdrawn")
    return renewal, row


def _to_decide(
    work: UnitOfWork, renewal_id: str, version: int
) -> tuple[Renewal, ZonedCertification]:
    renewal, row = _open(work, renewal_id, certifications.locked_to_decide)
    if renewal.version != version:
        raise Stale(_STALE)
    open_reviews.check_free(work, renewal.id)
    return renewal, row


def decide(
    work: UnitOfWork,
    renewal_id: str,
    *,
    decision: RenewalVerdict,
    reason: str | None,
    version: int,
    checks: Collection[str] = (),
    reason_code: str | None = None,
) -> None:
    """Approve a renewal, which opens the next cycle in the same transaction, or deny it.

    ``checks`` are those that the reviewer confirms; an approval needs all of the policy's. A later
    decision needs a reason and supersedes the earlier one, which stays on record. Raises
    SelfReview, UnderReview, IllegalTransition, Stale, PointsPending, PointsMissing, CheckMissing,
    FeeOpen, BuiltUpon, RenewalPending, UnknownReason, NotAllowed, and Invalid for a denial or
    change without a reason or for a check that the policy does not have.
    """
    renewal, row = _to_decide(work, renewal_id, version)
    writers.check_not_written(work, renewal.id)
    _check_reason(renewal, decision, reason)
    _check_code(work, decision, reason_code, reason)
    if decision == RenewalVerdict.DENIED:
        _check_another_denies(work, renewal)
    record = snapshots.records(work, [row.id])[row.id]
    if decision == RenewalVerdict.APPROVED:
        case = applications.of_renewal(work, row, record, renewal)
        applications.check_state(work, row, case, renewal)
        applications.check_points(work, row, case, renewal)
        renewals.check_confirmed(applications.governing(work, row, case, renewal), checks)
        if renewal.decision == RenewalVerdict.DENIED:
            fee_records.follow_end_of_denial(work, renewal)
        fees.check_settled(work.schemes[row.scheme], fee_records.state_of(work, renewal))
    _supersede(work, renewal, row, decision, reason=reason, reason_code=reason_code)
    open_reviews.close(work, renewal.id)
    confirmed = {"checks": sorted(set(checks))} if checks else {}
    coded = {"reason_code": reason_code} if reason_code else {}
    history.record(work, decision, "renewal", renewal.id, reason=reason, **coded, **confirmed)


def _check_another_denies(work: UnitOfWork, renewal: Renewal) -> None:
    """Refuse to deny again what waits only for its fee, an appeal having been upheld.

    Whoever denied it has been overruled; somebody else may still find a reason. Raises NotAllowed.
    """
    if renewal.decision is not None or not _is_upheld(work, renewal):
        return
    deniers = {
        one.decided_by_id
        for one in former_decisions.of_renewal(work, renewal.id)
        if one.decision == RenewalVerdict.DENIED and one.decided_by_id is not None
    }
    if deniers & (identities.behind(work) | work.actor.ids):
        raise NotAllowed(
            "An appeal against your denial was upheld, and the application waits for its fee alone;"
            " only somebody else may deny it."
        )


def _check_reason(renewal: Renewal, decision: RenewalVerdict, reason: str | None) -> None:
    if reason:
        return
    if decision == RenewalVerdict.DENIED:
        raise Invalid("A denial needs a reason.", fields={"reason": "is required for a denial"})
    if renewal.decision is not None:
        rule = (
            f"is required, because the renewal is already {renewal.decision} and this changes the "
            "decision"
        )
        raise Invalid("A change of a decision needs a reason.", fields={"reason": rule})


def _check_code(
    work: UnitOfWork, decision: RenewalVerdict, reason_code: str | None, reason: str | None
) -> None:
    """Refuse a code with an approval, or one that is not for denials."""
    if reason_code is None:
        return
    if decision != RenewalVerdict.DENIED:
        rule = "is only for a denial"
        raise Invalid("An approval has no reason code.", fields={"reason_code": rule})
    work.reasons.check("renewal_denial", reason_code, words=reason)


def approve_on_appeal(
    work: UnitOfWork, renewal_id: str, *, reason: str, paid: bool = False
) -> None:
    """Approve a denied renewal because an appeal was upheld, which also settles the points.

    Where the scheme asks for the fee first and it is open, the application is undecided again, and
    its holder told what is due. Once that is ``paid`` or waived it is approved
    (``renewal_fees``).
    Raises IllegalTransition, BuiltUpon, RenewalPending.
    """
    renewal, row = _open(work, renewal_id)
    if renewal.decision != (None if paid else RenewalVerdict.DENIED):
        raise IllegalTransition(
            f"The renewal is {renewal.decision or 'undecided'}, not denied.",
            state=renewal.decision or "undecided",
        )
    if not paid:
        fee_records.follow_end_of_denial(work, renewal)
    if not fees.is_settled(work.schemes[row.scheme], fee_records.state_of(work, renewal)):
        if not paid:
            _await_payment(work, renewal, row, reason=reason)
        return
    _supersede(work, renewal, row, RenewalVerdict.APPROVED, reason=reason)
    history.record(
        work, RenewalVerdict.APPROVED, "renewal", renewal.id, reason=reason, on_appeal=True
    )


def _await_payment(
    work: UnitOfWork, renewal: Renewal, row: ZonedCertification, *, reason: str
) -> None:
    """Take the denial back without an approval, until the fee is paid or waived."""
    former_id = _end_decision(work, renewal, reason=reason, undone=True)
    for name in _DECISION:
        setattr(renewal, name, None)
    _rule(work, renewal, row)
    history.record(work, "await_payment", "renewal", renewal.id, reason=reason)
    _tell(work, renewal, row, work.today(work.schemes[row.scheme]), reopened=former_id)
    fee_records.demand(work, renewal)


def deny_unpaid(work: UnitOfWork, renewal_id: str, *, reason: str) -> bool:
    """Have the denial hold again of what only waits for its fee, its appeal being dismissed now.

    Returns whether it waited.
    """
    renewal, row = _open(work, renewal_id)
    if renewal.decision is not None:
        return False
    denial = former_decisions.of_renewal(work, renewal.id)[-1]
    for name in _DECISION:
        setattr(renewal, name, getattr(denial, name))
    _rule(work, renewal, row)
    history.record(work, RenewalVerdict.DENIED, "renewal", renewal.id, reason=reason)
    _tell(work, renewal, row, work.today(work.schemes[row.scheme]))
    fee_records.follow_denial(work, renewal, work.schemes[row.scheme])
    return True


def _supersede(
    work: UnitOfWork,
    renewal: Renewal,
    row: ZonedCertification,
    decision: RenewalVerdict,
    *,
    reason: str | None,
    reason_code: str | None = None,
    by: str | None = None,
) -> None:
    """Replace the current decision, if there is one, and notify the holder."""
    today = work.today(work.schemes[row.scheme])
    on = max(today, renewal.submitted_on, renewal.decided_on or today)
    if renewal.decision is not None:
        _end_decision(work, renewal, reason=reason or "", undone=False)
    renewal.decision, renewal.decided_on = decision, on
    renewal.decided_by, renewal.reason = by or work.actor.name, reason
    renewal.reason_code = reason_code
    renewal.decided_by_id = None if by else work.actor.who
    renewal.closed_at = work.now
    _rule(work, renewal, row)
    _tell(work, renewal, row, on)
    if decision == RenewalVerdict.DENIED:
        fee_records.follow_denial(work, renewal, work.schemes[row.scheme])


def _rule(work: UnitOfWork, renewal: Renewal, row: ZonedCertification) -> None:
    """Apply the consequences of the renewal's current decision."""
    flag_modified(renewal, "decision")  # raise its version even if the decision is the same
    _flush(work)
    if renewal.decision == RenewalVerdict.APPROVED:
        _open_cycle(work, renewal, row)
    certifications.refresh(work, work.schemes[row.scheme], [row.id])


def _open_cycle(work: UnitOfWork, renewal: Renewal, row: ZonedCertification) -> None:
    """Open the cycle that an approval brings.

    Raises IllegalTransition if the certification is suspended, revoked or surrendered, BuiltUpon if
    another application renewed the cycle, RenewalPending if another one for it is under review.
    """
    record = snapshots.records(work, [row.id])[row.id]
    _check_still_in_force(record)
    if record.cycles[-1].ordinal != renewal.cycle:
        raise BuiltUpon("The cycle has since been renewed by another application.")
    others = [application for application in record.applications if application.closed_on is None]
    if others:
        since = others[0].submitted_on
        raise RenewalPending(f"The application of {since} is under review.", since=since)
    scheme = work.schemes[row.scheme]
    cycle = _next_cycle(scheme, record, decided_on=renewal.decided_on or renewal.submitted_on)
    work.connection.execute(insert(Cycle), [timelines.cycle_row(work, row.id, cycle)])


def _end_decision(work: UnitOfWork, renewal: Renewal, *, reason: str, undone: bool) -> str:
    """Store the current decision as a former one and close the cycle it opened; returns its id."""
    if renewal.decision == RenewalVerdict.APPROVED:
        _close_cycle(work, renewal)
    former = FormerRenewalDecision(
        renewal_id=renewal.id,
        decision=renewal.decision or "",
        undone=undone,
        decided_on=renewal.decided_on or renewal.submitted_on,
        decided_by=renewal.decided_by,
        decided_by_id=renewal.decided_by_id,
        reason_code=renewal.reason_code,
        reason=renewal.reason,
        closed_at=renewal.closed_at,
        ended_at=work.now,
        ended_by=work.actor.name,
        ended_reason=reason,
    )
    work.session.add(former)
    return former.id


def _close_cycle(work: UnitOfWork, renewal: Renewal) -> None:
    """Delete the cycle that an approval opened. Raises BuiltUpon if another application uses it."""
    id_, ordinal = renewal.certification_id, renewal.cycle + 1
    later = work.row(
        select(Renewal.submitted_on).where(
            Renewal.certification_id == id_,
            Renewal.cycle >= ordinal,
            Renewal.id != renewal.id,
            Renewal.withdrawn_on.is_(None),
            Renewal.decision.is_distinct_from(RenewalVerdict.DENIED),
        )
    )
    if later is not None:
        raise BuiltUpon(
            f"The application of {later.submitted_on} depends on the cycle that this one opened; "
            "first withdraw it or undo its decision.",
            submitted_on=later.submitted_on,
        )
    work.connection.execute(
        delete(Cycle).where(
            Cycle.certification_id == id_,
            Cycle.ordinal == ordinal,
            Cycle.opened_on == renewal.decided_on,
        )
    )


def undo(work: UnitOfWork, renewal_id: str, *, reason: str, version: int) -> None:
    """Undo the current decision: the previous one applies again, or the application is undecided.

    A restored decision keeps its original day. Raises SelfReview, IllegalTransition, Stale,
    BuiltUpon, RenewalPending.
    """
    renewal, row = _to_decide(work, renewal_id, version)
    if renewal.decision is None:
        raise IllegalTransition("The renewal has not been decided.", state="undecided")
    _undo(work, renewal, row, reason=reason)


def undo_approval(work: UnitOfWork, renewal_id: str, *, reason: str) -> None:
    """Undo an approval that an appeal brought. Raises IllegalTransition, BuiltUpon."""
    renewal, row = _open(work, renewal_id)
    if renewal.decision != RenewalVerdict.APPROVED:
        state = renewal.decision or "undecided"
        raise IllegalTransition(f"The renewal is {state}, not approved.", state=state)
    _undo(work, renewal, row, reason=reason)


def _undo(work: UnitOfWork, renewal: Renewal, row: ZonedCertification, *, reason: str) -> None:
    before = former_decisions.superseded_by_ruling(work, renewal.id)
    former_id = _end_decision(work, renewal, reason=reason, undone=True)
    was_denied = renewal.decision == RenewalVerdict.DENIED
    for name in _DECISION:
        setattr(renewal, name, getattr(before, name, None))
    _rule(work, renewal, row)
    history.record(
        work, "undo", "renewal", renewal.id, reason=reason, restores=renewal.decision or "undecided"
    )
    if renewal.decision == RenewalVerdict.DENIED:
        fee_records.follow_denial(work, renewal, work.schemes[row.scheme])
    elif was_denied:
        fee_records.follow_end_of_denial(work, renewal)
    today = work.today(work.schemes[row.scheme])
    if renewal.decision is None:
        _tell(work, renewal, row, today, reopened=former_id)
    else:
        _tell(work, renewal, row, today)


def _tell(
    work: UnitOfWork,
    renewal: Renewal,
    row: ZonedCertification,
    on: date,
    *,
    reopened: str | None = None,
) -> None:
    times = len(former_decisions.of_renewal(work, renewal.id))
    news = NoticeToTell(
        kind=NoticeKind.RENEWAL_REOPENED if reopened else NoticeKind.RENEWAL_DECIDED,
        holder_id=row.holder_id,
        subject_id=renewal.id,
        event=reopened or f"{renewal.decision}:{times}",
        on=on,
    )
    notices.tell(work, [news])


def follow(work: UnitOfWork, certification: ZonedCertification) -> None:
    """Update the application that depends on a changed activity.

    After the last day of its terms an application is denied if its points fall short and none of
    its activities is undecided; the denial is undone if its grounds disappear. Before that day the
    holder can still add activities, so the application stays open. So does one whose appeal was
    upheld and that waits for its fee.
    """
    statement = select(Renewal).where(
        Renewal.certification_id == certification.id, Renewal.withdrawn_on.is_(None)
    )
    order = Renewal.decision.is_(None).desc(), Renewal.submitted_on.desc(), Renewal.id.desc()
    renewal = work.session.scalars(statement.order_by(*order).limit(1)).first()
    automatic = renewal is not None and renewal.decided_by == SYSTEM.name
    if renewal is None or (renewal.decision is not None and not automatic):
        return
    record = snapshots.records(work, [certification.id])[certification.id]
    if renewal.cycle != record.cycles[-1].ordinal:
        return
    short = applications.why_short(work, certification, record, renewal)
    if renewal.decision is None and short is not None and not _is_upheld(work, renewal):
        _supersede(
            work,
            renewal,
            certification,
            RenewalVerdict.DENIED,
            reason=short,
            reason_code=_POINTS_MISSING,
            by=SYSTEM.name,
        )
        history.record(
            work, RenewalVerdict.DENIED, "renewal", renewal.id, reason=short, automatic=True
        )
    elif renewal.decision == RenewalVerdict.DENIED and short is None:
        _undo(
            work, renewal, certification, reason="The activities that it was based on have changed."
        )


def _is_upheld(work: UnitOfWork, renewal: Renewal) -> bool:
    """Whether an appeal was upheld, which settled the points: it waits for its fee alone."""
    upheld = select(Appeal.id).where(
        Appeal.renewal_id == renewal.id, Appeal.outcome == AppealVerdict.UPHELD
    )
    return work.row(upheld) is not None


def _next_cycle(
    scheme: Scheme, record: snapshots.CertificationRecord, *, decided_on: date
) -> rules.CycleTerm:
    """The cycle after the last one, whose expiry includes extensions by the day of the decision."""
    last = record.cycles[-1]
    return rules.next_cycle(
        scheme,
        last,
        decided_on=decided_on,
        awarded_on=record.cycles[0].starts_on,
        extended_to=rules.moved_to(last, record.adjustments, decided_on),
    )


def _check_still_in_force(record: snapshots.CertificationRecord) -> None:
    hold = rules.hold_on(record.changes, date.max)
    if hold:
        raise IllegalTransition(f"The certification is {hold}; it cannot be renewed.", state=hold)


def withdraw(work: UnitOfWork, renewal_id: str) -> None:
    """Withdraw an application before it is decided. Raises IllegalTransition, NotFound."""
    renewal, row = _open(work, renewal_id)
    if renewal.decision:
        state = renewal.decision
        raise IllegalTransition(f"The renewal is already {state}.", state=state)
    scheme = work.schemes[row.scheme]
    on = work.day_of(scheme, row.time_zone)
    renewal.withdrawn_on, renewal.closed_at = max(on, renewal.submitted_on), work.now
    work.session.flush()
    history.record(work, "withdraw", "renewal", renewal.id)
    bundles.follow_withdrawal(work, renewal)
    certifications.refresh(work, scheme, [row.id])


def get(reading: ReadContext, renewal_id: str) -> RenewalRow:
    """A renewal's row. Raises NotFound, also for another holder's."""
    statement = _ONE.where(Renewal.id == renewal_id, scope(reading.actor, Renewal))
    row = reading.row_as(RenewalRow, statement)
    if row is None:
        raise NotFound
    return row


def of_holder(reading: ReadContext, holder_id: str) -> Sequence[RenewalRow]:
    """All renewals of a holder, oldest first."""
    rows = reading.rows_as(RenewalRow, OF_HOLDER, {"id": holder_id})
    return sorted(rows, key=attrgetter("submitted_on", "id"))


def of_certification(reading: ReadContext, certification_id: str) -> list[RenewalRow]:
    """All renewals of a certification in the order of their ids."""
    return reading.rows_as(RenewalRow, _OF_CERTIFICATION, {"id": certification_id})


def page(
    reading: ReadContext,
    *,
    after: str | None,
    limit: int | None,
    certification_id: str | None = None,
    pending: bool | None = None,
) -> list[RenewalRow]:
    """A page of renewals in the order of their ids."""
    statement = _ONE.order_by(Renewal.id).limit(limit)
    if certification_id is not None:
        statement = statement.where(Renewal.certification_id == certification_id)
    if pending is not None:
        undecided = Renewal.decision.is_(None) & Renewal.withdrawn_on.is_(None)
        statement = statement.where(undecided if pending else ~undecided)
    if after:
        statement = statement.where(Renewal.id > after)
    return reading.rows_as(RenewalRow, statement)
