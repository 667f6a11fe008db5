"""Reading a mail server's replies line by line, with one deadline for each reply."""

from __future__ import annotations

import socket
import time


class ReplyReader:
    """Reads reply lines with one deadline for a reply, however slowly the bytes arrive."""

    def __init__(self, sock: socket.socket, timeout: float) -> None:
        self._sock, self._timeout, self._ends = sock, timeout, 0.0
        self.pending = b""

    def begin(self, timeout: float) -> None:
        """Start the deadline of the next reply, in ``timeout`` seconds."""
        self._ends = time.monotonic() + timeout

    def readline(self, limit: int) -> bytes:
        """One line with its end; ``limit`` bytes of a longer one; nothing at the end of the stream.

        Raises TimeoutError after the deadline.
        """
        while b"\n" not in self.pending and len(self.pending) < limit:
            chunk = self._receive()
            if not chunk:
                return b""
            self.pending += chunk
        cut = self.pending.find(b"\n") + 1 or limit
        line, self.pending = self.pending[:cut], self.pending[cut:]
        return line

    def close(self) -> None:
        """Drop what was read ahead; smtplib closes its file with the socket."""
        self.pending = b""

    def _receive(self) -> bytes:
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("the server sent no complete reply in time")
        self._sock.settimeout(left)
        try:
            return self._sock.recv(8192)
        finally:
            self._sock.settimeout(self._timeout)
