"""Appeals against a suspension, revocation or denied renewal, decided by somebody uninvolved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.attributes import flag_modified

from tracker.domain.credentials.appeals import (
    APPEALABLE,
    Appealable,
    AppealSubject,
    AppealVerdict,
    Decider,
    appeal_due_on,
    check_appeal,
    check_uninvolved,
    is_fee_refunded,
    reinstated_on,
)
from tracker.domain.credentials.certifications import ChangeKind
from tracker.domain.credentials.renewals import RenewalVerdict
from tracker.domain.delivery.notices import NoticeKind
from tracker.domain.errors import BuiltUpon, IllegalTransition, NotFound, Stale
from tracker.domain.permissions import SYSTEM
from tracker.domain.schemes.schemes import AppealRule, Scheme
from tracker.models import (
    ActApproval,
    Activity,
    Appeal,
    Certification,
    Decision,
    FormerRenewalDecision,
    Renewal,
    StandingChange,
)
from tracker.services.core import history, identities, writers
from tracker.services.core.context import ReadContext, UnitOfWork, columns_of, zone_of
from tracker.services.core.row_scope import scope
from tracker.services.credentials import certifications, fees, former_decisions, renewals
from tracker.services.outbox import notices
from tracker.services.outbox.notices import NoticeToTell
from tracker.services.standings import snapshots
from tracker.services.standings.snapshots import ZonedCertification

_UPHELD = "appeal_upheld"


class AppealRow(NamedTuple):
    """An appeal with its certification's holder."""

    id: str
    certification_id: str
    change_id: str | None
    renewal_id: str | None
    statement: str
    filed_on: date
    due_on: date
    fee: Decimal
    fee_refunded: bool
    fee_id: str | None
    outcome: AppealVerdict | None
    decided_on: date | None
    reason: str | None
    version: int
    holder_id: str


_ONE = select(*columns_of(AppealRow, Appeal, Certification)).join(
    Certification, Certification.id == Appeal.certification_id
)


@dataclass(frozen=True, slots=True)
class _Against:
    """What is appealed, a change of standing or a denied renewal, and when notice was given."""

    change_id: str | None
    renewal_id: str | None
    kind: AppealSubject
    noticed_at: datetime


@dataclass(frozen=True, slots=True)
class AppealsOverview:
    """What a holder can appeal against today, and the appeals so far, oldest first.

    ``rule`` is None if the scheme has no appeals. ``appealable`` includes what is too late by now;
    it is empty while an appeal is undecided.
    """

    scheme: Scheme
    rule: AppealRule | None
    on: date
    appealable: Sequence[Appealable]
    appeals: Sequence[AppealRow]


class _LatestChange(NamedTuple):
    id: str
    kind: ChangeKind
    reason_code: str
    effective_on: date
    recorded_at: datetime


def file(
    work: UnitOfWork, certification_id: str, *, statement: str, renewal_id: str | None = None
) -> str:
    """Appeal against a denied renewal, or the latest suspension or revocation.

    The deadlines are the scheme's: days to file after the notice, in the holder's time zone, and
    days to decide after filing. Raises AppealTooLate, IllegalTransition, NotFound.
    """
    row = certifications.locked(work, certification_id)
    scheme = work.schemes[row.scheme]
    contested = _denied(work, row, renewal_id) if renewal_id else _changed(work, row)
    if contested is None or scheme.appeals is None:
        raise IllegalTransition(
            "There is no suspension, revocation or denied renewal to appeal against.",
            state="none",
        )
    rule, on = scheme.appeals, work.day_of(scheme, row.time_zone)
    zone = scheme.zone_of(row.time_zone)
    noticed_on = _day(contested.noticed_at, zone)
    check_appeal(rule, noticed_on=noticed_on, on=on, zone=zone)
    made = Appeal(
        certification_id=row.id,
        change_id=contested.change_id,
        renewal_id=contested.renewal_id,
        statement=statement,
        filed_on=on,
        due_on=on + timedelta(days=rule.decided_within_days),
        fee=rule.fee,
        fee_id=fees.owe_for_appeal(work, row.holder_id, rule, scheme),
        recorded_at=work.now,
    )
    work.session.add(made)
    try:
        work.session.flush()
    except IntegrityError as error:
        raise IllegalTransition("An appeal is already open.", state="open") from error
    history.record(
        work,
        "appeal",
        "certification",
        row.id,
        change_id=contested.change_id,
        renewal_id=contested.renewal_id,
    )
    writers.note(work, [made.id])
    _tell(work, NoticeKind.APPEAL_RECEIVED, made, on=on, event="received")
    return made.id


def overview(reading: ReadContext, certification_id: str) -> AppealsOverview:
    """What can be appealed of a certification, and the appeals so far.

    Raises NotFound, also for another holder's.
    """
    row = certifications.with_zone(reading, certification_id)
    scheme, made = reading.schemes[row.scheme], of_certification(reading, certification_id)
    rule, zone = scheme.appeals, scheme.zone_of(row.time_zone)
    appealable = []
    if rule is not None and all(appeal.outcome for appeal in made):
        for against in (_changed(reading, row), *_denials(reading, row)):
            if against is not None:
                noticed_on = _day(against.noticed_at, zone)
                due_on = appeal_due_on(rule, noticed_on=noticed_on)
                ids = against.change_id, against.renewal_id
                appealable.append(Appealable(*ids, against.kind, noticed_on, due_on))
    on = reading.day_of(scheme, row.time_zone)
    return AppealsOverview(scheme, rule, on, appealable, made)


def _day(instant: datetime, zone: str) -> date:
    return instant.astimezone(zone_of(zone)).date()


def _changed(reading: ReadContext, row: ZonedCertification) -> _Against | None:
    """The latest change of standing, if it can be appealed."""
    change = _latest_change(reading, row.id)
    if change is None or change.kind not in APPEALABLE:
        return None
    kind = APPEALABLE[change.kind]
    return _Against(change.id, None, kind, change.recorded_at)


def _latest_change(reading: ReadContext, certification_id: str) -> _LatestChange | None:
    table = StandingChange
    return reading.row_as(
        _LatestChange,
        select(*columns_of(_LatestChange, table))
        .where(table.certification_id == certification_id)
        .order_by(table.id.desc()),
    )


def _denied(work: UnitOfWork, row: ZonedCertification, renewal_id: str) -> _Against | None:
    """The renewal with that id, if it is denied. Raises NotFound for another certification's."""
    if renewals.get(work, renewal_id).certification_id != row.id:
        raise NotFound
    return next((one for one in _denials(work, row) if one.renewal_id == renewal_id), None)


def _denials(reading: ReadContext, row: ZonedCertification) -> list[_Against]:
    """The denied renewals of a certification, the latest first."""
    table, kind = Renewal, AppealSubject.RENEWAL_DENIED
    statement = (
        select(table.id, func.coalesce(table.closed_at, table.recorded_at))
        .where(table.certification_id == row.id, table.decision == RenewalVerdict.DENIED)
        .order_by(table.id.desc())
    )
    return [_Against(None, id_, kind, at) for id_, at in reading.rows(statement)]


def decide(
    work: UnitOfWork, appeal_id: str, *, outcome: AppealVerdict, reason: str, version: int
) -> None:
    """Uphold or dismiss an appeal; a later outcome supersedes the earlier one.

    If it is upheld, the change of standing is undone or the renewal approved, and the fee is
    refunded where the rule says so. Where the rule restores the gap, the reinstatement takes effect
    on the day of the change. The decider must not have decided what is appealed. A superseded
    outcome is undone first: what was appealed applies again from its own day. Raises NotAllowed,
    Stale, IllegalTransition, BuiltUpon, SelfReview, NotFound.
    """
    appeal = work.session.get(Appeal, appeal_id)
    if appeal is None:
        raise NotFound
    row = certifications.locked_to_decide(work, appeal.certification_id)
    work.reread(appeal)
    if appeal.version != version:
        raise Stale("The appeal has changed since you read it; read it again.")
    if appeal.outcome == outcome:
        raise IllegalTransition(f"The appeal is already {outcome}.", state=outcome)
    writers.check_not_written(work, appeal.id)
    check_uninvolved(work.actor, _involved(work, appeal), ids=identities.behind(work))
    rule, before = work.schemes[row.scheme].appeals, appeal.outcome
    on = max(work.today(work.schemes[row.scheme]), appeal.filed_on, appeal.decided_on or date.min)
    if before == AppealVerdict.UPHELD:
        _put_back(work, appeal, row, reason)
    elif outcome == AppealVerdict.UPHELD:
        _carry_out(work, appeal, row, rule, reason=reason, on=on)
    appeal.outcome, appeal.reason, appeal.decided_on = outcome, reason, on
    appeal.decided_by = work.actor.name
    appeal.fee_refunded = is_fee_refunded(rule, outcome)
    flag_modified(appeal, "outcome")
    work.session.flush()
    fees.follow_appeal(work, appeal)
    history.record(work, outcome, "appeal", appeal.id, reason=reason, before=before)
    event = f"{outcome}:{work.now.isoformat()}"
    _tell(work, NoticeKind.APPEAL_DECIDED, appeal, on=on, event=event)


def _tell(work: UnitOfWork, kind: NoticeKind, appeal: Appeal, *, on: date, event: str) -> None:
    certification = work.session.get_one(Certification, appeal.certification_id)
    news = NoticeToTell(
        kind=kind,
        holder_id=certification.holder_id,
        subject_id=appeal.id,
        event=event,
        on=on,
    )
    notices.tell(work, [news])


def _involved(work: UnitOfWork, appeal: Appeal) -> set[Decider]:
    """Who decided what is appealed; for an automatic denial, who decided the activity behind it."""
    if appeal.change_id is not None:
        change = work.session.get_one(StandingChange, appeal.change_id)
        return {(change.decided_by_id, change.decided_by), *_proposers(work, change.id)}
    renewal = work.session.get_one(Renewal, appeal.renewal_id)
    former = former_decisions.of_renewal(work, renewal.id)
    decisions: list[Renewal | FormerRenewalDecision] = [renewal, *former]
    denied = [
        decision
        for decision in decisions
        if decision.decision == RenewalVerdict.DENIED and decision.decided_by
    ]
    people = {(decision.decided_by_id, decision.decided_by or "") for decision in denied}
    automatic = (None, SYSTEM.name)
    instants = [
        decision.closed_at
        for decision in denied
        if (decision.decided_by_id, decision.decided_by) == automatic
        and decision.closed_at is not None
    ]
    certification = work.session.get_one(Certification, appeal.certification_id)
    rows = work.rows(
        select(Decision.decided_by_id, Decision.decided_by)
        .join(Activity, Activity.id == Decision.activity_id)
        .where(Activity.holder_id == certification.holder_id, Decision.recorded_at.in_(instants))
    )
    return (people - {automatic}) | {(row.decided_by_id, row.decided_by) for row in rows}


def _proposers(work: UnitOfWork, change_id: str) -> set[Decider]:
    """Who proposed a change of standing that a second person approved, by all their ids."""
    made = select(ActApproval.proposed_by, ActApproval.proposer_id, ActApproval.proposer_ids)
    return {
        (id_, row.proposed_by)
        for row in work.rows(made.where(ActApproval.outcome_id == change_id))
        for id_ in (row.proposer_id, *row.proposer_ids)
    }


def _carry_out(
    work: UnitOfWork,
    appeal: Appeal,
    row: ZonedCertification,
    rule: AppealRule | None,
    *,
    reason: str,
    on: date,
) -> None:
    """Apply the result of an upheld appeal."""
    if appeal.renewal_id is not None:
        renewals.approve_on_appeal(work, appeal.renewal_id, reason=reason)
        return
    change = work.session.get_one(StandingChange, appeal.change_id)
    certifications.change(
        work,
        row.id,
        kind=ChangeKind.REINSTATE,
        reason_code=_UPHELD,
        reason=reason,
        effective_on=reinstated_on(rule, changed_on=change.effective_on, decided_on=on),
    )


def _put_back(work: UnitOfWork, appeal: Appeal, row: ZonedCertification, reason: str) -> None:
    """Undo the result of an upheld appeal.

    The suspension or revocation applies again from the day on which it was lifted, so that there is
    no gap. Raises BuiltUpon if the standing has been changed since.
    """
    if appeal.renewal_id is not None:
        if not renewals.deny_unpaid(work, appeal.renewal_id, reason=reason):
            renewals.undo_approval(work, appeal.renewal_id, reason=reason)
        return
    lifted = _latest_change(work, row.id)
    if lifted is None or (lifted.kind, lifted.reason_code) != (ChangeKind.REINSTATE, _UPHELD):
        raise BuiltUpon(
            "The standing has changed since the appeal was upheld; change the standing directly."
        )
    change = work.session.get_one(StandingChange, appeal.change_id)
    certifications.change(
        work,
        row.id,
        kind=change.kind,  # type: ignore[arg-type]
        effective_on=lifted.effective_on,
        reason_code=change.reason_code,
        reason=reason,
        barred_until=change.barred_until,
    )


def get(reading: ReadContext, appeal_id: str) -> AppealRow:
    """An appeal's row. Raises NotFound, also for another holder's."""
    statement = _ONE.where(Appeal.id == appeal_id, scope(reading.actor, Appeal))
    row = reading.row_as(AppealRow, statement)
    if row is None:
        raise NotFound
    return row


def of_certification(reading: ReadContext, certification_id: str) -> Sequence[AppealRow]:
    """The appeals about a certification, oldest first. Raises NotFound."""
    row = snapshots.certification(reading, certification_id)
    statement = _ONE.where(Appeal.certification_id == row.id).order_by(Appeal.id)
    return reading.rows_as(AppealRow, statement)
