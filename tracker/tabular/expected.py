"""The expected header row: how it is recognized with any delimiter, sheet or titles.

A heading names a column if it differs from the column's name only in case, spaces, underscores and
hyphens: ``Holder Ref``, ``HOLDER_REF`` and ``holder-ref`` are ``holder_ref``.
"""

import re
from collections.abc import Collection, Sequence

from tracker.tabular.columns import BLANKS, Column
from tracker.tabular.problems import Refused, Unreadable

# Titles, a logo, a print date: no table has more rows than these above it.
TITLE_ROWS = 20


# Underscores, and spaces and hyphens of every width.
_BETWEEN = re.compile(f"[{re.escape(BLANKS)}_\\-\u2010-\u2015\u2212\ufe58\ufe63\uff0d\uff3f]+")


class Names:
    """The names of a table's columns, found by headings however they are written."""

    def __init__(self, names: Collection[str]) -> None:
        """Take the names, which must differ in their letters and digits."""
        self._names = {_folded(name): name for name in names}

    def meant(self, heading: str) -> str:
        """The name of the column that a heading means, or the heading itself if it means none."""
        return self._names.get(_folded(heading), heading.strip(BLANKS))

    def __contains__(self, heading: str) -> bool:
        """Whether a heading names a column."""
        return _folded(heading) in self._names


def _folded(heading: str) -> str:
    return _BETWEEN.sub("", heading).casefold()


class Expected:
    """The names of the columns, and which of them a header must have."""

    def __init__(self, columns: Sequence[Column]) -> None:
        """Take the columns of the table."""
        self.names = Names([column.name for column in columns])
        self._required = frozenset(column.name for column in columns if column.required)

    def count(self, cells: Sequence[str | Refused]) -> int:
        """Count the cells that name columns."""
        return sum(name in self.names for name in _texts(cells))

    def is_header(self, cells: Sequence[str | Refused]) -> bool:
        """Whether a row could be the header: it has every required name, or any name if none is."""
        meant = map(self.names.meant, _texts(cells))
        return self.count(cells) > 0 and self._required.issubset(meant)


def titles_above(
    row: int,
    cells: Sequence[str | Refused],
    header: int,
    where: str = "",
) -> Unreadable:
    """The error that rows of titles are above the header."""
    first = next(filter(None, _texts(cells)), "")
    rule = f"is not the header row, which is row {header}: delete the rows above it{where}"
    return Unreadable(rule, row=row, value=first)


def _texts(cells: Sequence[str | Refused]) -> list[str]:
    return [cell.strip(BLANKS) for cell in cells if isinstance(cell, str)]
