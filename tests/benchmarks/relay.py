"""A mail server in a separate process, which takes everything after a while and keeps nothing.

It answers and no more, as the sinks do that mail servers bring for measuring: a server that
parses messages would be most of what is measured.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.benchmarks.servers import environment
from tracker.settings import ROOT

_END = b"\r\n.\r\n"


@contextmanager
def relaying(delay: float = 0.0) -> Iterator[int]:
    """Run it; the port. Each message is answered after ``delay`` seconds."""
    program = [sys.executable, "-c", f"from tests.benchmarks import relay; relay.main({delay})"]
    with subprocess.Popen(
        program, cwd=ROOT, env=environment({}), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as server:
        told = server.stdout.readline() if server.stdout else b""
        try:
            yield int(told)
        finally:
            server.terminate()


class _Sink(asyncio.Protocol):
    """One connection: every command is answered, every message after a delay."""

    def __init__(self, delay: float) -> None:
        self._delay, self._buffer, self._in_letter = delay, b"", False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = _END if self._in_letter else b"\r\n"
        while end in self._buffer:
            taken, self._buffer = self._buffer.split(end, 1)
            self._answer(taken[:4].upper())
            end = _END if self._in_letter else b"\r\n"

    def _answer(self, verb: bytes) -> None:
        if self._in_letter:
            self._in_letter = False
            loop = asyncio.get_running_loop()
            loop.call_later(self._delay, self._transport.write, b"250 2.0.0 OK\r\n")
        elif verb == b"DATA":
            self._in_letter = True
            self._transport.write(b"354 Go ahead\r\n")
        elif verb == b"QUIT":
            self._transport.write(b"221 2.0.0 Bye\r\n")
            self._transport.close()
        else:
            self._transport.write(b"250 2.0.0 OK\r\n")


def main(delay: float) -> None:
    """Serve until the process that started it ends it; first report the port."""
    asyncio.run(_serve(delay))


async def _serve(delay: float) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: _Sink(delay), "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()
