"""Reminders: facts become a letter, and a letter becomes the bytes that are sent.

Lives here: the wording (phrases and layouts stand in ``templates/``) and the message format. Does
not live here: whether a letter is owed, to whom, and how it is handed over.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from email.header import Header
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, formataddr, parseaddr
from functools import cache, lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from tracker.domain.explanations import in_words

ADDRESS = re.compile(r'[^\s<>()\[\],;:\\"@\x00-\x1f\x7f]+@[^\s<>()\\",;@\x00-\x1f\x7f]+')
"""An address that can stand in a header and in an SMTP command without quoting."""

Phrases = Mapping[str, str]  # key -> sentence with {places}

_TEMPLATES = Path(__file__).parent / "templates"
_ENVIRONMENT = Environment(
    loader=FileSystemLoader(_TEMPLATES),
    autoescape=select_autoescape(enabled_extensions=("html",), default=False),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_URI = re.compile(r"[!-;=?-~]+")  # visible ASCII, without angle brackets
_LONGEST_LINE = 998  # RFC 5322, 2.1.1, without the line end
# What a name may hold and a letter must not: line ends and other controls would forge lines,
# direction overrides would turn round the rest of the sentence, half characters have no bytes.
_UNPRINTABLE: dict[int, str | None] = {
    **dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)], " "),
    **dict.fromkeys([0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]),
    **dict.fromkeys(range(0xD800, 0xE000)),
}


class UnsafeHeader(ValueError):  # noqa: N818 - named for the refused fact
    """The value of the header ``name`` would break its line, or forge another header."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the value of {name} cannot stand in a header")


@dataclass(frozen=True, slots=True)
class CertificationLine:
    """One certification in a letter, as it stands on the day the letter is sent.

    ``expires_on`` is the last valid day, included. ``days_left`` counts from the day of sending:
    0 on the last valid day, negative after it. ``stage`` is the reminder's offset in days before
    expiry; the wording never uses it, because after a pause it differs from the days left.
    ``points_verified`` is False where the policy's point values are illustrative. A scheme's own
    facts have defaults: whether every category reached its minimum, and the last day of a grace
    period if there is one (the last day to apply, then).
    """

    scheme_name: str
    number: str
    expires_on: date
    days_left: int
    stage: int
    points_counted: Decimal
    points_required: Decimal
    points_pending: Decimal
    window_opens_on: date
    window_open: bool
    pending_since: date | None
    points_verified: bool
    minima_met: bool = True
    grace_ends_on: date | None = None

    @property
    def points_missing(self) -> Decimal:
        """The points still needed; never negative."""
        return max(self.points_required - self.points_counted, Decimal(0))

    @property
    def complete(self) -> bool:
        """Whether the requirement is met: the total, and every category's minimum."""
        return not self.points_missing and self.minima_met

    @property
    def last_day(self) -> date:
        """The last day on which a renewal can be applied for."""
        return self.grace_ends_on or self.expires_on

    @property
    def closed(self) -> bool:
        """Whether it is too late to apply on the day the letter is sent."""
        return self.expires_on - timedelta(days=self.days_left) > self.last_day


@dataclass(frozen=True, slots=True)
class ReminderLetter:
    """What one reminder says: to whom, in which language ("en", "es"), about which awards."""

    name: str
    language: str
    lines: tuple[CertificationLine, ...]
    link: str
    unsubscribe_link: str
    issuer: str


@dataclass(frozen=True, slots=True)
class Letter:
    """A composed letter: the same sentences as plain text and as HTML."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Envelope:
    """Everything about one copy of a letter that is not its wording.

    ``message_id`` is in angle brackets; ``sender`` and ``reply_to`` may carry a display name;
    ``envelope_sender`` is where bounces go and appears in no header; ``date`` knows its zone;
    ``unsubscribe_mailto`` is a ``mailto:`` URI. RFC 8058 asks for https in ``unsubscribe_link``.
    """

    message_id: str
    sender: str
    reply_to: str
    envelope_sender: str
    recipient: str
    date: datetime
    unsubscribe_link: str
    unsubscribe_mailto: str


# Wording.
@cache
def phrases(language: str) -> Phrases:
    """The catalogue of one language, by key. Raises FileNotFoundError for one we do not write."""
    return tomllib.loads((_TEMPLATES / f"phrases.{language}.toml").read_text(encoding="utf-8"))


def compose_reminder(facts: ReminderLetter) -> Letter:
    """Write one reminder about one or several certifications, the soonest to expire first.

    Raises IndexError when there is no certification to write about.
    """
    say = phrases(facts.language)
    lines = sorted(facts.lines, key=lambda line: line.expires_on)
    subject = _subject(say, lines, facts.language)
    ready = any(_step(line) == "step_complete_open" for line in lines)
    name = _printable(facts.name)
    context = {
        "say": say,
        "language": facts.language,
        "subject": subject,
        "greeting": say["greeting" if name else "greeting_nameless"].format(name=name),
        "sections": [_section(say, line, facts) for line in lines],
        "button": say["button_apply" if ready else "button_look"],
        "link": facts.link,
        "unsubscribe_link": facts.unsubscribe_link,
    }
    layouts = (_ENVIRONMENT.get_template(f"reminder.{kind}") for kind in ("txt", "html"))
    return Letter(subject, *(layout.render(context) for layout in layouts))


def _subject(say: Phrases, lines: list[CertificationLine], language: str) -> str:
    line, others = lines[0], len(lines) - 1
    subject = _dated(say, "subject", line, language)
    if line.pending_since:
        subject += say["subject_pending"]
    elif line.complete and not line.closed:
        subject += say["subject_complete"]
    return subject + (_counted(say, "subject_more", others) if others else "")


def _section(say: Phrases, line: CertificationLine, facts: ReminderLetter) -> dict[str, object]:
    """One certification in sentences, ready for both layouts."""
    language = facts.language
    days = {
        "since": line.pending_since or line.expires_on,
        "date": line.expires_on,
        "opens": line.window_opens_on,
        "last_day": line.last_day,
        "after": line.expires_on + timedelta(days=1),
    }
    words = {name: in_words(day, language) for name, day in days.items()}
    return {
        "title": _printable(line.scheme_name),
        "number": say["number"].format(number=_printable(line.number)),
        "deadline": _dated(say, "deadline", line, language),
        "points": _points(say, line, facts),
        "percent": _percent(line),
        "step": say[_step(line)].format_map(words),
        "aftermath": say[_aftermath(line)].format_map(words),
    }


def _dated(say: Phrases, kind: str, line: CertificationLine, language: str) -> str:
    """The sentence with the date and the days: ahead of expiry, on its last day, or past it."""
    tense = "today" if line.days_left == 0 else "ahead" if line.days_left > 0 else "past"
    return say[f"{kind}_{tense}"].format(
        scheme=_printable(line.scheme_name),
        date=in_words(line.expires_on, language),
        left=_counted(say, "left", line.days_left),
        ago=_counted(say, "ago", -line.days_left),
    )


def _points(say: Phrases, line: CertificationLine, facts: ReminderLetter) -> tuple[str, ...]:
    numbers = {
        "counted": line.points_counted,
        "required": line.points_required,
        "missing": line.points_missing,
        "pending": line.points_pending,
    }
    words = {name: _number(points, facts.language) for name, points in numbers.items()}
    wanted = {
        "points": True,
        "points_missing": line.points_missing > 0,
        "points_minimum": not line.minima_met,
        "points_pending": line.points_pending > 0,
        "unverified": not line.points_verified,
    }
    words["issuer"] = _printable(facts.issuer)
    return tuple(say[key].format_map(words) for key, said in wanted.items() if said)


def _step(line: CertificationLine) -> str:
    """Which sentence says what to do now."""
    if line.pending_since:
        return "step_pending"
    if line.closed:
        return "step_past"
    state = "complete" if line.complete else "gather"
    return f"step_{state}_{'open' if line.window_open else 'early'}"


def _aftermath(line: CertificationLine) -> str:
    """Which sentence says what the day after expiry brings, or has brought."""
    past = line.days_left < 0
    if line.pending_since:
        return "after_pending_past" if past else "after_pending"
    if line.closed:
        return "after_past"
    if line.grace_ends_on:
        return "after_in_grace" if past else "after_grace"
    return "after_ahead"


def _percent(line: CertificationLine) -> int:
    """How full the bar is; 100 only when no points are missing."""
    share = line.points_counted / line.points_required if line.points_missing else 1
    return max(int(100 * share), 0)


def _counted(say: Phrases, key: str, count: int) -> str:
    return say[f"{key}_{'one' if count == 1 else 'other'}"].format(count=count)


def _number(points: Decimal, language: str) -> str:
    """Points without trailing zeros: "45", "7.5", in Spanish "7,5"."""
    plain = f"{points:.2f}".rstrip("0").rstrip(".")
    return plain.replace(".", ",") if language == "es" else plain


def _printable(text: str) -> str:
    """One line of ``text`` that can neither end its line nor change the reading direction."""
    return " ".join(text.translate(_UNPRINTABLE).split())


# Bytes.
class _WirePolicy(EmailPolicy):
    """Headers as we write them, each at most once and never with a line end of someone else's.

    The standard policy parses every value into a tree and back: 2.5 ms a letter, and it turns a
    List-Unsubscribe address longer than a line into an encoded word that no mail program reads.
    """

    def header_max_count(self, name: str) -> int:  # noqa: ARG002 - the same for every name
        return 1

    def header_store_parse(self, name: str, value: str) -> tuple[str, str]:
        if _CONTROLS.search(value) or len(f"{name}: {value}") > _LONGEST_LINE:
            raise UnsafeHeader(name)
        return name, value

    def header_fetch_parse(self, name: str, value: str) -> str:  # noqa: ARG002 - nothing to parse
        return value

    def fold(self, name: str, value: str) -> str:
        if name == "Subject":
            value = _folded(value, name)
        elif name in {"From", "Reply-To"}:
            value = _folded_address(value, name)
        elif name == "List-Unsubscribe":
            value = value.replace(">, <", ">,\r\n <")
        return f"{name}: {value}\r\n"

    def fold_binary(self, name: str, value: str) -> bytes:
        return self.fold(name, value).encode("utf-8")


_WIRE = _WirePolicy(linesep="\r\n")


def render(letter: Letter, envelope: Envelope) -> bytes:
    """The message as it goes over the wire: CRLF line ends, 7-bit, text first and HTML second.

    The same inputs give the same bytes, always: the boundary comes from the Message-ID and the
    date from the envelope. Only a recipient beyond ASCII leaves an 8-bit header (RFC 6532), which
    needs a server with SMTPUTF8. Raises UnsafeHeader for a value that would break a header.
    """
    boundary = "=_" + hashlib.sha256(envelope.message_id.encode()).hexdigest()[:24]
    message = EmailMessage(policy=_WIRE)
    for name, value in _headers(letter, envelope, boundary).items():
        message[name] = value
    message.attach(_part("plain", letter.text))
    message.attach(_part("html", letter.html))
    return message.as_bytes()


def message_id(key: bytes, dedupe_key: str, domain: str) -> str:
    """The Message-ID of the letter that ``dedupe_key`` names, the same after any restart.

    ``<base32(HMAC-SHA256(key, dedupe_key))@domain>``, in small letters without padding: whoever
    lacks the key can neither guess it nor read the dedupe key from it.
    """
    if not key or not re.fullmatch(r"[A-Za-z0-9.-]+", domain):
        raise ValueError("a Message-ID needs a key and a domain of letters, digits, dots, hyphens")
    digest = hmac.digest(key, dedupe_key.encode(), "sha256")
    return f"<{base64.b32encode(digest).decode().rstrip('=').lower()}@{domain}>"


def _headers(letter: Letter, envelope: Envelope, boundary: str) -> dict[str, str]:
    if not ADDRESS.fullmatch(envelope.recipient):
        raise UnsafeHeader("To")
    ways_out = (envelope.unsubscribe_link, envelope.unsubscribe_mailto)
    return {
        "From": envelope.sender,
        "Reply-To": envelope.reply_to,
        "To": envelope.recipient,
        "Subject": letter.subject,
        "Date": format_datetime(envelope.date),
        "Message-ID": _bracketed(envelope.message_id.strip("<>"), "Message-ID"),
        "Auto-Submitted": "auto-generated",  # RFC 3834: no automatic answers, please
        "List-Unsubscribe": ", ".join(_bracketed(uri, "List-Unsubscribe") for uri in ways_out),
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",  # RFC 8058
        "MIME-Version": "1.0",
        "Content-Type": f'multipart/alternative; boundary="{boundary}"',
    }


def _part(subtype: str, body: str) -> EmailMessage:
    part = EmailMessage(policy=_WIRE)
    part["Content-Type"] = f'text/{subtype}; charset="utf-8"'
    part["Content-Transfer-Encoding"] = "quoted-printable"
    lines = re.sub(r"\r\n|\r|\n", "\r\n", body).encode("utf-8")
    # b2a_qp is written in C: thirty times as fast as the encoder that set_content() uses.
    part.set_payload(binascii.b2a_qp(lines, istext=True).decode("ascii"))
    return part


def _bracketed(value: str, name: str) -> str:
    if not _URI.fullmatch(value):
        raise UnsafeHeader(name)
    return f"<{value}>"


@lru_cache(maxsize=16)
def _folded_address(value: str, name: str) -> str:
    """A display name and address, the name encoded where it is not ASCII."""
    display, address = parseaddr(value)
    if not ADDRESS.fullmatch(address):
        raise UnsafeHeader(name)
    if display.isascii():
        return formataddr((display, address))
    return f"{_folded(display, name)}\r\n <{address}>"


def _folded(text: str, name: str) -> str:
    """Free text in lines of at most 76 characters, encoded where it is not ASCII (RFC 2047)."""
    charset = "us-ascii" if text.isascii() else "utf-8"
    return Header(text, charset, header_name=name).encode(linesep="\r\n")
