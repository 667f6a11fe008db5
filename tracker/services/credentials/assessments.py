"""Assessments: record attempts one at a time, and correct them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any, Literal, NamedTuple

from sqlalchemy import bindparam, select
from sqlalchemy.exc import IntegrityError

from tracker.domain.credentials import assessments as rules
from tracker.domain.credentials import awards as award_rules
from tracker.domain.errors import (
    AlreadyRecorded,
    IllegalTransition,
    Invalid,
    NotFound,
    RetakeTooSoon,
)
from tracker.domain.points import cycle_rules
from tracker.domain.points.cycle_rules import Case, ReexaminationTerms
from tracker.domain.schemes.schemes import Scheme
from tracker.domain.values import future_rule
from tracker.models import Assessment, Center, Holder
from tracker.services.core import history, locks
from tracker.services.core.context import ReadContext, UnitOfWork, columns_of
from tracker.services.core.row_scope import scope
from tracker.services.credentials import (
    awards,
    centers,
    certifications,
    effects,
    imported_awards,
    module_certificates,
)
from tracker.services.standings import snapshots


@dataclass(frozen=True, slots=True)
class AttemptToRecord:
    """One attempt to record."""

    scheme: str
    module: str
    taken_on: date
    passed: bool
    score: Decimal | None = None
    delivery: str | None = None
    center_id: str | None = None
    funding: str | None = None
    override_reason: str | None = None


def record(work: UnitOfWork, holder_id: str, attempt: AttemptToRecord) -> str:
    """Record an attempt; a pass that completes the modules also awards the certification.

    Once a certification has ended for good, its modules may be passed again. Raises RetakeTooSoon
    unless ``override_reason`` is given, AlreadyPassed unless it may be passed again or is a
    re-examination by the policy, AlreadyRecorded if the same attempt is entered twice, Invalid for
    a day in the future or an impossible score, SelfReview, NotFound.
    """
    locks.lock_one_to_decide(work, holder_id)
    scheme, zone = work.schemes[attempt.scheme], _zone(work, holder_id)
    _check_values(work, scheme, attempt, zone)
    reexamination = _check_lawful(work, scheme, holder_id, attempt)
    row = Assessment(
        holder_id=holder_id,
        scheme=attempt.scheme,
        module=attempt.module,
        taken_on=attempt.taken_on,
        passed=attempt.passed,
        score=attempt.score,
        delivery=attempt.delivery,
        center_id=attempt.center_id,
        funding=attempt.funding,
        override_reason=attempt.override_reason,
        warnings=_warnings(work, attempt, reexamination),
        recorded_at=work.now,
        recorded_by=work.actor.name,
    )
    work.session.add(row)
    _flush(work, row)
    _check_award(work, scheme, row)
    history.record(
        work,
        "record",
        "assessment",
        row.id,
        holder_id=holder_id,
        module=attempt.module,
        taken_on=attempt.taken_on,
        passed=attempt.passed,
        override=attempt.override_reason,
    )
    if attempt.passed:
        awarded = awards.settle(work, scheme, [holder_id], awards.KEEP_EARLIER)
        module_certificates.settle(work, scheme, [holder_id], awarded)
    return row.id


def _zone(work: UnitOfWork, holder_id: str) -> str:
    """The holder's time zone. Raises NotFound."""
    row = work.row(select(Holder.time_zone).where(Holder.id == holder_id))
    if row is None:
        raise NotFound
    zone: str = row.time_zone
    return zone


def _check_values(work: UnitOfWork, scheme: Scheme, attempt: AttemptToRecord, zone: str) -> None:
    """Refuse an unknown module, a day in the future, an impossible score.

    A day counts as begun when it has begun for the holder or for the scheme.
    """
    scheme.module(attempt.module)
    today = max(work.today(scheme), work.day_of(scheme, zone))
    rule = scheme.assessment.score if scheme.assessment else None
    faults = {
        "taken_on": future_rule(attempt.taken_on, today),
        "score": rule.fault(attempt.score, passed=attempt.passed) if rule else None,
    }
    fields = {name: fault for name, fault in faults.items() if fault is not None}
    if fields:
        raise Invalid("The assessment's data contradict each other or the records.", fields=fields)


def _check_lawful(
    work: UnitOfWork,
    scheme: Scheme,
    holder_id: str,
    attempt: AttemptToRecord,
    *,
    but: Assessment | None = None,
) -> ReexaminationTerms | None:
    """Refuse an attempt that the others rule out; returns the re-examination it is, if any.

    ``but`` is the attempt itself, if it is on record already.
    """
    earlier = snapshots.attempts(work, [holder_id])[holder_id, scheme.code]
    if but is not None:
        earlier.remove(rules.Attempt(but.module, but.taken_on, but.passed))
    # This gives a clearer error than RetakeTooSoon; the database constraint decides.
    if any((e.module, e.taken_on) == (attempt.module, attempt.taken_on) for e in earlier):
        raise _twice(attempt.module, attempt.taken_on)
    reexamination = _reexamination(work, holder_id, attempt)
    since, again_from = _fresh_start(work, scheme, holder_id, earlier, attempt)
    if reexamination is not None:
        earlier = [e for e in earlier if e.taken_on >= reexamination.since]
    try:
        rules.check_attempt(
            scheme,
            attempt.module,
            earlier,
            taken_on=attempt.taken_on,
            since=since,
            again_from=again_from,
        )
    except RetakeTooSoon:
        if not attempt.override_reason:
            raise
    return reexamination


def _fresh_start(
    work: UnitOfWork,
    scheme: Scheme,
    holder_id: str,
    earlier: Sequence[rules.Attempt],
    attempt: AttemptToRecord,
) -> tuple[date | None, date | None]:
    """The day on which the award before the attempt ended for good, or else will, if known.

    Looked up only if the module was passed before.
    """
    day = attempt.taken_on
    if not any(e.passed and e.module == attempt.module and e.taken_on <= day for e in earlier):
        return None, None
    held = awards.standing_awards(work, scheme, [holder_id])[holder_id]
    return award_rules.fresh_start(scheme, held, on=day)


def _flush(work: UnitOfWork, row: Assessment) -> None:
    try:
        work.session.flush()
    except IntegrityError as error:
        raise _twice(row.module, row.taken_on) from error


def _check_award(work: UnitOfWork, scheme: Scheme, row: Assessment) -> None:
    """Refuse a pass that contradicts an imported award."""
    if row.passed:
        rule = imported_awards.contradicted(work, scheme, [row.holder_id]).get(row.holder_id)
        if rule is not None:
            raise Invalid("This pass contradicts the award on record.", fields={"taken_on": rule})


def _twice(module: str, taken_on: date) -> AlreadyRecorded:
    return AlreadyRecorded(f"An attempt at {module} on {taken_on} is already on record.")


def _reexamination(
    work: UnitOfWork, holder_id: str, attempt: AttemptToRecord
) -> ReexaminationTerms | None:
    """The re-examination that the attempt is for a certified holder, if the policy has one."""
    scheme = work.schemes[attempt.scheme]
    if not cycle_rules.needs(scheme).attempts:
        return None
    held = certifications.of_holder(work, holder_id, scheme.code)
    if held is None or attempt.taken_on <= held.awarded_on:
        return None
    record = snapshots.records(work, [held.id])[held.id]
    case = Case(scheme, record.cycles, record.applications, record.adjustments)
    return cycle_rules.reexamination_terms(case, attempt.module, attempt.taken_on)


def _warnings(
    work: UnitOfWork, attempt: AttemptToRecord, reexamination: ReexaminationTerms | None
) -> list[str]:
    warnings = _center_warnings(work, attempt)
    if reexamination is not None and reexamination.failure_revokes and not attempt.passed:
        warnings.append(
            "Under the policy a failed re-examination leads to revocation; the decision "
            "is still pending."
        )
    return warnings


def _center_warnings(work: UnitOfWork, attempt: AttemptToRecord) -> list[str]:
    if attempt.center_id is None:
        return []
    center = work.row(select(Center.name).where(Center.id == attempt.center_id))
    if center is None:
        raise Invalid("There is no such assessment center.", fields={"center_id": "is unknown"})
    approvals = centers.approvals_of(work, [attempt.center_id])[attempt.center_id]
    warning = rules.center_warning(center.name, approvals, on=attempt.taken_on)
    return [warning] if warning else []


# Corrections.
LaterCycles = Literal["refuse", "keep", "unwind"]
AMENDABLE = (
    "module",
    "taken_on",
    "passed",
    "score",
    "delivery",
    "center_id",
    "funding",
    "override_reason",
)
"""The fields that an amendment may change."""


@dataclass(frozen=True, slots=True)
class AttemptCorrection:
    """Why an attempt is corrected, and what happens to renewals that depend on it.

    ``preview``: report what would change, and store nothing.
    """

    reason: str
    later_cycles: LaterCycles = "refuse"
    preview: bool = False

    @property
    def later(self) -> awards.Later:
        """The same as the value that awards take."""
        return awards.Later(self.later_cycles, self.reason)


class AssessmentRow(NamedTuple):
    """An attempt as it is on record."""

    id: str
    ref: str | None
    holder_id: str
    scheme: str
    module: str
    taken_on: date
    passed: bool
    score: Decimal | None
    delivery: str | None
    center_id: str | None
    funding: str | None
    override_reason: str | None
    warnings: list[str]
    recorded_at: datetime
    recorded_by: str
    voided_at: datetime | None
    void_reason: str | None


@dataclass(frozen=True, slots=True)
class CorrectedAttempt:
    """An attempt after its correction, real or previewed, and what that changes."""

    assessment: AssessmentRow
    changes: Sequence[effects.Effect]
    preview: bool


def amend(
    work: UnitOfWork,
    assessment_id: str,
    values: Mapping[str, Any],
    *,
    reason: str,
    later_cycles: LaterCycles = "refuse",
    preview: bool = False,
) -> CorrectedAttempt:
    """Correct an attempt in place, together with what follows from it.

    ``values`` are the fields of ``AMENDABLE`` to change; for the rest see ``AttemptCorrection``.
    Raises what ``record`` raises, SupportsRenewal if a renewal depends on it and ``later_cycles``
    is "refuse", IllegalTransition if it is void, Invalid if nothing changes, NotFound.
    """

    def change(row: Assessment) -> None:
        _amend(work, row, values, reason)

    return _correct(work, assessment_id, AttemptCorrection(reason, later_cycles, preview), change)


def void(
    work: UnitOfWork,
    assessment_id: str,
    *,
    reason: str,
    later_cycles: LaterCycles = "refuse",
    preview: bool = False,
) -> CorrectedAttempt:
    """Void an attempt that was recorded in error, and correct what followed from it.

    Raises SupportsRenewal as ``amend`` does, IllegalTransition if it is void already, NotFound.
    """

    def change(row: Assessment) -> None:
        row.voided_at, row.void_reason = work.now, reason
        work.session.flush()
        history.record(work, "void", "assessment", row.id, reason=reason)

    return _correct(work, assessment_id, AttemptCorrection(reason, later_cycles, preview), change)


def _correct(
    work: UnitOfWork,
    assessment_id: str,
    correction: AttemptCorrection,
    change: Callable[[Assessment], None],
) -> CorrectedAttempt:
    """Change an attempt and settle the awards; a preview is rolled back after it is read."""
    row = work.session.get(Assessment, assessment_id)
    if row is None:
        raise NotFound
    locks.lock_one_to_decide(work, row.holder_id)
    work.reread(row)
    if row.voided_at is not None:
        raise IllegalTransition("The assessment is already void.", state="void")

    def act() -> tuple[Sequence[awards.Consequence], AssessmentRow]:
        change(row)
        scheme = work.schemes[row.scheme]
        consequences = awards.settle(work, scheme, [row.holder_id], correction.later)
        module_certificates.settle(work, scheme, [row.holder_id], consequences)
        return consequences, get(work, assessment_id)

    changes, corrected = effects.tried(work, row.holder_id, act=act, preview=correction.preview)
    return CorrectedAttempt(corrected, changes, correction.preview)


def _amend(work: UnitOfWork, row: Assessment, values: Mapping[str, Any], reason: str) -> None:
    before = {name: getattr(row, name) for name in AMENDABLE}
    changed = {name: value for name, value in values.items() if before[name] != value}
    if not changed:
        named = ("result" if name == "passed" else name for name in values)
        raise Invalid("Nothing changes.", fields=dict.fromkeys(named, "already has this value"))
    scheme = work.schemes[row.scheme]
    attempt = AttemptToRecord(row.scheme, **(before | changed))
    zone = work.row(select(Holder.time_zone).where(Holder.id == row.holder_id)).time_zone
    _check_values(work, scheme, attempt, zone)
    reexamination = None
    if changed.keys() & {"module", "taken_on"} or changed.get("passed"):
        reexamination = _check_lawful(work, scheme, row.holder_id, attempt, but=row)
    row.warnings = _warnings(work, attempt, reexamination)
    for name, value in changed.items():
        setattr(row, name, value)
    _flush(work, row)
    _check_award(work, scheme, row)
    detail: dict[str, object] = {"reason": reason, "fields": sorted(changed)}
    for name, value in changed.items():
        detail |= {f"{name}_before": before[name], f"{name}_after": value}
    history.record(work, "amend", "assessment", row.id, **detail)


_ONE = select(*columns_of(AssessmentRow, Assessment))
OF_HOLDER = _ONE.where(Assessment.holder_id == bindparam("id"))


def get(reading: ReadContext, assessment_id: str) -> AssessmentRow:
    """An assessment's row. Raises NotFound."""
    statement = _ONE.where(Assessment.id == assessment_id, scope(reading.actor, Assessment))
    row = reading.row_as(AssessmentRow, statement)
    if row is None:
        raise NotFound
    return row


def of_holder(
    reading: ReadContext, holder_id: str, *, after: str | None = None, limit: int | None = None
) -> list[AssessmentRow]:
    """A holder's assessments, including voided ones, in the order of their ids."""
    parameters = {"id": holder_id}
    if after is None and limit is None:
        return sorted(reading.rows_as(AssessmentRow, OF_HOLDER, parameters), key=attrgetter("id"))
    statement = OF_HOLDER.order_by(Assessment.id).limit(limit)
    if after:
        statement = statement.where(Assessment.id > after)
    return reading.rows_as(AssessmentRow, statement, parameters)
