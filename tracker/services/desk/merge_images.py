"""What a merge changed, row by row, so that it can be undone exactly.

The rows of both people are read before and after; what differs is kept. So nothing that a merge
does, now or after it has learned more, has to say itself how it is undone. Undoing it writes the
former values, if the changed ones are still there.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Date,
    FromClause,
    Table,
    and_,
    delete,
    insert,
    or_,
    select,
    true,
    update,
)

from tracker.db import Base, Instant, new_id
from tracker.domain.credentials.center_results import ResultState
from tracker.domain.errors import CannotBeUndone
from tracker.models import (
    Account,
    ActApproval,
    Activity,
    Adjustment,
    Appeal,
    Apprenticeship,
    Assessment,
    Attendance,
    AuditItem,
    CenterResult,
    Certification,
    Cycle,
    Discrepancy,
    EmployerBar,
    EmployerLook,
    EmployerNudge,
    EmploymentConfirmation,
    Erasure,
    Fee,
    FormerName,
    Holder,
    HolderRequest,
    HolderWord,
    LikelyDuplicate,
    ManagedCase,
    MergedRow,
    Message,
    ModuleCertificate,
    Notice,
    OtherCredential,
    PathwayChoice,
    Preference,
    RecordMerge,
    Recovery,
    Renewal,
    RosterEntry,
    Sharing,
    SignIn,
    StandingChange,
    Token,
    WorkerSeen,
    WorkPermission,
)
from tracker.services.core import bulk
from tracker.services.core.context import ReadContext, UnitOfWork

KeptValues = Mapping[str, Any]
RowKey = tuple[str, tuple[object, ...]]
"""A table's name and a primary key."""


@dataclass(frozen=True, slots=True)
class TableInMerge:
    """What a merge does with the rows of a table.

    ``moves``: they go to the record that stays. Of two rows that agree in ``unless`` only one can
    be the person's; that of the merged record stays where it was. Rows that are not ``alive`` are
    in nobody's way. ``is_sealed``: the merge cannot be undone after such a row of the person was
    added or changed.
    """

    moves: bool = True
    unless: tuple[str, ...] = ()
    alive: Callable[[FromClause], ColumnElement[bool]] = lambda _: true()
    is_sealed: bool = False
    why: str = ""


_BY_CERTIFICATION = TableInMerge(moves=False, is_sealed=True, why="follows its certification")
TABLES: Mapping[type[Base], TableInMerge] = {
    Holder: TableInMerge(),  # records that were merged into this one before
    Account: TableInMerge(moves=False, why="one of two accounts is closed"),
    ActApproval: TableInMerge(),
    Activity: TableInMerge(),
    Adjustment: _BY_CERTIFICATION,
    Appeal: _BY_CERTIFICATION,
    Apprenticeship: TableInMerge(unless=("sponsor_id", "program_code", "started_on")),
    Assessment: TableInMerge(is_sealed=True),
    Attendance: TableInMerge(),
    AuditItem: TableInMerge(),
    CenterResult: TableInMerge(
        unless=("center_id", "scheme", "module", "taken_on"),
        alive=lambda result: result.c.state != ResultState.SENT_BACK,
    ),
    Certification: TableInMerge(moves=False, is_sealed=True, why="some lead to others"),
    Cycle: _BY_CERTIFICATION,
    Discrepancy: TableInMerge(),
    EmployerBar: TableInMerge(unless=("employer_id",)),
    EmployerNudge: TableInMerge(unless=("employer_id",)),
    EmploymentConfirmation: TableInMerge(
        unless=("employer_id", "year"), alive=lambda row: row.c.withdrawn_at.is_(None)
    ),
    Erasure: TableInMerge(moves=False, why="tells of a request about that record"),
    Fee: TableInMerge(),
    FormerName: TableInMerge(),
    HolderRequest: TableInMerge(),
    HolderWord: TableInMerge(moves=False, why="follows from names and addresses"),
    LikelyDuplicate: TableInMerge(moves=False, why="is about these two records"),
    ManagedCase: TableInMerge(unless=("sponsor_id",)),
    Message: TableInMerge(),
    ModuleCertificate: TableInMerge(),
    Notice: TableInMerge(unless=("kind", "subject_id", "event")),
    OtherCredential: TableInMerge(),
    PathwayChoice: TableInMerge(),
    Preference: TableInMerge(unless=("type",)),
    RecordMerge: TableInMerge(moves=False, why="is about these two records"),
    Recovery: TableInMerge(),
    Renewal: _BY_CERTIFICATION,
    RosterEntry: TableInMerge(),
    Sharing: TableInMerge(),
    SignIn: TableInMerge(moves=False, why="is void once the access has ended"),
    StandingChange: _BY_CERTIFICATION,
    Token: TableInMerge(moves=False, why="is revoked, and stays so"),
    WorkPermission: TableInMerge(),
    WorkerSeen: TableInMerge(unless=("look_id",)),
}
"""Every table that refers to a holder, and those of certifications whose rows a merge may change.

Derived rows are computed again: spans and reminder cursors are not here, words are not kept.
"""
_NOT_KEPT = {Erasure, HolderWord, RecordMerge, SignIn, Token}
_IMAGED = [table for table in TABLES if table not in _NOT_KEPT]
_STAYS_ADDED = frozenset(
    {"certification", "message", "module_certificate", "notice", "likely_duplicate"}
)
"""Rows that a merge adds and that stay: a certificate once issued, and what was told."""

_ASIDE = ("sequence", "withdrawn_at")


def move(work: UnitOfWork, *, from_id: str, to_id: str) -> dict[str, int]:
    """Give the rows of one record to another; returns how many went, by table."""
    counts: dict[str, int] = {}
    for model, way in TABLES.items():
        if not way.moves:
            continue
        table = bulk.table_of(model)
        owner = table.c.merged_into_id if model is Holder else table.c.holder_id
        statement = update(table).where(owner == from_id).values({owner.name: to_id})
        if way.unless:
            other = table.alias("other")
            same = (other.c[name] == table.c[name] for name in way.unless)
            taken = select(1).where(other.c.holder_id == to_id, way.alive(other), *same).exists()
            statement = statement.where(~taken | ~way.alive(table))
        counts[table.name] = work.execute(statement).rowcount
    return {name: count for name, count in counts.items() if count}


# Images.
def of_people(reading: ReadContext, holder_ids: Collection[str]) -> dict[RowKey, KeptValues]:
    """All rows of these people, by table and primary key."""
    image: dict[RowKey, KeptValues] = {}
    held = select(Certification.id).where(Certification.holder_id.in_(holder_ids))
    for model in _IMAGED:
        table = bulk.table_of(model)
        which = [column.in_(holder_ids) for column in _referring(table, "holder")]
        if model is Holder:
            which.append(table.c.id.in_(holder_ids))
        if not which:
            which = [column.in_(held) for column in _referring(table, "certification")]
        for row in reading.rows(select(table).where(or_(*which))):
            values = row._asdict()
            key = tuple(values[column.name] for column in table.primary_key)
            image[table.name, key] = values
    return image


def _referring(table: Table, to: str) -> list[Any]:
    return [key.parent for key in table.foreign_keys if key.column.table.name == to]


class ChangedRow(NamedTuple):
    """A row that a merge changed: the columns before and after; None: there was or is no row."""

    table: Table
    key: KeptValues
    before: KeptValues | None
    after: KeptValues | None


def differences(
    before: Mapping[RowKey, KeptValues], after: Mapping[RowKey, KeptValues]
) -> Iterator[ChangedRow]:
    """The rows in which two images differ, as far as undoing it concerns them."""
    tables = {table.name: table for table in map(bulk.table_of, TABLES)}
    for name, key in sorted(before.keys() | after.keys(), key=str):
        was, now, table = before.get((name, key)), after.get((name, key)), tables[name]
        columns = dict(zip((column.name for column in table.primary_key), key, strict=True))
        if was is None:
            if name not in _STAYS_ADDED and not _is_of_new(now or {}, before):
                yield ChangedRow(table, columns, None, now)
        elif now is None:
            yield ChangedRow(table, columns, was, None)
        elif changed := [n for n in was if was[n] != now[n] and n != "version"]:
            if name == "certification":  # undoing it takes these out of the way first
                changed = sorted({*changed, *_ASIDE})
            yield ChangedRow(
                table, columns, {n: was[n] for n in changed}, {n: now[n] for n in changed}
            )


def _is_of_new(row: KeptValues, before: Mapping[RowKey, KeptValues]) -> bool:
    """Whether a row belongs to a certification that the merge has made, and stays with it."""
    id_ = row.get("certification_id")
    return id_ is not None and ("certification", (id_,)) not in before


def seals(reading: ReadContext, holder_ids: Collection[str]) -> dict[str, str]:
    """A digest of the rows that decide the certifications of these people, by table."""
    sealed = {bulk.table_of(model).name for model, way in TABLES.items() if way.is_sealed}
    rows: dict[str, list[str]] = defaultdict(list)
    for (name, _), values in of_people(reading, holder_ids).items():
        if name in sealed:
            rows[name].append(json.dumps(values, sort_keys=True, default=str))
    return {
        name: hashlib.sha256("\n".join(sorted(rows[name])).encode()).hexdigest()
        for name in sorted(sealed)
    }


# Keeping and restoring.
def keep(work: UnitOfWork, merge_id: str, rows: Iterable[ChangedRow]) -> None:
    """Store what a merge changed."""
    stored = [
        {
            "id": new_id(),
            "merge_id": merge_id,
            "table_name": row.table.name,
            "key": _to_json(row.key),
            "before": _to_json(row.before),
            "after": _to_json(row.after),
        }
        for row in rows
    ]
    bulk.insert(work, MergedRow, stored)


def kept(reading: ReadContext, merge_id: str) -> list[ChangedRow]:
    """What a merge changed, as it was stored."""
    tables = {table.name: table for table in map(bulk.table_of, TABLES)}
    columns = (MergedRow.table_name, MergedRow.key, MergedRow.before, MergedRow.after)
    statement = select(*columns).where(MergedRow.merge_id == merge_id).order_by(MergedRow.id)
    return [
        ChangedRow(
            table := tables[name],
            key,
            _from_json(table, before),
            _from_json(table, after),
        )
        for name, key, before, after in reading.rows(statement)
    ]


def restore(work: UnitOfWork, rows: Sequence[ChangedRow]) -> None:
    """Write the former values. Raises CannotBeUndone if something was changed since.

    First go those added, then all certifications out of the way of each other, then what moves back
    to the other record before what becomes valid again.
    """
    rows = _without_forgotten(work, rows)
    for row in rows:
        if row.before is None:
            _write(work, row, delete(row.table), row.after or {})
    certifications = [row for row in rows if row.table.name == "certification"]
    for place, row in enumerate(certifications):
        aside = dict(zip(_ASIDE, (-1 - place, work.now), strict=True))
        _write(work, row, update(row.table).values(aside), row.after or {})
    for row in sorted(rows, key=_order):
        if row.before is None:
            continue
        if row.after is None:
            work.execute(insert(row.table).values({**row.before}))
            continue
        expected = {} if row.table.name == "certification" else row.after
        _write(work, row, update(row.table).values(_with_version(row)), expected)


def _without_forgotten(work: UnitOfWork, rows: Sequence[ChangedRow]) -> list[ChangedRow]:
    """The rows without those of employers' looks that are gone, as all are after a period."""
    looks = {row.key["look_id"] for row in rows if row.table.name == WorkerSeen.__tablename__}
    known = select(EmployerLook.id).where(bulk.among(work, EmployerLook.id, looks))
    gone = looks - {row.id for row in work.rows(known)} if looks else set()
    return [row for row in rows if row.key.get("look_id") not in gone]


def _order(row: ChangedRow) -> tuple[bool, bool]:
    """What moves comes first, then what the database lets only one of be valid."""
    before = row.before or {}
    return "holder_id" not in before, before.get("withdrawn_at") is None


def _with_version(row: ChangedRow) -> dict[str, Any]:
    values = dict(row.before or {})
    if "version" in row.table.c:
        values["version"] = row.table.c.version + 1
    return values


def _write(work: UnitOfWork, row: ChangedRow, statement: Any, expected: KeptValues) -> None:
    columns = row.table.c
    if row.before is None:  # it was added, and goes whatever it says now
        expected = {}
    same = (columns[name].is_not_distinct_from(value) for name, value in expected.items())
    key = and_(*(columns[name] == value for name, value in row.key.items()))
    if work.execute(statement.where(key, *same)).rowcount != 1:
        raise changed_since(row.table.name)


def changed_since(table: str) -> CannotBeUndone:
    """The refusal to undo a merge after which something of a table was changed."""
    return CannotBeUndone(
        f"Since the merge, something of the person in {table!r} was added, changed or removed, and"
        " it is not known to which record that belongs. Undo that first, or register the other"
        " person anew.",
        table=table,
    )


def _to_json(values: KeptValues | None) -> dict[str, Any] | None:
    if values is None:
        return None
    return {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in values.items()
    }


def _from_json(table: Table, values: KeptValues | None) -> dict[str, Any] | None:
    if values is None:
        return None
    return {name: _value(table.c[name].type, value) for name, value in values.items()}


def _value(kind: object, value: object) -> object:
    if isinstance(value, str) and isinstance(kind, Instant):
        return datetime.fromisoformat(value)
    if isinstance(value, str) and isinstance(kind, Date):
        return date.fromisoformat(value)
    return value
