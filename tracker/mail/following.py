"""A log file that grows and is replaced now and then, read from its beginning on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_AT_ONCE = 5_000  # lines


class Followed:
    """What was added to a file since the last look; a file that takes its place is gone on with.

    The file that was put aside last (``mail.log.1``) is read first, so that what a rotation moved
    while nobody read is not missed. One that is not there yet is waited for.

    Invariant: no line is passed over. Whoever writes may write to a file that was renamed until
    there is a line in the new one, and what was copied before a file was cut is in its copy.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._rest = path, b""
        self._file: BinaryIO | None = None
        self._aside = path.with_name(f"{path.name}.1")
        self._next = [self._aside, path] if self._aside.exists() else [path]
        self._is_replaced = False

    def pieces(self) -> Iterator[list[str]]:
        """The whole lines that are new, some thousand at once; each with its end."""
        piece: list[str] = []
        while (line := self._line()) is not None:
            piece.append(line)
            if len(piece) >= _AT_ONCE:
                yield piece
                piece = []
        if piece:
            yield piece

    def close(self) -> None:
        """Let the file go."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _line(self) -> str | None:
        while True:
            if self._file is None and not self._open():
                return None
            assert self._file is not None  # noqa: S101 - for the type checker
            read = self._rest + self._file.readline()
            if read.endswith(b"\n"):
                self._rest = b""
                return read.decode("utf-8", "replace")
            self._rest = read
            if not self._goes_on():
                return None

    def _open(self) -> bool:
        try:
            self._file = self._next[0].open("rb")
        except OSError:
            return False
        if len(self._next) > 1:
            del self._next[0]
        return True

    def _goes_on(self) -> bool:
        """At the end of a file: whether there is another, or this one begins anew."""
        assert self._file is not None  # noqa: S101 - for the type checker
        mine = os.fstat(self._file.fileno())
        try:
            there = self._path.stat()
        except OSError:
            return False  # moved away, and the new one is not made yet
        if (mine.st_dev, mine.st_ino) == (there.st_dev, there.st_ino):
            return self._goes_on_if_cut(there.st_size)
        if not there.st_size:
            return False  # made, but the old one is still written to
        if not self._is_replaced:
            self._is_replaced = True  # what was written to the old one last is read first
            return True
        self.close()
        self._next, self._rest, self._is_replaced = [self._path], b"", False
        return True

    def _goes_on_if_cut(self, size: int) -> bool:
        """Go on with the rest of the copy that was made of a file before it was cut."""
        assert self._file is not None  # noqa: S101 - for the type checker
        read = self._file.tell()
        if size >= read:
            return False
        self._file.seek(0)
        if self._aside.exists() and self._aside.stat().st_size > read:
            self.close()
            self._file = self._aside.open("rb")
            self._file.seek(read)
        else:
            self._rest = b""
        return True
