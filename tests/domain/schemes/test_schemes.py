"""Schemes as values: what can be looked up in them, and what an unknown name is answered."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from tests.domain.examples import CLA, CLT, CPT, POLICY, SCHEMES, policy
from tracker.domain.errors import UnknownActivityType, UnknownModule, UnknownScheme
from tracker.domain.schemes.schemes import ScoreRule


def test_the_four_required_modules_make_up_the_award_and_green_does_not():
    """worked_cases.md W2."""
    assert CPT.required == ("safety", "quality", "processes", "maintenance")
    assert not CPT.module("green").required


def test_an_unknown_module_is_answered_with_those_there_are():
    with pytest.raises(UnknownModule) as refused:
        CPT.module("saftey")

    choices = "safety, quality, processes, maintenance, green"
    assert refused.value.fields == {"module": f"must be one of: {choices}"}
    assert refused.value.detail == f"Scheme cpt has no module 'saftey'; its modules are: {choices}."


def test_an_unknown_scheme_is_answered_with_those_there_are():
    with pytest.raises(UnknownScheme) as refused:
        SCHEMES["ctp"]

    assert refused.value.fields == {"scheme": "must be one of: cla, clt, cpt"}
    assert refused.value.detail == "There is no scheme 'ctp'; the schemes are: cla, clt, cpt."


def test_schemes_are_listed_and_know_what_they_are_needed_for():
    assert {scheme.code for scheme in SCHEMES} == {"cla", "clt", "cpt"}
    assert SCHEMES.dependents("cla") == (CLT,)
    assert SCHEMES.dependents("cpt") == ()


def test_a_scheme_can_be_the_key_of_a_mapping():
    assert {CPT: 1, CLT: 2}[SCHEMES["clt"]] == 2
    assert hash(replace(CPT)) == hash(CPT) != hash(CLT)


def test_a_policy_version_can_be_the_key_of_a_mapping():
    assert hash(policy()) == hash(POLICY) != hash(policy(version="2027"))


def test_an_activity_type_is_found_in_its_own_category_only():
    assert POLICY.activity_type("volunteer", "X").rate == Decimal("1.00")
    with pytest.raises(UnknownActivityType) as refused:
        POLICY.activity_type("volunteer", "CE")

    choices = "college_credit, college_noncredit, third_party"
    assert refused.value.fields == {"type": f"must be one of: {choices}"}
    assert refused.value.detail == (
        f"Policy 2015 has no activity type 'volunteer' in category 'CE'; the types are: {choices}."
    )


def test_an_unknown_category_is_named_as_such():
    with pytest.raises(UnknownActivityType) as refused:
        POLICY.activity_type("volunteer", "Z")

    assert refused.value.fields == {"type": "must be one of: no such category"}
    assert refused.value.detail == (
        "Policy 2015 has no activity type 'volunteer' in category 'Z'; the types are: no such "
        "category."
    )


@pytest.mark.parametrize(
    ("starts_on", "version"),
    [
        (date(2009, 12, 31), "a"),
        (date(2014, 12, 31), "a"),
        (date(2015, 1, 1), "b"),
        (date(2029, 12, 31), "b"),
        (date(2030, 1, 1), "c"),
    ],
)
@pytest.mark.parametrize("first", [None, date(2010, 1, 1)])
def test_a_cycle_is_governed_by_the_version_in_force_when_it_started(starts_on, version, first):
    """worked_cases.md P4: the first version also governs the cycles before it."""
    scheme = replace(
        CPT,
        policies=(
            policy(version="a", effective_from=first),
            policy(version="b", effective_from=date(2015, 1, 1)),
            policy(version="c", effective_from=date(2030, 1, 1)),
        ),
    )
    governing = scheme.policy_for(starts_on, awarded_on=starts_on)

    assert governing is scheme.policy(version)


def test_a_scheme_that_never_expires_has_no_governing_policy():
    assert CLA.policy_for(date(2026, 1, 1), awarded_on=date(2026, 1, 1)) is None


def test_a_policy_version_that_no_file_holds_is_a_key_error():
    with pytest.raises(KeyError, match="1999"):
        CPT.policy("1999")


def test_a_policy_is_verified_once_nothing_in_it_is_open():
    assert not POLICY.verified
    assert replace(POLICY, unverified=()).verified


def test_a_last_day_ends_where_the_holder_lives_unless_the_scheme_says_otherwise():
    assert CPT.zone_of("Pacific/Honolulu") == "Pacific/Honolulu"
    assert replace(CPT, days_end="scheme").zone_of("Pacific/Honolulu") == "America/New_York"


@pytest.mark.parametrize(
    ("score", "passed", "fault"),
    [
        (None, True, None),
        ("0", False, None),
        ("100", True, None),
        ("70", True, None),
        ("100.01", True, "must be from 0 to 100"),
        ("-1", False, "must be from 0 to 100"),
        ("69.99", True, "must be at least 70 for a pass"),
        ("69.99", False, None),
    ],
)
def test_a_score_lies_within_its_bounds_and_a_pass_reaches_what_passes(score, passed, fault):
    rule = ScoreRule(Decimal(0), Decimal(100), Decimal(70))

    assert rule.fault(None if score is None else Decimal(score), passed=passed) == fault


def test_without_a_published_passing_score_any_score_may_pass():
    assert ScoreRule(Decimal(0), Decimal(100)).fault(Decimal(1), passed=True) is None
