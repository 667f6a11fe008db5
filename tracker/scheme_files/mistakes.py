"""Mistakes in a scheme file: what they say, and how marshmallow's messages become mistakes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, time
from typing import Any

from marshmallow import Schema, fields

from tracker.scheme_files.line_numbers import KeyPath
from tracker.scheme_files.raw import named, quoted, short
from tracker.scheme_files.values import AnyField, near

_WIDEST = 80  # characters of a value that are shown


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake in a scheme file: its place, the value there, and the rule that it breaks.

    ``value`` is written as in TOML; empty if there is none, or if it is a whole table.
    """

    file: str
    line: int
    key: str
    value: str
    rule: str

    def __str__(self) -> str:
        entry = f"{self.key} = {self.value}" if self.value else self.key
        place = f"{self.file}:{self.line}"
        return f"{place}: {entry}: {self.rule}" if entry else f"{place}: {self.rule}"


class SchemesRefusedError(Exception):
    """The scheme files have mistakes; ``mistakes`` names them all."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__("\n".join(map(str, mistakes)))
        self.mistakes = mistakes


def shown(value: object) -> str:
    """A value as TOML writes it; a long text is cut, a long list or table left out."""
    written = _written(value, deeper=3)
    if len(written) <= _WIDEST:
        return written
    return "" if isinstance(value, dict | list) else f"{written[: _WIDEST - 1]}…"


def _written(value: object, *, deeper: int) -> str:
    match value:
        case dict() | list() if not deeper:
            return "…"
        case list():
            return f"[{', '.join(_written(entry, deeper=deeper - 1) for entry in value)}]"
        case dict():
            entries = (
                f"{named(key)} = {_written(entry, deeper=deeper - 1)}"
                for key, entry in value.items()
            )
            return f"{{ {', '.join(entries)} }}" if value else "{}"
        case _:
            return _plain(value)


def _plain(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case int():
            return short(value)
        case str():
            return quoted(value)
        case date() | time():
            return value.isoformat()
        case _:
            return str(value)


def of_format(schema: Schema, messages: object) -> Iterator[tuple[KeyPath, str]]:
    """Marshmallow's nested messages as pairs of key path and rule, with the key probably meant."""
    for path, rule in _flat(messages):
        if rule == _UNKNOWN:
            yield path, _about_unknown(schema, path)
        else:
            yield path, _PLAIN.get(rule, rule)


def _flat(messages: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, str]]:
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            yield from _flat(inner, (*path, key))
    else:
        for message in messages:
            # By "_schema" marshmallow means the whole table, unless it is a key of the file.
            is_key = path[-1:] != ("_schema",) or message == _UNKNOWN
            yield path if is_key else path[:-1], message


_UNKNOWN = "Unknown field."
_PLAIN = {
    "Missing data for required field.": "is required but missing",
    "Invalid input type.": "must be a table",
    "Not a valid mapping type.": "must be a table",
    "Not a valid list.": "must be a list",
    "Not a valid string.": "must be text in quotes",
    "Not a valid integer.": "must be a whole number",
}
# Keys of the previous format, with what replaces them.
_FORMER = {
    "grace": "is no longer a key: use [[policies.late]] with until and name",
    "valid_in_grace": "is no longer a key: use title = true in [[policies.late]]",
}


def _about_unknown(schema: Schema, path: KeyPath) -> str:
    *table, key = path
    if key in _FORMER and len(table) == 2:  # noqa: PLR2004 - ("policies", 0)
        return _FORMER[str(key)]
    return f"is not a known key{near(key, _known_keys(schema, tuple(table)))}"


def _known_keys(schema: Schema, path: KeyPath) -> list[str]:
    """The keys that the table at ``path`` may have."""
    at: Any = schema
    for part in path:
        if isinstance(at, fields.List):
            at = at.inner
        elif isinstance(at, fields.Dict):
            at = at.value_field
        else:
            at = _keys(at)[str(part)]
    return list(_keys(at))


def _keys(table: Schema | fields.Nested) -> dict[str, AnyField]:
    known = table.schema.fields if isinstance(table, fields.Nested) else table.fields
    return {field.data_key or name: field for name, field in known.items()}
