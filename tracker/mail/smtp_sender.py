"""The SMTP sender: hands one composed message at a time to a mail server; returns the outcome.

It is the only importer of Flask-Mail, which provides the configuration, the connection class and
the signal behind ``record_messages()``. Flask-Mail's ``send()`` is not used: it raises if QUIT
fails after the server has accepted, has no timeout and takes any certificate. So MAIL, RCPT and
DATA are sent here. Nothing here decides whether a message is owed or when to retry.
"""

from __future__ import annotations

import contextlib
import enum
import logging
import re
import select
import smtplib
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from email import message_from_bytes, policy
from typing import Self

import flask_mail

from tracker.domain import emails
from tracker.mail.envelopes import ADDRESS
from tracker.mail.replies import ReplyReader

_log = logging.getLogger(__name__)
_OK, _GO_AHEAD, _CLOSING = 250, 354, 421
_SUCCESS, _PASSING, _FINAL = 2, 4, 5  # a reply's first digit: RFC 5321, 4.2.1
# Replies to MAIL that concern the session (log in first, encrypt first, bad sequence): they say
# nothing about the message, so they must not end it.
_ABOUT_SESSION = frozenset({_CLOSING, 503, 530, 534, 535, 538})
# RFC 3463: 5.1.x is about an address, but .5 is a success, .7 and .8 are about the sender's
# address and .9 about the message.
_BAD_ADDRESS = re.compile(rb"#?5\.1\.(?:[012346]|10)(?!\d)")
_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})
FINAL_TIMEOUT = 600.0
"""Seconds to wait for the server's reply to a complete message."""
_LONGEST_QUIT = 5.0  # seconds


class DeliveryOutcome(enum.Enum):
    """The outcome of handing a message over."""

    ACCEPTED = "accepted"  # the server replied 2xx to the message: it is the server's now
    RETRY = "retry"  # certainly not accepted, but that may change: 4xx, or no connection
    REFUSED = "refused"  # certainly not accepted, and 5xx says that a retry is pointless
    SUPPRESS = "suppress"  # refused because of the recipient's address: suppress it
    AMBIGUOUS = "ambiguous"  # the connection was lost during transmission: perhaps accepted
    NOT_OWED = "not_owed"  # the marker refused: nothing was sent


@dataclass(frozen=True, slots=True)
class Delivery:
    """An outcome with the server's reply on one line, of at most 500 characters.

    ``connection_failed`` means that the relay failed, not the message: it counts for the circuit
    breaker and not as one of the message's attempts.
    """

    outcome: DeliveryOutcome
    reply: str
    connection_failed: bool = False


class _Session(smtplib.SMTP):
    """smtplib's SMTP with deadlines for connecting and for every reply, in seconds."""

    sock: socket.socket
    timeout: float
    file: ReplyReader | None

    def __init__(
        self,
        host: str,
        port: int,
        *,
        local_hostname: str,
        timeout: float,
        implicit_tls: ssl.SSLContext | None,
    ) -> None:
        self._implicit_tls = implicit_tls
        super().__init__(host, port, local_hostname=local_hostname, timeout=timeout)

    def connect(
        self,
        host: str = "localhost",
        port: int = 0,
        source_address: object = None,  # noqa: ARG002 - the library's signature
    ) -> tuple[int, bytes]:
        """Connect within one timeout for all of the host's addresses; returns the greeting."""
        sock = _dial(host, port, self.timeout)
        try:
            if self._implicit_tls:
                sock = self._implicit_tls.wrap_socket(sock, server_hostname=host)
        except BaseException:
            sock.close()
            raise
        self.sock, self.file = sock, None
        return self.getreply()

    def getreply(self) -> tuple[int, bytes]:
        """One complete reply within the timeout; the code is -1 for an unintelligible one."""
        return self.reply_within(self.timeout)

    def reply_within(self, seconds: float) -> tuple[int, bytes]:
        """The same with another timeout."""
        if self.file is None:
            self.file = ReplyReader(self.sock, self.timeout)
        self.file.begin(seconds)
        return super().getreply()

    def spoke_unasked(self) -> bool:
        """Whether the server sent something since its last reply, which means it is closing."""
        if self.file is None or self.file.pending:
            return True
        poll = select.poll()
        poll.register(self.sock, select.POLLIN)
        return bool(poll.poll(0))


def _dial(host: str, port: int, timeout: float) -> socket.socket:
    """Try the host's addresses in turn within one timeout, in seconds. Raises OSError.

    ``socket.create_connection`` would give each address the whole timeout.
    """
    ends = time.monotonic() + timeout
    failure: OSError = TimeoutError("no address of the server answered in time")
    for *_, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        left = max(ends - time.monotonic(), 0.01)
        try:
            sock = socket.create_connection((str(address[0]), port), left)
        except OSError as error:
            failure = error
        else:
            sock.settimeout(timeout)
            return sock
    raise failure


class _Connection(flask_mail.Connection):
    """Flask-Mail's connection with timeouts, verified certificates and no clear-text fallback."""

    host: _Session | None

    def __init__(self, mail: flask_mail.Mail, *, timeout: float, local_hostname: str) -> None:
        super().__init__(mail)
        self._timeout, self._local_hostname = timeout, local_hostname
        encrypted = mail.use_tls or mail.use_ssl
        self._context = ssl.create_default_context() if encrypted else None

    def configure_host(self) -> _Session:
        """Open a session, encrypted and logged in as the settings say. Raises OSError.

        smtplib's exceptions are OSErrors, including the one for a server without STARTTLS.
        """
        context = self._context if self.mail.use_ssl else None
        host = _Session(
            self.mail.server,
            self.mail.port,
            local_hostname=self._local_hostname,
            timeout=self._timeout,
            implicit_tls=context,
        )
        try:
            if self.mail.use_tls:
                host.starttls(context=self._context)
            host.ehlo_or_helo_if_needed()
            if self.mail.username and self.mail.password:
                host.login(self.mail.username, self.mail.password)
        except BaseException:
            host.close()
            raise
        return host

    def opened(self) -> _Session:
        """The open session, or a new one if there is none or the server has begun to close it."""
        if self.host is not None and self.host.spoke_unasked():
            self.drop()
        if self.host is None:
            self.host = self.configure_host()
        return self.host

    def drop(self) -> None:
        """Close without QUIT: the server is gone, or the session is out of step."""
        host, self.host = self.host, None
        if host is not None:
            host.close()

    def quit(self) -> None:
        """Send QUIT and close; a failure does not change earlier outcomes."""
        if self.host is not None:
            self.host.timeout = min(self.host.timeout, _LONGEST_QUIT)
            with contextlib.suppress(OSError):
                self.host.quit()
        self.drop()


class SmtpSender:
    """Delivers messages one by one over one SMTP connection. Not to be shared by threads.

    ``timeout`` (seconds) applies to connecting and to every reply except the one to a complete
    message: for that RFC 5321, 4.5.3.2.6, asks for ten minutes (``final_timeout``), because a
    client that gives up earlier on a slow relay sends copies of what the relay accepted.
    ``local_hostname`` is our name in EHLO; None takes the machine's name without a DNS lookup.
    Raises ValueError for settings that contradict each other, or that would send a password to
    another machine in clear text.
    """

    def __init__(
        self,
        *,
        server: str,
        port: int,
        use_tls: bool,
        use_ssl: bool,
        username: str | None,
        password: str | None,
        timeout: float,
        local_hostname: str | None,
        final_timeout: float = FINAL_TIMEOUT,
    ) -> None:
        self._final_timeout = final_timeout
        if use_tls and use_ssl:
            raise ValueError("choose use_tls (STARTTLS) or use_ssl, not both")
        if password and not (use_tls or use_ssl or server in _THIS_MACHINE):
            raise ValueError("a password is sent encrypted only: set use_tls or use_ssl")
        mail = flask_mail.Mail()  # its state is set here, so that no Flask application is needed
        mail.state = mail.init_mail(
            {
                "MAIL_SERVER": server,
                "MAIL_PORT": port,
                "MAIL_USE_TLS": use_tls,
                "MAIL_USE_SSL": use_ssl,
                "MAIL_USERNAME": username,
                "MAIL_PASSWORD": password,
            }
        )
        own_name = local_hostname or _own_name()
        self._connection = _Connection(mail, timeout=timeout, local_hostname=own_name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the session within five seconds, whatever the server does. Never raises."""
        self._connection.quit()

    def deliver(
        self, *, envelope_sender: str, recipient: str, data: bytes, mark: Callable[[], bool]
    ) -> Delivery:
        """Hand one message over for one recipient; whatever the server does is an outcome.

        ``mark`` is called between the recipient's 250 and DATA. It records durably that the message
        is being transmitted, and returns whether it is still owed: False leaves it unsent. What
        ``mark`` raises is raised here, with nothing sent. ``data`` is 7-bit, unless the recipient's
        local part is not ASCII. Raises ValueError if ``envelope_sender`` is not an address.

        Invariant: RETRY, REFUSED, SUPPRESS and NOT_OWED mean that the server cannot have the
        message. It has nothing before it replied 354 (so a connection lost earlier leaves no doubt,
        even after the marker), and any 4xx or 5xx after the final dot is a refusal.
        """
        if envelope_sender and not ADDRESS.fullmatch(envelope_sender):
            raise ValueError("the envelope sender is not one plain address")
        recipient = emails.for_relay(recipient)
        if not ADDRESS.fullmatch(recipient):
            return Delivery(DeliveryOutcome.SUPPRESS, "The recipient is not one plain address.")
        try:
            delivery = self._handed_over(envelope_sender, recipient, _framed(data), mark)
        except BaseException:
            # The marker raised, or a signal came: the session is out of step, and the next
            # message must not read this one's reply.
            self._connection.drop()
            raise
        if delivery.outcome is DeliveryOutcome.ACCEPTED:
            self._announce(recipient, data)
        return delivery

    def _handed_over(
        self, sender: str, recipient: str, data: bytes, mark: Callable[[], bool]
    ) -> Delivery:
        try:
            host = self._connection.opened()
            refusal = _introduced(host, sender, recipient, len(data))
        except OSError as error:
            return self._lost(DeliveryOutcome.RETRY, error)
        if refusal is None and not mark():
            refusal = Delivery(DeliveryOutcome.NOT_OWED, "The letter is not owed any more.")
        return self._transmitted(host, data) if refusal is None else self._undone(host, refusal)

    def _transmitted(self, host: _Session, data: bytes) -> Delivery:
        try:
            code, text = host.docmd("DATA")
        except OSError as error:
            return self._lost(DeliveryOutcome.RETRY, error)  # no byte of the message has left
        if code != _GO_AHEAD:
            return self._undone(host, _judged("DATA", code, text))
        try:
            host.send(data)
            code, text = host.reply_within(self._final_timeout)
        except OSError as error:
            # smtplib reports a late reply as a lost connection, but then the relay works.
            is_late = isinstance(error.__context__, TimeoutError)
            lost = self._lost(DeliveryOutcome.AMBIGUOUS, error)
            return replace(lost, connection_failed=not is_late)
        if code // 100 == _SUCCESS:
            return Delivery(DeliveryOutcome.ACCEPTED, _one_line(code, text))
        if code // 100 not in {_PASSING, _FINAL}:
            return self._lost(DeliveryOutcome.AMBIGUOUS, smtplib.SMTPResponseException(code, text))
        return self._undone(host, _judged("DATA", code, text))

    def _undone(self, host: _Session, verdict: Delivery) -> Delivery:
        """Reset the mail transaction that ``verdict`` ended, so that the next message can begin."""
        with contextlib.suppress(OSError):
            if not verdict.connection_failed and host.rset()[0] == _OK:
                return verdict
        self._connection.drop()
        return verdict

    def _lost(self, outcome: DeliveryOutcome, error: OSError) -> Delivery:
        self._connection.drop()
        reply = _shortened(f"{type(error).__name__}: {error}")
        return Delivery(outcome, reply, connection_failed=True)

    def _announce(self, recipient: str, data: bytes) -> None:
        """Notify Flask-Mail's listeners; the message is sent, so their failures are only logged."""
        if not flask_mail.email_dispatched.receivers:
            return
        try:
            flask_mail.email_dispatched.send(self, message=_as_message(recipient, data))
        except Exception:  # noqa: BLE001 - a listener may raise anything
            _log.exception("a listener to accepted letters failed")


def _introduced(host: _Session, sender: str, recipient: str, size: int) -> Delivery | None:
    """Send MAIL and RCPT; None if both are accepted. Raises OSError if the connection is lost."""
    plain = (sender + recipient).isascii()
    if not plain and not host.has_extn("smtputf8"):
        return Delivery(
            DeliveryOutcome.REFUSED, "The address needs SMTPUTF8, which is not offered."
        )
    host.command_encoding = "ascii" if plain else "utf-8"
    options = f" SIZE={size}" if host.has_extn("size") else ""
    options += "" if plain else " BODY=8BITMIME SMTPUTF8"
    for verb, arguments in (("MAIL", f"FROM:<{sender}>{options}"), ("RCPT", f"TO:<{recipient}>")):
        code, text = host.docmd(verb, arguments)
        if code // 100 != _SUCCESS:
            return _judged(verb, code, text)
    return None


def _judged(verb: str, code: int, text: bytes) -> Delivery:
    """What a reply other than success means for the message."""
    reply = _one_line(code, text)
    about_session = code in _ABOUT_SESSION if verb == "MAIL" else code == _CLOSING
    if about_session or code // 100 not in {_PASSING, _FINAL}:
        return Delivery(DeliveryOutcome.RETRY, reply, connection_failed=True)
    if code // 100 == _PASSING:
        return Delivery(DeliveryOutcome.RETRY, reply)
    if verb != "MAIL" and _BAD_ADDRESS.match(text) and b"sender address" not in text.lower():
        return Delivery(DeliveryOutcome.SUPPRESS, reply)
    return Delivery(DeliveryOutcome.REFUSED, reply)


def _framed(data: bytes) -> bytes:
    """The message as DATA sends it: CRLF line ends, leading dots doubled, a final dot."""
    lines = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
    end = b".\r\n" if lines.endswith(b"\r\n") else b"\r\n.\r\n"
    return (b"\n" + lines).replace(b"\n.", b"\n..")[1:] + end


def _one_line(code: int, text: bytes) -> str:
    return _shortened(f"{code} {text.decode('utf-8', 'replace')}")


def _shortened(words: str) -> str:
    printable = "".join(c if c.isprintable() else " " for c in words)
    return " ".join(printable.split())[:500]


def _as_message(recipient: str, data: bytes) -> flask_mail.Message:
    """The message as a Flask-Mail message."""
    parsed = message_from_bytes(data, policy=policy.default)
    text, html = (parsed.get_body((kind,)) for kind in ("plain", "html"))
    message = flask_mail.Message(
        subject=str(parsed["Subject"]),
        sender=str(parsed["From"]),
        recipients=[recipient],
        reply_to=parsed["Reply-To"],
        body=text.get_content() if text else None,
        html=html.get_content() if html else None,
    )
    message.msgId = str(parsed["Message-ID"])
    return message


def _own_name() -> str:
    """The machine's name if it is fully qualified.

    ``socket.getfqdn()`` is not used because it may wait for a dead name server.
    """
    name = socket.gethostname()
    return name if "." in name else "[127.0.0.1]"
