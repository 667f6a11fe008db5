"""From rows to the values that rules take: attempts, cycles, applications, changes, claims.

Everything is read for many holders at once with one statement a kind of fact, so that a page
of fifty costs as many statements as one record. ``known_at`` leaves out what was recorded
later, which reproduces yesterday's report.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, and_, or_, select

from tracker.domain import certifications as rules
from tracker.domain.assessments import Attempt
from tracker.domain.errors import NotFound
from tracker.domain.permissions import check_own_holder
from tracker.domain.points import Claim
from tracker.models import (
    Activity,
    Assessment,
    Certification,
    Cycle,
    Decision,
    Renewal,
    StandingChange,
)
from tracker.services.work import Reading

CHUNK = 500  # how many ids go into one IN list
HolderScheme = tuple[str, str]


@dataclass(frozen=True, slots=True)
class DecisionFacts:
    """One decision; ``this_round`` is false for those made before the latest submission."""

    decided_on: date
    verdict: str
    points_limit: Decimal | None
    this_round: bool


@dataclass(frozen=True, slots=True)
class ActivityFacts:
    """An activity as a claim, with the dates that decide whether it counts on a day."""

    claim: Claim
    submitted_on: date | None
    withdrawn_on: date | None
    decisions: tuple[DecisionFacts, ...]

    def verdict_on(self, day: date) -> DecisionFacts | None:
        """The last decision on or before a day; None if it waited for one.

        A new submission opens a new round: what was decided before it no longer counts.
        """
        known = [d for d in self.decisions if d.decided_on <= day]
        if self.submitted_on is not None and self.submitted_on <= day:
            known = [d for d in known if d.this_round]
        return known[-1] if known else None

    def approved_on(self, day: date) -> bool:
        """Whether it was approved by that day."""
        verdict = self.verdict_on(day)
        return verdict is not None and verdict.verdict == "approved"

    def pending_on(self, day: date) -> bool:
        """Whether on that day it was handed in and waited for a decision."""
        submitted = self.submitted_on is not None and self.submitted_on <= day
        withdrawn = self.withdrawn_on is not None and self.withdrawn_on <= day
        return submitted and not withdrawn and self.verdict_on(day) is None

    def claim_on(self, day: date) -> Claim:
        """The claim with the reviewer's limit as of that day."""
        verdict = self.verdict_on(day)
        limit = verdict.points_limit if verdict else None
        return self.claim if limit is None else replace(self.claim, limit=limit)


@dataclass(frozen=True, slots=True)
class Record:
    """The dated facts of one certification."""

    certification_id: str
    cycles: tuple[rules.Cycle, ...]
    applications: tuple[rules.Application, ...]
    changes: tuple[rules.Change, ...]


def chunks(ids: Collection[str]) -> list[list[str]]:
    """Ids in lists short enough for one statement."""
    listed = list(ids)
    return [listed[i : i + CHUNK] for i in range(0, len(listed), CHUNK)]


def attempts(
    reading: Reading, holder_ids: Collection[str], *, known_at: datetime | None = None
) -> dict[HolderScheme, list[Attempt]]:
    """Attempts by holder and scheme, oldest first; voided ones are left out."""
    found: dict[HolderScheme, list[Attempt]] = defaultdict(list)
    for ids in chunks(holder_ids):
        statement = (
            select(
                Assessment.holder_id, Assessment.scheme, Assessment.module, Assessment.taken_on,
                Assessment.passed,
            )
            .where(Assessment.holder_id.in_(ids), _standing_then(Assessment, known_at))
            .order_by(Assessment.taken_on, Assessment.id)
        )  # fmt: skip
        for holder_id, scheme, module, taken_on, passed in reading.rows(statement):
            found[holder_id, scheme].append(Attempt(module, taken_on, passed))
    return found


def _standing_then(table: Any, known_at: datetime | None) -> Any:
    """Not voided: now, or at the instant asked about."""
    if known_at is None:
        return table.voided_at.is_(None)
    return and_(
        table.recorded_at <= known_at, or_(table.voided_at.is_(None), table.voided_at > known_at)
    )


def records(
    reading: Reading, certification_ids: Collection[str], *, known_at: datetime | None = None
) -> dict[str, Record]:
    """The cycles, applications and changes of each certification."""
    cycles = _by_certification(reading, certification_ids, _CYCLES, Cycle, known_at)
    renewals = _by_certification(reading, certification_ids, _RENEWALS, Renewal, known_at)
    changes = _by_certification(reading, certification_ids, _CHANGES, StandingChange, known_at)
    return {
        id_: Record(
            certification_id=id_,
            cycles=tuple(rules.Cycle(*row[1:]) for row in cycles[id_]),
            applications=tuple(_application(row, known_at) for row in renewals[id_]),
            changes=tuple(rules.Change(row.kind, row.effective_on) for row in changes[id_]),
        )
        for id_ in certification_ids
        if cycles[id_]
    }


_CYCLES = select(
    Cycle.certification_id, Cycle.ordinal, Cycle.anchor_on, Cycle.nth, Cycle.starts_on,
    Cycle.expires_on, Cycle.opened_on, Cycle.policy,
).order_by(Cycle.certification_id, Cycle.ordinal)  # fmt: skip
_RENEWALS = select(
    Renewal.certification_id, Renewal.submitted_on, Renewal.decided_on, Renewal.withdrawn_on,
    Renewal.closed_at,
).order_by(Renewal.submitted_on, Renewal.id)  # fmt: skip
_CHANGES = select(
    StandingChange.certification_id, StandingChange.kind, StandingChange.effective_on
).order_by(StandingChange.effective_on, StandingChange.id)


def _application(row: Any, known_at: datetime | None) -> rules.Application:
    closed_on = row.decided_on or row.withdrawn_on
    if known_at is not None and row.closed_at is not None and row.closed_at > known_at:
        closed_on = None
    return rules.Application(row.submitted_on, closed_on)


def _by_certification(
    reading: Reading,
    ids: Collection[str],
    statement: Select[*tuple[Any, ...]],
    table: Any,
    known_at: datetime | None,
) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    if known_at is not None:
        statement = statement.where(table.recorded_at <= known_at)
    for some in chunks(ids):
        for row in reading.rows(statement.where(table.certification_id.in_(some))):
            found[row[0]].append(row)
    return found


_ACTIVITIES = (
    select(
        Activity.holder_id, Activity.scheme, Activity.id, Activity.category, Activity.type,
        Activity.title, Activity.provider, Activity.quantity, Activity.starts_on,
        Activity.completed_on, Activity.submitted_on, Activity.submitted_at,
        Activity.withdrawn_on, Decision.decided_on, Decision.verdict, Decision.points_limit, Decision.recorded_at,
    )
    .join(Decision, Decision.activity_id == Activity.id, isouter=True)
    .where(Activity.state != "draft")
    .order_by(Activity.holder_id, Activity.id, Decision.decided_on, Decision.id)
)  # fmt: skip


def activities(
    reading: Reading, holder_ids: Collection[str], *, known_at: datetime | None = None
) -> dict[HolderScheme, list[ActivityFacts]]:
    """Activities by holder and scheme with every decision on them, drafts left out."""
    found: dict[HolderScheme, list[ActivityFacts]] = defaultdict(list)
    for ids in chunks(holder_ids):
        statement = _ACTIVITIES.where(Activity.holder_id.in_(ids))
        if known_at is not None:
            statement = statement.where(Activity.submitted_at <= known_at)
        group: list[Any] = []
        for row in [*reading.rows(statement), None]:
            if group and (row is None or row.id != group[0].id):
                first = group[0]
                found[first.holder_id, first.scheme].append(_activity(group, known_at))
                group = []
            if row is not None:
                group.append(row)
    return found


def _activity(rows: Sequence[Any], known_at: datetime | None) -> ActivityFacts:
    first = rows[0]
    return ActivityFacts(
        claim=Claim(
            first.id, first.category, first.type, first.title, first.provider, first.quantity,
            first.starts_on, first.completed_on,
        ),
        submitted_on=first.submitted_on,
        withdrawn_on=first.withdrawn_on,
        decisions=tuple(
            DecisionFacts(
                row.decided_on, row.verdict, row.points_limit,
                this_round=row.submitted_at is None or row.recorded_at >= row.submitted_at,
            )
            for row in rows
            if row.decided_on is not None and (known_at is None or row.recorded_at <= known_at)
        ),
    )  # fmt: skip


def certification(reading: Reading, certification_id: str) -> Any:
    """The certification's row; NotFound if there is none, it was voided, or is not the actor's."""
    table = Certification
    row = reading.row(
        select(
            table.id, table.number, table.public_id, table.holder_id, table.scheme,
            table.awarded_on, table.recorded_at,
        ).where(table.id == certification_id, table.voided_at.is_(None))
    )  # fmt: skip
    if row is None:
        raise NotFound
    check_own_holder(reading.actor, row.holder_id)
    return row
