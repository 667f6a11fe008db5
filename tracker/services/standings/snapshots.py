"""Rows turned into the values that rules take: attempts, cycles, applications, changes, claims.

Everything is read for many holders at once with one statement for each kind of fact, so a page
costs as many statements as one record. ``known_at`` leaves out what was recorded later, which
reproduces an earlier report. The queries are built with ``batched``.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter
from typing import NamedTuple

from sqlalchemy import Text, and_, cast, func, or_, select

from tracker.domain.credentials import certifications as rules
from tracker.domain.credentials.assessments import Attempt
from tracker.domain.errors import NotFound
from tracker.domain.permissions import check_own_holder
from tracker.domain.points.activities import ActivityState, ActivityVerdict
from tracker.domain.points.claims import Claim
from tracker.domain.value_classes import value_class
from tracker.models import (
    Activity,
    Adjustment,
    Assessment,
    Certification,
    Cycle,
    Decision,
    Renewal,
    StandingChange,
)
from tracker.services.core import batched
from tracker.services.core.batched import ID, KNOWN_AT, IdCondition, about
from tracker.services.core.combined import Statement, Together
from tracker.services.core.context import AnyRow, ReadContext, columns_of

EVER, known = batched.EVER, batched.known
HolderScheme = tuple[str, str]
# Looked up once: they are compared with each decision of many people.
_APPROVED, _ASKED = ActivityVerdict.APPROVED, ActivityVerdict.MORE_INFORMATION
NOT_WITHDRAWN, CURRENT, COUNTING, SHOWN = (
    batched.NOT_WITHDRAWN,
    batched.CURRENT,
    batched.COUNTING,
    batched.SHOWN,
)


@value_class()
class DecisionFacts:
    """One decision; ``this_round`` is false if it was made before the latest submission."""

    decided_on: date
    verdict: str
    points_limit: Decimal | None
    this_round: bool
    provider_approved: bool = False


@value_class()
class ActivityFacts:
    """An activity as a claim, with the dates that decide whether it counts on a day."""

    claim: Claim
    submitted_on: date | None
    withdrawn_on: date | None
    decisions: tuple[DecisionFacts, ...]

    def decision_on(self, day: date) -> DecisionFacts | None:
        """The last decision on or before a day; None if there was none yet.

        A new submission opens a new round: earlier decisions no longer count.
        """
        in_round = self.submitted_on is not None and self.submitted_on <= day
        for decision in reversed(self.decisions):
            if decision.decided_on <= day and (decision.this_round or not in_round):
                return decision
        return None

    def approved_on(self, day: date) -> bool:
        """Whether it was approved by that day."""
        decision = self.decision_on(day)
        return decision is not None and decision.verdict == _APPROVED

    def pending_on(self, day: date) -> bool:
        """Whether it was submitted and undecided on that day; a question is not a decision."""
        submitted = self.submitted_on is not None and self.submitted_on <= day
        withdrawn = self.withdrawn_on is not None and self.withdrawn_on <= day
        decision = self.decision_on(day)
        undecided = decision is None or decision.verdict == _ASKED
        return submitted and not withdrawn and undecided

    def asked_on(self, day: date) -> bool:
        """Whether a reviewer's question about it was waiting for an answer on that day."""
        return self.pending_on(day) and self.decision_on(day) is not None

    def as_decided(self, day: date) -> ActivityFacts:
        """The activity with its current decision, as if that had been made on a day."""
        decision = self.decision_on(date.max)
        now = (replace(decision, decided_on=day, this_round=True),) if decision else ()
        return replace(self, decisions=now)

    def claim_on(self, day: date) -> Claim:
        """The claim with the limit and approval that the reviewer had given by that day."""
        decision = self.decision_on(day)
        if decision is None or (decision.points_limit is None and not decision.provider_approved):
            return self.claim
        return replace(self.claim, limit=decision.points_limit, approved=decision.provider_approved)


@value_class()
class CertificationRecord:
    """The dated facts of one certification."""

    certification_id: str
    cycles: tuple[rules.CycleTerm, ...]
    applications: tuple[rules.Application, ...] = ()
    changes: tuple[rules.ChangeOfStanding, ...] = ()
    adjustments: tuple[rules.CycleAdjustment, ...] = ()

    @property
    def expires_on(self) -> date | None:
        """The expiry in force: that of the last cycle opened, including extensions."""
        return rules.extended(self.cycles[-1], self.adjustments, date.max).expires_on

    def cycles_on(self, day: date) -> tuple[rules.CycleTerm, ...]:
        """The cycles with the expiries that result from extensions decided by that day."""
        return tuple(rules.extended(cycle, self.adjustments, day) for cycle in self.cycles)


def _attempts(of: IdCondition) -> Statement:
    return select(
        Assessment.holder_id,
        Assessment.scheme,
        Assessment.module,
        Assessment.taken_on,
        Assessment.passed,
        Assessment.id,
    ).where(
        of(Assessment.holder_id),
        Assessment.recorded_at <= KNOWN_AT,
        or_(Assessment.voided_at.is_(None), Assessment.voided_at > KNOWN_AT),
    )


_ATTEMPTS = about(lambda of: _attempts(of).order_by(Assessment.taken_on, Assessment.id))
ATTEMPTS_OF_HOLDER = _attempts(lambda column: column == ID)
"""The attempts of the holder ``id``, in no order; can be prefetched."""


def attempts(
    reading: ReadContext, holder_ids: Collection[str], *, known_at: datetime | None = None
) -> dict[HolderScheme, list[Attempt]]:
    """Attempts by holder and scheme, oldest first; voided ones are left out."""
    attempts: dict[HolderScheme, list[Attempt]] = defaultdict(list)
    for statement, parameters in _ATTEMPTS.each(reading, holder_ids, known_at):
        for row in reading.rows(statement, parameters):
            attempts[row[0], row[1]].append(Attempt(*row[2:-1]))
    return attempts


def attempts_of_holder(reading: ReadContext, holder_id: str) -> dict[str, list[Attempt]]:
    """The attempts of a holder by scheme, oldest first."""
    attempts: dict[str, list[Attempt]] = defaultdict(list)
    rows = reading.rows(ATTEMPTS_OF_HOLDER, known({"id": holder_id}))
    for row in sorted(rows, key=attrgetter("taken_on", "id")):
        attempts[row[1]].append(Attempt(*row[2:-1]))
    return attempts


CYCLE = columns_of(rules.CycleTerm, Cycle)
"""The columns of a ``CycleTerm``, in its order."""


def _cycles(of: IdCondition) -> Statement:
    return select(Cycle.certification_id, *CYCLE).where(
        of(Cycle.certification_id), Cycle.recorded_at <= KNOWN_AT
    )


def _renewals(of: IdCondition) -> Statement:
    return select(
        Renewal.certification_id,
        Renewal.submitted_on,
        Renewal.decided_on,
        Renewal.withdrawn_on,
        Renewal.closed_at,
    ).where(of(Renewal.certification_id), Renewal.recorded_at <= KNOWN_AT)


def _changes(of: IdCondition) -> Statement:
    return select(
        StandingChange.certification_id,
        StandingChange.kind,
        StandingChange.effective_on,
        StandingChange.barred_until,
        StandingChange.recorded_at,
        func.coalesce(StandingChange.ref, "").label("ref"),
        StandingChange.id,
    ).where(of(StandingChange.certification_id), StandingChange.recorded_at <= KNOWN_AT)


def _adjustments(of: IdCondition) -> Statement:
    return select(Adjustment.certification_id, Adjustment.number, *ADJUSTMENT).where(
        of(Adjustment.certification_id), Adjustment.recorded_at <= KNOWN_AT
    )


ADJUSTMENT = columns_of(rules.CycleAdjustment, Adjustment)
"""The columns of a ``CycleAdjustment``, in its order."""
ADJUSTMENTS = _adjustments(lambda column: column == ID)
"""The adjustments of the certification ``id``; can be prefetched."""
_CYCLES = about(lambda of: Together(_cycles(of), _adjustments(of)))
_RECORDS = about(lambda of: Together(_cycles(of), _adjustments(of), _renewals(of), _changes(of)))
_OF_HOLDER = select(Certification.id).where(Certification.holder_id == ID)
_FACTS = (_cycles, _adjustments, _renewals, _changes)
RECORD = tuple(make(lambda column: column == ID) for make in _FACTS)
"""What makes the record of the certification ``id``; can be prefetched."""
RECORDS_OF_HOLDER = tuple(make(lambda column: column.in_(_OF_HOLDER)) for make in _FACTS)
"""What makes the records of the holder ``id``; can be prefetched."""
# Changes of the same day in the order of recording; those of one file by their refs.
IN_ORDER = attrgetter("effective_on", "recorded_at", "ref", "id")


def records(
    reading: ReadContext, certification_ids: Collection[str], *, known_at: datetime | None = None
) -> dict[str, CertificationRecord]:
    """The cycles with their adjustments, applications and changes of each certification."""
    records: dict[str, CertificationRecord] = {}
    for together, parameters in _RECORDS.each(reading, certification_ids, known_at):
        records |= _records(*together.read(reading, parameters), known_at=known_at)
    return {id_: records[id_] for id_ in certification_ids if id_ in records}


def records_of_holder(reading: ReadContext, holder_id: str) -> dict[str, CertificationRecord]:
    """The same of all certifications of a holder."""
    return _records(*_rows_of(reading, RECORDS_OF_HOLDER, holder_id))


def record(reading: ReadContext, certification_id: str) -> CertificationRecord:
    """The same of one certification, from statements that can be prefetched."""
    return _records(*_rows_of(reading, RECORD, certification_id))[certification_id]


def _rows_of(
    reading: ReadContext, statements: Iterable[Statement], id_: str
) -> Iterator[Sequence[AnyRow]]:
    return (reading.rows(statement, known({"id": id_})) for statement in statements)


def _records(
    cycle_rows: Iterable[AnyRow],
    adjustment_rows: Iterable[AnyRow],
    renewal_rows: Iterable[AnyRow],
    change_rows: Iterable[AnyRow],
    *,
    known_at: datetime | None = None,
) -> dict[str, CertificationRecord]:
    applications: dict[str, list[rules.Application]] = defaultdict(list)
    for row in renewal_rows:
        applications[row[0]].append(_application(row, known_at or EVER))
    changes: dict[str, list[rules.ChangeOfStanding]] = defaultdict(list)
    for row in sorted(change_rows, key=IN_ORDER):
        changes[row[0]].append(rules.ChangeOfStanding(row.kind, row.effective_on, row.barred_until))
    return {
        id_: replace(record, applications=tuple(applications[id_]), changes=tuple(changes[id_]))
        for id_, record in _with_cycles(cycle_rows, adjustment_rows).items()
    }


def cycles(
    reading: ReadContext, certification_ids: Collection[str], *, known_at: datetime | None = None
) -> dict[str, CertificationRecord]:
    """Records with only the cycles and their adjustments, for callers that need no more."""
    records: dict[str, CertificationRecord] = {}
    for together, parameters in _CYCLES.each(reading, certification_ids, known_at):
        records |= _with_cycles(*together.read(reading, parameters))
    return records


def _with_cycles(
    cycle_rows: Iterable[AnyRow], adjustment_rows: Iterable[AnyRow]
) -> dict[str, CertificationRecord]:
    adjustments = adjustments_of(adjustment_rows)
    return {
        id_: CertificationRecord(id_, of_one, adjustments=adjustments.get(id_, ()))
        for id_, of_one in _by_certification(cycle_rows).items()
    }


def adjustments_of(rows: Iterable[AnyRow]) -> dict[str, tuple[rules.CycleAdjustment, ...]]:
    """The adjustments of each certification, in the order of recording."""
    adjustments: dict[str, list[rules.CycleAdjustment]] = defaultdict(list)
    for row in sorted(rows, key=attrgetter("ordinal", "number")):
        adjustments[row[0]].append(rules.CycleAdjustment(*row[2:]))
    return {id_: tuple(of_one) for id_, of_one in adjustments.items()}


def _by_certification(rows: Iterable[AnyRow]) -> dict[str, tuple[rules.CycleTerm, ...]]:
    cycles: dict[str, list[rules.CycleTerm]] = defaultdict(list)
    for row in sorted(rows, key=attrgetter("ordinal")):
        cycles[row[0]].append(rules.CycleTerm(*row[1:]))
    return {id_: tuple(of_one) for id_, of_one in cycles.items()}


def _application(row: AnyRow, known_at: datetime) -> rules.Application:
    closed_on = row.decided_on or row.withdrawn_on
    if row.closed_at is not None and row.closed_at > known_at:
        closed_on = None
    return rules.Application(row.submitted_on, closed_on)


class _ClaimRow(NamedTuple):
    """An activity with one of its decisions, or with none.

    Tags are text: a list in every row would keep the garbage collector busy.
    """

    id: str
    category: str
    type: str
    title: str
    provider: str
    quantity: Decimal | None
    starts_on: date | None
    completed_on: date | None
    unit: str
    role: str
    tags: str
    duty: bool
    holder_id: str
    scheme: str
    submitted_on: date | None
    submitted_at: datetime | None
    withdrawn_on: date | None
    decided_on: date | None
    verdict: ActivityVerdict
    points_limit: Decimal | None
    provider_approved: bool
    recorded_at: datetime
    decision_id: str


_ACTIVITY = (
    select(
        Activity.id,
        Activity.category,
        Activity.type,
        Activity.title,
        Activity.provider,
        Activity.quantity,
        Activity.starts_on,
        Activity.completed_on,
        Activity.unit,
        Activity.role,
        cast(Activity.tags, Text).label("tags"),
        Activity.duty,
        Activity.holder_id,
        Activity.scheme,
        Activity.submitted_on,
        Activity.submitted_at,
        Activity.withdrawn_on,
        Decision.decided_on,
        Decision.verdict,
        Decision.points_limit,
        Decision.provider_approved,
        Decision.recorded_at,
        cast(Decision.id, Text).label("decision_id"),  # only for sorting: text costs less
    )
    .join(
        Decision,
        and_(
            Decision.activity_id == Activity.id,
            Decision.recorded_at <= KNOWN_AT,
            or_(Decision.undone_at.is_(None), Decision.undone_at > KNOWN_AT),
        ),
        isouter=True,
    )
    .where(
        Activity.state != ActivityState.DRAFT,
        func.coalesce(Activity.submitted_at, Activity.recorded_at) <= KNOWN_AT,
    )
)
_ACTIVITIES = about(lambda of: _ACTIVITY.where(of(Activity.holder_id)))
ACTIVITIES_OF_HOLDER = _ACTIVITIES.one
"""The activities of the holder ``id``; can be prefetched."""
CLAIMED = _ACTIVITY.join(
    Certification,
    and_(Certification.holder_id == Activity.holder_id, Certification.scheme == Activity.scheme),
).where(Certification.id == ID)


def activities(
    reading: ReadContext, holder_ids: Collection[str], *, known_at: datetime | None = None
) -> dict[HolderScheme, list[ActivityFacts]]:
    """Activities by holder and scheme with all their decisions; drafts are left out."""
    activities: dict[HolderScheme, list[ActivityFacts]] = defaultdict(list)
    for statement, parameters in _ACTIVITIES.each(reading, holder_ids, known_at):
        for first, facts in _by_activity(reading.rows_as(_ClaimRow, statement, parameters)):
            activities[first.holder_id, first.scheme].append(facts)
    return activities


def claimed(
    reading: ReadContext, certification_id: str, *, known_at: datetime | None = None
) -> list[ActivityFacts]:
    """The same for one certification: the activities of its holder in its scheme."""
    rows = reading.rows_as(_ClaimRow, CLAIMED, known({"id": certification_id}, known_at))
    return [facts for _, facts in _by_activity(rows)]


def _by_activity(rows: Iterable[_ClaimRow]) -> Iterator[tuple[_ClaimRow, ActivityFacts]]:
    """Each activity's first row and its facts, in the order of the ids."""
    by_activity: dict[str, list[_ClaimRow]] = defaultdict(list)
    for row in rows:
        by_activity[row.id].append(row)
    for id_ in sorted(by_activity):
        of_one = by_activity[id_]
        if len(of_one) > 1:
            of_one.sort(key=attrgetter("decided_on", "decision_id"))
        yield of_one[0], _activity(of_one)


@lru_cache(maxsize=1024)
def _tags(text: str) -> frozenset[str]:
    return frozenset(json.loads(text))


def _activity(rows: Sequence[_ClaimRow]) -> ActivityFacts:
    first = rows[0]
    return ActivityFacts(
        claim=Claim(
            ref=first.id,
            category=first.category,
            type=first.type,
            title=first.title,
            provider=first.provider,
            quantity=first.quantity,
            starts_on=first.starts_on,
            completed_on=first.completed_on,
            unit=first.unit,
            role=first.role,
            tags=_tags(first.tags),
            duty=first.duty,
        ),
        submitted_on=first.submitted_on,
        withdrawn_on=first.withdrawn_on,
        decisions=tuple(
            DecisionFacts(
                row.decided_on,
                row.verdict,
                row.points_limit,
                this_round=row.submitted_at is None or row.recorded_at >= row.submitted_at,
                provider_approved=row.provider_approved,
            )
            for row in rows
            if row.decided_on is not None
        ),
    )


@dataclass(frozen=True, slots=True)
class CertificationRow:
    """A certification as it is on record."""

    id: str
    number: str
    public_id: str
    holder_id: str
    scheme: str
    awarded_on: date
    recorded_at: datetime
    sequence: int
    withdrawn_at: datetime | None
    replaced_on: date | None
    imported_at: datetime | None
    edition: str | None
    source: str | None
    voided_at: datetime | None
    void_reason: str | None


@dataclass(frozen=True, slots=True)
class ZonedCertification(CertificationRow):
    """The same with its holder's time zone."""

    time_zone: str


CERTIFICATION = columns_of(CertificationRow, Certification)
"""The columns of a ``CertificationRow``, in its order."""
CERTIFICATION_BY_ID = select(*CERTIFICATION).where(Certification.id == ID)
WITH_CYCLES = (
    select(*CERTIFICATION, *CYCLE)
    .join(
        Cycle,
        and_(Cycle.certification_id == Certification.id, Cycle.recorded_at <= KNOWN_AT),
        isouter=True,
    )
    .where(Certification.id == ID)
)


def certification(reading: ReadContext, certification_id: str) -> CertificationRow:
    """The certification's row. Raises NotFound if there is none, or it is not the actor's."""
    row = reading.row_as(CertificationRow, CERTIFICATION_BY_ID, {"id": certification_id})
    if row is None:
        raise NotFound
    check_own_holder(reading.actor, row.holder_id)
    return row


def with_cycles(
    reading: ReadContext, certification_id: str, *, known_at: datetime | None = None
) -> tuple[CertificationRow, CertificationRecord | None]:
    """The certification's row, and its cycles with their adjustments if any is known yet.

    Takes two statements, both of which can be prefetched. Raises NotFound as above.
    """
    parameters = known({"id": certification_id}, known_at)
    rows = reading.rows(WITH_CYCLES, parameters)
    if not rows:
        raise NotFound
    width = len(CERTIFICATION)
    certification = CertificationRow(*rows[0][:width])
    check_own_holder(reading.actor, certification.holder_id)
    cycles = [rules.CycleTerm(*row[width:]) for row in rows if row.ordinal is not None]
    if not cycles:
        return certification, None
    adjustments = adjustments_of(reading.rows(ADJUSTMENTS, parameters)).get(certification.id, ())
    cycles.sort(key=attrgetter("ordinal"))
    return certification, CertificationRecord(
        certification.id, tuple(cycles), adjustments=adjustments
    )
