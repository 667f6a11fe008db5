"""config/schemes/*.toml -> domain objects, with mistakes that name file, line, key and rule.

Marshmallow describes the format (``format.py``); this module adds what concerns more than one
key and finds the lines. Nothing is half-loaded: one mistake in one file refuses the start.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from marshmallow import Schema, ValidationError, fields

from tracker.domain.schemes import Policy, Scheme, Schemes
from tracker.schemes import lines
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
    loaded: list[tuple[_File, Scheme]] = []
    mistakes: list[Mistake] = []
    paths = sorted(directory.glob("*.toml"))
    if not paths:
        mistakes.append(Mistake(str(directory), 0, "", "", "holds no scheme file (*.toml)"))
    for path in paths:
        file = _parse(path, mistakes)
        scheme = file and _build(file, mistakes)
        if file and scheme:
            mistakes += _inner_mistakes(file, scheme)
            loaded.append((file, scheme))
    mistakes += _cross_mistakes(loaded)
    return {scheme.code: scheme for _, scheme in loaded}, mistakes


def _parse(path: Path, mistakes: list[Mistake]) -> _File | None:
    try:
        text = path.read_text(encoding="utf-8")
        return _File(path.name, tomllib.loads(text), lines.find(text))
    except tomllib.TOMLDecodeError as error:
        line = next((int(w) for w in str(error).replace(",", " ").split() if w.isdigit()), 1)
        mistakes.append(Mistake(path.name, line, "", "", f"is not valid TOML: {error}"))
    except UnicodeDecodeError as error:
        mistakes.append(Mistake(path.name, 1, "", "", f"is not UTF-8: byte {error.start}"))
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
            here = path if key in {"_schema", "value", "key"} else (*path, key)
            yield from _flatten(inner, here)
    else:
        for message in messages:
            yield path, _PLAIN.get(message, message)


_PLAIN = {
    "Missing data for required field.": "is required and missing",
    "Unknown field.": "is not a known key",
}


def _with_suggestion(schema: Schema, path: KeyPath, rule: str) -> str:
    if rule != _PLAIN["Unknown field."]:
        return rule
    near = difflib.get_close_matches(str(path[-1]), _known_keys(schema, path[:-1]), 1, 0.6)
    return f"{rule}; did you mean {near[0]!r}?" if near else rule


def _known_keys(schema: Schema, path: KeyPath) -> list[str]:
    """The keys that the table at ``path`` may hold."""
    known: dict[str, Any] = dict(schema.fields)
    field: Any = None
    for part in path:
        if not isinstance(part, str) and field is None:
            continue
        field = known.get(str(part), field)
        while isinstance(field, (fields.List, fields.Dict)):
            field = field.inner if isinstance(field, fields.List) else field.value_field
        if isinstance(field, fields.Nested):
            known = dict(field.schema.fields)
    return list(known)


def _inner_mistakes(file: _File, scheme: Scheme) -> Iterator[Mistake]:
    """What one file's keys must say about each other."""
    yield from _repeated(file, "modules", [m.code for m in scheme.modules])
    yield from _repeated(file, "policies", [p.version for p in scheme.policies])
    if not scheme.required:
        yield file.mistake(("modules",), "at least one module must be required")
    if scheme.award.validity and not scheme.policies:
        yield file.mistake(("policies",), "a scheme that expires needs a policy")
    if scheme.policies and scheme.award.validity is None:
        yield file.mistake(("award", "validity"), "is required where there are policies")
    for index, policy in enumerate(scheme.policies):
        yield from _policy_mistakes(file, index, policy)
    starts = [p.effective_from for p in scheme.policies]
    for index, start in enumerate(starts[1:], start=1):
        before = starts[index - 1]
        if start is None or (before is not None and start <= before):
            rule = "each version but the first needs a later date than the one before it"
            yield file.mistake(("policies", index, "effective_from"), rule)
    if scheme.reminders:
        extra = scheme.reminders.offsets_when_complete - set(scheme.reminders.offsets)
        if extra:
            rule = f"{sorted(extra)} are not among the offsets"
            yield file.mistake(("reminders", "offsets_when_complete"), rule)


def _policy_mistakes(file: _File, index: int, policy: Policy) -> Iterator[Mistake]:
    here: KeyPath = ("policies", index)
    for kind in policy.types.values():
        if kind.category not in policy.categories:
            rule = f"is no category of this policy; there are: {', '.join(policy.categories)}"
            yield file.mistake((*here, "types", kind.code, "category"), rule)
    for category in policy.categories.values():
        if category.minimum and category.maximum and category.minimum > category.maximum:
            rule = f"is more than the maximum, {category.maximum}"
            yield file.mistake((*here, "categories", category.code, "minimum"), rule)


def _repeated(file: _File, table: str, codes: list[str]) -> Iterator[Mistake]:
    for index, code in enumerate(codes):
        if code in codes[:index]:
            key = "version" if table == "policies" else "code"
            yield file.mistake((table, index, key), "is used twice")


def _cross_mistakes(loaded: Iterable[tuple[_File, Scheme]]) -> Iterator[Mistake]:
    """What the files must say about each other."""
    loaded = list(loaded)
    codes = [scheme.code for _, scheme in loaded]
    prefixes: dict[str, str] = {}
    for file, scheme in loaded:
        if codes.count(scheme.code) > 1:
            yield file.mistake(("code",), "is used by more than one file")
        if prefixes.setdefault(scheme.number_prefix, scheme.code) != scheme.code:
            yield file.mistake(("number_prefix",), "is used by another scheme too")
        unknown = set(scheme.award.prerequisites) - set(codes)
        if unknown or scheme.code in scheme.award.prerequisites:
            rule = f"{sorted(unknown) or [scheme.code]} cannot be a prerequisite here; schemes: {codes}"
            yield file.mistake(("award", "prerequisites"), rule)
