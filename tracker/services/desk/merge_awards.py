"""The awards of two records of one person, united (``domain.desk.merges`` says how).

Invariant: every certificate once issued keeps its row, number and public address. One that leads to
another is withdrawn, stays with the person, and is numbered from ``_ASIDE`` on, out of the way of
the awards that count.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import false, func, select, update

from tracker.domain.credentials import awards as award_rules
from tracker.domain.credentials import certifications
from tracker.domain.credentials.certifications import CycleAdjustment
from tracker.domain.credentials.renewals import RenewalVerdict
from tracker.domain.desk import merges as rules
from tracker.domain.desk.merges import (
    AdjustmentFate,
    AwardToUnite,
    CarriedAdjustment,
    RenewedTerm,
    UnitedAwards,
)
from tracker.domain.schemes.schemes import Scheme
from tracker.models import (
    Adjustment,
    Appeal,
    Assessment,
    Certification,
    Cycle,
    Renewal,
    StandingChange,
)
from tracker.services.core import bulk
from tracker.services.core.context import UnitOfWork, columns_of
from tracker.services.credentials import (
    award_plans,
    imported_award_rows,
    module_certificates,
    timelines,
)
from tracker.services.standings import snapshots

_ASIDE = 1000


class _HeldAward(NamedTuple):
    id: str
    number: str
    holder_id: str
    sequence: int
    awarded_on: date
    withdrawn_at: datetime | None
    replaced_on: date | None
    imported_at: datetime | None
    edition: str | None
    source: str | None
    merged_into_id: str | None


@dataclass(frozen=True, slots=True)
class _Merging:
    """Two records whose awards in a scheme are united."""

    scheme: Scheme
    from_id: str
    to_id: str
    rows: Mapping[str, _HeldAward]
    records: Mapping[str, snapshots.CertificationRecord]


def unite(work: UnitOfWork, *, from_id: str, to_id: str) -> list[dict[str, object]]:
    """Give all certifications to one record, and settle its awards by the passes of both.

    The passes are that record's already. Returns what becomes of each adjustment in force of an
    award that leads to another one now.
    """
    told: list[dict[str, object]] = []
    for scheme in _schemes(work, [from_id, to_id]):
        merging = _merging(work, scheme, from_id, to_id)
        if any(row.holder_id == from_id for row in merging.rows.values()):
            united = rules.unite(_to_unite(merging))
            _lead(work, merging, united)
            _write_rows(work, merging, united)
            _lengthen(work, merging, united)
            told += _carry(work, merging, united)
        settle(work, scheme, [to_id])
    return told


def settle(work: UnitOfWork, scheme: Scheme, holder_ids: Sequence[str]) -> None:
    """Make the awards, certificates and timelines of these people agree with their passes."""
    imported_award_rows.follow(work, scheme, sorted(holder_ids), award_plans.FOLLOW)
    mine = select(Certification.id).where(
        Certification.holder_id.in_(holder_ids), Certification.scheme == scheme.code
    )
    timelines.lay_out_again(work, scheme, [row.id for row in work.rows(mine)])
    module_certificates.settle(work, scheme, holder_ids)


def settle_all(work: UnitOfWork, holder_ids: Sequence[str]) -> None:
    """The same in every scheme in which one of them has anything."""
    for scheme in _schemes(work, holder_ids):
        settle(work, scheme, holder_ids)


def _schemes(work: UnitOfWork, holder_ids: Sequence[str]) -> list[Scheme]:
    """The schemes in which one of these people has a pass or an award."""
    codes = {
        row.scheme
        for table in (Assessment, Certification)
        for row in work.rows(select(table.scheme).where(table.holder_id.in_(holder_ids)).distinct())
    }
    return [scheme for scheme in work.schemes if scheme.code in codes]


def _merging(work: UnitOfWork, scheme: Scheme, from_id: str, to_id: str) -> _Merging:
    statement = select(*columns_of(_HeldAward, Certification)).where(
        Certification.holder_id.in_([from_id, to_id]), Certification.scheme == scheme.code
    )
    rows = {row.id: row for row in work.rows_as(_HeldAward, statement)}
    return _Merging(scheme, from_id, to_id, rows, snapshots.records(work, rows))


def _to_unite(merging: _Merging) -> Iterator[AwardToUnite]:
    """The awards that do not lead to another one already."""
    for row in merging.rows.values():
        if row.merged_into_id is not None:
            continue
        record = merging.records[row.id]
        last = certifications.extended(record.cycles[-1], record.adjustments, date.max)
        yield AwardToUnite(
            row.id,
            row.holder_id == merging.to_id,
            row.awarded_on,
            award_rules.last_day(merging.scheme, last),
            row.withdrawn_at is None,
        )


def _lead(work: UnitOfWork, merging: _Merging, united: UnitedAwards) -> None:
    """Give what was decided about an award to the one to which it leads.

    An application that renewed the same term once more stays where it was.
    """
    twice = rules.renewed_twice(_renewed(work, merging, united))
    for id_, leading in united.leads.items():
        for table, stays in (
            (Renewal, Renewal.id.in_(twice)),
            (StandingChange, false()),
            (Appeal, func.coalesce(Appeal.renewal_id.in_(twice), false())),
        ):
            mine = update(table).where(table.certification_id == id_, ~stays)
            work.execute(mine.values(certification_id=leading))


def _renewed(work: UnitOfWork, merging: _Merging, united: UnitedAwards) -> Iterator[RenewedTerm]:
    """The terms of these awards that were renewed, those of each leading one first."""
    approved = select(Renewal.id, Renewal.certification_id, Renewal.cycle).where(
        Renewal.certification_id.in_(united.leads), Renewal.decision == RenewalVerdict.APPROVED
    )
    applications: dict[tuple[str, int], list[str]] = defaultdict(list)
    for row in work.rows(approved.order_by(Renewal.id)):
        applications[row.certification_id, row.cycle].append(row.id)
    for id_ in (*united.standing, *united.leads):
        for cycle in merging.records[id_].cycles[:-1]:
            ends_on = cycle.expires_on or date.max
            for renewal_id in applications.get((id_, cycle.ordinal)) or (None,):
                yield RenewedTerm(id_, cycle.starts_on, ends_on, renewal_id)


def _leads_to(row: _HeldAward, united: UnitedAwards) -> str | None:
    """The award to which one leads now; never to one that leads on to another."""
    before = row.merged_into_id
    return united.leads.get(before or row.id, before)


def _write_rows(work: UnitOfWork, merging: _Merging, united: UnitedAwards) -> None:
    """Number the rows of both records as those of one, first of all out of each other's way."""
    rows = merging.rows
    days = [rows[id_].awarded_on for id_ in united.standing]
    values: dict[str, dict[str, object]] = {}
    for place, id_ in enumerate(united.standing):
        following = days[place + 1] if place + 1 < len(days) else None
        values[id_] = {"replaced_on": following, "withdrawn_at": None, "sequence": place + 1}
    for place, id_ in enumerate(united.withdrawn, start=len(united.standing) + 1):
        values[id_] = {
            "replaced_on": None,
            "withdrawn_at": rows[id_].withdrawn_at,
            "sequence": place,
        }
    aside = [id_ for id_, row in rows.items() if id_ in united.leads or row.merged_into_id]
    for place, id_ in enumerate(sorted(aside), start=_ASIDE):
        values[id_] = {
            "replaced_on": None,
            "withdrawn_at": rows[id_].withdrawn_at or work.now,
            "sequence": place,
        }
    apart = [
        {"_id": id_, "sequence": -1 - place, "withdrawn_at": work.now}
        for place, id_ in enumerate(values)
    ]
    bulk.update(work, Certification, apart)
    last = [
        {
            "_id": id_,
            "holder_id": merging.to_id,
            "merged_into_id": _leads_to(rows[id_], united),
            **value,
        }
        for id_, value in values.items()
    ]
    bulk.update(work, Certification, last)


def _lengthen(work: UnitOfWork, merging: _Merging, united: UnitedAwards) -> None:
    """Let an award last as long as one from a file that leads to it; it is from a file then."""
    for leading in set(united.leads.values()):
        following = [id_ for id_, to in united.leads.items() if to == leading]
        sources = [merging.rows[id_] for id_ in (leading, *following)]
        source = next((row for row in sources if row.imported_at is not None), None)
        if source is None:
            continue
        cycles = merging.records[leading].cycles
        others = [cycle for id_ in following for cycle in merging.records[id_].cycles]
        longer = rules.united_cycles(cycles, others)
        if longer == cycles and merging.rows[leading].imported_at is not None:
            continue
        from_file = {name: getattr(source, name) for name in ("imported_at", "edition", "source")}
        bulk.update(work, Certification, [{"_id": leading, **from_file}])
        of_leading = Cycle.certification_id == leading
        work.execute(update(Cycle).where(of_leading).values(imported=True))
        new = [timelines.cycle_row(work, leading, cycle) for cycle in longer[len(cycles) :]]
        bulk.insert(work, Cycle, new)


def _carry(
    work: UnitOfWork, merging: _Merging, united: UnitedAwards
) -> Iterator[dict[str, object]]:
    """Take along what was adjusted of awards that lead on, as far as the holder has more by it.

    The row itself goes, with its reference to a mass extension, and becomes the last one of its
    cycle. Yields what became of each one that was in force.
    """
    if not united.leads:
        return
    records = snapshots.records(work, [*united.leads, *united.leads.values()])
    rows = select(Adjustment).where(Adjustment.certification_id.in_(records))
    adjusted = work.session.scalars(rows.order_by(Adjustment.number, Adjustment.id)).all()
    for id_, leading in united.leads.items():
        to = records[leading]
        for row in _in_force(adjusted, id_):
            cycle = next(one for one in merging.records[id_].cycles if one.ordinal == row.ordinal)
            theirs = [one for one in adjusted if one.certification_id == leading]
            found = rules.carry(_value(row), cycle, to.cycles, [_value(one) for one in theirs])
            acts = {one.batch_id for one in theirs} - {None}
            if found.ordinal is not None and row.batch_id in acts:
                found = CarriedAdjustment(AdjustmentFate.LEFT)  # one act extends an award once
            yield {
                "number": merging.rows[id_].number,
                "extended_to": row.extended_to and row.extended_to.isoformat(),
                "points_required": row.points_required and str(row.points_required),
                "fate": found.fate,
            }
            if found.ordinal is not None:
                _move(work, row, leading, found.ordinal, theirs)


def _in_force(adjusted: Sequence[Adjustment], certification_id: str) -> Iterator[Adjustment]:
    """The adjustments that say last when a cycle of an award ends, or what it asks for."""
    mine = [row for row in adjusted if row.certification_id == certification_id]
    ends = {row.ordinal: row.id for row in mine if row.extended_to is not None}
    asked = {row.ordinal: row.id for row in mine if row.points_required is not None}
    last = {*ends.values(), *asked.values()}
    yield from (row for row in mine if row.id in last)


def _value(row: Adjustment) -> CycleAdjustment:
    return CycleAdjustment(
        row.ordinal, row.effective_on, row.extended_to, row.points_required, row.reason_code
    )


def _move(
    work: UnitOfWork, row: Adjustment, leading: str, ordinal: int, theirs: Sequence[Adjustment]
) -> None:
    numbers = [one.number for one in theirs if one.ordinal == ordinal]
    row.certification_id, row.ordinal = leading, ordinal
    row.number = max(numbers, default=0) + 1
    work.session.flush()
