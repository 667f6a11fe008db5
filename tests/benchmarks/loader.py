"""A small HTTP/1.1 client for load: a separate process, on loopback, bounded in count and time.

``main`` reads one job a line on standard input, as JSON, and answers
each with a line. Every connection is kept alive and has one request on its way; bytes of
requests are made beforehand, and of an answer no more is read than its status and length.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import cast

LOOPBACK = "127.0.0.1"
MOST_SECONDS = 60.0
MOST_REQUESTS = 1_000_000
_STATUS = slice(9, 12)  # of "HTTP/1.1 200 OK"
_PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Job:
    """What to send: ``bodies`` empty means GET. Paths and bodies are taken in turns."""

    port: int
    paths: list[str]
    headers: dict[str, str]
    body: str = ""
    connections: int = 4
    seconds: float = 1.0
    requests: int = MOST_REQUESTS


@dataclass(frozen=True, slots=True)
class Load:
    """What came of a job: requests answered as they should be, the others, and the time."""

    answered: int
    failed: int
    seconds: float
    first_failure: str = ""

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.answered / self.seconds


def main() -> None:
    """Run jobs until the input ends."""
    for line in sys.stdin:
        print(json.dumps(asdict(asyncio.run(run(Job(**json.loads(line)))))), flush=True)  # noqa: T201 - asked for


async def run(job: Job) -> Load:
    """Send requests until the time or the count is up, then wait for those on their way."""
    loop = asyncio.get_running_loop()
    tally = _Tally(itertools.cycle(_messages(job)), min(job.requests, MOST_REQUESTS))
    begun = time.perf_counter()
    tally.until = begun + min(job.seconds, MOST_SECONDS)
    opened = [
        await loop.create_connection(lambda: _Connection(tally), LOOPBACK, job.port)
        for _ in range(job.connections)
    ]
    await asyncio.wait_for(
        asyncio.gather(*(one.done for _, one in opened)), _PATIENCE + job.seconds
    )
    seconds = time.perf_counter() - begun
    return Load(tally.answered, tally.failed, seconds, tally.first_failure)


def _messages(job: Job) -> list[bytes]:
    """The bytes of every different request."""
    method = "POST" if job.body else "GET"
    headers = {"Host": LOOPBACK, "Accept": "application/json", **job.headers}
    if job.body:
        headers |= {"Content-Type": "application/json", "Content-Length": str(len(job.body))}
    told = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return [f"{method} {path} HTTP/1.1\r\n{told}\r\n{job.body}".encode() for path in job.paths]


@dataclass(slots=True)
class _Tally:
    """What all connections share: the next request, the end, the counts."""

    messages: Iterator[bytes]
    left: int
    until: float = 0.0
    answered: int = 0
    failed: int = 0
    first_failure: str = ""

    def fail(self, told: str) -> None:
        """Count a failure and send no more: a number with failures in it is no number."""
        self.failed += 1
        self.left = 0
        self.first_failure = self.first_failure or told


class _Connection(asyncio.Protocol):
    """One kept-alive connection with one request on its way."""

    def __init__(self, tally: _Tally) -> None:
        self.tally = tally
        self.done = asyncio.get_running_loop().create_future()
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._next()

    def _next(self) -> None:
        tally = self.tally
        if tally.left <= 0 or time.perf_counter() >= tally.until:
            self.transport.close()
            return
        tally.left -= 1
        self.transport.write(next(tally.messages))

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head = self.buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        mark = self.buffer.lower().find(b"content-length:", 0, head)
        length = int(self.buffer[mark + 15 : self.buffer.index(b"\r\n", mark)]) if mark > 0 else 0
        if len(self.buffer) < head + 4 + length:
            return
        if self.buffer[_STATUS] in {b"200", b"201"}:
            self.tally.answered += 1
        else:
            self.tally.fail(self.buffer[:600].decode())
        self.buffer = b""
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is not None:
            self.tally.fail(repr(exc))
        if not self.done.done():
            self.done.set_result(None)
