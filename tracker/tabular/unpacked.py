"""A table that was read in a process of its own, as texts that wait in a file.

Formats compress: a few kilobytes of XLSX can be gigabytes. So a table from outside is unpacked in a
process with limits (`child`, `tracker.apart`), before anything waits for it; here its texts are
read back row by row. The reader interprets the texts, as for any other table.

    with tabular.unpack(stream, columns=COLUMNS, encoding=encoding, limits=limits) as table:
        rows = tabular.read(table, filename="holders.xlsx", columns=COLUMNS)
"""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any

import orjson

from tracker import apart
from tracker.apart import CostsTooMuch, ProcessLimits
from tracker.tabular.columns import Column
from tracker.tabular.kinds import ColumnKind, Encoding
from tracker.tabular.problems import Cells, Refused, Unreadable

JOB = "tracker.tabular.child"
_TOO_DEAR = "takes more memory or time to read than is allowed: save it as CSV UTF-8, or split it"


class Unpacked:
    """The texts of one table. It can be read any number of times, by one reader at a time."""

    def __init__(self, answer: IO[bytes] | None) -> None:
        """Take what the job wrote; None if it exceeded its limits."""
        self._answer = answer

    def source(self) -> "UnpackedRows":
        """The table from its beginning. Raises `Unreadable`."""
        if self._answer is None:
            raise Unreadable(_TOO_DEAR)
        self._answer.seek(0)
        return UnpackedRows(self._answer)


class UnpackedRows:
    """The rows of the table: first `header`, then `rows`; both as the format gave them."""

    def __init__(self, answer: IO[bytes]) -> None:
        """Read the line about the table, which comes before the header."""
        self._lines = answer
        self._about = self._next()
        self.where: str = self._about.get("where", "")
        self.decimal_comma: bool = self._about.get("decimal_comma", False)
        self.notes: tuple[str, ...] = tuple(self._about.get("notes", ()))

    def header(self) -> tuple[int, Sequence[str | Refused]]:
        """The header row."""
        return self._about["row"], _cells(self._about["header"])

    def rows(self, kinds: Sequence[ColumnKind]) -> Iterator[tuple[int, Cells]]:
        """Each row below the header; the kinds of the columns were known before."""
        del kinds
        while line := self._next():
            row, cells = line
            yield row, _refused(cells) if isinstance(cells, dict) else _cells(cells)

    def _next(self) -> Any:
        line = self._lines.readline()
        read = orjson.loads(line) if line else None
        if isinstance(read, dict) and "unreadable" in read:
            raise Unreadable(read["unreadable"], row=read["row"], value=read["value"])
        return read


def _cells(cells: list[Any]) -> list[str | Refused]:
    return [_refused(cell) if isinstance(cell, dict) else cell for cell in cells]


def _refused(cell: dict[str, str]) -> Refused:
    return Refused(cell["value"], cell["rule"])


@contextmanager
def unpack(
    stream: IO[bytes],
    *,
    columns: Sequence[Column],
    encoding: Encoding = Encoding.UTF_8,
    limits: ProcessLimits,
) -> Iterator[Unpacked]:
    """Unpack a table within limits; errors in it are raised when it is read."""
    options = {
        "columns": [[column.name, column.kind.value, column.required] for column in columns],
        "encoding": encoding.value,
    }
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as answer:
        shutil.copyfileobj(stream, source)
        source.flush()
        try:
            apart.run(JOB, options, source, into=answer, limits=limits)
        except CostsTooMuch:
            yield Unpacked(None)
        else:
            yield Unpacked(answer)
