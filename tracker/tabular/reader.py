"""Reading a table: every good row as values, every bad cell as an error.

Here: checking the header, running the parsers. Not here: the two formats (`sources`), the parsers
(`columns`).
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from tracker.domain.values import NOTHING, lost_rule
from tracker.tabular.columns import BLANKS, Column, NotAmong
from tracker.tabular.expected import Expected, Names
from tracker.tabular.kinds import Conventions, Dates, Encoding
from tracker.tabular.problems import BadTable, Cells, Problems, Refused, RowError, Unreadable
from tracker.tabular.sources import Source, open_source
from tracker.tabular.totals import without_totals
from tracker.tabular.unpacked import Unpacked

MOST_ERRORS = 1000
_EMPTY = "must not be empty"
Readable = IO[bytes] | str | PathLike[str] | Unpacked
RowValues = dict[str, object]
# Name, parser, required: all that the loop over cells needs, without look-ups.
_Plan = list[tuple[str, Callable[[str], object], bool]]


class Reader(Iterator[tuple[int, RowValues]]):
    """The good rows of a table, one by one, and everything wrong with the others.

    Iterate once, to the end, then use `errors`, `total_errors`, or `check_clean`. Only the current
    row is in memory (for XLSX a little more: see `xlsx_rows`). A path is opened here and closed at
    the end of the rows, by `close`, or by `with`; a stream stays open. `notes` says what the sender
    should know although nothing is wrong: sheets that were not read.
    """

    def __init__(
        self,
        stream_or_path: Readable,
        *,
        filename: str,
        columns: Sequence[Column],
        dates: Dates = Dates.ISO,
        encoding: Encoding = Encoding.UTF_8,
        max_errors: int = MOST_ERRORS,
    ) -> None:
        """Open the table and check its header. Raises `BadTable`."""
        self._problems = Problems(filename, max_errors)
        self._columns = columns
        self._dates = dates
        self._encoding = encoding
        self.notes: tuple[str, ...] = ()
        self._open = ExitStack()
        self.header: tuple[str, ...] = ()
        try:
            self._rows = self._opened(stream_or_path)
        except Unreadable as refusal:
            self.close()
            self._problems.add(refusal.row, "", refusal.value, refusal.rule)
            raise BadTable(self._problems.kept, self._problems.total) from refusal
        except BaseException:
            self.close()
            raise

    @property
    def errors(self) -> tuple[RowError, ...]:
        """The errors so far, in the order of the file: the first `max_errors` of them."""
        return tuple(self._problems.kept)

    @property
    def total_errors(self) -> int:
        """The number of errors so far, including those that `errors` leaves out."""
        return self._problems.total

    def check_clean(self) -> None:
        """Raise `BadTable` if there was any error; call it after the last row."""
        self._problems.check_none()

    def close(self) -> None:
        """Close what was opened here; no row can be read afterwards."""
        self._open.close()

    def __iter__(self) -> Self:
        """The reader itself: the rows can be read once."""
        return self

    def __next__(self) -> tuple[int, RowValues]:
        """The next good row: its number, and a value (or None) for every column."""
        return next(self._rows)

    def __enter__(self) -> Self:
        """The reader itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close what was opened here."""
        self.close()

    def _opened(self, table: Readable) -> Iterator[tuple[int, RowValues]]:
        if isinstance(table, Unpacked):
            return self._checked(table.source())
        stream = table if not isinstance(table, str | PathLike) else self._file(Path(table))
        return self._checked(
            open_source(stream, Expected(self._columns), self._encoding, self._open)
        )

    def _file(self, path: Path) -> IO[bytes]:
        return self._open.enter_context(path.open("rb"))

    def _checked(self, source: Source) -> Iterator[tuple[int, RowValues]]:
        """Check the header at once, and prepare to read the rows."""
        row, cells = source.header()
        headings = [self._heading(row, cell, source.where) for cell in cells]
        _check_header(self._problems, row, headings, self._columns, source.where)
        meant = Names([column.name for column in self._columns]).meant
        names = [meant(heading) for heading in headings]
        self.header, self.notes = tuple(names), source.notes
        by_name = {column.name: column for column in self._columns}
        conventions = Conventions(self._dates, source.decimal_comma)
        plan = [_planned(by_name[name], conventions) for name in names]
        kinds = [by_name[name].kind for name in names]
        return self._good_rows(source.rows(kinds), plan)

    def _heading(self, row: int, cell: str | Refused, where: str) -> str:
        if isinstance(cell, Refused):
            self._problems.add(row, "", cell.value, cell.rule + where)
            return cell.value
        return cell.strip(BLANKS)

    def _good_rows(
        self, rows: Iterator[tuple[int, Cells]], plan: _Plan
    ) -> Iterator[tuple[int, RowValues]]:
        absent: RowValues = dict.fromkeys(column.name for column in self._columns)
        with self._open:
            for row, cells in without_totals(rows, partial(_is_good, plan)):
                if isinstance(cells, Refused):
                    self._problems.add(row, "", cells.value, cells.rule)
                    continue
                values = absent.copy()
                before = self._problems.total
                _parse(row, cells, plan, values, self._problems)
                if self._problems.total == before:
                    yield row, values


def read(
    stream_or_path: Readable,
    *,
    filename: str,
    columns: Sequence[Column],
    dates: Dates = Dates.ISO,
    encoding: Encoding = Encoding.UTF_8,
) -> Reader:
    """Read a CSV or XLSX table, recognized by content; `filename` is for the errors only.

    Returns the good rows, each with its number (the header is row 1, as a spreadsheet shows it) and
    a value for every column; None if a cell is empty or the column absent. Blank rows are skipped.
    Raises `BadTable` at once if the file or its header is refused; errors in the rows are
    collected: see `Reader`. `dates` applies to date columns without an order of their own,
    `encoding` to CSV.
    """
    return Reader(
        stream_or_path, filename=filename, columns=columns, dates=dates, encoding=encoding
    )


def _parse(
    row: int,
    cells: Sequence[str | Refused],
    plan: _Plan,
    values: RowValues,
    problems: Problems,
) -> None:
    """Parse the cells of one row into `values`, and record each one that is refused."""
    for (name, parse, required), cell in zip(plan, cells, strict=True):
        try:
            if text := cell.strip(BLANKS):
                # Columns of days and numbers have rules of their own, and would give fewer details.
                values[name] = parse(text) if text not in NOTHING else _refuse(text)
            elif required:
                problems.add(row, name, "", _EMPTY)
        except ValueError as refusal:
            shown = cell.value if isinstance(cell, Refused) else cell
            problems.add(row, name, shown, refusal)


def _is_good(plan: _Plan, cells: Sequence[str | Refused]) -> bool:
    """Whether every cell of a row can be parsed."""
    problems = Problems("", 0)
    _parse(0, cells, plan, {}, problems)
    return not problems.total


def _refuse(text: str) -> object:
    raise ValueError(lost_rule(text))


def _planned(column: Column, conventions: Conventions) -> tuple[str, Callable[[str], object], bool]:
    return column.name, column.settled(conventions), column.required


def _check_header(
    problems: Problems,
    row: int,
    headings: Sequence[str],
    columns: Sequence[Column],
    where: str,
) -> None:
    """Raise `BadTable` with everything that is wrong with the header; `where` names the sheet."""
    known = frozenset(column.name for column in columns)
    meant, by_name = Names(known).meant, defaultdict[str, list[str]](list)
    for heading in headings:
        by_name[meant(heading)].append(heading)
    for name, written in by_name.items():
        if not name:
            number = headings.index(name) + 1
            problems.add(
                row, "", "", f"has no name for column {number}: every column needs a name{where}"
            )
        elif name not in known:
            unknown = NotAmong(name, known, f"is not a column of this table{where}")
            problems.add(row, name, name, unknown)
        elif len(written) > 1:
            problems.add(row, name, written[-1], _named_twice(written) + where)
    for column in columns:
        if column.required and column.name not in by_name:
            rule = f"is required, but missing from the header row{where}"
            problems.add(row, column.name, "", rule)
    problems.check_none()


def _named_twice(written: Sequence[str]) -> str:
    """The rule broken by several headings of one column."""
    rule = f"must appear once, but appears {len(written)} times"
    others = ", ".join(map(repr, dict.fromkeys(written)))
    return rule if len(set(written)) == 1 else f"{rule}, as {others}"
