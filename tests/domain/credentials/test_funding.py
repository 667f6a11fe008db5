"""Sums of who paid for attempts (domain/credentials/funding.py)."""

from datetime import date
from decimal import Decimal

import pytest

from tracker.domain.credentials.funding import (
    FundedMonth,
    FundingPeriod,
    attempts_of,
    period_of,
    report,
    source,
    sources_rule,
)
from tracker.domain.periods import Period

YEAR = Period(date(2026, 2, 10), date(2026, 12, 31))


@pytest.mark.parametrize(
    ("month", "kind", "starts_on", "ends_on"),
    [
        (2, "month", date(2028, 2, 1), date(2028, 2, 29)),
        (1, "quarter", date(2028, 1, 1), date(2028, 3, 31)),
        (3, "quarter", date(2028, 1, 1), date(2028, 3, 31)),
        (4, "quarter", date(2028, 4, 1), date(2028, 6, 30)),
        (12, "quarter", date(2028, 10, 1), date(2028, 12, 31)),
        (7, "year", date(2028, 1, 1), date(2028, 12, 31)),
    ],
)
def test_periods_are_those_of_the_calendar(month, kind, starts_on, ends_on):
    assert period_of(2028, month, FundingPeriod(kind)) == Period(starts_on, ends_on)


def month(number, funding="wioa", *, passed=True, **more):
    amount = more.get("amount", Decimal(90))
    center_id = more.get("center_id", "c1")
    without = 0 if amount else 2
    firsts = more.get("firsts", 2)
    return FundedMonth(2026, number, funding, center_id, passed, 2, firsts, without, amount)


def test_months_with_all_in_common_are_one_line_of_the_period():
    [line] = report([month(4), month(5, amount=None), month(6)], FundingPeriod.QUARTER, YEAR)
    assert (line.attempts, line.without_amount, line.amount) == (6, 2, Decimal(180))
    assert (line.starts_on, line.ends_on) == (date(2026, 4, 1), date(2026, 6, 30))


def test_lines_differ_by_period_source_center_and_outcome_and_are_in_that_order():
    months = [
        month(5),
        month(2),
        month(2, funding=None, center_id=None),
        month(2, passed=False),
        month(2, funding="self"),
        month(2, center_id="c0"),
    ]
    lines = report(months, FundingPeriod.MONTH, YEAR)
    assert [(one.starts_on.month, one.funding, one.center_id, one.passed) for one in lines] == [
        (2, None, None, True),
        (2, "self", "c1", True),
        (2, "wioa", "c0", True),
        (2, "wioa", "c1", True),
        (2, "wioa", "c1", False),
        (5, "wioa", "c1", True),
    ]
    assert lines[0].starts_on == YEAR.starts_on


def test_an_attempt_counts_once_whoever_pays_for_it():
    """Two attempts that WIOA pays first and the candidate beside it."""
    lines = report([month(2), month(2, "self", firsts=0)], FundingPeriod.MONTH, YEAR)
    assert [line.attempts for line in lines] == [2, 2]
    assert attempts_of(lines, funding=None) == 2
    assert attempts_of(lines[:1], funding="self") == 2


@pytest.mark.parametrize(
    ("first", "more", "rule"),
    [
        ("wioa", [], None),
        ("wioa", ["self", "college"], None),
        (None, ["self"], "name that source first"),
        ("wioa", ["self", "wioa"], "names a source twice: wioa"),
        ("wioa", ["self", "self"], "names a source twice: self"),
        ("wioa", ["self", "college", "employer", "gi_bill"], "more than 4 sources"),
    ],
)
def test_each_source_of_an_attempt_is_named_once(first, more, rule):
    found = sources_rule(first, [source(one) for one in more])
    assert (found is None) if rule is None else (rule in (found or ""))
