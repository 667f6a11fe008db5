"""The refusals: stable codes, one for each, and facts that programs can read."""

from __future__ import annotations

from tracker.domain import errors
from tracker.domain.credentials import adjustments
from tracker.domain.errors import (
    OVERRIDE,
    CertificationExpired,
    Conflict,
    Invalid,
    LastManager,
    NotExtendable,
    NotFound,
    Refusal,
    RetakeTooSoon,
)


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


def test_every_refusal_says_whether_and_how_an_exception_can_be_had():
    for kind in _refusals():
        way_out = kind.way_out
        assert (way_out.kind == "override") == (way_out.field is not None), kind
        assert (way_out.kind == "ask") == bool(way_out.ask_for), kind
        assert (way_out.kind == "none") == (way_out.sentence == ""), kind


def test_what_staff_may_override_says_so_and_names_the_field():
    """The same refusals that give way to an override_reason, and no other ones."""
    overridable = {RetakeTooSoon, LastManager, *adjustments.OVERRIDABLE}

    assert {kind for kind in _refusals() if kind.way_out == OVERRIDE} == overridable
    assert RetakeTooSoon("Too soon.").told == (
        "Too soon. Staff can make an exception: send the reason in override_reason."
    )


def test_what_the_issuer_can_be_asked_for_is_named():
    refusal = CertificationExpired("It expired.")

    assert refusal.exception.ask_for == ("an extension",)
    assert refusal.told == "It expired. You can ask the issuer for an extension."


def test_where_there_is_no_exception_none_is_named():
    assert Conflict("No.").told == "No."
    assert NotExtendable("It never expires.").final().told == "It never expires."
