"""Retake waits, module certificates, the award."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from tests.domain.examples import CLA, CLT, CPT
from tracker.domain.credentials.assessments import (
    Approval,
    Attempt,
    AttemptToRecord,
    award_date,
    center_warning,
    check_attempt,
    faults,
    first_lawful_retake,
    passes,
    unapproved_rule,
)
from tracker.domain.errors import AlreadyPassed, RetakeTooSoon, UnknownModule

JAN_1 = date(2026, 1, 1)


def _failed(*days: date, module: str = "safety") -> list[Attempt]:
    return [Attempt(module, day, passed=False) for day in days]


def _passed(**modules: date) -> list[Attempt]:
    return [Attempt(module, day, passed=True) for module, day in modules.items()]


@pytest.mark.parametrize(
    ("failures", "lawful_on"),
    [
        ([], None),
        ([date(2026, 1, 1)], date(2026, 1, 17)),
        ([date(2026, 1, 1), date(2026, 1, 17)], date(2026, 2, 2)),
        ([date(2026, 1, 1), date(2026, 1, 17), date(2026, 2, 2)], date(2026, 4, 4)),
        (
            [date(2026, 1, 1), date(2026, 1, 17), date(2026, 2, 2), date(2026, 4, 4)],
            date(2026, 6, 4),
        ),
        ([date(2026, 2, 2), date(2026, 1, 1)], date(2026, 2, 18)),
        ([date(2028, 2, 14)], date(2028, 3, 1)),
    ],
    ids=["never failed", "once", "twice", "thrice", "four times", "entered late", "over 29 Feb"],
)
def test_a_retake_waits_full_15_days_and_60_after_three_failures(failures, lawful_on):
    """worked_cases.md R1, R2: failed on January 1, next on January 17."""
    assert first_lawful_retake(CPT.retake, failures) == lawful_on


@pytest.mark.parametrize("day", [date(2026, 1, 1), date(2026, 1, 2), date(2026, 1, 16)])
def test_an_early_retake_is_refused_with_the_first_lawful_day(day):
    """worked_cases.md R3."""
    with pytest.raises(RetakeTooSoon) as refused:
        check_attempt(CPT, "safety", _failed(JAN_1), taken_on=day)

    assert refused.value.facts == {"lawful_on": date(2026, 1, 17)}
    assert refused.value.detail == (
        f"Module safety may be attempted again from 2026-01-17, not on {day}."
    )


def test_a_retake_on_the_17th_day_is_lawful():
    """worked_cases.md R1."""
    check_attempt(CPT, "safety", _failed(JAN_1), taken_on=date(2026, 1, 17))


def test_failures_of_one_module_do_not_delay_another():
    """worked_cases.md R2: failures *of that module*."""
    check_attempt(CPT, "quality", _failed(JAN_1), taken_on=date(2026, 1, 2))


def test_history_may_be_entered_in_any_order():
    later = _failed(date(2026, 3, 1)) + _passed(safety=date(2026, 6, 1))

    check_attempt(CPT, "safety", later, taken_on=date(2026, 2, 28))


@pytest.mark.parametrize("day", [date(2026, 6, 1), date(2036, 6, 1)])
def test_a_passed_module_is_never_attempted_again(day):
    """worked_cases.md W1: a module certificate never expires."""
    with pytest.raises(AlreadyPassed) as refused:
        check_attempt(CPT, "safety", _passed(safety=date(2026, 6, 1)), taken_on=day)

    assert refused.value.facts == {"passed_on": date(2026, 6, 1)}
    assert refused.value.detail == (
        "Module safety was passed on 2026-06-01; a module certificate never expires."
    )


def test_the_first_pass_of_a_module_counts_and_later_ones_are_not_seen_yet():
    attempts = [
        *_passed(safety=date(2026, 3, 1), quality=date(2026, 5, 1)),
        *_passed(safety=date(2026, 2, 1)),
        *_failed(date(2026, 1, 1)),
    ]

    assert passes(attempts, on=date(2026, 4, 1)) == {"safety": date(2026, 2, 1)}
    assert passes(attempts, on=date(2026, 1, 31)) == {}


def test_the_award_is_of_the_day_of_the_last_required_pass():
    """worked_cases.md D4, case 8: the fourth module years later."""
    passed = {
        "safety": date(2021, 3, 1),
        "quality": date(2021, 2, 1),
        "processes": date(2021, 4, 1),
        "green": date(2026, 9, 9),
    }

    assert award_date(CPT, passed, {}) is None
    assert award_date(CPT, passed | {"maintenance": date(2026, 5, 5)}, {}) == date(2026, 5, 5)


def test_green_counts_neither_for_nor_against_the_award():
    """worked_cases.md W2."""
    required = dict.fromkeys(CPT.required, JAN_1)

    assert award_date(CPT, required, {}) == JAN_1
    assert award_date(CPT, required | {"green": date(2027, 1, 1)}, {}) == JAN_1
    assert award_date(CPT, {"green": JAN_1}, {}) is None


@pytest.mark.parametrize(
    ("prerequisites", "awarded_on"),
    [
        ({}, None),
        ({"cpt": date(2020, 1, 1)}, None),
        ({"cla": date(2025, 1, 1)}, JAN_1),
        ({"cla": date(2026, 2, 1)}, date(2026, 2, 1)),
    ],
    ids=["no CLA", "another certification", "CLA first", "CLA last"],
)
def test_the_clt_is_awarded_with_its_assessment_and_the_cla(prerequisites, awarded_on):
    """worked_cases.md W3: the CLA is the prerequisite."""
    assert award_date(CLT, {"technician": JAN_1}, prerequisites) == awarded_on


def test_the_cla_needs_its_assessment_only():
    assert award_date(CLA, {"associate": JAN_1}, {}) == JAN_1
    assert award_date(CLA, {}, {}) is None


@pytest.mark.parametrize(
    ("day", "warned"),
    [
        (date(2025, 12, 31), True),
        (date(2026, 1, 1), False),
        (date(2026, 6, 30), False),
        (date(2026, 7, 1), True),
        (date(2027, 1, 1), False),
        (date(2099, 1, 1), False),
    ],
)
def test_a_center_outside_its_approvals_is_warned_of_and_never_refused(day, warned):
    approvals = [Approval(JAN_1, date(2026, 6, 30)), Approval(date(2027, 1, 1), None)]
    warning = center_warning("Ivy Tech", approvals, on=day)

    assert warning == (f"Assessment center Ivy Tech was not approved on {day}." if warned else None)


def test_a_module_is_passed_anew_once_the_certification_has_ended():
    earlier, ended = _passed(safety=date(2015, 3, 1)), date(2020, 3, 1)

    check_attempt(CPT, "safety", earlier, taken_on=date(2020, 3, 2), since=ended)
    with pytest.raises(AlreadyPassed) as refused:
        check_attempt(
            CPT, "safety", earlier, taken_on=date(2020, 3, 1), again_from=date(2020, 3, 2)
        )
    assert refused.value.facts == {
        "passed_on": date(2015, 3, 1),
        "again_from": date(2020, 3, 2),
    }
    anew = [*earlier, *_passed(safety=date(2020, 4, 1))]
    with pytest.raises(AlreadyPassed):
        check_attempt(CPT, "safety", anew, taken_on=date(2020, 5, 1), since=ended)


def test_passed_anew_it_waits_as_ever_but_for_new_failures_only():
    """Three failures before the first pass are none of the new attempt's."""
    earlier = [*_failed(*(date(2015, 1, day) for day in (1, 20))), *_failed(date(2015, 2, 10))]
    earlier += _passed(safety=date(2015, 5, 1))
    failed = [*earlier, *_failed(date(2020, 4, 1))]

    with pytest.raises(RetakeTooSoon) as refused:
        check_attempt(CPT, "safety", failed, taken_on=date(2020, 4, 16), since=date(2020, 3, 1))
    assert refused.value.facts == {"lawful_on": date(2020, 4, 17)}
    check_attempt(CPT, "safety", failed, taken_on=date(2020, 4, 17), since=date(2020, 3, 1))


def test_a_center_without_approval_on_the_day_needs_a_reason():
    approvals = [Approval(JAN_1, date(2026, 6, 30))]
    july = date(2026, 7, 1)
    assert unapproved_rule(approvals, on=JAN_1, override_reason=None) is None
    assert unapproved_rule(approvals, on=july, override_reason="late renewal") is None
    rule = unapproved_rule(approvals, on=july, override_reason=None)
    assert rule is not None
    assert "was not approved on 2026-07-01" in rule


@pytest.mark.parametrize(
    ("said", "broken"),
    [
        ({}, set()),
        ({"edition": "4.0", "score": Decimal(80)}, set()),
        ({"edition": "5.0"}, {"edition"}),
        ({"score": Decimal(101)}, {"score"}),
        ({"taken_on": date(2026, 1, 3)}, {"taken_on"}),
        ({"proctor": "Kim Soto"}, set()),
        ({"proctor": "Kim Soto", "instructor": "Jo Lee"}, set()),
        ({"proctor": "Kim Soto", "instructor": "SOTO, Kím"}, {"proctor"}),
        ({"amount": Decimal(45)}, {"funding"}),
        ({"funding_reference": "ITA 7"}, {"funding"}),
        ({"funding": "wioa", "amount": Decimal(45)}, set()),
    ],
)
def test_the_values_of_an_attempt_are_judged_by_field(said, broken):
    values = {"scheme": "cpt", "module": "safety", "taken_on": JAN_1, "passed": True, **said}
    assert faults(CPT, AttemptToRecord(**values), today=date(2026, 1, 2)).keys() == broken


def test_a_scheme_without_editions_says_so():
    attempt = AttemptToRecord("cpt", "safety", JAN_1, passed=True, edition="4.0")
    found = faults(replace(CPT, editions=(), assessment=None), attempt, today=JAN_1)
    assert found == {"edition": "must be one of the editions of cpt: it has none"}


def test_an_unknown_module_has_an_error_of_its_own():
    with pytest.raises(UnknownModule):
        faults(CPT, AttemptToRecord("cpt", "welding", JAN_1, passed=True), today=JAN_1)
