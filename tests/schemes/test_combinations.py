"""Keys of a policy that need or exclude each other (``combinations``), each named at its key."""

from __future__ import annotations

import pytest

THIRD = 'version = "2090"'


@pytest.mark.parametrize("key", ["per_year", "maximum"])
def test_a_sum_that_is_rounded_shares_no_cap_with_another(found, key):
    safety = f'[policies.tags.s]\nname = {{ en = "S", es = "S" }}\n{key} = "5.00"\n'
    first = "[policies.categories.A]"

    assert found((first, f"{safety}{first}"), after=THIRD) == [
        (
            f"policies.2.tags.s.{key}", '"5.00"',
            'contradicts rounding_of = "category": a tag bears on several categories',
        )
    ]  # fmt: skip


def test_a_sum_that_is_rounded_may_have_a_tag_without_such_a_cap(found):
    safety = '[policies.tags.s]\nname = { en = "S", es = "S" }\nminimum = "5.00"\n'
    first = "[policies.categories.A]"

    assert found((first, f"{safety}{first}"), after=THIRD) == []


def test_a_type_ends_no_earlier_than_it_begins(found):
    told = found(("until = 2095-12-31", "until = 2009-12-31"))

    assert told == [
        ("policies.1.types.course.until", "2009-12-31", "must not be before from, 2010-01-01")
    ]


def test_a_type_may_count_on_a_single_day(found):
    assert found(("until = 2095-12-31", "until = 2010-01-01")) == []


def test_a_misspelt_day_of_a_type_is_told_by_the_name_of_its_key(found):
    ((key, _, rule),) = found(("from = 2010-01-01", "frm = 2010-01-01"))

    assert (key, rule) == (
        "policies.1.types.course.frm", "is not a known key; did you mean 'from'?",
    )  # fmt: skip
