"""What one unit is in another, over any number of steps and in both directions."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.scheme_files import units
from tracker.scheme_files.units import UNDERIVED, UnitStep

HOURS = {
    "minute": UNDERIVED,
    "hour": UnitStep(Decimal(60), "minute"),
    "ceu": UnitStep(Decimal(10), "hour"),
    "day": UnitStep(Decimal(8), "hour"),
    "article": UNDERIVED,
}


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ("minute", {"minute": "1", "hour": "60", "ceu": "600", "day": "480"}),
        ("article", {"article": "1"}),
    ],
)
def test_every_unit_that_leads_to_the_same_one_is_converted(own, expected):
    assert {c: str(d) for c, d in units.conversions(own, HOURS).items()} == expected


def test_units_are_listed_from_their_own_on_in_the_order_of_the_file():
    assert list(units.ratios("hour", HOURS)) == ["hour", "minute", "ceu", "day"]


def test_conversions_go_both_ways():
    two = {"hour": UNDERIVED, "ceu": UnitStep(Decimal("10.00"), "hour")}

    assert units.conversions("hour", two) == {"hour": Decimal(1), "ceu": Decimal(10)}
    assert units.conversions("ceu", two) == {"hour": Decimal("0.1"), "ceu": Decimal(1)}


def test_what_six_decimals_do_not_tell_is_named_and_not_converted():
    assert units.inexact("hour", HOURS) == {"minute": Fraction(1, 60)}
    assert units.conversions("hour", HOURS) == {
        "hour": Decimal(1),
        "ceu": Decimal(10),
        "day": Decimal(8),
    }
    assert units.inexact("ceu", HOURS) == {"minute": Fraction(1, 600)}


def test_six_decimals_are_enough_and_seven_are_not():
    fine = {
        "a": UNDERIVED,
        "b": UnitStep(Decimal("0.0001"), "a"),
        "c": UnitStep(Decimal("0.01"), "b"),
    }

    assert units.conversions("a", fine)["c"] == Decimal("0.000001")
    assert "d" in units.inexact("a", {**fine, "d": UnitStep(Decimal("0.1"), "c")})


@pytest.mark.parametrize(
    ("of", "circular"),
    [("hour", []), ("unheard_of", []), ("ceu", ["ceu"]), ("day", ["ceu", "day"])],
)
def test_a_unit_that_leads_back_to_itself_is_found(of, circular):
    steps = {
        "hour": UNDERIVED,
        "ceu": UnitStep(Decimal(10), of),
        "day": UnitStep(Decimal(1), "ceu"),
        "week": UnitStep(Decimal(5), "day"),
    }

    assert [code for code in steps if units.is_circular(code, steps)] == circular
    assert all(units.conversions(code, steps)[code] == 1 for code in steps)


CODES = st.sampled_from("abcdef")
EQUALS = st.decimals("0.0001", "999999", places=4)


@given(st.dictionaries(CODES, st.tuples(EQUALS, CODES | st.just(""))), CODES, CODES, CODES)
def test_converting_there_and_on_is_converting_at_once(told, one, other, third):
    steps = {
        c: UnitStep(equals, of) if of in told else UNDERIVED for c, (equals, of) in told.items()
    }
    if any(units.is_circular(code, steps) for code in steps):
        return
    there = units.ratios(other, steps)
    if one in there and third in there:
        assert there[one] / there[third] == units.ratios(third, steps)[one]
    for own in steps:
        exact = units.conversions(own, steps)
        assert exact[own] == 1
        assert all(exact[c] == r for c, r in units.ratios(own, steps).items() if c in exact)
        assert exact.keys() | units.inexact(own, steps).keys() == units.ratios(own, steps).keys()
