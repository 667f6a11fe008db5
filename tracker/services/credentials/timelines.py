"""Timelines on record: the spans that follow from a certification's facts, and reminder cursors.

Invariant: spans and reminder cursors are written in the transaction that changed the facts they
follow from. Which awards there are is decided in ``awards``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from typing import NamedTuple, TypedDict

from sqlalchemy import delete, select

from tracker.db import new_id
from tracker.domain.credentials import certifications
from tracker.domain.schemes.schemes import Scheme
from tracker.models import Certification, Span
from tracker.services.core import bulk
from tracker.services.core.context import UnitOfWork, columns_of
from tracker.services.outbox import cursors
from tracker.services.standings import snapshots
from tracker.services.standings.snapshots import CertificationRecord

FOREVER = date.max
"""The end of the last span of a timeline."""


class CycleToInsert(TypedDict):
    """A cycle as a row to insert."""

    id: str
    certification_id: str
    ordinal: int
    anchor_on: date
    nth: int
    starts_on: date
    expires_on: date | None
    opened_on: date
    policy: str
    recorded_at: datetime
    imported: bool


def cycle_row(
    work: UnitOfWork, certification_id: str, cycle: certifications.CycleTerm
) -> CycleToInsert:
    """A cycle as a row to insert."""
    return {
        "id": new_id(),
        "certification_id": certification_id,
        "ordinal": cycle.ordinal,
        "anchor_on": cycle.anchor_on,
        "nth": cycle.nth,
        "starts_on": cycle.starts_on,
        "expires_on": cycle.expires_on,
        "opened_on": cycle.opened_on,
        "policy": cycle.policy,
        "recorded_at": work.now,
        "imported": cycle.imported,
    }


def lay_out_again(work: UnitOfWork, scheme: Scheme, certification_ids: Collection[str]) -> None:
    """Rewrite the spans of these certifications, and update their reminder cursors."""
    for ids in bulk.chunks(certification_ids):
        records, states = snapshots.records(work, ids), _states(work, ids)
        work.connection.execute(delete(Span).where(bulk.among(work, Span.certification_id, ids)))
        withdrawn = {id_ for id_, row in states.items() if row.withdrawn_at is not None}
        spans = [r for x in records.values() for r in rows(scheme, x, withdrawn=withdrawn)]
        bulk.insert(work, Span, spans)
        over = withdrawn | {id_ for id_, row in states.items() if row.replaced_on is not None}
        cursors.touch(work, [record for id_, record in records.items() if id_ not in over])
        cursors.forget(work, over)


class _EndedCertification(NamedTuple):
    id: str
    withdrawn_at: datetime | None
    replaced_on: date | None


def _states(work: UnitOfWork, ids: Collection[str]) -> Mapping[str, _EndedCertification]:
    """The rows of those that are withdrawn or replaced, with the dates."""
    table = Certification
    statement = select(*columns_of(_EndedCertification, table))
    statement = statement.where(bulk.among(work, table.id, ids), ~snapshots.CURRENT)
    return {row.id: row for row in work.rows_as(_EndedCertification, statement)}


def lay_out_first(
    work: UnitOfWork, scheme: Scheme, records: Collection[CertificationRecord]
) -> None:
    """Write the spans and reminder cursors of new certifications, which have none yet."""
    bulk.insert(work, Span, [row for record in records for row in rows(scheme, record)])
    cursors.touch(work, records)


def rows(
    scheme: Scheme, record: CertificationRecord, *, withdrawn: Collection[str] = ()
) -> Iterable[dict[str, object]]:
    """The spans of a certification as rows to insert."""
    for span in spans_of(scheme, record, withdrawn=record.certification_id in withdrawn):
        yield {
            "certification_id": record.certification_id,
            "from_on": span.from_on,
            "until_on": span.until_on or FOREVER,
            "cycle": span.cycle,
            "cycle_starts_on": span.cycle_starts_on,
            "expires_on": span.expires_on,
            "window_opens_on": span.window_opens_on,
            "window_closes_on": span.window_closes_on,
            "grace_ends_on": span.grace_ends_on,
            "title_ends_on": span.title_ends_on,
            "pending_since": span.pending_since,
            "hold": span.hold,
            "valid_while_pending": span.valid_while_pending,
        }


def spans_of(
    scheme: Scheme, record: CertificationRecord, *, withdrawn: bool
) -> tuple[certifications.StandingSpan, ...]:
    """The timeline of a record; a withdrawn award has one span."""
    if withdrawn:
        return certifications.withdrawn(record.cycles[0])
    return certifications.timeline(
        scheme,
        record.cycles,
        applications=record.applications,
        changes=record.changes,
        adjustments=record.adjustments,
    )
