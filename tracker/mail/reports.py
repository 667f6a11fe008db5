"""Reading mail to our VERP addresses: delivery reports, complaints, unsubscriptions. Pure.

Bytes in, values out. A report is not trusted here: its proofs are returned, and the caller, who has
the key, checks whether they are ours. Formats: delivery reports of RFC 3464 and RFC 6533 (plain
text bounces are read by ``plain_bounces``), complaints of RFC 5965, automatic replies of RFC 3834.
"""

from __future__ import annotations

import base64
import hashlib
import quopri
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import Literal

from tracker.domain.delivery.bounces import STATUS, ReturnKind, kind_of
from tracker.mail import plain_bounces
from tracker.mail.bounded import TooManyParts, parsed
from tracker.mail.plain_bounces import ReportedDelivery

ReportKind = Literal["failed", "complaint", "unsubscribe", "delayed", "automatic", "other"]
LARGEST = 500_000  # bytes of a message that are read: the report comes first
_BLOCKS = 200  # blocks of a delivery report that are read: one for each recipient

# <purpose>+<id>.<mac>; the plus may be xtext (RFC 3461); an ENVID has no purpose.
_PROOF = re.compile(
    r"(?<![\w.+-])(?:(b|u-[a-z]{1,16})\+(?:2b)?)?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"\.[a-z2-7]{15})(?![\w.])",
    re.IGNORECASE,
)
_ADDRESSED = ("Delivered-To", "X-Original-To", "Envelope-To", "X-Delivered-To", "To", "Cc")
_STATUSES = ("message/delivery-status", "message/global-delivery-status")
_RECEIPT = "message/disposition-notification"
_COMPLAINTS = frozenset({"abuse", "fraud", "opt-out", "other"})
_CODE = re.compile(r"\b([45])\d\d\b")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_QUOTED = re.compile(rb">+From ")


class UnreadableMessage(ValueError):  # noqa: N818 - named for the refused fact
    """The bytes are not a message, or are a report that does not say what it reports."""


Proofs = tuple[tuple[str, str], ...]
"""Pairs of purpose and proof, as ``services/core/signed_links.py`` makes them."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """One incoming message: its kind, and the proofs of which message it is about.

    ``identity`` is the same each time the message is read; ``at`` is when our own system received
    it. ``status``, ``diagnostic`` and ``recipients`` are quoted from a failed delivery.
    """

    kind: ReportKind
    proofs: Proofs
    identity: str
    at: datetime | None
    status: str = ""
    diagnostic: str = ""
    recipients: tuple[str, ...] = ()


def read(data: bytes) -> Incoming:
    """Read an incoming message. Raises UnreadableMessage."""
    try:
        return _read(data[:LARGEST])
    except UnreadableMessage:
        raise
    except TooManyParts as error:
        raise UnreadableMessage(str(error)) from error
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise UnreadableMessage(
            f"is no message that can be read ({type(error).__name__})"
        ) from error


def _read(data: bytes) -> Incoming:
    message = parsed(data)
    if not message.keys():
        raise UnreadableMessage("is no message: it has no header")
    parts = _parts(message) if message.get_content_type() == "multipart/report" else {}
    proofs = _proofs(_values(message, _ADDRESSED))
    incoming = Incoming("other", proofs, _identity(message, data), _received(message))
    for type_ in _STATUSES:
        if status := parts.get(type_):
            report = _delivery(message, status, parts, incoming)
            return report or _in_words(message, parts, incoming)
    if feedback := parts.get("message/feedback-report"):
        return _feedback(message, feedback, parts, incoming)
    purposes = {purpose for purpose, _ in proofs}
    about = str(message.get_param("report-type") or "delivery-status")
    is_bounce = "b" in purposes and about == "delivery-status" and _RECEIPT not in parts
    if is_bounce and (reported := _plain_bounce(message)):
        return _reported(incoming, proofs, reported)
    if plain_bounces.is_automatic(message) or parts or _has_empty_return_path(message):
        return replace(incoming, kind="automatic")
    wanted = any(purpose.startswith("u-") for purpose in purposes)
    return replace(incoming, kind="unsubscribe") if wanted else incoming


def _plain_bounce(message: Message) -> ReportedDelivery | None:
    return plain_bounces.read(message) if plain_bounces.has_no_return_path(message) else None


def _reported(incoming: Incoming, proofs: Proofs, reported: ReportedDelivery) -> Incoming:
    return replace(
        incoming,
        kind="delayed" if reported.delayed else "failed",
        proofs=proofs,
        status=reported.status,
        diagnostic=reported.diagnostic,
        recipients=reported.recipients,
    )


def _has_empty_return_path(message: Message) -> bool:
    """Whether the return path is empty, which no holder's own message has."""
    return _field(message, "Return-Path") == "<>"


def _delivery(
    message: Message, status: Message, parts: dict[str, Message], incoming: Incoming
) -> Incoming | None:
    """A delivery report; None for one that gives no recipient's outcome.

    Our messages have one recipient. If that is an alias for several, the message bounced only if it
    bounced from all of them, and the bounce is hard only if it is so for all.
    """
    blocks = _blocks(status)
    if not blocks:
        return None
    actions = [_field(block, "Action").lower() for block in blocks[1:]]
    envelope = _values(blocks[0], ("Original-Envelope-Id",))
    proofs = _proofs([*_values(message, _ADDRESSED), *envelope, *_returned(parts)])
    if actions and all(a.startswith("fail") for a in actions):  # "failure" is written, too
        failures = [_failure(block) for block in blocks[1:]]
        soft = (f for f in failures if kind_of(f.status) == ReturnKind.SOFT)
        return _reported(incoming, proofs, next(soft, failures[0]))
    if not any(actions):
        return None
    return replace(incoming, kind="delayed" if "delayed" in actions else "other", proofs=proofs)


def _in_words(message: Message, parts: dict[str, Message], incoming: Incoming) -> Incoming:
    """A delivery report whose fields say nothing, read as text. Raises UnreadableMessage."""
    reported = _plain_bounce(message)
    proofs = _proofs([*_values(message, _ADDRESSED), *_returned(parts)])
    if reported is None or not proofs:
        raise UnreadableMessage("is a delivery report that says of no recipient what became of it")
    return _reported(incoming, proofs, reported)


def _blocks(status: Message) -> list[Message]:
    """The fields of a delivery report: those of the message first, then of each recipient.

    Some systems encode the part, which RFC 3464 forbids and RFC 6533 allows.
    """
    _, _, body = status.as_bytes().replace(b"\r\n", b"\n").partition(b"\n\n")
    encoding = _field(status, "Content-Transfer-Encoding").lower()
    if encoding == "base64":
        body = base64.b64decode(body)
    elif encoding == "quoted-printable":
        body = quopri.decodestring(body)
    text = body.decode("utf-8", "replace").replace("\r\n", "\n").strip()
    blocks = re.split(r"\n[ \t]*\n", text, maxsplit=_BLOCKS)[:_BLOCKS]
    return [parsed(block.lstrip("\n")) for block in blocks if block]


def _failure(block: Message) -> ReportedDelivery:
    diagnostic = _field(block, "Diagnostic-Code")
    status = STATUS.search(_field(block, "Status"))
    # Some systems give only 5.0.0 and quote the other server's status, which says more.
    if status is None or (status[2], status[3]) == ("0", "0"):
        status = STATUS.search(diagnostic) or status
    code = _CODE.search(diagnostic)
    recipients = (_field(block, name) for name in ("Original-Recipient", "Final-Recipient"))
    return ReportedDelivery(
        delayed=False,
        status=status[0] if status else f"{code[1]}.0.0" if code else "5.0.0",
        diagnostic=diagnostic[:500],
        recipients=tuple(
            address.rpartition(";")[2].strip().strip("<>").lower()
            for address in recipients
            if address
        ),
    )


def _feedback(
    message: Message, feedback: Message, parts: dict[str, Message], incoming: Incoming
) -> Incoming:
    """A feedback report; only some types are complaints ("not spam" is not)."""
    inner = _inner(feedback)
    fields = feedback if inner is None else inner
    type_ = _field(fields, "Feedback-Type").lower()
    if not type_:
        raise UnreadableMessage("is a feedback report without its type")
    sender = _values(fields, ("Original-Mail-From", "Original-Envelope-Id"))
    proofs = _proofs([*_values(message, _ADDRESSED), *sender, *_returned(parts, more=True)])
    kind: ReportKind = "complaint" if type_ in _COMPLAINTS else "other"
    return replace(incoming, kind=kind, proofs=proofs, diagnostic=type_[:100])


def _parts(message: Message) -> dict[str, Message]:
    """The first part of each type."""
    parts: dict[str, Message] = {}
    for part in message.walk():
        parts.setdefault(part.get_content_type(), part)
    return parts


def _inner(part: Message) -> Message | None:
    """The message inside a part, if there is one."""
    payload = part.get_payload()
    first = payload[0] if isinstance(payload, list) and payload else None
    return first if isinstance(first, Message) else None


def _returned(parts: dict[str, Message], *, more: bool = False) -> list[str]:
    """The return path of the returned message; with ``more`` its List-Unsubscribe as well."""
    names = ("Return-Path", "List-Unsubscribe") if more else ("Return-Path",)
    values: list[str] = []
    whole = parts.get("message/rfc822")
    if whole is not None and (returned := _inner(whole)) is not None:
        values += _values(returned, names)
    if headers := parts.get("text/rfc822-headers"):
        text = headers.get_payload(decode=True)
        if isinstance(text, bytes):
            values += _values(parsed(text.decode("utf-8", "replace")), names)
    return values


def _proofs(values: Iterable[str]) -> Proofs:
    """Every proof in these values, each once; one without a purpose is that of a message."""
    pairs = (
        (purpose.lower() or "b", proof.lower())
        for value in values
        for purpose, proof in _PROOF.findall(value)
    )
    return tuple(dict.fromkeys(pairs))


def _values(message: Message, names: Iterable[str]) -> list[str]:
    return [str(value) for name in names for value in message.get_all(name, [])]


def _field(message: Message, name: str) -> str:
    """A header field on one line, without invisible characters; empty if it is missing."""
    return _UNSEEN.sub(" ", str(message.get(name, ""))).strip()


def _identity(message: Message, data: bytes) -> str:
    """The Message-ID, or a hash of the body."""
    if own := _field(message, "Message-ID"):
        return own[:300]
    _, _, body = data.replace(b"\r\n", b"\n").partition(b"\n\n")
    return hashlib.sha256(body.strip()).hexdigest()


def _received(message: Message) -> datetime | None:
    """When our own system received the message (the topmost Received), else its Date."""
    for name in ("Received", "Date"):
        try:
            at = parsedate_to_datetime(_field(message, name).rpartition(";")[2].strip())
            return at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC)
        except (ValueError, TypeError, OverflowError, IndexError):
            continue
    return None


# Files of messages.
def each_of_mbox(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """The messages of an mbox file, each with the byte offset at which it begins."""
    offset = begins = size = 0
    held: list[bytes] = []
    blank = True
    for line in lines:
        if blank and line.startswith(b"From "):
            if any(text.strip() for text in held):
                yield begins, b"".join(held)
            held, begins, size = [], offset, 0
        elif size <= LARGEST:
            held.append(line[1:] if _QUOTED.match(line) else line)
            size += len(line)
        blank = not line.strip()
        offset += len(line)
    if any(text.strip() for text in held):
        yield begins, b"".join(held)


def without_from_line(data: bytes) -> bytes:
    """A message as a mail system pipes it to a program, without mbox's "From " line."""
    return data.partition(b"\n")[2] if data.startswith(b"From ") else data
