"""Writing tables: CSV and XLSX, row by row, in which no cell can become a formula.

CSV is UTF-8 without a byte order mark, with commas, and with a line feed at line ends (not RFC
4180's CRLF), so that files compare well line by line. Both formats hold the same words: a date is
ISO (in XLSX a real date), a Decimal keeps its places, a truth value is `true` or `false`, and None
is empty. openpyxl takes a third of a second to load, so only writing a workbook loads it.
"""

import csv
import datetime as dt
import io
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import chain, islice
from typing import IO, Any

_ROWS_A_CHUNK = 500
# A tab, a line end, or = + - @ in plain or full-width form, also after white space and zero-width
# characters. OWASP, "CSV Injection"; ASVS 1.2.10.
_DANGER = re.compile("'*[\\s\u200b-\u200d\u2060\ufeff]*[=+\\-@＝＋－＠\t\r\n]")  # noqa: RUF001 - these signs are meant
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
# What XML 1.0 cannot hold (its production 2, Char); openpyxl and lxml refuse it.
_NOT_XML = re.compile("[\0-\b\v\f\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
# In XLSX `_x000D_` is a carriage return (ST_Xstring): a text that only looks like that escapes its
# first _.
_LIKE_ESCAPE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
_CSV_AS_IS = {type(None), int, dt.date}
_FIRST_XLSX_YEAR = 1900
_XLSX_DIGITS = 10**15  # a number of more digits would be rounded: it is written as text


def harmless(text: str) -> str:
    """A text, with a leading apostrophe if a spreadsheet might take it for a formula.

    That is a text that begins with = + - @, tab or line end, or their full-width forms, also after
    white space or apostrophes, so that `restored` can undo it. Any other text is returned
    unchanged. Source: OWASP, "CSV Injection".
    """
    if text[:1].isalnum() or not _DANGER.match(text):
        return text
    return "'" + text


def restored(text: str) -> str:
    """The original of a text changed by `harmless`, here or in another program.

    >>> restored(harmless("-5 points")), restored("'t Hooft")
    ('-5 points', "'t Hooft")
    """
    return text[1:] if text[:1] == "'" and _DANGER.match(text) else text


def write_csv(stream: IO[bytes], header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a table as CSV to a binary stream, a few hundred rows at a time.

    Texts pass through `harmless`. Numbers (int, Decimal) are harmless and stay unchanged, also
    negative ones. What UTF-8 or CSV cannot hold (lone surrogates, NUL) is replaced.
    """
    for chunk in csv_chunks(header, rows):
        stream.write(chunk)


def csv_chunks(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """The output of `write_csv` in chunks, for an answer that is sent while it is made."""
    lines = _WriterLines()
    writer = csv.writer(lines, lineterminator=_WriterLines.END)
    table = chain([header], rows)
    while batch := list(islice(table, _ROWS_A_CHUNK)):
        writer.writerows([_csv_cell(value) for value in row] for row in batch)
        yield lines.taken().encode(errors="replace")


def write_xlsx(stream: IO[bytes], header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a table as the one worksheet of an XLSX workbook to a binary stream.

    Each text is written as a text, whatever its beginning, so none is a formula and none needs an
    apostrophe. Dates are real dates, numbers real numbers. A character that XML cannot hold is
    replaced by U+FFFD; only the first 32,767 characters of a text, the limit of a cell, are kept.
    """
    from openpyxl import Workbook  # type: ignore[import-untyped, unused-ignore]  # noqa: PLC0415 - only for those who need it

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Table")
    # If the rows fail on the way, saving elsewhere makes openpyxl remove its temporary file.
    target: IO[bytes] = io.BytesIO()
    try:
        for row in chain([header], rows):
            sheet.append([_xlsx_cell(sheet, value) for value in row])
        target = stream
    finally:
        book.save(target)


class _WriterLines:
    """Lines for `csv.writer`, which quotes carriage returns only if line ends have them."""

    END = "\r\n"

    def __init__(self) -> None:
        self._lines: list[str] = []

    def write(self, line: str) -> None:
        self._lines.append(line[: -len(self.END)])

    def taken(self) -> str:
        text = "\n".join([*self._lines, ""])
        self._lines.clear()
        return text


def _csv_cell(value: object) -> object:
    """The value for `csv`: it writes None, an int and a date as we would."""
    if isinstance(value, str):
        return harmless(value.replace("\0", _REPLACEMENT))
    if type(value) in _CSV_AS_IS:
        return value
    if isinstance(value, Decimal):
        return f"{value:f}"
    return _word(value)


def _word(value: object) -> str:
    """The text of a value that is not one of the plain types."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return str(value) if isinstance(value, int | float) else harmless(str(value))


def _xlsx_cell(sheet: Any, value: object) -> object:
    """The value for openpyxl: a plain value, or a cell if openpyxl would guess wrong."""
    if value is None:
        return None
    if isinstance(value, str):
        return _xlsx_text(sheet, value)
    if isinstance(value, Decimal) and value.is_finite() and abs(value) < _XLSX_DIGITS:
        return _xlsx_decimal(sheet, value)
    if isinstance(value, dt.date) and value.year >= _FIRST_XLSX_YEAR:
        aware = isinstance(value, dt.datetime) and value.tzinfo is not None
        return value.isoformat() if aware else value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value if math.isfinite(value) and abs(value) < _XLSX_DIGITS else str(value)
    return _xlsx_text(sheet, f"{value:f}" if isinstance(value, Decimal) else _word(value))


def _xlsx_text(sheet: Any, value: str) -> object:
    text = _LIKE_ESCAPE.sub("_x005F_", _NOT_XML.sub(_REPLACEMENT, value))
    if not text.startswith(("=", "#")):  # openpyxl would see a formula, or an error like #N/A
        return text
    cell = _new_cell(sheet, text)
    cell.data_type = "s"
    return cell


def _xlsx_decimal(sheet: Any, value: Decimal) -> object:
    cell = _new_cell(sheet, value)
    _, _, exponent = value.as_tuple()
    places = -exponent if isinstance(exponent, int) and exponent < 0 else 0
    cell.number_format = f"0.{'0' * places}" if places else "0"
    return cell


def _new_cell(sheet: Any, value: Any) -> Any:
    from openpyxl.cell import (  # type: ignore[import-untyped, unused-ignore]  # noqa: PLC0415 - only for those who need it
        WriteOnlyCell,
    )

    return WriteOnlyCell(sheet, value)
