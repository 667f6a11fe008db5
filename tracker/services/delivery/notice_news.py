"""What a notice says on the day of sending, or that it is left out because it is no longer true.

Invariant: a notice records what staff did; whether and how it is told depends on what is on record
when the message leaves. What was undone before anybody was told is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from tracker.domain.credentials.appeals import appeal_due_on
from tracker.domain.credentials.certifications import ChangeKind, Status, cycle_on
from tracker.domain.credentials.fees import is_paid_back
from tracker.domain.credentials.renewals import RenewalVerdict
from tracker.domain.delivery.notices import NoticeKind
from tracker.domain.desk.audits import APPEALABLE, AuditState, is_appealed
from tracker.domain.permissions import SYSTEM
from tracker.domain.points.activities import ActivityState, ActivityVerdict
from tracker.domain.schemes.activity_types import translated
from tracker.mail.notices import NoticeToCompose
from tracker.services.core.context import ReadContext
from tracker.services.delivery import notice_facts, notice_people
from tracker.services.delivery.notice_facts import DueNotice, HeldToday, NoticeFacts
from tracker.services.delivery.notice_rows import (
    EarlierNotice,
    MessageNotice,
    NoticedChange,
    NoticedDecision,
    NoticedFormerDecision,
    NoticedRenewal,
)
from tracker.services.outbox.notices import SECOND_THOUGHTS

_CHANGES = {
    NoticeKind.SUSPENDED: ChangeKind.SUSPEND,
    NoticeKind.REINSTATED: ChangeKind.REINSTATE,
    NoticeKind.REVOKED: ChangeKind.REVOKE,
}
V = TypeVar("V")

_RESTORED = "restored:"


ToldNotice = tuple[NoticeToCompose, HeldToday | None]
"""A notice ready to compose, and the certification that it is about."""


def of_message(
    reading: ReadContext, facts: NoticeFacts, rows: Sequence[MessageNotice]
) -> list[ToldNotice]:
    """What is still true of a message's notices, in the order in which they were recorded."""
    return [news for row in rows for news in _still_true(DueNotice(reading, facts, row, rows))]


def _still_true(notice: DueNotice) -> Iterator[ToldNotice]:
    if tell := notice_people.BY_KIND.get(notice.row.kind):
        for news in tell(notice):
            yield news, None
        return
    held = _certification(notice)
    if held is None or (held.row.withdrawn_at is None and not held.is_current):
        return
    if held.row.withdrawn_at is not None:
        if notice.row.kind == NoticeKind.AWARD_WITHDRAWN:
            withdrawn_at = held.row.withdrawn_at
            yield from ((news, held) for news in _withdrawn(notice, held, withdrawn_at))
        return
    for news in _OF_CERTIFICATIONS[notice.row.kind](notice, held):
        yield news, held


def _certification(notice: DueNotice) -> HeldToday | None:
    """The certification that the notice is about."""
    facts, subject_id = notice.facts, notice.row.subject_id
    match notice.row.kind:
        case (
            NoticeKind.ACTIVITY_SUBMITTED
            | NoticeKind.ACTIVITY_DECIDED
            | NoticeKind.ACTIVITY_REOPENED
        ):
            activity = facts.activities.get(subject_id)
            return facts.current(notice.row.holder_id, activity.scheme) if activity else None
        case NoticeKind.RENEWAL_RECEIVED | NoticeKind.RENEWAL_DECIDED | NoticeKind.RENEWAL_REOPENED:
            renewal = facts.renewals.get(subject_id)
            return facts.certifications.get(renewal.certification_id) if renewal else None
        case NoticeKind.AUDIT_ASKED | NoticeKind.AUDIT_DECIDED | NoticeKind.AUDIT_APPEALED:
            audit = facts.audits.get(subject_id)
            return facts.current(notice.row.holder_id, audit.scheme) if audit else None
        case NoticeKind.APPEAL_RECEIVED | NoticeKind.APPEAL_DECIDED:
            appeal = facts.appeals.get(subject_id)
            return facts.certifications.get(appeal.certification_id) if appeal else None
    return facts.certifications.get(subject_id)


def _notice(tells: str, notice: DueNotice, held: HeldToday) -> NoticeToCompose:
    """A notice about a certification, with its name, its number and its standing."""
    now = held.now
    return NoticeToCompose(
        tells,
        scheme_name=translated(held.scheme.title, notice.row.language),
        full_name=held.scheme.full_name(notice.row.language),
        number=held.row.number,
        now=now,
        expires_on=now.expires_on if now else None,
        window_opens_on=now.opens_on if now else None,
    )


# Awards.
def _awarded(notice: DueNotice, held: HeldToday) -> Iterator[NoticeToCompose]:
    if held.now is not None and held.now.status in {Status.REVOKED, Status.SURRENDERED}:
        return
    yield replace(
        _notice("award", notice, held),
        on=held.row.awarded_on,
        again=held.row.sequence > 1,
        points_required=held.points.evaluation.required if held.points else None,
    )


def _corrected(notice: DueNotice, held: HeldToday) -> Iterator[NoticeToCompose]:
    """A corrected award date, or a restored award; once for all corrections in a message."""
    row, awarded_on = notice.row, held.row.awarded_on
    if row.event.startswith(_RESTORED):
        if _is_withdrawal_known(notice):
            yield replace(_notice("award_restored", notice, held), on=awarded_on)
        return
    moved = [n for n in notice.of_kind(NoticeKind.AWARD_CORRECTED) if _RESTORED not in n.event]
    before = date.fromisoformat(moved[0].event[:10])
    if row is moved[0] and before != awarded_on and not notice.of_kind(NoticeKind.AWARD):
        yield replace(_notice("award_corrected", notice, held), on=awarded_on, before=before)


def _withdrawn(
    notice: DueNotice, held: HeldToday, withdrawn_at: datetime
) -> Iterator[NoticeToCompose]:
    """A withdrawn award, unless the holder was never notified of it or already knows."""
    soon = withdrawn_at - held.row.recorded_at <= SECOND_THOUGHTS
    if soon and notice.facts.is_unsent(notice.row.subject_id, NoticeKind.AWARD):
        return
    is_first = notice.row is notice.of_kind(NoticeKind.AWARD_WITHDRAWN)[0]
    if is_first and not _is_withdrawal_known(notice):
        yield replace(_notice("award_withdrawn", notice, held), on=held.row.awarded_on)


def _is_withdrawal_known(notice: DueNotice) -> bool:
    """Whether the holder was notified of the withdrawal, and of no restored award since."""
    subject_id, kind = notice.row.subject_id, NoticeKind.AWARD_WITHDRAWN
    sent = notice.facts.last_sent(subject_id, kind, undone_by=NoticeKind.AWARD_CORRECTED)
    return sent is not None


# Acknowledgements, unless a decision came before the message could leave.
def _submitted(notice: DueNotice, held: HeldToday) -> Iterator[NoticeToCompose]:
    activity = notice.facts.activities[notice.row.subject_id]
    is_latest = notice.of_kind(NoticeKind.ACTIVITY_SUBMITTED)[-1] is notice.row
    if is_latest and activity.state == ActivityState.SUBMITTED:
        on = notice_facts.day_at(notice.reading, held, notice.row.recorded_at)
        yield replace(_notice("activity_submitted", notice, held), about=activity.title, on=on)


def _renewal_received(notice: DueNotice, held: HeldToday) -> Iterator[NoticeToCompose]:
    renewal = notice.facts.renewals[notice.row.subject_id]
    if renewal.decision is None and renewal.withdrawn_on is None:
        yield replace(_notice("renewal_received", notice, held), on=renewal.submitted_on)


def _appeal_received(notice: DueNotice, held: HeldToday) -> Iterator[NoticeToCompose]:
    appeal = notice.facts.appeals[notice.row.subject_id]
    if appeal.outcome is None:
        news = _notice("appeal_received", notice, held)
        yield replace(news, before=appeal.filed_on, on=appeal.due_on)


# Decisions.
def _decided(notice: DueNotice, held: HeldToday) -> Iterator[NoticeToCompose]:
    """The decision in force, unless the activity was submitted again since."""
    decisions = notice.facts.decisions.get(notice.row.subject_id, ())
    ruling = next((d for d in reversed(decisions) if d.undone_at is None), None)
    if ruling is None or ruling.state != ruling.verdict or not _is_latest(notice, ruling):
        return
    former = _former_decision(notice, decisions, ruling)
    if former is not None and _content(former) == _content(ruling):
        return
    yield replace(_decision(notice, held, ruling), changed=former is not None)


def _is_latest(notice: DueNotice, ruling: NoticedDecision) -> bool:
    """Whether the notice is the message's last one about the decision in force.

    The event of a decision that is in force again is its id and a number.
    """
    of_activity = notice.of_kind(NoticeKind.ACTIVITY_DECIDED)
    of_ruling = [n for n in of_activity if _decision_of(n) == ruling.id]
    return bool(of_ruling) and of_ruling[-1] is notice.row


def _decision_of(notice: MessageNotice | EarlierNotice) -> str:
    return notice.event.partition(":")[0]


def _sent_decision(notice: DueNotice) -> EarlierNotice | None:
    """The notice of the decision on the activity that the holder knows."""
    return notice.facts.last_sent(
        notice.row.subject_id,
        NoticeKind.ACTIVITY_DECIDED,
        undone_by=NoticeKind.ACTIVITY_REOPENED,
    )


def _former_decision(
    notice: DueNotice, decisions: Sequence[NoticedDecision], ruling: NoticedDecision
) -> NoticedDecision | None:
    """The decision on the same submission that the holder knows, or None."""
    sent = _sent_decision(notice)
    former = next((d for d in decisions if sent and d.id == _decision_of(sent)), None)
    if former is None:
        return None
    in_this_round = ruling.submitted_at is None or former.recorded_at >= ruling.submitted_at
    return former if in_this_round else None


def _content(decision: NoticedDecision) -> tuple[str, Decimal | None, str | None]:
    return decision.verdict, decision.points_limit, decision.reason


def _decision(notice: DueNotice, held: HeldToday, decision: NoticedDecision) -> NoticeToCompose:
    evaluation = held.points.evaluation if held.points else None
    credits_ = evaluation.credits if evaluation else ()
    credit = next((c for c in credits_ if c.ref == decision.activity_id), None)
    claimed, brings = (credit.claimed, credit.counted) if credit else (None, None)
    limit = decision.points_limit if decision.verdict == ActivityVerdict.APPROVED else None
    partly = limit is not None and claimed is not None and limit < claimed
    closed = _is_closed(held, decision.done_on)
    former = closed and _is_former(held, decision.done_on)
    if former:  # it counted in an earlier cycle, so today's total does not include it
        claimed, brings = claimed if partly else None, None
    news = replace(
        _notice("partly" if partly else decision.verdict, notice, held),
        about=decision.title,
        on=decision.decided_on,
        reason=decision.reason or "",
        points_claimed=claimed if partly or claimed != brings else None,
        points_approved=limit if partly else brings,
        closed=closed,
    )
    return news if former else _with_totals(news, held)


def _with_totals(news: NoticeToCompose, held: HeldToday) -> NoticeToCompose:
    if held.points is None:
        return news
    evaluation = held.points.evaluation
    return replace(news, points_total=evaluation.total, points_required=evaluation.required)


def _is_closed(held: HeldToday, done_on: date | None) -> bool:
    """Whether an activity is of a cycle already renewed and its points cannot be carried over."""
    last = held.cycles[-1] if held.cycles else None
    if last is None or last.ordinal == 1 or done_on is None or done_on >= last.starts_on:
        return False
    return not last.policy or held.scheme.policy(last.policy).carry_over is None


def _is_former(held: HeldToday, done_on: date) -> bool:
    """Whether an activity is of a cycle before today's."""
    return held.now is not None and done_on < cycle_on(held.cycles, held.now.on).starts_on


def _reopened(notice: DueNotice, held: HeldToday) -> Iterator[NoticeToCompose]:
    """An activity under review again, if the holder knows the decision taken back."""
    decision = notice.facts.decisions[notice.row.subject_id][-1]
    sent = _sent_decision(notice)
    is_known = sent is not None and _decision_of(sent) == notice.row.event
    if decision.state == ActivityState.SUBMITTED and is_known:
        news = replace(_notice("activity_reopened", notice, held), about=decision.title)
        yield _with_totals(news, held)


def _renewal_decided(notice: DueNotice, held: HeldToday) -> Iterator[NoticeToCompose]:
    row, facts = notice.row, notice.facts
    renewal, former = facts.renewals[row.subject_id], facts.former.get(row.subject_id, ())
    decision, _, number = row.event.partition(":")
    if renewal.decision != decision or number not in {"", str(len(former))}:
        return
    before = _former_renewal_decision(notice, former)
    if before is not None and before == (renewal.decision, renewal.reason):
        return
    news = replace(
        _notice(f"renewal_{decision}", notice, held),
        on=renewal.decided_on,
        reason=_reason_of_denial(notice, renewal),
        changed=before is not None and before[0] != decision,
    )
    if decision == RenewalVerdict.DENIED and not _is_appealed(facts, renewal_id=renewal.id):
        news = _with_appeal(news, notice, held, renewal.closed_at or row.recorded_at)
    yield news


def _reason_of_denial(notice: DueNotice, renewal: NoticedRenewal) -> str:
    """The words of whoever decided; of an automatic denial the code's, in the holder's language."""
    code = notice.reading.reasons.by_code.get(renewal.reason_code or "")
    if renewal.decided_by == SYSTEM.name and code is not None:
        return translated(code.text, notice.row.language)
    return renewal.reason or ""


def _sent_renewal_decision(notice: DueNotice) -> EarlierNotice | None:
    """The notice of the decision on the renewal that the holder knows."""
    return notice.facts.last_sent(
        notice.row.subject_id, NoticeKind.RENEWAL_DECIDED, undone_by=NoticeKind.RENEWAL_REOPENED
    )


def _former_renewal_decision(
    notice: DueNotice, former: Sequence[NoticedFormerDecision]
) -> tuple[str, str | None] | None:
    """The decision on the renewal that the holder knows, and its reason; or None."""
    sent = _sent_renewal_decision(notice)
    if sent is None:
        return None
    decision, _, number = sent.event.partition(":")
    place = int(number or 0)
    return (decision, former[place].reason) if place < len(former) else (decision, None)


def _renewal_reopened(notice: DueNotice, held: HeldToday) -> Iterator[NoticeToCompose]:
    renewal = notice.facts.renewals[notice.row.subject_id]
    waits = renewal.decision is None and renewal.withdrawn_on is None
    if waits and _sent_renewal_decision(notice) is not None:
        yield replace(_notice("renewal_reopened", notice, held), on=renewal.submitted_on)


# Appeals and changes of standing.
def _with_appeal(
    news: NoticeToCompose, notice: DueNotice, held: HeldToday, noticed_at: datetime
) -> NoticeToCompose:
    """The notice with the deadline and fee of an appeal against what was announced then."""
    rule = held.scheme.appeals
    if rule is None:
        return news
    noticed_on = notice_facts.day_at(notice.reading, held, noticed_at)
    return replace(
        news,
        appeal_by=noticed_on + timedelta(days=rule.due_days),
        appeal_fee=rule.fee,
        refunded=rule.refunded_on_success,
    )


def _is_appealed(facts: NoticeFacts, *, change_id: str = "", renewal_id: str = "") -> bool:
    return any(
        appeal.change_id == (change_id or 0) or appeal.renewal_id == (renewal_id or 0)
        for appeal in facts.appeals.values()
    )


def _changed(notice: DueNotice, held: HeldToday) -> Iterator[NoticeToCompose]:
    """A change of standing, unless another followed or it undid one that nobody knew of."""
    changes = notice.facts.changes.get(notice.row.subject_id, ())
    kind, change = NoticeKind(notice.row.kind), changes[-1] if changes else None
    if change is None or change.id != notice.row.event or change.kind != _CHANGES[kind]:
        return
    undone = next((c for c in reversed(changes[:-1]) if c.kind != ChangeKind.REINSTATE), None)
    if kind == NoticeKind.REINSTATED and undone is not None and _was_unsent(notice, undone):
        return
    news = replace(
        _notice(kind, notice, held),
        on=change.effective_on,
        reason=change.reason,
        against=undone.kind if undone is not None else ChangeKind.SUSPEND,
    )
    if kind != NoticeKind.REINSTATED and not _is_appealed(notice.facts, change_id=change.id):
        news = _with_appeal(news, notice, held, change.recorded_at)
    yield news


def _was_unsent(notice: DueNotice, change: NoticedChange) -> bool:
    """Whether a change was undone within ``SECOND_THOUGHTS``, before its notice was sent."""
    kind = next((kind for kind, of in _CHANGES.items() if of == change.kind), "")
    soon = notice.row.recorded_at - change.recorded_at <= SECOND_THOUGHTS
    return soon and notice.facts.is_unsent(notice.row.subject_id, kind, change.id)


def _appeal_decided(notice: DueNotice, held: HeldToday) -> Iterator[NoticeToCompose]:
    appeal = notice.facts.appeals[notice.row.subject_id]
    if appeal.outcome != notice.row.event.partition(":")[0]:
        return
    changes = notice.facts.changes.get(appeal.certification_id, ())
    against = next((c.kind for c in changes if c.id == appeal.change_id), "renewal")
    refunded = appeal.fee_refunded
    yield replace(
        _notice(f"appeal_{appeal.outcome}", notice, held),
        on=appeal.decided_on,
        before=appeal.filed_on,
        against=against,
        reason=appeal.reason or "",
        refund=appeal.fee if is_paid_back(appeal.fee_state, refunded=refunded) else None,
    )


# Audits.
def _audit_asked(notice: DueNotice, held: HeldToday) -> Iterator[NoticeToCompose]:
    """The question, while it has no answer; of several in a message the last one."""
    audit, what = notice.facts.audits[notice.row.subject_id], notice.row.event.partition(":")[0]
    is_last = notice.of_kind(NoticeKind.AUDIT_ASKED)[-1] is notice.row
    if is_last and audit.state == AuditState.ASKED:
        news = _notice(_AUDITS[what], notice, held)
        yield replace(news, about=audit.title, on=audit.due_on, against=audit.no_answer)


_AUDITS = {"asked": "audit_asked", "reminded": "audit_reminded"}


def _audit_decided(notice: DueNotice, held: HeldToday) -> Iterator[NoticeToCompose]:
    """The outcome in force, with the last day to appeal if it took points."""
    audit = notice.facts.audits[notice.row.subject_id]
    is_last = notice.of_kind(NoticeKind.AUDIT_DECIDED)[-1] is notice.row
    if not is_last or audit.decided_at is None:
        return
    rule, took = held.scheme.appeals, audit.state in APPEALABLE
    appeal_by = None
    appealed = is_appealed(
        appealed_on=audit.appealed_on,
        appeal_decided_at=audit.appeal_decided_at,
        decided_at=audit.decided_at,
    )
    if rule is not None and took and not appealed:
        noticed_on = notice_facts.day_at(notice.reading, held, audit.decided_at)
        appeal_by = appeal_due_on(rule, noticed_on=noticed_on)
    yield replace(
        _notice(f"audit_{audit.state}", notice, held),
        about=audit.title,
        points_approved=audit.points,
        reason=audit.reason or "",
        appeal_by=appeal_by,
    )


def _audit_appealed(notice: DueNotice, held: HeldToday) -> Iterator[NoticeToCompose]:
    audit = notice.facts.audits[notice.row.subject_id]
    if audit.appealed_on is not None and audit.appeal_decided_at is None:
        yield replace(
            _notice("audit_appealed", notice, held),
            about=audit.title,
            before=audit.appealed_on,
            on=audit.appeal_due_on,
        )


def _adjusted(notice: DueNotice, held: HeldToday) -> Iterator[NoticeToCompose]:
    """The last change of the expiry and of the requirement in the current cycle."""
    of_all = notice.facts.adjustments.get(notice.row.subject_id, ())
    mine = next((a for a in of_all if a.id == notice.row.event), None)
    last = held.cycles[-1] if held.cycles else None
    if mine is None or last is None or mine.ordinal != last.ordinal:
        return
    of_cycle = [a for a in of_all if a.ordinal == mine.ordinal]
    events = {n.event for n in notice.of_kind(NoticeKind.ADJUSTED)}
    expiries = [(a.id, a.extended_to) for a in of_cycle if a.extended_to is not None]
    requirements = [(a.id, a.points_required) for a in of_cycle if a.points_required is not None]
    if (moved := _change_of(mine.id, expiries, events, last.expires_on)) is not None:
        expires_on, before = moved
        is_earlier = before is not None and expires_on < before
        tells = "extension_ended" if is_earlier else "extended"
        yield replace(_notice(tells, notice, held), on=expires_on, reason=mine.reason)
    if (changed := _change_of(mine.id, requirements, events, None)) is not None:
        points, required = changed
        is_less = required is None or points < required
        tells = "requirement_reduced" if is_less else "requirement_raised"
        yield replace(_notice(tells, notice, held), points_required=points, reason=mine.reason)


def _change_of(
    id_: str, values: Sequence[tuple[str, V]], events: Collection[str], began: V | None
) -> tuple[V, V | None] | None:
    """The value of an adjustment that is the last of its kind, and the one that the holder knows.

    None if it is not the last, or if the two are the same. ``events`` are the adjustments of the
    message; before the first of them the holder knows the value of the adjustment before it, or
    what the cycle ``began`` with.
    """
    if not values or values[-1][0] != id_:
        return None
    first = next(place for place, (other, _) in enumerate(values) if other in events)
    after, before = values[-1][1], values[first - 1][1] if first else began
    return None if after == before else (after, before)


_OF_CERTIFICATIONS: Mapping[str, Callable[[DueNotice, HeldToday], Iterator[NoticeToCompose]]] = {
    NoticeKind.AWARD: _awarded,
    NoticeKind.AWARD_CORRECTED: _corrected,
    NoticeKind.AWARD_WITHDRAWN: lambda *_: iter(()),
    NoticeKind.ACTIVITY_SUBMITTED: _submitted,
    NoticeKind.ACTIVITY_DECIDED: _decided,
    NoticeKind.ACTIVITY_REOPENED: _reopened,
    NoticeKind.RENEWAL_RECEIVED: _renewal_received,
    NoticeKind.RENEWAL_DECIDED: _renewal_decided,
    NoticeKind.RENEWAL_REOPENED: _renewal_reopened,
    NoticeKind.APPEAL_RECEIVED: _appeal_received,
    NoticeKind.APPEAL_DECIDED: _appeal_decided,
    NoticeKind.AUDIT_ASKED: _audit_asked,
    NoticeKind.AUDIT_DECIDED: _audit_decided,
    NoticeKind.AUDIT_APPEALED: _audit_appealed,
    NoticeKind.SUSPENDED: _changed,
    NoticeKind.REINSTATED: _changed,
    NoticeKind.REVOKED: _changed,
    NoticeKind.ADJUSTED: _adjusted,
}
