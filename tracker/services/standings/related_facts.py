"""What a policy needs beyond the certification's own cycles and claims.

Most schemes need no more than cycles and claims, and for these nothing more is read. For the
others, whole records, attempts and other schemes are read for many at once, with one statement for
each kind of fact.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select

from tracker.domain.credentials.assessments import Attempt
from tracker.domain.credentials.certifications import StandingSpan as SpanValue
from tracker.domain.points import cycle_rules
from tracker.domain.points.cycle_rules import Needs
from tracker.domain.schemes.schemes import Scheme
from tracker.models import Certification, Span
from tracker.services.core.batched import about
from tracker.services.core.context import R, ReadContext, columns_of
from tracker.services.standings import snapshots
from tracker.services.standings.snapshots import (
    ActivityFacts,
    CertificationRecord,
    CertificationRow,
    HolderScheme,
)

SPAN = columns_of(SpanValue, Span)
"""The columns of a ``StandingSpan``, in its order."""


class CertificationKey(NamedTuple):
    """A certification to evaluate."""

    id: str
    holder_id: str
    scheme: str


@dataclass(frozen=True, slots=True)
class RelatedFacts:
    """Other facts about a certification's holder; spans and activities are by scheme."""

    attempts: Sequence[Attempt] = ()
    spans: Mapping[str, Sequence[SpanValue]] = field(default_factory=dict)
    activities: Mapping[str, Sequence[ActivityFacts]] = field(default_factory=dict)


NOTHING_RELATED = RelatedFacts()


def records(
    reading: ReadContext, keys: Collection[CertificationKey], *, known_at: datetime | None = None
) -> dict[str, CertificationRecord]:
    """The records of these certifications: complete only where applications count for points."""
    whole = [key.id for key in keys if cycle_rules.needs(reading.schemes[key.scheme]).record]
    plain = {key.id for key in keys}.difference(whole)
    records = snapshots.cycles(reading, plain, known_at=known_at)
    return records | snapshots.records(reading, whole, known_at=known_at) if whole else records


def of_many(
    reading: ReadContext,
    keys: Iterable[CertificationKey],
    activities: Mapping[HolderScheme, Sequence[ActivityFacts]] | None = None,
    *,
    known_at: datetime | None = None,
) -> dict[str, RelatedFacts]:
    """The other facts that each is evaluated by; certifications that need none are left out.

    ``activities`` are those of the holders in all schemes, if the caller has them.
    """
    needs = {key: need for key in keys if not (need := _needs(reading, key.scheme)).nothing}
    trying = {key.holder_id for key, needed in needs.items() if needed.attempts}
    sharing = {key.holder_id for key, needed in needs.items() if needed.schemes}
    attempts = snapshots.attempts(reading, trying, known_at=known_at)
    spans = _spans(reading, sharing)
    if activities is None:
        activities = snapshots.activities(reading, sharing, known_at=known_at)
    return {
        key.id: RelatedFacts(
            attempts=attempts.get((key.holder_id, key.scheme), ()) if needed.attempts else (),
            spans=_of_schemes(key, needed, spans),
            activities=_of_schemes(key, needed, activities),
        )
        for key, needed in needs.items()
    }


def of_one(
    reading: ReadContext,
    scheme: Scheme,
    certification: CertificationRow,
    *,
    known_at: datetime | None = None,
) -> RelatedFacts:
    """The same for the row of one certification."""
    key = CertificationKey(certification.id, certification.holder_id, scheme.code)
    return of_many(reading, [key], known_at=known_at).get(key.id, NOTHING_RELATED)


def _needs(reading: ReadContext, scheme: str) -> Needs:
    return cycle_rules.needs(reading.schemes[scheme])


def _of_schemes(
    key: CertificationKey, needed: Needs, facts: Mapping[HolderScheme, Sequence[R]]
) -> dict[str, Sequence[R]]:
    return {s: facts[key.holder_id, s] for s in needed.schemes if (key.holder_id, s) in facts}


_SPANS = about(
    lambda of: (
        select(Certification.holder_id, Certification.scheme, *SPAN)
        .join(Span, Span.certification_id == Certification.id)
        .where(of(Certification.holder_id), snapshots.NOT_WITHDRAWN)
        .order_by(Certification.sequence.desc(), Span.from_on)
    )
)


def _spans(
    reading: ReadContext, holder_ids: Collection[str]
) -> dict[HolderScheme, Sequence[SpanValue]]:
    """The timelines of holders, by holder and scheme; the award that counts on a day is first."""
    spans: dict[HolderScheme, list[SpanValue]] = defaultdict(list)
    for statement, parameters in _SPANS.each(reading, holder_ids, None):
        for row in reading.rows(statement, parameters):
            spans[row[0], row[1]].append(SpanValue(*row[2:]))
    return dict(spans)
