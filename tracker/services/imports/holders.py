"""holders: people on record, by holder_ref.

A file adds people and updates what earlier files said of them. It does not undo what a person or
the staff changed since: that value stays, and the report lists it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import select

from tracker.domain.names import FoldedName, as_stored, is_same
from tracker.domain.schemes.activity_types import ENGLISH
from tracker.language.catalogues import LANGUAGES
from tracker.models import Account, HistoryEntry, HistoryValue, Holder
from tracker.services.core import bulk, locks
from tracker.services.core.context import UnitOfWork, columns_of
from tracker.services.imports.batches import Batch
from tracker.services.imports.lookups import OWN
from tracker.services.imports.run import ImportKind, ImportRow, RowValues, Run
from tracker.services.outbox import cursors, suppressions
from tracker.services.people import (
    accounts,
    duplicates,
    holders,
    names,
    own_records,
    search_words,
)
from tracker.services.people.search_words import NamedPerson
from tracker.tabular import Column, choice, email, text, time_zone

_REQUIRED = ("given_name", "family_name", "email")
_OPTIONAL = ("second_email", "language", "time_zone")
_FIELDS = (*_REQUIRED, *_OPTIONAL)
_LOOKED_AT = ("time_zone", "email", "second_email")  # decide whether and when reminders arrive
_FOUND_BY = ("folded_name", *holders.ADDRESSES)
_CONFIRMED = tuple(f"{name}_confirmed" for name in holders.ADDRESSES)
# Optional cells: without them the record stays as it is, and new holders get these values.
_DEFAULTS = {"language": ENGLISH, "time_zone": "America/New_York"}


class _HolderOnRecord(NamedTuple):
    ref: str
    id: str
    folded_name: str
    given_name: str
    family_name: str
    email: str
    second_email: str | None
    language: str
    time_zone: str
    email_confirmed: bool
    second_email_confirmed: bool
    merged_into_id: str | None


def _take(run: Run, rows: Collection[ImportRow]) -> None:
    if run.broken:
        return
    on_record = _on_record(run, rows)
    rows = _without_merged(run, run.good(rows), on_record)
    if run.broken:
        return
    wanted = {row.key: _values(run, row, on_record.get(row.key)) for row in rows}
    _keep_what_people_changed(run, rows, on_record, wanted)
    claimed = _claimed(run.work, on_record)
    for row in rows:
        old = on_record.get(row.key)
        trusted = old is None or old.id not in claimed
        wanted[row.key] |= _confirmed(old, wanted[row.key], trusted=trusted)
    _name(run.work, on_record, wanted)
    batch = Batch(run, Holder, subject="holder", derived=("folded_name", *_CONFIRMED))
    moved: list[str] = []
    second: list[tuple[str, str]] = []
    for row in rows:
        old, values = on_record.get(row.key), wanted[row.key]
        batch.add(old, values, ref=row.key, recorded_at=run.work.now, version=1)
        if old is not None and any(getattr(old, name) != values[name] for name in _LOOKED_AT):
            moved.append(old.id)
        if old is not None and old.second_email not in {None, values["second_email"]}:
            second.append((old.id, old.second_email))
    batch.write()
    _store_words(run.work, on_record, wanted, batch.ids)
    _warn_of_duplicates(run, [row for row in rows if row.key not in on_record], batch.ids)
    named = [wanted[row.key][name] for row in rows for name in ("email", "second_email")]
    suppressions.recall(run.work, [address for address in named if address])
    accounts.forget_addresses(run.work, second)
    cursors.touch_holders(run.work, moved)


def _on_record(run: Run, rows: Collection[ImportRow]) -> dict[str, _HolderOnRecord]:
    """The people whom the rows name, locked; refuses rows that would change one's own record."""
    work, refs = run.work, [row.key for row in rows]
    ids = {row.id for row in work.rows(_IDS.where(bulk.among(work, Holder.ref, refs)))}
    own = locks.lock_to_decide(work, ids)
    statement = select(*columns_of(_HolderOnRecord, Holder))
    people = work.rows_as(_HolderOnRecord, statement.where(bulk.among(work, Holder.id, ids)))
    on_record = {holder.ref: holder for holder in people}
    for row in rows:
        old = on_record.get(row.key)
        if (
            old is not None
            and old.id in own
            and any(
                row[name] is not None and row[name] != getattr(old, name)
                for name in _FIELDS
                if name in run.header
            )
        ):
            run.refuse(row, "holder_ref", OWN)
    return on_record


def _without_merged(
    run: Run, rows: Sequence[ImportRow], on_record: dict[str, _HolderOnRecord]
) -> Sequence[ImportRow]:
    """The rows but those of records that were merged into others, which stay as they are."""
    merged = {ref for ref, old in on_record.items() if old.merged_into_id is not None}
    for row in rows:
        if row.key in merged:
            run.warn(row.number, "holder_ref", _MERGED)
            run.counts["unchanged"] += 1
            del on_record[row.key]
    return [row for row in rows if row.key not in merged]


_IDS = select(Holder.id)
_MERGED = "names a record that was merged into another one; the row is left out"


def _values(run: Run, row: ImportRow, old: _HolderOnRecord | None) -> RowValues:
    """The values of the row; where it has none, those on record."""
    values: RowValues = {name: as_stored(row[name]) for name in _REQUIRED}
    for name in _OPTIONAL:
        kept = getattr(old, name) if old else _DEFAULTS.get(name)
        given = name in run.header and (row[name] is not None or name not in _DEFAULTS)
        values[name] = row[name] if given else kept
    return values


def _claimed(work: UnitOfWork, on_record: Mapping[str, _HolderOnRecord]) -> set[str]:
    """The people whom nobody of the staff alone may give another address that signs in.

    Those are the holders with an account, as in ``holders.write()``; only files of the operator,
    from the system that keeps the addresses, are trusted with them.
    """
    if work.actor.who is None:
        return set()
    ids = {old.id for old in on_record.values()}
    rows = work.rows(select(Account.holder_id).where(bulk.among(work, Account.holder_id, ids)))
    return {row.holder_id for row in rows}


def _confirmed(old: _HolderOnRecord | None, values: RowValues, *, trusted: bool) -> dict[str, bool]:
    """A new address from a file that is trusted is confirmed; an unchanged one keeps its state."""
    return {
        f"{name}_confirmed": old is None
        or (values[name] != getattr(old, name) and trusted)
        or (values[name] == getattr(old, name) and getattr(old, f"{name}_confirmed"))
        for name in holders.ADDRESSES
    }


def _name(
    work: UnitOfWork, on_record: Mapping[str, _HolderOnRecord], wanted: Mapping[str, RowValues]
) -> None:
    """Add the searchable names; names that are replaced become former names."""
    changed = {
        ref: old for ref, old in on_record.items() if not is_same(_of(wanted[ref]), names.of(old))
    }
    replaced = [
        names.Replaced(old.id, names.of(old), holders.today(work, old)) for old in changed.values()
    ]
    former = names.keep(work, replaced) if replaced else {}
    for ref, values in wanted.items():
        old = on_record.get(ref)
        values.update(names.columns(_of(values), former.get(old.id, ()) if old else ()))
        if old is not None and ref not in changed:
            values["folded_name"] = old.folded_name


def _store_words(
    work: UnitOfWork,
    on_record: Mapping[str, _HolderOnRecord],
    wanted: Mapping[str, RowValues],
    ids: Mapping[str, str],
) -> None:
    """Store what people are found by, of new ones without reading them again."""
    new = (
        NamedPerson(ids[ref], values["folded_name"], values["email"], values["second_email"])
        for ref, values in wanted.items()
        if ref not in on_record
    )
    search_words.add(work, new)
    changed = (
        old.id
        for ref, old in on_record.items()
        if ref in wanted and any(getattr(old, name) != wanted[ref][name] for name in _FOUND_BY)
    )
    search_words.settle(work, [*changed])


def _of(values: RowValues) -> FoldedName:
    return FoldedName(values["given_name"], values["family_name"])


# Values changed since the last import.
@dataclass(frozen=True, slots=True)
class _Replaced:
    """Who replaced a value, and on which day."""

    by: str
    on: str


def _keep_what_people_changed(
    run: Run,
    rows: Collection[ImportRow],
    on_record: Mapping[str, _HolderOnRecord],
    wanted: Mapping[str, RowValues],
) -> None:
    """Keep values that somebody changed since, with a warning, if a row would restore the old."""
    differing = {
        old.id
        for ref, old in on_record.items()
        if any(getattr(old, name) != wanted[ref][name] for name in _FIELDS)
    }
    if not differing:
        return
    replaced = _replaced(run.work, differing)
    for row in rows:
        old, values = on_record.get(row.key), wanted[row.key]
        if old is None or old.id not in differing:
            continue
        for name in _FIELDS:
            known = replaced.get((old.id, name, _compared(values[name])))
            if known is not None and values[name] != (stays := getattr(old, name)):
                run.warn(row.number, name, _taken_back(values[name], stays, known))
                values[name] = stays


def _replaced(work: UnitOfWork, ids: Collection[str]) -> dict[tuple[str, str, str], _Replaced]:
    """The values that people and staff replaced, by holder, field and comparable form."""
    statement = (
        select(
            HistoryValue.subject_id,
            HistoryValue.field,
            HistoryValue.before,
            HistoryEntry.actor,
            HistoryEntry.at,
        )
        .join(HistoryEntry, HistoryEntry.id == HistoryValue.history_id)
        .where(
            bulk.among(work, HistoryValue.subject_id, ids),
            HistoryValue.field.in_(_FIELDS),
            HistoryEntry.subject == "holder",
            HistoryEntry.action != "import",
        )
        .order_by(HistoryValue.history_id)
    )
    return {
        (row.subject_id, row.field, _compared(row.before)): _Replaced(
            row.actor, row.at.date().isoformat()
        )
        for row in work.rows(statement)
    }


def _compared(value: str | None) -> str:
    """Values compare without case."""
    return (value or "").casefold()


def _taken_back(given: str | None, stays: str | None, known: _Replaced) -> str:
    return (
        f"{_quoted(given)} was replaced by {known.by} on {known.on}; {_quoted(stays)} stays on "
        "record. If the file is right, correct the record manually."
    )


def _quoted(value: str | None) -> str:
    return "nothing" if value is None else f'"{value}"'


# New people who may be on record already.
def _warn_of_duplicates(run: Run, rows: Collection[ImportRow], ids: Mapping[str, str]) -> None:
    """Warn of new people who may be somebody on record, or in an earlier row of the file.

    They are imported anyway, and listed for the staff.
    """
    likely = duplicates.look_for(run.work, [ids[row.key] for row in rows])
    for row in rows:
        for other in likely.get(ids[row.key], ()):
            run.warn(row.number, "holder_ref", duplicates.warning(other))


def _finish(run: Run) -> None:
    """Find those among the people of the certification body whose record this is."""
    own_records.look_for(run.work)


KIND = ImportKind(
    name="holders",
    columns=(
        Column("holder_ref", text(64), required=True),
        Column("given_name", text(100), required=True),
        Column("family_name", text(100), required=True),
        Column("email", email, required=True),
        Column("second_email", email),
        Column("language", choice(LANGUAGES)),
        Column("time_zone", time_zone),
    ),
    key=("holder_ref",),
    take=_take,
    finish=_finish,
)
