"""Storing files: a folder of them under random names."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Store:
    """A folder of files under random names; a name never comes from outside."""

    folder: Path

    def put(self, data: bytes) -> str:
        """Store the bytes, on the disk before this returns; returns the key."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = secrets.token_hex(32)
        part = self.folder / f".{key}.part"
        try:
            private = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(private, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.rename(self.folder / key)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        _sync(self.folder)
        return key

    def get(self, key: str) -> bytes:
        """The bytes stored under a key."""
        return (self.folder / key).read_bytes()

    def remove(self, key: str) -> None:
        """Remove a file; a missing file is no error."""
        (self.folder / key).unlink(missing_ok=True)

    def keys(self, *, before: float) -> Iterator[str]:
        """The keys of files last written before an instant, in seconds since 1970."""
        if self.folder.is_dir():
            for path in self.folder.iterdir():
                if path.stat().st_mtime < before:
                    yield path.name


def _sync(folder: Path) -> None:
    """Write the folder's own entries to the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
