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
