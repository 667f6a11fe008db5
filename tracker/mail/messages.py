"""Writing reminders, and the parts that every message shares.

Here are the wording of reminders and the common layout. The phrases are in the catalogues
(``tracker.language``), the layouts in ``templates/``. Not here: notices (``notices.py``), the
message format (``envelopes.py``), and whether, to whom and how a message is sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import NotRequired, TypedDict

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from tracker.domain.credentials.next_steps import NextStep
from tracker.language import catalogues
from tracker.language.voice import figure, in_words
from tracker.mail.today import Today, credit_of, step_keys, words

Phrases = Mapping[str, str]  # from a key to a sentence with {fields}

_TEMPLATES = Path(__file__).parent / "templates"
_ENVIRONMENT = Environment(
    loader=FileSystemLoader(_TEMPLATES),
    autoescape=select_autoescape(enabled_extensions=("html",), default=False),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
# Characters that a name may have and a message must not: line ends and other controls would forge
# lines, direction overrides would reverse the sentence, lone surrogates cannot be encoded.
_UNPRINTABLE: dict[int, str | None] = {
    **dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)], " "),
    **dict.fromkeys([0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]),
    **dict.fromkeys(range(0xD800, 0xE000)),
}


@dataclass(frozen=True, slots=True)
class CertificationLine:
    """One certification in a reminder, with its standing on the day of sending.

    ``expires_on`` is the last valid day, included. ``days_left`` counts from the day of sending:
    0 on the last valid day, negative after it. ``stage`` is the reminder's offset in days before
    expiry; the wording never uses it, because after a pause it differs from the days left.
    ``points_verified`` is False if the policy's point values are only illustrative. ``minima_met``
    says whether every category reached its minimum. ``grace_ends_on`` is the last day of a grace
    period, which is then the last day to apply. ``now`` is the standing with the next step,
    ``full_name`` the scheme's name with its abbreviation; messages stored by older versions lack
    both.
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
    closes_on: date | None = None
    now: Today | None = None
    full_name: str = ""

    @property
    def points_missing(self) -> Decimal:
        """The points still needed, never negative."""
        return max(self.points_required - self.points_counted, Decimal(0))

    @property
    def last_day(self) -> date:
        """The last day to apply for renewal, a grace period included."""
        return self.grace_ends_on or self.apply_by

    @property
    def apply_by(self) -> date:
        """The last day to apply in time."""
        return self.closes_on or self.expires_on

    @property
    def today(self) -> date:
        """The day on which the message is sent."""
        return self.expires_on - timedelta(days=self.days_left)

    @property
    def closed(self) -> bool:
        """Whether it is too late to apply on the day of sending."""
        return self.today > self.last_day

    @property
    def standing(self) -> Today:
        """The standing and the next step."""
        return self.now or _as_it_stood(self)


def _as_it_stood(line: CertificationLine) -> Today:
    """The standing for a line stored by an older version, so that a second copy can be made.

    Invariant: new messages never come here; their next step is computed by
    ``domain.credentials.next_steps``.
    """
    missing = max(line.points_missing - line.points_pending, Decimal(0))
    if line.pending_since is not None:
        step = NextStep("wait_for_decision", applied_on=line.pending_since)
    elif line.closed:
        step = NextStep("start_again")
    elif not line.points_missing and line.minima_met:
        step = (
            NextStep("apply_now", line.last_day)
            if line.window_open
            else NextStep("apply_from", line.window_opens_on)
        )
    else:
        step = NextStep(
            "log_activities",
            line.last_day,
            missing=missing,
            waiting=line.points_pending,
            minima_met=line.minima_met,
        )
    return Today(
        on=line.today,
        status="",
        valid=line.days_left >= 0,
        step=step,
        expires_on=line.expires_on,
        opens_on=line.window_opens_on,
        last_day=line.last_day,
        pending_since=line.pending_since,
    )


@dataclass(frozen=True, slots=True)
class ReminderMessage:
    """The facts of one reminder: the holder's name, the language ("en", "es"), the certifications.

    ``link`` is the public page of the first certification. Without an ``unsubscribe_link`` the
    message offers none. ``calendar`` is attached as a file.
    """

    name: str
    language: str
    lines: tuple[CertificationLine, ...]
    link: str
    issuer: str
    unsubscribe_link: str | None = None
    calendar: str = ""


@dataclass(frozen=True, slots=True)
class ComposedEmail:
    """A composed message: the same sentences as plain text and as HTML.

    ``calendar`` is an iCalendar object to attach; empty means none. ``keys`` are the keys of the
    phrases about the recipient, in order, so that checks need not read the words.
    """

    subject: str
    text: str
    html: str
    calendar: str = ""
    keys: tuple[str, ...] = ()


class Sentence(str):
    """A sentence with the key of the phrase it was made from."""

    __slots__ = ("key",)
    key: str


def sentence(say: Phrases, key: str, facts: Mapping[str, object]) -> Sentence:
    """The phrase of that key with its fields filled in. Raises KeyError if a fact is missing."""
    made = Sentence(say[key].format_map(facts))
    made.key = key
    return made


# Shared by every message.
@cache
def phrases(language: str, catalogue: str = "phrases") -> Phrases:
    """A catalogue in one language, by key. Raises FileNotFoundError for an unknown language."""
    return catalogues.topic(language, catalogue)


class MessageSection(TypedDict):
    """A section of a message; a ``percent`` is shown as a bar, with the words of ``share``."""

    title: str | None
    lead: str
    number: str
    percent: int | None
    share: str
    paragraphs: Sequence[Sequence[str]]


class MessageLayout(TypedDict):
    """What the layouts show; empty texts are left out."""

    language: str
    subject: str
    greeting: str
    sections: Sequence[MessageSection]
    enclosed: str
    button: NotRequired[str]
    link: str
    signed: str
    reason: str
    unsubscribe_link: str | None
    unsubscribe: str
    reversible: str


def composed_email(layout: MessageLayout, *, calendar: str = "") -> ComposedEmail:
    """Render a message with the templates, which reminders, notices and digests share."""
    templates = (_ENVIRONMENT.get_template(f"message.{kind}") for kind in ("txt", "html"))
    text, html = (template.render(layout) for template in templates)
    keys = [
        line.key
        for section in layout["sections"]
        for line in (section["lead"], *(s for some in section["paragraphs"] for s in some))
        if isinstance(line, Sentence)
    ]
    return ComposedEmail(layout["subject"], text, html, calendar, tuple(keys))


def page(template: str, **facts: object) -> str:
    """An HTML page rendered from a template."""
    return _ENVIRONMENT.get_template(template).render(facts)


def greeting(say: Phrases, name: str) -> str:
    """The greeting, with the name if there is one."""
    name = printable(name)
    return say["greeting" if name else "greeting_nameless"].format(name=name)


def signed(say: Phrases, issuer: str) -> str:
    """The signature, with how to reach the issuer; empty without an issuer."""
    issuer = printable(issuer)
    return say["signed"].format(issuer=issuer) if issuer else ""


def button(say: Phrases, link: str) -> str:
    """What the button says, by the page that it opens.

    Messages that older versions began lead to the certificate's public page.
    """
    if "/verify/" in link:
        return say["button_public"]
    return say["button_certification" if "/certifications/" in link else "button_account"]


def counted(say: Phrases, key: str, count: int) -> str:
    """The phrase in the singular or plural that fits ``count``."""
    return say[f"{key}_{'one' if count == 1 else 'other'}"].format(count=count)


def printable(text: str) -> str:
    """``text`` as one line that cannot end its line or change the reading direction."""
    return " ".join(text.translate(_UNPRINTABLE).split())


# Reminders.


def compose_reminder(facts: ReminderMessage) -> ComposedEmail:
    """Write one reminder about one or several certifications, the soonest to expire first.

    Raises IndexError if there is no certification to write about.
    """
    say = phrases(facts.language)
    lines = sorted(facts.lines, key=lambda line: line.expires_on)
    layout: MessageLayout = {
        "language": facts.language,
        "subject": _subject(say, lines, facts.language),
        "greeting": greeting(say, facts.name),
        "sections": [_section(say, line, facts) for line in lines],
        "enclosed": say["enclosed"] if facts.calendar else "",
        "button": button(say, facts.link),
        "link": facts.link,
        "signed": signed(say, facts.issuer),
        "reason": say["reason"],
        "unsubscribe_link": facts.unsubscribe_link,
        "unsubscribe": say["unsubscribe"],
        "reversible": say["reversible"],
    }
    return composed_email(layout, calendar=facts.calendar)


def _subject(say: Phrases, lines: list[CertificationLine], language: str) -> str:
    line, others = lines[0], len(lines) - 1
    tense = "today" if line.days_left == 0 else "ahead" if line.days_left > 0 else "past"
    subject = _dated(say, f"subject_{tense}", line, language)
    notes = [*_subject_notes(say, line, language)]
    if others:
        notes.append(counted(say, "subject_more", others))
    return f"{subject} ({'; '.join(notes)})" if notes else subject


def _subject_notes(say: Phrases, line: CertificationLine, language: str) -> Iterator[str]:
    """Notes after the date in the subject: the days, and whether less is left to do."""
    if line.pending_since:
        yield say["subject_pending"]
        return
    if line.days_left:
        yield _days(say, line)
    step = line.standing.step
    if step.action in {"apply_now", "apply_from"} and not step.if_approved:
        yield say["subject_complete"].format(credit=credit_of(line.standing, language))


def _days(say: Phrases, line: CertificationLine) -> str:
    """The days left before the expiry, or the days since."""
    left = line.days_left
    return counted(say, "left", left) if left >= 0 else counted(say, "ago", -left)


def _section(say: Phrases, line: CertificationLine, facts: ReminderMessage) -> MessageSection:
    """The section about one certification, for both layouts."""
    language, today = facts.language, line.standing
    days = {
        "date": line.expires_on,
        "apply_by": line.apply_by,
        "grace_ends": line.last_day,
        "after": line.expires_on + timedelta(days=1),
    }
    shown = {**words(today, language), "issuer": printable(facts.issuer)}
    shown |= {name: in_words(day, language) for name, day in days.items()}
    # Points that wait for review are given with the other points.
    keys = [key for key in step_keys(today) if key != "step_waiting"]
    steps = tuple(sentence(say, key, shown) for key in keys)
    return {
        "title": printable(line.full_name or line.scheme_name),
        "lead": _deadline(say, line, language),
        "number": say["number"].format(number=printable(line.number)),
        "percent": _percent(line),
        "share": say["share"].format(percent=_percent(line)),
        "paragraphs": [
            _points(say, line, facts),
            *([steps] if steps else []),
            (sentence(say, _aftermath(line), shown),),
        ],
    }


_NEAR = {1: "deadline_tomorrow", 0: "deadline_today", -1: "deadline_yesterday"}
_LONG = 100  # days from which the months or years are given as well
_MONTH, _YEAR = Decimal("30.44"), Decimal("365.25")


def _deadline(say: Phrases, line: CertificationLine, language: str) -> str:
    """When it expires: the date and the days, and the months or years if it is far ahead."""
    days = line.days_left
    key = _NEAR.get(days, "deadline_ahead" if days > 0 else "deadline_past")
    if days < _LONG:
        return _dated(say, key, line, language)
    years = round(days / _YEAR)
    if years and abs(days - years * _YEAR) < _YEAR / 10:
        about = counted(say, "years", years)
    else:
        about = say["months"].format(count=round(days / _MONTH))
    return _dated(say, "deadline_long", line, language, about=about)


def _dated(say: Phrases, key: str, line: CertificationLine, language: str, **more: str) -> str:
    """The sentence with the expiry date and the days before or since."""
    shown = {
        "scheme": printable(line.scheme_name),
        "date": in_words(line.expires_on, language),
        "left": counted(say, "left", line.days_left),
        "ago": counted(say, "ago", -line.days_left),
        **more,
    }
    return sentence(say, key, shown)


def _points(say: Phrases, line: CertificationLine, facts: ReminderMessage) -> tuple[str, ...]:
    """The points counted and those that wait; the next step says which are missing."""
    shown = {
        "counted": figure(line.points_counted),
        "required": figure(line.points_required),
        "pending": figure(line.points_pending),
        "credit": credit_of(line.standing, facts.language),
        "issuer": printable(line.standing.issuer or facts.issuer),
    }
    wanted = {
        "points": True,
        "points_pending": line.points_pending > 0 and not line.closed,
        "unverified": not line.points_verified,
    }
    return tuple(sentence(say, key, shown) for key, is_wanted in wanted.items() if is_wanted)


def _aftermath(line: CertificationLine) -> str:
    """The key of the sentence about what happens, or happened, after the expiry."""
    past = line.days_left < 0
    if line.pending_since:
        return "after_pending_past" if past else "after_pending"
    if line.closed and past:
        return "after_past"
    if line.apply_by < line.today <= line.expires_on:
        return "after_closed_grace" if line.grace_ends_on else "after_closed"
    if line.grace_ends_on:
        return "after_in_grace" if past else "after_grace"
    return "after_ahead" if line.days_left else "after_today"


def _percent(line: CertificationLine) -> int:
    """The percentage of the progress bar; 100 only when no points are missing."""
    share = line.points_counted / line.points_required if line.points_missing else 1
    return max(int(100 * share), 0)
