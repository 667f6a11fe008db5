"""A TOML configuration file: parsed, checked against its schema, every mistake with its line."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from marshmallow import Schema, ValidationError

from tracker.scheme_files import line_numbers, mistakes
from tracker.scheme_files.line_numbers import KeyPath
from tracker.scheme_files.mistakes import Mistake
from tracker.scheme_files.raw import named


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """A file that could be parsed: its name, raw data and the lines of its keys."""

    name: str
    raw: dict[str, object]
    lines: dict[KeyPath, int]

    def mistake(self, path: KeyPath, rule: str) -> Mistake:
        """A mistake at a key of this file, with the value there."""
        value: Any = self.raw
        for part in path:
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                value = None
                break
        shown = "" if value is None or not path else mistakes.shown(value)
        key = ".".join(named(str(part)) for part in path)
        return Mistake(self.name, line_numbers.line_of(self.lines, path), key, shown, rule)


def parse(path: Path, found: list[Mistake]) -> ParsedFile | None:
    """Read a file; None if it is not TOML, with the mistake added to ``found``."""
    text = ""
    try:
        text = path.read_text(encoding="utf-8-sig")
        return ParsedFile(path.name, tomllib.loads(text), line_numbers.find(text))
    except OSError as error:
        found.append(Mistake(path.name, 1, "", "", f"cannot be read: {error.strerror}"))
    except UnicodeDecodeError as error:
        found.append(Mistake(path.name, 1, "", "", f"is not UTF-8: byte {error.start}"))
    except (ValueError, RecursionError) as error:
        position = re.search(r"at line (\d+)", str(error))
        line = int(position[1]) if position else len(text.rstrip("\n").split("\n"))
        found.append(Mistake(path.name, line, "", "", f"is not valid TOML: {error}"))
    return None


def build(schema: Schema, file: ParsedFile, found: list[Mistake]) -> Any:
    """The result of a schema for a file; None if the file breaks it.

    The mistakes are added to ``found``.
    """
    try:
        return schema.load(file.raw)
    except ValidationError as error:
        found += [file.mistake(*each) for each in mistakes.of_format(schema, error.messages)]
        return None
