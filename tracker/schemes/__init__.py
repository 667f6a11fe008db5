"""config/schemes/*.toml -> domain objects, with mistakes that name file, line, key and rule.

Marshmallow describes the format (``format``, ``policies``, ``values``), ``consistency`` and its
neighbours what keys must say about each other; ``lines`` finds the lines. Nothing is half-loaded:
one mistake in one file refuses the start.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from marshmallow import ValidationError

from tracker.domain.schemes import Scheme, Schemes
from tracker.schemes import consistency, lines, mistakes, versions
from tracker.schemes.format import SchemeFile
from tracker.schemes.lines import KeyPath
from tracker.schemes.mistakes import Mistake, SchemesRefusedError
from tracker.schemes.raw import Finding, Raw, named

__all__ = ["Mistake", "SchemesRefusedError", "check", "load"]


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
                value = None
                break
        told = "" if value is None or not path else mistakes.shown(value)
        key = ".".join(named(str(part)) for part in path)
        return Mistake(self.name, lines.line_of(self.lines, path), key, told, rule)


def load(directory: Path) -> Schemes:
    """Read every scheme file of a directory; SchemesRefusedError names every mistake in them."""
    schemes, found = _read_all(directory, consistency.in_file)
    if found:
        raise SchemesRefusedError(found)
    return Schemes(schemes)


def check(directory: Path) -> list[Mistake]:
    """Every mistake in the scheme files of a directory, in one run.

    Beside those for which files are refused, types that a version drops under running cycles.
    """
    return _read_all(directory, consistency.in_file, versions.dropped_types)[1]


def _read_all(
    directory: Path, *rules: Callable[[Raw], Iterable[Finding]]
) -> tuple[dict[str, Scheme], list[Mistake]]:
    loaded: dict[str, Scheme] = {}
    files: list[_File] = []
    found: list[Mistake] = []
    paths = sorted(directory.glob("*.toml"))
    if not paths:
        found.append(Mistake(str(directory), 0, "", "", "holds no scheme file (*.toml)"))
    for path in paths:
        file = _parse(path, found)
        if file is not None:
            files.append(file)
            scheme = _build(file, found)
            found += [file.mistake(*each) for rule in rules for each in rule(file.raw)]
            if scheme is not None:
                loaded[scheme.code] = scheme
    by_name = {file.name: file for file in files}
    between = consistency.between_files(
        {file.name: file.raw for file in files}, readable=len(files) == len(paths)
    )
    found += [by_name[name].mistake(*each) for name, each in between]
    return loaded, sorted(found, key=lambda mistake: (mistake.file, mistake.line))


def _parse(path: Path, found: list[Mistake]) -> _File | None:
    text = ""
    try:
        text = path.read_text(encoding="utf-8-sig")
        return _File(path.name, tomllib.loads(text), lines.find(text))
    except OSError as error:
        found.append(Mistake(path.name, 1, "", "", f"cannot be read: {error.strerror}"))
    except UnicodeDecodeError as error:
        found.append(Mistake(path.name, 1, "", "", f"is not UTF-8: byte {error.start}"))
    except (ValueError, RecursionError) as error:
        told = re.search(r"at line (\d+)", str(error))
        line = int(told[1]) if told else len(text.rstrip("\n").split("\n"))
        found.append(Mistake(path.name, line, "", "", f"is not valid TOML: {error}"))
    return None


def _build(file: _File, found: list[Mistake]) -> Scheme | None:
    schema = SchemeFile()
    try:
        scheme: Scheme = schema.load(file.raw)
    except ValidationError as error:
        found += [file.mistake(*each) for each in mistakes.of_format(schema, error.messages)]
        return None
    return scheme
