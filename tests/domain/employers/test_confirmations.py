"""Days of employment that employers confirm (domain/employers/confirmations.py)."""

from datetime import date

import pytest

from tracker.domain.employers.confirmations import (
    check_days,
    check_permission,
    covers,
    days_of,
    missing,
)
from tracker.domain.errors import Invalid
from tracker.domain.periods import Period

TODAY = date(2027, 2, 1)
LISTED = date(2025, 3, 10)


def test_the_years_that_are_over_are_due_since_the_worker_was_listed():
    due = missing(LISTED, {2026}, today=TODAY)
    assert [(one.year, one.period) for one in due] == [(2025, Period(LISTED, date(2025, 12, 31)))]
    assert missing(date(2027, 1, 5), (), today=TODAY) == []
    assert days_of(2027, since=LISTED, today=TODAY) == Period(date(2027, 1, 1), TODAY)


@pytest.mark.parametrize(
    ("days", "field"),
    [
        ((date(2026, 1, 1), date(2026, 12, 31)), None),
        ((date(2025, 12, 31), date(2026, 12, 31)), "starts_on"),
        ((date(2026, 1, 1), date(2027, 1, 1)), "ends_on"),
        ((date(2026, 5, 1), date(2026, 4, 30)), "ends_on"),
    ],
)
def test_the_days_are_of_the_year(days, field):
    if field is None:
        check_days(2026, Period(*days), today=TODAY)
        return
    with pytest.raises(Invalid) as refused:
        check_days(2026, Period(*days), today=TODAY)
    assert [*refused.value.fields] == [field]


def test_no_day_to_come_is_confirmed():
    with pytest.raises(Invalid):
        check_days(2027, Period(date(2027, 1, 1), date(2027, 2, 2)), today=TODAY)


YEARS = [
    Period(date(2026, 1, 1), date(2026, 12, 31)),
    Period(date(2025, 3, 10), date(2025, 12, 31)),
]


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "covered"),
    [
        (date(2025, 3, 10), date(2026, 12, 31), True),
        (date(2025, 3, 9), date(2026, 12, 31), False),
        (date(2026, 2, 1), date(2027, 1, 1), False),
        (date(2026, 2, 1), date(2026, 2, 1), True),
    ],
)
def test_years_together_cover_a_job_if_no_day_is_left_out(starts_on, ends_on, covered):
    assert covers(YEARS, Period(starts_on, ends_on)) is covered
    assert not covers([], Period(starts_on, ends_on))


@pytest.mark.parametrize(
    "days",
    [
        (date(2027, 1, 1), date(2027, 1, 31)),
        (date(2027, 2, 2), date(2027, 2, 1)),
        (TODAY, date(2027, 8, 1)),
    ],
)
def test_a_permission_has_not_ended_and_does_not_last_long(days):
    check_permission(Period(TODAY, date(2027, 7, 1)), today=TODAY)
    with pytest.raises(Invalid):
        check_permission(Period(*days), today=TODAY)


def test_a_permission_begins_soon():
    check_permission(Period(date(2027, 7, 31), date(2027, 8, 31)), today=TODAY)
    with pytest.raises(Invalid) as refused:
        check_permission(Period(date(2027, 8, 1), date(2027, 8, 31)), today=TODAY)
    assert refused.value.fields.keys() == {"starts_on"}
