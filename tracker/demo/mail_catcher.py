"""A mail server for the demo: it accepts every email and delivers none.

Each email is kept as a file. It is real SMTP over a socket on 127.0.0.1, so that the demo behaves
like production.
"""

from __future__ import annotations

import os
import socket
import uuid
from dataclasses import dataclass
from email import message_from_bytes, policy
from pathlib import Path
from typing import Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class CaughtEmail:
    """One accepted email: its first recipient, and its subject in plain text."""

    recipient: str
    subject: str


class MailCatcher:
    """Catches email on a free port of 127.0.0.1 inside ``with``; ``port`` is its number.

    Every email is an .eml file in ``directory``, on the disk before the server answers 250.
    """

    def __init__(self, directory: Path) -> None:
        self.port = _free_port()
        self._directory = directory
        self._emails: list[CaughtEmail] = []
        self._server = Controller(self, hostname=_LOOPBACK, port=self.port)

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    def emails(self) -> list[CaughtEmail]:
        """Everything accepted so far, in the order of acceptance."""
        return list(self._emails)

    async def handle_DATA(  # noqa: N802 - aiosmtpd looks for this name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Store an email and accept it."""
        content = envelope.original_content or b""
        _write_through(self._directory / f"{uuid.uuid4().hex}.eml", content)
        subject = message_from_bytes(content, policy=policy.default)["Subject"]
        self._emails.append(CaughtEmail(envelope.rcpt_tos[0], str(subject or "")))
        return "250 2.0.0 OK"


def _free_port() -> int:
    with socket.create_server((_LOOPBACK, 0)) as listener:
        return int(listener.getsockname()[1])


def _write_through(path: Path, content: bytes) -> None:
    """Write a whole file to the disk."""
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
