"""Bounces in plain text for people, as qmail, Exim, Yahoo and others write them. Pure.

Only messages that arrive at an address that we signed, with an empty return path, are read here.
The text is trusted only so far: a bounce is hard only if the text names exactly one enhanced status
(RFC 3463) and that is about an address (5.1.x); every other bounce is soft.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import parseaddr
from html import unescape

from tracker.domain.delivery.bounces import ReturnKind, kind_of

_ANY = re.DOTALL | re.IGNORECASE
_DAEMONS = frozenset({"mailer-daemon", "mail-daemon", "maildaemon", "postmaster", "mdaemon", ""})
# Not part of an IP address, a version or a date.
_STATUS = re.compile(r"(?<![\w.])[45]\.[0-7]\.\d{1,3}(?![\w]|\.\d)")
# An RFC 5321 reply code followed by words: not a size and not a telephone number.
_CODE = re.compile(
    r"(?<![\w.#-])(?:4(?:21|5[0-5]|71)|5(?:0[0-4]|1[0-2]|2[1-3]|41|5[0-46]|7[01]))"
    r"(?=[\s:-]+[^\s\d])(?!\s*(?:KB|MB|bytes))"
)
_DELAYED = re.compile(
    r"warning message only|do not need to resend|no action is required"
    r"|not yet been delivered|not be delivered yet|still (?:being|trying)"
    r"|(?:will|['\u2019]ll) (?:(?:be|keep|continue|to) ){0,2}(?:re)?tr(?:y|ied|ying)"
    r"|deliver\w* (?:(?:is|was|has been) )?delayed|message \S+ delayed|delayed \d+ hours?"
    r"|\((?:delay|warning)\)",
    re.IGNORECASE,
)
_COPY = re.compile(
    r"^(?:--|==|\*\*).*(?:copy|original|returned|below|message header)"
    r"|^(?:below|following) is (?:a|the) copy|^(?:original message|message headers) follow",
    re.IGNORECASE | re.MULTILINE,
)
_RECIPIENT = re.compile(r"^[ \t]*<?([^\s<>:;,]+@[^\s<>:;,]+)>?:?[ \t\r]*$", re.MULTILINE)
# A tag without an end runs to the end of the text, so that nothing is scanned twice.
_TAGS = re.compile(r"<(?:style|head|script)\b.*?(?:</(?:style|head|script)>|\Z)|<[^>]*>", _ANY)
_ABSENT = re.compile(
    r"^\W*(?:out of (?:the )?office|automatic reply|auto(?:matic)?[ -]?(?:reply|response)|auto:"
    r"|on (?:vacation|holiday|leave)|away from|i am (?:away|out)|abwesen|respuesta autom"
    r"|fuera de (?:la )?oficina|ausencia|réponse automatique)",
    re.IGNORECASE,
)
_READ = 20_000  # characters of the text that are read


@dataclass(frozen=True, slots=True)
class ReportedDelivery:
    """What a bounce says: whether it is only a delay, the status, its words, the recipients."""

    delayed: bool
    status: str
    diagnostic: str
    recipients: tuple[str, ...]


def has_no_return_path(message: Message) -> bool:
    """Whether the return path is empty, as in every bounce, or missing in a daemon's message."""
    paths = [str(path).strip() for path in message.get_all("Return-Path", [])]
    if paths:
        return paths[0] in {"<>", ""}
    return _is_daemon(message)


def is_automatic(message: Message) -> bool:
    """Whether it is an automatic reply, such as an out-of-office message."""
    submitted = _header(message, "Auto-Submitted").partition(";")[0].strip().lower()
    precedence = _header(message, "Precedence").lower()
    marks = ("X-Autoreply", "X-Autorespond", "X-Auto-Response-Suppress", "X-Vacation")
    return (
        submitted not in {"", "no"}
        or precedence in {"auto_reply", "bulk", "junk"}
        or any(name in message for name in marks)
        or bool(_ABSENT.search(_header(message, "Subject")))
    )


def read(message: Message) -> ReportedDelivery | None:
    """What a bounce says; None for another message, such as an out-of-office reply."""
    words = _words(message)
    statuses = list(dict.fromkeys(_STATUS.findall(words)))
    daemon = _is_daemon(message) or "X-Failed-Recipients" in message
    if not daemon and (is_automatic(message) or not (statuses or _CODE.search(words))):
        return None
    late = _DELAYED.search(f"{_header(message, 'Subject')}\n{words}")
    return ReportedDelivery(
        delayed=late is not None and not any(status.startswith("5") for status in statuses),
        status=_judged(statuses, words),
        diagnostic=" ".join(words.split())[:500],
        recipients=tuple(_recipients(message, words)),
    )


def _judged(statuses: list[str], words: str) -> str:
    """The one status that the text names; a soft one if it names none or several."""
    if len(statuses) == 1 and (
        statuses[0].startswith("5.1.") or kind_of(statuses[0]) == ReturnKind.SOFT
    ):
        return statuses[0]
    code = _CODE.search(words)
    return "4.0.0" if not statuses and code is not None and code[0].startswith("4") else "5.0.0"


def _recipients(message: Message, words: str) -> Iterator[str]:
    named = _header(message, "X-Failed-Recipients")
    addresses: Iterable[str] = named.split(",") if named else _RECIPIENT.findall(words)
    yield from dict.fromkeys(address.strip().strip("<>").lower() for address in addresses)


def _is_daemon(message: Message) -> bool:
    sender = parseaddr(_header(message, "From"))[1]
    return sender.partition("@")[0].lower() in _DAEMONS


def _words(message: Message) -> str:
    """The message's own text, without the copy of the message that bounced."""
    for wanted in ("text/plain", "text/html"):
        for part in _own_parts(message):
            if part.get_content_type() == wanted:
                text = _decoded(part)[:_READ]
                text = unescape(_TAGS.sub("\n", text)) if wanted == "text/html" else text
                copy = _COPY.search(text)
                return text[: copy.start()] if copy else text
    return ""


def _own_parts(message: Message) -> Iterator[Message]:
    """The parts of a message, without those of attached messages."""
    yield message
    if message.get_content_maintype() == "multipart":
        for part in message.get_payload():
            if isinstance(part, Message):
                yield from _own_parts(part)


def _decoded(part: Message) -> str:
    payload = part.get_payload(decode=True)
    data = payload if isinstance(payload, bytes) else b""
    try:
        return data.decode(part.get_content_charset() or "utf-8", "replace")
    except LookupError:
        return data.decode("latin-1")


def _header(message: Message, name: str) -> str:
    """A header field on one line, decoded (RFC 2047); undecoded if that fails."""
    raw = str(message.get(name, ""))
    with suppress(ValueError, LookupError, MessageError):
        raw = str(make_header(decode_header(raw)))
    return " ".join(raw.split())
