"""The activity types by which many activities are judged, with at most one statement for all.

In a scheme with a single policy version, that one governs every cycle, and nothing is read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Protocol

from sqlalchemy import select

from tracker.domain.credentials.certifications import CycleTerm, cycle_on
from tracker.domain.points import cycle_rules
from tracker.domain.points.cycle_rules import Case
from tracker.domain.schemes.activity_types import ActivityType
from tracker.domain.schemes.policies import Policy
from tracker.domain.schemes.schemes import Scheme
from tracker.models import Certification
from tracker.models import Cycle as CycleTable
from tracker.services.core.batched import about
from tracker.services.core.context import ReadContext
from tracker.services.standings.snapshots import CURRENT, CYCLE, HolderScheme

_CYCLES = about(
    lambda of: (
        select(Certification.holder_id, Certification.scheme, *CYCLE)
        .join(CycleTable, CycleTable.certification_id == Certification.id)
        .where(of(Certification.holder_id), CURRENT)
        .order_by(CycleTable.ordinal)
    )
)


class ClaimedActivity(Protocol):
    """A row of an activity, with what decides its type."""

    @property
    def id(self) -> str:
        """The activity's id."""

    @property
    def holder_id(self) -> str:
        """The id of the holder who claims it."""

    @property
    def scheme(self) -> str:
        """The code of the scheme."""

    @property
    def type(self) -> str:
        """The code of the type."""

    @property
    def category(self) -> str:
        """The code of the category."""

    @property
    def completed_on(self) -> date | None:
        """The last day; None while it goes on."""


def of_rows(reading: ReadContext, rows: Iterable[ClaimedActivity]) -> dict[str, ActivityType]:
    """The type of each activity by its id; an activity whose type no version has is left out."""
    listed = list(rows)
    versioned = {row.holder_id for row in listed if len(reading.schemes[row.scheme].policies) > 1}
    cycles = _cycles(reading, versioned)
    schemes = {code: reading.schemes[code] for code in {row.scheme for row in listed}}
    days = {code: reading.today(scheme) for code, scheme in schemes.items()}
    kinds = {
        row.id: _type(
            schemes[row.scheme],
            cycles.get((row.holder_id, row.scheme), ()),
            row,
            on=days[row.scheme],
        )
        for row in listed
    }
    return {id_: kind for id_, kind in kinds.items() if kind is not None}


def _cycles(reading: ReadContext, holder_ids: set[str]) -> dict[HolderScheme, list[CycleTerm]]:
    cycles: dict[HolderScheme, list[CycleTerm]] = defaultdict(list)
    for statement, parameters in _CYCLES.each(reading, holder_ids, None):
        for row in reading.rows(statement, parameters):
            cycles[row[0], row[1]].append(CycleTerm(*row[2:]))
    return cycles


def _type(
    scheme: Scheme, cycles: Sequence[CycleTerm], row: ClaimedActivity, *, on: date
) -> ActivityType | None:
    """The type from the first version of the activity's cycle that has it, else from the last."""
    policies: tuple[Policy, ...] = scheme.policies[::-1]
    if cycles:
        cycle = cycle_on(cycles, min(row.completed_on or on, on))
        governing = cycle_rules.versions(Case(scheme, cycles), cycle, on) if cycle.policy else ()
        policies = (*governing, *policies)
    known = (policy.types.get(row.type) for policy in policies)
    return next((kind for kind in known if kind and kind.category == row.category), None)
