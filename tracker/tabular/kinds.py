"""What a column holds, and how the file at hand writes it.

Here: the kinds of values that files write in more than one way, and the parsers that wait to be
told which way. Not here: the parsers themselves (`dates`, `numbers`, `columns`).
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
    """How dates in figures are read. ISO (2026-03-15) is read always; US and EU say more."""

    ISO = "iso"
    US = "us"
    EU = "eu"


class Encoding(Enum):
    """How the letters of a CSV file are written; it is never guessed."""

    UTF_8 = "utf-8"
    WINDOWS_1252 = "windows-1252"


@dataclass(frozen=True, slots=True)
class Conventions:
    """How one file writes: its order of day and month, and whether 5,5 is five and a half."""

    dates: Dates = Dates.ISO
    decimal_comma: bool = False


class Parser(ABC, Generic[ColumnValue]):
    """A parser whose work depends on the file: settle it once, and call what `settled` gives."""

    kind: ClassVar[ColumnKind]

    @abstractmethod
    def settled(self, conventions: Conventions) -> Callable[[str], ColumnValue]:
        """Give the function that reads one text as this file writes it."""

    def __call__(self, value: str) -> ColumnValue:
        """Read one text as a file of no habits of its own would write it."""
        return self.settled(Conventions())(value)
