"""Assessments: recording attempts one at a time, voiding them, and the directory of centers."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from operator import attrgetter
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.exc import IntegrityError

from tracker.domain import assessments, terms
from tracker.domain.assessments import Approval
from tracker.domain.errors import (
    AlreadyRecorded,
    IllegalTransition,
    Invalid,
    NotFound,
    RetakeTooSoon,
)
from tracker.domain.permissions import check_own_holder
from tracker.domain.terms import Again, Case
from tracker.models import Assessment, Center, CenterApproval
from tracker.services import certifications, facts, history
from tracker.services.work import Reading, Work


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt as it is recorded."""

    scheme: str
    module: str
    taken_on: date
    passed: bool
    score: Decimal | None = None
    delivery: str | None = None
    center_id: str | None = None
    funding: str | None = None
    override_reason: str | None = None


def record(work: Work, holder_id: str, attempt: Attempt) -> str:
    """Record an attempt; a pass that completes the modules awards the certification with it.

    Raises RetakeTooSoon unless ``override_reason`` is given, AlreadyPassed unless it is a
    re-examination by the policy, AlreadyRecorded for the same attempt entered twice, Invalid for
    a day in the future, NotFound.
    """
    check_own_holder(work.actor, holder_id)
    if not certifications.lock(work, [holder_id]):
        raise NotFound
    scheme = work.schemes[attempt.scheme]
    scheme.module(attempt.module)
    if attempt.taken_on > work.today(scheme):
        rule = f"must not be in the future (today is {work.today(scheme)})"
        raise Invalid("The day of the assessment is in the future.", fields={"taken_on": rule})
    earlier = facts.attempts(work, [holder_id])[holder_id, scheme.code]
    # Named as what it is, rather than as a retake too soon; the constraint decides.
    if any((e.module, e.taken_on) == (attempt.module, attempt.taken_on) for e in earlier):
        raise _twice(attempt.module, attempt.taken_on)
    again = _again(work, holder_id, attempt)
    if again is not None:
        earlier = [e for e in earlier if e.taken_on >= again.since]
    try:
        assessments.check_attempt(scheme, attempt.module, earlier, taken_on=attempt.taken_on)
    except RetakeTooSoon:
        if not attempt.override_reason:
            raise
    row = Assessment(
        holder_id=holder_id, scheme=attempt.scheme, module=attempt.module,
        taken_on=attempt.taken_on, passed=attempt.passed, score=attempt.score,
        delivery=attempt.delivery, center_id=attempt.center_id, funding=attempt.funding,
        override_reason=attempt.override_reason, warnings=_warnings(work, attempt, again),
        recorded_at=work.now, recorded_by=work.actor.name,
    )  # fmt: skip
    _insert(work, row)
    history.record(
        work, "record", "assessment", row.id, holder_id=holder_id, module=attempt.module,
        taken_on=attempt.taken_on, passed=attempt.passed, override=attempt.override_reason,
    )  # fmt: skip
    if attempt.passed:
        certifications.settle(work, scheme, [holder_id])
    return row.id


def _insert(work: Work, row: Assessment) -> None:
    work.session.add(row)
    try:
        work.session.flush()
    except IntegrityError as error:
        raise _twice(row.module, row.taken_on) from error


def _twice(module: str, taken_on: date) -> AlreadyRecorded:
    return AlreadyRecorded(f"An attempt at {module} on {taken_on} is on record already.")


def _again(work: Work, holder_id: str, attempt: Attempt) -> Again | None:
    """What the attempt is as a re-examination of somebody certified, where the policy has one."""
    scheme = work.schemes[attempt.scheme]
    if not terms.needs(scheme).attempts:
        return None
    held = certifications.of_holder(work, holder_id, scheme.code)
    if held is None or attempt.taken_on <= held.awarded_on:
        return None
    record = facts.records(work, [held.id])[held.id]
    case = Case(scheme, record.cycles, record.applications, record.adjustments)
    return terms.again(case, attempt.module, attempt.taken_on)


def _warnings(work: Work, attempt: Attempt, again: Again | None) -> list[str]:
    found = _center_warnings(work, attempt)
    if again is not None and again.failure_revokes and not attempt.passed:
        found.append("By the policy a failed re-examination revokes; nobody has decided it yet.")
    return found


def _center_warnings(work: Work, attempt: Attempt) -> list[str]:
    if attempt.center_id is None:
        return []
    center = work.row(select(Center.name).where(Center.id == attempt.center_id))
    if center is None:
        raise Invalid("There is no such assessment center.", fields={"center_id": "is unknown"})
    approvals = approvals_of(work, [attempt.center_id])[attempt.center_id]
    warning = assessments.center_warning(center.name, approvals, on=attempt.taken_on)
    return [warning] if warning else []


def void(work: Work, assessment_id: str, *, reason: str) -> None:
    """Take an attempt back that was recorded in error; what followed from it is corrected.

    Raises SupportsRenewal if the certification that rests on it was renewed since,
    IllegalTransition if it is void already, NotFound.
    """
    row = work.session.get(Assessment, assessment_id)
    if row is None:
        raise NotFound
    certifications.lock(work, [row.holder_id])
    work.session.refresh(row)
    if row.voided_at is not None:
        raise IllegalTransition("The assessment is void already.", state="void")
    row.voided_at, row.void_reason = work.now, reason
    work.session.flush()
    history.record(work, "void", "assessment", row.id, reason=reason)
    certifications.settle(work, work.schemes[row.scheme], [row.holder_id])


_COLUMNS = (
    Assessment.id, Assessment.ref, Assessment.holder_id, Assessment.scheme, Assessment.module,
    Assessment.taken_on, Assessment.passed, Assessment.score, Assessment.delivery,
    Assessment.center_id, Assessment.funding, Assessment.override_reason, Assessment.warnings,
    Assessment.recorded_at, Assessment.recorded_by, Assessment.voided_at, Assessment.void_reason,
)  # fmt: skip
_ONE = select(*_COLUMNS)
OF_HOLDER = _ONE.where(Assessment.holder_id == bindparam("id"))


def get(reading: Reading, assessment_id: str) -> Any:
    """An assessment's row. Raises NotFound."""
    row = reading.row(_ONE.where(Assessment.id == assessment_id))
    if row is None:
        raise NotFound
    check_own_holder(reading.actor, row.holder_id)
    return row


def of_holder(
    reading: Reading, holder_id: str, *, after: str | None = None, limit: int | None = None
) -> list[Any]:
    """A holder's assessments, voided ones too, in the order of their ids."""
    asked = {"id": holder_id}
    if after is None and limit is None:
        return sorted(reading.rows(OF_HOLDER, asked), key=attrgetter("id"))
    statement = OF_HOLDER.order_by(Assessment.id).limit(limit)
    if after:
        statement = statement.where(Assessment.id > after)
    return list(reading.rows(statement, asked))


def add_center(work: Work, *, name: str, category: str, approvals: list[Approval]) -> str:
    """Put an assessment center into the directory. Raises AlreadyRecorded for a name in use."""
    center = Center(name=name, category=category, recorded_at=work.now)
    work.session.add(center)
    try:
        work.session.flush()
    except IntegrityError as error:
        raise AlreadyRecorded(f"There is a center named {name!r} already.") from error
    for approval in approvals:
        approve_center(work, center.id, approval)
    history.record(work, "register", "center", center.id, name=name, category=category)
    return center.id


def approve_center(work: Work, center_id: str, approval: Approval) -> None:
    """Record a period in which a center is approved. Raises Invalid, AlreadyRecorded, NotFound."""
    if work.row(select(Center.id).where(Center.id == center_id)) is None:
        raise NotFound
    if approval.lapses_on is not None and approval.lapses_on < approval.approved_on:
        raise Invalid(
            "An approval cannot lapse before it begins.",
            fields={"lapses_on": f"must not be before approved_on ({approval.approved_on})"},
        )
    work.session.add(
        CenterApproval(
            center_id=center_id,
            approved_on=approval.approved_on,
            lapses_on=approval.lapses_on,
            recorded_at=work.now,
        )
    )
    try:
        work.session.flush()
    except IntegrityError as error:
        day = approval.approved_on
        raise AlreadyRecorded(f"An approval from {day} is on record already.") from error
    history.record(
        work, "approve", "center", center_id, approved_on=approval.approved_on,
        lapses_on=approval.lapses_on,
    )  # fmt: skip


def approvals_of(reading: Reading, center_ids: list[str]) -> dict[str, list[Approval]]:
    """The approvals of centers, oldest first."""
    found: dict[str, list[Approval]] = defaultdict(list)
    for ids in facts.chunks(center_ids):
        statement = (
            select(CenterApproval.center_id, CenterApproval.approved_on, CenterApproval.lapses_on)
            .where(CenterApproval.center_id.in_(ids))
            .order_by(CenterApproval.approved_on)
        )
        for center_id, approved_on, lapses_on in reading.rows(statement):
            found[center_id].append(Approval(approved_on, lapses_on))
    return found


def centers(
    reading: Reading, *, after: str | None, limit: int, category: str | None = None
) -> list[tuple[Any, list[Approval]]]:
    """A page of the directory of centers, each with its approvals."""
    statement = select(Center.id, Center.name, Center.category).order_by(Center.id).limit(limit)
    if after:
        statement = statement.where(Center.id > after)
    if category:
        statement = statement.where(Center.category == category)
    page = reading.rows(statement)
    approvals = approvals_of(reading, [row.id for row in page])
    return [(row, approvals[row.id]) for row in page]


def center(reading: Reading, center_id: str) -> tuple[Any, list[Approval]]:
    """One center with its approvals. Raises NotFound."""
    row = reading.row(select(Center.id, Center.name, Center.category).where(Center.id == center_id))
    if row is None:
        raise NotFound
    return row, approvals_of(reading, [center_id])[center_id]
