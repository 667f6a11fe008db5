"""The values of a scheme file as they were read, before they are checked.

A value of another kind than requested counts as absent here: the format reports it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import cast

from tracker.domain.periods import Duration, TimeUnit
from tracker.scheme_files.line_numbers import KeyPath
from tracker.scheme_files.values import AMOUNT, FACTOR, LONGEST

Raw = Mapping[str, object]
LocatedMistake = tuple[KeyPath, str]  # place and rule

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SOME_DAY = date(2000, 3, 1)  # durations are compared by the day that they reach from here


def table(value: object) -> Raw:
    """The table, or an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[object]:
    """The list, or an empty one."""
    return value if isinstance(value, list) else []


def text(value: object) -> str:
    """The text, or an empty one."""
    return value if isinstance(value, str) else ""


def texts(value: object) -> list[tuple[int, str]]:
    """The texts of a list, each with its index."""
    return [(place, entry) for place, entry in enumerate(items(value)) if isinstance(entry, str)]


def tables(value: object) -> list[Raw]:
    """The tables of an array; an element of another kind becomes an empty table."""
    return [table(entry) for entry in items(value)]


def entries(value: object) -> dict[str, Raw]:
    """The tables of a table; an entry of another kind becomes an empty table."""
    return {code: table(entry) for code, entry in table(value).items()}


def day(value: object) -> date | None:
    """The date, if it is one."""
    return value if type(value) is date else None


def amount(value: object) -> Decimal | None:
    """Points or money, if written as such."""
    return Decimal(value) if isinstance(value, str) and AMOUNT.fullmatch(value) else None


def factor(value: object) -> Decimal | None:
    """A rate, if written as such."""
    return Decimal(value) if isinstance(value, str) and FACTOR.fullmatch(value) else None


def duration(value: object) -> Duration | None:
    """A length of time, if written as such."""
    duration = table(value)
    length, unit = duration.get("length"), duration.get("unit")
    if type(length) is not int or not isinstance(unit, str):
        return None
    known = 0 <= length <= LONGEST.get(unit, -1)
    return Duration(length, cast("TimeUnit", unit)) if known else None


def reach(length: Duration) -> date:
    """The day that a length of time reaches: a later day for a longer one."""
    return length.after(_SOME_DAY)


def years(length: Duration) -> tuple[int, int]:
    """The whole years in a length of time, and the years that it begins."""
    end = reach(length)
    begun = end.year - _SOME_DAY.year + ((end.month, end.day) > (_SOME_DAY.month, _SOME_DAY.day))
    return begun - (_anniversary(begun) > end), begun


def _anniversary(n: int) -> date:
    return _SOME_DAY.replace(year=_SOME_DAY.year + n)


def short(number: int) -> str:
    """A whole number in digits; Python refuses to write very long ones."""
    return str(number) if number.bit_length() <= 64 else hex(number)  # noqa: PLR2004 - bits


def quoted(text: str) -> str:
    """A text as TOML writes it, on one line, without control characters for a terminal."""
    plain = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    plain = "".join(sign if sign.isprintable() else f"\\u{ord(sign):04x}" for sign in plain)
    return f'"{plain}"'


def named(key: str) -> str:
    """A key as TOML writes it: in quotes unless it is a plain word."""
    return key if _BARE.fullmatch(key) else quoted(key)


def repeated(here: KeyPath, value: object, key: str) -> Iterator[LocatedMistake]:
    """The tables of an array with the same name as an earlier one."""
    names = [entry.get(key) for entry in tables(value)]
    for index, name in enumerate(names):
        if name is not None and name in names[:index]:
            yield (*here, index, key), "is used twice"
