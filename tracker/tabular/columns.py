"""Columns, and the parsers that turn the text of a cell into a value.

A parser is a function of one text, compiled once and called for every row. It raises
`ValueError` with the rule in words ("must be a date like 2026-03-15"). The reader has already
taken the blanks around a cell away, and asks no parser about an empty cell.
"""

import datetime as dt
import difflib
import re
import zoneinfo
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from functools import cache, lru_cache, partial

# Blanks that people and spreadsheets leave around a value. Tabs and line breaks are not blanks:
# they are control characters, and are refused rather than quietly dropped.
BLANKS = " \u00a0"

# Controls, line separators, marks that reorder what is shown, and what UTF-8 or XML cannot hold.
_CONTROLS = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]",
)
_ISO_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_LOCAL_DATE = re.compile(r"([0-9]{1,2})([/.-])([0-9]{1,2})\2([0-9]{4})")
_FIRST_YEAR, _LAST_YEAR = 1900, 2200
_LONGEST_EMAIL = 254  # RFC 5321, 4.5.3.1.3, less the angle brackets
_LONGEST_GUESS = 40
# Quotes, brackets, commas and the like have a meaning in an address header, so that one cell
# could name two recipients. An address that needs them is refused.
_EMAIL = re.compile(
    r"([^\s@\"(),:;<>\[\\\]]{1,64})@((?:[^\W_](?:[\w-]*[^\W_])?\.)+[^\W_](?:[\w-]*[^\W_])?)",
)


@dataclass(frozen=True, slots=True)
class Column:
    """How one column is read.

    `parse` turns the text of a cell into its value, or raises `ValueError` with the rule in
    words. When `required`, the header must name the column and every row must fill it.
    """

    name: str
    parse: Callable[[str], object]
    required: bool = False


class Dates(Enum):
    """How dates in figures are read. ISO (2026-03-15) is read always; US and EU say more."""

    ISO = "iso"
    US = "us"
    EU = "eu"


def text(max_length: int) -> Callable[[str], str]:
    """Read one line of text, without the blanks around it, of at most `max_length` characters."""
    too_long = f"must be at most {max_length:,} characters"

    def parse(value: str) -> str:
        value = value.strip(BLANKS)
        if len(value) > max_length:
            raise ValueError(too_long)
        if not value.isprintable() and _CONTROLS.search(value):
            rule = "must be one line of text without tabs, line breaks or control characters"
            raise ValueError(rule)
        return value

    return parse


def date(dates: Dates | None = None) -> "DateParser":
    """Read a date of the years 1900 to 2200.

    ISO 8601 (2026-03-15) is read always. 03/04/2026 is refused as ambiguous unless `dates` says
    which part is the month: US (month first) or EU (day first). Without `dates`, whoever reads
    the table says it (`read(..., dates=...)`), and ISO holds until then.
    """
    return DateParser(dates)


@dataclass(frozen=True, slots=True)
class DateParser:
    """The parser that `date` gives: it may leave to the reader how dates are read."""

    dates: Dates | None

    def reading(self, dates: Dates) -> Callable[[str], dt.date]:
        """Settle how dates are read, unless it was said already."""
        return _DATE_PARSERS[self.dates or dates]

    def __call__(self, value: str) -> dt.date:
        """Read one date."""
        return self.reading(Dates.ISO)(value)


def decimal(
    places: int,
    minimum: Decimal | int | None = None,
    maximum: Decimal | int | None = None,
) -> Callable[[str], Decimal]:
    """Read a number in ASCII digits with a point, exactly as written; the result has `places`.

    No floats on the way, no exponents, no NaN or infinity, no thousands separators.
    """
    unit = Decimal(1).scaleb(-places)
    fraction = rf"(?:\.[0-9]{{1,{places}}})?" if places else ""
    shape = re.compile(rf"-?[0-9]{{1,15}}{fraction}")
    rule = f"must be a number{_bounds(minimum, maximum)} in plain digits"
    rule += f", with at most {places} decimal places after a point" if places else ""

    def parse(value: str) -> Decimal:
        if not shape.fullmatch(value):
            raise ValueError(rule)
        number = Decimal(value).quantize(unit) + 0  # adding 0 turns -0.00 into 0.00
        if not _within(number, minimum, maximum):
            raise ValueError(rule)
        return number

    return lru_cache(maxsize=4096)(parse)


def integer(minimum: int | None = None, maximum: int | None = None) -> Callable[[str], int]:
    """Read a whole number in ASCII digits."""
    shape = re.compile(r"-?[0-9]{1,18}")
    rule = f"must be a whole number{_bounds(minimum, maximum)}"

    def parse(value: str) -> int:
        if not shape.fullmatch(value) or not _within(int(value), minimum, maximum):
            raise ValueError(rule)
        return int(value)

    return parse


def choice(values: Sequence[str]) -> Callable[[str], str]:
    """Read one of a few words, exactly as written; a refusal names them and the nearest."""
    known = frozenset(values)
    rule = f"must be one of {', '.join(values)}"

    def parse(value: str) -> str:
        if value not in known:
            raise NotAmong(value, known, rule)
        return value

    return parse


def email(value: str) -> str:
    """Read an e-mail address: one @, a domain with a dot, no blanks, at most 254 characters.

    Only the domain is put in lower case: the part before the @ belongs to the receiving host
    (RFC 5321, 2.4).
    """
    found = _EMAIL.fullmatch(value) if len(value) <= _LONGEST_EMAIL else None
    if found is None or not value.isprintable():
        rule = "must be one e-mail address like ana@example.org, of at most 254 characters"
        raise ValueError(rule)
    return f"{found[1]}@{found[2].lower()}"


def time_zone(value: str) -> str:
    """Read the name of a time zone of the IANA database, such as America/New_York."""
    known = _time_zones()
    if value not in known:
        rule = "must be a time zone of the IANA list, like America/New_York"
        raise NotAmong(value, known, rule)
    return value


class NotAmong(ValueError):  # noqa: N818 - named for the refused fact
    """A word that is not on the list; the nearest is looked for only when somebody reads it."""

    def __init__(self, value: str, known: frozenset[str], rule: str) -> None:
        """Keep what the sentence needs."""
        super().__init__(value, known, rule)
        self._value, self._known, self._rule = value, known, rule

    def __str__(self) -> str:
        """Give the rule, and the nearest allowed word when one is near."""
        return self._rule + did_you_mean(self._value, self._known)


@lru_cache(maxsize=256)
def did_you_mean(value: str, known: frozenset[str]) -> str:
    """Give "; did you mean ...?" for the nearest of the known words, or nothing."""
    if len(value) > _LONGEST_GUESS:
        return ""
    folded = _folded_words(known)
    nearest = difflib.get_close_matches(_folded(value), folded, n=1, cutoff=0.65)
    return f"; did you mean {folded[nearest[0]]}?" if nearest else ""


@lru_cache(maxsize=64)
def _folded_words(known: frozenset[str]) -> dict[str, str]:
    return {_folded(word): word for word in sorted(known)}


def _folded(word: str) -> str:
    return word.strip().casefold().replace(" ", "_").replace("-", "_")


def _within(
    number: Decimal | int,
    minimum: Decimal | int | None,
    maximum: Decimal | int | None,
) -> bool:
    return (minimum is None or number >= minimum) and (maximum is None or number <= maximum)


def _bounds(minimum: Decimal | int | None, maximum: Decimal | int | None) -> str:
    if minimum is not None and maximum is not None:
        return f" from {minimum} to {maximum}"
    if minimum is not None:
        return f" of at least {minimum}"
    return "" if maximum is None else f" of at most {maximum}"


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def _parse_date(dates: Dates, value: str) -> dt.date:
    if found := _ISO_DATE.fullmatch(value):
        return _day(found[1], found[2], found[3])
    found = _LOCAL_DATE.fullmatch(value)
    if found is None:
        raise ValueError(_DATE_RULES[dates])
    if dates is Dates.US:
        return _day(found[4], found[1], found[3], order=", read month first")
    if dates is Dates.EU:
        return _day(found[4], found[3], found[1], order=", read day first")
    rule = "is ambiguous: must be a date like 2026-03-15, or say how dates are read (us or eu)"
    raise ValueError(rule)


_DATE_RULES = {
    Dates.ISO: "must be a date like 2026-03-15",
    Dates.US: "must be a date like 03/15/2026 (month first) or 2026-03-15",
    Dates.EU: "must be a date like 15/03/2026 (day first) or 2026-03-15",
}
# A file of a million rows holds a few thousand different dates: most are found, not parsed.
_DATE_PARSERS: dict[Dates, Callable[[str], dt.date]] = {
    dates: lru_cache(maxsize=16384)(partial(_parse_date, dates)) for dates in Dates
}


def _day(year: str, month: str, day: str, *, order: str = "") -> dt.date:
    if not _FIRST_YEAR <= int(year) <= _LAST_YEAR:
        rule = f"must be a date of the years {_FIRST_YEAR} to {_LAST_YEAR}"
        raise ValueError(rule)
    try:
        return dt.date(int(year), int(month), int(day))
    except ValueError:
        rule = f"must be a day that the calendar has{order}"
        raise ValueError(rule) from None
