"""A mail server in a process of its own, which takes everything after a while."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tracker.bench.servers import environment
from tracker.mail.catcher import Behaviour, Catcher
from tracker.settings import ROOT


@contextmanager
def relaying(delay: float = 0.0) -> Iterator[int]:
    """Run it; the port. Each letter is answered after ``delay`` seconds."""
    program = [sys.executable, "-m", "tracker.bench.relay", str(delay)]
    with subprocess.Popen(  # noqa: S603 - ours
        program, cwd=ROOT, env=environment({}), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as server:
        told = server.stdout.readline() if server.stdout else b""
        try:
            yield int(told)
        finally:
            server.terminate()


def _main() -> None:
    with Catcher(behaviour=Behaviour(data_delay=float(sys.argv[1]))) as catcher:
        sys.stdout.write(f"{catcher.port}\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    _main()
