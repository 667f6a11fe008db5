"""The chain over the history: what is signed, in which form, and with which key.

A **block** covers the entries that one transaction wrote (a long one gives several). It holds a
digest of each entry and of each personal value beside it, and a MAC over those, its number and the
MAC of the block before. Digests and MACs are HMAC-SHA256 with a key that is not in the database: so
whoever can write to the database can neither change an entry nor add one unseen, and a digest gives
no value away by trying all values. An erased value leaves its digest behind, so the chain still
holds.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

MOST_IN_BLOCK = 500
"""Entries in one block at most, so that checking it takes little memory."""
SHORTEST_KEY = 32
"""Bytes of a key at least: the output of SHA-256."""
NO_BLOCK = 0
"""The number before that of the first block."""

_KEY = re.compile(r"(?P<id>[A-Za-z0-9_-]{1,16}):(?P<key>([0-9a-fA-F]{2})+)")
_DIGEST = 32  # hexadecimal digits: 128 bits


@dataclass(frozen=True, slots=True, repr=False)
class KeyRing:
    """The keys by id: ``current`` signs, the others check what they signed before."""

    current: str
    keys: Mapping[str, bytes]

    @property
    def key(self) -> bytes:
        """The key that signs."""
        return self.keys[self.current]


def key_ring(text: str) -> KeyRing:
    """The keys in ``ID:HEX,ID:HEX``, the current one first. Raises ValueError, without quoting.

    >>> key_ring("2027:" + 64 * "a" + ",2026:" + 64 * "b").current
    '2027'
    """
    keys: dict[str, bytes] = {}
    for part in text.split(","):
        found = _KEY.fullmatch(part.strip())
        if found is None:
            raise ValueError("must be ID:HEX, or several of them separated by commas")
        if found["id"] in keys:
            raise ValueError(f"must not name the key {found['id']} twice")
        keys[found["id"]] = bytes.fromhex(found["key"])
        if len(keys[found["id"]]) < SHORTEST_KEY:
            raise ValueError(f"must have at least {SHORTEST_KEY} bytes ({2 * SHORTEST_KEY} digits)")
    return KeyRing(next(iter(keys)), keys)


class ChainedEntry(NamedTuple):
    """An entry as a block knows it: its id, its digest, and those of its values by field."""

    id: int
    digest: str
    values: Mapping[str, str]


class Head(NamedTuple):
    """Where a chain ends: its last block's number and MAC, and how many entries it covers.

    ``chain`` is the id of the chain, which stands in the place of a MAC before the first block.
    """

    chain: str
    sequence: int
    mac: str
    entries: int


class Block(NamedTuple):
    """A block as it is stored: ``entries`` is the text of the entries that it covers."""

    sequence: int
    key_id: str
    entries: str
    mac: str


def value_digest(key: bytes, entry_id: int, field: str, values: tuple[object, object]) -> str:
    """The digest of a personal value before and after; equal values have different digests."""
    return _mac(key, "value", [entry_id, field, *values])[:_DIGEST]


def entry_digest(key: bytes, facts: Mapping[str, object], values: Mapping[str, str]) -> str:
    """The digest of an entry: of its columns, its id included, and of its values' digests.

    A column without a value is left out, so that a later release may add columns.
    """
    known = {name: value for name, value in facts.items() if value is not None}
    return _mac(key, "entry", [known, values])[:_DIGEST]


class Unchained:
    """Entries that wait for the end of their transaction, as the texts of their blocks.

    A text takes a fifth of the memory of its entries, and an import may record a million.

    >>> waiting = Unchained()
    >>> waiting.add([ChainedEntry(7, "ab", {}), ChainedEntry(8, "cd", {})])
    >>> waiting.forget(1)
    >>> waiting.texts()
    ['[[7,"ab"]]']
    """

    def __init__(self) -> None:
        self._whole: list[str] = []
        self._rest: list[ChainedEntry] = []

    def __len__(self) -> int:
        return len(self._whole) * MOST_IN_BLOCK + len(self._rest)

    def add(self, entries: Iterable[ChainedEntry]) -> None:
        """Add entries at the end."""
        for entry in entries:
            self._rest.append(entry)
            if len(self._rest) == MOST_IN_BLOCK:
                self._whole.append(written(self._rest))
                self._rest = []

    def forget(self, kept: int) -> None:
        """Forget all but the first so many."""
        whole, rest = divmod(kept, MOST_IN_BLOCK)
        if whole < len(self._whole):
            self._rest = read(self._whole[whole])
            del self._whole[whole:]
        del self._rest[rest:]

    def texts(self) -> list[str]:
        """The texts of the blocks that these entries fill."""
        return [*self._whole, written(self._rest)] if self._rest else self._whole


def blocks(keys: KeyRing, head: Head, texts: Iterable[str]) -> list[Block]:
    """The blocks that continue a chain with these texts of entries, in their order."""
    made: list[Block] = []
    sequence, previous = head.sequence, head.mac
    for text in texts:
        sequence += 1
        previous = block_mac(keys.key, previous, Block(sequence, keys.current, text, ""))
        made.append(Block(sequence, keys.current, text, previous))
    return made


def block_mac(key: bytes, previous: str, block: Block) -> str:
    """The MAC of a block after the block with the MAC ``previous``."""
    return _mac(key, "block", [block.sequence, previous, block.key_id, block.entries])


def written(entries: Iterable[ChainedEntry]) -> str:
    """The text of entries in a block.

    >>> written([ChainedEntry(7, "ab", {}), ChainedEntry(8, "cd", {"email": "ef"})])
    '[[7,"ab"],[8,"cd",{"email":"ef"}]]'
    """
    return _canonical(
        [[id_, digest, values] if values else [id_, digest] for id_, digest, values in entries]
    )


def read(text: str) -> list[ChainedEntry]:
    """The entries of a block from their text, as ``written`` gives it. Raises ValueError.

    Check the block's MAC first: a text without a MAC may be anything.
    """
    found: Any = json.loads(text)
    try:
        return [ChainedEntry(id_, digest, *(rest or [{}])) for id_, digest, *rest in found]
    except TypeError as error:
        raise ValueError(text) from error


def signature(key: bytes, facts: Mapping[str, object]) -> str:
    """The signature of a checkpoint."""
    return _mac(key, "checkpoint", facts)


def _mac(key: bytes, purpose: str, content: object) -> str:
    return hmac.digest(key, _canonical([purpose, content]).encode("ascii"), "sha256").hex()


def _canonical(content: object) -> str:
    """One text for equal content, whatever the order of its keys."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"))
