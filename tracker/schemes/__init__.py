"""config/schemes/*.toml -> domain objects, with mistakes that name file, line, key and rule.

Marshmallow describes the format (``format.py``), ``consistency.py`` what keys must say about
each other; this module finds the lines. Nothing is half-loaded: one mistake in one file refuses
the start.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from marshmallow import Schema, ValidationError, fields

from tracker.domain.schemes import Scheme, Schemes
from tracker.schemes import consistency, lines
from tracker.schemes.format import SchemeFile
from tracker.schemes.lines import KeyPath


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake in a scheme file: where it is, what stands there, which rule it breaks."""

    file: str
    line: int
    key: str
    value: str
    rule: str

    def __str__(self) -> str:
        shown = f" = {self.value}" if self.value else ""
        return f"{self.file}:{self.line}: {self.key}{shown}: {self.rule}"


class SchemesRefusedError(Exception):
    """The scheme files hold mistakes; ``mistakes`` names them all."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__("\n".join(map(str, mistakes)))
        self.mistakes = mistakes


@dataclass(frozen=True, slots=True)
class _File:
    """A scheme file that could be parsed: its name, raw data and the lines of its keys."""

    name: str
    raw: dict[str, Any]
    lines: dict[KeyPath, int]

    def mistake(self, path: KeyPath, rule: str) -> Mistake:
        """A mistake at a key of this file, with the value that stands there."""
        value: Any = self.raw
        for part in path:
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                value = ""
                break
        shown = "" if isinstance(value, (dict, list)) else str(value)
        shown = shown.lower() if isinstance(value, bool) else shown
        key = ".".join(map(str, path))
        return Mistake(self.name, lines.line_of(self.lines, path), key, shown, rule)


def load(directory: Path) -> Schemes:
    """Read every scheme file of a directory; SchemesRefusedError names every mistake in them."""
    schemes, mistakes = _read_all(directory)
    if mistakes:
        raise SchemesRefusedError(mistakes)
    return Schemes(schemes)


def check(directory: Path) -> list[Mistake]:
    """Every mistake in the scheme files of a directory, in one run."""
    return _read_all(directory)[1]


def _read_all(directory: Path) -> tuple[dict[str, Scheme], list[Mistake]]:
    loaded: dict[str, Scheme] = {}
    files: list[_File] = []
    mistakes: list[Mistake] = []
    paths = sorted(directory.glob("*.toml"))
    if not paths:
        mistakes.append(Mistake(str(directory), 0, "", "", "holds no scheme file (*.toml)"))
    for path in paths:
        file = _parse(path, mistakes)
        if file is not None:
            files.append(file)
            scheme = _build(file, mistakes)
            mistakes += [file.mistake(*found) for found in consistency.in_file(file.raw)]
            if scheme is not None:
                loaded[scheme.code] = scheme
    by_name = {file.name: file for file in files}
    between = consistency.between_files(
        {file.name: file.raw for file in files}, readable=len(files) == len(paths)
    )
    mistakes += [by_name[name].mistake(*found) for name, found in between]
    return loaded, sorted(mistakes, key=lambda mistake: (mistake.file, mistake.line))


def _parse(path: Path, mistakes: list[Mistake]) -> _File | None:
    text = ""
    try:
        text = path.read_text(encoding="utf-8-sig")
        return _File(path.name, tomllib.loads(text), lines.find(text))
    except OSError as error:
        mistakes.append(Mistake(path.name, 1, "", "", f"cannot be read: {error.strerror}"))
    except UnicodeDecodeError as error:
        mistakes.append(Mistake(path.name, 1, "", "", f"is not UTF-8: byte {error.start}"))
    except (ValueError, RecursionError) as error:
        told = re.search(r"at line (\d+)", str(error))
        line = int(told[1]) if told else len(text.splitlines())
        mistakes.append(Mistake(path.name, line, "", "", f"is not valid TOML: {error}"))
    return None


def _build(file: _File, mistakes: list[Mistake]) -> Scheme | None:
    schema = SchemeFile()
    try:
        scheme: Scheme = schema.load(file.raw)
    except ValidationError as error:
        for path, rule in _flatten(error.messages):
            mistakes.append(file.mistake(path, _with_suggestion(schema, path, rule)))
        return None
    return scheme


def _flatten(messages: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, str]]:
    """Marshmallow's nested messages as pairs of key path and rule."""
    if isinstance(messages, dict):
        for key, inner in messages.items():
            # What is wrong with an entry of a table of tables is told below "value".
            below = key == "_schema" or (key == "value" and path[-2:-1] in _TABLES_OF_TABLES)
            yield from _flatten(inner, path if below else (*path, key))
    else:
        for message in messages:
            yield path, _PLAIN.get(message, message)


_TABLES_OF_TABLES = {("categories",), ("types",)}
_PLAIN = {
    "Missing data for required field.": "is required and missing",
    "Unknown field.": "is not a known key",
    "Invalid input type.": "must be a table",
    "Not a valid mapping type.": "must be a table",
    "Not a valid list.": "must be a list",
    "Not a valid string.": "must be text in quotes",
    "Not a valid integer.": "must be a whole number",
}


def _with_suggestion(schema: Schema, path: KeyPath, rule: str) -> str:
    if rule != _PLAIN["Unknown field."]:
        return rule
    near = difflib.get_close_matches(str(path[-1]), _known_keys(schema, path[:-1]), 1, 0.6)
    return f"{rule}; did you mean {near[0]!r}?" if near else rule


def _known_keys(schema: Schema, path: KeyPath) -> list[str]:
    """The keys that the table at ``path`` may hold."""
    at: Any = schema
    for part in path:
        if isinstance(at, fields.List):
            at = at.inner
        elif isinstance(at, fields.Dict):
            at = at.value_field
        else:
            at = _keys(at)[str(part)]
    return list(_keys(at))


def _keys(table: Schema | fields.Nested) -> dict[str, Any]:
    return dict(table.schema.fields if isinstance(table, fields.Nested) else table.fields)
