"""The rows of a CSV file, as lists of text.

CSV here is RFC 4180 in UTF-8, with or without a byte order mark, with comma, semicolon or tab
between the cells and any line end. Stricter than the `csv` module: a quotation mark inside a cell
must be doubled and the cell quoted. So a quotation mark without its partner is found in the row
that holds it, and the rows after it are read as if that row were not there.
"""

import csv
import io
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import cache

from tracker.tabular.columns import BLANKS
from tracker.tabular.problems import Cells, Refused, Unreadable

DELIMITERS = ",;\t"
LONGEST_CELL = 10_000
LONGEST_RECORD = 1 << 20
TOO_LONG = f"must be at most {LONGEST_CELL:,} characters"
_BOM = b"\xef\xbb\xbf"
_UNBALANCED = (
    "has a quotation mark without its partner: a cell that holds one must begin and end with "
    'quotation marks, and double those inside ("like ""this""")'
)


class CsvRows:
    """The rows of one file: first `header`, then `rows`."""

    def __init__(self, blocks: Iterable[bytes], names: Collection[str]) -> None:
        """Take the bytes of the file, in blocks under a megabyte, and the known names."""
        self._lines = _Lines(_decoded(blocks))
        self._names = names
        self._row = 0
        self._delimiter: str | None = None

    def header(self) -> tuple[int, Sequence[str | Refused]]:
        """Find the header row and its cells, and by it the delimiter.

        The delimiter is the one that finds most known names, then most cells: the header is the
        one line whose words are known, and a quoted name may hold any delimiter.
        """
        row, record = next(self._records(), (1, Refused("", "is empty: it needs a header row")))
        if isinstance(record, Refused):
            raise Unreadable(record.rule, row=row, value=record.value)
        splits = ((delimiter, _parse(record, delimiter)) for delimiter in DELIMITERS)
        readable = [(found, cells) for found, cells in splits if isinstance(cells, list)]
        if not readable:
            raise Unreadable(_UNBALANCED, row=row, value=record.rstrip("\r\n"))
        self._delimiter, header = max(readable, key=self._likeness)
        return row, _without_giants(header)

    def rows(self, width: int) -> Iterator[tuple[int, Cells]]:
        """Give each row below the header that is not blank: its number and its `width` cells."""
        delimiter = self._delimiter or DELIMITERS[0]
        for row, record in self._records():
            if isinstance(record, Refused):
                yield row, record
                continue
            # Most records hold no quotation mark and need no parser; this is the hottest line.
            plain = '"' not in record
            cells = record.rstrip("\r\n").split(delimiter) if plain else _parse(record, delimiter)
            if isinstance(cells, Refused) or len(cells) != width or len(record) > LONGEST_CELL:
                judged = _judge(record, cells, width)
            else:
                judged = cells if cells[0].strip() or any(map(str.strip, cells)) else None
            if judged is not None:
                yield row, judged

    def _likeness(self, split: tuple[str, list[str]]) -> tuple[int, int]:
        _, cells = split
        return sum(cell.strip(BLANKS) in self._names for cell in cells), len(cells)

    def _records(self) -> Iterator[tuple[int, str | Refused]]:
        """Give the text of each record that is not blank: one line, or more in quotes."""
        for line in self._lines:
            self._row += 1
            if isinstance(line, Refused):
                yield self._row, line
            elif '"' in line and line.count('"') % 2:
                yield self._row, self._gather(line)
            elif not line.isspace():
                yield self._row, line

    def _gather(self, first: str) -> str | Refused:
        """Join a record that goes over line ends, up to the line that closes its last quote.

        Invariant: a record holds an even number of quotation marks, and so does each line that
        lies wholly inside a quoted cell. So the record ends with the next odd line, or is broken;
        if it is broken only its first line is given up, and the others are read again. No line
        is joined more than twice, so a file of quotation marks costs no more than another.
        """
        rest = self._lines.to_next_odd(LONGEST_RECORD)
        texts = [line for line in rest if isinstance(line, str)]
        record = "".join([first, *texts])
        whole = self._delimiter is None or _is_whole(record, self._delimiter)
        if whole and len(texts) == len(rest):
            return record
        self._lines.put_back(rest)
        return Refused(first.rstrip("\r\n"), _UNBALANCED)


class _Lines:
    """The lines of a file; lines that were taken too soon can be put back."""

    def __init__(self, source: Iterator[str | Refused]) -> None:
        self._source = source
        self._again: deque[str | Refused] = deque()

    def __iter__(self) -> "_Lines":
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
    """Take a record apart where quotation marks allow it."""
    try:
        cells = next(_reader(delimiter)([record]))
        # The csv module lets a mark in an unquoted cell pass: where one is left, look closely.
        sound = '"' not in "".join(cells) or _is_whole(record, delimiter)
    except csv.Error:
        if _is_whole(record, delimiter):  # longer than csv.field_size_limit() of this process
            return Refused(record, f"holds a cell of more than {LONGEST_CELL:,} characters")
        sound = False
    return cells if sound else Refused(record.rstrip("\r\n"), _UNBALANCED)


def _judge(record: str, cells: list[str] | Refused, width: int) -> Cells | None:
    """Say of an unusual row what it is: refused, blank (None), of another width, or giant."""
    if isinstance(cells, Refused):
        return cells
    if not any(cell.strip() for cell in cells):
        return None
    if len(cells) != width:
        count = "1 cell" if len(cells) == 1 else f"{len(cells)} cells"
        return Refused(record.rstrip("\r\n"), f"has {count} where the header has {width}")
    return _without_giants(cells)


def _without_giants(cells: Sequence[str]) -> Sequence[str | Refused]:
    return [cell if len(cell) <= LONGEST_CELL else Refused(cell, TOO_LONG) for cell in cells]


@cache
def _reader(delimiter: str) -> Callable[[Iterable[str]], Iterator[list[str]]]:
    """Settle the dialect once: `csv.reader` takes as long to make one as to read a row."""
    dialect = csv.reader([], delimiter=delimiter, strict=True).dialect
    return lambda lines: csv.reader(lines, dialect)


def _is_whole(record: str, delimiter: str) -> bool:
    """Whether RFC 4180 knows the record: each quotation mark opens, closes or is doubled.

    What stands outside of the marks is nothing (a doubled one) or has delimiters at both ends.
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


def _decoded(blocks: Iterable[bytes]) -> Iterator[str | Refused]:
    """Give the lines with their ends; a line that is not UTF-8 or holds a NUL is refused."""
    offset = 0
    for block in _at_line_ends(blocks):
        start = len(_BOM) if not offset and block.startswith(_BOM) else 0
        if len(block) > LONGEST_RECORD:
            rule = f"is a line longer than {LONGEST_RECORD:,} bytes; nothing after it was read"
            yield Refused("", rule)
            return
        yield from _lines_of(block[start:], offset + start)
        offset += len(block)


def _at_line_ends(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Cut the blocks again so that each ends where a line ends, unless a line is far too long."""
    carried = b""
    for block in blocks:
        carried += block
        # A carriage return at the very end may be the first half of a line end: it waits.
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
    return _lines_one_by_one(block, offset)


def _lines_one_by_one(block: bytes, offset: int) -> Iterator[str | Refused]:
    for line in block.splitlines(keepends=True):
        yield _line_of(line, offset)
        offset += len(line)


def _line_of(line: bytes, offset: int) -> str | Refused:
    shown = line.decode(errors="backslashreplace").rstrip("\r\n")
    if b"\0" in line:
        where = f"byte {offset + line.index(0) + 1:,} of the file"
        return Refused(shown, f"holds a NUL (zero) byte, {where}: save the file as CSV UTF-8")
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        byte = f"0x{line[error.start]:02X}, byte {offset + error.start + 1:,} of the file"
        return Refused(shown, f"is not UTF-8 ({byte}{_guess(line)}): save the file as CSV UTF-8")


def _guess(line: bytes) -> str:
    try:
        line.decode("cp1252")
    except UnicodeDecodeError:
        return ""
    return "; it looks like Windows-1252"
