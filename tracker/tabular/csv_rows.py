"""The rows of a CSV file, as lists of text.

CSV here is RFC 4180 in UTF-8, with or without a byte order mark (or in Windows-1252, if declared),
with comma, semicolon or tab between the cells and any line end. As in files from spreadsheets, a
first line such as `sep=;` may name the delimiter, and empty cells at the end of a row may be
missing or superfluous. Stricter than the `csv` module: a quotation mark inside a cell must be
doubled and the cell quoted. So an unpaired quotation mark is found in its own row, and the rows
after it are read as if that row did not exist.

`csv.reader(strict=True)` splits each record with quotation marks, but does not run over the file.
It would accept a mark in an unquoted cell, and after a mark without a partner it has consumed the
rows that follow, so lines must be kept and put back all the same, and the header must be split
before the delimiter is known. Built that way, it needed as many lines and was no faster on the
whole: for 200,000 rows 0.21 s, where this takes 0.17 s, without marks; 0.24 s and 0.33 s with marks
in every fifth row; 0.85 s and 0.99 s with every cell quoted (of 1.3 to 2.3 s to read the table).
"""

import csv
import io
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from itertools import islice

from tracker.tabular.expected import TITLE_ROWS, Expected, titles_above
from tracker.tabular.kinds import ColumnKind, Encoding
from tracker.tabular.problems import Cells, Refused, Unreadable
from tracker.tabular.writer import restored

DELIMITERS = ",;\t"
LONGEST_CELL = 10_000
LONGEST_RECORD = 1 << 20
TOO_LONG = f"must be at most {LONGEST_CELL:,} characters"
_BOM = b"\xef\xbb\xbf"
# What Excel writes, and reads, above the header.
_SEP = re.compile(r'"?sep=(.?)"?[,;\t]*', re.IGNORECASE)
# A formula that is only a text, as a whole cell, and where it was left unquoted.
_TEXT_FORMULA = re.compile('="([^"]*)"')
_CELL_FORMULA = {
    delimiter: re.compile(f'(?<![^{delimiter}])="([^"\r\n]*)"(?=[{delimiter}\r\n]|$)')
    for delimiter in DELIMITERS
}
_ONE_CELL = (
    "is one cell that contains a delimiter: either the whole row is in quotation marks, or it has "
    "another delimiter"
)
_UNBALANCED = (
    "has an unpaired quotation mark: a cell that contains one must begin and end with quotation "
    'marks, and double those inside ("like ""this""")'
)


class CsvRows:
    """The rows of one file: first `header`, then `rows`."""

    where = ""  # a CSV file is one sheet
    notes: tuple[str, ...] = ()

    def __init__(self, blocks: Iterable[bytes], expected: Expected, encoding: Encoding) -> None:
        """Take the bytes of the file, in blocks under a megabyte, and the expected header."""
        self._lines = _CsvLines(_decoded(blocks, encoding))
        self._expected = expected
        self._row = 0
        self._delimiter: str | None = None

    @property
    def decimal_comma(self) -> bool:
        """Whether commas may be decimal separators: yes if semicolons separate the cells."""
        return self._delimiter == ";"

    def header(self) -> tuple[int, Sequence[str | Refused]]:
        """Find the header row and its cells, and from it the delimiter, unless `sep=` names one.

        The delimiter is the one that gives the most known names, then the most cells: the header is
        the one line with known words, and a quoted name may contain any delimiter.
        """
        records = self._records()
        row, record = self._first(records)
        if named := _SEP.fullmatch(record.rstrip("\r\n")):
            self._delimiter = _check_delimiter(named[1], row)
            row, record = self._first(records)
        if not (splits := self._splits(record)):
            raise Unreadable(_UNBALANCED, row=row, value=record.rstrip("\r\n"))
        delimiter, header = max(splits, key=self._likeness)
        if not self._expected.is_header(header):
            self._check_above(row, record, header)
        self._delimiter = delimiter
        return row, _without_giants(_without_blank_end(header))

    def rows(self, kinds: Sequence[ColumnKind]) -> Iterator[tuple[int, Cells]]:
        """Each row below the header that is not blank: its number and a cell per kind."""
        delimiter, width = self._delimiter or DELIMITERS[0], len(kinds)
        for row, record in self._records():
            if isinstance(record, Refused):
                yield row, record
                continue
            # Most records have no quotation mark and need no parser; this is the hottest line.
            plain = '"' not in record
            cells = record.rstrip("\r\n").split(delimiter) if plain else _parse(record, delimiter)
            if isinstance(cells, Refused) or len(cells) != width or len(record) > LONGEST_CELL:
                judged = _judge(record, cells, width)
            else:
                judged = cells if cells[0].strip() or any(map(str.strip, cells)) else None
            if judged is not None:
                yield row, _as_shown(judged) if "'" in record or '="' in record else judged

    def _first(self, records: Iterator[tuple[int, str | Refused]]) -> tuple[int, str]:
        row, record = next(records, (1, Refused("", "is empty: it needs a header row")))
        if isinstance(record, Refused):
            raise Unreadable(record.rule, row=row, value=record.value)
        return row, record

    def _splits(self, record: str) -> list[tuple[str, list[str]]]:
        """The record's cells by each possible delimiter, if it can be split."""
        splits = ((found, _parse(record, found)) for found in self._delimiter or DELIMITERS)
        return [(found, cells) for found, cells in splits if isinstance(cells, list)]

    def _likeness(self, split: tuple[str, list[str]]) -> tuple[int, int]:
        _, cells = split
        return self._expected.count(cells), len(cells)

    def _check_above(self, row: int, record: str, header: list[str]) -> None:
        """Raise if another delimiter, or one of the next rows, would give a header."""
        if self._expected.is_header(record.rstrip("\r\n").split("|")):
            _check_delimiter("|", row)
        for later, text in islice(self._records(), TITLE_ROWS):
            splits = self._splits(text) if isinstance(text, str) else []
            if any(self._expected.is_header(cells) for _, cells in splits):
                raise titles_above(row, header, later)

    def _records(self) -> Iterator[tuple[int, str | Refused]]:
        """The text of each record that is not blank: one line, or more in quotes."""
        for line in self._lines:
            self._row += 1
            if isinstance(line, Refused):
                yield self._row, line
            elif '"' in line and line.count('"') % 2:
                yield self._row, self._gather(line)
            elif not line.isspace():
                yield self._row, line

    def _gather(self, first: str) -> str | Refused:
        """Join a record that spans lines, up to the line that closes its last quote.

        Invariant: a record has an even number of quotation marks, and so does each line that lies
        entirely inside a quoted cell. So the record ends with the next odd line, or is broken; if
        it is broken, only its first line is given up, and the others are read again. No line is
        joined more than twice, so a file of quotation marks costs no more than another.
        """
        rest = self._lines.to_next_odd(LONGEST_RECORD)
        texts = [line for line in rest if isinstance(line, str)]
        record = "".join([first, *texts])
        whole = self._delimiter is None or _is_whole(record, self._delimiter)
        if whole and len(texts) == len(rest):
            return record
        self._lines.put_back(rest)
        return Refused(first.rstrip("\r\n"), _UNBALANCED)


class _CsvLines:
    """The lines of a file; lines that were taken too early can be put back."""

    def __init__(self, source: Iterator[str | Refused]) -> None:
        self._source = source
        self._again: deque[str | Refused] = deque()

    def __iter__(self) -> "_CsvLines":
        return self

    def __next__(self) -> str | Refused:
        return self._again.popleft() if self._again else next(self._source)

    def put_back(self, lines: list[str | Refused]) -> None:
        self._again.extendleft(reversed(lines))

    def to_next_odd(self, longest: int) -> list[str | Refused]:
        """Take lines up to one with an odd number of quotation marks, or one that is refused."""
        taken: list[str | Refused] = []
        size = 0
        for line in self:
            taken.append(line)
            if isinstance(line, Refused) or line.count('"') % 2:
                break
            size += len(line)
            if size > longest:
                break
        return taken


def _parse(record: str, delimiter: str) -> list[str] | Refused:
    """Split a record, if its quotation marks allow it."""
    try:
        cells = next(_reader(delimiter)([record]))
        # The csv module accepts a mark in an unquoted cell: if one is left, check closely.
        sound = '"' not in "".join(cells) or _is_whole(record, delimiter)
        if not sound and '="' in record:
            plain = _CELL_FORMULA[delimiter].sub(r'"=""\1"""', record)
            return _parse(plain, delimiter) if _is_whole(plain, delimiter) else _unbalanced(record)
    except csv.Error:
        if _is_whole(record, delimiter):  # longer than csv.field_size_limit() of this process
            return Refused(record, f"contains a cell of more than {LONGEST_CELL:,} characters")
        sound = False
    return cells if sound else _unbalanced(record)


def _unbalanced(record: str) -> Refused:
    return Refused(record.rstrip("\r\n"), _UNBALANCED)


def _as_shown(cells: Cells) -> Cells:
    """Cells as a spreadsheet shows them, without the marks that programs add for that purpose.

    These are an apostrophe before text that looks like a formula, and a formula that is only a
    text, which keeps leading zeros: ="00123".
    """
    if isinstance(cells, Refused):
        return cells
    return [cell if isinstance(cell, Refused) else _shown(cell) for cell in cells]


def _shown(cell: str) -> str:
    found = _TEXT_FORMULA.fullmatch(cell.strip())
    return found[1] if found else restored(cell)


def _judge(record: str, cells: list[str] | Refused, width: int) -> Cells | None:
    """Classify an unusual row: refused, blank (None), of another width, or giant."""
    if isinstance(cells, Refused):
        return cells
    if not any(cell.strip() for cell in cells):
        return None
    if len(cells) < width:
        if len(cells) == 1 and any(map(cells[0].__contains__, DELIMITERS)):
            return Refused(record.rstrip("\r\n"), _ONE_CELL)
        cells = cells + [""] * (width - len(cells))
    elif any(cell.strip() for cell in cells[width:]):
        return Refused(
            record.rstrip("\r\n"), f"has {len(cells)} cells where the header has {width}"
        )
    return _without_giants(cells[:width])


def _without_blank_end(cells: list[str]) -> list[str]:
    """Remove blank cells at the end, which programs write for columns without a name."""
    last = max((at for at, cell in enumerate(cells, start=1) if cell.strip()), default=0)
    return cells[:last]


def _check_delimiter(delimiter: str, row: int) -> str:
    if delimiter not in DELIMITERS or not delimiter:
        rule = f"has {delimiter or 'nothing'} between its cells: use comma, semicolon or tab"
        raise Unreadable(rule, row=row)
    return delimiter


def _without_giants(cells: Sequence[str]) -> Sequence[str | Refused]:
    return [cell if len(cell) <= LONGEST_CELL else Refused(cell, TOO_LONG) for cell in cells]


@cache
def _reader(delimiter: str) -> Callable[[Iterable[str]], Iterator[list[str]]]:
    """Build the dialect once: making a `csv.reader` takes as long as reading a row."""
    dialect = csv.reader([], delimiter=delimiter, strict=True).dialect
    return lambda lines: csv.reader(lines, dialect)


def _is_whole(record: str, delimiter: str) -> bool:
    """Whether the record conforms to RFC 4180: each quotation mark opens, closes or is doubled.

    Text outside of the marks is empty (between doubled ones) or has delimiters at both ends.
    """
    parts = record.removesuffix("\n").removesuffix("\r").split('"')
    first, *between = parts[::2]
    last = between.pop() if between else ""
    return (
        len(parts) % 2 == 1
        and (not first or len(parts) == 1 or first.endswith(delimiter))
        and (not last or last.startswith(delimiter))
        and all(part.startswith(delimiter) and part.endswith(delimiter) for part in between if part)
        and not any("\n" in part or "\r" in part for part in (first, *between, last))
    )


def _decoded(blocks: Iterable[bytes], encoding: Encoding) -> Iterator[str | Refused]:
    """The lines with their ends; a line in another encoding or with a NUL is refused."""
    offset = 0
    lines_of = _lines_of if encoding is Encoding.UTF_8 else _lines_of_windows
    for block in _at_line_ends(blocks):
        start = len(_BOM) if not offset and _is_marked(block, encoding) else 0
        if len(block) > LONGEST_RECORD:
            rule = (
                f"is a line longer than {LONGEST_RECORD:,} bytes; the rest of the file was not read"
            )
            yield Refused("", rule)
            return
        yield from lines_of(block[start:], offset + start)
        offset += len(block)


def _is_marked(block: bytes, encoding: Encoding) -> bool:
    return encoding is Encoding.UTF_8 and block.startswith(_BOM)


def _at_line_ends(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Cut the blocks so that each ends at a line end, unless a line is far too long."""
    carried = b""
    for block in blocks:
        carried += block
        # A carriage return at the very end may be the first half of a line end: keep it for later.
        end = max(carried.rfind(b"\n"), carried.rfind(b"\r", 0, -1)) + 1
        if not end and len(carried) > LONGEST_RECORD:
            end = len(carried)
        if end:
            yield carried[:end]
            carried = carried[end:]
    if carried:
        yield carried


def _lines_of(block: bytes, offset: int) -> Iterator[str | Refused]:
    try:
        if b"\0" not in block:
            return io.StringIO(block.decode(), newline="")
    except UnicodeDecodeError:
        pass
    return _one_by_one(_utf_8_line, block, offset)


def _lines_of_windows(block: bytes, offset: int) -> Iterator[str | Refused]:
    if block.isascii() and b"\0" not in block:
        return io.StringIO(block.decode(), newline="")
    return _one_by_one(_windows_line, block, offset)


def _one_by_one(
    read: Callable[[bytes, int], str | Refused], block: bytes, offset: int
) -> Iterator[str | Refused]:
    for line in block.splitlines(keepends=True):
        yield _nul(line, offset) if b"\0" in line else read(line, offset)
        offset += len(line)


def _nul(line: bytes, offset: int) -> Refused:
    where = f"byte {offset + line.index(0) + 1:,} of the file"
    rule = f"contains a NUL (zero) byte, {where}: save the file as CSV UTF-8"
    return Refused(_printable(line), rule)


def _utf_8_line(line: bytes, offset: int) -> str | Refused:
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        byte = f"0x{line[error.start]:02X}, byte {offset + error.start + 1:,} of the file"
        rule = f"is not UTF-8 ({byte}){_guess(line, error.start)}save the file as CSV UTF-8"
        return Refused(_printable(line), rule)


def _guess(line: bytes, at: int) -> str:
    """A hint if the bytes make sense in Windows-1252, with a few characters as evidence."""
    try:
        piece = line[max(0, at - 20) : at + 20].decode(Encoding.WINDOWS_1252.value)
    except UnicodeDecodeError:
        return ": "
    looks = f" and looks like Windows-1252, in which it reads {piece.strip()!r}"
    return f"{looks}: set the encoding to {Encoding.WINDOWS_1252.value}, or "


def _windows_line(line: bytes, offset: int) -> str | Refused:
    """Read a line of Windows-1252; a UTF-8 line is refused, since it would change characters."""
    if line.isascii():
        return line.decode()
    with suppress(UnicodeDecodeError):
        rule = "is UTF-8, not Windows-1252: leave out the encoding, or save the file again"
        return Refused(line.decode().rstrip("\r\n"), rule)
    try:
        return line.decode(Encoding.WINDOWS_1252.value)
    except UnicodeDecodeError as error:
        byte = f"0x{line[error.start]:02X}, byte {offset + error.start + 1:,} of the file"
        rule = f"is not Windows-1252 ({byte}): save the file as CSV UTF-8"
        return Refused(_printable(line), rule)


def _printable(line: bytes) -> str:
    return line.decode(errors="backslashreplace").rstrip("\r\n")
