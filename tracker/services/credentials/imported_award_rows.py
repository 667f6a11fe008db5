"""Imported awards written: rows, cycles, and the consequences for the holder's other awards.

Invariant: the row of an award keeps its id and public address; our own number for it still finds it
after an import brings the original number. Two awards of a holder are never current at the same
moment.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NotRequired, TypedDict

from sqlalchemy import delete

from tracker.db import new_id
from tracker.domain import numbers
from tracker.domain.credentials.certifications import CycleTerm as Period
from tracker.domain.schemes.schemes import Scheme
from tracker.models import Certification, Cycle
from tracker.services.core import bulk, history
from tracker.services.core.context import UnitOfWork
from tracker.services.credentials import award_plans, award_rows, awards, timelines
from tracker.services.credentials.award_facts import AwardRow
from tracker.services.credentials.award_plans import FOLLOW, Later
from tracker.services.credentials.award_rows import Consequence
from tracker.services.credentials.imported_awards import ImportedAwardPlan, Planned

GIVEN_BACK, MOVED = "restored", "award date moved"


@dataclass(frozen=True, slots=True)
class ChangedAward:
    """What happened to an award, in words, with a day before and after.

    ``award``: the award's own day changed.
    """

    holder_id: str
    certification_id: str
    number: str
    what: str
    before: date | None
    after: date | None
    award: bool = False


@dataclass(slots=True)
class Written:
    """The counts of new and changed awards, the changes to those on record, and what followed."""

    created: int = 0
    altered: int = 0
    changed: list[ChangedAward] = field(default_factory=list)
    followed: list[Consequence] = field(default_factory=list)


def write(
    work: UnitOfWork,
    plan: ImportedAwardPlan,
    *,
    action: str,
    why: Mapping[str, object],
    later: Later = FOLLOW,
) -> Written:
    """Write the awards as planned, with one history entry for each award on record that changed.

    ``action`` and ``why`` go into these history entries.
    """
    scheme, done = plan.scheme, Written()
    changing = [award for award in plan.awards if award.is_change]
    if not changing:
        return done
    ids = {id(award): award.row.id if award.row is not None else new_id() for award in changing}
    _write_rows(work, plan, changing, ids)
    _write_cycles(work, [(ids[id(award)], award) for award in changing])
    _tell(
        work, scheme, [(ids[id(award)], award) for award in changing], done, action=action, why=why
    )
    holders = sorted({award.stated.holder_id for award in changing})
    done.followed += follow(work, scheme, holders, later)
    timelines.lay_out_again(work, scheme, sorted(ids.values()))
    return done


def follow(
    work: UnitOfWork, scheme: Scheme, holder_ids: Sequence[str], later: Later
) -> list[Consequence]:
    """Make all awards of these holders agree with the imported ones."""
    consequences: list[Consequence] = []
    for ids in bulk.chunks(holder_ids):
        plans = award_plans.plans_of_all(work, scheme, ids, later)
        consequences += award_rows.write(work, scheme, plans, later)
    for dependent in work.schemes.dependents(scheme.code):
        consequences += awards.settle(work, dependent, holder_ids, later)
    return consequences


# Rows.
class _AwardToWrite(TypedDict):
    """The row of an award: to insert with all columns, to update with the first ones."""

    id: str
    number: str
    number_key: str
    former_key: str | None
    awarded_on: date
    edition: str | None
    source: str | None
    imported_at: datetime | None
    voided_at: datetime | None
    void_reason: str | None
    withdrawn_at: datetime | None
    kept_reason: str | None
    sequence: NotRequired[int]
    replaced_on: NotRequired[date | None]
    holder_id: NotRequired[str]
    scheme: NotRequired[str]
    public_id: NotRequired[str]
    recorded_at: NotRequired[datetime]


def _write_rows(
    work: UnitOfWork, plan: ImportedAwardPlan, changing: Sequence[Planned], ids: Mapping[int, str]
) -> None:
    """Write the rows of the holders, in the order of their award days."""
    by_holder: dict[str, list[Planned]] = defaultdict(list)
    for award in changing:
        by_holder[award.stated.holder_id].append(award)
    rows: list[AwardRow] = []
    values: list[_AwardToWrite] = []
    for holder_id, mine in by_holder.items():
        held = plan.by_holder[holder_id].rows.values()
        planned = {ids[id(award)]: award for award in mine}
        rows += held
        values += _in_order(work, plan.scheme, held, planned)
    _put(work, rows, values)


def put_in_order(work: UnitOfWork, rows: Collection[AwardRow]) -> None:
    """Number the rows of one holder by their award days, withdrawn ones last."""
    _put(work, rows, _numbered([_kept(row) for row in rows]))


def _put(work: UnitOfWork, rows: Iterable[AwardRow], values: Sequence[_AwardToWrite]) -> None:
    """Write rows in an order in which no two are ever current or have the same number."""
    on_record = {row.id: row.sequence for row in rows}
    changed = [r for r in values if r["id"] in on_record]
    renumbered = [r for r in changed if on_record[r["id"]] != r["sequence"]]
    bulk.update(
        work, Certification, [{"_id": r["id"], "sequence": -r["sequence"]} for r in renumbered]
    )
    _update(work, [r for r in changed if r["withdrawn_at"]])
    _update(work, [r for r in changed if r["replaced_on"]])
    _update(work, [r for r in changed if r["withdrawn_at"] is None and r["replaced_on"] is None])
    bulk.insert(work, Certification, [r for r in values if r["id"] not in on_record])


def _update(work: UnitOfWork, rows: Iterable[_AwardToWrite]) -> None:
    bulk.update(
        work,
        Certification,
        [{"_id" if name == "id" else name: value for name, value in r.items()} for r in rows],
    )


def _in_order(
    work: UnitOfWork, scheme: Scheme, rows: Collection[AwardRow], planned: Mapping[str, Planned]
) -> list[_AwardToWrite]:
    """All rows of a holder as planned: valid ones by their days, then the withdrawn ones."""
    by_id = {row.id: row for row in rows}
    values = [_values(work, scheme, id_, award, by_id.get(id_)) for id_, award in planned.items()]
    return _numbered(values + [_kept(row) for row in rows if row.id not in planned])


def _numbered(values: list[_AwardToWrite]) -> list[_AwardToWrite]:
    values.sort(key=lambda row: (row["withdrawn_at"] is not None, row["awarded_on"]))
    days = [row["awarded_on"] for row in values if row["withdrawn_at"] is None]
    for place, row in enumerate(values):
        row["sequence"] = place + 1
        row["replaced_on"] = days[place + 1] if place + 1 < len(days) else None
    return values


def _kept(row: AwardRow) -> _AwardToWrite:
    """The row of an award that the import does not mention."""
    return {
        "id": row.id,
        "number": row.number,
        "number_key": row.number_key,
        "former_key": row.former_key,
        "awarded_on": row.awarded_on,
        "edition": row.edition,
        "source": row.source,
        "imported_at": row.imported_at,
        "voided_at": row.voided_at,
        "void_reason": row.void_reason,
        "withdrawn_at": row.withdrawn_at,
        "kept_reason": row.kept_reason,
    }


def _values(
    work: UnitOfWork, scheme: Scheme, id_: str, award: Planned, row: AwardRow | None
) -> _AwardToWrite:
    stated = award.stated
    values: _AwardToWrite = {
        "id": id_,
        "number": stated.number,
        "number_key": numbers.key(stated.number),
        "former_key": None,
        "awarded_on": stated.awarded_on,
        "edition": stated.edition,
        "source": stated.source,
        "imported_at": work.now,
        "voided_at": None,
        "void_reason": None,
        "withdrawn_at": None,
        "kept_reason": None,
    }
    if row is None:
        return {
            **values,
            "holder_id": stated.holder_id,
            "scheme": scheme.code,
            "public_id": secrets.token_urlsafe(16),
            "recorded_at": work.now,
        }
    ours = row.imported_at is None and row.number_key != values["number_key"]
    values["former_key"] = row.number_key if ours else row.former_key
    values["imported_at"] = row.imported_at or work.now
    return values


# Cycles.
def _write_cycles(work: UnitOfWork, changing: Sequence[tuple[str, Planned]]) -> None:
    """Replace the cycles by the imported ones; later renewals are applied again on top."""
    gone = [id_ for id_, award in changing if award.row is not None]
    if gone:
        work.connection.execute(delete(Cycle).where(bulk.among(work, Cycle.certification_id, gone)))
    rows = [timelines.cycle_row(work, id_, c) for id_, award in changing for c in award.cycles]
    bulk.insert(work, Cycle, rows)


# History and notices.
def _tell(
    work: UnitOfWork,
    scheme: Scheme,
    changing: Sequence[tuple[str, Planned]],
    done: Written,
    *,
    action: str,
    why: Mapping[str, object],
) -> None:
    lines: list[tuple[str, dict[str, object]]] = []
    news: list[Consequence] = []
    for id_, award in changing:
        if award.row is None:
            done.created += 1
            news.append(_consequence("awarded", scheme, id_, award, None))
            continue
        changed = _changes(award)
        if changed:
            lines.append((id_, {**why, "changes": changed}))
        done.altered += 1
        done.changed += _named(id_, award, changed)
        if award.row.withdrawn_at is not None:
            news.append(_consequence("restored", scheme, id_, award, None))
        elif award.row.awarded_on != award.stated.awarded_on:
            news.append(_consequence("moved", scheme, id_, award, award.row.awarded_on))
    history.record_many(work, action, "certification", lines)
    award_rows.tell(work, scheme, news)


def _consequence(
    what: award_rows.ConsequenceKind, scheme: Scheme, id_: str, award: Planned, before: date | None
) -> Consequence:
    stated = award.stated
    return Consequence(
        what, stated.holder_id, id_, stated.number, scheme.code, before, stated.awarded_on
    )


def _changes(award: Planned) -> history.Changes:
    """The value of each changed field before and after."""
    row, stated = award.row, award.stated
    if row is None:
        return {}
    names = ("number", "awarded_on", "edition", "source")
    before = {name: getattr(row, name) for name in names}
    after = {name: getattr(stated, name) for name in names}
    before |= {"cycles": _as_text(award.before), "voided_at": row.voided_at}
    after |= {"cycles": _as_text(award.cycles), "voided_at": None}
    return history.changes(before, after)


def _as_text(cycles: Sequence[Period]) -> str:
    return ", ".join(f"{c.starts_on} through {c.expires_on or 'no end'}" for c in cycles)


def _named(id_: str, award: Planned, changed: Collection[str]) -> list[ChangedAward]:
    """The changes that a report lists: a moved or restored award, a new number, a new expiry."""
    row, stated = award.row, award.stated
    if row is None:
        return []
    changes: list[tuple[str, date | None, date | None]] = []
    ended, ends = award.before[-1].expires_on, award.cycles[-1].expires_on
    if row.withdrawn_at is not None:
        changes.append((GIVEN_BACK, None, stated.awarded_on))
    elif row.awarded_on != stated.awarded_on:
        changes.append((MOVED, row.awarded_on, stated.awarded_on))
    if ended != ends:
        changes.append(("expiry moved", ended, ends))
    elif "cycles" in changed and row.awarded_on == stated.awarded_on:
        changes.append(("cycles corrected", ended, ends))
    if row.number != stated.number:
        changes.append((f"number was {row.number}", row.awarded_on, stated.awarded_on))
    return [
        ChangedAward(
            stated.holder_id, id_, stated.number, *what, award=what[0] in {GIVEN_BACK, MOVED}
        )
        for what in changes
    ]
