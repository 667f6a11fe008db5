"""What is wrong with a table, worded so that its sender can correct it.

Here: one error (`RowError`), all of them (`BadTable`), and the list that counts them (`Problems`).
Not here: the rules themselves; parsers and readers state those in words.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

LONGEST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class RowError:
    """One refused cell or row.

    `row` counts from 1 as a spreadsheet shows it: the header is row 1, blank lines count, and a
    cell with line breaks is still one row. `column` is empty when the whole row is refused.
    `value` is what was found, cut at 200 characters; `rule` completes the sentence "it ...".
    """

    file: str
    row: int
    column: str
    value: str
    rule: str

    def to_dict(self) -> dict[str, str | int]:
        """The error as plain values, for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        """The error on one line; the value is escaped, so that a terminal is safe."""
        where = f"{self.file}, row {self.row}" + (f", {self.column}" if self.column else "")
        return f"{where}: {self.value!r} {self.rule}" if self.value else f"{where}: {self.rule}"


class BadTable(Exception):  # noqa: N818 - named for the refused fact
    """A table that is refused, with every reason: `errors` (the first ones) and `total` (all)."""

    def __init__(self, errors: Sequence[RowError], total: int) -> None:
        """Keep the errors; `total` includes those that were cut from the list."""
        super().__init__(errors, total)
        self.errors = tuple(errors)
        self.total = total

    def __str__(self) -> str:
        """The count and the first error."""
        count = "1 error" if self.total == 1 else f"{self.total:,} errors"
        return f"{count}; first: {self.errors[0]}" if self.errors else count


class Unreadable(Exception):  # noqa: N818 - named for the refused fact
    """A file that cannot be read as a table at all; the reader turns it into `BadTable`."""

    def __init__(self, rule: str, *, row: int = 1, value: str = "") -> None:
        """Keep the rule that is broken, its row, and the value found."""
        super().__init__(rule)
        self.rule, self.row, self.value = rule, row, value


@dataclass(frozen=True, slots=True)
class Refused:
    """A row or a cell that could not be read: its value, and the rule it breaks."""

    value: str
    rule: str

    def strip(self, _: str) -> str:
        """Raise the rule; a readable cell returns its text, so a reader need not check first."""
        raise ValueError(self.rule)


# What both formats return for one row: its cells, some of which may be refused, or no cells.
Cells = Sequence[str | Refused] | Refused


class Problems:
    """The errors of one file: all are counted, the first `limit` are kept."""

    def __init__(self, file: str, limit: int) -> None:
        """Start with none."""
        self.file = file
        self.kept: list[RowError] = []
        self.total = 0
        self._limit = limit

    @property
    def has_room(self) -> bool:
        """Whether the next error is kept, so that its words are needed."""
        return len(self.kept) < self._limit

    def add(self, row: int, column: str, value: str, rule: object) -> None:
        """Count an error; word it only if it is kept (a suggestion costs time)."""
        self.total += 1
        if self.has_room:
            shown = value if len(value) <= LONGEST_SHOWN else value[: LONGEST_SHOWN - 1] + "…"
            self.kept.append(RowError(self.file, row, column, shown, str(rule)))

    def check_none(self) -> None:
        """Raise `BadTable` if there is any."""
        if self.total:
            raise BadTable(self.kept, self.total)
