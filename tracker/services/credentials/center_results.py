"""Results that assessment centers send: checked, stored, and where a center is trusted, recorded.

``desk.center_results`` decides on those that wait, ``imports.center_results`` reads a file of them.

Invariant: a center learns nothing about a person but what it says itself. So an unknown person and
another family name are refused in the same words, and what the records elsewhere say (an earlier
pass, a wait that is not over) is never told to the center: such a result waits for staff.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import ColumnElement, Executable, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from tracker.db import new_id
from tracker.domain.credentials import assessments as rules
from tracker.domain.credentials.assessments import AttemptToRecord
from tracker.domain.credentials.center_results import ResultState
from tracker.domain.credentials.funding import FundingSource
from tracker.domain.errors import AlreadyRecorded, Invalid, NotAllowed, NotFound, Refusal
from tracker.domain.permissions import Actor, check_own_organization, own_records
from tracker.domain.values import folded
from tracker.models import Assessment, Center, CenterResult, FormerName, Holder
from tracker.services.core import bulk, history, locks
from tracker.services.core.context import ReadContext, UnitOfWork, columns_of, sees_everything
from tracker.services.core.row_scope import scope
from tracker.services.credentials import assessments, centers
from tracker.services.credentials.centers import KnownCenters

UNKNOWN = (
    "is nobody on record with this family name; check both, or ask the issuer to record the person"
)
_SAID = (
    "scheme",
    "module",
    "taken_on",
    "passed",
    "score",
    "delivery",
    "edition",
    "proctor",
    "instructor",
    "funding",
    "amount",
    "funding_reference",
    "more_funding",
    "override_reason",
)
"""What a result says, by the names of the columns, of an attempt's fields and of the file."""


@dataclass(frozen=True, slots=True)
class SentResult:
    """One result as a center sends it; ``ref`` is the center's own number of the attempt."""

    ref: str
    holder_ref: str
    family_name: str
    attempt: AttemptToRecord


class CheckedResult(NamedTuple):
    """A result that was checked: the rules it breaks by field, and whether it is on record."""

    sent: SentResult
    holder_id: str | None
    faults: Mapping[str, str]
    is_on_record: bool


class CenterResultRow(NamedTuple):
    """A result of a center, as it was sent, and what became of it."""

    id: str
    center_id: str
    holder_id: str
    upload_id: str | None
    ref: str
    scheme: str
    module: str
    taken_on: date
    passed: bool
    score: Decimal | None
    delivery: str | None
    edition: str | None
    proctor: str | None
    instructor: str | None
    funding: str | None
    amount: Decimal | None
    funding_reference: str | None
    more_funding: list[FundingSource]
    override_reason: str | None
    state: str
    sent_at: datetime
    sent_by: str
    decided_at: datetime | None
    decided_by: str | None
    reason: str | None
    assessment_id: str | None

    def attempt(self, *, override_reason: str | None = None) -> AttemptToRecord:
        """The attempt to record; another reason to override rules, where the center gave none."""
        said = {name: getattr(self, name) for name in _SAID}
        said["override_reason"] = self.override_reason or override_reason
        return AttemptToRecord(center_id=self.center_id, **said)


class SittingRow(NamedTuple):
    """An attempt at a center, as the center may see it; ``attempt_ref`` if it sent the result."""

    id: str
    attempt_ref: str | None
    scheme: str
    module: str
    taken_on: date
    passed: bool
    score: Decimal | None
    delivery: str | None
    edition: str | None
    proctor: str | None
    instructor: str | None
    funding: str | None
    amount: Decimal | None
    funding_reference: str | None
    more_funding: list[FundingSource]
    voided_at: datetime | None


class _CandidateOnRecord(NamedTuple):
    id: str
    time_zone: str
    family_names: frozenset[str]


RESULTS = select(*columns_of(CenterResultRow, CenterResult))
_LIVE = CenterResult.state != ResultState.SENT_BACK


def center_of(actor: Actor) -> str:
    """The center for which the actor acts. Raises NotAllowed for anybody else."""
    if actor.role != "center" or actor.organization_id is None:
        raise NotAllowed(
            "Only an assessment center sends results; staff record assessments.", role=actor.role
        )
    return actor.organization_id


def send(work: UnitOfWork, sent: SentResult) -> tuple[CenterResultRow, list[str]]:
    """Store one result of the actor's center, and record it where the center is trusted.

    Returns it with its warnings.
    Raises Invalid, which names each field; AlreadyRecorded; NotAllowed.
    """
    [checked] = check(work, [sent])
    if checked.faults:
        raise Invalid("The result cannot be taken.", fields=dict(checked.faults))
    if checked.is_on_record:
        raise _twice()
    try:
        [result_id] = store(work, [checked])
    except IntegrityError as error:
        raise _twice() from error
    detail = {"module": sent.attempt.module, "taken_on": sent.attempt.taken_on}
    history.record(work, "send", "center_result", result_id, ref=sent.ref, **detail)
    enter(work, CenterResult.id == result_id)
    [found] = _with_warnings(work, RESULTS.where(CenterResult.id == result_id))
    return found


def _twice() -> AlreadyRecorded:
    return AlreadyRecorded("A result with this attempt_ref is on record.")


def check(work: UnitOfWork, sent: Sequence[SentResult]) -> list[CheckedResult]:
    """Check results of the actor's center by what they say and by what the center sent before.

    The number of statements does not grow with that of the results. Raises NotAllowed.
    """
    center_id = center_of(work.actor)
    candidates = _candidates(work, {one.holder_ref for one in sent})
    known = centers.known(work, ids={center_id})
    before = _before(work, center_id, sent, {one.id for one in candidates.values()})
    checked: list[CheckedResult] = []
    for one in sent:
        found = candidates.get(one.holder_ref)
        if found is not None and folded(one.family_name) not in found.family_names:
            found = None
        faults = {} if found else {"holder_ref": UNKNOWN}
        faults |= _faults(work, one.attempt, known, center_id, found)
        holder_id = found and found.id
        old = before.of_ref.get(one.ref)
        same = old is not None and _is_same(old, one, holder_id)
        if not same:
            faults |= before.faults(one, holder_id)
        checked.append(CheckedResult(one, holder_id, faults, same))
        before.add(one, holder_id)
    return checked


def _faults(
    work: UnitOfWork,
    attempt: AttemptToRecord,
    known: KnownCenters,
    center_id: str,
    found: _CandidateOnRecord | None,
) -> dict[str, str]:
    scheme = work.schemes[attempt.scheme]
    today = work.today(scheme)
    if found is not None:
        today = max(today, work.day_of(scheme, found.time_zone))
    try:
        faults = rules.faults(scheme, attempt, today=today)
    except Invalid as refusal:  # an unknown module
        return refusal.fields
    unapproved = rules.unapproved_rule(
        known.approvals[center_id], on=attempt.taken_on, override_reason=attempt.override_reason
    )
    if unapproved is not None:
        faults.setdefault("taken_on", f"is a day on which the center {unapproved}")
    return faults


@sees_everything
def _candidates(work: UnitOfWork, refs: Collection[str]) -> dict[str, _CandidateOnRecord]:
    """The people with these refs, with the family names that they have and had, folded.

    The ref of a record that was merged into another one names that one.
    """
    named = aliased(Holder)
    statement = (
        select(named.ref, Holder.id, Holder.time_zone, Holder.family_name)
        .join(Holder, Holder.id == func.coalesce(named.merged_into_id, named.id))
        .where(bulk.among(work, named.ref, refs), Holder.erased_at.is_(None))
    )
    rows = work.rows(statement)
    ids = {row.id for row in rows}
    former: dict[str, set[str]] = {id_: set() for id_ in ids}
    names = select(FormerName.holder_id, FormerName.family_name)
    for row in work.rows(names.where(bulk.among(work, FormerName.holder_id, ids))):
        former[row.holder_id].add(folded(row.family_name))
    return {
        row.ref: _CandidateOnRecord(
            row.id, row.time_zone, frozenset({folded(row.family_name), *former[row.id]})
        )
        for row in rows
    }


@dataclass(slots=True)
class _SentBefore:
    """What the center sent before, and has sent earlier in the same file."""

    of_ref: dict[str, CenterResultRow]
    of_attempt: dict[tuple[str | None, str, str, date], str]

    def faults(self, one: SentResult, holder_id: str | None) -> dict[str, str]:
        """Why a result that is not on record as it is cannot be taken."""
        if (old := self.of_ref.get(one.ref)) is not None:
            return {
                "attempt_ref": f"is on record with other values and is {old.state}; staff can send "
                "it back or correct it"
            }
        other = self.of_attempt.get(_key(one, holder_id))
        if holder_id is not None and other is not None:
            return {"attempt_ref": f"is the same attempt as {other}"}
        return {}

    def add(self, one: SentResult, holder_id: str | None) -> None:
        """Remember a result for those that follow."""
        self.of_attempt.setdefault(_key(one, holder_id), one.ref)


def _key(one: SentResult, holder_id: str | None) -> tuple[str | None, str, str, date]:
    return holder_id, one.attempt.scheme, one.attempt.module, one.attempt.taken_on


def _before(
    work: UnitOfWork, center_id: str, sent: Sequence[SentResult], holder_ids: Collection[str]
) -> _SentBefore:
    refs = {one.ref for one in sent}
    statement = RESULTS.where(
        CenterResult.center_id == center_id,
        _LIVE,
        or_(
            bulk.among(work, CenterResult.ref, refs),
            bulk.among(work, CenterResult.holder_id, holder_ids),
        ),
    )
    rows = work.rows_as(CenterResultRow, statement)
    return _SentBefore(
        {row.ref: row for row in rows if row.ref in refs},
        {(row.holder_id, row.scheme, row.module, row.taken_on): row.ref for row in rows},
    )


def _is_same(old: CenterResultRow, one: SentResult, holder_id: str | None) -> bool:
    said = [(getattr(old, name), getattr(one.attempt, name)) for name in _SAID]
    return old.holder_id == holder_id and all(before == now for before, now in said)


def store(
    work: UnitOfWork, checked: Sequence[CheckedResult], *, upload_id: str | None = None
) -> list[str]:
    """Store results without faults that are not on record; returns their ids."""
    center_id = center_of(work.actor)
    rows = [
        {
            "id": new_id(),
            "center_id": center_id,
            "holder_id": one.holder_id,
            "upload_id": upload_id,
            "ref": one.sent.ref,
            "state": ResultState.WAITING,
            "sent_at": work.now,
            "sent_by": work.actor.name,
            **{name: getattr(one.sent.attempt, name) for name in _SAID},
        }
        for one in checked
        if not one.is_on_record
    ]
    bulk.insert(work, CenterResult, rows)
    return [str(row["id"]) for row in rows]


@sees_everything
def enter(work: UnitOfWork, which: ColumnElement[bool]) -> None:
    """Record the waiting results of a center that enters directly.

    A result that the records elsewhere rule out goes on waiting, for staff to look at; so does one
    with a reason to override a rule, and one of whoever sends it.
    """
    center_id = center_of(work.actor)
    trusted = select(Center.id).where(Center.id == center_id, Center.enters_directly)
    if work.row(trusted) is None:
        return
    plain = CenterResult.override_reason.is_(None)
    found = waiting(work, which, plain, CenterResult.center_id == center_id)
    own = own_records(work.actor, {row.holder_id for row in found})
    rows = [row for row in found if row.holder_id not in own]
    judged = assessments.judge(work, [(row.holder_id, row.attempt()) for row in rows])
    pairs = [(row, one) for row, one in zip(rows, judged, strict=True) if not _is_refused(one)]
    if not pairs:
        return
    nested = bulk.savepoint(work)
    try:
        accept(work, pairs, reason=None)
        nested.commit()
    except Refusal:  # an award on record that the passes contradict
        nested.rollback()


def _is_refused(judged: Assessment | Refusal) -> bool:
    return isinstance(judged, Refusal)


def waiting(work: UnitOfWork, *which: ColumnElement[bool]) -> list[CenterResultRow]:
    """The results that wait, read again after their holders were locked."""
    statement = RESULTS.where(*which, CenterResult.state == ResultState.WAITING)
    locks.lock(work, {row.holder_id for row in work.rows_as(CenterResultRow, statement)})
    return work.rows_as(CenterResultRow, statement.order_by(CenterResult.id))


def accept(
    work: UnitOfWork,
    pairs: Sequence[tuple[CenterResultRow, Assessment | Refusal]],
    *,
    reason: str | None,
) -> None:
    """Record the assessments of results. Raises what ``assessments.write`` raises."""
    written = [one for _, one in pairs if isinstance(one, Assessment)]
    assessments.write(work, written)
    changes = [
        {"_id": row.id, **decision(work, ResultState.ACCEPTED), "assessment_id": one.id}
        for (row, _), one in zip(pairs, written, strict=True)
    ]
    bulk.update(work, CenterResult, changes)
    details = [
        (str(change["_id"]), {"assessment_id": change["assessment_id"], "reason": reason})
        for change in changes
    ]
    history.record_many(work, "accept", "center_result", details)


def decision(work: UnitOfWork, state: ResultState) -> dict[str, object]:
    """The columns that say who decided, when, and what."""
    return {"state": state, "decided_at": work.now, "decided_by": work.actor.name}


def page(
    reading: ReadContext,
    *,
    after: str | None,
    limit: int,
    state: str | None = None,
    center_id: str | None = None,
    upload_id: str | None = None,
) -> list[tuple[CenterResultRow, list[str]]]:
    """A page of results in the order of their ids, with their warnings; a center sees its own."""
    statement = RESULTS.where(scope(reading.actor, CenterResult))
    wanted = {"state": state, "center_id": center_id, "upload_id": upload_id}
    for name, value in wanted.items():
        if value is not None:
            statement = statement.where(getattr(CenterResult, name) == value)
    if after:
        statement = statement.where(CenterResult.id > after)
    return _with_warnings(reading, statement.order_by(CenterResult.id).limit(limit))


def _with_warnings(
    reading: ReadContext, statement: Executable
) -> list[tuple[CenterResultRow, list[str]]]:
    rows = reading.rows_as(CenterResultRow, statement)
    known = centers.known(reading, ids={row.center_id for row in rows})
    return [(row, known.warnings(row.attempt())) for row in rows]


def sittings(
    reading: ReadContext, center_id: str, *, after: str | None, limit: int
) -> list[SittingRow]:
    """A page of the attempts on record at a center, in the order of their ids.

    Raises NotFound, also for a center that is not the actor's own.
    """
    check_own_organization(reading.actor, "center", center_id)
    if reading.row(select(Center.id).where(Center.id == center_id)) is None:
        raise NotFound
    sent = CenterResult.ref.label("attempt_ref")
    columns = [getattr(Assessment, name) for name in SittingRow._fields if name != "attempt_ref"]
    statement = (
        select(sent, *columns)
        .join(CenterResult, CenterResult.assessment_id == Assessment.id, isouter=True)
        .where(Assessment.center_id == center_id, scope(reading.actor, Assessment))
        .order_by(Assessment.id)
        .limit(limit)
    )
    if after:
        statement = statement.where(Assessment.id > after)
    return reading.rows_as(SittingRow, statement)
