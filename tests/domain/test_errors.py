"""The refusals: stable codes, one for each, and facts that programs can read."""

from __future__ import annotations

from tracker.domain import errors
from tracker.domain.errors import Conflict, Invalid, NotFound, Refusal


def _refusals(kind: type[Refusal] = Refusal) -> list[type[Refusal]]:
    return [kind, *(found for sub in kind.__subclasses__() for found in _refusals(sub))]


def test_every_refusal_has_a_code_of_its_own_and_says_what_it_means():
    refusals = [kind for kind in _refusals() if kind.__module__ == errors.__name__]

    assert len({kind.code for kind in refusals}) == len(refusals) > 20
    assert all(kind.__doc__ for kind in refusals)


def test_a_refusal_carries_its_detail_and_facts():
    refusal = Conflict("It expired.", expired_on="2026-01-01")

    assert str(refusal) == refusal.detail == "It expired."
    assert refusal.facts == {"expired_on": "2026-01-01"}


def test_what_is_not_found_says_no_more_than_that():
    refusal = NotFound()

    assert str(refusal) == refusal.detail == "There is no such record."
    assert refusal.facts == {}


def test_an_invalid_value_says_which_field_and_why():
    assert Invalid("No.", fields={"a": "is required"}, row=3).fields == {"a": "is required"}
    assert Invalid("No.").fields == {}
