"""A clock that runs fast, the same in every process, and the scheduler of a process that reads it.

The clock is given to the application as any other is: no setting makes one run fast.
"""

from __future__ import annotations

import logging
import math
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from tests.faults.processes import ROOT, environment
from tracker import scheduler
from tracker.app import create_app
from tracker.services.core.context import Container


@dataclass
class Fast:
    """Stands at ``start`` until ``begun``, then runs ``rate`` times as fast as real time.

    ``begun`` is of the machine's monotonic clock, which all processes share. ``slowness``: how many
    times as long as usual the machine takes for anything, so that by this clock it takes as long.
    """

    start: datetime
    rate: float
    begun: float = math.inf
    slowness: float = 1.0

    def __call__(self) -> datetime:
        real = max(0.0, time.monotonic() - self.begun)
        return self.start + timedelta(seconds=real * self.rate / self.slowness)

    def begin(self, slowness: float) -> None:
        """Let it run."""
        self.begun, self.slowness = time.monotonic(), slowness


class Scheduler:
    """The timetable in a separate process, on a container's database and mail server."""

    def __init__(self, container: Container, clock: Fast, log: Path, **variables: str) -> None:
        self._clock = clock
        program = [sys.executable, "-m", "tests.faults.fast"]
        with log.open("ab") as written:
            self.process = subprocess.Popen(
                [*program, clock.start.isoformat(), repr(clock.rate)],
                cwd=ROOT,
                text=True,
                env=environment(container, container.settings.mail.port, **variables),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=written,
            )

    def wait_until_ready(self) -> None:
        """Wait until it can begin."""
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"

    def begin(self) -> None:
        """Let it run as soon as it can, by the clock, which has begun."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{self._clock.begun!r} {self._clock.slowness!r}\n")
        self.process.stdin.flush()

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.communicate()


def main(start: str, rate: str) -> None:
    """Run the timetable until told to stop, or until the process that started it has ended."""
    logging.basicConfig(level=logging.WARNING, format="%(process)d %(levelname)s %(message)s")
    clock = Fast(datetime.fromisoformat(start), float(rate))
    container = create_app(read_clock=clock).extensions["tracker"]
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    clock.begun, clock.slowness = map(float, sys.stdin.readline().split())
    threading.Thread(target=_end_with_input, daemon=True).start()
    scheduler.run(container)


def _end_with_input() -> None:
    sys.stdin.read()
    os._exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
