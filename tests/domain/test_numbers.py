"""domain/numbers.py: certificate numbers as people type them."""

from __future__ import annotations

import pytest

from tracker.domain.numbers import certificate_number, from_elsewhere, key, usual_causes


@pytest.mark.parametrize(
    "typed",
    [
        "CPT-VDN4V-98SGQ",
        "cpt-vdn4v-98sgq",
        "CPTVDN4V98SGQ",
        "CPT VDN4V 98SGQ",
        " CPT-VDN4V98SGQ ",
        "cpt\N{EN DASH}vdn4v\N{NON-BREAKING HYPHEN}98sgq",
        "CPT-VDN4V-\N{ZERO WIDTH SPACE}98SGQ",
    ],
)
def test_blanks_case_and_hyphens_of_a_number_are_forgiven(typed):
    assert key(typed) == key("CPT-VDN4V-98SGQ") == "CPTVDN4V98SGQ"


def test_numbers_of_other_systems_are_compared_alike():
    assert key("old-17 b") == key("OLD17B")
    assert key("2014/00123") == key("2014-00123") == "201400123"
    assert key("00123") != key("123")


@pytest.mark.parametrize(
    "number", ["CPT-VDN4V-98SGQ", "00123", "2014/00123", "MSSC 123.4", "a_b-9", "7", "A" * 32]
)
def test_numbers_of_any_reasonable_form_are_taken(number):
    assert from_elsewhere(number) == number


@pytest.mark.parametrize("number", ["-", "A--B", "-12", "12-", "12#3", "Nº 12", "1,234"])
def test_others_are_refused_with_the_form_that_they_may_have(number):
    with pytest.raises(ValueError, match=r"^must be a certificate number of letters and digits"):
        from_elsewhere(number)


@pytest.mark.parametrize(
    ("number", "rule"),
    [("", "not be empty"), ("A" * 33, "at most 32 characters"), ("a\tb", "one line of text")],
)
def test_a_number_is_a_line_of_text_like_others(number, rule):
    with pytest.raises(ValueError, match=rule):
        from_elsewhere(number)


def test_a_number_from_elsewhere_is_kept_with_plain_hyphens():
    assert from_elsewhere(" 2014\N{EN DASH}00123\N{ZERO WIDTH SPACE}") == "2014-00123"


@pytest.mark.parametrize("number", ["N/A", "none", "TBD", "pending", "0", "0000", "XXXX", "n.a"])
def test_words_that_stand_for_no_number_are_recognized(number):
    with pytest.raises(ValueError, match=r"^means that there is none"):
        from_elsewhere(number)


@pytest.mark.parametrize("number", ["2022001.0", "7.0"])
def test_a_whole_number_that_a_program_made_a_fraction_is_refused(number):
    with pytest.raises(ValueError, match="wrote as a fraction"):
        from_elsewhere(number)
    assert from_elsewhere(number + "5") == number + "5"


def test_a_number_is_kept_as_it_was_given_with_plain_hyphens():
    given = " cpt\N{EN DASH}vdn4v\N{NON-BREAKING HYPHEN}98sgq\N{ZERO WIDTH SPACE}"
    assert certificate_number(given) == "cpt-vdn4v-98sgq"
    with pytest.raises(ValueError, match="at most 32 characters"):
        certificate_number("x" * 33)


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("CPT-VDN4V-98SGQ", ["other_name", "mistyped", "not_on_record"]),
        ("cpt m vdn4v98sgq", ["other_name", "mistyped", "not_on_record"]),
        ("CPT-VDN4V-98SG0", ["wrong_character", "mistyped", "not_on_record"]),
        ("CPT-VDN4V-98S", ["wrong_length", "mistyped", "not_on_record"]),
        ("CPT-0", ["wrong_character", "wrong_length", "mistyped", "not_on_record"]),
        ("2014/00123", ["other_issuer", "mistyped", "not_on_record"]),
    ],
)
def test_the_usual_causes_of_a_wrong_number_are_told_from_the_number_alone(number, expected):
    assert list(usual_causes(number, ["CLT", "CPT"])) == expected
