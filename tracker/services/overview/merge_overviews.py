"""Two records side by side, as staff look at them before they merge them or say they are two."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select

from tracker.domain.desk.approvals import ApprovalState
from tracker.domain.errors import NotFound
from tracker.models import ActApproval, Activity, Assessment, Employer, LikelyDuplicate, RosterEntry
from tracker.services.core import days
from tracker.services.core.context import ReadContext
from tracker.services.desk import merges
from tracker.services.desk.merges import MergeRow
from tracker.services.people import holders, names
from tracker.services.people.holders import HolderRow
from tracker.services.people.names import FormerNameRow
from tracker.services.standings import standings
from tracker.services.standings.standings import HeldCertification


@dataclass(frozen=True, slots=True)
class ComparedRecord:
    """One of two records: who it is, what it holds, and how much is on it."""

    holder: HolderRow
    former_names: Sequence[FormerNameRow]
    certifications: Sequence[HeldCertification]
    modules: Sequence[str]
    activities: int
    employers: Sequence[str]


@dataclass(frozen=True, slots=True)
class ComparedPair:
    """Two records side by side; ``duplicate_id`` is that of the likely duplicate, if it is open.

    ``approval_id`` is a proposal to merge them that waits for a second person.
    """

    records: Sequence[ComparedRecord]
    signs: Sequence[str]
    duplicate_id: str | None
    approval_id: str | None


def of_pair(reading: ReadContext, first_id: str, second_id: str) -> ComparedPair:
    """Two records side by side, with a constant number of statements. Raises NotFound."""
    ids = [first_id, second_id]
    if first_id == second_id:
        raise NotFound
    rows = [holders.get(reading, id_) for id_ in ids]
    former = names.former(reading, ids)
    held: dict[str, list[HeldCertification]] = defaultdict(list)
    for one in standings.of_many(reading, ids, on=days.today_everywhere(reading)):
        held[one.holder_id].append(one)
    modules, employers = _modules(reading, ids), _employers(reading, ids)
    activities = _activities(reading, ids)
    pair = _listed(reading, ids)
    return ComparedPair(
        records=[
            ComparedRecord(
                row,
                former.get(row.id, ()),
                held[row.id],
                modules[row.id],
                activities.get(row.id, 0),
                employers[row.id],
            )
            for row in rows
        ],
        signs=pair.signs if pair else (),
        duplicate_id=pair.id if pair else None,
        approval_id=_proposed(reading, ids),
    )


def _modules(reading: ReadContext, ids: Collection[str]) -> Mapping[str, Sequence[str]]:
    """The modules passed, by holder, as scheme and module."""
    found: dict[str, list[str]] = defaultdict(list)
    passes = select(Assessment.holder_id, Assessment.scheme, Assessment.module).distinct()
    mine = Assessment.holder_id.in_(ids), Assessment.passed, Assessment.voided_at.is_(None)
    order = Assessment.holder_id, Assessment.scheme, Assessment.module
    for row in reading.rows(passes.where(*mine).order_by(*order)):
        found[row.holder_id].append(f"{row.scheme}/{row.module}")
    return found


def _employers(reading: ReadContext, ids: Collection[str]) -> Mapping[str, Sequence[str]]:
    """The employers whose lists name them, by holder."""
    found: dict[str, list[str]] = defaultdict(list)
    listed = (
        select(RosterEntry.holder_id, Employer.name)
        .join(Employer, Employer.id == RosterEntry.employer_id)
        .where(RosterEntry.holder_id.in_(ids))
        .distinct()
        .order_by(Employer.name)
    )
    for row in reading.rows(listed):
        found[row.holder_id or ""].append(row.name)
    return found


def _activities(reading: ReadContext, ids: Collection[str]) -> Mapping[str, int]:
    counted = select(Activity.holder_id, func.count()).where(Activity.holder_id.in_(ids))
    return dict(reading.rows(counted.group_by(Activity.holder_id)))


def _listed(reading: ReadContext, ids: Sequence[str]) -> Any:
    """The row of the pair among the likely duplicates that nobody has settled, or None."""
    table = LikelyDuplicate
    both = table.first_id.in_(ids), table.second_id.in_(ids), table.settled_at.is_(None)
    return reading.row(select(table.id, table.signs).where(*both))


def _proposed(reading: ReadContext, ids: Sequence[str]) -> str | None:
    """A proposal to merge one into the other that waits, or None."""
    table = ActApproval
    pairs: list[ColumnElement[bool]] = [
        (table.holder_id == kept) & (table.subject_id == merged)
        for kept, merged in (ids, reversed(ids))
    ]
    waits = table.state == ApprovalState.OPEN, table.expires_at > reading.now
    row = reading.row(select(table.id).where(or_(*pairs), *waits))
    return row and str(row.id)


@dataclass(frozen=True, slots=True)
class MergeOverview:
    """A merge, and the record that stays."""

    merge: MergeRow
    kept: HolderRow
    merged: HolderRow


def of_merge(reading: ReadContext, merge_id: str) -> MergeOverview:
    """One merge with both records. Raises NotFound."""
    row = merges.get(reading, merge_id)
    kept, merged = (holders.get(reading, id_) for id_ in (row.holder_id, row.merged_id))
    return MergeOverview(row, kept, merged)
