"""Where a key stands in a TOML text: tomllib tells values, not lines."""

from __future__ import annotations

import re
from collections import Counter

KeyPath = tuple[str | int, ...]

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\]]+?)\s*\]\]?")
_KEY = re.compile(r"^\s*([A-Za-z0-9_.\-\"]+)\s*=")


def find(text: str) -> dict[KeyPath, int]:
    """Map each table and key of a TOML text to its line, counted from 1.

    Keys inside an inline table are found under the line of the table; see ``line_of``.
    """
    found: dict[KeyPath, int] = {}
    seen: Counter[KeyPath] = Counter()
    table: KeyPath = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            table = _resolve(header[2], seen, is_array=header[1] == "[[")
            found.setdefault(table, number)
        elif key := _KEY.match(line):
            found.setdefault((*table, *_parts(key[1])), number)
    return found


def line_of(found: dict[KeyPath, int], path: KeyPath) -> int:
    """The line of a key; that of the nearest table around it where the key itself is absent."""
    while path and path not in found:
        path = path[:-1]
    return found.get(path, 1)


def _parts(dotted: str) -> KeyPath:
    return tuple(part.strip().strip('"') for part in dotted.split("."))


def _resolve(dotted: str, seen: Counter[KeyPath], *, is_array: bool) -> KeyPath:
    """The path of a header, where an array of tables means its latest element."""
    path: KeyPath = ()
    parts = _parts(dotted)
    for position, part in enumerate(parts):
        path = (*path, part)
        if is_array and position == len(parts) - 1:
            seen[path] += 1
        if seen[path]:
            path = (*path, seen[path] - 1)
    return path
