"""Integrity checks: derived rows that disagree with the facts they follow from."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import select

from tracker.domain.credentials import certifications as rules
from tracker.domain.errors import Conflict
from tracker.models import Certification, Holder, Runtime, Span
from tracker.services.core import bulk
from tracker.services.core.context import ReadContext, columns_of
from tracker.services.people import search_words
from tracker.services.standings import snapshots, standings

SAMPLE = 500


@dataclass(frozen=True, slots=True)
class Timelines:
    """The number of certifications examined, and the numbers of those whose spans are wrong."""

    examined: int
    wrong: tuple[str, ...]


def timelines(reading: ReadContext, *, sample: int = SAMPLE) -> Timelines:
    """Rebuild the timelines of some certifications and compare them with the stored spans.

    Half of the sample are the latest certifications, half the first by their random numbers.
    """
    some = _sample(reading, sample)
    ids = list(some)
    records = snapshots.records(reading, ids)
    stored = _stored(reading, ids)
    wrong = [
        row.number
        for id_, row in some.items()
        if id_ not in records or _expected(reading, row.scheme, records[id_]) != stored[id_]
    ]
    return Timelines(len(ids), tuple(sorted(wrong)))


class _SampledCertification(NamedTuple):
    id: str
    number: str
    scheme: str


def _sample(reading: ReadContext, sample: int) -> dict[str, _SampledCertification]:
    table = Certification
    statement = select(*columns_of(_SampledCertification, table)).where(snapshots.NOT_WITHDRAWN)
    latest = statement.order_by(table.id.desc()).limit(sample // 2)
    elsewhere = statement.order_by(table.number).limit(sample // 2)
    return {
        row.id: row
        for some in (latest, elsewhere)
        for row in reading.rows_as(_SampledCertification, some)
    }


def _expected(
    reading: ReadContext, scheme: str, record: snapshots.CertificationRecord
) -> list[rules.StandingSpan]:
    spans = rules.timeline(
        reading.schemes[scheme],
        record.cycles,
        applications=record.applications,
        changes=record.changes,
        adjustments=record.adjustments,
    )
    return list(spans)


def _stored(reading: ReadContext, ids: list[str]) -> dict[str, list[rules.StandingSpan]]:
    spans: dict[str, list[rules.StandingSpan]] = defaultdict(list)
    for some in bulk.chunks(ids):
        statement = (
            select(Span.certification_id, *standings.SPAN)
            .where(Span.certification_id.in_(some))
            .order_by(Span.certification_id, Span.from_on)
        )
        for id_, from_on, until_on, *rest in reading.rows(statement):
            until = None if until_on == date.max else until_on
            spans[id_].append(rules.StandingSpan(from_on, until, *rest))
    return spans


@dataclass(frozen=True, slots=True)
class FoundPeople:
    """The number of people examined, and the refs of those whom their words do not find."""

    examined: int
    wrong: tuple[str, ...]


def words(reading: ReadContext, *, sample: int = SAMPLE) -> FoundPeople:
    """Compare the words of some people with their names and addresses, as of certifications."""
    statement = select(Holder.id, Holder.ref)
    latest = statement.order_by(Holder.id.desc()).limit(sample // 2)
    elsewhere = statement.order_by(Holder.ref).limit(sample // 2)
    refs = {row.id: row.ref for some in (latest, elsewhere) for row in reading.rows(some)}
    wrong = search_words.differing(reading, [*refs])
    return FoundPeople(len(refs), tuple(sorted(refs[id_] for id_ in wrong)))


def last_beat(reading: ReadContext) -> datetime | None:
    """When the scheduler last ran; None if it never ran on this database."""
    row = reading.row(select(Runtime.last_tick_at))
    return row.last_tick_at if row else None


def unknown_schemes(reading: ReadContext) -> list[str]:
    """Schemes of certifications on record that no scheme file defines."""
    known = [scheme.code for scheme in reading.schemes]
    statement = select(Certification.scheme).where(Certification.scheme.not_in(known)).distinct()
    return sorted(row.scheme for row in reading.rows(statement))


def check_schemes(reading: ReadContext) -> None:
    """Check that every scheme on record has a file. Raises Conflict.

    Without it, the first of its certifications that falls due would stop every job.
    """
    if unknown := unknown_schemes(reading):
        where = reading.settings.app.schemes
        raise Conflict(
            f"There are certifications under {', '.join(unknown)}, but no scheme file in {where}."
        )
