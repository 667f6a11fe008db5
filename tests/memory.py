"""How much memory a process and all that it started take, watched while something runs."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections import defaultdict
from pathlib import Path
from types import TracebackType
from typing import Self

_PAGE = os.sysconf("SC_PAGE_SIZE")
_EVERY = 0.02  # seconds


class Peak:
    """The most memory that the processes under one took together, in megabytes.

    Shared pages count in each process. Without ``itself`` only what it started is counted.
    """

    def __init__(self, pid: int | None = None, *, itself: bool = True) -> None:
        self._pid, self._itself = pid or os.getpid(), itself
        self._over = threading.Event()
        self._watcher = threading.Thread(target=self._watch)
        self.megabytes = 0.0

    def __enter__(self) -> Self:
        self._watcher.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        self._watcher.join()

    def _watch(self) -> None:
        while not self._over.is_set():
            self.megabytes = max(self.megabytes, self._now())
            time.sleep(_EVERY)

    def _now(self) -> float:
        children = defaultdict(list)
        pages: dict[int, int] = {}
        command: dict[int, bytes] = {}
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError, ValueError, IndexError):
                pid = int(folder.name)
                about = (folder / "stat").read_text().rpartition(")")[2].split()
                children[int(about[1])].append(pid)
                pages[pid] = int((folder / "statm").read_text().split()[1])
                command[pid] = (folder / "cmdline").read_bytes()
        total, waiting = 0, [self._pid]
        while waiting:
            pid = waiting.pop()
            total += pages.get(pid, 0)
            # Between fork and exec a process shows what its parent takes, and takes nothing.
            waiting += [n for n in children[pid] if command.get(n) != command.get(pid)]
        total -= 0 if self._itself else pages[self._pid]
        return total * _PAGE / (1 << 20)
