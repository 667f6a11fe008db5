"""Values that every door compares alike (``tracker.domain.values``)."""

from datetime import date

import pytest

from tracker.domain.values import folded, future_rule, run_together


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("García", "garcia"),
        ("O'Neill", "O\N{RIGHT SINGLE QUOTATION MARK}NEILL"),
        ("Núñez-García", "nunez garcia"),
        ("Łukasz  Øst", "lukasz ost"),
        ("So\N{ZERO WIDTH SPACE}to", "Soto"),
        ("e\N{COMBINING ACUTE ACCENT}", "é"),
    ],
)
def test_names_that_people_take_for_the_same_are_folded_alike(left, right):
    assert folded(left) == folded(right)


def test_letters_of_other_scripts_are_kept():
    assert folded("王 小明") == "王 小明"


def test_words_stay_apart_unless_they_are_run_together():
    assert folded("de la Cruz") == "de la cruz"
    assert run_together("de la Cruz") == run_together("DelaCruz")


def test_only_a_later_day_is_in_the_future():
    today = date(2026, 11, 28)

    assert (
        future_rule(date(2026, 11, 29), today) == "must not be in the future (today is 2026-11-28)"
    )
    assert future_rule(today, today) is None
    assert future_rule(None, today) is None
