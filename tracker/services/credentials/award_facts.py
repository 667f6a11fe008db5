"""The facts read to settle the awards of many holders: passes, rows, renewals and changes.

They are read with a constant number of statements. ``award_plans`` draws the conclusions.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import bindparam, func, select

from tracker.domain.credentials.assessments import Attempt
from tracker.domain.credentials.awards import AwardOnRecord, Filing
from tracker.domain.credentials.certifications import ChangeKind
from tracker.domain.credentials.renewals import RenewalVerdict
from tracker.domain.schemes.schemes import Scheme
from tracker.models import Assessment, Certification, Renewal, StandingChange
from tracker.services.core import bulk
from tracker.services.core.combined import Together
from tracker.services.core.context import UnitOfWork, columns_of
from tracker.services.standings import snapshots


@dataclass(frozen=True, slots=True)
class AwardRow:
    """An award's row."""

    holder_id: str
    id: str
    number: str
    sequence: int
    awarded_on: date
    withdrawn_at: datetime | None
    replaced_on: date | None
    kept_reason: str | None
    number_key: str
    former_key: str | None
    edition: str | None
    source: str | None
    imported_at: datetime | None
    voided_at: datetime | None
    void_reason: str | None

    @property
    def imported(self) -> bool:
        """Whether it was imported from a file, and is not void."""
        return self.imported_at is not None and self.voided_at is None


@dataclass(frozen=True, slots=True)
class FilingRow:
    """What is on record of a renewal that decides its cycle."""

    id: str
    ref: str | None
    certification_id: str
    cycle: int
    submitted_on: date
    decision: RenewalVerdict | None
    decided_on: date | None
    withdrawn_on: date | None


@dataclass(frozen=True, slots=True)
class RenewalOnRecord(FilingRow):
    """The same with the holder, and with how it was decided."""

    holder_id: str
    decided_by: str | None
    decided_by_id: str | None
    reason: str | None
    closed_at: datetime | None


class ChangeOnRecord(NamedTuple):
    """A change of a certification's standing; ``ref`` is empty unless it came from a file."""

    holder_id: str
    id: str
    certification_id: str
    kind: ChangeKind
    effective_on: date
    barred_until: date | None
    recorded_at: datetime
    ref: str


@dataclass(slots=True)
class AwardFacts:
    """Everything that decides a holder's awards, and the awards on record by sequence."""

    holder_id: str
    rows: dict[int, AwardRow] = field(default_factory=dict)
    passes: list[Attempt] = field(default_factory=list)
    prerequisites: dict[str, date] = field(default_factory=dict)
    records: Mapping[str, snapshots.CertificationRecord] = field(default_factory=dict)
    renewals: list[RenewalOnRecord] = field(default_factory=list)
    changes: list[ChangeOnRecord] = field(default_factory=list)

    def filings(self, certification_id: str | None = None) -> list[Filing]:
        """The renewals as values for the rule: all of them, or those of one certification."""
        return [
            filing_of(row, self.records.get(row.certification_id))
            for row in self.renewals
            if certification_id is None or row.certification_id == certification_id
        ]

    def on_record(self, *, kept: bool = True) -> list[AwardOnRecord]:
        """The awards on record as values for the rule."""
        return [
            AwardOnRecord(
                row.sequence,
                row.awarded_on,
                cycles=record.cycles if record else (),
                adjustments=record.adjustments if record else (),
                kept=kept and row.kept_reason is not None and row.withdrawn_at is None,
                imported=row.imported,
            )
            for row in self.rows.values()
            for record in [self.records.get(row.id)]
        ]


def filing_of(row: FilingRow, record: snapshots.CertificationRecord | None) -> Filing:
    """A renewal's row as a value for the rule, with the cycle on record that it opened."""
    cycles = record.cycles if record else ()
    opened = any((c.ordinal, c.opened_on) == (row.cycle + 1, row.decided_on) for c in cycles)
    return Filing(
        row.ref or row.id,
        row.submitted_on,
        row.decision,
        row.decided_on,
        row.withdrawn_on,
        from_file=row.ref is not None,
        opened=row.cycle if opened else None,
    )


def of_holders(work: UnitOfWork, scheme: Scheme, ids: list[str]) -> dict[str, AwardFacts]:
    """The passes, awards on record and prerequisites of holders, by holder."""
    by_holder = {id_: AwardFacts(id_) for id_ in ids}
    passes, rows = _statements(work.dialect).read(work, {"ids": ids, "scheme": scheme.code})
    for holder_id, module, taken_on in passes:
        by_holder[holder_id].passes.append(Attempt(module, taken_on, passed=True))
    for row in rows:
        by_holder[row.holder_id].rows[row.sequence] = AwardRow(*row)
    for code in scheme.award.prerequisites:
        _, earlier = _statements(work.dialect).read(work, {"ids": ids, "scheme": code})
        for row in earlier:
            if row.withdrawn_at is None:
                days = by_holder[row.holder_id].prerequisites
                days[code] = min(days.get(code, row.awarded_on), row.awarded_on)
    return by_holder


@functools.cache
def _statements(dialect: str) -> Together:
    """The passes and awards of many holders in a scheme."""
    passes = select(Assessment.holder_id, Assessment.module, Assessment.taken_on).where(
        bulk.among_given(dialect, Assessment.holder_id),
        Assessment.scheme == bindparam("scheme"),
        Assessment.passed,
        Assessment.voided_at.is_(None),
    )
    awards = select(*columns_of(AwardRow, Certification)).where(
        bulk.among_given(dialect, Certification.holder_id),
        Certification.scheme == bindparam("scheme"),
        Certification.merged_into_id.is_(None),
    )
    return Together(passes, awards)


@functools.cache
def _facts(dialect: str) -> Together:
    """The renewals and changes of many holders' certifications in a scheme."""
    mine = (
        bulk.among_given(dialect, Certification.holder_id),
        Certification.scheme == bindparam("scheme"),
        Certification.merged_into_id.is_(None),
    )
    renewals = (
        select(*columns_of(RenewalOnRecord, Renewal, Certification))
        .join(Renewal, Renewal.certification_id == Certification.id)
        .where(*mine)
    )
    changes = (
        select(
            Certification.holder_id,
            StandingChange.id,
            StandingChange.certification_id,
            StandingChange.kind,
            StandingChange.effective_on,
            StandingChange.barred_until,
            StandingChange.recorded_at,
            func.coalesce(StandingChange.ref, "").label("ref"),
        )
        .join(StandingChange, StandingChange.certification_id == Certification.id)
        .where(*mine)
    )
    return Together(renewals, changes)


def complete(work: UnitOfWork, scheme: Scheme, facts_of_holders: Sequence[AwardFacts]) -> None:
    """Add the renewals, changes and cycles of the awards on record to what ``of_holders`` read."""
    by_holder = {facts.holder_id: facts for facts in facts_of_holders if facts.rows}
    if not by_holder:
        return
    parameters = {"ids": list(by_holder), "scheme": scheme.code}
    renewals, changes = _facts(work.dialect).read(work, parameters)
    for row in renewals:
        by_holder[row.holder_id].renewals.append(RenewalOnRecord(*row))
    for row in sorted(changes, key=snapshots.IN_ORDER):
        by_holder[row.holder_id].changes.append(ChangeOnRecord(*row))
    records = snapshots.cycles(
        work, [r.id for facts in by_holder.values() for r in facts.rows.values()]
    )
    for facts in by_holder.values():
        facts.records = records
