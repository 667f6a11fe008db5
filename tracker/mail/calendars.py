"""Dates for a holder's own calendar: a file attached to a message (RFC 5545, PUBLISH).

Each date is one all-day event. Its UID consists of the certification and the kind of date, so that
a later message moves the event instead of adding another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache

from icalendar import Calendar, Event

from tracker.mail.messages import phrases, printable

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_LINE = 75  # octets, without the line end


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """A date of a certification; ``kind`` is "window" (it opens), "closing" or "expiry"."""

    certification_id: str
    kind: str
    scheme_name: str
    on: date


def ahead(
    certification_id: str,
    scheme_name: str,
    *,
    on: date,
    opens_on: date | None,
    closes_on: date | None,
    expires_on: date | None,
) -> Iterator[CalendarDay]:
    """The upcoming dates of a certification, as of the day ``on``.

    The last day of the renewal window gets its own event if it is before the expiry.
    """
    if opens_on is not None and opens_on > on:
        yield CalendarDay(certification_id, "window", scheme_name, opens_on)
    if expires_on is None or expires_on < on:
        return
    if closes_on is not None and on <= closes_on < expires_on:
        yield CalendarDay(certification_id, "closing", scheme_name, closes_on)
    yield CalendarDay(certification_id, "expiry", scheme_name, expires_on)


def published(days: Iterable[CalendarDay], *, language: str, at: datetime, domain: str) -> str:
    """A calendar of these days as of an instant; empty without days.

    The same inputs give the same bytes. The events' SEQUENCE is the number of minutes since 1970,
    so that a later message replaces what an earlier one said.
    """
    events = [_event(day, language, at.astimezone(UTC), domain) for day in days]
    if not events:
        return ""
    begin, end = _frame(language)
    return begin + "".join(events) + end


def _event(day: CalendarDay, language: str, at: datetime, domain: str) -> str:
    values = {
        "UID": f"{day.certification_id}-{day.kind}@{domain}",
        "DTSTAMP": f"{at:%Y%m%dT%H%M%SZ}",
        "DTSTART": f"{day.on:%Y%m%d}",
        "SEQUENCE": str(int(at.timestamp()) // 60),
    }
    text = _layout(day.kind, day.scheme_name, language)
    return text.format_map({name: _folded(name, value) for name, value in values.items()})


@lru_cache(maxsize=1024)
def _layout(kind: str, scheme_name: str, language: str) -> str:
    """An event as a format string, with fields for what differs between certifications.

    The library needs a millisecond for each event, and a day's messages cover few schemes.
    """
    say, scheme = phrases(language, "calendar"), printable(scheme_name)
    event = Event()
    event.add("uid", "UID")
    event.add("dtstamp", _NEVER)
    event.add("sequence", 0)
    event.add("dtstart", _NEVER.date())
    event.add("summary", say[f"{kind}_summary"].format(scheme=scheme))
    event.add("description", say[f"{kind}_description"].format(scheme=scheme))
    event.add("transp", "TRANSPARENT")  # the event does not make the day busy
    text: str = event.to_ical().decode().replace("{", "{{").replace("}", "}}")
    for line, place in (
        ("\r\nUID:UID\r\n", "UID"),
        ("\r\nDTSTAMP:19700101T000000Z\r\n", "DTSTAMP"),
        ("\r\nDTSTART;VALUE=DATE:19700101\r\n", "DTSTART"),
        ("\r\nSEQUENCE:0\r\n", "SEQUENCE"),
    ):
        text = text.replace(line, f"\r\n{{{place}}}\r\n")
    return text


def _folded(name: str, value: str) -> str:
    """A line of ASCII, folded if it is too long (RFC 5545, 3.1)."""
    line = f"{name};VALUE=DATE:{value}" if name == "DTSTART" else f"{name}:{value}"
    step = _LONGEST_LINE - 1
    return "\r\n ".join(line[at : at + step] for at in range(0, len(line), step))


@lru_cache(maxsize=8)
def _frame(language: str) -> tuple[str, str]:
    """The text before the events and the text after them."""
    calendar = Calendar()
    calendar.add("prodid", f"-//Tracker//Certifications//{language.upper()}")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    begin, end, rest = calendar.to_ical().decode().partition("END:VCALENDAR")
    return begin, end + rest
