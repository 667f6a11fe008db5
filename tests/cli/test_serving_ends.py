"""tracker serve --with-scheduler leaves nothing behind, however it ends.

Protects cli/running and cli/bound.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.backends import SQLITE
from tracker.domain.permissions import SYSTEM
from tracker.models import Runtime
from tracker.settings import ROOT

# Processes end in the same way on every database.
pytestmark = SQLITE


@pytest.fixture
def server(variables):
    """The web server and the scheduler on a free port; killed at the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "tracker.cli",
        "serve",
        "--port",
        str(port),
        "--workers",
        "1",
        "--with-scheduler",
    ]
    environment = {**os.environ, **variables, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) as process:
        yield process, port
        process.kill()


def family(pid):
    """A process's children, their children, and so on."""
    parents = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(status.parent.name)] = int(fields[1])
    found = {pid}
    while more := {one for one, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}


def wait_until(condition, seconds=60):
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it never came to be"
        time.sleep(0.1)


def is_answered(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def has_ticked(container):
    with container.reading(SYSTEM) as reading:
        row = reading.connection.execute(Runtime.__table__.select()).first()
    return row is not None and row.last_tick_at is not None


def is_over(pid):
    """Whether a process has ended, or is a zombie that no one has asked about."""
    try:
        return ") Z" in Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return True


def test_when_it_is_killed_its_children_end_too(server, container):
    process, port = server
    wait_until(lambda: is_answered(port) and has_ticked(container))
    children = family(process.pid)
    assert len(children) >= 3, "the web server, its worker, the scheduler"

    process.kill()
    process.wait(60)

    wait_until(lambda: all(map(is_over, children)))
    assert not is_answered(port)


def test_when_its_scheduler_dies_the_web_server_ends_too(server, container):
    process, port = server
    wait_until(lambda: is_answered(port) and has_ticked(container))
    children = family(process.pid)
    scheduler = next(pid for pid in children if b"scheduler" in _command(pid))

    os.kill(scheduler, signal.SIGKILL)

    assert process.wait(60) != 0
    wait_until(lambda: all(map(is_over, children)))
    assert not is_answered(port)


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_when_it_is_told_to_stop_while_it_starts_nobody_waits_until_patience_ends(server, told):
    process, port = server
    wait_until(lambda: sum(b"granian" in _command(pid) for pid in family(process.pid)) == 2)
    time.sleep(0.4)  # the worker is there, and imports the application

    process.send_signal(told)

    assert process.wait(20) == 0
    assert not is_answered(port)


@pytest.mark.parametrize("impatience", [signal.SIGTERM, signal.SIGINT])
def test_when_it_is_told_twice_it_leaves_nothing_behind_either(server, impatience):
    process, port = server
    wait_until(lambda: is_answered(port))
    children = family(process.pid)

    for told in (signal.SIGTERM, impatience, impatience):
        process.send_signal(told)
        time.sleep(0.05)

    assert process.wait(40) == 0
    assert all(map(is_over, children))


def serve(variables, *args):
    command = [sys.executable, "-m", "tracker.cli", "serve", *args]
    environment = {**os.environ, **variables, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.usefixtures("container")
def test_where_somebody_listens_already_it_does_not_start(variables, taken):
    """Its sockets could be shared with another site, which would take half of the requests."""
    ended = serve(variables, "--host", "127.0.0.1", "--port", str(taken))
    assert ended.returncode == 1
    assert f"Cannot listen at 127.0.0.1, port {taken}: Address already in use." in ended.stderr


def _command(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # it is over
        return b""
