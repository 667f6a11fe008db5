"""The lines of keys in a TOML text: tomllib returns values, not lines."""

from __future__ import annotations

import re
from collections import Counter

KeyPath = tuple[str | int, ...]

_PART = r"""(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')"""
_DOTTED = rf"({_PART}(?:\s*\.\s*{_PART})*)"
_HEADER = re.compile(rf"^\s*(\[\[?)\s*{_DOTTED}\s*\]")
_KEY = re.compile(rf"^\s*{_DOTTED}\s*=")
_TOKEN = re.compile(r"""\"{3}|'{3}|"(?:[^"\\]|\\.)*"|'[^']*'|#.*|[\[\]{}]""")


def find(text: str) -> dict[KeyPath, int]:
    """Map each table and key of a TOML text to its line, counted from 1.

    Keys inside an inline table are found under the line of the table; see ``line_of``.
    """
    found: dict[KeyPath, int] = {}
    seen: Counter[KeyPath] = Counter()
    table: KeyPath = ()
    value = _Value()
    for number, line in enumerate(text.split("\n"), start=1):
        if value.is_open:
            value.read(line)
            continue
        if header := _HEADER.match(line):
            is_array = header[1] == "[["
            table = _resolve(header[2], seen, is_array=is_array)
            found.setdefault(table, number)
            if is_array:
                found.setdefault(table[:-1], number)
        elif key := _KEY.match(line):
            found.setdefault((*table, *_parts(key[1])), number)
        value.read(line)
    return found


def line_of(found: dict[KeyPath, int], path: KeyPath) -> int:
    """The line of a key; if the key is absent, that of the nearest table around it."""
    while path and path not in found:
        path = path[:-1]
    return found.get(path, 1)


class _Value:
    """What is open at the end of a line: a multi-line string, an array, a table."""

    def __init__(self) -> None:
        self._quotes = ""
        self._depth = 0

    @property
    def is_open(self) -> bool:
        """Whether the next line continues the same value."""
        return self._quotes != "" or self._depth > 0

    def read(self, line: str) -> None:
        """Read a line, skipping strings and comments."""
        position = 0
        while position < len(line):
            if self._quotes:
                end = line.find(self._quotes, position)
                if end < 0:
                    return
                position, self._quotes = end + len(self._quotes), ""
            elif token := _TOKEN.search(line, position):
                position = token.end()
                self._take(token[0])
            else:
                return

    def _take(self, token: str) -> None:
        if token in {'"""', "'''"}:
            self._quotes = token
        elif token in {"[", "{"}:
            self._depth += 1
        elif token in {"]", "}"}:
            self._depth -= 1


def _parts(dotted: str) -> KeyPath:
    return tuple(part.strip("\"'") for part in re.findall(_PART, dotted))


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
