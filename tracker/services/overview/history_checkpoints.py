"""Signed checkpoints of the history's chain, kept outside the database.

Whoever can write to the database can cut off the end of the chain and set its head back, and the
rest still holds. A checkpoint is a file that says how far the chain had come on a day. It is worth
something where that person cannot delete it: on another machine, or in a bucket that keeps files.
"""

from __future__ import annotations

import hmac
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import select

from tracker.domain import history_chain as rules
from tracker.domain.history_chain import KeyRing
from tracker.models import HistoryBlock
from tracker.services.core import history_chain
from tracker.services.core.context import ReadContext

_FACTS = ("chain", "sequence", "mac", "entries", "at", "key_id")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far a chain had come: its last block, that block's MAC, and the entries up to there."""

    name: str
    chain: str
    sequence: int
    mac: str
    entries: int
    at: datetime
    key_id: str


@dataclass(frozen=True, slots=True)
class StrayCheckpoint:
    """A file that is no checkpoint of ours, and why."""

    name: str
    why: str


def write(reading: ReadContext, keys: KeyRing) -> Path | None:
    """Write today's checkpoint (in UTC), unless there is one; returns its path if it is new.

    One that exists is never replaced: it may know more than the database does by now. Raises
    OSError where the directory cannot be written to.
    """
    head = history_chain.head_of(reading.connection)
    if head is None or head.sequence == rules.NO_BLOCK:
        return None
    facts = {**head._asdict(), "at": reading.now.isoformat(), "key_id": keys.current}
    signed = {**facts, "signature": rules.signature(keys.key, facts)}
    path = reading.settings.checkpoints_directory / f"{reading.now:%Y-%m-%d}.json"
    return path if _put(path, orjson.dumps(signed, option=orjson.OPT_INDENT_2)) else None


def _put(path: Path, content: bytes) -> bool:
    """Write a file as a whole or not at all; whether there was none."""
    if path.exists():
        return False
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_suffix(f".{secrets.token_hex(8)}")
    fresh.write_bytes(content)
    fresh.rename(path)  # a mounted bucket knows no links
    return True


def read(directory: Path, keys: KeyRing) -> list[Checkpoint | StrayCheckpoint]:
    """The checkpoints in a directory, the oldest first."""
    return [_read(path, keys) for path in sorted(directory.glob("*.json"))]


def _read(path: Path, keys: KeyRing) -> Checkpoint | StrayCheckpoint:
    try:
        stored: dict[str, Any] = orjson.loads(path.read_bytes())
        facts = {name: stored[name] for name in _FACTS}
        given = str(stored["signature"])
        key = keys.keys.get(str(facts["key_id"]))
    except (OSError, ValueError, KeyError, TypeError):
        return StrayCheckpoint(path.name, "cannot be read")
    if key is None:
        return StrayCheckpoint(path.name, "is signed with a key that the settings do not have")
    if not hmac.compare_digest(rules.signature(key, facts).encode(), given.encode()):
        return StrayCheckpoint(path.name, "was not signed by this installation, or was changed")
    at = datetime.fromisoformat(facts.pop("at"))
    return Checkpoint(name=path.name, at=at, **facts)


def latest(reading: ReadContext, keys: KeyRing) -> Checkpoint | StrayCheckpoint | None:
    """The newest checkpoint in the configured directory; None if there is none."""
    found: Checkpoint | StrayCheckpoint | None = None
    with suppress(OSError):
        paths = sorted(reading.settings.checkpoints_directory.glob("*.json"))
        found = _read(paths[-1], keys) if paths else None
    return found


def is_kept(reading: ReadContext, checkpoint: Checkpoint) -> bool:
    """Whether the chain still has the block that a checkpoint saw."""
    table = HistoryBlock
    statement = select(table.mac).where(table.sequence == checkpoint.sequence)
    row = reading.row(statement)
    head = history_chain.head_of(reading.connection)
    is_same = row is not None and row.mac == checkpoint.mac
    return is_same and head is not None and head.chain == checkpoint.chain
