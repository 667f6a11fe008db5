"""Limited turns for expensive work: reading files from outside, and writing files for callers.

Turns are counted on one machine (``tracker.turns``). A long one blocks only work of the same kind.
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

_BUSY = "The server is busy reading other files; send this one again shortly."


def evidence_limits(settings: Settings) -> ProcessLimits:
    """The limits on reading one file of evidence."""
    return ProcessLimits(settings.files.memory_bytes, settings.files.evidence_seconds)


def table_limits(settings: Settings) -> ProcessLimits:
    """The limits on reading one table."""
    return ProcessLimits(settings.files.memory_bytes, settings.files.table_seconds)


@contextmanager
def reading_a_file(settings: Settings) -> Iterator[None]:
    """Hold a turn to have a file read. Raises TooBusy.

    Only a few may wait, since each waiting request occupies a worker.
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
    """Hold a turn for a dry run of a file, which needs a copy of the database.

    Raises TooBusy.
    """
    try:
        with turns.turn(_folder(settings), "rehearsals", of=settings.imports.dry_runs_at_once):
            yield
    except NoTurn as error:
        raise TooBusy(
            "The server is busy with other dry runs; send this file again shortly."
        ) from error


@contextmanager
def making_a_paper(settings: Settings, actor: Actor) -> Iterator[None]:
    """Hold a turn to have a paper set as PDF, one of the caller's and one of the machine's.

    Raises TooManyAtOnce, TooBusy.
    """
    end = writing_a_file(settings, actor)
    try:
        with making_a_public_paper(settings):
            yield
    finally:
        end()


@contextmanager
def making_a_public_paper(settings: Settings) -> Iterator[None]:
    """The same for nobody in particular: one of the machine's turns alone. Raises TooBusy."""
    files = settings.files
    try:
        with turns.turn(
            _folder(settings), "papers", of=files.at_once, patience=files.patience_seconds
        ):
            yield
    except NoTurn as error:
        raise TooBusy("The server is busy with other papers; ask again shortly.") from error


def writing_a_file(settings: Settings, actor: Actor) -> Callable[[], None]:
    """Take one of the caller's turns for an export file; returns the function that ends it.

    Raises TooManyAtOnce.
    """
    maximum = settings.exports.at_once
    name = f"exports of {actor.credential_id}"
    try:
        taken = turns.take(_folder(settings), name, of=maximum)
    except NoTurn as error:
        message = (
            f"You can download at most {maximum} files at once; wait until one is finished, or "
            "cancel it."
        )
        raise TooManyAtOnce(message, maximum=maximum) from error
    return partial(turns.give_back, taken)


def _folder(settings: Settings) -> Path:
    return settings.storage_directory / "turns"
