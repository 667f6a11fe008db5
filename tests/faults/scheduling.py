"""The scheduler as a separate process, as an operator runs it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any, Self

from sqlalchemy import select

from tests.faults.processes import ROOT, environment
from tracker.domain.permissions import SYSTEM
from tracker.models import Runtime
from tracker.services.core.context import Container


class Scheduler:
    """``tracker scheduler``, looking every second, until the end of the block.

    The block begins when its jobs run. A process that does not reach its database ends while it
    starts, for its supervisor to start another one.
    """

    def __init__(self, container: Container, clock: Any, port: int, **more: str) -> None:
        self._container = container
        every_second = {
            f"TRACKER_REMINDERS_{job}_EVERY_SECONDS": "1" for job in ("PLAN", "DISPATCH", "REAP")
        }
        self._environment = environment(
            container, port, TRACKER_NOW=clock.now.isoformat(), **every_second | more
        )

    def __enter__(self) -> Self:
        begun = self._beats()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tracker.cli", "scheduler"],
            cwd=ROOT,
            env=self._environment,
            stderr=subprocess.DEVNULL,
        )
        self.wait_until(lambda: self._beats() > begun, seconds=120)
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()

    def _beats(self) -> int:
        with self._container.reading(SYSTEM) as reading:
            return int(reading.row(select(Runtime.beats)).beats)

    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self.process.poll() is None

    def wait_until(self, condition: Callable[[], bool], *, seconds: float) -> None:
        """Wait until something is so, while it runs."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "it never came to be"
            assert self.is_alive()
            time.sleep(0.1)

    def stop(self) -> int:
        """Ask it to end; its exit status."""
        self.process.terminate()
        return self.process.wait(60)
