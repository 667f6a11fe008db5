"""Writing employers' digests from numbers and names.

Whom a digest may name is decided elsewhere; this module only words it. The layouts are those of
every message; the phrases are in ``digest.toml`` of the catalogues.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from tracker.language.voice import in_words
from tracker.mail import messages
from tracker.mail.messages import ComposedEmail, MessageLayout, MessageSection, Phrases, printable


@dataclass(frozen=True, slots=True)
class DigestNumbers:
    """The numbers of an employer's workers under one scheme; ``due`` counts by days ahead.

    ``pending`` counts those who applied for renewal in time and wait for the decision.
    """

    scheme: str
    total: int
    valid: int
    not_shared: int
    not_certified: int
    due: Mapping[int, int]
    pending: int = 0


@dataclass(frozen=True, slots=True)
class DigestLine:
    """One worker: what the digest says of them (``what``), and the day of it if there is one.

    ``closes_on`` is the last day of the renewal window, if that is another day.
    """

    name: str
    employee_id: str
    what: str
    scheme: str = ""
    on: date | None = None
    closes_on: date | None = None


@dataclass(frozen=True, slots=True)
class DigestMessage:
    """The facts of a digest; each section has its lines and whether there are more.

    ``staffing`` are sentences about places with too few. ``issuer`` is the sender's name; ``link``
    is the page that the button opens; ``unsubscribe_link`` lets the reader end the digest.
    """

    employer: str
    language: str
    from_on: date
    through_on: date
    numbers: tuple[DigestNumbers, ...]
    sections: Mapping[str, tuple[tuple[DigestLine, ...], bool]]
    staffing: tuple[str, ...] = ()
    issuer: str = ""
    link: str = ""
    unsubscribe_link: str | None = None


def compose(facts: DigestMessage) -> ComposedEmail:
    """Write one digest: the numbers first, then the named workers, section by section."""
    say, language = messages.phrases(facts.language, "digest"), facts.language
    employer = printable(facts.employer)
    date_ = in_words(facts.through_on, language)
    layout: MessageLayout = {
        "language": language,
        "subject": say["subject"].format(employer=employer, date=date_),
        "greeting": say["greeting"].format(employer=employer),
        "sections": [
            *(_numbers(say, numbers, facts) for numbers in facts.numbers),
            *([_staffing(say, facts)] if facts.staffing else []),
            *(_named(say, name, facts) for name in facts.sections),
        ],
        "enclosed": "",
        "button": messages.button(messages.phrases(language), facts.link),
        "link": facts.link,
        "signed": messages.signed(messages.phrases(language), facts.issuer),
        "reason": say["reason"].format(employer=employer),
        "unsubscribe_link": facts.unsubscribe_link,
        "unsubscribe": say["unsubscribe"],
        "reversible": say["reversible"],
    }
    return messages.composed_email(layout)


def _section(title: str, lead: str, *sentences: str) -> MessageSection:
    return {
        "title": title,
        "lead": lead,
        "number": "",
        "percent": None,
        "share": "",
        "paragraphs": [sentences],
    }


def _numbers(say: Phrases, numbers: DigestNumbers, facts: DigestMessage) -> MessageSection:
    days = {
        name: in_words(day, facts.language)
        for name, day in (("first", facts.from_on), ("last", facts.through_on))
    }
    sentences = [
        say["valid"].format(count=numbers.valid, total=numbers.total),
        _due(say, numbers),
    ]
    counts = {
        "pending": numbers.pending,
        "not_certified": numbers.not_certified,
        "not_shared": numbers.not_shared,
    }
    for key, count in counts.items():
        if count:
            sentences.append(say[key].format(count=count))
    title = say["numbers"].format(scheme=printable(numbers.scheme), date=days["last"])
    return _section(title, say["period"].format_map(days), *sentences)


def _due(say: Phrases, numbers: DigestNumbers) -> str:
    """How many expire within each threshold, the soonest first."""
    (first, *others) = sorted(numbers.due.items())
    told = say["due"].format(days=first[0], count=first[1])
    more = [say["due_more"].format(days=days, count=count) for days, count in others]
    return "; ".join([told, *more]) + "."


def _staffing(say: Phrases, facts: DigestMessage) -> MessageSection:
    sentences = [printable(sentence) for sentence in facts.staffing]
    lead = say["staffing_lead"].format(days=_farthest(facts))
    return _section(say["staffing_title"], lead, *sentences)


def _farthest(facts: DigestMessage) -> int:
    """The days of the farthest threshold."""
    return max(facts.numbers[0].due, default=0)


def _named(say: Phrases, name: str, facts: DigestMessage) -> MessageSection:
    lines, more = facts.sections[name]
    several = len(facts.numbers) > 1
    sentences = [_line(say, line, facts, several=several) for line in lines]
    if more:
        sentences.append(say["more"])
    title = say[f"{name}_title"].format(days=_farthest(facts))
    return _section(title, say[f"{name}_lead"], *sentences)


def _line(say: Phrases, line: DigestLine, facts: DigestMessage, *, several: bool) -> str:
    """A line about one worker; it names the scheme if there are several."""
    row = say["row_scheme" if line.scheme and several else "row"].format(
        name=printable(line.name),
        employee_id=printable(line.employee_id),
        scheme=printable(line.scheme),
    )
    if line.on is None:
        return row
    what, day = say[f"what_{line.what}"], in_words(line.on, facts.language)
    sentence = say["row_on"].format(row=row, what=what, date=day)
    if line.closes_on is None:
        return sentence
    # The digest is read on the day after ``through_on``.
    when = "closed" if line.closes_on <= facts.through_on else "closes"
    date_ = in_words(line.closes_on, facts.language)
    return say["row_window"].format(row=sentence, window=say[f"window_{when}"], date=date_)
