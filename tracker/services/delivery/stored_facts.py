"""What a message says, as JSON: stored with the marker, and read again for a second copy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from types import NoneType
from typing import Any, TypeVar, get_args, get_type_hints

T = TypeVar("T")


def plain(value: Any) -> Any:
    """A value as JSON takes it; a dataclass becomes a dictionary of its fields."""
    if isinstance(value, (date, Decimal)):
        return str(value)
    if is_dataclass(value):
        return {one.name: plain(getattr(value, one.name)) for one in fields(value)}
    return value


def again(kind: Callable[..., T], stored: Mapping[str, Any]) -> T:
    """The dataclass that ``plain`` stored.

    A field that an older version did not store gets its default; an unknown field is ignored.
    """
    of: Any = kind
    readers = _readers(of)
    return kind(**{name: readers[name](value) for name, value in stored.items() if name in readers})


@cache
def _readers(kind: Any) -> Mapping[str, Callable[[Any], Any]]:
    return {name: _reader(hint) for name, hint in get_type_hints(kind).items()}


def _reader(hint: Any) -> Callable[[Any], Any]:
    """The function that reads a stored field; most fields need no conversion."""
    of: Any = next((one for one in get_args(hint) if one is not NoneType), hint)
    if of is date:
        return _known(date.fromisoformat)
    if of is Decimal:
        return _known(Decimal)
    if not is_dataclass(of):
        return _as_it_stands
    kind: Any = of
    return _known(lambda stored: again(kind, stored))


def _known(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A reader that also takes null, which older versions stored for an unknown fact."""
    return lambda stored: None if stored is None else read(stored)


def _as_it_stands(stored: Any) -> Any:
    return stored
