"""The days that a digest is about: weeks, months, and periods that were missed."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.domain.delivery import digests
from tracker.domain.delivery.digests import DigestFrequency
from tracker.domain.periods import DAY, Period

MONDAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("every", "today", "starts_on", "ends_on"),
    [
        ("week", MONDAY, date(2026, 11, 16), date(2026, 11, 22)),
        ("week", MONDAY - DAY, date(2026, 11, 9), date(2026, 11, 15)),
        ("week", date(2027, 1, 3), date(2026, 12, 21), date(2026, 12, 27)),
        ("month", date(2026, 12, 1), date(2026, 11, 1), date(2026, 11, 30)),
        ("month", date(2026, 11, 30), date(2026, 10, 1), date(2026, 10, 31)),
        ("month", date(2028, 3, 1), date(2028, 2, 1), date(2028, 2, 29)),
        ("month", date(2027, 1, 15), date(2026, 12, 1), date(2026, 12, 31)),
    ],
)
def test_a_period_is_over_on_the_day_after_its_last(every, today, starts_on, ends_on):
    assert digests.last_closed(every, today) == Period(starts_on, ends_on)
    assert digests.owed(every, today=today, through_on=None) == Period(starts_on, ends_on)


def test_nothing_is_owed_while_the_period_runs():
    sunday = MONDAY - DAY
    assert digests.owed(DigestFrequency.WEEK, today=MONDAY, through_on=sunday) is None
    assert (
        digests.owed(DigestFrequency.WEEK, today=MONDAY + timedelta(days=6), through_on=sunday)
        is None
    )
    later = digests.owed(DigestFrequency.WEEK, today=MONDAY + timedelta(days=7), through_on=sunday)
    assert later == Period(MONDAY, MONDAY + timedelta(days=6))


def test_missed_periods_are_told_of_in_one():
    told = date(2026, 8, 31)
    assert digests.owed(DigestFrequency.MONTH, today=date(2026, 12, 5), through_on=told) == Period(
        date(2026, 9, 1), date(2026, 11, 30)
    )


@pytest.mark.parametrize(
    ("every", "today", "cutoff"),
    [
        ("week", MONDAY, date(2026, 11, 30)),
        ("week", MONDAY - DAY, MONDAY),
        ("month", date(2026, 12, 1), date(2027, 1, 1)),
        ("month", date(2026, 12, 31), date(2027, 1, 1)),
    ],
)
def test_the_next_digest_is_written_on_the_first_day_after_the_running_period(every, today, cutoff):
    assert digests.next_cutoff(every, today) == cutoff


@given(
    every=st.sampled_from(digests.DigestFrequency),
    start=st.dates(date(2000, 1, 1), date(2100, 1, 1)),
    steps=st.lists(st.integers(0, 70), max_size=30),
)
def test_whenever_the_job_runs_no_day_is_told_of_twice_and_none_is_left_out(every, start, steps):
    told, today, periods = start - DAY, start, []
    for step in steps:
        today += timedelta(days=step)
        if (period := digests.owed(every, today=today, through_on=told)) is not None:
            periods.append(period)
            told = period.ends_on
        assert told < today
        assert digests.next_cutoff(every, today) > today
    days = [start, *(p.ends_on + DAY for p in periods)]
    assert [p.starts_on for p in periods] == days[:-1]
