"""Turns: a limit on how many of something run at once, over all processes of this machine.

Each turn is a file in a folder of the installation, locked while the turn is taken. The system
releases the lock when a process dies, so no turn is ever lost.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_GLANCE = 0.02  # seconds between two attempts to take a turn


class NoTurn(Exception):  # noqa: N818 - named for the refused fact
    """All turns were taken."""


@contextmanager
def turn(folder: Path, name: str, *, of: int, patience: float = 0.0) -> Iterator[None]:
    """Hold one of ``of`` turns until the block ends. Raises NoTurn after ``patience`` seconds."""
    handle = take(folder, name, of=of, patience=patience)
    try:
        yield
    finally:
        give_back(handle)


def give_back(taken: int) -> None:
    """End a turn."""
    os.close(taken)


def take(folder: Path, name: str, *, of: int, patience: float = 0.0) -> int:
    """Take a turn; returns the open file that holds it until ``give_back``. Raises NoTurn."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    began = time.monotonic()
    while True:
        for number in range(of):
            if (handle := _locked(folder / f"{_safe(name)}.{number}")) is not None:
                return handle
        if time.monotonic() - began >= patience:
            raise NoTurn(name)
        time.sleep(_GLANCE)


def _locked(path: Path) -> int | None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle


def _safe(name: str) -> str:
    """A safe file name for any name of a turn."""
    return hashlib.sha256(name.encode()).hexdigest()[:32]
