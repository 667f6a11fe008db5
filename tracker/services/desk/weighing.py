"""Weighing: the points of many certifications, now and if undecided activities were approved.

The facts are read once for all certifications, with one statement for each kind of fact; any number
of questions is then answered without another statement.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from tracker.domain.points.claims import Claim
from tracker.services.core.context import ReadContext
from tracker.services.standings import related_facts, snapshots, standings
from tracker.services.standings.related_facts import CertificationKey, RelatedFacts
from tracker.services.standings.snapshots import ActivityFacts, CertificationRecord, HolderScheme
from tracker.services.standings.standings import CertificationPoints


@dataclass(frozen=True, slots=True)
class Weighing:
    """The facts of certifications on a day; ``activities`` are their holders' in all schemes."""

    reading: ReadContext
    on: date
    activities: Mapping[HolderScheme, Sequence[ActivityFacts]]
    _records: Mapping[str, CertificationRecord]
    _related: Mapping[str, RelatedFacts]
    _answers: dict[tuple[str, frozenset[str]], CertificationPoints | None] = field(
        default_factory=dict
    )

    def waiting(self, one: CertificationKey) -> list[Claim]:
        """The undecided claims in its scheme."""
        claimed = self.activities.get((one.holder_id, one.scheme), ())
        return [a.claim for a in claimed if a.pending_on(self.on)]

    def points(
        self, one: CertificationKey, extra: Collection[Claim] = ()
    ) -> CertificationPoints | None:
        """The points approved so far, with ``extra`` claims counted as if approved.

        None if the scheme counts none, or before the award.
        """
        key = one.id, frozenset(claim.ref for claim in extra)
        if key not in self._answers:
            self._answers[key] = self._evaluate(one, extra)
        return self._answers[key]

    def _evaluate(
        self, one: CertificationKey, extra: Collection[Claim]
    ) -> CertificationPoints | None:
        record = self._records.get(one.id)
        if record is None or record.cycles[0].starts_on > self.on:
            return None
        claimed = self.activities.get((one.holder_id, one.scheme), ())
        weighed = {claim.ref for claim in extra}
        counting = [a for a in claimed if a.approved_on(self.on)]
        approved = [a for a in counting if a.claim.ref not in weighed]
        if extra and len(approved) == len(counting):
            now = self.points(one)
            if now is not None and now.is_plain:
                return standings.with_more(now, extra)
        return standings.evaluate(
            self.reading.schemes[one.scheme],
            record,
            approved,
            on=self.on,
            extra=extra,
            related=self._related.get(one.id, related_facts.NOTHING_RELATED),
        )

    def would_complete(self, one: CertificationKey) -> bool:
        """Whether the points are incomplete now, but complete with all undecided claims."""
        waiting = self.waiting(one)
        if not waiting:
            return False
        after = self.points(one, waiting)
        if after is None or not after.evaluation.complete:
            return False
        now = self.points(one)
        return now is not None and not now.evaluation.complete


def read(reading: ReadContext, keys: Collection[CertificationKey], *, on: date) -> Weighing:
    """Read the facts for weighing; a key without an id is a holder without a certification."""
    activities = snapshots.activities(reading, {one.holder_id for one in keys})
    held = [one for one in keys if one.id]
    return Weighing(
        reading,
        on,
        activities,
        related_facts.records(reading, held),
        related_facts.of_many(reading, held, activities),
    )
