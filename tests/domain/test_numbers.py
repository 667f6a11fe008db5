"""domain/numbers.py: certificate numbers as people type them."""

from __future__ import annotations

import pytest

from tracker.domain.numbers import certificate_number, spellings


@pytest.mark.parametrize(
    "typed",
    [
        "CPT-VDN4V-98SGQ", "cpt-vdn4v-98sgq", "CPTVDN4V98SGQ", "CPT VDN4V 98SGQ",
        " CPT-VDN4V98SGQ ",
        "cpt\N{EN DASH}vdn4v\N{NON-BREAKING HYPHEN}98sgq", "CPT-VDN4V-\N{ZERO WIDTH SPACE}98SGQ",
    ],
)  # fmt: skip
def test_blanks_case_and_hyphens_of_a_number_are_forgiven(typed):
    assert "CPT-VDN4V-98SGQ" in spellings(typed, ["CLT", "CPT"])


def test_a_number_of_another_form_is_taken_as_it_was_typed():
    assert spellings("old-17 b", ["CPT"]) == {"old-17 b", "OLD-17 B", "OLD-17B"}
    assert spellings("CPT-VDN4V-98SG", ["CPT"]) == {"CPT-VDN4V-98SG"}
    assert spellings("VDN4V-98SGQ", ["CPT"]) == {"VDN4V-98SGQ"}


def test_a_number_is_kept_as_it_was_given_with_plain_hyphens():
    given = " cpt\N{EN DASH}vdn4v\N{NON-BREAKING HYPHEN}98sgq\N{ZERO WIDTH SPACE}"
    assert certificate_number(given) == "cpt-vdn4v-98sgq"
    with pytest.raises(ValueError, match="at most 32 characters"):
        certificate_number("x" * 33)
