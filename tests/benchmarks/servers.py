"""Servers and the loader: granian processes on loopback, and requests to them."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace

from tests.benchmarks.loader import LOOPBACK, Job, Load
from tracker import front
from tracker.settings import ROOT

WORKERS, THREADS = os.cpu_count() or 1, 1
OURS, BARE = "tracker.front:make", "tests.benchmarks.bare:make"
_PATIENCE = 60.0


class RequestsFailedError(Exception):
    """A server answered otherwise than it should; nothing can be said of its speed."""


@contextmanager
def serving(app: str, variables: Mapping[str, str]) -> Iterator[int]:
    """Run an application with granian, as ``tracker serve`` does; the port that it listens on."""
    port = _free_port()
    program = front.program(LOOPBACK, port, workers=WORKERS, app=app, log_level="error")
    variables = {**variables, "TRACKER_SERVER_THREADS": str(THREADS)}
    with subprocess.Popen(program, cwd=ROOT, env=environment(variables)) as server:
        try:
            _wait_until_open(port, server)
            yield port
        finally:
            server.terminate()


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """The environment of a child: ours without TRACKER_ variables, and those given."""
    inherited = {name: value for name, value in os.environ.items() if name[:8] != "TRACKER_"}
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return inherited | {"PYTHONPATH": os.pathsep.join(paths), **variables}


def _free_port() -> int:
    with socket.create_server((LOOPBACK, 0)) as listener:
        return int(listener.getsockname()[1])


def _wait_until_open(port: int, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            socket.create_connection((LOOPBACK, port), timeout=1).close()
        except OSError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


class Loader:
    """The loader's process: jobs go in, what came of them comes back."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, job: Job, *, seconds: float) -> Load:
        """Send requests; RequestsFailedError if any was answered otherwise than it should."""
        load = self._run(replace(job, seconds=seconds))
        if load.failed or not load.answered:
            raise RequestsFailedError(f"{load.failed} requests failed: {load.first_failure}")
        return load

    def _run(self, job: Job) -> Load:
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise RequestsFailedError("the loader has no pipes")
        stdin.write(json.dumps(asdict(job)) + "\n")
        stdin.flush()
        line = stdout.readline()
        if not line:
            raise RequestsFailedError("the loader ended")
        return Load(**json.loads(line))


@contextmanager
def loading() -> Iterator[Loader]:
    """Start the loader; it ends when its input does."""
    program = [sys.executable, "-c", "from tests.benchmarks import loader; loader.main()"]
    with subprocess.Popen(
        program,
        cwd=ROOT,
        env=environment({}),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Loader(process)
        if process.stdin is not None:
            process.stdin.close()
