"""The header row that a table should have: how it is known among delimiters, sheets and titles.

A heading is that of a column if it differs from the column's name in nothing but case, blanks,
underscores and hyphens: ``Holder Ref``, ``HOLDER_REF`` and ``holder-ref`` are ``holder_ref``.
"""

import re
from collections.abc import Collection, Sequence

from tracker.tabular.columns import BLANKS, Column
from tracker.tabular.problems import Refused, Unreadable

# Titles, a logo's line, a date of printing: more rows than these stand above no table.
TITLE_ROWS = 20


# Underscores, and blanks and hyphens of every width.
_BETWEEN = re.compile(f"[{re.escape(BLANKS)}_\\-\u2010-\u2015\u2212\ufe58\ufe63\uff0d\uff3f]+")


class Names:
    """The names of a table's columns, found by headings however they are written."""

    def __init__(self, names: Collection[str]) -> None:
        """Take the names, which are all told apart by their letters and digits."""
        self._names = {_folded(name): name for name in names}

    def meant(self, heading: str) -> str:
        """Give the name of the column that a heading is of, or the heading when it is of none."""
        return self._names.get(_folded(heading), heading.strip(BLANKS))

    def __contains__(self, heading: str) -> bool:
        """Whether a heading is that of a column."""
        return _folded(heading) in self._names


def _folded(heading: str) -> str:
    return _BETWEEN.sub("", heading).casefold()


class Expected:
    """The names of the columns, and which of them a header cannot do without."""

    def __init__(self, columns: Sequence[Column]) -> None:
        """Take the columns of the table."""
        self.names = Names([column.name for column in columns])
        self._required = frozenset(column.name for column in columns if column.required)

    def count(self, cells: Sequence[str | Refused]) -> int:
        """Count the cells that are names of columns."""
        return sum(name in self.names for name in _texts(cells))

    def is_header(self, cells: Sequence[str | Refused]) -> bool:
        """Whether a row could be the header: every required name stands there, or any name."""
        meant = map(self.names.meant, _texts(cells))
        return self.count(cells) > 0 and self._required.issubset(meant)


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
