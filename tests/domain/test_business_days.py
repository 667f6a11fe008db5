"""Business days (``domain/business_days.py``): Monday to Friday, no holidays."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.domain import business_days

FRIDAY, SATURDAY, MONDAY = date(2026, 11, 20), date(2026, 11, 21), date(2026, 11, 23)
DAYS = st.dates(date(2020, 1, 1), date(2030, 1, 1))


@pytest.mark.parametrize(
    ("begin", "end", "days"),
    [
        (FRIDAY, FRIDAY, 0),
        (FRIDAY, SATURDAY, 0),
        (FRIDAY, MONDAY, 1),
        (SATURDAY, MONDAY, 1),
        (MONDAY, FRIDAY, 0),
        (FRIDAY, date(2026, 12, 4), 10),
        (date(2026, 12, 24), date(2026, 12, 28), 2),  # Christmas Day is not left out
    ],
)
def test_the_days_between(begin, end, days):
    assert business_days.between(begin, end) == days


@given(DAYS, st.integers(0, 60))
def test_every_day_between_is_counted_once(begin, length):
    end = begin + timedelta(length)
    counted = sum((begin + timedelta(n)).weekday() < 5 for n in range(1, length + 1))

    assert business_days.between(begin, end) == counted


@given(DAYS, st.integers(0, 60))
def test_the_day_before_is_the_latest_from_which_so_many_pass(day, count):
    begin = business_days.before(day, count)

    assert business_days.between(begin, day) == count
    if count:
        assert business_days.between(begin + timedelta(1), day) < count


def test_a_day_before():
    assert business_days.before(MONDAY, 0) == MONDAY
    assert business_days.before(MONDAY, 1) == date(2026, 11, 22)
    assert business_days.before(FRIDAY, 10) == date(2026, 11, 8)
