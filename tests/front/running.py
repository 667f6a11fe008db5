"""A ``tracker serve`` that runs, for tests to talk to."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import make_container
from tracker.services.core.context import Container
from tracker.settings import ROOT


@contextlib.contextmanager
def serving(
    home: Path, template: str, *, workers: int, threads: int = 2, **variables: str
) -> Iterator[tuple[int, Container]]:
    """Serve a copy of a SQLite database in ``home``; the port, and a container on the same copy."""
    file = shutil.copyfile(template, home / "tracker.sqlite3")
    url, storage = f"sqlite:///{file}", home / "storage"
    container = make_container(url, storage, None)
    port = free_port()
    command = ["serve", "--port", str(port), "--workers", str(workers), "--threads", str(threads)]
    given = {
        "TRACKER_ENV": "testing",
        "TRACKER_DATABASE_URL": url,
        "PYTHONPATH": str(ROOT),
        "TRACKER_STORAGE_DIRECTORY": str(storage),
        **variables,
    }
    with subprocess.Popen(
        [sys.executable, "-m", "tracker.cli", *command], env={**os.environ, **given}
    ) as server:
        try:
            wait_for(port)
            yield port, container
        finally:
            container.engine.dispose()
            server.send_signal(signal.SIGINT)
            assert server.wait(60) == 0


def free_port() -> int:
    """A port that no one listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int) -> None:
    """Wait until someone listens there."""
    deadline = time.monotonic() + 60
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        assert time.monotonic() < deadline
        time.sleep(0.05)
