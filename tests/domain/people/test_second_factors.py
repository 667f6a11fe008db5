"""Codes of authenticator apps, and recovery codes (domain/people/second_factors.py)."""

from datetime import UTC, datetime

import pytest

from tracker.domain.people import second_factors

NOW = datetime(2026, 11, 21, 17, 0, 29, tzinfo=UTC)


def test_the_code_of_now_counts_and_those_of_half_a_minute_before_and_after():
    present = int(NOW.timestamp()) // 30

    assert list(second_factors.counters(NOW)) == [present, present - 1, present + 1]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("123456", True),
        ("12345", False),
        ("1234567", False),
        ("12345a", False),
        ("\uff11\uff12\uff13\uff14\uff15\uff16", False),
    ],
)
def test_a_code_of_an_app_is_six_digits(text, found):
    assert second_factors.is_code(text) is found


def test_a_recovery_code_is_the_same_however_it_is_typed():
    code = second_factors.recovery_code(b"\x00\x44\x32\x14\xc7")

    assert code == "ABCD-EFGH"
    typed = [code, code.lower(), " abcd efgh ", "ABCDEFGH", "a-b-c-d-e-f-g-h"]
    assert {second_factors.recovery_form(text) for text in typed} == {"ABCDEFGH"}


def test_a_secret_is_read_in_groups():
    assert second_factors.grouped("ABCDEFGHIJ") == "ABCD EFGH IJ"
