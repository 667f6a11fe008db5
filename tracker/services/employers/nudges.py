"""Nudges: an employer reminds workers who share with it, through us, in words that we wrote.

Invariant: a worker is nudged by an employer at most once a fortnight. The row of the pair decides
(``EmployerNudge``): one statement writes it only if the last nudge is long enough ago, so of two
requests at once one finds nobody. An employer does not learn whether a message arrives: whoever
switched reminders off gets none, and is nudged all the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from sqlalchemy import and_, select

from tracker.db import new_id
from tracker.domain.delivery.notices import NoticeKind
from tracker.domain.employers import nudges as rules
from tracker.domain.employers.nudges import NotNudgedReason
from tracker.domain.errors import NotFound
from tracker.models import EmployerNudge, RosterEntry, Sharing
from tracker.services.core import bulk, history
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.employers import employers
from tracker.services.employers.workforce_selection import (
    STATUS,
    URGENCY,
    WorkforceFilter,
    parameters,
    question,
    selected,
)
from tracker.services.outbox import notices
from tracker.services.outbox.notices import NoticeToTell

MOST = 1000
"""How many workers are looked at, and perhaps nudged, at once; the most urgent first."""
_MAY_BE = "may_be"


@dataclass(frozen=True, slots=True)
class NudgedWorker:
    """What became of nudging one worker: nudged, or why not and from when it is possible."""

    entry_id: str
    nudged: bool
    reason: NotNudgedReason | None = None
    again_on: date | None = None


@dataclass(frozen=True, slots=True)
class NudgePreview:
    """How many would be nudged; ``others`` are the rest by the reason why they would not be."""

    nudged: int
    others: Mapping[str, int]
    is_cut: bool


@dataclass(frozen=True, slots=True)
class NudgeState:
    """When a worker was last nudged and by whom, and whether they may be today."""

    nudged_on: date | None
    nudged_by: str | None
    today: NudgedWorker


class _NudgeableRow(NamedTuple):
    id: str
    holder_id: str | None
    status: str
    nudged_on: date | None
    nudged_by: str | None


_LAST = and_(
    EmployerNudge.holder_id == Sharing.holder_id,
    EmployerNudge.employer_id == RosterEntry.employer_id,
)


def preview(reading: ReadContext, selection: WorkforceFilter) -> NudgePreview:
    """Whom ``nudge_all`` would nudge now, by which nobody is nudged. Raises NotFound."""
    ids = _ids(reading, selection)
    today = _today(reading, selection)
    results = [_result(row, today.on) for row in _rows(reading, today, ids[:MOST])]
    others = Counter(one.reason or _MAY_BE for one in results)
    return NudgePreview(others.pop(_MAY_BE, 0), others, len(ids) > MOST)


def state(reading: ReadContext, selection: WorkforceFilter, entry_id: str) -> NudgeState:
    """The last nudge of one worker, and whether they may be nudged today. Raises NotFound."""
    today = _today(reading, selection)
    (row,) = _rows(reading, today, [entry_id])
    return NudgeState(row.nudged_on, row.nudged_by, _result(row, today.on))


def nudge_all(work: UnitOfWork, selection: WorkforceFilter) -> int:
    """Nudge those whom a filter finds, as far as they may be; how many are. Raises NotFound."""
    return sum(one.nudged for one in _nudge(work, selection, _ids(work, selection)[:MOST]))


def nudge(
    work: UnitOfWork, employer_id: str, entry_ids: Collection[str], scheme: str
) -> list[NudgedWorker]:
    """Nudge these workers about a scheme, and say of each whether they are.

    Raises NotFound, also for an entry of another employer or one that has ended; UnknownScheme.
    """
    return _nudge(work, question(work, employer_id, scheme, on=None), entry_ids)


def _nudge(
    work: UnitOfWork, selection: WorkforceFilter, entry_ids: Collection[str]
) -> list[NudgedWorker]:
    today = _today(work, selection)
    rows = _rows(work, today, entry_ids)
    results = {row.id: _result(row, today.on) for row in rows}
    wanted = {row.holder_id: row for row in rows if row.holder_id and results[row.id].nudged}
    taken = _take(work, today, wanted)
    _tell(work, today, taken)
    detail = {"scheme": today.scheme.code}
    nudged = [row.id for row in rows if row.holder_id in taken]
    history.record_many(work, "nudge", "roster_entry", ((id_, detail) for id_ in nudged))
    return [
        result
        if not result.nudged or id_ in nudged
        else _refused(id_, NotNudgedReason.NUDGED, today.on)
        for id_, result in results.items()
    ]


def _take(work: UnitOfWork, today: WorkforceFilter, holder_ids: Collection[str]) -> frozenset[str]:
    """Note these nudges in the rows of their pairs; the holders whose row was not too recent."""
    rows = [
        {
            "id": new_id(),
            "holder_id": holder_id,
            "employer_id": today.employer_id,
            "scheme": today.scheme.code,
            "nudged_on": today.on,
            "nudged_by": work.actor.name,
            "recorded_at": work.now,
        }
        for holder_id in sorted(holder_ids)
    ]
    if not rows:
        return frozenset()
    insert = work.upsert(EmployerNudge)
    fresh = ("scheme", "nudged_on", "nudged_by", "recorded_at")
    taken = insert.on_conflict_do_update(
        index_elements=("holder_id", "employer_id"),
        set_={name: getattr(insert.excluded, name) for name in fresh},
        where=EmployerNudge.nudged_on <= today.on - rules.NUDGED_EVERY,
    )
    made = work.rows(taken.returning(EmployerNudge.holder_id), rows)
    return frozenset(row.holder_id for row in made)


def _tell(work: UnitOfWork, today: WorkforceFilter, holder_ids: Collection[str]) -> None:
    notices.tell(
        work,
        (
            NoticeToTell(
                kind=NoticeKind.EMPLOYER_NUDGE,
                holder_id=holder_id,
                subject_id=today.employer_id,
                event=f"{today.scheme.code}:{today.on}",
                on=today.on,
            )
            for holder_id in sorted(holder_ids)
        ),
    )


def _ids(reading: ReadContext, selection: WorkforceFilter) -> list[str]:
    employers.get(reading, selection.employer_id)
    statement = selected(select(RosterEntry.id), selection).order_by(URGENCY, RosterEntry.id)
    rows = reading.rows(statement.limit(MOST + 1), parameters(reading, selection))
    return [row[0] for row in rows]


def _today(reading: ReadContext, selection: WorkforceFilter) -> WorkforceFilter:
    """All workers of the employer today, whatever day the filter chose them by."""
    scheme = selection.scheme
    return WorkforceFilter(selection.employer_id, scheme, reading.today(scheme))


def _rows(
    reading: ReadContext, today: WorkforceFilter, entry_ids: Collection[str]
) -> Sequence[_NudgeableRow]:
    """These workers and their last nudges, all of them. Raises NotFound."""
    columns = (
        RosterEntry.id,
        Sharing.holder_id,
        STATUS.label("status"),
        EmployerNudge.nudged_on,
        EmployerNudge.nudged_by,
    )
    statement = selected(select(*columns), today).join(EmployerNudge, _LAST, isouter=True)
    some = statement.where(bulk.among(reading, RosterEntry.id, set(entry_ids)))
    ordered = some.order_by(RosterEntry.id)
    rows = reading.rows_as(_NudgeableRow, ordered, parameters(reading, today))
    if len(rows) != len(set(entry_ids)):
        raise NotFound
    return rows


def _result(row: _NudgeableRow, on: date) -> NudgedWorker:
    """Whether a worker may be nudged on a day."""
    shared = row.holder_id is not None
    reason = rules.reason_against(row.status, shared=shared, nudged_on=row.nudged_on, on=on)
    if reason is None:
        return NudgedWorker(row.id, nudged=True)
    return _refused(row.id, reason, row.nudged_on)


def _refused(id_: str, reason: NotNudgedReason, nudged_on: date | None) -> NudgedWorker:
    too_soon = reason == NotNudgedReason.NUDGED
    again_on = rules.may_nudge_from(nudged_on) if too_soon else None
    return NudgedWorker(id_, nudged=False, reason=reason, again_on=again_on)
