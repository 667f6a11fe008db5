"""Which award of two records leads, and how long it lasts (domain/desk/merges.py)."""

from __future__ import annotations

from datetime import date

import pytest

from tracker.domain.credentials.certifications import CycleTerm
from tracker.domain.desk.merges import (
    AwardToUnite,
    RenewedTerm,
    renewed_twice,
    unite,
    united_cycles,
)


def award(id_, awarded, ends, *, kept=True, stands=True):
    ends_on = None if ends is None else date(ends, 6, 1)
    return AwardToUnite(id_, kept, date(awarded, 6, 1), ends_on, stands)


@pytest.mark.parametrize(
    ("awards", "standing", "withdrawn", "leads"),
    [
        ([], (), (), {}),
        ([award("a", 2020, 2025)], ("a",), (), {}),
        (
            [award("a", 2021, 2026), award("b", 2020, 2025, kept=False)],
            ("b",),
            (),
            {"a": "b"},
        ),
        (
            [award("b", 2020, 2025, kept=False), award("a", 2020, 2025)],
            ("a",),
            (),
            {"b": "a"},
        ),
        ([award("a", 2015, 2018), award("b", 2019, 2024, kept=False)], ("a", "b"), (), {}),
        # The one that lasts longer reaches the third.
        (
            [award("a", 2015, 2018), award("b", 2016, 2021), award("c", 2020, 2025)],
            ("a",),
            (),
            {"b": "a", "c": "a"},
        ),
        ([award("a", 2015, None), award("b", 2030, 2035)], ("a",), (), {"b": "a"}),
        (
            [award("a", 2015, 2018, stands=False), award("b", 2016, 2021)],
            ("b",),
            ("a",),
            {},
        ),
    ],
)
def test_of_awards_that_overlap_the_earlier_one_leads(awards, standing, withdrawn, leads):
    united = unite(awards)

    assert (united.standing, united.withdrawn, united.leads) == (standing, withdrawn, leads)


def term(award, starts, renewal=None):
    return RenewedTerm(award, date(starts, 6, 1), date(starts + 5, 5, 31), renewal)


@pytest.mark.parametrize(
    ("terms", "twice"),
    [
        ([term("a", 2015, "a1"), term("a", 2020, "a2")], set()),
        # Both applied for the same term; the other award began a year later.
        ([term("a", 2015, "a1"), term("b", 2016, "b1")], {"b1"}),
        # Only the other award was renewed again.
        ([term("a", 2015, "a1"), term("b", 2016, "b1"), term("b", 2021, "b2")], {"b1"}),
        ([term("a", 2015), term("b", 2015, "b1"), term("c", 2015, "c1")], {"b1", "c1"}),
        # A file gives the terms, and not the application.
        ([term("a", 2015), term("b", 2015)], set()),
        ([term("b", 2015, "b1"), term("b", 2015, "b2"), term("c", 2016, "c1")], {"c1"}),
    ],
)
def test_who_renewed_both_records_has_renewed_once(terms, twice):
    assert renewed_twice(terms) == twice


def cycle(ordinal, starts, ends, *, imported=True):
    ends_on = None if ends is None else date(ends, 1, 1)
    day = date(starts, 1, 1)
    return CycleTerm(ordinal, day, 1, day, ends_on, day, "", imported=imported)


def test_an_award_lasts_as_long_as_the_one_that_leads_to_it():
    short, plain = cycle(1, 2020, 2023), cycle(1, 2020, 2023, imported=False)

    assert united_cycles([plain], [cycle(1, 2019, 2022), cycle(2, 2022, 2023)]) == (plain,)
    assert united_cycles([cycle(1, 2020, None)], [cycle(1, 2021, 2050)])[1:] == ()
    longer = united_cycles([plain], [cycle(2, 2025, None), cycle(1, 2022, 2025)])
    assert longer[0] == short
    assert [(c.ordinal, c.starts_on, c.expires_on) for c in longer[1:]] == [
        (2, date(2023, 1, 2), date(2025, 1, 1)),
        (3, date(2025, 1, 2), None),
    ]
