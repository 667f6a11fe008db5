"""Dates as programs write them: days are read, and anything else is refused with its name.

Accepted are ISO days (2026-03-15), numeric days if their order is declared, and both followed by
midnight, as many programs write a day. Everything else is refused with words that say what was
found: a time of day, a zone, a two-digit year, a day number.
"""

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import ClassVar

from tracker.domain.values import day_of
from tracker.tabular.kinds import ColumnKind, Conventions, Dates, Parser

_ISO_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_LOCAL_DATE = re.compile(r"([0-9]{1,2})([/.-])([0-9]{1,2})\2([0-9]{4})")
_BLANK = r"[ \u00a0\u202f]"
_ZONE = r"[Zz]|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?"
# A numeric day, then a time: 2026-03-15T00:00:00Z, or 3/15/2026, 12:00:00 AM.
_TIMED = re.compile(
    rf"([0-9]{{1,4}}[/.-][0-9]{{1,2}}[/.-][0-9]{{1,4}})(?:[Tt]|,?{_BLANK})"
    r"(([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}(?:[.,][0-9]{1,9})?))?"
    rf"{_BLANK}?([AaPp]\.?[Mm]\.?)?){_BLANK}?({_ZONE})?",
)
_NO_ZONE = re.compile(r"[Zz]|UTC|GMT|[+-]00(?::?00)?")
_TWO_DIGITS = re.compile(r"[0-9]{1,2}([/.-])[0-9]{1,2}\1[0-9]{2}")
_YEAR_FIRST = re.compile(r"([0-9]{4})([/.-]?)([0-9]{1,2})\2([0-9]{1,2})")
_YEAR, _MONTH = (
    re.compile(r"[0-9]{4}"),
    re.compile(r"[0-9]{4}[/.-][0-9]{1,2}|[0-9]{1,2}[/.-][0-9]{4}"),
)
_DAY_NUMBER = re.compile(r"[0-9]{5}(?:\.[0-9]{1,15})?")
_LETTERS = re.compile(
    r"(?i)[0-9 ,./-]*(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[0-9 ,./-]+"
)
_BEFORE_DAY_1 = dt.date(1899, 12, 30)  # the day from which spreadsheets count day numbers
_RULES = {
    Dates.ISO: "must be a date such as 2026-03-15",
    Dates.US: "must be a date such as 03/15/2026 (month first) or 2026-03-15",
    Dates.EU: "must be a date such as 15/03/2026 (day first) or 2026-03-15",
}


def date(dates: Dates | None = None) -> "DateParser":
    """Read a date of the years 1900 to 2200.

    ISO 8601 (2026-03-15) is always accepted. 03/04/2026 is refused as ambiguous unless `dates` says
    which part is the month: US (month first) or EU (day first). Without `dates`, the reader of the
    table decides (`read(..., dates=...)`), and ISO applies until then. A midnight after the day,
    also in UTC, is ignored; any other time or zone is refused.
    """
    return DateParser(dates)


@dataclass(frozen=True)
class DateParser(Parser[dt.date]):
    """The parser returned by `date`; it may leave the order of numeric dates to the reader."""

    kind: ClassVar[ColumnKind] = ColumnKind.DATE
    dates: Dates | None

    def settled(self, conventions: Conventions) -> Callable[[str], dt.date]:
        """Fix the order of numeric dates, unless it is already fixed."""
        return _PARSERS[self.dates or conventions.dates]


def day_of_number(number: float, epoch: dt.date = _BEFORE_DAY_1) -> dt.date | None:
    """The day that a spreadsheet shows for a number, if people could mean it."""
    return epoch + dt.timedelta(int(number)) if 10_000 <= number < 110_000 else None  # noqa: PLR2004 - 1927 to 2201


def would_be(day: dt.date) -> str:
    """The day that a bare number is in a spreadsheet, and how to write it as a date here."""
    return f"would be {day} in a spreadsheet, so set a date format"


def _parse(dates: Dates, value: str) -> dt.date:
    if found := _ISO_DATE.fullmatch(value):
        return day_of(found[1], found[2], found[3])
    if timed := _TIMED.fullmatch(value):
        _check_midnight(timed, _RULES[dates])
        return _parse(dates, timed[1])
    found = _LOCAL_DATE.fullmatch(value)
    if found is None:
        raise ValueError(_recognized(value) + _RULES[dates])
    if dates is Dates.US:
        return day_of(found[4], found[1], found[3], order=", read month first")
    if dates is Dates.EU:
        return day_of(found[4], found[3], found[1], order=", read day first")
    rule = "is ambiguous: write it like 2026-03-15, or say how dates are read (us or eu)"
    raise ValueError(rule)


# A file of a million rows has a few thousand different dates: most come from the cache.
_PARSERS: dict[Dates, Callable[[str], dt.date]] = {
    dates: lru_cache(maxsize=16384)(partial(_parse, dates)) for dates in Dates
}


def _check_midnight(timed: re.Match[str], rule: str) -> None:
    """Refuse a time other than midnight, or a zone other than UTC."""
    _, time, hours, minutes, seconds, half, zone = timed.groups()
    hour = int(hours) % 12 if half and half[0] in "Aa" else int(hours)
    if hour or (half and half[0] in "Pp") or (minutes + (seconds or "")).strip("0.,"):
        raise ValueError(f"has a time of day ({time}), but this column takes a date only: {rule}")
    if zone and not _NO_ZONE.fullmatch(zone):
        raise ValueError(f"has a time zone ({zone}), but this column takes a date only: {rule}")


def _recognized(value: str) -> str:
    """What a text that is not a date looks like, as the beginning of a sentence; or nothing."""
    if _TWO_DIGITS.fullmatch(value):
        return "has a year of two digits; four are needed: "
    if _YEAR.fullmatch(value):
        return "looks like a year without month and day: "
    if _MONTH.fullmatch(value):
        return "looks like a month without a day: "
    if _LETTERS.fullmatch(value):
        return "has the month in words: "
    return _as_figures(value)


def _as_figures(value: str) -> str:
    """The day that was probably meant by figures in an unknown order."""
    if found := _YEAR_FIRST.fullmatch(value):
        year, _, month, day = found.groups()
        try:
            return f"looks like {dt.date(int(year), int(month), int(day))}: "
        except ValueError:
            return ""
    if _DAY_NUMBER.fullmatch(value) and (day_meant := day_of_number(float(value))):
        return f"is a day number that {would_be(day_meant)}: "
    return ""
