"""Claims that are probably one activity: what is alike enough, and what is told apart."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.examples import claim, job
from tests.domain.points.language import dated
from tracker.domain.points.claims import Claim
from tracker.domain.points.likeness import CLOSE, difference, likeness

DAY = date(2026, 2, 1)
COURSE = replace(claim("third_party", "16", DAY), title="Robot Safety", provider="Amatrol")
LEVEL = replace(
    claim("industry_certification", "1", DAY), title="SMSCP Level 1", provider="Siemens"
)
JOB = replace(
    job("full_time", date(2025, 1, 1), date(2025, 12, 31)),
    title="Technician",
    provider="Palmetto Motors",
)


def course(title: str = "Robot Safety", provider: str = "Amatrol", days: int = 0) -> Claim:
    done = DAY + timedelta(days)
    return replace(COURSE, title=title, provider=provider, completed_on=done)


@pytest.mark.parametrize(
    "other",
    [
        course(),
        course("robot safety", "AMATROL"),
        course("Robot  Safety"),
        course("Robot\N{NO-BREAK SPACE}Safety"),
        course("Róbot Sáfety"),
        course("Robot-Safety!"),
        course("RobotSafety"),
        course("Safety, Robot"),
        course("Robot Saftey"),
        course("Robot Safety", "Amatrol, Inc."),
        course("Robot Safety", "The Amatrol Company"),
        course("Robot Safety", "Amatrol LLC"),
        course("Robot Safety", "Amatroll"),
        course("Robot Safety", ""),
        course("Robot Safety", "Amatrol Learning"),
        course(days=1),
        course(days=-14),
        course(days=14),
        replace(COURSE, quantity=None, starts_on=None),
        replace(COURSE, type="college_noncredit"),
    ],
)
def test_small_differences_do_not_make_another_course(other):
    found = likeness(COURSE, other)

    assert found is not None
    assert found.score >= 85
    assert found.signs[0] == "title"
    assert found.signs[-1] == "dates"
    assert ("provider" in found.signs) is bool(other.provider)


@pytest.mark.parametrize(
    "other",
    [
        course("Robot Safety 2"),
        course("Robot Safety II"),
        course("Robot Safety B"),
        course("Welding"),
        course("Robot Safety", "Ivy Tech"),
        course(days=15),
        course(days=-15),
        course("Robot Operation"),
        course("…"),
        replace(COURSE, completed_on=None),
        JOB,
        replace(JOB, title="Robot Safety", provider="Amatrol"),
        LEVEL,
        replace(COURSE, quantity=None, starts_on=DAY),
    ],
)
def test_what_is_told_apart(other):
    assert likeness(COURSE, other) is None


def test_parts_of_a_series_are_told_apart_by_their_numbers_wherever_these_stand():
    assert likeness(course("Welding 1"), course("Welding 2")) is None
    assert likeness(course("OSHA10 for industry"), course("OSHA30 for industry")) is None
    assert likeness(course("Part IV of lean work"), course("Part VI of lean work")) is None
    assert likeness(course("2024 refresher"), course("Refresher 2024")) is not None


@pytest.mark.parametrize(
    ("title", "provider", "days", "same"),
    [
        ("SMSCP Level 1", "Siemens", 400, True),
        ("smscp level 1", "Siemens AG", -700, True),
        ("SMSCP Level 1", "Ivy Tech", 3, True),
        ("SMSCP Level 1", "", 90, True),
        ("SMSCP Level 2", "Siemens", 0, False),
        ("FANUC Operator", "Siemens", 0, False),
    ],
)
def test_the_same_certification_on_two_dates_is_told(title, provider, days, same):
    other = replace(LEVEL, title=title, provider=provider, completed_on=DAY + timedelta(days))
    found = likeness(LEVEL, other)

    assert (found is not None) is same
    assert found is None or found.signs[-1] == "same_certification"


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "same"),
    [
        (date(2025, 12, 31), None, True),
        (date(2024, 1, 1), date(2025, 1, 1), True),
        (date(2026, 1, 1), None, False),
        (date(2024, 1, 1), date(2024, 12, 31), False),
    ],
)
def test_a_job_is_claimed_twice_where_its_days_overlap(starts_on, ends_on, same):
    found = likeness(JOB, replace(JOB, starts_on=starts_on, completed_on=ends_on))

    assert (found is not None) is same
    assert found is None or found.signs == ("title", "provider", "overlap")


def test_titles_of_signs_alone_are_the_same_only_if_they_are_equal():
    assert likeness(course("!!"), course(" !! ")) is not None
    assert likeness(course("!!"), course("??")) is None


def test_a_provider_that_is_only_a_legal_form_is_a_name():
    assert likeness(course(provider="The Company"), course(provider="the company")) is not None
    assert likeness(course(provider="The Company"), course(provider="Amatrol")) is None


def test_other_scripts_are_compared_as_well():
    assert likeness(course("機器人安全"), course("機器人安全 ")) is not None
    assert likeness(course("機器人安全"), course("焊接基礎")) is None


@given(dated(), dated())
def test_it_says_the_same_of_both_whichever_comes_first(one, other):
    assert likeness(one, other) == likeness(other, one)


@given(dated(), st.integers(-14, 14))
def test_a_claim_is_like_itself_some_days_later(one, days):
    later = replace(one, completed_on=one.completed_on + timedelta(days))
    found = likeness(one, later)

    assert found is not None
    assert found.score == 100
    assert timedelta(14) == CLOSE


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({}, None),
        ({"title": "ROBOT SAFETY.", "provider": "Amatrol, Inc."}, None),
        ({"provider": ""}, None),
        ({"title": "Robot Safety 2"}, "title"),
        ({"provider": "Siemens"}, "provider"),
        ({"completed_on": DAY + timedelta(1)}, "completed_on"),
        ({"quantity": Decimal(24)}, "quantity"),
        ({"role": "teaching"}, "role"),
    ],
)
def test_what_is_decided_at_once_is_one_course_on_one_day(change, field):
    assert difference(COURSE, replace(COURSE, ref="other", **change)) == field
