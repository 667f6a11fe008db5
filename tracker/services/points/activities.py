"""Activities: logged and submitted by holders, decided by reviewers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import bindparam, delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.attributes import flag_modified
from sqlalchemy.orm.exc import StaleDataError

from tracker.db import new_id
from tracker.domain.amounts import CENT
from tracker.domain.credentials.certifications import Hold, cycle_on, hold_on
from tracker.domain.delivery.notices import NoticeKind
from tracker.domain.desk.reviews import ReviewLock, Wait, check_unlocked
from tracker.domain.errors import (
    AlreadyRecorded,
    IllegalTransition,
    Invalid,
    NotFound,
    SelfReview,
    Stale,
    UnderReview,
)
from tracker.domain.permissions import check_own_holder
from tracker.domain.points import activities as rules
from tracker.domain.points import cycle_rules
from tracker.domain.points.activities import ActivityState, ActivityVerdict
from tracker.domain.points.claims import Claim
from tracker.domain.points.cycle_rules import Case
from tracker.domain.schemes.activity_types import ActivityType
from tracker.domain.schemes.reasons import Act
from tracker.models import Activity, Decision, Evidence, OtherCredential
from tracker.services.core import bulk, history, locks, open_reviews, writers
from tracker.services.core.context import ReadContext, UnitOfWork, columns_of, names_of
from tracker.services.core.locks import Lock
from tracker.services.core.prefetch import Prefetch
from tracker.services.credentials import certifications
from tracker.services.outbox import notices
from tracker.services.outbox.notices import NoticeToTell
from tracker.services.points import (
    activity_effects,
    activity_room,
    confirmed_months,
    listed_claims,
)
from tracker.services.standings import snapshots
from tracker.services.standings.snapshots import CertificationRecord, ZonedCertification

CLAIMED = (
    "category",
    "type",
    "title",
    "provider",
    "quantity",
    "starts_on",
    "completed_on",
    "unit",
    "role",
    "tags",
    "duty",
)
LATEST_FIRST = (Decision.decided_on.desc(), Decision.id.desc())
"""The order of an activity's decisions, of which the first rules."""


@dataclass(frozen=True, slots=True)
class ReviewerDecision:
    """A reviewer's decision on an activity."""

    verdict: rules.ActivityVerdict
    points_limit: Decimal | None = None
    provider_approved: bool = False
    reason_code: str | None = None
    reason: str | None = None


def claimed(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of an activity's row; a missing value becomes an empty text or list."""
    value, tags = values.get, values.get("tags")
    return {
        "category": value("category"),
        "type": value("type"),
        "title": value("title"),
        "provider": value("provider") or "",
        "quantity": value("quantity"),
        "starts_on": value("starts_on"),
        "completed_on": value("completed_on"),
        "unit": value("unit") or "",
        "role": value("role") or "",
        "tags": sorted(set(tags)) if tags else [],
        "duty": bool(value("duty")),
    }


def claim_of(ref: str, stated: Mapping[str, Any]) -> Claim:
    """The claim that a row with these values makes."""
    return Claim(ref=ref, **{**stated, "tags": frozenset(stated["tags"])})


def log(work: UnitOfWork, certification_id: str, values: Mapping[str, object]) -> str:
    """Log an activity as a draft; returns its id.

    ``values`` are those of ``CLAIMED``, of which some may be missing. Raises Invalid, OutsideCycle,
    LimitReached, IllegalTransition, NotFound.
    """
    return logged(work, certification_id, values).id


_TO_LOG = Prefetch(*snapshots.RECORD, activity_room.COUNTED)


def logged(work: UnitOfWork, certification_id: str, values: Mapping[str, object]) -> ActivityRow:
    """The same; returns the activity as ``get()`` would, without reading what was just written."""
    row = certifications.locked(work, certification_id)
    whose = {"holder_id": row.holder_id, "scheme": row.scheme}
    facts = _TO_LOG.read(work, snapshots.known({"id": row.id, **whose}))
    check(work, row, snapshots.record(facts, row.id), values)
    activity_room.check(facts, row.holder_id, row.scheme)
    id_ = new_id()
    made = {
        "id": id_,
        "holder_id": row.holder_id,
        "scheme": row.scheme,
        "state": ActivityState.DRAFT,
        "recorded_at": work.now,
        "version": 1,
        **claimed(values),
    }
    bulk.insert(work, Activity, [made])
    history.record(work, "log", "activity", id_, type=values["type"])
    writers.note(work, [id_])
    return _as_logged(made)


def _check(
    work: UnitOfWork, certification: ZonedCertification, values: Mapping[str, object]
) -> ActivityType:
    """Check a claim against its cycle and its cycle's policy; returns the activity's type.

    Today is the date in the holder's time zone, even if staff log the activity for them.
    """
    record = snapshots.records(work, [certification.id])[certification.id]
    return check(work, certification, record, values)


def check(
    work: UnitOfWork,
    certification: ZonedCertification,
    record: CertificationRecord,
    values: Mapping[str, object],
) -> ActivityType:
    """The same check against facts that the caller has read; returns the activity's type."""
    scheme = work.schemes[certification.scheme]
    on = work.day_of(scheme, certification.time_zone)
    if hold_on(record.changes, on) in {Hold.REVOKED, Hold.SURRENDERED}:
        raise IllegalTransition(
            "The certification was revoked or surrendered; its points are frozen.", state="ended"
        )
    claim = claim_of("", claimed(values))
    case = Case(scheme, record.cycles, record.applications, record.adjustments)
    kind = type_of_claim(case, claim, on=on)
    zone = scheme.zone_of(certification.time_zone)
    earning = cycle_rules.earning(case, on)
    rules.check_dates(kind, claim, record.cycles, on=on, earning=earning, zone=zone)
    return kind


def type_of_claim(case: Case, claim: Claim, *, on: date) -> ActivityType:
    """The type of a claim by the first version that governs its cycle and accepts it.

    Raises UnknownActivityType, or Invalid with the reasons of the last version that refused it.
    """
    cycle = cycle_on(case.cycles, min(claim.completed_on or on, on))
    if not cycle.policy:
        raise Invalid(
            f"The scheme {case.scheme.code} never expires, so no points are counted for it."
        )
    refused: Invalid | None = None
    for policy in cycle_rules.versions(case, cycle, on):
        try:
            kind = policy.activity_type(claim.type, claim.category)
            rules.check_claim(kind, claim, tags=policy.tags)
        except Invalid as refusal:
            refused = refusal
        else:
            return kind
    raise refused or Invalid("No version of the policy applies to the cycle.")


def _own(
    work: UnitOfWork, activity_id: str, version: int | None, *, lock: Lock = locks.lock_one
) -> Activity:
    """The activity to change; locks its holder. Raises Stale if the actor read another version."""
    activity = work.session.get(Activity, activity_id)
    if activity is None:
        raise NotFound
    check_own_holder(work.actor, activity.holder_id)
    lock(work, activity.holder_id)
    work.reread(activity)
    if version is not None and activity.version != version:
        raise Stale("The activity has changed since you read it; read it again.")
    return activity


def _flush(work: UnitOfWork) -> None:
    try:
        work.session.flush()
    except StaleDataError as error:
        raise Stale("The activity has changed since you read it; read it again.") from error
    except IntegrityError as error:  # a course brings a holder one activity for a day
        raise AlreadyRecorded(
            "Another activity of this course and day is on record; change or submit that one."
        ) from error


def edit(work: UnitOfWork, activity_id: str, values: Mapping[str, object], *, version: int) -> None:
    """Change an activity that is with its holder: a draft, a returned or a withdrawn one.

    Raises IllegalTransition, Stale.
    """
    activity = _own(work, activity_id, version)
    rules.check_step("edit", activity.state)  # type: ignore[arg-type]
    merged = claimed({key: values.get(key, getattr(activity, key)) for key in CLAIMED})
    _check(work, _certification(work, activity), merged)
    changed = history.changes({key: getattr(activity, key) for key in CLAIMED}, merged)
    for key, value in merged.items():
        setattr(activity, key, value)
    _flush(work)
    history.record(work, "edit", "activity", activity.id, changes=changed)
    writers.note(work, [activity.id])


def _certification(work: UnitOfWork, activity: Activity) -> ZonedCertification:
    """The certification that the activity is claimed for, with its holder's time zone."""
    row = certifications.of_holder(work, activity.holder_id, activity.scheme)
    if row is None:
        raise NotFound
    return row


def submit(work: UnitOfWork, activity_id: str) -> None:
    """Submit an activity for review, today.

    An answer to a reviewer's question keeps the original submission date, so that what was in time
    stays in time; the days with the holder are not waited for the decision. Raises
    IllegalTransition, OutsideCycle, EvidenceMissing.
    """
    activity = _own(work, activity_id, None)
    rules.check_step("submit", activity.state)  # type: ignore[arg-type]
    certification = _certification(work, activity)
    _check_submission(work, activity, certification)
    on = work.day_of(work.schemes[activity.scheme], certification.time_zone)
    if activity.state != ActivityState.MORE_INFORMATION or activity.submitted_on is None:
        activity.submitted_on, activity.wait_from = on, None
    else:
        activity.wait_from = _wait(activity, _ruling(work, activity)).resumed(on).begins_on
    activity.state = ActivityState.SUBMITTED
    activity.submitted_at, activity.withdrawn_on = work.now, None
    _flush(work)
    history.record(work, "submit", "activity", activity.id)
    listed_claims.compare(work, activity)
    writers.note(work, [activity.id])
    event = work.now.isoformat()
    _tell(work, activity, kind=NoticeKind.ACTIVITY_SUBMITTED, event=event, on=on)


def _check_submission(
    work: UnitOfWork, activity: Activity, certification: ZonedCertification
) -> None:
    """Refuse an activity that may not be submitted."""
    kind = _check(work, certification, {key: getattr(activity, key) for key in CLAIMED})
    rules.check_evidence(
        kind,
        files=count_evidence(work, activity.id) or _count_confirmed(work, activity),
        add_at=f"POST /api/v1/activities/{activity.id}/evidence",
    )


def _count_confirmed(reading: ReadContext, activity: Activity) -> int:
    """How many confirmations of an employer are evidence for the activity, as a file would be."""
    if not is_job(reading, activity):
        return 0
    confirmed = confirmed_months.of_holder(reading, activity.holder_id)
    days = activity.starts_on, activity.completed_on
    return len(confirmed_months.of_claim(confirmed, activity.provider, *days))


def withdraw(work: UnitOfWork, activity_id: str) -> None:
    """Withdraw an activity before it is decided. Raises IllegalTransition."""
    activity = _own(work, activity_id, None)
    rules.check_step("withdraw", activity.state)  # type: ignore[arg-type]
    certification = _certification(work, activity)
    activity.state = ActivityState.WITHDRAWN
    on = work.day_of(work.schemes[activity.scheme], certification.time_zone)
    activity.withdrawn_on = max(on, activity.submitted_on or on)
    _flush(work)
    history.record(work, "withdraw", "activity", activity.id)
    activity_effects.follow(work, activity)


def discard(work: UnitOfWork, activity_id: str, *, version: int) -> list[str]:
    """Delete a draft with its evidence; returns the storage keys of the files to remove.

    A credential that it was claimed for can be claimed again.
    """
    activity = _own(work, activity_id, version)
    rules.check_step("delete", activity.state)  # type: ignore[arg-type]
    keys = [
        r.key for r in work.rows(select(Evidence.key).where(Evidence.activity_id == activity.id))
    ]
    work.connection.execute(delete(Evidence).where(Evidence.activity_id == activity.id))
    claimed_as = update(OtherCredential).where(OtherCredential.activity_id == activity.id)
    work.execute(claimed_as.values(activity_id=None))
    work.session.delete(activity)
    _flush(work)
    history.record(work, "discard", "activity", activity_id)
    return keys


def decide(work: UnitOfWork, activity_id: str, decision: ReviewerDecision, *, version: int) -> None:
    """Decide an activity: approve it (perhaps for fewer points), reject it, or ask for more.

    A later decision needs a reason and supersedes the earlier one, which stays on record. An
    application that depends on the activity is denied if it can no longer reach its points. Raises
    SelfReview, UnderReview, IllegalTransition, Stale, UnknownReason, Invalid.
    """
    activity = _own(work, activity_id, None, lock=locks.lock_one_to_decide)
    decisions = _ruling(work, activity)
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
    _tell(work, activity, kind=NoticeKind.ACTIVITY_DECIDED, event=made.id, on=made.decided_on)
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
    for one in work.session.scalars(decisions.order_by(*LATEST_FIRST)):
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
    return [_answer(work, activity, _ruling(work, activity), decision, by=signer)]


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
        ruling = _ruling(work, activity)
        if ruling and ruling[0].id == decision_id:
            _take_back(work, activity, ruling, reason=reason)


def is_job(work: ReadContext, activity: Activity) -> bool:
    """Whether an activity is employment, by the policy versions of its scheme."""
    policies = work.schemes[activity.scheme].policies
    kinds = (policy.types.get(activity.type) for policy in policies)
    return any(kind is not None and kind.is_job for kind in kinds)


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


def _wait(activity: Activity, decisions: Sequence[Decision]) -> Wait:
    """The wait for a decision, which the first answer since the submission has stopped."""
    begins_on = [day for day in (activity.wait_from, activity.submitted_on) if day is not None]
    return Wait(max(begins_on, default=date.max), decisions[-1].decided_on if decisions else None)


def _waited_days(activity: Activity, decisions: Sequence[Decision], on: date) -> int | None:
    """The business days waited for the next decision; None if one has ended the wait before."""
    questions = {ActivityVerdict.MORE_INFORMATION}
    if {decision.verdict for decision in decisions} - questions:
        return None
    return _wait(activity, decisions).days(on)


def _ruling(work: UnitOfWork, activity: Activity) -> Sequence[Decision]:
    """The decisions since the last submission that were not undone, the current one first."""
    statement = select(Decision).where(
        Decision.activity_id == activity.id, Decision.undone_at.is_(None)
    )
    if activity.submitted_at is not None:
        statement = statement.where(Decision.recorded_at >= activity.submitted_at)
    return work.session.scalars(statement.order_by(*LATEST_FIRST)).all()


def _decided_on(work: UnitOfWork, activity: Activity, before: Decision | None) -> date:
    """Today in the scheme's time zone, but never before the submission or an earlier decision."""
    today = work.today(work.schemes[activity.scheme])
    earliest = (activity.submitted_on, before.decided_on if before else None)
    return max([today, *(day for day in earliest if day is not None)])


def _set_state(work: UnitOfWork, activity: Activity, state: str) -> None:
    """Set the activity's state; its version goes up even if the state is the same."""
    activity.state = state
    flag_modified(activity, "state")
    _flush(work)


def _tell(work: UnitOfWork, activity: Activity, *, kind: NoticeKind, event: str, on: date) -> None:
    news = NoticeToTell(
        kind=kind, holder_id=activity.holder_id, subject_id=activity.id, event=event, on=on
    )
    notices.tell(work, [news])


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
    activity = _own(work, activity_id, version, lock=locks.lock_one_to_decide)
    open_reviews.check_free(work, activity.id)
    rules.check_step("undo", activity.state)  # type: ignore[arg-type]
    decisions = _ruling(work, activity)
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
    _tell(work, activity, kind=kind, event=event, on=work.today(work.schemes[activity.scheme]))
    activity_effects.follow(work, activity, replaced=undone)


def correct_quantity(
    work: UnitOfWork, activity: Activity, quantity: Decimal | None, *, reason: str
) -> None:
    """Have an activity say another quantity, as staff found; the caller has locked its holder.

    Raises UnderReview.
    """
    open_reviews.check_free(work, activity.id)
    before, activity.quantity = activity.quantity, quantity
    _flush(work)
    changed = {"quantity": (before, quantity)}
    history.record(work, "correct", "activity", activity.id, changes=changed, reason=reason)
    if activity.state not in rules.RULED:  # of which the decision that follows tells
        event, on = f"changed:{activity.version}", work.today(work.schemes[activity.scheme])
        _tell(work, activity, kind=NoticeKind.ATTENDANCE, event=event, on=on)


def take_back(work: UnitOfWork, activity_id: str, *, reason: str) -> None:
    """Withdraw what an attendance brought by mistake; the caller has locked its holder.

    Its decisions are undone, so that it counts on no day; an application that needs it follows.
    Raises UnderReview.
    """
    open_reviews.check_free(work, activity_id)
    activity = work.session.get_one(Activity, activity_id)
    work.reread(activity)
    decisions = _ruling(work, activity)
    for decision in decisions:
        decision.undone_at, decision.undone_by = work.now, work.actor.name
        decision.undone_reason = reason
    activity.state = ActivityState.WITHDRAWN
    today = work.today(work.schemes[activity.scheme])
    activity.withdrawn_on = max(today, activity.submitted_on or today)
    _flush(work)
    history.record(work, "take_back", "activity", activity.id, reason=reason)
    _tell(work, activity, kind=NoticeKind.ATTENDANCE, event="removed", on=today)
    activity_effects.follow(work, activity, replaced=next(iter(decisions), None))


def _times_undone(work: UnitOfWork, activity_id: str) -> int:
    statement = select(func.count()).where(
        Decision.activity_id == activity_id, Decision.undone_at.is_not(None)
    )
    return int(work.row(statement)[0])


@dataclass(frozen=True, slots=True)
class ActivityOnRecord:
    """An activity: what it claims (``CLAIMED``), and how far it has come."""

    id: str
    ref: str | None
    holder_id: str
    scheme: str
    category: str
    type: str
    title: str
    provider: str
    quantity: Decimal | None
    starts_on: date | None
    completed_on: date | None
    unit: str
    role: str
    tags: list[str]
    duty: bool
    state: ActivityState
    submitted_on: date | None
    version: int


@dataclass(frozen=True, slots=True)
class ActivityRow(ActivityOnRecord):
    """An activity with its latest decision, and the course that brought it, if there is one."""

    course_id: str | None
    withdrawn_on: date | None
    recorded_at: datetime
    verdict: ActivityVerdict | None
    decided_on: date | None
    points_limit: Decimal | None
    provider_approved: bool | None
    reason_code: str | None
    reason: str | None


_LATEST = (
    select(Decision.id)
    .where(Decision.activity_id == Activity.id, Decision.undone_at.is_(None))
    .order_by(*LATEST_FIRST)
    .limit(1)
    .correlate(Activity)
    .scalar_subquery()
)
_ONE = select(*columns_of(ActivityRow, Activity, Decision)).join(
    Decision, Decision.id == _LATEST, isouter=True
)
_BY_ID = _ONE.where(Activity.id == bindparam("id"))
OF_HOLDER = _ONE.where(Activity.holder_id == bindparam("id"))


class CurrentDecision(NamedTuple):
    """The decision on an activity that rules."""

    id: str
    verdict: ActivityVerdict
    recorded_at: datetime


def current_decision(reading: ReadContext, activity_id: str) -> CurrentDecision | None:
    """The latest decision that was not undone."""
    ruling = select(*columns_of(CurrentDecision, Decision)).where(
        Decision.activity_id == activity_id, Decision.undone_at.is_(None)
    )
    return reading.row_as(CurrentDecision, ruling.order_by(*LATEST_FIRST).limit(1))


def _as_logged(made: Mapping[str, Any]) -> ActivityRow:
    """A new activity as its row is read: what was not given is null, quantities have cents."""
    values: dict[str, Any] = {**dict.fromkeys(names_of(ActivityRow)), **made}
    if values["quantity"] is not None:
        values["quantity"] = Decimal(values["quantity"]).quantize(CENT)
    return ActivityRow(**values)


def get(reading: ReadContext, activity_id: str) -> ActivityRow:
    """An activity with its latest decision. Raises NotFound, also for another holder's."""
    row = reading.row_as(ActivityRow, _BY_ID, {"id": activity_id})
    if row is None:
        raise NotFound
    check_own_holder(reading.actor, row.holder_id)
    return row


def by_ids(reading: ReadContext, ids: Collection[str]) -> list[ActivityRow]:
    """These activities in the order of their ids; the body's alone, who sees everybody's."""
    among = bulk.among(reading, Activity.id, ids)
    return reading.rows_as(ActivityRow, _ONE.where(among).order_by(Activity.id))


def of_holder(reading: ReadContext, holder_id: str) -> Sequence[ActivityRow]:
    """All activities of a holder in the order of their ids, each with its latest decision."""
    rows = reading.rows_as(ActivityRow, OF_HOLDER, {"id": holder_id})
    return sorted(rows, key=attrgetter("id"))


def page(
    reading: ReadContext,
    *,
    after: str | None,
    limit: int | None,
    holder_id: str | None = None,
    scheme: str | None = None,
    state: str | None = None,
) -> list[ActivityRow]:
    """A page of activities in the order of their ids, each with its latest decision."""
    statement = _ONE.order_by(Activity.id).limit(limit)
    wanted = {"holder_id": holder_id, "scheme": scheme, "state": state}
    for key, value in wanted.items():
        if value is not None:
            statement = statement.where(getattr(Activity, key) == value)
    if after:
        statement = statement.where(Activity.id > after)
    return reading.rows_as(ActivityRow, statement)


def count_evidence(reading: ReadContext, activity_id: str) -> int:
    """The number of an activity's files."""
    row = reading.row(select(func.count()).where(Evidence.activity_id == activity_id))
    return int(row[0]) if row else 0
