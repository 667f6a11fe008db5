"""The latest safe day (``domain/points/safe_days.py``)."""

from __future__ import annotations

from datetime import date

import pytest

from tracker.domain.points.safe_days import ExpectedWait, SafeDay, expected_wait, latest_safe_day

TODAY = date(2026, 11, 21)
CLOSES = date(2026, 12, 25)  # a Friday


@pytest.mark.parametrize(
    ("measured", "decisions", "wait"),
    [
        (None, 0, ExpectedWait(10, measured=False)),
        (4, 19, ExpectedWait(10, measured=False)),
        (4, 20, ExpectedWait(4, measured=True)),
        (0, 20, ExpectedWait(1, measured=True)),
        (30, 20, ExpectedWait(30, measured=True)),
    ],
)
def test_too_few_decisions_say_nothing(measured, decisions, wait):
    assert expected_wait(measured, decisions, enough=20, service_level=10) == wait


@pytest.mark.parametrize(
    ("days", "safe"), [(0, CLOSES), (5, date(2026, 12, 20)), (30, date(2026, 11, 15))]
)
def test_the_wait_is_taken_off_in_business_days(days, safe):
    """The last case is past already, and is said."""
    wait = ExpectedWait(days, measured=True)

    assert latest_safe_day(CLOSES, wait, on=TODAY) == SafeDay(safe, wait)


@pytest.mark.parametrize("closes_on", [None, date(2026, 11, 20)])
def test_without_a_window_to_come_there_is_none(closes_on):
    assert latest_safe_day(closes_on, ExpectedWait(3, measured=True), on=TODAY) is None
