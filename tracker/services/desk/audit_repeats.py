"""A draw made again from what was on record at its instant, to be compared by whoever doubts it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import and_, or_, select

from tracker.domain.desk import audits as rules
from tracker.domain.desk.audits import AuditBasis, AuditUnit
from tracker.models import Activity, AuditItem, ClaimAudit, MergedRow, RecordMerge
from tracker.services.core.context import ReadContext
from tracker.services.desk import audits
from tracker.services.desk.audits import AuditRow, AuditToDraw, DrawnClaim, DrawnSample

_HOLDER = "holder_id"


class RepeatedDraw(NamedTuple):
    """A draw made again from what was on record then: whether it yields the same."""

    population: int
    same_population: bool
    same_sample: bool
    missing: Sequence[str]
    added: Sequence[str]


def repeat(reading: ReadContext, audit_id: str) -> RepeatedDraw:
    """The draw again, from what was on record at its instant. Raises NotFound.

    Missing are activities that would be drawn and were not, added those that were drawn and would
    not be: after an erasure, or if somebody changed rows by hand.
    """
    row = audits.get(reading, audit_id)
    items = _items(reading, audit_id)
    again = _again(reading, row, items)
    drawn = {claim.id for claim in again.drawn}
    return RepeatedDraw(
        again.population,
        again.digest == row.population_digest,
        drawn == items,
        sorted(drawn - items),
        sorted(items - drawn),
    )


def _items(reading: ReadContext, audit_id: str) -> set[str]:
    of_audit = select(AuditItem.activity_id).where(AuditItem.audit_id == audit_id)
    return {item.activity_id for item in reading.rows(of_audit)}


def _again(reading: ReadContext, row: AuditRow, items: set[str]) -> DrawnSample:
    claims = audits.approved(reading, _wanted(row), at=row.recorded_at, but=row.id)
    if row.basis == AuditBasis.HAND:
        chosen = [one for one in claims if one.id in items]
        ids = [one.id for one in chosen]
        return DrawnSample(chosen, len(ids), rules.population_digest(ids))
    if (those := _candidates(reading, row.id)) is not None:
        claims = [one for one in claims if one.id in those]
    if row.unit == AuditUnit.HOLDER:
        claims = _with_holders_then(reading, claims, row.recorded_at)
    assert row.percent is not None  # noqa: S101 - for the type checker
    return audits.drawn(row.seed, row.unit, row.percent, claims)


def _wanted(row: AuditRow) -> AuditToDraw:
    """What was drawn from, but for the cycle and the flag: whom those chose is kept."""
    return AuditToDraw(
        scheme=row.scheme,
        basis=row.basis,
        seed=row.seed,
        from_on=row.from_on,
        until_on=row.until_on,
        reason=row.reason,
    )


def _candidates(reading: ReadContext, audit_id: str) -> set[str] | None:
    kept = select(ClaimAudit.candidates).where(ClaimAudit.id == audit_id)
    found = (reading.row(kept) or [None])[0]
    return None if found is None else set(found)


def _with_holders_then(
    reading: ReadContext, claims: Sequence[DrawnClaim], at: datetime
) -> list[DrawnClaim]:
    """The claims with the holders whose they were at the instant, before or after merges."""
    later = RecordMerge.recorded_at > at
    merges = or_(
        and_(later, RecordMerge.undone_at.is_(None)), and_(~later, RecordMerge.undone_at > at)
    )
    moved = (
        select(MergedRow.key, MergedRow.before, MergedRow.after, later.label("later"))
        .join(RecordMerge, RecordMerge.id == MergedRow.merge_id)
        .where(MergedRow.table_name == Activity.__tablename__, merges)
        .order_by(RecordMerge.recorded_at.desc(), MergedRow.id)
    )
    holders: dict[str, str] = {}
    for row in reading.rows(moved):
        values = (row.before if row.later else row.after) or {}
        if _HOLDER in values:
            holders[row.key["id"]] = values[_HOLDER]
    return [one._replace(holder_id=holders.get(one.id, one.holder_id)) for one in claims]
