"""The rows of an XLSX file's first worksheet, as cells, with openpyxl reading row by row.

Nothing in the file is trusted: formulas are refused and never computed (the value a program
cached beside a formula is whatever the sender wrote there), and the parts of the ZIP file are
weighed before they are unpacked. openpyxl keeps about a hundred bytes for each row it has passed,
and all the texts of the workbook's shared table; a CSV file needs neither.
"""

import datetime as dt
import re
import zipfile
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import IO, Any, Protocol

import openpyxl  # type: ignore[import-untyped, unused-ignore]

from tracker.tabular.csv_rows import LONGEST_CELL, TOO_LONG
from tracker.tabular.problems import Cells, Refused, Unreadable

MOST_UNPACKED = 256 << 20
MOST_ROWS = 1_048_576  # of the format itself: ECMA-376, and Excel's specifications and limits
# One hundredth is where Apache POI's ZipSecureFile sees a bomb. Small parts are let be.
MOST_RATIO, LET_BE = 100, 1 << 20
_MOST_PARTS = 2_000
# Worksheets and their texts are read bit by bit; all other parts are read whole.
_STREAMED = ("xl/worksheets/", "xl/sharedStrings.xml")
_MOST_BESIDES = 32 << 20
_STRAY = 64  # how far to the right of the header a stray cell is looked for
_ENCRYPTED = 0x1
# The beginning of XML without a document type: what each part of a workbook looks like.
_PROLOG_BYTES = 4096
_BOM = b"\xef\xbb\xbf"
_ELEMENT = re.compile(rb"<[A-Za-z_]")
_NOT_BLANK = re.compile(rb"\S")
_BROKEN = "cannot be read as XLSX: the file is damaged, or is no workbook"
_OTHER_ARCHIVES = {
    "xl/workbook.bin": "an Excel binary workbook (.xlsb)",
    "word/document.xml": "a Word document (.docx)",
    "ppt/presentation.xml": "a PowerPoint file (.pptx)",
    "content.xml": "an OpenDocument file (.ods or .odt)",
}


class Cell(Protocol):
    """What is used of openpyxl's `ReadOnlyCell` and `EmptyCell`."""

    @property
    def value(self) -> object:
        """The value, in the Python type that openpyxl chose."""

    @property
    def data_type(self) -> str:
        """The type as the file has it: n, s, d, b, f for a formula, e for an error."""


class XlsxRows:
    """The rows of one workbook: first `header`, then `rows`."""

    def __init__(self, stream: IO[bytes]) -> None:
        """Open the workbook; the stream must be one that can be sought in."""
        try:
            _check_archive(stream)
            self._book: Any = openpyxl.load_workbook(stream, read_only=True, keep_links=False)
        except Unreadable:
            raise
        except Exception as error:  # openpyxl lets pass whatever its many parsers raise
            raise Unreadable(_BROKEN) from error
        if not self._book.worksheets:
            rule = "holds no worksheet"
            raise Unreadable(rule)
        self._sheet = self._book.worksheets[0]
        self._sheet.reset_dimensions()  # what the file says of its own size may be wrong
        self._first = 1

    def header(self) -> tuple[int, Sequence[str | Refused]]:
        """Find the first row that is not blank, without the empty cells at its end."""
        for row, cells in self._from(1, None):
            if isinstance(cells, Refused):
                raise Unreadable(cells.rule, row=row)
            filled = [index for index, cell in enumerate(cells, start=1) if not _is_blank(cell)]
            if filled:
                self._first = row + 1
                return row, [_plain(cell) for cell in cells[: filled[-1]]]
        rule = "is empty: it needs a header row"
        raise Unreadable(rule)

    def rows(self, width: int) -> Iterator[tuple[int, Cells]]:
        """Give each row below the header that is not blank: its number and its `width` cells."""
        blank: Sequence[Cell] | None = None
        for row, cells in self._from(self._first, width + _STRAY):
            if cells is blank:  # openpyxl gives one and the same for all rows that are left out
                continue
            if isinstance(cells, Refused):
                yield row, cells
            elif all(map(_is_blank, cells)):
                blank = cells
            elif all(map(_is_blank, cells[width:])):
                yield row, [_plain(cell) for cell in cells[:width]]
            else:
                yield row, Refused("", f"has more cells than the {width} of the header")

    def close(self) -> None:
        """Close the workbook; the stream stays open."""
        self._book.close()

    def _from(
        self,
        first: int,
        last_column: int | None,
    ) -> Iterator[tuple[int, Sequence[Cell] | Refused]]:
        row = first
        cells = self._sheet.iter_rows(min_row=first, max_col=last_column)
        while row <= MOST_ROWS:
            try:
                found = next(cells, None)
            except Exception:  # noqa: BLE001 - openpyxl lets pass whatever its parsers raise
                yield row, Refused("", f"{_BROKEN}; nothing from here on was read")
                return
            if found is None:
                return
            yield row, found
            row += 1
        yield row, Refused("", f"is beyond the {MOST_ROWS:,} rows a worksheet can have")


_REFUSED_TYPES = {
    "f": "must be a value, not a formula: in the spreadsheet, paste it as a value",
    "b": "must be text, a number or a date, not the spreadsheet's TRUE or FALSE",
    "e": "must be a value, not a spreadsheet's error",
}


def _plain(cell: Cell) -> str | Refused:
    """Give a cell's text as a spreadsheet shows it; what cannot be trusted is refused."""
    if cell.data_type in _REFUSED_TYPES:
        value = getattr(cell.value, "text", cell.value)  # of an array formula, its text
        return Refused(_text(value), _REFUSED_TYPES[cell.data_type])
    shown = _text(cell.value)
    return shown if len(shown) <= LONGEST_CELL else Refused(shown, TOO_LONG)


def _is_blank(cell: Cell) -> bool:
    value = cell.value
    return value is None or (isinstance(value, str) and not value.strip())


def _text(value: object) -> str:
    """Give a value as text: 5.0 as "5", a date as ISO, a number with the 15 digits Excel keeps."""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return f"{Decimal(f'{value:.15g}'):f}"
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(" ")
    return "" if value is None else str(value)


def _check_archive(stream: IO[bytes]) -> None:
    """Refuse, before anything is unpacked, what is no workbook or would unpack to too much.

    The sizes are those the ZIP file states. They can be believed as bounds: `zipfile` stops at
    the stated size, and refuses a part whose checksum then fails.
    """
    with zipfile.ZipFile(stream) as archive:
        parts = archive.infolist()
        if "xl/workbook.xml" not in archive.namelist():
            raise Unreadable(_other_archive(archive.namelist()))
        if len(parts) > _MOST_PARTS or _is_too_large(parts):
            rule = "unpacks to more than is read of a workbook: save it as CSV UTF-8"
            raise Unreadable(rule)
        for part in parts:
            _check_part(archive, part)


def _is_too_large(parts: Sequence[zipfile.ZipInfo]) -> bool:
    besides = [part for part in parts if not part.filename.startswith(_STREAMED)]
    return (
        sum(part.file_size for part in parts) > MOST_UNPACKED
        or sum(part.file_size for part in besides) > _MOST_BESIDES
    )


def _check_part(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    if part.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise Unreadable(_BROKEN)  # other methods are outside the standard, and unpack unbounded
    if part.flag_bits & _ENCRYPTED:
        rule = "is protected by a password: save it without one"
        raise Unreadable(rule)
    if part.file_size > max(LET_BE, MOST_RATIO * part.compress_size):
        rule = f"unpacks to more than {MOST_RATIO} times its size, as a ZIP bomb does"
        raise Unreadable(rule)
    with archive.open(part) as opened:
        beginning = opened.read(_PROLOG_BYTES)
    may_be_xml = beginning.lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n")[:1] in b"<"  # or all blank
    if beginning and may_be_xml and not _is_plain_xml(beginning):
        rule = "holds XML with a document type, which a workbook never has"
        raise Unreadable(rule)


def _is_plain_xml(beginning: bytes) -> bool:
    """Whether an element stands after nothing but a declaration and whole comments.

    Each search begins where the last one ended, so no bytes are looked at twice.
    """
    at = _after_blanks(beginning, len(_BOM) if beginning.startswith(_BOM) else 0)
    if beginning.startswith(b"<?xml", at):
        at = _after_blanks(beginning, _past(b">", beginning, at))
    while beginning.startswith(b"<!--", at):
        at = _after_blanks(beginning, _past(b"-->", beginning, at + 4))
    return _ELEMENT.match(beginning, at) is not None


def _past(mark: bytes, text: bytes, at: int) -> int:
    found = text.find(mark, at)
    return len(text) if found < 0 else found + len(mark)


def _after_blanks(text: bytes, at: int) -> int:
    found = _NOT_BLANK.search(text, at)
    return found.start() if found else len(text)


def _other_archive(names: list[str]) -> str:
    for name, kind in _OTHER_ARCHIVES.items():
        if name in names:
            return f"is {kind}: save it as XLSX or CSV UTF-8"
    return "is a ZIP file but no XLSX workbook: save it as XLSX or CSV UTF-8"
