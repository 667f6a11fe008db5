"""Whether anybody edited the history: the chain is followed from its first block to its head.

The first breach is named, by block and entry. The chain is read a page at a time, so a long one
takes time but no memory; it should be read as of one moment (``Container.snapshot``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select

from tracker.domain import history_chain as rules
from tracker.domain.history_chain import Block, ChainedEntry, Head, KeyRing
from tracker.models import HistoryBlock, HistoryEntry, HistoryValue
from tracker.services.core import history, history_chain
from tracker.services.core.context import ReadContext, UnitOfWork
from tracker.services.overview.history_checkpoints import Checkpoint, StrayCheckpoint

_BLOCKS = 100  # read at once
_TEXT = 100_000  # characters of blocks that are looked at together: some 2,000 entries
_BITS = 1024
_LARGEST = 2**63 - 1  # that an id can be


class HistoryBreach(NamedTuple):
    """What is wrong, and where: the block, the entry, or neither for a checkpoint."""

    what: str
    block: int | None = None
    entry: int | None = None

    def __str__(self) -> str:
        """One line: the place, and what is wrong with it."""
        places = (("Entry", self.entry), ("Block", self.block))
        named = [f"{name} {number}" for name, number in places if number is not None]
        return f"{' of '.join(named).capitalize()} {self.what}." if named else f"{self.what}."


@dataclass(slots=True)
class VerifiedHistory:
    """How far the chain was followed, and the first breach, if there is one."""

    blocks: int = 0
    entries: int = 0
    erased: int = 0
    checkpoints: int = 0
    breach: HistoryBreach | None = None


@dataclass(slots=True)
class _Walk:
    """A walk along the chain: the keys, what was passed so far, and what should come."""

    connection: Connection
    keys: KeyRing
    previous: str
    expected: Mapping[int, Sequence[Checkpoint]]
    result: VerifiedHistory = field(default_factory=VerifiedHistory)


def verify(
    reading: ReadContext,
    keys: KeyRing,
    checkpoints: Collection[Checkpoint | StrayCheckpoint] = (),
    *,
    on_progress: Callable[[int], None] = lambda _entries: None,
) -> VerifiedHistory:
    """Follow the chain to its head, and compare it with checkpoints; stops at the first breach."""
    head = history_chain.head_of(reading.connection) or _NO_HEAD
    expected: dict[int, list[Checkpoint]] = defaultdict(list)
    for one in checkpoints:
        if isinstance(one, Checkpoint):
            expected[one.sequence].append(one)
    walk = _Walk(reading.connection, keys, head.chain, expected)
    result = walk.result
    result.breach = _stray(checkpoints, head) or _headless(reading.connection, head)
    for blocks in _pages(reading.connection):
        if result.breach is not None:
            return result
        result.breach = _of_page(walk, blocks)
        on_progress(result.entries)
    result.breach = result.breach or _of_end(walk, head) or _of_erasures(reading)
    return result


def verify_end(reading: ReadContext, keys: KeyRing, *, blocks: int) -> VerifiedHistory:
    """Follow the last ``blocks`` of the chain to its head, with few statements however long it is.

    What lies before them is taken as it is; ``blocks`` of the result counts those before, too. Of
    long blocks fewer are followed.
    """
    head = history_chain.head_of(reading.connection) or _NO_HEAD
    first, previous, last = _last_blocks(reading.connection, head, blocks)
    walk = _Walk(reading.connection, keys, previous, {})
    found = walk.result
    found.blocks = first
    found.breach = _headless(reading.connection, head) or _of_page(walk, last)
    if found.breach is None and found.blocks < head.sequence:
        cut = f"is missing: the head says {head.sequence}, so the end of the chain was cut off"
        found.breach = HistoryBreach(cut, block=found.blocks + 1)
    if found.breach is None and (found.blocks, walk.previous) != (head.sequence, head.mac):
        found.breach = HistoryBreach("The head of the chain was changed")
    return found


def _last_blocks(connection: Connection, head: Head, count: int) -> tuple[int, str, list[Block]]:
    """The last blocks up to the head: the number and the code of the one before them, and they."""
    table = HistoryBlock
    lengths = select(table.sequence, func.length(table.entries).label("length"))
    lengths = lengths.where(table.sequence <= head.sequence).order_by(table.sequence.desc())
    first, text = head.sequence, 0
    for row in connection.execute(lengths.limit(count)):
        text += row.length
        if text > _TEXT and first < head.sequence:
            break
        first = row.sequence - 1
    columns = (table.sequence, table.key_id, table.entries, table.mac)
    which = table.sequence.between(first, head.sequence)
    rows = connection.execute(select(*columns).where(which).order_by(table.sequence))
    found = [Block(*row) for row in rows]
    if found and found[0].sequence == first:
        return first, found[0].mac, found[1:]
    return first, head.chain if first == rules.NO_BLOCK else "", found


_NO_HEAD = Head("", rules.NO_BLOCK, "", 0)


def _pages(connection: Connection) -> Iterator[list[Block]]:
    """All blocks in their order, some at a time: few long ones, or many short ones."""
    table, last = HistoryBlock, rules.NO_BLOCK
    page = select(table.sequence, table.key_id, table.entries, table.mac)
    page = page.order_by(table.sequence).limit(_BLOCKS)
    while rows := connection.execute(page.where(table.sequence > last)).fetchall():
        together: list[Block] = []
        for block in (Block(*row) for row in rows):
            if together and sum(len(one.entries) for one in together) > _TEXT:
                yield together
                together = []
            together.append(block)
        yield together
        last = rows[-1].sequence


def _stray(
    checkpoints: Collection[Checkpoint | StrayCheckpoint], head: Head
) -> HistoryBreach | None:
    """The first checkpoint that says nothing about this chain."""
    for one in checkpoints:
        if isinstance(one, StrayCheckpoint):
            return HistoryBreach(f"The checkpoint {one.name} {one.why}")
        if one.chain != head.chain:
            return HistoryBreach(f"The checkpoint {one.name} is of another database's history")
    return None


def _headless(connection: Connection, head: Head) -> HistoryBreach | None:
    """Whether the head is gone, although there are blocks."""
    if head.chain or connection.execute(select(HistoryBlock.sequence).limit(1)).first() is None:
        return None
    return HistoryBreach("The head of the chain is missing")


# Blocks.
def _of_page(walk: _Walk, blocks: Sequence[Block]) -> HistoryBreach | None:
    """The first breach in some blocks; entries of blocks before a broken one are looked at too."""
    broken: HistoryBreach | None = None
    whole: list[tuple[Block, list[ChainedEntry]]] = []
    for block in blocks:
        broken = _of_block(walk, block, walk.result.blocks + len(whole) + 1)
        if broken is not None:
            break
        whole.append((block, rules.read(block.entries)))
        walk.previous = block.mac
    for block, entries in whole:
        walk.result.blocks += 1
        walk.result.entries += len(entries)
        if lies := _unlike(walk, block):
            broken = lies
            break
    pairs = [(block, entry) for block, entries in whole for entry in entries]
    for start in range(0, len(pairs), history_chain.PAGE):
        some = pairs[start : start + history_chain.PAGE]
        if found := _of_entries(walk, some):
            return found
    return broken


def _of_block(walk: _Walk, block: Block, expected: int) -> HistoryBreach | None:
    if block.sequence != expected:
        return HistoryBreach("is missing from the chain", block=expected)
    key = walk.keys.keys.get(block.key_id)
    if key is None:
        unknown = f"was chained with the key {block.key_id!r}, which the settings do not have"
        return HistoryBreach(unknown, block=block.sequence)
    if rules.block_mac(key, walk.previous, block) == block.mac:
        return None
    if _is_genuine(walk, key, block):
        return HistoryBreach(_OUT_OF_PLACE, block=block.sequence)
    return HistoryBreach("was changed", block=block.sequence)


_OUT_OF_PLACE = "does not follow the one before: blocks were reordered, or one was replaced"


def _is_genuine(walk: _Walk, key: bytes, block: Block) -> bool:
    """Whether the entries that a block names are those on record, wherever the block belongs."""
    try:
        entries = rules.read(block.entries)
    except ValueError:
        return False
    ids: list[Any] = [entry.id for entry in entries]
    if not all(isinstance(id_, int) and 0 < id_ <= _LARGEST for id_ in ids):
        return False
    rows = _rows(walk.connection, ids)
    return all(
        entry.id in rows
        and history_chain.entry_digest(key, rows[entry.id]._asdict(), entry.values) == entry.digest
        for entry in entries
    )


def _unlike(walk: _Walk, block: Block) -> HistoryBreach | None:
    """Whether a checkpoint saw another block here."""
    for one in walk.expected.get(block.sequence, ()):
        walk.result.checkpoints += 1
        if (one.mac, one.entries) != (block.mac, walk.result.entries):
            said = f"is not the one that the checkpoint {one.name} saw"
            return HistoryBreach(said, block=block.sequence)
    return None


# Entries.
def _rows(connection: Connection, ids: Collection[int]) -> dict[int, Any]:
    statement = history_chain.ENTRIES.where(history_chain.among(connection, HistoryEntry.id, ids))
    return {row.id: row for row in connection.execute(statement)}


def _of_entries(walk: _Walk, pairs: Sequence[tuple[Block, ChainedEntry]]) -> HistoryBreach | None:
    """The first of these entries that is not as it was chained."""
    ids = [entry.id for _, entry in pairs]
    rows = _rows(walk.connection, ids)
    values = history_chain.values_of(walk.connection, ids)
    for block, entry in pairs:
        key = walk.keys.keys[block.key_id]
        wrong = _of_entry(key, entry, rows.get(entry.id)) or _of_values(
            walk, key, entry, values[entry.id]
        )
        if wrong:
            return HistoryBreach(wrong, block.sequence, entry.id)
    return None


def _of_entry(key: bytes, entry: ChainedEntry, row: Any) -> str | None:
    if row is None:
        return "is missing"
    found = history_chain.entry_digest(key, row._asdict(), entry.values)
    return None if found == entry.digest else "was changed"


def _of_values(walk: _Walk, key: bytes, entry: ChainedEntry, rows: Sequence[Any]) -> str | None:
    """What is wrong with the personal values beside an entry; erased ones are in order."""
    known = {row.field: row for row in rows}
    if missing := sorted(entry.values.keys() - known.keys()):
        return f"lacks its value {missing[0]!r}"
    if added := sorted(known.keys() - entry.values.keys()):
        return f"has a value {added[0]!r} that was added"
    for name, row in known.items():
        pair = (row.before, row.after)
        if row.erased_by is not None and pair == (None, None):
            walk.result.erased += 1
        elif rules.value_digest(key, entry.id, name, pair) != entry.values[name]:
            return f"has a value {name!r} that was changed"
    return None


# The end.
def _of_end(walk: _Walk, head: Head) -> HistoryBreach | None:
    found = walk.result
    for sequence, seen in sorted(walk.expected.items()):
        if sequence > found.blocks:
            cut = f"is missing: the checkpoint {seen[0].name} saw block {sequence}, so the end of "
            return HistoryBreach(f"{cut}the chain was cut off", block=found.blocks + 1)
    if found.blocks < head.sequence:
        cut = f"is missing: the head says {head.sequence}, so the end of the chain was cut off"
        return HistoryBreach(cut, block=found.blocks + 1)
    if (found.blocks, walk.previous, found.entries) != (head.sequence, head.mac, head.entries):
        return HistoryBreach("The head of the chain was changed")
    count = walk.connection.execute(select(func.count()).select_from(HistoryEntry)).scalar_one()
    if count != found.entries:
        return HistoryBreach(_IN_NO_BLOCK, entry=next(unchained(walk.connection), None))
    return None


_IN_NO_BLOCK = (
    "is in no block: a former release wrote it (see `tracker history adopt`), or somebody who has "
    "no key"
)


def _of_erasures(reading: ReadContext) -> HistoryBreach | None:
    """The first value that is gone although no entry says so."""
    counted = (
        select(
            HistoryValue.erased_by,
            func.count().label("values"),
            func.min(HistoryValue.history_id).label("first"),
        )
        .where(HistoryValue.erased_by.is_not(None))
        .group_by(HistoryValue.erased_by)
        .order_by(HistoryValue.erased_by)
    )
    for row in reading.rows(counted):
        entry = reading.row(history_chain.ENTRIES.where(HistoryEntry.id == row.erased_by))
        is_act = entry is not None and entry.action == history.ERASE
        if not is_act or entry.detail.get(history.ERASED) != row.values:
            return HistoryBreach("has values that no act of erasure accounts for", entry=row.first)
    return None


# Entries without a block.
def unchained(connection: Connection) -> Iterator[int]:
    """The ids of entries that no block covers, in their order."""
    covered: dict[int, int] = defaultdict(int)  # a bit for each id: there may be many millions
    for blocks in _pages(connection):
        for block in blocks:
            for entry in rules.read(block.entries):
                covered[entry.id // _BITS] |= 1 << entry.id % _BITS
    for rows in history_chain.pages(connection):
        yield from (row.id for row in rows if not covered[row.id // _BITS] >> row.id % _BITS & 1)


def adopt(work: UnitOfWork, *, reason: str) -> int:
    """Chain the entries that a former release wrote beside the chain; returns how many.

    Whoever does so vouches for them: that, too, is recorded. Nobody else's transaction commits an
    entry meanwhile.
    """
    head = history_chain.lock(work.connection)
    ids = [id_ for id_ in unchained(work.connection) if head.sequence]
    for start in range(0, len(ids), history_chain.PAGE):
        rows = _rows(work.connection, ids[start : start + history_chain.PAGE])
        older = history_chain.digested(
            work.connection, work.history_keys.key, [rows[id_] for id_ in sorted(rows)]
        )
        work.unchained.add(older)
    if ids:
        named = {"entries": len(ids), "first": ids[0], "last": ids[-1]}
        history.record(work, "adopt", "history", head.chain, reason=reason, **named)
    return len(ids)
