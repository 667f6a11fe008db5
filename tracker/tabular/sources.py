"""The rows of a file as texts, whatever its format: CSV and XLSX are recognized by content."""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from itertools import chain
from typing import IO, Protocol

from tracker.tabular.csv_rows import CsvRows
from tracker.tabular.expected import Expected
from tracker.tabular.kinds import ColumnKind, Encoding
from tracker.tabular.problems import Cells, Refused, Unreadable

BLOCK = 1 << 16
XLSX = b"PK\x03\x04"
# The longest first if one is the beginning of another.
_OTHERS = {
    b"\xd0\xcf\x11\xe0": "an old Excel file (.xls), or a workbook with a password",
    b"\xff\xfe\0\0": "text in UTF-32",
    b"\0\0\xfe\xff": "text in UTF-32",
    b"\xff\xfe": "text in UTF-16 (Excel's “Unicode Text”)",
    b"\xfe\xff": "text in UTF-16 (Excel's “Unicode Text”)",
    b"PK\x05\x06": "an empty ZIP file",
    b"%PDF": "a PDF file",
    b"\x1f\x8b": "a gzip file",
    b"7z\xbc\xaf": "a 7-Zip file",
    b"Rar!": "a RAR file",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"{\\rtf": "a rich text file",
}


class Source(Protocol):
    """One table: first its header, then its rows."""

    @property
    def where(self) -> str:
        """Which sheet is read, as an addition to a rule about the header."""

    @property
    def decimal_comma(self) -> bool:
        """Whether a comma may stand before decimals."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What the sender should know."""

    def header(self) -> tuple[int, Sequence[str | Refused]]:
        """The number and the cells of the header row; call it first."""

    def rows(self, kinds: Sequence[ColumnKind]) -> Iterator[tuple[int, Cells]]:
        """Each row below the header that is not blank: its number and a cell per kind."""


def open_source(
    stream: IO[bytes], expected: Expected, encoding: Encoding, opened: ExitStack
) -> Source:
    """Open a table by its first bytes; `opened` closes what was opened.

    Raises `Unreadable`.
    """
    first = stream.read(BLOCK)
    if first.startswith(XLSX):
        from tracker.tabular.xlsx_rows import (  # noqa: PLC0415 - openpyxl is slow to load
            XlsxRows,
        )

        book = XlsxRows(_seekable(stream, first, opened), expected)
        return opened.enter_context(closing(book))
    _check_signature(first)
    blocks = chain([first], iter(lambda: stream.read(BLOCK), b""))
    return CsvRows(blocks, expected, encoding)


def _seekable(stream: IO[bytes], first: bytes, opened: ExitStack) -> IO[bytes]:
    if stream.seekable():
        stream.seek(-len(first), 1)
        return stream
    copy = opened.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - closed with the reader
    copy.write(first)
    shutil.copyfileobj(stream, copy)
    return copy


def _check_signature(first: bytes) -> None:
    for signature, kind in _OTHERS.items():
        if first.startswith(signature):
            rule = f"is {kind}: save it as XLSX or CSV UTF-8"
            raise Unreadable(rule)
    if first.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        rule = "is a web page or XML: save it as XLSX or CSV UTF-8"
        raise Unreadable(rule)
