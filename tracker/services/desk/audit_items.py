"""One audited activity: the holder's answer, the outcome with what falls by it, and the appeal.

An outcome that takes points is a decision on the activity like any other
(``services/points/activity_decisions.decide()``), which supersedes the approval that was looked at.
So points, cycles, applications and messages follow, and a later outcome puts back what it took.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter
from typing import NamedTuple

from sqlalchemy import and_, bindparam, or_, select
from sqlalchemy.orm.exc import StaleDataError

from tracker.domain.credentials.appeals import check_appeal
from tracker.domain.delivery.notices import NoticeKind
from tracker.domain.desk import audits as rules
from tracker.domain.desk.audits import AuditOutcome, AuditState, AuditVerdict, NoAnswer
from tracker.domain.errors import IllegalTransition, NotFound, Stale
from tracker.domain.permissions import check_own_holder
from tracker.domain.points.activities import ActivityState, ActivityVerdict
from tracker.domain.schemes.activity_types import translated
from tracker.models import Activity, AuditItem, ClaimAudit, Decision, HistoryEntry, Holder
from tracker.services.core import bulk, history, identities, locks
from tracker.services.core.context import ReadContext, UnitOfWork, columns_of, zone_of
from tracker.services.core.row_scope import scope
from tracker.services.desk import audit_effects
from tracker.services.desk.audit_effects import AuditEffects
from tracker.services.outbox import notices
from tracker.services.outbox.notices import NoticeToTell
from tracker.services.points import activity_decisions, activity_rows
from tracker.services.points.activity_decisions import ReviewerDecision

_STALE = "The audited activity has changed since you read it; read it again."


class AuditItemRow(NamedTuple):
    """An audited activity with its title, and its holder's name."""

    id: str
    audit_id: str
    holder_id: str
    activity_id: str
    place: int
    state: AuditState
    due_on: date
    reminders: int
    answer: str | None
    answered_at: datetime | None
    points: Decimal | None
    points_before: Decimal | None
    points_after: Decimal | None
    reason_code: str | None
    reason: str | None
    decided_at: datetime | None
    decided_by: str | None
    appeal: str | None
    appealed_on: date | None
    appeal_due_on: date | None
    appeal_decided_at: datetime | None
    recorded_at: datetime
    version: int
    scheme: str
    title: str
    given_name: str
    family_name: str

    @property
    def is_appealed(self) -> bool:
        """Whether nothing more can be appealed until another outcome is given."""
        return _is_appealed(self)


def _is_appealed(row: AuditItem | AuditItemRow) -> bool:
    return rules.is_appealed(
        appealed_on=row.appealed_on,
        appeal_decided_at=row.appeal_decided_at,
        decided_at=row.decided_at,
    )


@dataclass(frozen=True, slots=True)
class _Item:
    """An item with its activity, both read again under the holder's lock."""

    row: AuditItem
    activity: Activity

    @property
    def state(self) -> AuditState:
        """Where it stands."""
        return AuditState(self.row.state)

    @property
    def is_appealed(self) -> bool:
        """Whether an appeal waits for another outcome."""
        return self.row.appealed_on is not None and self.row.appeal_decided_at is None


_ONE = (
    select(*columns_of(AuditItemRow, AuditItem, Activity, Holder))
    .join(Activity, Activity.id == AuditItem.activity_id)
    .join(Holder, Holder.id == AuditItem.holder_id)
)


# By the holder.
def answer(work: UnitOfWork, item_id: str, *, text: str) -> None:
    """Answer an audit, or answer it again while it is open. Raises NotFound, IllegalTransition.

    Evidence goes to the activity itself, which takes files as long as its audit is open.
    """
    item = _locked(work, item_id)
    rules.check_answerable(item.state)
    item.row.answer, item.row.answered_at = text, work.now
    item.row.state = AuditState.ANSWERED
    work.session.flush()
    history.record(work, "answer", "audit_item", item.row.id)


def appeal(work: UnitOfWork, item_id: str, *, statement: str) -> None:
    """Appeal against an outcome that took points; somebody uninvolved gives another one.

    The deadlines are the scheme's for appeals. Raises NotFound, IllegalTransition, AppealTooLate.
    """
    item = _locked(work, item_id)
    row, decided_at = item.row, item.row.decided_at
    rules.check_appealable(item.state, appealed=_is_appealed(row))
    scheme = work.schemes[item.activity.scheme]
    if scheme.appeals is None or decided_at is None:
        raise IllegalTransition(f"There are no appeals in {scheme.code}.", state=item.state)
    zone, on = zone_of(scheme.zone_of(_zone(work, item))), _today(work, item)
    check_appeal(scheme.appeals, noticed_on=decided_at.astimezone(zone).date(), on=on)
    before = {"appeal": (row.appeal, statement)} if row.appeal is not None else {}
    row.appeal, row.appealed_on, row.appeal_decided_at = statement, on, None
    row.appeal_due_on = rules.answer_due_on(on, scheme.appeals.decided_within_days)
    work.session.flush()
    history.record(work, "appeal", "audit_item", row.id, **({"changes": before} if before else {}))
    event = f"received:{work.now.isoformat()}" if before else "received"
    _tell(work, item, NoticeKind.AUDIT_APPEALED, event)


# By the body.
def decide(work: UnitOfWork, item_id: str, verdict: AuditVerdict, *, version: int) -> None:
    """Settle an audited activity, or settle it otherwise later, which also decides an appeal.

    Never one's own record, nor one's own decision: somebody else than who approved the activity
    audits it, and somebody uninvolved in the outcome decides the appeal. Raises NotFound,
    SelfReview, NotAllowed, Stale, IllegalTransition, Invalid, UnknownReason, UnderReview.
    """
    item = _to_decide(work, item_id, version)
    _check_another(work, item)
    limit = _limit(work, item) if verdict.outcome == AuditOutcome.REDUCED else None
    rules.check_verdict(item.state, verdict, limit=limit, is_moot=_is_moot(work, item))
    before = audit_effects.points_of_cycle(work, item.activity)
    _carry_out(work, item, verdict)
    work.session.flush()
    after = audit_effects.points_of_cycle(work, item.activity)
    _write(work, item, verdict, _before(item, before), after)


def _before(item: _Item, now: Decimal | None) -> Decimal | None:
    """The points without what the audit takes: those of now, and what an earlier outcome took."""
    row = item.row
    if now is None or row.points_before is None or row.points_after is None:
        return now
    return now + row.points_before - row.points_after


def preview(work: UnitOfWork, item_id: str, verdict: AuditVerdict, *, version: int) -> AuditEffects:
    """What an outcome would bring: it is tried and undone. Raises what ``decide`` raises."""
    item = _to_decide(work, item_id, version)
    before = audit_effects.situation(work, item.activity)
    savepoint = bulk.savepoint(work)
    try:
        decide(work, item_id, verdict, version=version)
        after = audit_effects.situation(work, item.activity)
    finally:
        savepoint.rollback()
        work.session.expire_all()
    return AuditEffects(before, after)


def _to_decide(work: UnitOfWork, item_id: str, version: int) -> _Item:
    item = _locked(work, item_id, decides=True)
    if item.row.version != version:
        raise Stale(_STALE)
    return item


def _check_another(work: UnitOfWork, item: _Item) -> None:
    """Refuse who decided what is looked at; in an appeal also who gave an outcome."""
    drawn = Decision.id == item.row.decision_id
    if item.is_appealed:
        since = Decision.recorded_at >= item.row.recorded_at
        drawn = or_(drawn, and_(Decision.activity_id == item.activity.id, since))
    deciders = [row.decided_by_id for row in work.rows(select(Decision.decided_by_id).where(drawn))]
    if item.is_appealed:
        deciders.append(item.row.decided_by_id)
    rules.check_another(deciders, identities.behind(work) | work.actor.ids)


def _carry_out(work: UnitOfWork, item: _Item, verdict: AuditVerdict) -> None:
    """Decide the activity anew where the outcome asks for it."""
    activity = item.activity
    if verdict.outcome == AuditOutcome.CALLED_OFF:
        return
    if verdict.outcome == AuditOutcome.CONFIRMED and item.state not in rules.APPEALABLE:
        return
    decision = _decision(work, item, verdict)
    activity_decisions.decide(work, activity.id, decision, version=activity.version)


def _is_moot(work: UnitOfWork, item: _Item) -> bool:
    """Whether neither the approval that was drawn nor the outcome is in force any more.

    A rejected activity that its holder has changed since is another claim.
    """
    if item.activity.state not in {ActivityState.APPROVED, ActivityState.REJECTED}:
        return True
    current, decided_at = (
        activity_rows.current_decision(work, item.activity.id),
        item.row.decided_at,
    )
    if current is None:
        return True
    if current.id == item.row.decision_id:
        return False
    return decided_at is None or current.recorded_at != decided_at or _is_changed(work, item)


def _is_changed(work: UnitOfWork, item: _Item) -> bool:
    lines = select(HistoryEntry.id).where(
        HistoryEntry.subject == "activity",
        HistoryEntry.subject_id == item.activity.id,
        HistoryEntry.action == "edit",
        HistoryEntry.at > item.row.decided_at,
    )
    return work.row(lines) is not None


def _limit(work: UnitOfWork, item: _Item) -> Decimal | None:
    """The most that the activity may bring by the approval that was drawn, as far as it is known.

    What a rejected one would bring is known only by the limit of that approval.
    """
    drawn = work.session.get_one(Decision, item.row.decision_id).points_limit
    if item.state in rules.APPEALABLE:
        return drawn
    most = audit_effects.most_of(work, item.activity)
    return min((one for one in (drawn, most) if one is not None), default=None)


def _decision(work: UnitOfWork, item: _Item, verdict: AuditVerdict) -> ReviewerDecision:
    """The decision that an outcome makes, with the terms of the approval that was drawn."""
    if verdict.outcome == AuditOutcome.REJECTED:
        return ReviewerDecision(
            ActivityVerdict.REJECTED, reason_code=verdict.reason_code, reason=verdict.reason
        )
    drawn = work.session.get_one(Decision, item.row.decision_id)
    confirmed = verdict.outcome == AuditOutcome.CONFIRMED
    return ReviewerDecision(
        ActivityVerdict.APPROVED,
        points_limit=drawn.points_limit if confirmed else verdict.points,
        provider_approved=drawn.provider_approved,
        reason_code=None if confirmed else verdict.reason_code,
        reason=verdict.reason,
    )


def _write(
    work: UnitOfWork,
    item: _Item,
    verdict: AuditVerdict,
    before: Decimal | None,
    after: Decimal | None,
) -> None:
    row, was = item.row, item.state
    settles = item.is_appealed
    row.state, row.points = verdict.outcome, verdict.points
    row.reason_code, row.reason = verdict.reason_code, verdict.reason
    row.points_before, row.points_after = (
        (None, None) if before is None or after is None else (before, after)
    )
    row.decided_at, row.decided_by, row.decided_by_id = (
        work.now,
        work.actor.name,
        work.actor.who,
    )
    if settles:
        row.appeal_decided_at = work.now
    try:
        work.session.flush()
    except StaleDataError as error:
        raise Stale(_STALE) from error
    history.record(
        work,
        "decide",
        "audit_item",
        row.id,
        outcome=verdict.outcome,
        points=verdict.points,
        reason_code=verdict.reason_code,
        reason=verdict.reason,
        before=was,
        on_appeal=settles,
    )
    _tell(work, item, NoticeKind.AUDIT_DECIDED, f"{verdict.outcome}:{work.now.isoformat()}")


# After the deadline.
def overdue(reading: ReadContext) -> list[str]:
    """The unanswered items whose deadline has passed, oldest first.

    Nobody asks the dead, nor about what was decided otherwise since: those wait for staff.
    """
    statement = (
        select(AuditItem.id, AuditItem.reminders, ClaimAudit.no_answer)
        .join(ClaimAudit, ClaimAudit.id == AuditItem.audit_id)
        .join(Activity, Activity.id == AuditItem.activity_id)
        .join(Holder, Holder.id == AuditItem.holder_id)
        .where(
            AuditItem.state == AuditState.ASKED,
            AuditItem.due_on < reading.now.date(),
            Activity.state == ActivityState.APPROVED,
            Holder.deceased_on.is_(None),
        )
        .order_by(AuditItem.due_on, AuditItem.id)
    )
    return [
        row.id
        for row in reading.rows(statement)
        if row.no_answer == NoAnswer.REJECT or rules.is_reminded(NoAnswer.REMIND, row.reminders)
    ]


def follow_policy(work: UnitOfWork, item_id: str) -> str | None:
    """Do what the audit says for no answer; returns what was done, None if nothing is to be.

    A reminder moves the deadline by the days to answer. After the last one staff decide: the item
    is counted as unanswered. The dead are left alone, and so is what was decided again since.
    """
    found = work.session.get(AuditItem, item_id)
    if found is None:
        return None
    item = _locked(work, item_id)
    row, audit = item.row, work.session.get_one(ClaimAudit, item.row.audit_id)
    on = _today(work, item)
    if item.state != AuditState.ASKED or row.due_on >= on or _is_left_alone(work, item):
        return None
    if audit.no_answer == NoAnswer.REJECT:
        return _reject(work, item)
    if not rules.is_reminded(NoAnswer.REMIND, row.reminders):
        return None
    before, row.reminders = row.due_on, row.reminders + 1
    row.due_on = rules.answer_due_on(on, audit.reply_days)
    work.session.flush()
    changed = {"due_on": (before, row.due_on)}
    history.record(work, "remind", "audit_item", row.id, changes=changed)
    _tell(work, item, NoticeKind.AUDIT_ASKED, f"reminded:{row.due_on}")
    return "reminded"


def _is_left_alone(work: UnitOfWork, item: _Item) -> bool:
    dead = work.session.get_one(Holder, item.row.holder_id).deceased_on is not None
    return dead or item.activity.state != ActivityState.APPROVED or _is_moot(work, item)


def _reject(work: UnitOfWork, item: _Item) -> str:
    """Reject what nobody answered for."""
    language = work.session.get_one(Holder, item.row.holder_id).language
    code = "audit_unanswered"
    words = translated(work.reasons.by_code[code].text, language)
    verdict = AuditVerdict(AuditOutcome.REJECTED, reason_code=code, reason=words)
    decide(work, item.row.id, verdict, version=item.row.version)
    return "rejected"


def _locked(work: UnitOfWork, item_id: str, *, decides: bool = False) -> _Item:
    seen = AuditItem.id == item_id, scope(work.actor, AuditItem)
    row = work.session.scalar(select(AuditItem).where(*seen))
    if row is None:
        raise NotFound
    check_own_holder(work.actor, row.holder_id)
    (locks.lock_one_to_decide if decides else locks.lock_one)(work, row.holder_id)
    work.reread(row)
    activity = work.session.get_one(Activity, row.activity_id)
    work.reread(activity)
    return _Item(row, activity)


def _zone(work: UnitOfWork, item: _Item) -> str:
    return work.session.get_one(Holder, item.row.holder_id).time_zone


def _today(work: UnitOfWork, item: _Item) -> date:
    scheme = work.schemes[item.activity.scheme]
    return work.day_of(scheme, _zone(work, item))


def _tell(work: UnitOfWork, item: _Item, kind: NoticeKind, event: str) -> None:
    news = NoticeToTell(
        kind=kind,
        holder_id=item.row.holder_id,
        subject_id=item.row.id,
        event=event,
        on=work.today(work.schemes[item.activity.scheme]),
    )
    notices.tell(work, [news])


# Reading.
def get(reading: ReadContext, item_id: str) -> AuditItemRow:
    """An audited activity. Raises NotFound, also for another holder's."""
    statement = _ONE.where(AuditItem.id == item_id, scope(reading.actor, AuditItem))
    row = reading.row_as(AuditItemRow, statement)
    if row is None:
        raise NotFound
    return row


def page(
    reading: ReadContext, *, after: str | None, limit: int, filters: Mapping[str, str]
) -> list[AuditItemRow]:
    """A page of audited activities, in the order in which they were drawn; a holder's own alone."""
    statement = _ONE.where(scope(reading.actor, AuditItem)).order_by(AuditItem.id).limit(limit)
    if after:
        statement = statement.where(AuditItem.id > after)
    for name, value in filters.items():
        statement = statement.where(getattr(AuditItem, name) == value)
    return reading.rows_as(AuditItemRow, statement)


def to_answer(reading: ReadContext, holder_id: str) -> list[AuditItemRow]:
    """The audited activities that wait for this holder's answer, in the order of drawing."""
    return sorted(reading.rows_as(AuditItemRow, TO_ANSWER, {"id": holder_id}), key=attrgetter("id"))


TO_ANSWER = _ONE.where(AuditItem.holder_id == bindparam("id"), AuditItem.state == AuditState.ASKED)
"""The audited activities that wait for the answer of the holder ``id``; can be prefetched."""
