"""From rows to the values that rules take: attempts, cycles, applications, changes, claims.

Everything is read for many holders at once with one statement a kind of fact, so that a page
of fifty costs as many statements as one record. ``known_at`` leaves out what was recorded
later, which reproduces yesterday's report.

Statements are made once, with parameters: to build one for each request, and to match it with
what was compiled, costs more than the database takes to answer it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any, Generic, TypeVar

from sqlalchemy import and_, bindparam, func, or_, select

from tracker.db import Id, Instant
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
from tracker.services.together import Together
from tracker.services.work import Reading

CHUNK = 500  # how many ids go into one IN list
HolderScheme = tuple[str, str]
Asked = TypeVar("Asked")


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


EVER = datetime.max.replace(tzinfo=UTC)
"""The instant at which everything is known."""
_ID = bindparam("id", type_=Id)
_IDS = bindparam("ids", type_=Id, expanding=True)
_KNOWN_AT = bindparam("known_at", type_=Instant)


def known(parameters: dict[str, Any], known_at: datetime | None = None) -> dict[str, Any]:
    """Parameters of a statement that leaves out what was recorded later; now: nothing is."""
    return {**parameters, "known_at": known_at or EVER}


@dataclass(frozen=True, slots=True)
class _About(Generic[Asked]):
    """What is asked about one id, and the same about a list of them."""

    one: Asked
    many: Asked

    def each(
        self, ids: Collection[str], known_at: datetime | None
    ) -> Iterator[tuple[Asked, dict[str, Any]]]:
        """What to ask about these ids, with its parameters; once, unless they are very many."""
        for some in chunks(ids):
            if len(some) == 1:
                yield self.one, known({"id": some[0]}, known_at)
            else:
                yield self.many, known({"ids": some}, known_at)


def _about(make: Callable[[Callable[[Any], Any]], Asked]) -> _About[Asked]:
    """Make it for one and for many; ``make`` is given the condition on a column."""
    return _About(make(lambda column: column == _ID), make(lambda column: column.in_(_IDS)))


_ATTEMPTS = _about(
    lambda about: select(
        Assessment.holder_id, Assessment.scheme, Assessment.module, Assessment.taken_on,
        Assessment.passed,
    ).where(
        about(Assessment.holder_id), Assessment.recorded_at <= _KNOWN_AT,
        or_(Assessment.voided_at.is_(None), Assessment.voided_at > _KNOWN_AT),
    ).order_by(Assessment.taken_on, Assessment.id)
)  # fmt: skip


def attempts(
    reading: Reading, holder_ids: Collection[str], *, known_at: datetime | None = None
) -> dict[HolderScheme, list[Attempt]]:
    """Attempts by holder and scheme, oldest first; voided ones are left out."""
    found: dict[HolderScheme, list[Attempt]] = defaultdict(list)
    for statement, parameters in _ATTEMPTS.each(holder_ids, known_at):
        for row in reading.rows(statement, parameters):
            found[row[0], row[1]].append(Attempt(*row[2:]))
    return found


CYCLE = (
    Cycle.ordinal, Cycle.anchor_on, Cycle.nth, Cycle.starts_on, Cycle.expires_on,
    Cycle.opened_on, Cycle.policy,
)  # fmt: skip
"""The columns of a ``domain.certifications.Cycle``, in its order."""


def _cycles(about: Callable[[Any], Any]) -> Any:
    return select(Cycle.certification_id, *CYCLE).where(
        about(Cycle.certification_id), Cycle.recorded_at <= _KNOWN_AT
    )


def _renewals(about: Callable[[Any], Any]) -> Any:
    return select(
        Renewal.certification_id, Renewal.submitted_on, Renewal.decided_on, Renewal.withdrawn_on,
        Renewal.closed_at,
    ).where(about(Renewal.certification_id), Renewal.recorded_at <= _KNOWN_AT)  # fmt: skip


def _changes(about: Callable[[Any], Any]) -> Any:
    return select(
        StandingChange.certification_id, StandingChange.kind, StandingChange.effective_on,
        StandingChange.recorded_at, func.coalesce(StandingChange.ref, "").label("ref"),
        StandingChange.id,
    ).where(
        about(StandingChange.certification_id), StandingChange.recorded_at <= _KNOWN_AT
    )  # fmt: skip


_CYCLES = _about(_cycles)
_RECORDS = _about(lambda about: Together(_cycles(about), _renewals(about), _changes(about)))
# Of one day: as they were recorded; one file's changes by their refs, in whatever order.
_IN_ORDER = attrgetter("effective_on", "recorded_at", "ref", "id")


def records(
    reading: Reading, certification_ids: Collection[str], *, known_at: datetime | None = None
) -> dict[str, Record]:
    """The cycles, applications and changes of each certification."""
    found: dict[str, Record] = {}
    for together, parameters in _RECORDS.each(certification_ids, known_at):
        cycle_rows, renewal_rows, change_rows = together.read(reading, parameters)
        applications: dict[str, list[rules.Application]] = defaultdict(list)
        for row in renewal_rows:
            applications[row[0]].append(_application(row, known_at or EVER))
        changes: dict[str, list[rules.Change]] = defaultdict(list)
        for row in sorted(change_rows, key=_IN_ORDER):
            changes[row[0]].append(rules.Change(row.kind, row.effective_on))
        for id_, cycles_of_one in _by_certification(cycle_rows).items():
            found[id_] = Record(id_, cycles_of_one, tuple(applications[id_]), tuple(changes[id_]))
    return {id_: found[id_] for id_ in certification_ids if id_ in found}


def cycles(
    reading: Reading, certification_ids: Collection[str], *, known_at: datetime | None = None
) -> dict[str, tuple[rules.Cycle, ...]]:
    """The cycles of each certification, for those who need no more of its record."""
    found: dict[str, tuple[rules.Cycle, ...]] = {}
    for statement, parameters in _CYCLES.each(certification_ids, known_at):
        found |= _by_certification(reading.rows(statement, parameters))
    return found


def _by_certification(rows: Iterable[Any]) -> dict[str, tuple[rules.Cycle, ...]]:
    found: dict[str, list[rules.Cycle]] = defaultdict(list)
    for row in sorted(rows, key=attrgetter("ordinal")):
        found[row[0]].append(rules.Cycle(*row[1:]))
    return {id_: tuple(of_one) for id_, of_one in found.items()}


def _application(row: Any, known_at: datetime) -> rules.Application:
    closed_on = row.decided_on or row.withdrawn_on
    if row.closed_at is not None and row.closed_at > known_at:
        closed_on = None
    return rules.Application(row.submitted_on, closed_on)


_CLAIM = (
    Activity.id, Activity.category, Activity.type, Activity.title, Activity.provider,
    Activity.quantity, Activity.starts_on, Activity.completed_on,
)  # fmt: skip
"""The columns of a ``domain.points.Claim``, in its order."""
_ACTIVITY = (
    select(
        *_CLAIM, Activity.holder_id, Activity.scheme, Activity.submitted_on,
        Activity.submitted_at, Activity.withdrawn_on, Decision.decided_on, Decision.verdict,
        Decision.points_limit, Decision.recorded_at, Decision.id.label("decision_id"),
    )
    .join(
        Decision,
        and_(Decision.activity_id == Activity.id, Decision.recorded_at <= _KNOWN_AT),
        isouter=True,
    )
    .where(
        Activity.state != "draft",
        func.coalesce(Activity.submitted_at, Activity.recorded_at) <= _KNOWN_AT,
    )
)  # fmt: skip
_ACTIVITIES = _about(lambda about: _ACTIVITY.where(about(Activity.holder_id)))
CLAIMED = _ACTIVITY.join(
    Certification,
    and_(
        Certification.holder_id == Activity.holder_id, Certification.scheme == Activity.scheme
    ),
).where(Certification.id == _ID)  # fmt: skip


def activities(
    reading: Reading, holder_ids: Collection[str], *, known_at: datetime | None = None
) -> dict[HolderScheme, list[ActivityFacts]]:
    """Activities by holder and scheme with every decision on them, drafts left out."""
    found: dict[HolderScheme, list[ActivityFacts]] = defaultdict(list)
    for statement, parameters in _ACTIVITIES.each(holder_ids, known_at):
        for first, facts in _by_activity(reading.rows(statement, parameters)):
            found[first.holder_id, first.scheme].append(facts)
    return found


def claimed(
    reading: Reading, certification_id: str, *, known_at: datetime | None = None
) -> list[ActivityFacts]:
    """The same of one certification: those of its holder under its scheme."""
    rows = reading.rows(CLAIMED, known({"id": certification_id}, known_at))
    return [facts for _, facts in _by_activity(rows)]


def _by_activity(rows: Iterable[Any]) -> Iterator[tuple[Any, ActivityFacts]]:
    """Each activity's first row and its facts, in the order of their ids."""
    found: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.id].append(row)
    for id_ in sorted(found):
        of_one = found[id_]
        if len(of_one) > 1:
            of_one.sort(key=attrgetter("decided_on", "decision_id"))
        yield of_one[0], _activity(of_one)


def _activity(rows: Sequence[Any]) -> ActivityFacts:
    first = rows[0]
    return ActivityFacts(
        claim=Claim(*first[: len(_CLAIM)]),
        submitted_on=first.submitted_on,
        withdrawn_on=first.withdrawn_on,
        decisions=tuple(
            DecisionFacts(
                row.decided_on, row.verdict, row.points_limit,
                this_round=row.submitted_at is None or row.recorded_at >= row.submitted_at,
            )
            for row in rows
            if row.decided_on is not None
        ),
    )  # fmt: skip


CERTIFICATION = (
    Certification.id, Certification.number, Certification.public_id, Certification.holder_id,
    Certification.scheme, Certification.awarded_on, Certification.recorded_at,
)  # fmt: skip
CERTIFICATION_BY_ID = select(*CERTIFICATION).where(
    Certification.id == _ID, Certification.voided_at.is_(None)
)
WITH_CYCLES = (
    select(*CERTIFICATION, *CYCLE)
    .join(
        Cycle,
        and_(Cycle.certification_id == Certification.id, Cycle.recorded_at <= _KNOWN_AT),
        isouter=True,
    )
    .where(Certification.id == _ID, Certification.voided_at.is_(None))
)


def certification(reading: Reading, certification_id: str) -> Any:
    """The certification's row; NotFound if there is none, it was voided, or is not the actor's."""
    row = reading.row(CERTIFICATION_BY_ID, {"id": certification_id})
    if row is None:
        raise NotFound
    check_own_holder(reading.actor, row.holder_id)
    return row


def with_cycles(
    reading: Reading, certification_id: str, *, known_at: datetime | None = None
) -> tuple[Any, tuple[rules.Cycle, ...]]:
    """The certification's row and its cycles, with one statement. Raises NotFound as above."""
    rows = reading.rows(WITH_CYCLES, known({"id": certification_id}, known_at))
    if not rows:
        raise NotFound
    check_own_holder(reading.actor, rows[0].holder_id)
    first = len(CERTIFICATION)
    cycles = (rules.Cycle(*row[first:]) for row in rows if row.ordinal is not None)
    return rows[0], tuple(sorted(cycles, key=attrgetter("ordinal")))
