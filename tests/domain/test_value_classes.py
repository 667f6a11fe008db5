"""domain/value_classes.py: values that are compared by value, and that mypy keeps from change."""

from __future__ import annotations

import doctest
from dataclasses import field, replace

import pytest

from tracker.domain import value_classes
from tracker.domain.value_classes import value_class


@value_class()
class Amount:
    """A value with a default and a field that does not count."""

    points: int
    unit: str = "hours"
    note: str = field(default="", compare=False)


@value_class(order=True)
class Span:
    """A value with an order."""

    first: int
    last: int


def test_equal_values_are_one_and_have_one_hash():
    assert Amount(1) == Amount(1, "hours", "of no account")
    assert len({Amount(1), Amount(1, note="other"), Amount(2)}) == 2


def test_a_changed_copy_leaves_the_value_as_it_was():
    amount = Amount(1)

    assert replace(amount, points=2) == Amount(2)
    assert amount == Amount(1)


def test_an_order_is_that_of_the_fields_and_none_unless_asked_for():
    assert sorted([Span(2, 1), Span(1, 9), Span(1, 3)]) == [Span(1, 3), Span(1, 9), Span(2, 1)]
    with pytest.raises(TypeError):
        sorted([Amount(2), Amount(1)])  # type: ignore[type-var]


def test_it_has_slots_and_takes_no_other_attribute():
    with pytest.raises(AttributeError):
        Amount(1).other = 2  # type: ignore[attr-defined]


def test_mypy_refuses_to_assign_to_a_field():
    """Where mypy lets it pass, the ignored error is none, and mypy fails on this comment."""
    Amount(1).points = 2  # type: ignore[misc]


def test_the_example_is_right():
    assert doctest.testmod(value_classes).failed == 0
