"""domain/points/courses.py: proposals, answers, periods, and what a course may bring."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from tests.domain.examples import POLICY
from tracker.domain.errors import IllegalTransition, Invalid, NotAllowed
from tracker.domain.points import courses
from tracker.domain.points.claims import Claim
from tracker.domain.points.courses import CourseState, CourseVerdict
from tracker.domain.schemes.activity_types import Limits

JAN, DEC = date(2026, 1, 1), date(2026, 12, 31)


@pytest.mark.parametrize(
    ("step", "state", "allowed"),
    [
        ("amend", CourseState.WITHDRAWN, False),
        ("amend", CourseState.REFUSED, True),
        ("approve", CourseState.WITHDRAWN, True),
        ("refuse", CourseState.REFUSED, False),
        ("withdraw", CourseState.WITHDRAWN, False),
        ("withdraw", CourseState.APPROVED, True),
    ],
)
def test_what_is_done_to_a_course_in_a_state(step, state, allowed):
    if allowed:
        courses.check_step(step, state)
    else:
        with pytest.raises(IllegalTransition, match=state):
            courses.check_step(step, state)


@pytest.mark.parametrize(
    ("verdict", "state", "days", "reason", "fields"),
    [
        (CourseVerdict.APPROVED, CourseState.PROPOSED, (JAN, DEC), None, set()),
        (CourseVerdict.APPROVED, CourseState.PROPOSED, (JAN, JAN), None, set()),
        (CourseVerdict.APPROVED, CourseState.PROPOSED, (DEC, JAN), None, {"approved_until"}),
        (CourseVerdict.APPROVED, CourseState.PROPOSED, (JAN, None), None, {"approved_until"}),
        (CourseVerdict.APPROVED, CourseState.APPROVED, (JAN, DEC), None, {"reason"}),
        (CourseVerdict.APPROVED, CourseState.WITHDRAWN, (JAN, DEC), "x", set()),
        (CourseVerdict.REFUSED, CourseState.PROPOSED, (None, None), None, {"reason"}),
        (CourseVerdict.REFUSED, CourseState.PROPOSED, (JAN, None), "x", {"approved_from"}),
        (CourseVerdict.REFUSED, CourseState.PROPOSED, (None, None), "x", set()),
    ],
)
def test_an_answer_has_its_period_and_its_reason(verdict, state, days, reason, fields):
    def check():
        courses.check_answer(
            verdict, state, approved_from=days[0], approved_until=days[1], reason=reason
        )

    if not fields:
        check()
        return
    with pytest.raises(Invalid) as raised:
        check()
    assert raised.value.fields.keys() == fields


@pytest.mark.parametrize(
    ("state", "first", "last", "day", "approved"),
    [
        (CourseState.APPROVED, JAN, DEC, JAN, True),
        (CourseState.APPROVED, JAN, DEC, DEC, True),
        (CourseState.APPROVED, JAN, DEC, date(2027, 1, 1), False),
        (CourseState.APPROVED, None, None, JAN, False),
        (CourseState.WITHDRAWN, JAN, DEC, JAN, False),
    ],
)
def test_a_course_is_approved_on_the_days_of_its_period(state, first, last, day, approved):
    assert courses.is_approved_on(state, first, last, day) is approved


@pytest.mark.parametrize(
    ("quantity", "most", "points"),
    [("16", None, "16.00"), ("16", Decimal(10), "10.00"), ("0.5", None, "0.50")],
)
def test_the_engine_says_what_a_course_may_bring(quantity, most, points):
    kind = replace(POLICY.types["third_party"], limits=Limits(per_event=most))
    policy = replace(POLICY, types={**POLICY.types, "third_party": kind})
    quantity = Decimal(quantity)
    claim = Claim("", kind.category, kind.code, "x", "", quantity, None, JAN, approved=True)

    assert courses.points(policy, claim) == Decimal(points)


NOON = datetime(2026, 10, 12, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ends_at", "fits"),
    [
        (NOON, False),
        (NOON + timedelta(minutes=1), True),
        (NOON + timedelta(days=14), True),
        (NOON + timedelta(days=15), False),
    ],
)
def test_a_code_ends_soon_after_the_class(ends_at, fits):
    assert (courses.code_end_rule(NOON.date(), ends_at, NOON, UTC) is None) is fits


def test_a_code_ends_no_earlier_than_the_day_of_the_class():
    held_on = NOON.date() + timedelta(days=2)
    assert courses.code_end_rule(held_on, NOON + timedelta(days=1), NOON, UTC)


def test_the_last_day_of_a_code_ends_in_the_schemes_time_zone():
    new_york = ZoneInfo("America/New_York")
    late = datetime(2026, 10, 26, 23, 59, tzinfo=new_york)  # the 27th in UTC
    assert courses.code_end_rule(NOON.date(), late, NOON, new_york) is None
    assert courses.code_end_rule(NOON.date(), late + timedelta(minutes=1), NOON, new_york)


def test_whoever_acts_for_the_provider_does_not_attend_by_its_code():
    courses.check_not_own_class("Ivy Tech", acts_for_it=False)
    with pytest.raises(NotAllowed, match="Ivy Tech"):
        courses.check_not_own_class("Ivy Tech", acts_for_it=True)
