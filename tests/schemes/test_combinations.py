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
