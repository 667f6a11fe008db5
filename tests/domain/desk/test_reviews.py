"""Reviews (``domain/desk/reviews.py``): locks, waits, and how long decisions took."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from tracker.domain.desk.reviews import (
    ReviewLock,
    Wait,
    WaitTimes,
    check_unlocked,
    latest_overdue_start,
)
from tracker.domain.errors import UnderReview

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
LOCK = ReviewLock("1", "Rae", NOON, NOON + timedelta(minutes=15))
MONDAY = date(2026, 11, 2)


@pytest.mark.parametrize(
    ("lock", "who", "minutes"), [(None, "2", 0), (LOCK, "1", 14), (LOCK, "2", 15), (LOCK, "2", 99)]
)
def test_a_review_is_open_to_who_has_it_and_to_anybody_afterwards(lock, who, minutes):
    check_unlocked(lock, who, NOON + timedelta(minutes=minutes))


@pytest.mark.parametrize("who", ["2", None])
def test_others_are_told_who_has_it_and_until_when(who):
    with pytest.raises(UnderReview) as refused:
        check_unlocked(LOCK, who, NOON + timedelta(minutes=10, seconds=1))

    assert refused.value.facts == {
        "reviewer": "Rae",
        "since": NOON,
        "until": NOON + timedelta(minutes=15),
    }
    assert "Rae has this review open until 12:15 UTC" in refused.value.detail
    assert "at most 5 more minutes" in refused.value.detail
    with pytest.raises(UnderReview, match="at most one more minute;"):
        check_unlocked(LOCK, who, NOON + timedelta(minutes=14, seconds=1))


def test_the_time_with_the_holder_is_not_waited():
    asked = Wait(MONDAY, stopped_on=date(2026, 11, 5))
    assert [asked.days(day) for day in (date(2026, 11, 5), date(2026, 11, 30))] == [3, 3]
    assert not asked.is_overdue(date(2027, 1, 1), 10)
    again = asked.resumed(date(2026, 11, 30))
    assert again.days(date(2026, 11, 30)) == 3
    assert again.days(date(2026, 12, 9)) == 10
    assert [again.is_overdue(date(2026, 12, day), 10) for day in (9, 10)] == [False, True]


@pytest.mark.parametrize("days", range(21))
@pytest.mark.parametrize("on", [date(2026, 11, day) for day in (20, 21, 22, 23)])
def test_the_filter_finds_what_the_rule_calls_overdue(days, on):
    begins_on = on - timedelta(days)

    assert (begins_on <= latest_overdue_start(on, 10)) == Wait(begins_on).is_overdue(on, 10)


@pytest.mark.parametrize(
    ("decisions", "median", "most"),
    [
        ({}, None, None),
        ({3: 1}, 3, 3),
        ({1: 1, 5: 1}, 1, 5),
        ({1: 5, 2: 4, 30: 1}, 1, 2),
        ({0: 1, 10: 9}, 10, 10),
    ],
)
def test_percentiles_are_days_that_were_measured(decisions, median, most):
    times = WaitTimes(decisions)

    assert (times.percentile(50), times.percentile(90)) == (median, most)


def test_wait_times_add_up():
    assert WaitTimes({1: 2, 3: 1}) + WaitTimes({3: 4}) == WaitTimes({1: 2, 3: 5})
    assert WaitTimes({1: 2, 3: 5}).count == 7
