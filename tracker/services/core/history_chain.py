"""The last act of a transaction: the entries that it recorded are chained to those before.

While a transaction works, its entries wait in ``UnitOfWork.unchained`` with their digests.
``close`` locks the head of the chain, adds one block (``domain/history_chain``) and moves the head
on. So the lock is held for two statements and the commit, however long the transaction took and
however many entries it wrote.

Invariant: whoever holds the head waits for nobody. It is locked after everything else and no
constraint is deferred to the commit, so two transactions cannot wait for each other here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    any_,
    bindparam,
    insert,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import InstrumentedAttribute, Session

from tracker.db import new_id
from tracker.domain import history_chain as rules
from tracker.domain.history_chain import ChainedEntry, Head, KeyRing, Unchained
from tracker.models import HistoryBlock, HistoryEntry, HistoryHead, HistoryValue

_FACTS = (
    "id",
    "at",
    "actor",
    "action",
    "subject",
    "subject_id",
    "detail",
    "actor_role",
    "token_id",
    "account_id",
    "session_id",
    "request_id",
)
ENTRIES = select(*(getattr(HistoryEntry, name) for name in _FACTS))
"""The columns of an entry, all of which are chained."""
VALUES = select(
    HistoryValue.history_id,
    HistoryValue.field,
    HistoryValue.subject_id,
    HistoryValue.before,
    HistoryValue.after,
    HistoryValue.erased_by,
)
PAGE = 1000
"""Entries that are read at once."""

_HEAD = select(HistoryHead.chain, HistoryHead.sequence, HistoryHead.mac, HistoryHead.entries)
_LOCKED = _HEAD.with_for_update()
_BLOCK = insert(HistoryBlock.__table__).inline()  # type: ignore[arg-type]
_MOVE = update(HistoryHead).values(
    sequence=bindparam("sequence"), mac=bindparam("mac"), entries=bindparam("entries")
)
_BLOCK_AND_MOVE = text(
    "with added as (insert into history_block (sequence, key_id, entries, mac)"
    " values (:sequence, :key_id, :entries, :mac))"
    " update history_head set sequence = :sequence, mac = :mac, entries = :count"
)


def chained(key: bytes, facts: Mapping[str, Any], values: Iterable[Any]) -> ChainedEntry:
    """An entry with the digests of itself and of its values, as it was written or is read."""
    id_: int = facts["id"]
    digests = {
        row.field: rules.value_digest(key, id_, row.field, (row.before, row.after))
        for row in values
    }
    return ChainedEntry(id_, entry_digest(key, facts, digests), digests)


def entry_digest(key: bytes, facts: Mapping[str, Any], values: Mapping[str, str]) -> str:
    """The digest of an entry from its columns and the digests of its values."""
    at: datetime = facts["at"]
    return rules.entry_digest(key, {**facts, "at": at.astimezone(UTC).isoformat()}, values)


def close(session: Session, keys: KeyRing, unchained: Unchained) -> None:
    """Chain the entries of a transaction that is about to commit.

    The first transaction of all chains what older releases have recorded, too.
    """
    if not unchained:
        return
    session.flush()
    connection = session.connection()
    head = lock(connection)
    if head.sequence == rules.NO_BLOCK:
        ours = {entry.id for text in unchained.texts() for entry in rules.read(text)}
        head = _begin(connection, keys, head, ours)
    _append(connection, keys, head, unchained)


def begin(session: Session, keys: KeyRing) -> int:
    """Chain what older releases have recorded, if the chain has no block yet; returns how many.

    The first entry does so too, and would have to wait for it.
    """
    head = lock(session.connection())
    if head.sequence != rules.NO_BLOCK:
        return 0
    return _begin(session.connection(), keys, head, set()).entries


def head_of(connection: Connection) -> Head | None:
    """The end of the chain; None before anything was recorded."""
    row = connection.execute(_HEAD).first()
    return None if row is None else Head(*row)


def lock(connection: Connection) -> Head:
    """The end of the chain, which nobody else can move on until this transaction ends."""
    row = connection.execute(_LOCKED).first()
    if row is not None:
        return Head(*row)
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    chain = new_id()
    first = dialect.insert(HistoryHead).values(id=1, chain=chain, sequence=0, mac=chain, entries=0)
    connection.execute(first.on_conflict_do_nothing())
    return Head(*connection.execute(_LOCKED).one())


def _begin(connection: Connection, keys: KeyRing, head: Head, ours: Collection[int]) -> Head:
    """Chain every entry but ours, in the order of their ids."""
    for rows in pages(connection):
        older, waiting = [row for row in rows if row.id not in ours], Unchained()
        waiting.add(digested(connection, keys.key, older))
        head = _append(connection, keys, head, waiting)
    return head


def pages(connection: Connection) -> Iterator[Sequence[Any]]:
    """All entries in the order of their ids, a page at a time."""
    last, page = 0, ENTRIES.order_by(HistoryEntry.id).limit(PAGE)
    while rows := connection.execute(page.where(HistoryEntry.id > last)).fetchall():
        yield rows
        last = rows[-1].id


def digested(connection: Connection, key: bytes, rows: Sequence[Any]) -> list[ChainedEntry]:
    """Entries on record with their digests."""
    values = values_of(connection, [row.id for row in rows])
    return [chained(key, row._asdict(), values[row.id]) for row in rows]


def values_of(connection: Connection, ids: Collection[int]) -> dict[int, list[Any]]:
    """The personal values beside entries, by the entry's id."""
    found: dict[int, list[Any]] = defaultdict(list)
    if ids:
        statement = VALUES.where(among(connection, HistoryValue.history_id, ids))
        for row in connection.execute(statement.order_by(HistoryValue.field)):
            found[row.history_id].append(row)
    return found


def among(
    connection: Connection, column: InstrumentedAttribute[int], ids: Collection[int]
) -> ColumnElement[bool]:
    """Whether a column is one of these ids."""
    if connection.dialect.name == "postgresql":
        return column == any_(literal([*ids], ARRAY(BigInteger)))
    return column.in_([*ids])


def _append(connection: Connection, keys: KeyRing, head: Head, waiting: Unchained) -> Head:
    """Add blocks to the chain, whose head is locked, and move the head on."""
    added = rules.blocks(keys, head, waiting.texts())
    if not added:
        return head
    moved = Head(head.chain, added[-1].sequence, added[-1].mac, head.entries + len(waiting))
    if len(added) == 1 and connection.dialect.name == "postgresql":
        connection.execute(_BLOCK_AND_MOVE, {**added[0]._asdict(), "count": moved.entries})
        return moved
    connection.execute(_BLOCK, [block._asdict() for block in added])
    connection.execute(
        _MOVE, {"sequence": moved.sequence, "mac": moved.mac, "entries": moved.entries}
    )
    return moved
