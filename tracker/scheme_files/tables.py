"""Tables of scheme files, made from the values that they become: a key for each attribute.

The annotations in ``domain/schemes`` say everything about a key: its name, type, meaning, default
and rules (``domain/schemes/keys``). ``Tables`` turns each type into a field of ``values``. What a
value needs beyond its keys, one by one, is given as a ``Special``.
"""

from __future__ import annotations

import collections.abc
import inspect
from collections.abc import Callable, Collection, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from datetime import date, time
from decimal import Decimal
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    ClassVar,
    Literal,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)
from zoneinfo import ZoneInfo

from tracker.domain.periods import Duration
from tracker.domain.schemes import keys
from tracker.domain.schemes.activity_types import Noun
from tracker.domain.schemes.keys import KeyRule
from tracker.scheme_files import values
from tracker.scheme_files.nouns import NounsKey
from tracker.scheme_files.values import AnyField, Data, KeyOptions, Table

LONGEST_TEXT = 2000
_Kind = TypeVar("_Kind")


@dataclass(frozen=True, slots=True)
class Special:
    """What a value needs beyond its keys.

    ``build`` makes the value of its attributes; it raises ValidationError if they don't fit each
    other. ``more`` are keys that are no attributes, or whose field is not that of their type.
    """

    build: Callable[[Data], object] | None = None
    more: Mapping[str, AnyField] | None = None


@dataclass(frozen=True, slots=True)
class _Inline:
    """An attribute whose keys stand in the table around it.

    ``is_whole``: the table has all of them; else the value is completed when the policy is built.
    """

    table: type[Table]
    attributes: tuple[str, ...]
    is_whole: bool

    def value(self, data: Data) -> object:
        """The value, taken out of the attributes of the table around it."""
        part = {name: data.pop(name) for name in self.attributes if name in data}
        return self.table.value(part) if self.is_whole else part


class ValueTable(Table):
    """A table that becomes a value of ``domain/schemes``."""

    made_of: ClassVar[type]
    special: ClassVar[Special]
    inline: ClassVar[Mapping[str, _Inline]]

    @classmethod
    def value(cls, data: Data) -> object:
        """The value; an attribute that is inherited is a dictionary of what was given."""
        data |= {name: part.value(data) for name, part in cls.inline.items()}
        return cls.special.build(data) if cls.special.build else cls.made_of(**data)


class Tables:
    """The tables of values, each made once."""

    def __init__(self, special: Mapping[type, Special]) -> None:
        self._special = special
        self._made: dict[type, type[Table]] = {Duration: values.DurationKey}

    def of(self, kind: type) -> type[Table]:
        """The table that becomes a value of this type."""
        if kind not in self._made:
            self._made[kind] = self._table(kind)
        return self._made[kind]

    def _table(self, kind: type) -> type[Table]:
        special = self._special.get(kind, Special())
        hints = get_type_hints(kind, include_extras=True)
        found: dict[str, AnyField] = {}
        inline: dict[str, _Inline] = {}
        for attribute in fields(kind):
            key = _Annotation.of(hints[attribute.name])
            if key.marks & {KeyRule.INLINE, KeyRule.INHERITED}:
                table, is_whole = self.of(key.kind), KeyRule.INLINE in key.marks
                parts = _fields(table, may_lack=not is_whole)
                inline[attribute.name] = _Inline(table, tuple(parts), is_whole)
                found |= parts
            elif key.says:
                found[attribute.name] = self._field(key, _options(attribute, key))
        about = {
            "__doc__": (inspect.getdoc(kind) or "").partition("\n\n")[0],
            "made_of": kind,
            "special": special,
            "inline": inline,
        }
        return type(kind.__name__, (ValueTable,), {**found, **(special.more or {}), **about})

    def _field(self, key: _Annotation, options: KeyOptions) -> AnyField:
        """The field for a type; a type that is not in the list below has a table of its own."""
        origin, inner = get_origin(key.kind) or key.kind, get_args(key.kind)
        if origin in _FIELDS:
            return _FIELDS[origin](key, options)
        if origin in (tuple, frozenset):
            return self._list(key, _Annotation.of(inner[0]), options, into=origin)
        if origin is collections.abc.Mapping:
            return self._mapping(key.says, _Annotation.of(inner[1]), options)
        return values.table(self.of(key.kind), key.says, **options)

    def _list(
        self,
        key: _Annotation,
        entry: _Annotation,
        options: KeyOptions,
        *,
        into: Callable[[list[object]], Collection[object]],
    ) -> AnyField:
        """Tables in the order of the file, or values of which none stands twice."""
        may_repeat = is_dataclass(entry.kind) or keys.REPEATABLE in key.marks
        kind = values.Several if may_repeat else values.Different
        least = key.rule(keys.AtLeast)
        inner = self._field(entry, {})
        return kind(inner, key.says, least=least.entries if least else 0, into=into, **options)

    def _mapping(self, says: str, entry: _Annotation, options: KeyOptions) -> AnyField:
        """Words by their language, or entries by their code."""
        if entry.kind in _BY_LANGUAGE:
            return values.table(_BY_LANGUAGE[entry.kind], says, **options)
        return values.NamedTable(self._field(entry, {}), says, **options)


@dataclass(frozen=True, slots=True)
class _Annotation:
    """The type of a value, without None, and what is said of it: its meaning and its rules."""

    kind: Any
    about: tuple[object, ...]

    @classmethod
    def of(cls, hint: object) -> _Annotation:
        """What an annotation says, on its surface and in what it is composed of."""
        about: list[object] = []
        while (origin := get_origin(hint)) in (Annotated, Union, UnionType):
            if origin is Annotated:
                hint, *outer = get_args(hint)
                about[:0] = outer
            else:
                (hint,) = (each for each in get_args(hint) if each is not NoneType)
        return cls(hint, tuple(about))

    @property
    def says(self) -> str:
        """The meaning; empty if nothing is said. An outer text replaces an inner one."""
        return next((each for each in reversed(self.about) if isinstance(each, str)), "")

    @property
    def marks(self) -> set[KeyRule]:
        """The rules without a number."""
        return {each for each in self.about if isinstance(each, KeyRule)}

    def rule(self, kind: type[_Kind]) -> _Kind | None:
        """The rule of a kind, if there is one."""
        return next((each for each in self.about if isinstance(each, kind)), None)


def _options(attribute: Field[Any], key: _Annotation) -> KeyOptions:
    """Whether a key may be left out, what holds then, and what the file calls it."""
    options: KeyOptions = {}
    absent, named = key.rule(keys.Absent), key.rule(keys.Named)
    has_default = not (attribute.default is attribute.default_factory is MISSING)
    if absent:
        options["load_default"] = absent.value
    elif not has_default or keys.REQUIRED in key.marks:
        options["required"] = True
    if named:
        options["data_key"] = named.key
    return options


def _fields(table: type[Table], *, may_lack: bool) -> dict[str, AnyField]:
    """The fields of a table, for another one, which may lack any of them."""
    found = table().fields
    for field in found.values():
        field.required = field.required and not may_lack
    return found


def _text(key: _Annotation, options: KeyOptions) -> AnyField:
    if KeyRule.CODE in key.marks:
        return values.code(key.says, **options)
    if pattern := key.rule(keys.Pattern):
        return values.text(key.says, pattern.expression, pattern.rule, **options)
    longest = key.rule(keys.Longest) or keys.Longest(LONGEST_TEXT)
    return values.TextKey(key.says, longest=longest.characters, **options)


def _decimal(key: _Annotation, options: KeyOptions) -> AnyField:
    kind = next((_DECIMALS[mark] for mark in _DECIMALS if mark in key.marks), values.AmountKey)
    return kind(key.says, above_zero=KeyRule.ABOVE_ZERO in key.marks, **options)


def _whole(key: _Annotation, options: KeyOptions) -> AnyField:
    bounds = key.rule(keys.Between)
    if bounds is None:
        raise TypeError(f"a whole number needs bounds: {key.says}")
    return values.whole(key.says, bounds.least, bounds.most, **options)


def _duration(key: _Annotation, options: KeyOptions) -> AnyField:
    is_positive = KeyRule.ABOVE_ZERO in key.marks
    kind = values.PositiveDurationKey if is_positive else values.DurationKey
    return values.table(kind, key.says, **options)


_DECIMALS: Mapping[KeyRule, type[values.AmountKey]] = {
    KeyRule.FACTOR: values.FactorKey,
    KeyRule.SHARE: values.ShareKey,
}
_BY_LANGUAGE: Mapping[object, type[Table]] = {str: values.WordsKey, Noun: NounsKey}
_FIELDS: Mapping[object, Callable[[_Annotation, KeyOptions], AnyField]] = {
    bool: lambda key, options: values.FlagKey(key.says, **options),
    int: _whole,
    Decimal: _decimal,
    str: _text,
    Literal: lambda key, options: values.choice(key.says, get_args(key.kind), **options),
    date: lambda key, options: values.DayKey(key.says, **options),
    time: lambda key, options: values.TimeKey(key.says, **options),
    Duration: _duration,
    ZoneInfo: lambda key, options: values.ZoneKey(key.says, **options),
}
