"""Tables of what is answered: compared with what was found, or written anew by a flag."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

HOW_TO_GO_ON = (
    "The table does not say what is answered. If that is meant: pytest tests/api/access "
    "--rewrite-table -k sqlite, and read the difference line by line before it is committed."
)


def lines_of(table: Path) -> list[str]:
    """The lines of a table, but for its remarks."""
    return [line for line in table.read_text().splitlines() if line and line[0] != "#"]


REFUSED = frozenset({"401", "403", "404", "in"})
Line = tuple[str, str, str]
"""What a line begins with: method, path and kind of id."""


def known(table: Path, columns: Sequence[str], backend: str) -> dict[Line, list[str | None]]:
    """What need not be asked on PostgreSQL, too: for each column, None if it must.

    An id that is none is refused before a database is asked. Who is refused their own record is
    asked of that alone; how others' records are refused to them is asked on SQLite.
    """
    if backend == "sqlite":
        return {}
    said: dict[Line, list[str]] = {}
    for line in lines_of(table):
        method, *route, kind = line.split()[: -len(columns)]
        said[method, " ".join(route), kind] = line.split()[-len(columns) :]
    found: dict[Line, list[str | None]] = {}
    for (method, path, kind), answers in said.items():
        if kind == "malformed":
            found[method, path, kind] = [*answers]
        elif (own := said.get((method, path, "own"))) and kind != "own":
            found[method, path, kind] = [
                answer if {of_own, answer} <= REFUSED else None
                for answer, of_own in zip(answers, own, strict=True)
            ]
    return found


def check(table: Path, found: Sequence[str], config: pytest.Config) -> None:
    """Compare a table with what was found; with ``--rewrite-table``, write that into it.

    The remarks at its beginning stay.
    """
    if config.getoption("--rewrite-table"):
        remarks = [line for line in table.read_text().splitlines() if line.startswith("#")]
        table.write_text("\n".join([*remarks, *found]) + "\n")
    said = lines_of(table)
    differences = sorted({*said} ^ {*found})
    assert not differences, (HOW_TO_GO_ON, *differences)
    assert list(found) == said, "the lines of the table are sorted by path, method and kind of id"
