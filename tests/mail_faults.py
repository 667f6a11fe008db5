"""A mail server for demonstrations and tests: it takes every message and delivers none.

Real SMTP over a socket on 127.0.0.1, so that what is tried out is what happens in production. A
``Behaviour`` lets it refuse, dawdle and hang up, which is how the fault tests are made.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import os
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, AnyStr, Never, Self

from aiosmtpd.smtp import SMTP, Envelope, Session

from tracker import clock

if TYPE_CHECKING:
    import ssl

_KEPT = "250 2.0.0 OK"
Replies = dict[str, str | list[str]]
"""By recipient ("*": everybody). A text answers always; a list is used up, one text a time."""


class Cut(enum.Enum):
    """The moment at which the catcher hangs up on a message."""

    BEFORE_KEEPING = "before keeping"  # the message is lost, and no answer comes
    BEFORE_250 = "before 250"  # the message is kept, but no answer comes
    AFTER_250 = "after 250"  # the message is kept and answered for, then the line is dead


@dataclass(slots=True)
class Behaviour:
    """What the catcher does wrong, on purpose. It may be changed while the catcher runs.

    Replies are SMTP's, such as "550 5.1.1 No such user"; one that begins with 2 lets the step go
    its usual way, and after a 421 the catcher hangs up. Delays are in seconds.
    """

    mail_replies: list[str] = field(default_factory=list)  # to MAIL, used up one a time
    rcpt_replies: Replies = field(default_factory=dict)
    data_replies: Replies = field(default_factory=dict)  # after the final dot
    cuts: dict[str, list[Cut]] = field(default_factory=dict)  # by recipient, used up
    cut_at_quit: bool = False
    rcpt_delay: float = 0.0
    data_delay: float = 0.0  # after the final dot, before the message is taken
    answer_delay: float = 0.0  # after it is taken, before it is said
    busy_every: int = 0  # 421 instead of every so-many-th MAIL


@dataclass(frozen=True)
class Caught:
    """One accepted message for one recipient."""

    envelope_sender: str
    recipient: str
    received_at: datetime
    path: Path | None
    raw: bytes = field(repr=False)

    @cached_property
    def message(self) -> EmailMessage:
        """The message, parsed."""
        return message_from_bytes(self.raw, policy=policy.default)

    @property
    def message_id(self) -> str:
        """The Message-ID with its angle brackets, empty if there is none."""
        return str(self.message["Message-ID"] or "")

    @property
    def subject(self) -> str:
        """The subject, decoded."""
        return str(self.message["Subject"] or "")

    @property
    def text(self) -> str:
        """The plain text part, empty if there is none."""
        return self._part("plain")

    @property
    def html(self) -> str:
        """The HTML part, empty if there is none."""
        return self._part("html")

    def _part(self, kind: str) -> str:
        part = self.message.get_body((kind,))
        return str(part.get_content()) if part else ""


def read(path: Path) -> Caught:
    """Read back a message that a catcher wrote, perhaps in another process."""
    *trace, raw = path.read_bytes().split(b"\r\n", 3)
    sender, recipient, received_at = (line.decode().partition(": ")[2] for line in trace)
    return Caught(sender, recipient, datetime.fromisoformat(received_at), path, raw)


class Catcher:
    """Catches messages on 127.0.0.1 from ``start()`` to ``stop()``, or inside ``with``.

    With a ``directory`` every message becomes an .eml file that is on the disk before the server
    answers 250. ``port`` 0 takes a free one; a second ``start()`` takes the same port again.
    ``tls`` offers STARTTLS. ``connections`` counts those accepted, ``received`` the messages that
    came in whole, whatever became of them.
    """

    def __init__(
        self,
        directory: Path | None = None,
        port: int = 0,
        *,
        behaviour: Behaviour | None = None,
        tls: ssl.SSLContext | None = None,
        smtputf8: bool = False,
        now: clock.Clock = clock.system,
    ) -> None:
        self.port = port
        self.behaviour = behaviour or Behaviour()
        self.connections = self.received = self._mails = 0
        self._directory, self._tls, self._smtputf8, self._now = directory, tls, smtputf8, now
        self._ledger: list[Caught] = []
        self._lines: set[_Line] = set()
        self._thread: threading.Thread | None = None
        self._end: Callable[[], object] = lambda: None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen. Raises OSError when the port is taken, RuntimeError when already started."""
        if self._thread is not None:
            raise RuntimeError("the catcher is already started")
        ready: Future[int] = Future()
        thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(ready)), name="mail-catcher", daemon=True
        )
        thread.start()
        self.port, self._thread = ready.result(), thread

    def stop(self) -> None:
        """Hang up on everyone and stop listening; what was caught stays."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._end()
            thread.join()

    def letters(self) -> list[Caught]:
        """Everything accepted so far, in the order of acceptance, copies included."""
        return list(self._ledger)

    async def _serve(self, ready: Future[int]) -> None:
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        try:
            server = await loop.create_server(self._answer, "127.0.0.1", self.port)
        except OSError as error:
            ready.set_exception(error)
            return
        self._end = lambda: loop.call_soon_threadsafe(ended.set)
        ready.set_result(server.sockets[0].getsockname()[1])
        await ended.wait()
        server.close()
        for line in list(self._lines):
            line.hang_up()
        while self._lines:  # noqa: ASYNC110 - two turns of the loop at the most
            await asyncio.sleep(0.001)

    def _answer(self) -> _Line:
        self.connections += 1
        return _Line(
            _Handler(self),
            self._lines,
            hostname="localhost",
            tls_context=self._tls,
            enable_SMTPUTF8=self._smtputf8,
            loop=asyncio.get_running_loop(),
        )

    async def keep(self, envelope: Envelope, recipient: str) -> None:
        """Write one letter to the disk and then into the ledger. Raises OSError for a full disk."""
        sender, raw = envelope.mail_from or "", envelope.original_content or b""
        received_at, path = self._now(), None
        if self._directory is not None:
            name = f"{received_at:%Y%m%dT%H%M%S.%f}-{uuid.uuid4().hex[:8]}.eml"
            path = self._directory / name
            trace = _trace(sender, recipient, received_at)
            await asyncio.to_thread(_write_through, path, trace + raw)
        self._ledger.append(Caught(sender, recipient, received_at, path, raw))

    def refusal_of_mail(self) -> str | None:
        """The behaviour's answer to the next MAIL, if it is not the usual one."""
        self._mails += 1
        behaviour = self.behaviour
        if behaviour.busy_every and self._mails % behaviour.busy_every == 0:
            return "421 4.3.2 Busy, come back later"
        return _refusal({"*": behaviour.mail_replies}, "*")


class _Line(SMTP):
    """One connection, which is known to the catcher as long as it lives."""

    def __init__(self, handler: _Handler, lines: set[_Line], **settings: Any) -> None:
        super().__init__(handler, **settings)
        self._lines = lines

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._lines.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._lines.discard(self)
        if self.transport is not None:
            super().connection_lost(error)

    async def push(self, status: AnyStr) -> None:
        """Answer; a 421 closes the connection, as RFC 5321 has it."""
        await super().push(status)
        if status[:3] in {"421", b"421"} and self.transport is not None:
            self.transport.close()

    def hang_up(self) -> None:
        """Close the connection at once; what is not yet sent stays unsent."""
        if isinstance(self.transport, asyncio.WriteTransport):
            # Python before 3.11.5: a TLS transport that has ended has no protocol left to abort.
            with contextlib.suppress(AttributeError):
                self.transport.abort()

    async def silence(self) -> Never:
        """Answer no more: whoever waits here is cancelled when the connection has ended."""
        self.hang_up()
        await asyncio.Event().wait()
        raise AssertionError


class _Handler:
    """What aiosmtpd asks at each step of a message: the catcher's behaviour, put into replies."""

    def __init__(self, catcher: Catcher) -> None:
        self._catcher = catcher

    async def handle_MAIL(  # noqa: N802 - aiosmtpd looks for this name
        self, _line: _Line, _session: Session, envelope: Envelope, sender: str, options: list[str]
    ) -> str:
        refusal = self._catcher.refusal_of_mail()
        if refusal is None:
            envelope.mail_from = sender
            envelope.mail_options.extend(options)
        return refusal or "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd looks for this name
        self, _line: _Line, _session: Session, envelope: Envelope, recipient: str, _: list[str]
    ) -> str:
        behaviour = self._catcher.behaviour
        await asyncio.sleep(behaviour.rcpt_delay)
        refusal = _refusal(behaviour.rcpt_replies, recipient)
        if refusal is None:
            envelope.rcpt_tos.append(recipient)
        return refusal or "250 2.1.5 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd looks for this name
        self, line: _Line, _session: Session, envelope: Envelope
    ) -> str:
        behaviour, recipient = self._catcher.behaviour, envelope.rcpt_tos[0]
        self._catcher.received += 1
        await asyncio.sleep(behaviour.data_delay)
        refusal = _refusal(behaviour.data_replies, recipient)
        if refusal is not None:
            return refusal
        cuts = behaviour.cuts.get(recipient) or behaviour.cuts.get("*")
        return await self._accept(line, envelope, cuts.pop(0) if cuts else None)

    async def handle_QUIT(  # noqa: N802 - aiosmtpd looks for this name
        self, line: _Line, _session: Session, _envelope: Envelope
    ) -> str:
        if self._catcher.behaviour.cut_at_quit:
            await line.silence()
        return "221 2.0.0 Bye"

    async def _accept(self, line: _Line, envelope: Envelope, cut: Cut | None) -> str:
        if cut is Cut.BEFORE_KEEPING:
            await line.silence()
        try:
            for recipient in envelope.rcpt_tos:
                await self._catcher.keep(envelope, recipient)
        except OSError as error:
            return f"451 4.3.0 {error.strerror}"
        await asyncio.sleep(self._catcher.behaviour.answer_delay)
        if cut is Cut.AFTER_250:
            await line.push(_KEPT)
        if cut is not None:
            await line.silence()
        return _KEPT


def _refusal(replies: Replies, recipient: str) -> str | None:
    """The next reply meant for ``recipient``, unless there is none or it is a success."""
    said = replies.get(recipient, replies.get("*", []))
    reply = said if isinstance(said, str) else said.pop(0) if said else _KEPT
    return None if reply.startswith("2") else reply


def _trace(sender: str, recipient: str, received_at: datetime) -> bytes:
    lines = (
        f"X-Envelope-From: {sender}",
        f"X-Envelope-To: {recipient}",
        f"X-Received-At: {received_at.isoformat()}",
    )
    return "".join(f"{line}\r\n" for line in lines).encode()


def _write_through(path: Path, content: bytes) -> None:
    """Put a whole file on the disk, under its name only once it is complete."""
    unfinished = path.with_suffix(".part")
    with unfinished.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
