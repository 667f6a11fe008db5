"""The records that rows name: holders by ref, certifications by holder and scheme."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import NamedTuple, Protocol, TypeVar

from sqlalchemy import and_, func, or_, select

from tracker.db import Base, new_id
from tracker.domain.credentials import certifications as rules
from tracker.domain.schemes.schemes import Scheme
from tracker.domain.values import folded_name, padded_otherwise
from tracker.models import Certification, Cycle, Holder
from tracker.services.core import bulk, locks
from tracker.services.core.context import ReadContext, columns_of
from tracker.services.imports.run import ImportRow, Run
from tracker.services.standings import snapshots
from tracker.services.standings.snapshots import HolderScheme

_ID = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")  # as written by db.new_id
OWN = (
    "is your own record, or that of the person who created your token; someone else must import it"
)
_MOST_MEANT = 3
UNKNOWN_HOLDER = "is not a holder on record; import holders first"


class Referenced(Protocol):
    """A named tuple of a record's columns, the ref and the id among them."""

    @property
    def ref(self) -> str | None:
        """The key in files."""

    @property
    def id(self) -> str:
        """The record's id."""


Record = TypeVar("Record", bound=Referenced)


class _OfCertification(NamedTuple):
    ref: str | None
    id: str
    certification_id: str


def by_ref(
    reading: ReadContext, table: type[Base], refs: Collection[str], kind: type[Record]
) -> dict[str, Record]:
    """The table's rows with these refs, with the columns of ``kind``.

    A row without a ref is exported under its id, and is found by that id when imported again.
    """
    columns = bulk.table_of(table).c
    statement = select(*columns_of(kind, table))
    named = bulk.among(reading, columns.ref, refs)
    if ids := [ref for ref in refs if _ID.fullmatch(ref)]:
        named = or_(named, and_(columns.ref.is_(None), bulk.among(reading, columns.id, ids)))
    return {row.ref or row.id: row for row in reading.rows_as(kind, statement.where(named))}


def holders(run: Run, rows: Collection[ImportRow]) -> dict[str, str]:
    """The ids of the holders that rows name; unknown ones are refused.

    The ref of a record that was merged into another one names that one. They are locked as for any
    staff decision, and a row about the actor's own record is refused.
    """
    refs = {row["holder_ref"] for row in rows}
    known = func.coalesce(Holder.merged_into_id, Holder.id).label("id")
    statement = select(Holder.ref, known).where(bulk.among(run.work, Holder.ref, refs))
    ids = {row.ref: row.id for row in run.work.rows(statement)}
    own = locks.lock_to_decide(run.work, ids.values())
    refuse_unknown(run, [row for row in rows if row["holder_ref"] not in ids])
    for row in rows:
        if ids.get(row["holder_ref"]) in own:
            run.refuse(row, "holder_ref", OWN)
    return ids


def refuse_unknown(run: Run, rows: Collection[ImportRow]) -> None:
    """Refuse rows with an unknown holder_ref, and suggest refs with lost leading zeros.

    Queries the database once, and not at all if no more errors are shown.
    """
    keys = {ref: padded_otherwise(ref) for ref in {row["holder_ref"] for row in rows}}
    padded = {other for others in keys.values() for other in others}
    on_record = _refs(run.work, padded) if padded and run.problems.has_room else set()
    for row in rows:
        meant = [ref for ref in keys[row["holder_ref"]] if ref in on_record]
        run.refuse(row, "holder_ref", _zeros_lost(meant) if meant else UNKNOWN_HOLDER)


def _refs(reading: ReadContext, refs: Collection[str]) -> set[str]:
    statement = select(Holder.ref).where(bulk.among(reading, Holder.ref, refs))
    return {row.ref for row in reading.rows(statement)}


def _zeros_lost(meant: Sequence[str]) -> str:
    return (
        f"is not a holder on record; did you mean {' or '.join(meant[:_MOST_MEANT])}? "
        "Spreadsheets remove leading zeros: write it as it is on record, in a column with the "
        "format Text"
    )


def certified(
    run: Run, rows: Collection[ImportRow], *, table: type[Base], day: str
) -> list[tuple[ImportRow, Scheme, str]]:
    """The rows, each with its scheme and the id of the certification it names.

    If a holder has several awards, it is the one that counted on the row's ``day``; a row that is
    on record in ``table`` stays with its certification. Unknown holders and schemes are refused,
    and holders who were never certified in the scheme.
    """
    ids = holders(run, rows)
    held = _awards(run.work, set(ids.values()))
    on_record = by_ref(run.work, table, [row.key for row in rows], _OfCertification)
    matches: list[tuple[ImportRow, Scheme, str]] = []
    for row in rows:
        scheme, holder_id = run.scheme(row), ids.get(row["holder_ref"])
        if scheme is None or holder_id is None:
            continue
        awards = held.get((holder_id, scheme.code))
        old = on_record.get(row.key)
        if awards is None:
            run.refuse(row, "holder_ref", f"was never certified under {scheme.code}")
        elif old is not None and any(old.certification_id == id_ for _, id_ in awards):
            matches.append((row, scheme, old.certification_id))
        else:
            begun = [id_ for awarded_on, id_ in awards if awarded_on <= row[day]]
            matches.append((row, scheme, begun[-1] if begun else awards[0][1]))
    return matches


def _awards(
    reading: ReadContext, holder_ids: Collection[str]
) -> dict[HolderScheme, list[tuple[date, str]]]:
    """The awards of holders with their days, in order."""
    table = Certification
    statement = (
        select(table.holder_id, table.scheme, table.awarded_on, table.id)
        .where(bulk.among(reading, table.holder_id, holder_ids), snapshots.NOT_WITHDRAWN)
        .order_by(table.sequence)
    )
    awards: dict[HolderScheme, list[tuple[date, str]]] = defaultdict(list)
    for row in reading.rows(statement):
        awards[row.holder_id, row.scheme].append((row.awarded_on, row.id))
    return awards


def cycles(
    reading: ReadContext, holder_ids: Collection[str]
) -> dict[HolderScheme, list[rules.CycleTerm]]:
    """The cycles opened so far, by holder and scheme; those of several awards in sequence."""
    statement = (
        select(
            Certification.holder_id,
            Certification.scheme,
            *snapshots.CYCLE,
        )
        .join(Cycle, Cycle.certification_id == Certification.id)
        .where(
            bulk.among(reading, Certification.holder_id, holder_ids),
            snapshots.NOT_WITHDRAWN,
        )
        .order_by(Certification.sequence, Cycle.ordinal)
    )
    by_holder: dict[HolderScheme, list[rules.CycleTerm]] = defaultdict(list)
    for holder_id, scheme, *values in reading.rows(statement):
        cycles = by_holder[holder_id, scheme]
        cycles.append(replace(rules.CycleTerm(*values), ordinal=len(cycles) + 1))
    return by_holder


def refuse_spellings(
    run: Run, column: str, new: Mapping[str, ImportRow], known: Mapping[str, str | None]
) -> set[str]:
    """Refuse names that match others except for case, accents and marks; returns the refused ones.

    ``new`` holds the first row of each name that is not on record, ``known`` the names on record
    that it may mean. New names are also compared with each other, across the whole file.
    """
    keys = {name: folded_name(name) for name in new}
    rows = [(keys[name], row.number) for name, row in new.items()]
    first = run.scratch.first_rows(column, rows)
    own = [(name, row.number) for name, row in new.items()]
    spelled = run.scratch.first_rows(f"spelling of {column}", own)
    refused = set()
    for name, row in new.items():
        if (same := known[name]) is not None:
            rule = f"is on record as {same!r}; spell it that way"
        elif first[keys[name]] < spelled[name]:
            rule = f"is spelled differently in row {first[keys[name]]}; use one spelling"
        else:
            continue
        run.refuse(row, column, rule)
        refused.add(name)
    return refused


def by_name(reading: ReadContext, table: type[Base], names: Collection[str]) -> dict[str, str]:
    """The ids of rows of a directory (employers or centers), by name."""
    columns = bulk.table_of(table).c
    statement = select(columns.name, columns.id).where(bulk.among(reading, columns.name, names))
    return {row.name: row.id for row in reading.rows(statement)}


def added_by_name(
    run: Run, table: type[Base], names: Collection[str], **values: object
) -> dict[str, str]:
    """The same, with missing ones added; the run counts them."""
    ids = by_name(run.work, table, names)
    missing = sorted(set(names) - ids.keys())
    if missing:
        now = run.work.now
        rows = [
            {"id": new_id(), "name": name, "recorded_at": now, "version": 1, **values}
            for name in missing
        ]
        run.work.connection.execute(run.work.upsert(table).on_conflict_do_nothing(), rows)
        run.effects[f"{bulk.table_of(table).name}s added"] += len(missing)
        ids |= by_name(run.work, table, missing)
    return ids
