"""The last heartbeat, also kept in a file: a database that is behind the file was restored.

Heartbeats are numbered, so that no clock matters. The number rises first in the database, then in
``storage.directory``, before the first message of a batch leaves. So a database with a lower
number than the file has lost what was written since, including the record of messages sent.
"""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import orjson

from tracker.settings import Settings

_log = logging.getLogger(__name__)
_FILE = "heartbeat.json"


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A heartbeat of a database: its number, and its time by the clock of that moment."""

    database_id: str
    number: int
    at: datetime


def last(settings: Settings) -> Heartbeat | None:
    """The heartbeat in the storage directory; None if there is none or it cannot be read."""
    try:
        stored = orjson.loads(_path(settings).read_bytes())
        return Heartbeat(
            str(stored["database_id"]), int(stored["number"]), datetime.fromisoformat(stored["at"])
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def outrun(settings: Settings) -> None:
    """Number the file ahead of a database just restored beside it, which then counts as restored.

    Nothing is done if there is no file: where nothing was ever sent, nothing can be sent twice.
    """
    if known := last(settings):
        keep(settings, replace(known, number=known.number + 1))


def keep(settings: Settings, beat: Heartbeat) -> None:
    """Write a heartbeat to the file unless it holds a later one of the same database.

    A directory that cannot be written to stops no message; `tracker doctor` reports it.
    """
    known = last(settings)
    if known and known.database_id == beat.database_id and known.number >= beat.number:
        return
    path = _path(settings)
    fresh = path.with_suffix(f".{secrets.token_hex(8)}")
    stored = {"database_id": beat.database_id, "number": beat.number, "at": beat.at.isoformat()}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_bytes(orjson.dumps(stored))
        fresh.replace(path)
    except OSError as error:
        _log.warning("the heartbeat could not be written to %s: %s", path.parent, error)


def _path(settings: Settings) -> Path:
    return settings.storage_directory / _FILE
