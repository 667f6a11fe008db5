"""How far a holder is with renewing a certification, and everything that was decided about it.

The page about renewals needs all of it at once; ``renewals`` has the acts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tracker.domain.credentials.certifications import CycleTerm, Standing
from tracker.domain.credentials.fees import Quote
from tracker.domain.credentials.next_steps import NextStep
from tracker.domain.credentials.renewals import (
    ApplicationFacts,
    RenewalCondition,
    conditions,
    objections,
)
from tracker.domain.errors import NotFound, Refusal
from tracker.domain.schemes.schemes import Scheme
from tracker.services.core.context import ReadContext
from tracker.services.credentials import (
    applications,
    bundles,
    certifications,
    former_decisions,
    renewals,
)
from tracker.services.credentials.bundles import RenewalBundle
from tracker.services.credentials.former_decisions import RenewalDecisionRow
from tracker.services.credentials.renewals import RenewalRow
from tracker.services.standings import snapshots, standings


@dataclass(frozen=True, slots=True)
class CycleHistory:
    """A cycle with its applications, each with every decision on it, oldest first."""

    term: CycleTerm
    applications: Sequence[tuple[RenewalRow, Sequence[RenewalDecisionRow]]]


@dataclass(frozen=True, slots=True)
class RenewalReadiness:
    """What an application needs today and what there was before.

    ``judged`` is None if no points are counted, ``quote`` if no fee is published. ``questions`` is
    the number of activities with a reviewer's unanswered question. ``zone`` is the time zone whose
    midnight ends a day. ``cycles`` are in order. ``bundle`` has what could be renewed with it.
    """

    scheme: Scheme
    zone: str
    standing: Standing
    judged: ApplicationFacts | None
    conditions: Mapping[RenewalCondition, Refusal | None]
    questions: int
    next: NextStep
    quote: Quote | None
    cycles: Sequence[CycleHistory]
    bundle: RenewalBundle | None = None

    @property
    def can_apply(self) -> bool:
        """Whether an application would be accepted today."""
        return not any(self.conditions.values())

    @property
    def counts_what_was_renewed(self) -> bool:
        """Whether the points counted today are of a cycle that was already renewed."""
        opens_on = self.standing.window_opens_on
        if self.judged is None or opens_on is None:
            return False
        return self.judged.evaluation.cycle.ends_on < opens_on

    @property
    def open_application(self) -> RenewalRow | None:
        """The application that waits for a decision, if there is one."""
        made = [row for cycle in self.cycles for row, _ in cycle.applications]
        return next((row for row in made if not row.decision and not row.withdrawn_on), None)


def of_certification(reading: ReadContext, certification_id: str) -> RenewalReadiness:
    """How far the renewal of a certification is today. Raises NotFound, also for another holder's.

    Today is the day on which ``renewals.apply`` would judge an application.
    """
    row = certifications.with_zone(reading, certification_id)
    scheme = reading.schemes[row.scheme]
    on = reading.day_of(scheme, row.time_zone)
    held = standings.of_certification(reading, row.id, on=on)
    if held is None:
        raise NotFound
    record = snapshots.records(reading, [row.id])[row.id]
    activities = snapshots.activities(reading, [row.holder_id])
    counted = applications.count_among(reading, row, record, activities, on=on, last=on)
    judged, zone = counted.judged if counted else None, scheme.zone_of(row.time_zone)
    points = standings.points_among(reading, [held], {row.id: record}, activities).get(row.id)
    found = RenewalReadiness(
        scheme=scheme,
        zone=zone,
        standing=held.standing,
        judged=judged,
        conditions=conditions(objections(held.standing, judged, zone=zone)),
        questions=points.questions if points else 0,
        next=standings.next_step(held.standing, points),
        quote=bundles.price([(scheme, held.standing, record)]) if scheme.fees and judged else None,
        cycles=_cycles(reading, row.id, record.cycles_on(on)),
    )
    if not found.can_apply:
        return found
    return replace(found, bundle=bundles.of_certification(reading, row, scheme))


def _cycles(
    reading: ReadContext, certification_id: str, cycles: Sequence[CycleTerm]
) -> list[CycleHistory]:
    rows = renewals.of_certification(reading, certification_id)
    former = former_decisions.of_certification(reading, certification_id)
    made: dict[int, list[tuple[RenewalRow, Sequence[RenewalDecisionRow]]]] = defaultdict(list)
    for row in rows:
        made[row.cycle].append((row, former[row.id]))
    return [CycleHistory(term, made[term.ordinal]) for term in cycles]
