"""What an attribute says about its key in a scheme file, beside its name, type and default.

    reply_days: Annotated[int, "The days to answer.", Between(1, 3650)]

The text is what the key means, for people and for editors. An attribute without a text is not a key
of the file. What follows the text restricts the value. An attribute with a default may be left out
of the file.

All of these are plain values: ``tracker.scheme_files.tables`` makes of them what reads the files.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, auto
from typing import Annotated

from tracker.domain.periods import Duration


class KeyRule(Enum):
    """Rules without a number of their own."""

    REQUIRED = auto()
    """The file must have the key, although the attribute has a default."""
    INLINE = auto()
    """The keys of the value stand in the table itself, not in a table of their own."""
    INHERITED = auto()
    """As INLINE; what the table leaves out is taken from the policy."""
    ABOVE_ZERO = auto()
    """A number, or a length of time, of more than nothing."""
    CODE = auto()
    """A short name that other keys, tables and claims refer to."""
    FACTOR = auto()
    """A decimal with up to four places, not two."""
    SHARE = auto()
    """A decimal from 0 to 1 with up to four places."""
    REPEATABLE = auto()
    """The list may have an entry twice."""


@dataclass(frozen=True, slots=True)
class Between:
    """A whole number from ``least`` to ``most``, both included."""

    least: int
    most: int


@dataclass(frozen=True, slots=True)
class AtLeast:
    """A list of so many ``entries``, or more."""

    entries: int


@dataclass(frozen=True, slots=True)
class Longest:
    """A text of at most so many ``characters``."""

    characters: int


@dataclass(frozen=True, slots=True)
class Pattern:
    """A text of which all of it matches ``expression``; ``rule`` says so in words."""

    expression: str
    rule: str


@dataclass(frozen=True, slots=True)
class Named:
    """The key has another name than the attribute."""

    key: str


@dataclass(frozen=True, slots=True)
class Absent:
    """The file may leave out the key, although the attribute has no default: it is ``value``."""

    value: object


REQUIRED, INLINE, INHERITED = KeyRule.REQUIRED, KeyRule.INLINE, KeyRule.INHERITED
REPEATABLE = KeyRule.REPEATABLE
PositiveAmount = Annotated[Decimal, KeyRule.ABOVE_ZERO]
Factor = Annotated[Decimal, KeyRule.FACTOR]
PositiveFactor = Annotated[Decimal, KeyRule.FACTOR, KeyRule.ABOVE_ZERO]
Share = Annotated[Decimal, KeyRule.SHARE]
PositiveShare = Annotated[Decimal, KeyRule.SHARE, KeyRule.ABOVE_ZERO]
PositiveDuration = Annotated[Duration, KeyRule.ABOVE_ZERO]
Code = Annotated[str, "A code.", KeyRule.CODE]
SchemeCode = Annotated[str, "The code of a scheme.", KeyRule.CODE]
Codes = Annotated[tuple[Code, ...], AtLeast(1)]
CodeSet = Annotated[frozenset[Code], AtLeast(1)]
