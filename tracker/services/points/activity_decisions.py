"""What reviewers decide on activities, alone or together, and what is taken back."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm.attributes import flag_modified

from tracker.db import new_id
from tracker.domain.delivery.notices import NoticeKind
from tracker.domain.desk.reviews import ReviewLock, check_unlocked
from tracker.domain.errors import IllegalTransition, SelfReview, Stale, UnderReview
from tracker.domain.points import activities as rules
from tracker.domain.points.activities import ActivityState, ActivityVerdict
from tracker.domain.schemes.reasons import Act
from tracker.models import Activity, Decision
from tracker.services.core import bulk, history, locks, open_reviews, writers
from tracker.services.core.context import UnitOfWork
from tracker.services.outbox import notices
from tracker.services.outbox.notices import NoticeToTell
from tracker.services.points import activity_changes, activity_effects, activity_rows


@dataclass(frozen=True, slots=True)
class ReviewerDecision:
    """A reviewer's decision on an activity."""

    verdict: rules.ActivityVerdict
    points_limit: Decimal | None = None
    provider_approved: bool = False
    reason_code: str | None = None
    reason: str | None = None


def decide(work: UnitOfWork, activity_id: str, decision: ReviewerDecision, *, version: int) -> None:
    """Decide an activity: approve it (perhaps for fewer points), reject it, or ask for more.

    A later decision needs a reason and supersedes the earlier one, which stays on record. An
    application that depends on the activity is denied if it can no longer reach its points. Raises
    SelfReview, UnderReview, IllegalTransition, Stale, UnknownReason, Invalid.
    """
    activity = activity_changes.own(work, activity_id, None, lock=locks.lock_one_to_decide)
    decisions = activity_changes.ruling(work, activity)
    _check_version(activity, version, decisions)
    writers.check_not_written(work, activity.id)
    open_reviews.check_free(work, activity.id)
    rules.check_step("decide", activity.state)  # type: ignore[arg-type]
    _check_answer(decision, decisions[0] if decisions else None)
    _check_reason(work, decision)
    _answer(work, activity, decisions, decision, by=work.actor.name)


def _answer(
    work: UnitOfWork,
    activity: Activity,
    decisions: Sequence[Decision],
    decision: ReviewerDecision,
    *,
    by: str,
) -> str:
    """Write a decision that was checked, and what follows from it; returns its id."""
    before = decisions[0] if decisions else None
    on = _decided_on(work, activity, before)
    made = Decision(
        activity_id=activity.id,
        verdict=decision.verdict,
        decided_on=on,
        waited_days=_waited_days(activity, decisions, on),
        points_limit=decision.points_limit,
        provider_approved=decision.provider_approved,
        reason_code=decision.reason_code,
        reason=decision.reason,
        decided_by=by,
        decided_by_id=work.actor.who,
        recorded_at=work.now,
    )
    _set_state(work, activity, decision.verdict)
    work.session.add(made)
    open_reviews.close(work, activity.id)
    history.record(
        work,
        "decide",
        "activity",
        activity.id,
        verdict=decision.verdict,
        points_limit=decision.points_limit,
        provider_approved=decision.provider_approved,
        reason_code=decision.reason_code,
        supersedes=before.id if before else None,
    )
    activity_changes.tell(
        work, activity, kind=NoticeKind.ACTIVITY_DECIDED, event=made.id, on=made.decided_on
    )
    activity_effects.follow(work, activity, replaced=before)
    return made.id


@dataclass(frozen=True, slots=True)
class SubmittedActivities:
    """Activities that wait for an answer, with what decides whether the actor may give it.

    ``ruling`` are the decisions since the last submission; ``entered`` are those that the actor
    entered or changed for their holders, ``opened`` the locks of reviewers.
    """

    rows: Mapping[str, Activity]
    ruling: Mapping[str, Sequence[Decision]]
    entered: Collection[str]
    opened: Mapping[str, ReviewLock]

    def check(self, work: UnitOfWork, id_: str, decision: ReviewerDecision, version: int) -> None:
        """Refuse what ``decide`` refuses of one of them."""
        _check_version(self.rows[id_], version, self.ruling[id_])
        if id_ in self.entered:
            raise SelfReview(writers.OWN)
        check_unlocked(self.opened.get(id_), work.actor.who, work.now)
        before = self.ruling[id_][0] if self.ruling[id_] else None
        _check_answer(decision, before)
        _check_reason(work, decision)

    def superseded(self, made: Mapping[str, Any]) -> str | None:
        """The decision that one made now supersedes."""
        return next((one.id for one in self.ruling[made["activity_id"]]), None)


def submitted(work: UnitOfWork, ids: Collection[str]) -> SubmittedActivities:
    """Activities to decide together, in as many statements as one; the caller has locked them."""
    mine = select(Activity).where(bulk.among(work, Activity.id, ids)).order_by(Activity.id)
    rows = work.session.scalars(mine.execution_options(populate_existing=True)).all()
    made: dict[str, list[Decision]] = {row.id: [] for row in rows}
    since = {row.id: row.submitted_at for row in rows}
    decisions = select(Decision).where(
        bulk.among(work, Decision.activity_id, ids), Decision.undone_at.is_(None)
    )
    for one in work.session.scalars(decisions.order_by(*activity_rows.LATEST_FIRST)):
        submitted_at = since[one.activity_id]
        if submitted_at is None or one.recorded_at >= submitted_at:
            made[one.activity_id].append(one)
    entered = writers.written(work, ids)
    opened = open_reviews.of_many(work, ids)
    return SubmittedActivities({row.id: row for row in rows}, made, entered, opened)


def decide_many(
    work: UnitOfWork, found: SubmittedActivities, told: Mapping[str, ReviewerDecision]
) -> None:
    """Write decisions that were checked; the number of statements does not grow with theirs.

    Only applications that depend on one of the activities are updated one by one.
    """
    made = [_made(work, found, id_, decision) for id_, decision in told.items()]
    news = [_news(found.rows[str(one["activity_id"])], one) for one in made]
    places = {(found.rows[id_].holder_id, found.rows[id_].scheme) for id_ in told}
    bulk.insert(work, Decision, made)
    states = [{"_id": one["activity_id"], "state": one["verdict"]} for one in made]
    bulk.update(work, Activity, states)
    work.session.expire_all()
    open_reviews.close_many(work, told)
    shown = ("verdict", "points_limit", "provider_approved", "reason_code")
    lines = [
        (
            str(one["activity_id"]),
            {name: one[name] for name in shown} | {"supersedes": found.superseded(one)},
        )
        for one in made
    ]
    history.record_many(work, "decide", "activity", lines)
    notices.tell(work, news)
    activity_effects.follow_many(work, places)


def _news(activity: Activity, made: Mapping[str, Any]) -> NoticeToTell:
    return NoticeToTell(
        kind=NoticeKind.ACTIVITY_DECIDED,
        holder_id=activity.holder_id,
        subject_id=activity.id,
        event=made["id"],
        on=made["decided_on"],
    )


def _made(
    work: UnitOfWork, found: SubmittedActivities, id_: str, decision: ReviewerDecision
) -> dict[str, Any]:
    row, ruling = found.rows[id_], found.ruling[id_]
    on = _decided_on(work, row, ruling[0] if ruling else None)
    return {
        "id": new_id(),
        "activity_id": id_,
        **asdict(decision),
        "decided_on": on,
        "waited_days": _waited_days(row, ruling, on),
        "decided_by": work.actor.name,
        "decided_by_id": work.actor.who,
        "recorded_at": work.now,
    }


def approve_as_confirmed(
    work: UnitOfWork, activity: Activity, *, signer: str, reason: str
) -> list[str]:
    """Approve a submitted job that a trusted employer has confirmed, in the signer's name.

    The caller has locked the holder. Returns the id of the decision; nothing is decided while a
    reviewer has the activity open.
    """
    try:
        open_reviews.check_free(work, activity.id)
    except UnderReview:
        return []
    decision = ReviewerDecision(ActivityVerdict.APPROVED, reason=reason)
    return [_answer(work, activity, activity_changes.ruling(work, activity), decision, by=signer)]


def take_back_approvals(work: UnitOfWork, decision_ids: Collection[str], *, reason: str) -> None:
    """Undo those of some decisions that rule, so that a reviewer decides instead.

    The caller has locked the holder.
    """
    for decision_id in decision_ids:
        decision = work.session.get(Decision, decision_id)
        if decision is None:
            continue
        activity = work.session.get_one(Activity, decision.activity_id)
        work.reread(activity)
        ruling = activity_changes.ruling(work, activity)
        if ruling and ruling[0].id == decision_id:
            _take_back(work, activity, ruling, reason=reason)


def _check_version(activity: Activity, version: int, decisions: Sequence[Decision]) -> None:
    """Refuse to decide what has changed since; whoever was overtaken is told by whom.

    Raises Stale.
    """
    if activity.version == version:
        return
    if not decisions:
        raise Stale("The activity has changed since you read it; read it again.")
    last = decisions[0]
    raise Stale(
        f"{last.decided_by} has decided the activity since you read it ({last.verdict}).",
        decided_by=last.decided_by,
        decided_on=last.decided_on,
        verdict=last.verdict,
    )


def _check_answer(decision: ReviewerDecision, before: Decision | None) -> None:
    """Refuse a decision that is incomplete or contradicts itself."""
    rules.check_answer(
        decision.verdict,
        superseding=before.verdict if before else None,  # type: ignore[arg-type]
        points_limit=decision.points_limit,
        provider_approved=decision.provider_approved,
        reason_code=decision.reason_code,
        reason=decision.reason,
    )


def _waited_days(activity: Activity, decisions: Sequence[Decision], on: date) -> int | None:
    """The business days waited for the next decision; None if one has ended the wait before."""
    questions = {ActivityVerdict.MORE_INFORMATION}
    if {decision.verdict for decision in decisions} - questions:
        return None
    return activity_changes.wait(activity, decisions).days(on)


def _decided_on(work: UnitOfWork, activity: Activity, before: Decision | None) -> date:
    """Today in the scheme's time zone, but never before the submission or an earlier decision."""
    today = work.today(work.schemes[activity.scheme])
    earliest = (activity.submitted_on, before.decided_on if before else None)
    return max([today, *(day for day in earliest if day is not None)])


def _set_state(work: UnitOfWork, activity: Activity, state: str) -> None:
    """Set the activity's state; its version goes up even if the state is the same."""
    activity.state = state
    flag_modified(activity, "state")
    activity_changes.flush(work)


def _check_reason(work: UnitOfWork, decision: ReviewerDecision) -> None:
    """Refuse a reason code that is not listed for this kind of decision. Raises UnknownReason."""
    if decision.reason_code is None:
        return
    approval: Act = "activity_approval" if decision.points_limit is None else "points_limit"
    acts: dict[rules.ActivityVerdict, Act] = {
        ActivityVerdict.APPROVED: approval,
        ActivityVerdict.REJECTED: "activity_rejection",
        ActivityVerdict.MORE_INFORMATION: "more_information",
    }
    work.reasons.check(acts[decision.verdict], decision.reason_code, words=decision.reason)


def undo(work: UnitOfWork, activity_id: str, *, reason: str, version: int) -> None:
    """Undo the current decision: the previous one applies again, or the activity is undecided.

    It stays on record, marked as undone. Raises SelfReview, UnderReview, IllegalTransition, Stale.
    """
    activity = activity_changes.own(work, activity_id, version, lock=locks.lock_one_to_decide)
    open_reviews.check_free(work, activity.id)
    rules.check_step("undo", activity.state)  # type: ignore[arg-type]
    decisions = activity_changes.ruling(work, activity)
    if not decisions:
        raise IllegalTransition(
            "There has been no decision to undo since the last submission.", state=activity.state
        )
    _take_back(work, activity, decisions, reason=reason)


def _take_back(
    work: UnitOfWork, activity: Activity, decisions: Sequence[Decision], *, reason: str
) -> None:
    """Undo the decision that rules, with what follows from that."""
    undone, before = decisions[0], decisions[1] if len(decisions) > 1 else None
    undone.undone_at, undone.undone_by, undone.undone_reason = work.now, work.actor.name, reason
    _set_state(work, activity, before.verdict if before else ActivityState.SUBMITTED)
    history.record(
        work,
        "undo",
        "activity",
        activity.id,
        decision_id=undone.id,
        reason=reason,
        restores=before.id if before else None,
    )
    kind, event = NoticeKind.ACTIVITY_REOPENED, undone.id
    if before is not None:
        kind, event = NoticeKind.ACTIVITY_DECIDED, f"{before.id}:{_times_undone(work, activity.id)}"
    activity_changes.tell(
        work, activity, kind=kind, event=event, on=work.today(work.schemes[activity.scheme])
    )
    activity_effects.follow(work, activity, replaced=undone)


def correct_quantity(
    work: UnitOfWork, activity: Activity, quantity: Decimal | None, *, reason: str
) -> None:
    """Have an activity say another quantity, as staff found; the caller has locked its holder.

    Raises UnderReview.
    """
    open_reviews.check_free(work, activity.id)
    before, activity.quantity = activity.quantity, quantity
    activity_changes.flush(work)
    changed = {"quantity": (before, quantity)}
    history.record(work, "correct", "activity", activity.id, changes=changed, reason=reason)
    if activity.state not in rules.RULED:  # of which the decision that follows tells
        event, on = f"changed:{activity.version}", work.today(work.schemes[activity.scheme])
        activity_changes.tell(work, activity, kind=NoticeKind.ATTENDANCE, event=event, on=on)


def take_back(work: UnitOfWork, activity_id: str, *, reason: str) -> None:
    """Withdraw what an attendance brought by mistake; the caller has locked its holder.

    Its decisions are undone, so that it counts on no day; an application that needs it follows.
    Raises UnderReview.
    """
    open_reviews.check_free(work, activity_id)
    activity = work.session.get_one(Activity, activity_id)
    work.reread(activity)
    decisions = activity_changes.ruling(work, activity)
    for decision in decisions:
        decision.undone_at, decision.undone_by = work.now, work.actor.name
        decision.undone_reason = reason
    activity.state = ActivityState.WITHDRAWN
    today = work.today(work.schemes[activity.scheme])
    activity.withdrawn_on = max(today, activity.submitted_on or today)
    activity_changes.flush(work)
    history.record(work, "take_back", "activity", activity.id, reason=reason)
    activity_changes.tell(work, activity, kind=NoticeKind.ATTENDANCE, event="removed", on=today)
    activity_effects.follow(work, activity, replaced=next(iter(decisions), None))


def _times_undone(work: UnitOfWork, activity_id: str) -> int:
    statement = select(func.count()).where(
        Decision.activity_id == activity_id, Decision.undone_at.is_not(None)
    )
    return int(work.row(statement)[0])
