"""The rows of an XLSX file's worksheet, as the sender sees them.

The first visible worksheet that holds anything is read. Hidden sheets are skipped; hidden rows and
columns, merged cells and a second table are refused with a reason, since nobody can tell whether
they are meant. Nothing in the file is trusted: `archive` decides what may be unpacked.
"""

from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import IO

from openpyxl.utils import range_boundaries  # type: ignore[import-untyped, unused-ignore]

from tracker.tabular.archive import BROKEN, check_archive
from tracker.tabular.cells import shown
from tracker.tabular.expected import TITLE_ROWS, Expected, titles_above
from tracker.tabular.kinds import ColumnKind
from tracker.tabular.problems import Cells, Refused, Unreadable
from tracker.tabular.workbook import Sheet, SheetRow, Workbook

MOST_ROWS = 1_048_576  # the limit of the format: ECMA-376, and Excel's specifications and limits
_MOST_SHEETS = 50  # the most sheets searched for a second table
_HIDDEN_ROW = (
    "is a hidden row: show all rows (a filter may be on), and delete those that should not be "
    "imported"
)
_HIDDEN_COLUMN = "is a hidden column: show it, or delete it"


class XlsxRows:
    """The rows of one workbook: first `header`, then `rows`."""

    decimal_comma = False  # numbers are numbers; spreadsheets do not write them as texts

    def __init__(self, stream: IO[bytes], expected: Expected) -> None:
        """Open the workbook; the stream must be seekable."""
        try:
            check_archive(stream)
            self._book = Workbook(stream)
        except (Unreadable, MemoryError):
            raise
        except Exception as error:  # openpyxl passes on whatever its many parsers raise
            raise Unreadable(BROKEN) from error
        self._expected = expected
        self._sheet, *self._others = self._visible()
        self._rows = self._of(self._sheet)
        self._header = 0
        self.notes: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """Which sheet is read, as an addition to a rule."""
        return f" (sheet {self._sheet.name!r})"

    def header(self) -> tuple[int, Sequence[str | Refused]]:
        """Find the first row that is not blank, in the first visible sheet that has one."""
        first = next(self._rows, None)
        while first is None and self._others:
            self._sheet, *self._others = self._others
            self._rows = self._of(self._sheet)
            first = next(self._rows, None)
        if first is None:
            rule = "is empty: it needs a header row"
            raise Unreadable(rule)
        self._header, found = first
        if isinstance(found, Refused) or found.hidden:
            rule = found.rule if isinstance(found, Refused) else _HIDDEN_ROW
            raise Unreadable(rule + self.where, row=self._header)
        cells = self._texts(found)
        self._check_sheets(cells)
        return self._header, [self._unless_hidden(*cell) for cell in enumerate(cells, start=1)]

    def rows(self, kinds: Sequence[ColumnKind]) -> Iterator[tuple[int, Cells]]:
        """Each row below the header that is not blank: its number and a cell per kind."""
        width, last = len(kinds), self._header
        for row, found in self._rows:
            last = row
            if isinstance(found, Refused):
                yield row, found
            elif found.hidden:
                yield row, Refused("", _HIDDEN_ROW)
            elif max(cell.column for cell in found.cells) > width:
                yield row, Refused("", f"has more cells than the header, which has {width}")
            else:
                yield row, self._row(found, kinds)
        yield from self._merged(width, last)

    def close(self) -> None:
        """Close the workbook; the stream stays open."""
        self._book.close()

    def _visible(self) -> list[Sheet]:
        if not self._book.sheets:
            rule = "contains no worksheet"
            raise Unreadable(rule)
        visible = [sheet for sheet in self._book.sheets if sheet.visible]
        if not visible:
            rule = f"has only hidden sheets ({_named(self._book.sheets)}): show the one to import"
            raise Unreadable(rule)
        return visible

    def _of(self, sheet: Sheet) -> Iterator[tuple[int, SheetRow | Refused]]:
        """The rows of a sheet, up to where it is damaged."""
        last = 0
        rows = self._book.rows(sheet)
        while True:
            try:
                found = next(rows, None)
            except (Unreadable, MemoryError):
                raise
            except Exception:  # noqa: BLE001 - openpyxl passes on whatever its parsers raise
                yield last + 1, Refused("", f"{BROKEN}; the rest was not read")
                return
            if found is None:
                return
            if found.number <= last:
                rule = f"{BROKEN}: row {found.number} comes after row {last}"
                yield last + 1, Refused("", rule)
                return
            if found.number > MOST_ROWS:
                rule = f"is beyond the {MOST_ROWS:,} rows a worksheet can have"
                yield MOST_ROWS + 1, Refused("", rule)
                return
            last = found.number
            yield last, found

    def _row(self, found: SheetRow, kinds: Sequence[ColumnKind]) -> Sequence[str | Refused]:
        row: list[str | Refused] = [""] * len(kinds)
        for cell in found.cells:
            at = cell.column - 1
            row[at] = shown(cell, kinds[at], self._book.epoch)
        return row

    def _texts(self, found: SheetRow) -> Sequence[str | Refused]:
        """A row as texts, up to its last cell that holds something."""
        return self._row(found, [ColumnKind.TEXT] * max(cell.column for cell in found.cells))

    def _unless_hidden(self, column: int, cell: str | Refused) -> str | Refused:
        if isinstance(cell, str) and cell.strip() and self._sheet.hides(column):
            return Refused(cell, _HIDDEN_COLUMN)
        return cell

    def _check_sheets(self, cells: Sequence[str | Refused]) -> None:
        """Refuse a second table, a cover sheet, and titles above the header; note other sheets."""
        others = [(sheet, self._header_row(sheet)) for sheet in self._others[:_MOST_SHEETS]]
        tables = [sheet for sheet, header in others if header]
        if not self._expected.is_header(cells):
            self._check_cover(cells, tables)
        elif tables:
            names = _named([self._sheet, *tables])
            rule = (
                f"has such a table in several sheets ({names}): save each sheet as a separate file"
            )
            raise Unreadable(rule)
        unread = [sheet for sheet, header in others if header is not None]
        if unread:
            self.notes = (f"Only the sheet {self._sheet.name!r} was read, not {_named(unread)}.",)

    def _check_cover(self, cells: Sequence[str | Refused], tables: Sequence[Sheet]) -> None:
        """Refuse a sheet without a header if the header is further down or in another sheet."""
        if header := self._first_header(self._rows):
            raise titles_above(self._header, cells, header, self.where)
        if tables:
            rule = (
                f"the sheet {self._sheet.name!r} has no header row, but the sheet "
                f"{tables[0].name!r} has: put that sheet first, or save it as a separate file"
            )
            raise Unreadable(rule, row=self._header)

    def _header_row(self, sheet: Sheet) -> int | None:
        """The row of a sheet's header, 0 if it has none, None if the sheet is blank."""
        rows = self._of(sheet)
        first = next(rows, None)
        return None if first is None else self._first_header(chain([first], rows)) or 0

    def _first_header(self, rows: Iterator[tuple[int, SheetRow | Refused]]) -> int | None:
        for row, found in islice(rows, TITLE_ROWS):
            if isinstance(found, SheetRow) and self._expected.is_header(self._texts(found)):
                return row
        return None

    def _merged(self, width: int, last: int) -> Iterator[tuple[int, Refused]]:
        """Refuse merged areas of the table: only their first cell has the value."""
        for area in self._sheet.merged:
            bounds = _bounds(area)
            if bounds is None:
                continue
            left, top, bottom = bounds
            if left <= width and bottom > self._header and top <= last:
                rule = f"has merged cells ({area}): unmerge them, and fill in every cell"
                yield max(top, self._header), Refused("", rule)


def _bounds(area: str) -> tuple[int, int, int] | None:
    """The first column, the first and the last row of an area such as A2:B5."""
    try:
        left, top, _, bottom = range_boundaries(area)
    except ValueError:
        return None
    return (left, top, bottom) if left and top and bottom else None


def _named(sheets: Sequence[Sheet]) -> str:
    return ", ".join(repr(sheet.name) for sheet in sheets)
