"""What a notice says on the day of sending, or that it is left out because it is no longer true.

Invariant: a notice records what staff did; whether and how it is told depends on what is on record
when the message leaves. What was undone before anybody was told is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from tracker.domain.credentials.certifications import ChangeKind, Status, cycle_on
from tracker.domain.credentials.renewals import RenewalVerdict
from tracker.domain.delivery.notices import NoticeKind
from tracker.domain.points.activities import ActivityState, ActivityVerdict
from tracker.domain.schemes.activity_types import translated
from tracker.mail.notices import NoticeToCompose
from tracker.services.core.context import ReadContext
from tracker.services.delivery import notice_facts, notice_people
from tracker.services.delivery.notice_facts import CHANGES, DueNotice, HeldToday, NoticeFacts
from tracker.services.outbox.notices import SECOND_THOUGHTS

_RESTORED = "restored:"


ToldNotice = tuple[NoticeToCompose, HeldToday | None]
"""A notice ready to compose, and the certification that it is about."""


def of_letter(reading: ReadContext, known: NoticeFacts, rows: Sequence[Any]) -> list[ToldNotice]:
    """What is still true of a message's notices, in the order in which they were recorded."""
    return [one for row in rows for one in _told(DueNotice(reading, known, row, rows))]


def _told(notice: DueNotice) -> Iterator[ToldNotice]:
    if tell := notice_people.BY_KIND.get(notice.row.kind):
        for one in tell(notice):
            yield one, None
        return
    held = _certification(notice)
    if held is None or (held.row.withdrawn_at is None and not held.is_current):
        return
    if held.row.withdrawn_at is not None:
        if notice.row.kind == NoticeKind.AWARD_WITHDRAWN:
            yield from ((one, held) for one in _withdrawn(notice, held))
        return
    for one in _OF_CERTIFICATIONS[notice.row.kind](notice, held):
        yield one, held


def _certification(notice: DueNotice) -> HeldToday | None:
    """The certification that the notice is about."""
    known, subject_id = notice.known, notice.row.subject_id
    match notice.row.kind:
        case NoticeKind.ACTIVITY_DECIDED | NoticeKind.ACTIVITY_REOPENED:
            decisions = known.decisions.get(subject_id)
            return known.current(notice.row.holder_id, decisions[0].scheme) if decisions else None
        case NoticeKind.RENEWAL_DECIDED | NoticeKind.RENEWAL_REOPENED:
            subject_id = getattr(known.renewals.get(subject_id), "certification_id", None)
        case NoticeKind.APPEAL_DECIDED:
            subject_id = getattr(known.appeals.get(subject_id), "certification_id", None)
    return known.certifications.get(subject_id)


def _named(notice: DueNotice, held: HeldToday, **more: Any) -> dict[str, Any]:
    now = held.now
    return {
        "scheme_name": translated(held.scheme.title, notice.row.language),
        "full_name": held.scheme.full_name(notice.row.language),
        "number": held.row.number,
        "now": now,
        "expires_on": now.expires_on if now else None,
        "window_opens_on": now.opens_on if now else None,
        **more,
    }


# Awards.
def _awarded(notice: DueNotice, held: HeldToday) -> Iterator[NoticeToCompose]:
    if held.now is not None and held.now.status in {Status.REVOKED, Status.SURRENDERED}:
        return
    required = held.points.evaluation.required if held.points else None
    yield NoticeToCompose(
        "award",
        **_named(notice, held),
        on=held.row.awarded_on,
        again=held.row.sequence > 1,
        points_required=required,
    )


def _corrected(notice: DueNotice, held: HeldToday) -> Iterator[NoticeToCompose]:
    """A corrected award date, or a restored award; once for all corrections in a message."""
    row, awarded_on = notice.row, held.row.awarded_on
    if row.event.startswith(_RESTORED):
        told = notice.known.last_told(
            row.subject_id, NoticeKind.AWARD_WITHDRAWN, NoticeKind.AWARD_CORRECTED
        )
        if told is not None and told.kind == NoticeKind.AWARD_WITHDRAWN:
            yield NoticeToCompose("award_restored", **_named(notice, held), on=awarded_on)
        return
    moved = [
        one for one in notice.of_kind(NoticeKind.AWARD_CORRECTED) if _RESTORED not in one.event
    ]
    before = date.fromisoformat(moved[0].event[:10])
    if row is moved[0] and before != awarded_on and not notice.of_kind(NoticeKind.AWARD):
        yield NoticeToCompose(
            "award_corrected", **_named(notice, held), on=awarded_on, before=before
        )


def _withdrawn(notice: DueNotice, held: HeldToday) -> Iterator[NoticeToCompose]:
    """A withdrawn award, unless the holder never heard of it or has already been told."""
    known, row = notice.known, notice.row
    soon = held.row.withdrawn_at - held.row.recorded_at <= SECOND_THOUGHTS
    if soon and known.is_untold(row.subject_id, NoticeKind.AWARD):
        return
    told = known.last_told(row.subject_id, NoticeKind.AWARD_WITHDRAWN, NoticeKind.AWARD_CORRECTED)
    again = told is not None and told.kind == NoticeKind.AWARD_WITHDRAWN
    if not again and row is notice.of_kind(NoticeKind.AWARD_WITHDRAWN)[0]:
        yield NoticeToCompose("award_withdrawn", **_named(notice, held), on=held.row.awarded_on)


# Decisions.
def _decided(notice: DueNotice, held: HeldToday) -> Iterator[NoticeToCompose]:
    """The decision in force, unless the activity was submitted again since."""
    decisions = notice.known.decisions[notice.row.subject_id]
    ruling = next((one for one in reversed(decisions) if one.undone_at is None), None)
    if ruling is None or ruling.state != ruling.verdict or not _is_latest(notice, ruling):
        return
    former = _told_before(notice, decisions, ruling)
    if former is not None and _content(former) == _content(ruling):
        return
    yield _decision(notice, held, ruling, changed=former is not None)


def _is_latest(notice: DueNotice, ruling: Any) -> bool:
    """Whether the notice is the message's last one about the decision in force.

    The event of a decision that is in force again is its id and a number.
    """
    of_ruling = [
        one for one in notice.of_kind(NoticeKind.ACTIVITY_DECIDED) if _decision_of(one) == ruling.id
    ]
    return bool(of_ruling) and of_ruling[-1] is notice.row


def _decision_of(notice: Any) -> str:
    return str(notice.event).partition(":")[0]


def _told_before(notice: DueNotice, decisions: Sequence[Any], ruling: Any) -> Any:
    """The decision on the same submission that the holder was last told, or None."""
    kinds = (NoticeKind.ACTIVITY_DECIDED, NoticeKind.ACTIVITY_REOPENED)
    told = notice.known.last_told(notice.row.subject_id, *kinds)
    if told is None or told.kind != NoticeKind.ACTIVITY_DECIDED:
        return None
    former = next((one for one in decisions if one.id == _decision_of(told)), None)
    if former is None:
        return None
    in_this_round = ruling.submitted_at is None or former.recorded_at >= ruling.submitted_at
    return former if in_this_round else None


def _content(decision: Any) -> tuple[Any, ...]:
    return decision.verdict, decision.points_limit, decision.reason


def _decision(
    notice: DueNotice, held: HeldToday, decision: Any, *, changed: bool
) -> NoticeToCompose:
    evaluation = held.points.evaluation if held.points else None
    credits_ = evaluation.credits if evaluation else ()
    credit = next((one for one in credits_ if one.ref == decision.activity_id), None)
    claimed, brings = (credit.claimed, credit.counted) if credit else (None, None)
    limit = decision.points_limit if decision.verdict == ActivityVerdict.APPROVED else None
    partly = limit is not None and claimed is not None and limit < claimed
    closed = _is_closed(held, decision.done_on)
    former = closed and _is_former(held, decision.done_on)
    if former:  # it counted in an earlier cycle, so today's total does not include it
        claimed, brings = claimed if partly else None, None
    return NoticeToCompose(
        "partly" if partly else decision.verdict,
        **_named(notice, held),
        about=decision.title,
        on=decision.decided_on,
        reason=decision.reason or "",
        changed=changed,
        points_claimed=claimed if partly or claimed != brings else None,
        points_approved=limit if partly else brings,
        closed=closed,
        **({} if former else _totals(held)),
    )


def _totals(held: HeldToday) -> dict[str, Any]:
    evaluation = held.points.evaluation if held.points else None
    return {
        "points_total": evaluation.total if evaluation else None,
        "points_required": evaluation.required if evaluation else None,
    }


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
    """An activity under review again, if the holder was told the decision taken back."""
    decision = notice.known.decisions[notice.row.subject_id][-1]
    told = notice.known.last_told(
        notice.row.subject_id, NoticeKind.ACTIVITY_DECIDED, NoticeKind.ACTIVITY_REOPENED
    )
    was_told = told is not None and _decision_of(told) == notice.row.event
    if (
        decision.state == ActivityState.SUBMITTED
        and was_told
        and told.kind == NoticeKind.ACTIVITY_DECIDED
    ):
        yield NoticeToCompose(
            "activity_reopened", **_named(notice, held), about=decision.title, **_totals(held)
        )


def _renewal_decided(notice: DueNotice, held: HeldToday) -> Iterator[NoticeToCompose]:
    row, known = notice.row, notice.known
    renewal, former = known.renewals[row.subject_id], known.former.get(row.subject_id, ())
    decision, _, number = row.event.partition(":")
    if renewal.decision != decision or number not in {"", str(len(former))}:
        return
    before = _renewal_told_before(notice, former)
    if before is not None and before == (renewal.decision, renewal.reason):
        return
    appeal = {}
    if decision == RenewalVerdict.DENIED and not _is_appealed(known, renewal_id=renewal.id):
        appeal = _appeal(notice, held, renewal.closed_at or row.recorded_at)
    yield NoticeToCompose(
        f"renewal_{decision}",
        **_named(notice, held),
        on=renewal.decided_on,
        reason=renewal.reason or "",
        changed=before is not None and before[0] != decision,
        **appeal,
    )


def _renewal_told_before(notice: DueNotice, former: Sequence[Any]) -> tuple[str, str | None] | None:
    """The decision on the renewal that the holder was last told, and its reason; or None."""
    told = notice.known.last_told(
        notice.row.subject_id, NoticeKind.RENEWAL_DECIDED, NoticeKind.RENEWAL_REOPENED
    )
    if told is None or told.kind != NoticeKind.RENEWAL_DECIDED:
        return None
    decision, _, number = told.event.partition(":")
    place = int(number or 0)
    return (decision, former[place].reason) if place < len(former) else (decision, None)


def _renewal_reopened(notice: DueNotice, held: HeldToday) -> Iterator[NoticeToCompose]:
    renewal = notice.known.renewals[notice.row.subject_id]
    told = notice.known.last_told(
        renewal.id, NoticeKind.RENEWAL_DECIDED, NoticeKind.RENEWAL_REOPENED
    )
    waits = renewal.decision is None and renewal.withdrawn_on is None
    if waits and told is not None and told.kind == NoticeKind.RENEWAL_DECIDED:
        yield NoticeToCompose("renewal_reopened", **_named(notice, held), on=renewal.submitted_on)


# Appeals and changes of standing.
def _appeal(notice: DueNotice, held: HeldToday, noticed_at: datetime) -> dict[str, Any]:
    """The deadline for an appeal against a decision announced at an instant, and the fee."""
    rule = held.scheme.appeals
    if rule is None:
        return {}
    noticed_on = notice_facts.day_at(notice.reading, held, noticed_at)
    return {
        "appeal_by": noticed_on + timedelta(days=rule.due_days),
        "appeal_fee": rule.fee,
        "refunded": rule.refunded_on_success,
    }


def _is_appealed(known: NoticeFacts, *, change_id: str = "", renewal_id: str = "") -> bool:
    return any(
        appeal.change_id == (change_id or 0) or appeal.renewal_id == (renewal_id or 0)
        for appeal in known.appeals.values()
    )


def _changed(notice: DueNotice, held: HeldToday) -> Iterator[NoticeToCompose]:
    """A change of standing, unless another followed or it undid one that nobody was told of."""
    changes = notice.known.changes.get(notice.row.subject_id, ())
    change = changes[-1] if changes else None
    if change is None or change.id != notice.row.event or change.kind != CHANGES[notice.row.kind]:
        return
    undone = next((one for one in reversed(changes[:-1]) if one.kind != ChangeKind.REINSTATE), None)
    if (
        notice.row.kind == NoticeKind.REINSTATED
        and undone is not None
        and _was_untold(notice, undone)
    ):
        return
    appeal = {}
    if notice.row.kind != NoticeKind.REINSTATED and not _is_appealed(
        notice.known, change_id=change.id
    ):
        appeal = _appeal(notice, held, change.recorded_at)
    yield NoticeToCompose(
        notice.row.kind,
        **_named(notice, held),
        on=change.effective_on,
        reason=change.reason,
        against=undone.kind if undone is not None else ChangeKind.SUSPEND,
        **appeal,
    )


def _was_untold(notice: DueNotice, change: Any) -> bool:
    """Whether a change was undone within ``SECOND_THOUGHTS``, before anybody was told of it."""
    kind = next((kind for kind, of in CHANGES.items() if of == change.kind), "")
    soon = notice.row.recorded_at - change.recorded_at <= SECOND_THOUGHTS
    return soon and notice.known.is_untold(notice.row.subject_id, kind, change.id)


def _appeal_decided(notice: DueNotice, held: HeldToday) -> Iterator[NoticeToCompose]:
    appeal = notice.known.appeals[notice.row.subject_id]
    if appeal.outcome != notice.row.event.partition(":")[0]:
        return
    changes = notice.known.changes.get(appeal.certification_id, ())
    kinds = {change.id: change.kind for change in changes}
    yield NoticeToCompose(
        f"appeal_{appeal.outcome}",
        **_named(notice, held),
        on=appeal.decided_on,
        before=appeal.filed_on,
        against=kinds.get(appeal.change_id, "renewal"),
        reason=appeal.reason or "",
        refund=appeal.fee if appeal.fee_refunded else None,
    )


def _adjusted(notice: DueNotice, held: HeldToday) -> Iterator[NoticeToCompose]:
    """The last change of the expiry and of the requirement in the current cycle."""
    of_all = notice.known.adjustments.get(notice.row.subject_id, ())
    mine = next((one for one in of_all if one.id == notice.row.event), None)
    last = held.cycles[-1] if held.cycles else None
    if mine is None or last is None or mine.ordinal != last.ordinal:
        return
    of_cycle = [one for one in of_all if one.ordinal == mine.ordinal]
    events = {one.event for one in notice.of_kind(NoticeKind.ADJUSTED)}
    for name, began in (("extended_to", last.expires_on), ("points_required", None)):
        some = [one for one in of_cycle if getattr(one, name) is not None]
        if not some or some[-1] is not mine:
            continue
        first = next(place for place, one in enumerate(some) if one.id in events)
        before = getattr(some[first - 1], name) if first else began
        if getattr(mine, name) != before:
            yield _adjustment(notice, held, mine, name, before)


def _adjustment(
    notice: DueNotice, held: HeldToday, mine: Any, name: str, before: Any
) -> NoticeToCompose:
    given = getattr(mine, name)
    fewer = before is None or given < before
    if name == "extended_to":
        tells = "extension_ended" if before is not None and fewer else "extended"
        return NoticeToCompose(tells, **_named(notice, held), on=given, reason=mine.reason)
    tells = "requirement_reduced" if fewer else "requirement_raised"
    return NoticeToCompose(tells, **_named(notice, held), points_required=given, reason=mine.reason)


_OF_CERTIFICATIONS: Mapping[str, Callable[[DueNotice, HeldToday], Iterator[NoticeToCompose]]] = {
    NoticeKind.AWARD: _awarded,
    NoticeKind.AWARD_CORRECTED: _corrected,
    NoticeKind.AWARD_WITHDRAWN: lambda *_: iter(()),
    NoticeKind.ACTIVITY_DECIDED: _decided,
    NoticeKind.ACTIVITY_REOPENED: _reopened,
    NoticeKind.RENEWAL_DECIDED: _renewal_decided,
    NoticeKind.RENEWAL_REOPENED: _renewal_reopened,
    NoticeKind.APPEAL_DECIDED: _appeal_decided,
    NoticeKind.SUSPENDED: _changed,
    NoticeKind.REINSTATED: _changed,
    NoticeKind.REVOKED: _changed,
    NoticeKind.ADJUSTED: _adjusted,
}
