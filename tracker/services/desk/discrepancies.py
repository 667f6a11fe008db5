"""The inbox of discrepancies between providers' lists and holders' claims, settled one by one.

A settlement is an act of staff with a reason, and can be reopened: then another outcome may be
chosen. Whose word counts decides the activity's quantity; a match gives the row's person what
follows from it, and taking the match back takes that away again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import StaleDataError

from tracker.domain.errors import AlreadyRecorded, Conflict, Invalid, NotFound, Stale
from tracker.domain.points import attendance as rules
from tracker.domain.points.activities import RULED, ActivityState, ActivityVerdict
from tracker.domain.points.attendance import (
    DiscrepancyKind,
    DiscrepancyState,
    Outcome,
    ProviderAnswer,
)
from tracker.models import Activity, Attendance, Course, Discrepancy, Holder, Provider
from tracker.services.core import history, locks
from tracker.services.core.context import ReadContext, UnitOfWork, columns_of
from tracker.services.credentials import certificate_numbers
from tracker.services.points import (
    activity_decisions,
    activity_rows,
    attendance,
    courses,
)
from tracker.services.points.activity_decisions import ReviewerDecision
from tracker.services.points.attendance import Attended
from tracker.services.standings import snapshots

_STALE = "The discrepancy has changed since you read it; read it again."
_GONE = "The activity no longer exists; dismiss the discrepancy."


@dataclass(frozen=True, slots=True)
class ListedRow:
    """A discrepancy with its course, its provider's name, and what the list says."""

    id: str
    kind: DiscrepancyKind
    state: DiscrepancyState
    course_id: str
    code: str
    title: str
    provider_id: str
    name: str
    held_on: date
    attendance_id: str | None
    given_name: str | None
    given_holder_ref: str | None
    given_number: str | None
    given_email: str | None
    holder_id: str | None
    activity_id: str | None
    said: Decimal | None
    claimed: Decimal | None
    detail: str | None
    answer: ProviderAnswer | None
    answer_note: str | None
    answered_by: str | None
    answered_at: datetime | None
    outcome: Outcome | None
    reason: str | None
    settled_by: str | None
    settled_at: datetime | None
    recorded_at: datetime
    version: int


@dataclass(frozen=True, slots=True)
class DiscrepancyRow(ListedRow):
    """The same with the name of the holder concerned, if there is one."""

    holder_name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """How a discrepancy is settled: the outcome, and what it needs (``check_outcome``)."""

    outcome: Outcome
    reason: str | None = None
    reason_code: str | None = None
    holder_id: str | None = None


_ONE = (
    select(
        *columns_of(ListedRow, Discrepancy, Course, Attendance, Provider),
        (Holder.given_name + " " + Holder.family_name).label("holder_name"),
    )
    .join(Course, Course.id == Discrepancy.course_id)
    .join(Provider, Provider.id == Course.provider_id)
    .join(Attendance, Attendance.id == Discrepancy.attendance_id, isouter=True)
    .join(Holder, Holder.id == Discrepancy.holder_id, isouter=True)
)


# Acts of staff.
def settle(work: UnitOfWork, discrepancy_id: str, settlement: Settlement, *, version: int) -> None:
    """Settle an open discrepancy, never one about one's own record.

    Raises NotFound, SelfReview, Stale, IllegalTransition, Invalid, AlreadyRecorded, UnderReview.
    """
    found = _locked(work, discrepancy_id, version, settlement.holder_id)
    rules.check_state(found.state, DiscrepancyState.OPEN)
    kind = DiscrepancyKind(found.kind)
    rules.check_outcome(
        kind,
        settlement.outcome,
        reason=settlement.reason,
        reason_code=settlement.reason_code,
        holder_id=settlement.holder_id,
    )
    found.state, found.outcome = DiscrepancyState.SETTLED, settlement.outcome
    found.reason, found.settled_at = settlement.reason, work.now
    found.settled_by, found.settled_by_id = work.actor.name, work.actor.who
    _flush(work)
    history.record(
        work,
        "settle",
        "discrepancy",
        found.id,
        outcome=settlement.outcome,
        reason=settlement.reason,
        holder_id=settlement.holder_id,
    )
    if settlement.holder_id is not None:
        _match(work, found, settlement.holder_id)
    elif kind == DiscrepancyKind.CONTRADICTION and settlement.outcome != Outcome.DISMISSED:
        provides = settlement.outcome == Outcome.PROVIDER
        _correct(work, found, found.said if provides else found.claimed, settlement)
    elif settlement.outcome == Outcome.PROVIDER:
        _reject(work, found, settlement)


def reopen(work: UnitOfWork, discrepancy_id: str, *, reason: str, version: int) -> None:
    """Open a settled discrepancy again; a match is taken back with what it brought.

    A quantity stays as it was settled until another outcome is chosen. Raises NotFound, SelfReview,
    Stale, IllegalTransition, UnderReview; AlreadyRecorded if something newer about the row is open.
    """
    found = _locked(work, discrepancy_id, version, None)
    rules.check_state(found.state, DiscrepancyState.SETTLED)
    matched = found.outcome == Outcome.MATCHED
    history.record(work, "reopen", "discrepancy", found.id, reason=reason, was=found.outcome)
    found.state, found.outcome, found.reason = DiscrepancyState.OPEN, None, None
    found.settled_at = found.settled_by = found.settled_by_id = None
    _flush(work)
    if matched and found.attendance_id is not None:
        _take_back(work, found.attendance_id, reason=reason)


def _flush(work: UnitOfWork) -> None:
    """Flush; the database keeps a row of a list from having two open discrepancies."""
    try:
        work.session.flush()
    except IntegrityError as error:
        message = "Something newer about this row is open; settle that instead."
        raise AlreadyRecorded(message) from error
    except StaleDataError as error:
        raise Stale(_STALE) from error


def _locked(work: UnitOfWork, discrepancy_id: str, version: int, other: str | None) -> Discrepancy:
    """The discrepancy, with the records concerned locked to be decided on, in their order."""
    found = work.session.get(Discrepancy, discrepancy_id)
    if found is None:
        raise NotFound
    tied = select(Attendance.holder_id).where(Attendance.id == found.attendance_id)
    row = work.row(tied)
    concerned = filter(None, [found.holder_id, other, row.holder_id if row else None])
    for holder_id in sorted(set(concerned)):
        locks.lock_one_to_decide(work, holder_id)
    work.reread(found)
    if found.version != version:
        raise Stale(_STALE)
    return found


def _match(work: UnitOfWork, found: Discrepancy, holder_id: str) -> None:
    """Give a holder what follows from a row of a list."""
    living = select(Holder.id).where(Holder.id == holder_id, Holder.erased_at.is_(None))
    if work.row(living) is None:
        raise Invalid("There is no such holder.", fields={"holder_id": "is not a holder on record"})
    row = work.session.get_one(Attendance, found.attendance_id)
    course = courses.by_ids(work, [row.course_id])[row.course_id]
    before = row.holder_id
    attendance.apply(work, [Attended(row.id, holder_id, row.held_on, row.quantity, course)])
    work.session.expire(row)
    changed = {"holder_id": (before, holder_id)}
    history.record(work, "match", "attendance", row.id, changes=changed)


def _take_back(work: UnitOfWork, attendance_id: str, *, reason: str) -> None:
    """Untie a row from its holder; what it alone has brought is withdrawn."""
    row = work.session.get_one(Attendance, attendance_id)
    work.reread(row)
    before, activity_id = row.holder_id, row.activity_id
    row.holder_id = row.activity_id = None
    work.session.flush()
    history.record(
        work, "untie", "attendance", row.id, changes={"holder_id": (before, None)}, reason=reason
    )
    if activity_id is not None:
        others = select(Attendance.id).where(Attendance.activity_id == activity_id)
        if work.row(others.limit(1)) is None:
            activity_decisions.take_back(work, activity_id, reason=reason)


def _activity(work: UnitOfWork, found: Discrepancy) -> Activity:
    activity = work.session.get(Activity, found.activity_id) if found.activity_id else None
    if activity is None or activity.state == ActivityState.WITHDRAWN:
        raise Conflict(_GONE)
    work.reread(activity)
    return activity


def _correct(
    work: UnitOfWork, found: Discrepancy, quantity: Decimal | None, settlement: Settlement
) -> None:
    """Have the activity say the quantity that counts.

    One that was decided is approved again with it, so that its holder is told; another is told of
    its new quantity.
    """
    activity = _activity(work, found)
    is_rejected = activity.state == ActivityState.REJECTED
    approves = activity.state in RULED
    if activity.quantity == quantity and not (
        is_rejected and settlement.outcome == Outcome.PROVIDER
    ):
        return
    activity_decisions.correct_quantity(work, activity, quantity, reason=settlement.reason or "")
    if approves and not (is_rejected and settlement.outcome == Outcome.HOLDER):
        decision = _approval(work, found, activity, settlement)
        activity_decisions.decide(work, activity.id, decision, version=activity.version)


def _approval(
    work: UnitOfWork, found: Discrepancy, activity: Activity, settlement: Settlement
) -> ReviewerDecision:
    """An approval with the terms of the one that it replaces, if there is one."""
    course = courses.by_ids(work, [found.course_id])[found.course_id]
    before = activity_rows.get(work, activity.id)
    was_approved = before.verdict == ActivityVerdict.APPROVED
    return ReviewerDecision(
        ActivityVerdict.APPROVED,
        points_limit=before.points_limit if was_approved else None,
        provider_approved=bool(was_approved and before.provider_approved)
        or course.is_approved_on(found.held_on),
        reason=settlement.reason,
    )


def _reject(work: UnitOfWork, found: Discrepancy, settlement: Settlement) -> None:
    """Reject a claim about which the provider's silence counts."""
    activity = _activity(work, found)
    decision = ReviewerDecision(
        ActivityVerdict.REJECTED, reason_code=settlement.reason_code, reason=settlement.reason
    )
    activity_decisions.decide(work, activity.id, decision, version=activity.version)


# Reading.
def get(reading: ReadContext, discrepancy_id: str) -> DiscrepancyRow:
    """One discrepancy. Raises NotFound."""
    row = reading.row_as(DiscrepancyRow, _ONE.where(Discrepancy.id == discrepancy_id))
    if row is None:
        raise NotFound
    return row


def holder_numbered(reading: ReadContext, number: str) -> str:
    """The holder of the one certification with a number. Raises Invalid."""
    found = certificate_numbers.certification_of(reading, number)
    if found is None:
        raise Invalid("There is no such certificate.", fields={"number": "is not on record"})
    return snapshots.certification(reading, found).holder_id


def page(
    reading: ReadContext, *, after: str | None, limit: int, filters: Mapping[str, str]
) -> list[DiscrepancyRow]:
    """A page of discrepancies, oldest first."""
    statement = _ONE.order_by(Discrepancy.id).limit(limit)
    if after:
        statement = statement.where(Discrepancy.id > after)
    for name, value in filters.items():
        table = Course if name == "provider_id" else Discrepancy
        statement = statement.where(getattr(table, name) == value)
    return reading.rows_as(DiscrepancyRow, statement)
