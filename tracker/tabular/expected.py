"""The header row that a table should have: how it is known among delimiters, sheets and titles."""

from collections.abc import Sequence

from tracker.tabular.columns import BLANKS, Column
from tracker.tabular.problems import Refused, Unreadable

# Titles, a logo's line, a date of printing: more rows than these stand above no table.
TITLE_ROWS = 20


class Expected:
    """The names of the columns, and which of them a header cannot do without."""

    def __init__(self, columns: Sequence[Column]) -> None:
        """Take the columns of the table."""
        self._names = frozenset(column.name for column in columns)
        self._required = frozenset(column.name for column in columns if column.required)

    def count(self, cells: Sequence[str | Refused]) -> int:
        """Count the cells that are names of columns."""
        return sum(name in self._names for name in _texts(cells))

    def is_header(self, cells: Sequence[str | Refused]) -> bool:
        """Whether a row could be the header: every required name stands there, or any name."""
        return self.count(cells) > 0 and self._required.issubset(_texts(cells))


def titles_above(
    row: int,
    cells: Sequence[str | Refused],
    header: int,
    where: str = "",
) -> Unreadable:
    """Say that rows of titles stand above the header."""
    first = next(filter(None, _texts(cells)), "")
    rule = f"is not the header row, which is row {header}: delete the rows above it{where}"
    return Unreadable(rule, row=row, value=first)


def _texts(cells: Sequence[str | Refused]) -> list[str]:
    return [cell.strip(BLANKS) for cell in cells if isinstance(cell, str)]
