"""Frozen values that are made for every claim, by the million.

``dataclass(frozen=True)`` guards a value while the program runs, and its constructor pays for that:
a value of 14 fields took 2.4 microseconds to make with the guard and 0.25 without, and evaluations
in bulk run a quarter fewer instructions without it. So only mypy guards the values that are made
for each claim or certification. Everywhere else, ``dataclass(frozen=True, slots=True)`` is right.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def value_class(*, order: bool = False) -> Callable[[type[T]], type[T]]:
    """Make a dataclass with slots that is compared and hashed by value, frozen for mypy.

    >>> @value_class()
    ... class Point:
    ...     x: int
    ...     y: int = 0
    >>> Point(1) == Point(1, 0), len({Point(1), Point(1)})
    (True, 1)
    """
    return dataclass(slots=True, unsafe_hash=True, order=order)
