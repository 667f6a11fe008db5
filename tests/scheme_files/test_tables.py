"""Tables made from values (scheme_files/tables.py): each attribute is a key, or known not to be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from decimal import Decimal
from typing import Annotated, Any, get_args, get_type_hints

import pytest
from marshmallow import ValidationError

from tracker.domain.periods import Duration
from tracker.domain.schemes.keys import Absent, Between, Named, PositiveAmount, Share
from tracker.domain.schemes.schemes import Scheme
from tracker.scheme_files.tables import Special, Tables

# The code is the key of the entry's table; the rest is made of what the file says elsewhere.
NO_KEYS = {
    "ActivityType.code",
    "ActivityType.unit",
    "ActivityType.unit_code",
    "ActivityType.units",
    "Category.code",
    "Tag.code",
    "Unit.code",
}


def _values(hint: Any) -> Iterator[type]:
    """The values that a type is made of."""
    if is_dataclass(hint) and isinstance(hint, type):
        yield hint
        if hint is not Duration:
            for inner in get_type_hints(hint).values():
                yield from _values(inner)
    for inner in get_args(hint):
        yield from _values(inner)


def test_every_attribute_is_a_key_or_known_not_to_be():
    bare = {
        f"{value.__name__}.{attribute.name}"
        for value in _values(Scheme)
        if value.__module__.startswith("tracker.domain.schemes.")
        for attribute in fields(value)
        if not hasattr(get_type_hints(value, include_extras=True)[attribute.name], "__metadata__")
    }

    assert bare - {"Noun.one", "Noun.many", "Noun.feminine"} == NO_KEYS


@dataclass(frozen=True, slots=True)
class Sample:
    """A value of a test."""

    days: Annotated[int, "How many days.", Between(1, 9), Named("length")]
    price: Annotated[PositiveAmount | None, "What it costs.", Absent(None)]
    share: Annotated[Share | None, "A share."] = None
    own: int = 7


@dataclass(frozen=True, slots=True)
class Unbounded:
    """A value with a mistake."""

    count: Annotated[int, "How many."]


TABLE = Tables({}).of(Sample)


def test_a_value_is_read_with_its_defaults_and_under_the_names_of_the_file():
    assert TABLE().load({"length": 3}) == Sample(3, None)
    assert TABLE().load({"length": 9, "price": "2", "share": "0.5"}) == Sample(
        9, Decimal(2), Decimal("0.5")
    )


@pytest.mark.parametrize(
    ("key", "value", "rule"),
    [
        ("length", 10, "must be a whole number from 1 to 9"),
        ("price", "0", "must be more than 0"),
        ("share", "1.5", 'must be a string from "0" to "1"'),
        ("days", 3, "Unknown field."),
        ("own", 8, "Unknown field."),
    ],
)
def test_what_an_annotation_rules_out_is_refused(key, value, rule):
    with pytest.raises(ValidationError) as refused:
        TABLE().load({"length": 1, key: value})

    ((message,),) = refused.value.normalized_messages().values()
    assert message.startswith(rule)


def test_a_value_may_be_built_in_its_own_way():
    build = Special(lambda data: Sample(data["days"] * 2, None))

    assert Tables({Sample: build}).of(Sample)().load({"length": 2}) == Sample(4, None)


def test_a_whole_number_needs_bounds():
    with pytest.raises(TypeError, match="needs bounds: How many"):
        Tables({}).of(Unbounded)
