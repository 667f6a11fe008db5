"""cli/values.py: arguments are read by the rules of every door."""

import click
import pytest

from tracker.cli.values import DAY, DAYS, REFERENCE, words
from tracker.domain.periods import Period


@pytest.mark.parametrize("text", ["2026-3-5", "20260305", "2026-W10-4", "0001-01-01", "2026-02-29"])
def test_a_day_is_read_as_over_http_and_refused_with_the_rule(text):
    with pytest.raises(click.BadParameter, match=f"'{text}' must be a da"):
        DAY.convert(text, None, None)


def test_two_days_make_a_period():
    first, last = DAY.convert("2026-03-01", None, None), DAY.convert("2026-06-30", None, None)
    assert DAYS.convert("2026-03-01..2026-06-30", None, None) == Period(first, last)
    for text in ("2026-03-01", "2026-03-01..", "2026-3-1..2026-06-30"):
        with pytest.raises(click.BadParameter):
            DAYS.convert(text, None, None)


def test_keys_and_words_are_cleaned_of_what_nobody_sees():
    assert REFERENCE.convert("P1\u200b ", None, None) == "P1"
    assert words(9).convert("Jose\u0301\u00a0 B", None, None) == "José B"
    with pytest.raises(click.BadParameter, match="at most 3 characters"):
        words(3).convert("abcd", None, None)
