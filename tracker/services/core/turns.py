"""Turns for work that costs much: reading files from outside, and writing files for others.

Turns are those of one machine (``tracker.turns``). Whoever holds one for long keeps nobody else
from anything but that work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tracker import turns
from tracker.apart import ProcessLimits
from tracker.domain.errors import TooBusy, TooManyAtOnce
from tracker.domain.permissions import Actor
from tracker.settings import Settings
from tracker.turns import NoTurn

_BUSY = "Other files are being read; send this one again shortly."


def evidence_limits(settings: Settings) -> ProcessLimits:
    """What reading a piece of evidence may cost."""
    return ProcessLimits(settings.files.memory_bytes, settings.files.evidence_seconds)


def table_limits(settings: Settings) -> ProcessLimits:
    """What reading a table may cost."""
    return ProcessLimits(settings.files.memory_bytes, settings.files.table_seconds)


@contextmanager
def reading_a_file(settings: Settings) -> Iterator[None]:
    """Hold the turn of whoever has a file read. Raises TooBusy.

    Few may wait, since each that waits keeps one that serves requests from serving others.
    """
    folder, files = _folder(settings), settings.files
    try:
        with (
            turns.turn(folder, "files: in line", of=files.at_once + files.waiting),
            turns.turn(folder, "files", of=files.at_once, patience=files.patience_seconds),
        ):
            yield
    except NoTurn as error:
        raise TooBusy(_BUSY) from error


@contextmanager
def rehearsing(settings: Settings) -> Iterator[None]:
    """Hold the turn of whoever tries a file out, which takes a copy of the database.

    Raises TooBusy.
    """
    try:
        with turns.turn(_folder(settings), "rehearsals", of=settings.imports.dry_runs_at_once):
            yield
    except NoTurn as error:
        raise TooBusy("Other files are being tried out; send this one again shortly.") from error


def writing_a_file(settings: Settings, actor: Actor) -> Callable[[], None]:
    """Take one of the caller's turns to be given a file; returns how to end it.

    Raises TooManyAtOnce.
    """
    maximum = settings.exports.at_once
    name = f"exports of {actor.token_id}"
    try:
        taken = turns.take(_folder(settings), name, of=maximum)
    except NoTurn as error:
        message = f"At most {maximum} files are given out at once; end one that is under way."
        raise TooManyAtOnce(message, maximum=maximum) from error
    return partial(turns.give_back, taken)


def _folder(settings: Settings) -> Path:
    return settings.storage_directory / "turns"
