"""What a column holds, and how the file at hand writes it.

Here: the kinds of values that files write in more than one way, and the base of parsers that depend
on it. Not here: the parsers themselves (`dates`, `numbers`, `columns`).
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar, Generic, TypeVar

ColumnValue = TypeVar("ColumnValue")


class ColumnKind(Enum):
    """What a column holds: it decides what a spreadsheet's number, date or TRUE means there."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    TRUTH = "truth"


class Dates(Enum):
    """How numeric dates are read. ISO (2026-03-15) is always accepted; US and EU add an order."""

    ISO = "iso"
    US = "us"
    EU = "eu"


class Encoding(Enum):
    """How the characters of a CSV file are encoded; it is never guessed."""

    UTF_8 = "utf-8"
    WINDOWS_1252 = "windows-1252"


@dataclass(frozen=True, slots=True)
class Conventions:
    """How one file writes: its order of day and month, and whether 5,5 is five and a half."""

    dates: Dates = Dates.ISO
    decimal_comma: bool = False


class Parser(ABC, Generic[ColumnValue]):
    """A parser that depends on the file: call `settled` once, and use the function it returns."""

    kind: ClassVar[ColumnKind]

    @abstractmethod
    def settled(self, conventions: Conventions) -> Callable[[str], ColumnValue]:
        """The function that reads one text as this file writes it."""

    def __call__(self, value: str) -> ColumnValue:
        """Read one text with the default conventions."""
        return self.settled(Conventions())(value)
