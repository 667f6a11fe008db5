"""A workbook read with openpyxl, keeping as little of it in memory as possible.

Here: its worksheets with their names, the formats of its cells, and the rows of one sheet. Not
here: what a cell means (`cells`), which sheet is read (`xlsx_rows`). openpyxl parses the parts; its
own loop over rows is not used, because it keeps something of every row, even of a million rows that
are only formatted, and does not say which of them are hidden.
"""

import datetime as dt
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import IO, Any
from zipfile import ZipFile

from openpyxl.cell.text import Text  # type: ignore[import-untyped, unused-ignore]
from openpyxl.reader.excel import ExcelReader  # type: ignore[import-untyped, unused-ignore]
from openpyxl.styles.numbers import BUILTIN_FORMATS  # type: ignore[import-untyped, unused-ignore]
from openpyxl.worksheet._reader import (  # type: ignore[import-untyped, unused-ignore]
    CELL_TAG,
    COL_TAG,
    DATA_TAG,
    ROW_TAG,
    WorkSheetParser,
)
from openpyxl.xml.constants import (  # type: ignore[import-untyped, unused-ignore]
    ARC_STYLE,
    SHARED_STRINGS,
    SHEET_MAIN_NS,
)
from openpyxl.xml.functions import (  # type: ignore[import-untyped, unused-ignore]
    fromstring,
    iterparse,
)

from tracker.tabular.columns import BLANKS
from tracker.tabular.number_formats import GENERAL, NumberFormat, number_format
from tracker.tabular.problems import Unreadable

MOST_COLUMNS = 16_384  # the limit of the format itself
_MOST_MERGED = 1_000  # merged areas of one sheet that are kept
_MAIN = f"{{{SHEET_MAIN_NS}}}"
_STRICT = "{http://purl.oclc.org/ooxml/"  # ISO/IEC 29500-1; the other form is its part 4
_MERGED_TAG, _TEXT_TAG = f"{_MAIN}mergeCell", f"{_MAIN}si"
_YES = frozenset({"1", "true", "on"})
# Days in Chinese, Japanese and Korean Excel, which the standard has by number only (18.8.30).
_FAR_EASTERN = {30: "m/d/yy", 31: "yyyy/m/d"}
_UNKNOWN = "[...]"
_FAR_EASTERN_IDS = frozenset([*range(27, 37), *range(50, 59)])


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell that is not empty: its column from 1, what it holds, and how it is shown.

    `type` is as in the file: n, s, d, b, f for a formula, e for an error.
    """

    column: int
    value: object
    type: str
    format: NumberFormat


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A row that is not blank, with its cells that hold something."""

    number: int
    cells: list[Cell]
    hidden: bool


@dataclass(slots=True)
class Sheet:
    """A worksheet; hidden and merged parts are known once its rows have been read."""

    name: str
    visible: bool
    path: str
    hidden_columns: list[tuple[int, int]] = field(default_factory=list)
    merged: list[str] = field(default_factory=list)

    def hides(self, column: int) -> bool:
        """Whether a column is hidden, as far as the sheet was read."""
        return any(first <= column <= last for first, last in self.hidden_columns)


class Workbook:
    """An open workbook."""

    def __init__(self, stream: IO[bytes]) -> None:
        """Read everything but the rows; raises what openpyxl's parsers raise."""
        reader: Any = ExcelReader(stream, read_only=True, keep_links=False)
        with reader.archive.open("xl/workbook.xml") as part:
            _, root = next(iterparse(part, ("start",)))
            _check_namespace(root)
        reader.read_manifest()
        reader.read_workbook()
        self._archive: ZipFile = reader.archive
        self.epoch: dt.datetime = reader.wb.epoch
        self.sheets = [
            Sheet(sheet.name or "", sheet.state in {None, "visible"}, rel.target)
            for sheet, rel in reader.parser.find_sheets()
            if rel.target in reader.valid_files and rel.Type.endswith("/worksheet")
        ]
        self._texts = self._shared_texts(reader.package.find(SHARED_STRINGS))
        self._formats = self._cell_formats() if ARC_STYLE in reader.valid_files else []

    def close(self) -> None:
        """Close the workbook; the stream stays open."""
        self._archive.close()

    def rows(self, sheet: Sheet) -> Iterator[SheetRow]:
        """The rows of a sheet that are not blank, in the order of the file."""
        with closing(self._archive.open(sheet.path)) as source:
            parser = _Parser(source, self._texts, sheet)
            for number, cells, hidden in parser.rows():
                yield SheetRow(number, [self._cell(cell) for cell in cells], hidden)

    def _cell(self, cell: dict[str, Any]) -> Cell:
        style = cell["style_id"]
        known = 0 <= style < len(self._formats)
        shown = self._formats[style] if known else number_format(GENERAL)
        return Cell(cell["column"], cell["value"], cell["data_type"], shown)

    def _shared_texts(self, part: Any) -> list[str]:
        """Read the texts unchanged: openpyxl's own reader decodes some escapes, not all."""
        if part is None:
            return []
        texts = []
        with self._archive.open(part.PartName[1:]) as source:
            for _, element in iterparse(source):
                if element.tag == _TEXT_TAG:
                    texts.append(getattr(Text.from_tree(element), "content", ""))
                    element.clear()
        return texts

    def _cell_formats(self) -> list[NumberFormat]:
        """The format of each style; the rest of the stylesheet is ignored."""
        root = fromstring(self._archive.read(ARC_STYLE))
        codes = {
            int(found.get("numFmtId", 0)): found.get("formatCode", GENERAL)
            for found in root.iterfind(f"{_MAIN}numFmts/{_MAIN}numFmt")
        }
        styles = root.iterfind(f"{_MAIN}cellXfs/{_MAIN}xf")
        return [_format(int(style.get("numFmtId", 0)), codes) for style in styles]


def _format(id_: int, codes: dict[int, str]) -> NumberFormat:
    if id_ in codes:
        return number_format(codes[id_])
    if id_ in _FAR_EASTERN_IDS:
        return number_format(_FAR_EASTERN.get(id_, _UNKNOWN))
    return number_format(BUILTIN_FORMATS.get(id_, GENERAL))


class _Parser(WorkSheetParser):  # type: ignore[misc, unused-ignore]
    """openpyxl's parser of cells, in a loop that releases each row after it."""

    def __init__(self, source: IO[bytes], texts: list[str], sheet: Sheet) -> None:
        # Without date formats numbers stay numbers: what they show is determined later.
        super().__init__(source, texts)
        self._sheet = sheet

    def rows(self) -> Iterator[tuple[int, list[dict[str, Any]], bool]]:
        data, count = None, 0
        elements = iterparse(self.source, ("start", "end"))
        _check_namespace(next(elements)[1])
        for event, element in elements:
            tag = element.tag
            if event == "start":
                count += tag == CELL_TAG
                if count > MOST_COLUMNS:
                    message = f"a row of more than {MOST_COLUMNS} cells"
                    raise ValueError(message)
                data = element if tag == DATA_TAG else data
            elif tag == ROW_TAG and data is not None:
                # A cell without children is only formatted, and a row may be so too.
                self.row_counter = int(element.get("r", self.row_counter + 1))
                if any(map(len, element)) and (cells := self._cells(element)):
                    yield self.row_counter, cells, _is_hidden(element, "ht")
                data.clear()
                count = 0
            elif tag in {COL_TAG, _MERGED_TAG}:
                self._note(tag, element)
                element.clear()

    def _cells(self, row: Any) -> list[dict[str, Any]]:
        """The cells of a row that are not blank; none if all are blank."""
        self.col_counter = 0
        cells = [cell for cell in map(self.parse_cell, row) if _left(cell["value"], BLANKS)]
        return cells if any(_left(cell["value"]) for cell in cells) else []

    def _note(self, tag: str, element: Any) -> None:
        if tag == COL_TAG and _is_hidden(element, "width"):
            if len(self._sheet.hidden_columns) < MOST_COLUMNS:
                self._sheet.hidden_columns.append(
                    (int(element.get("min")), int(element.get("max")))
                )
        elif tag == _MERGED_TAG and len(self._sheet.merged) < _MOST_MERGED:
            self._sheet.merged.append(element.get("ref", ""))

    def parse_formula(self, element: Any) -> str:
        """A formula's own text; it is shown in a refusal, and never computed."""
        found = element.findtext(f"{_MAIN}f") or ""
        return f"={found.removeprefix('=')}"


def _check_namespace(root: Any) -> None:
    """Raise Unreadable for a part of the Strict form, whose names openpyxl does not know."""
    if root.tag.startswith(_STRICT):
        rule = (
            "is a Strict Open XML workbook, which Tracker does not read: in Excel, save it as "
            "“Excel Workbook (*.xlsx)”, not as “Strict Open XML Spreadsheet”"
        )
        raise Unreadable(rule)


def _is_hidden(element: Any, size: str) -> bool:
    """Whether a row or column is hidden, or has no height or width."""
    given = element.get(size)
    return element.get("hidden") in _YES or (given is not None and float(given) == 0)


def _left(value: object, blanks: str | None = None) -> object:
    """A value without the white space around it, true unless nothing is left."""
    if isinstance(value, str):
        return value.strip(blanks)
    return value is not None
