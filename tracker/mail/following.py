"""Reading a log file as it grows, across rotations."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_AT_ONCE = 5_000  # lines


class Followed:
    """A log file whose new lines are read at each call, including after a rotation.

    The last rotated file (``mail.log.1``) is read first, so that lines rotated while nobody read
    are not missed. The file may not exist yet.

    Invariant: no line is skipped. The writer may write to a renamed file until the new file has a
    line, so the old one is read until then; if a file is copied and truncated, the rest is read
    from the copy.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._rest = path, b""
        self._file: BinaryIO | None = None
        self._aside = path.with_name(f"{path.name}.1")
        self._next = [self._aside, path] if self._aside.exists() else [path]
        self._is_replaced = False

    def pieces(self) -> Iterator[list[str]]:
        """The new complete lines with their line ends, a few thousand at a time."""
        piece: list[str] = []
        while (line := self._line()) is not None:
            piece.append(line)
            if len(piece) >= _AT_ONCE:
                yield piece
                piece = []
        if piece:
            yield piece

    def close(self) -> None:
        """Close the file."""
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
        """At the end of the file: whether reading goes on in another file, or from its start."""
        assert self._file is not None  # noqa: S101 - for the type checker
        mine = os.fstat(self._file.fileno())
        try:
            there = self._path.stat()
        except OSError:
            return False  # renamed, and the new file does not exist yet
        if (mine.st_dev, mine.st_ino) == (there.st_dev, there.st_ino):
            return self._goes_on_if_cut(there.st_size)
        if not there.st_size:
            return False  # the new file is empty, so the old one may still be written to
        if not self._is_replaced:
            self._is_replaced = True  # read the last lines of the old file first
            return True
        self.close()
        self._next, self._rest, self._is_replaced = [self._path], b"", False
        return True

    def _goes_on_if_cut(self, size: int) -> bool:
        """After the file was truncated, go on with the rest of the copy made before."""
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
