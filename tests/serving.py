"""A site of its own for a test: ``tracker serve`` on the test's database, asked over sockets."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tracker.services.core.context import Container
from tracker.settings import ROOT


@dataclass(frozen=True)
class Site:
    """A running site: its port and the process that it is."""

    port: int
    pid: int

    def ask(
        self,
        method: str,
        path: str,
        secret: str | None = None,
        *,
        timeout: float = 120,
        **send: Any,
    ) -> tuple[int, bytes]:
        """Send a request; the status and the body of the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        headers = {**send.pop("headers", {})}
        if secret:
            headers["Authorization"] = f"Bearer {secret}"
        connection.request(method, path, headers=headers, **send)
        answer = connection.getresponse()
        found = answer.status, answer.read()
        connection.close()
        return found

    def seconds(self, path: str = "/healthz", secret: str | None = None) -> float:
        """How long a request takes that must be answered well."""
        began = time.monotonic()
        status, _ = self.ask("GET", path, secret)
        assert status == 200
        return time.monotonic() - began


def form(fields: dict[str, str], data: bytes, name: str = "file.pdf") -> dict[str, Any]:
    """The body and headers of a form with a file."""
    parts = [
        f'--x\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
        for key, value in fields.items()
    ]
    head = f'--x\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    body = "".join([*parts, head]).encode() + data + b"\r\n--x--\r\n"
    return {"body": body, "headers": {"Content-Type": "multipart/form-data; boundary=x"}}


@contextmanager
def served(container: Container, **variables: str) -> Iterator[Site]:
    """Serve the container's database with one process until the block ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    told = {
        **os.environ,
        "TRACKER_ENV": "testing",
        "PYTHONPATH": str(ROOT),
        "TRACKER_DATABASE_URL": container.settings.database.url,
        "TRACKER_STORAGE_DIRECTORY": container.settings.storage.directory,
        **variables,
    }
    command = [sys.executable, "-m", "tracker.cli", "serve", "--port", str(port), "--workers", "1"]
    with subprocess.Popen(command, env=told, stdout=subprocess.DEVNULL) as process:
        try:
            _wait(port, process)
            yield Site(port, process.pid)
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        assert process.poll() is None
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the site does not answer")
