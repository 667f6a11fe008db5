"""Assessments: record attempts one at a time, and correct them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any, Literal, NamedTuple

from sqlalchemy import bindparam, select
from sqlalchemy.exc import IntegrityError

from tracker.domain.credentials import assessments as rules
from tracker.domain.credentials import awards as award_rules
from tracker.domain.credentials.assessments import AttemptToRecord
from tracker.domain.credentials.funding import FundingSource
from tracker.domain.errors import (
    AlreadyRecorded,
    IllegalTransition,
    Invalid,
    NotFound,
    Refusal,
    RetakeTooSoon,
)
from tracker.domain.points import cycle_rules
from tracker.domain.points.cycle_rules import Case, ReexaminationTerms
from tracker.domain.schemes.schemes import Scheme
from tracker.models import Assessment, Holder
from tracker.services.core import bulk, history, locks
from tracker.services.core.context import ReadContext, UnitOfWork, columns_of
from tracker.services.core.row_scope import scope
from tracker.services.credentials import (
    awards,
    centers,
    certifications,
    effects,
    fees,
    imported_awards,
    module_certificates,
)
from tracker.services.credentials.centers import KnownCenters
from tracker.services.standings import snapshots
from tracker.services.standings.snapshots import HolderScheme


def record(work: UnitOfWork, holder_id: str, attempt: AttemptToRecord) -> str:
    """Record an attempt; a pass that completes the modules also awards the certification.

    Once a certification has ended for good, its modules may be passed again. Raises RetakeTooSoon
    unless ``override_reason`` is given, AlreadyPassed unless it may be passed again or is a
    re-examination by the policy, AlreadyRecorded if the same attempt is entered twice, Invalid for
    a day in the future, an impossible score, or a center that is unknown or, without
    ``override_reason``, not approved on the day; SelfReview, NotFound.
    """
    locks.lock_one_to_decide(work, holder_id)
    [judged] = judge(work, [(holder_id, attempt)])
    if isinstance(judged, Refusal):
        raise judged
    write(work, [judged])
    return judged.id


def judge(
    work: UnitOfWork, attempts: Sequence[tuple[str, AttemptToRecord]]
) -> list[Assessment | Refusal]:
    """The row to write for each attempt of a holder, or why it is refused.

    The holders are locked by the caller. Later attempts are judged as if earlier ones were written.
    The number of statements does not grow with that of the attempts, except for those who passed
    the module before, and for schemes that have re-examinations.
    """
    facts = _facts(work, attempts)
    judged: list[Assessment | Refusal] = []
    for holder_id, attempt in attempts:
        try:
            judged.append(_row(work, facts, holder_id, attempt))
        except Refusal as refusal:
            judged.append(refusal)
    return judged


class _Facts(NamedTuple):
    """What is on record about the holders and the centers of some attempts."""

    zones: Mapping[str, str]
    attempts: dict[HolderScheme, list[rules.Attempt]]
    centers: KnownCenters


def _facts(work: UnitOfWork, attempts: Sequence[tuple[str, AttemptToRecord]]) -> _Facts:
    holder_ids = {holder_id for holder_id, _ in attempts}
    statement = select(Holder.id, Holder.time_zone)
    living = Holder.erased_at.is_(None), Holder.merged_into_id.is_(None)
    holders = work.rows(statement.where(bulk.among(work, Holder.id, holder_ids), *living))
    return _Facts(
        zones={row.id: row.time_zone for row in holders},
        attempts=snapshots.attempts(work, holder_ids),
        centers=centers.known(
            work,
            ids={one.center_id for _, one in attempts if one.center_id},
            names={one.center for _, one in attempts if one.center},
        ),
    )


def _row(work: UnitOfWork, facts: _Facts, holder_id: str, attempt: AttemptToRecord) -> Assessment:
    """The row of an attempt. Raises what ``record`` raises."""
    if holder_id not in facts.zones:
        raise NotFound("The record was erased, or merged into another one.")
    scheme = work.schemes[attempt.scheme]
    attempt = facts.centers.placed(attempt)
    _check_values(work, scheme, attempt, facts.zones[holder_id])
    center_rule = facts.centers.rule(attempt)
    if center_rule is not None:
        raise Invalid("The center was not approved.", fields={"center_id": center_rule})
    earlier = facts.attempts[holder_id, scheme.code]
    reexamination = _check_lawful(work, scheme, holder_id, attempt, earlier)
    earlier.append(rules.Attempt(attempt.module, attempt.taken_on, attempt.passed))
    values = asdict(attempt)
    del values["center"]
    return Assessment(
        holder_id=holder_id,
        **values,
        warnings=_warnings(facts.centers, attempt, reexamination),
        recorded_at=work.now,
        recorded_by=work.actor.name,
    )


def write(work: UnitOfWork, rows: Sequence[Assessment]) -> None:
    """Write attempts that were judged, and settle the awards that the passes complete.

    Raises AlreadyRecorded, Invalid for a pass that contradicts an imported award, SupportsRenewal.
    """
    work.session.add_all(rows)
    _flush(work, rows[0])
    passed: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row.passed:
            passed[row.scheme].add(row.holder_id)
    for code, holder_ids in passed.items():
        _check_awards(work, work.schemes[code], holder_ids)
    history.record_many(
        work,
        "record",
        "assessment",
        [
            (
                row.id,
                {
                    "holder_id": row.holder_id,
                    "module": row.module,
                    "taken_on": row.taken_on,
                    "passed": row.passed,
                    "override": row.override_reason,
                },
            )
            for row in rows
        ],
    )
    for code, holder_ids in passed.items():
        scheme = work.schemes[code]
        awarded = awards.settle(work, scheme, sorted(holder_ids), awards.KEEP_EARLIER)
        module_certificates.settle(work, scheme, sorted(holder_ids), awarded)


def _check_values(work: UnitOfWork, scheme: Scheme, attempt: AttemptToRecord, zone: str) -> None:
    """Refuse values that break a rule of their own.

    A day counts as begun when it has begun for the holder or for the scheme.
    """
    today = max(work.today(scheme), work.day_of(scheme, zone))
    fields = rules.faults(scheme, attempt, today=today)
    if fields:
        raise Invalid("The assessment's data contradict each other or the records.", fields=fields)


def _check_lawful(
    work: UnitOfWork,
    scheme: Scheme,
    holder_id: str,
    attempt: AttemptToRecord,
    earlier: list[rules.Attempt],
) -> ReexaminationTerms | None:
    """Refuse an attempt that the others rule out; returns the re-examination it is, if any."""
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


def _check_awards(work: UnitOfWork, scheme: Scheme, holder_ids: Collection[str]) -> None:
    """Refuse passes that contradict an imported award."""
    for rule in imported_awards.contradicted(work, scheme, sorted(holder_ids)).values():
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
    known: KnownCenters, attempt: AttemptToRecord, reexamination: ReexaminationTerms | None
) -> list[str]:
    warnings = known.warnings(attempt)
    if reexamination is not None and reexamination.failure_revokes and not attempt.passed:
        warnings.append(
            "Under the policy a failed re-examination leads to revocation; the decision "
            "is still pending."
        )
    return warnings


# Corrections.
LaterCycles = Literal["refuse", "keep", "unwind"]
AMENDABLE = (
    "module",
    "taken_on",
    "passed",
    "score",
    "delivery",
    "edition",
    "center_id",
    "proctor",
    "instructor",
    "funding",
    "amount",
    "funding_reference",
    "more_funding",
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
    edition: str | None
    center_id: str | None
    proctor: str | None
    instructor: str | None
    funding: str | None
    amount: Decimal | None
    funding_reference: str | None
    more_funding: list[FundingSource]
    fee_id: str | None
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
        fees.follow_void(work, [row.fee_id] if row.fee_id else [])

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
    known = centers.known(work, ids={attempt.center_id} if attempt.center_id else set())
    _check_moved(known, attempt, changed)
    reexamination = None
    if changed.keys() & {"module", "taken_on"} or changed.get("passed"):
        earlier = snapshots.attempts(work, [row.holder_id])[row.holder_id, scheme.code]
        earlier.remove(rules.Attempt(row.module, row.taken_on, row.passed))
        reexamination = _check_lawful(work, scheme, row.holder_id, attempt, earlier)
    row.warnings = _warnings(known, attempt, reexamination)
    for name, value in changed.items():
        setattr(row, name, value)
    _flush(work, row)
    if row.passed:
        _check_awards(work, scheme, [row.holder_id])
    history.record(
        work, "amend", "assessment", row.id, reason=reason, changes=history.changes(before, changed)
    )


def _check_moved(
    known: KnownCenters, attempt: AttemptToRecord, changed: Mapping[str, object]
) -> None:
    """Refuse to move an attempt to a center, or a day, without approval; what stays may stay."""
    rule = known.rule(attempt)
    if rule is not None and changed.keys() & {"center_id", "taken_on"}:
        raise Invalid("The center was not approved.", fields={"center_id": rule})


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
