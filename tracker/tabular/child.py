"""Reading one table in a process of its own (`tracker.apart`).

The answer is a line of JSON about the table with its header, and one for each row below it.
"""

import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import IO, Any

import orjson

from tracker.tabular.columns import Column
from tracker.tabular.expected import Expected
from tracker.tabular.kinds import ColumnKind, Encoding
from tracker.tabular.problems import LONGEST_SHOWN, Refused, Unreadable
from tracker.tabular.sources import XLSX, open_source


def prepare(source: IO[bytes]) -> None:
    """Load the libraries that read such a table."""
    # openpyxl would load numpy if installed, for types that no file contains.
    sys.modules["numpy"] = None  # type: ignore[assignment]
    if source.read(len(XLSX)) == XLSX:
        from tracker.tabular import xlsx_rows  # noqa: F401, PLC0415 - loaded for `work`


def work(options: Mapping[str, Any], source: IO[bytes], into: IO[bytes]) -> None:
    """Write the texts of a table, and at an unreadable place the reason."""
    try:
        for line in _lines(options, source):
            into.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
    except Unreadable as refusal:
        line = {"unreadable": refusal.rule, "row": refusal.row, "value": _short(refusal.value)}
        into.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))


def _lines(options: Mapping[str, Any], source: IO[bytes]) -> Iterator[Any]:
    kinds = {name: ColumnKind(kind) for name, kind, _ in options["columns"]}
    expected = Expected([Column(name, str, required) for name, _, required in options["columns"]])
    with ExitStack() as opened:
        table = open_source(source, expected, Encoding(options["encoding"]), opened)
        row, header = table.header()
        yield {
            "row": row,
            "header": [_plain(cell) for cell in header],
            "where": table.where,
            "decimal_comma": table.decimal_comma,
            "notes": table.notes,
        }
        names = expected.names
        named = [names.meant(cell) if isinstance(cell, str) else "" for cell in header]
        for number, cells in table.rows([kinds.get(name, ColumnKind.TEXT) for name in named]):
            plain = _plain(cells) if isinstance(cells, Refused) else [_plain(c) for c in cells]
            yield [number, plain]


def _plain(cell: str | Refused) -> Any:
    if isinstance(cell, str):
        return cell
    return {"value": _short(cell.value), "rule": cell.rule}


def _short(value: str) -> str:
    """A value at its longest shown length, plus one character to show that it was cut."""
    return value[: LONGEST_SHOWN + 1]
