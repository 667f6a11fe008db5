"""What an employer is told of its workers."""

from datetime import date, timedelta

import pytest

from tracker.domain.employers import workforce
from tracker.domain.employers.workforce import WORKER_STATUSES, WorkforceSegment, forecast
from tracker.domain.periods import Period

ON = date(2026, 11, 21)


def test_the_forecast_has_24_calendar_months_from_the_month_of_the_day():
    months = [month for month, _ in forecast({}, on=ON)]

    assert (len(months), months[0], months[-1]) == (24, date(2026, 11, 1), date(2028, 10, 1))


@pytest.mark.parametrize("make", [dict, list])
def test_the_forecast_counts_expiries_from_the_day_to_the_end_of_the_last_month(make):
    expiries = make(
        [
            (date(2026, 11, 20), 100),  # has passed
            (date(2026, 11, 21), 1),
            (date(2026, 11, 30), 2),
            (date(2027, 2, 28), 4),
            (date(2028, 10, 31), 8),
            (date(2028, 11, 1), 200),  # lies past the last month
        ]
    )
    counted = {month: count for month, count in forecast(expiries, on=ON) if count}

    assert counted == {date(2026, 11, 1): 3, date(2027, 2, 1): 4, date(2028, 10, 1): 8}


def test_the_forecast_adds_up_pairs_of_the_same_day():
    pairs = [(date(2027, 1, 5), 1), (date(2027, 1, 5), 2)]

    assert dict(forecast(pairs, on=ON))[date(2027, 1, 1)] == 3


def test_each_threshold_spans_the_days_up_to_it_both_ends_counted():
    assert workforce.Thresholds().periods(ON) == {
        180: Period(ON, date(2027, 5, 20)),
        90: Period(ON, date(2027, 2, 19)),
        30: Period(ON, date(2026, 12, 21)),
    }


def test_the_expired_come_first_then_the_soonest_and_last_those_without_end():
    expiries = [None, date(2028, 1, 1), date(2020, 1, 1), date(2027, 1, 1)]

    assert sorted(expiries, key=workforce.urgency) == [
        date(2020, 1, 1),
        date(2027, 1, 1),
        date(2028, 1, 1),
        None,
    ]


@pytest.mark.parametrize(
    ("month", "days"),
    [
        (date(2026, 11, 1), Period(ON, date(2026, 11, 30))),
        (date(2028, 2, 1), Period(date(2028, 2, 1), date(2028, 2, 29))),
    ],
)
def test_the_days_of_a_month_that_lie_ahead(month, days):
    assert workforce.days_ahead(month, on=ON) == days


def test_an_employer_never_learns_of_modules_passed_without_an_award():
    assert "in_progress" not in workforce.WORKER_STATUSES
    assert {"not_certified", "not_shared"} < set(workforce.WORKER_STATUSES)


@pytest.mark.parametrize(
    ("status", "days", "part"),
    [
        ("active", 0, "due_first"),
        ("renewal_open", 30, "due_first"),
        ("active", 31, "due_second"),
        ("active", 90, "due_second"),
        ("active", 91, "due_third"),
        ("active", 181, "later"),
        ("active", None, "later"),
        ("grace", -3, "past"),
        ("pending_renewal", None, "past"),
        ("expired", -3, "past"),
        ("suspended", 3, "stopped"),
        ("withdrawn", 3, "stopped"),
        ("not_certified", None, "not_certified"),
        ("not_shared", None, "not_shared"),
    ],
)
def test_a_worker_belongs_to_one_part_by_status_and_days(status, days, part):
    expires_on = None if days is None else ON + timedelta(days)

    assert workforce.segment(status, expires_on, on=ON) == part


def test_every_status_has_a_part():
    parts = {workforce.segment(status, ON, on=ON) for status in WORKER_STATUSES}

    assert parts == set(WorkforceSegment) - {"due_second", "due_third", "later"}


def test_other_thresholds_make_other_parts():
    days = workforce.Thresholds(10, 20, 40)

    parts = [
        workforce.segment("active", ON + timedelta(n), on=ON, thresholds=days)
        for n in (10, 11, 21, 40, 41)
    ]

    assert parts == ["due_first", "due_second", "due_third", "due_third", "later"]
    assert [*days.periods(ON)] == [40, 20, 10]
