"""Calendar arithmetic: anniversaries, windows, completed months."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.domain.periods import (
    Duration,
    Period,
    add_months,
    begun_months,
    completed_months,
    months_in,
    nth_expiry,
)

FIVE_YEARS = Duration(5, "years")
DATES = st.dates(date(1990, 1, 1), date(2100, 12, 31))


@pytest.mark.parametrize(
    ("n", "expires_on"),
    [
        (1, date(2029, 2, 28)),
        (2, date(2034, 2, 28)),
        (3, date(2039, 2, 28)),
        (4, date(2044, 2, 29)),
    ],
)
def test_expiries_of_a_leap_day_award_are_counted_from_the_award_and_never_chained(n, expires_on):
    """worked_cases.md D3, case 1."""
    assert nth_expiry(date(2024, 2, 29), FIVE_YEARS, n) == expires_on


@pytest.mark.parametrize(
    ("duration", "day", "before"),
    [
        (Duration(90, "days"), date(2029, 2, 28), date(2028, 11, 30)),
        (Duration(90, "days"), date(2015, 11, 12), date(2015, 8, 14)),
        (Duration(3, "months"), date(2015, 11, 12), date(2015, 8, 12)),
        (Duration(1, "months"), date(2027, 3, 31), date(2027, 2, 28)),
        (Duration(1, "years"), date(2028, 2, 29), date(2027, 2, 28)),
        (Duration(0, "days"), date(2028, 2, 29), date(2028, 2, 29)),
    ],
)
def test_a_duration_before_a_day_is_counted_in_its_own_unit(duration, day, before):
    """worked_cases.md D5: the window."""
    assert duration.before(day) == before


@pytest.mark.parametrize(
    ("day", "months", "moved"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2028, 1, 31), 1, date(2028, 2, 29)),
        (date(2026, 12, 31), 2, date(2027, 2, 28)),
        (date(2026, 3, 30), -1, date(2026, 2, 28)),
        (date(2026, 1, 15), -13, date(2024, 12, 15)),
        (date(2026, 11, 30), 1, date(2026, 12, 30)),
    ],
)
def test_a_day_that_the_month_lacks_becomes_its_last_day(day, months, moved):
    assert add_months(day, months) == moved


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "completed", "begun"),
    [
        (date(2024, 10, 15), date(2026, 5, 31), 19, 20),
        (date(2026, 1, 1), date(2026, 1, 31), 1, 1),
        (date(2026, 1, 1), date(2026, 1, 30), 0, 1),
        (date(2026, 1, 1), date(2026, 1, 1), 0, 1),
        (date(2026, 1, 31), date(2026, 2, 27), 1, 1),
        (date(2026, 1, 31), date(2026, 2, 28), 1, 2),
        (date(2026, 1, 15), date(2026, 2, 14), 1, 1),
        (date(2026, 1, 15), date(2026, 2, 15), 1, 2),
        (date(2024, 2, 29), date(2025, 2, 27), 12, 12),
    ],
)
def test_completed_and_begun_months_count_both_ends(starts_on, ends_on, completed, begun):
    """worked_cases.md case 5: the largest m with s + m months - 1 day <= e."""
    period = Period(starts_on, ends_on)

    assert (completed_months(period), begun_months(period)) == (completed, begun)


@pytest.mark.parametrize(
    ("rule", "months"), [("completed", "19"), ("pro_rata", "19.52"), ("fifteen_days", "20")]
)
def test_how_months_are_counted_is_data(rule, months):
    """worked_cases.md case 5: 594 days."""
    period = Period(date(2024, 10, 15), date(2026, 5, 31))

    assert period.days == 594
    assert months_in(period, rule) == Decimal(months)


@pytest.mark.parametrize(("last", "months"), [(date(2026, 2, 14), 1), (date(2026, 2, 15), 2)])
def test_fifteen_days_and_no_fewer_make_a_month(last, months):
    assert months_in(Period(date(2026, 1, 1), last), "fifteen_days") == months


def test_a_period_includes_both_its_ends():
    period = Period(date(2026, 1, 1), date(2026, 1, 3))

    assert period.days == 3
    assert [date(2026, 1, 1) + timedelta(n) in period for n in range(-1, 4)] == [
        False,
        True,
        True,
        True,
        False,
    ]


def test_two_periods_share_the_days_that_lie_in_both():
    january = Period(date(2026, 1, 1), date(2026, 1, 31))

    assert january.clip(Period(date(2026, 1, 31), date(2026, 3, 1))) == Period(
        date(2026, 1, 31), date(2026, 1, 31)
    )
    assert january.clip(Period(date(2026, 2, 1), date(2026, 3, 1))) is None


@given(day=DATES, months=st.integers(-600, 600))
def test_months_added_end_in_the_right_month_on_that_day_or_on_the_last(day, months):
    moved = add_months(day, months)

    assert (moved.year - day.year) * 12 + moved.month - day.month == months
    assert moved.day == day.day or (moved + timedelta(1)).day == 1


@given(day=DATES, earlier=st.integers(0, 400), months=st.integers(0, 200))
def test_an_earlier_day_is_never_moved_past_a_later_one(day, earlier, months):
    assert add_months(day - timedelta(earlier), months) <= add_months(day, months)


@given(anchor=DATES, n=st.integers(1, 12))
def test_every_anniversary_keeps_the_month_of_the_award(anchor, n):
    expires_on = nth_expiry(anchor, FIVE_YEARS, n)

    assert (expires_on.year, expires_on.month) == (anchor.year + 5 * n, anchor.month)
    assert expires_on.day == anchor.day or (anchor.month, anchor.day, expires_on.day) == (2, 29, 28)


@given(starts_on=DATES, length=st.integers(0, 3000))
def test_completed_months_are_the_most_that_fit_and_begun_ones_the_fewest_that_cover(
    starts_on, length
):
    period = Period(starts_on, starts_on + timedelta(length))
    fit = [m for m in range(110) if add_months(starts_on, m) - timedelta(1) <= period.ends_on]
    cover = [m for m in range(110) if add_months(starts_on, m) > period.ends_on]

    assert completed_months(period) == fit[-1]
    assert begun_months(period) == cover[0]
