"""What waiting activities would change: points of many certifications, now and if approved.

Everything is read at once for those asked about, with one statement a kind of fact; then any
number of questions is answered without another.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from tracker.domain.claims import Claim
from tracker.services import cases, facts, standings
from tracker.services.cases import Asked, Beside
from tracker.services.facts import ActivityFacts, HolderScheme, Record
from tracker.services.standings import Points
from tracker.services.work import Reading


@dataclass(frozen=True, slots=True)
class Weighing:
    """The facts of certifications on a day; ``activities`` are their holders' under all schemes."""

    reading: Reading
    on: date
    activities: Mapping[HolderScheme, Sequence[ActivityFacts]]
    _records: Mapping[str, Record]
    _beside: Mapping[str, Beside]
    _answers: dict[tuple[str, frozenset[str]], Points | None] = field(default_factory=dict)

    def waiting(self, one: Asked) -> list[Claim]:
        """The claims under its scheme that wait for a decision."""
        claimed = self.activities.get((one.holder_id, one.scheme), ())
        return [a.claim for a in claimed if a.pending_on(self.on)]

    def points(self, one: Asked, extra: Collection[Claim] = ()) -> Points | None:
        """The points approved so far, with others counted as if they were approved.

        None where the scheme counts none, or before the award.
        """
        key = one.id, frozenset(claim.ref for claim in extra)
        if key not in self._answers:
            self._answers[key] = self._evaluate(one, extra)
        return self._answers[key]

    def _evaluate(self, one: Asked, extra: Collection[Claim]) -> Points | None:
        record = self._records.get(one.id)
        if record is None or record.cycles[0].starts_on > self.on:
            return None
        claimed = self.activities.get((one.holder_id, one.scheme), ())
        anew = {claim.ref for claim in extra}
        approved = [a for a in claimed if a.approved_on(self.on) and a.claim.ref not in anew]
        return standings.evaluate(
            self.reading.schemes[one.scheme], record, approved, on=self.on, extra=extra,
            beside=self._beside.get(one.id, cases.ALONE),
        )  # fmt: skip

    def would_complete(self, one: Asked) -> bool:
        """Whether the points are not complete, and would be with everything that waits."""
        waiting = self.waiting(one)
        if not waiting:
            return False
        after = self.points(one, waiting)
        if after is None or not after.evaluation.complete:
            return False
        now = self.points(one)
        return now is not None and not now.evaluation.complete


def read(reading: Reading, asked: Collection[Asked], *, on: date) -> Weighing:
    """Read what weighing these takes; one without an id is a holder without a certification."""
    activities = facts.activities(reading, {one.holder_id for one in asked})
    held = [one for one in asked if one.id]
    return Weighing(
        reading, on, activities, cases.records(reading, held),
        cases.beside(reading, held, activities),
    )  # fmt: skip
