"""Reminders: facts become a letter.

Lives here: the wording; phrases and layouts stand in ``templates/``. Does not live here: the
message format (``envelopes.py``), whether a letter is owed, to whom, how it is handed over.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from tracker.domain.wording import in_words

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
# What a name may hold and a letter must not: line ends and other controls would forge lines,
# direction overrides would turn round the rest of the sentence, half characters have no bytes.
_UNPRINTABLE: dict[int, str | None] = {
    **dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)], " "),
    **dict.fromkeys([0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]),
    **dict.fromkeys(range(0xD800, 0xE000)),
}


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
    """What one reminder says: to whom, in which language ("en", "es"), about which awards.

    Without an ``unsubscribe_link`` the letter offers none.
    """

    name: str
    language: str
    lines: tuple[CertificationLine, ...]
    link: str
    issuer: str
    unsubscribe_link: str | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """A composed letter: the same sentences as plain text and as HTML."""

    subject: str
    text: str
    html: str


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
