"""Under which activity type each of many activities is judged: at most one statement, for all.

Where a scheme has one version only, that one governs every cycle, and nothing is read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import select

from tracker.domain import terms
from tracker.domain.activity_types import ActivityType
from tracker.domain.certifications import Cycle, cycle_on
from tracker.domain.schemes import Scheme
from tracker.domain.terms import Case
from tracker.models import Certification
from tracker.models import Cycle as CycleTable
from tracker.services.asking import about
from tracker.services.facts import CURRENT, CYCLE, HolderScheme
from tracker.services.work import Reading

_CYCLES = about(
    lambda of: (
        select(Certification.holder_id, Certification.scheme, *CYCLE)
        .join(CycleTable, CycleTable.certification_id == Certification.id)
        .where(of(Certification.holder_id), CURRENT)
        .order_by(CycleTable.ordinal)
    )
)  # fmt: skip


def of_rows(reading: Reading, rows: Iterable[Any]) -> dict[str, ActivityType]:
    """The type of each activity's row by its id; none for a type that no version knows."""
    listed = list(rows)
    versioned = {row.holder_id for row in listed if len(reading.schemes[row.scheme].policies) > 1}
    cycles = _cycles(reading, versioned)
    found = {
        row.id: _type(
            reading.schemes[row.scheme], cycles.get((row.holder_id, row.scheme), ()), row,
            on=reading.today(reading.schemes[row.scheme]),
        )
        for row in listed
    }  # fmt: skip
    return {id_: kind for id_, kind in found.items() if kind is not None}


def _cycles(reading: Reading, holder_ids: set[str]) -> dict[HolderScheme, list[Cycle]]:
    found: dict[HolderScheme, list[Cycle]] = defaultdict(list)
    for statement, parameters in _CYCLES.each(reading, holder_ids, None):
        for row in reading.rows(statement, parameters):
            found[row[0], row[1]].append(Cycle(*row[2:]))
    return found


def _type(scheme: Scheme, cycles: Sequence[Cycle], row: Any, *, on: date) -> ActivityType | None:
    """The type in the first version of the activity's cycle that knows it, else in the last."""
    policies: tuple[Any, ...] = scheme.policies[::-1]
    if cycles:
        cycle = cycle_on(cycles, min(row.completed_on or on, on))
        governing = terms.versions(Case(scheme, cycles), cycle, on) if cycle.policy else ()
        policies = (*governing, *policies)
    known = (policy.types.get(row.type) for policy in policies)
    return next((kind for kind in known if kind and kind.category == row.category), None)
