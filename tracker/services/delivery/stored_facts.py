"""What a message says, as JSON: stored with the marker, and read again for a second copy.

Every kind of message states what it stores as a dataclass; ``plain`` and ``value_of`` convert it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache, partial
from types import NoneType
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T")

StoredFacts = dict[str, object]
"""What a message says, as the outbox stores it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMessage:
    """What every message stores: when and for whom it was composed, and in which language."""

    composed_at: datetime
    address: str
    name: str
    language: str


def plain(value: DataclassInstance) -> StoredFacts:
    """A dataclass as JSON takes it: a dictionary of its fields."""
    return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}


def _plain(value: object) -> object:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return plain(value) if is_dataclass(value) and not isinstance(value, type) else value


def value_of(kind: Callable[..., T], stored: Mapping[str, object]) -> T:
    """The dataclass that ``plain`` stored.

    A field that an older version did not store gets its default; an unknown field is ignored.
    """
    readers = _readers(kind)
    return kind(**{name: readers[name](value) for name, value in stored.items() if name in readers})


_Reader = Callable[[Any], object]  # takes whatever JSON holds


@cache
def _readers(kind: Callable[..., object]) -> Mapping[str, _Reader]:
    return {name: _reader(hint) for name, hint in get_type_hints(kind).items()}


def _reader(hint: type) -> _Reader:
    """The function that reads a stored field; most fields need no conversion."""
    of = next((kind for kind in get_args(hint) if kind is not NoneType), hint)
    if get_origin(hint) is tuple:
        return _each(_reader(of))
    if of is date or of is datetime:
        return _known(of.fromisoformat)
    if of is Decimal:
        return _known(Decimal)
    if not is_dataclass(of):
        return lambda stored: stored
    return _known(partial(value_of, of))


def _each(read: _Reader) -> _Reader:
    return lambda stored: tuple(map(read, stored))


def _known(read: _Reader) -> _Reader:
    """A reader that also takes null, which older versions stored for an unknown fact."""
    return lambda stored: None if stored is None else read(stored)
