"""worked_cases.md case 1 to case 14, each once, with dates computed by hand."""

from datetime import date
from decimal import Decimal

import pytest

from tests.domain.examples import (
    CLT,
    CPT,
    POLICY,
    claim,
    credit,
    evaluate,
    job,
    policy,
    renewed,
    scheme_of,
    standing,
    total,
)
from tracker.domain.credentials.assessments import Attempt, award_date, check_attempt, passes
from tracker.domain.credentials.certifications import (
    ChangeKind,
    ChangeOfStanding,
    cycle_on,
    days_of,
)
from tracker.domain.credentials.fees import quote
from tracker.domain.errors import AlreadyPassed, OutsideCycle
from tracker.domain.periods import Period
from tracker.domain.points.activities import check_dates

D = Decimal
AWARDED, EXPIRES = date(2024, 3, 15), date(2029, 3, 15)
CYCLE = Period(AWARDED, EXPIRES)


def test_case_1_a_leap_day_award_through_four_cycles():
    decided = [date(2029, 1, 2), date(2034, 1, 2), date(2039, 1, 2)]
    cycles = renewed(CPT, date(2024, 2, 29), *decided)

    assert [(c.starts_on, c.expires_on) for c in cycles] == [
        (date(2024, 2, 29), date(2029, 2, 28)),
        (date(2029, 3, 1), date(2034, 2, 28)),
        (date(2034, 3, 1), date(2039, 2, 28)),
        (date(2039, 3, 1), date(2044, 2, 29)),
    ]


@pytest.mark.parametrize("day", [AWARDED, EXPIRES])
def test_case_2_the_certification_day_and_the_expiry_day_are_both_inside(day):
    course = claim("third_party", "3", day)

    check_dates(POLICY.types[course.type], course, renewed(CPT, AWARDED), on=EXPIRES)
    assert total(course, cycle=CYCLE) == D("3.00")


def test_case_3_an_activity_before_certification_is_refused():
    course = claim("third_party", "3", date(2024, 3, 14))

    with pytest.raises(OutsideCycle):
        check_dates(POLICY.types[course.type], course, renewed(CPT, AWARDED), on=date(2026, 1, 1))
    assert total(course, cycle=CYCLE) == D("0.00")


def test_case_4_a_course_across_two_cycles_counts_whole_in_the_later_one():
    course = claim("college_credit", "3", date(2029, 3, 20), starts_on=date(2029, 1, 10))
    cycles = renewed(CPT, AWARDED, date(2029, 2, 1))
    first, second = (days_of(cycles, cycle) for cycle in cycles)
    on = date(2029, 4, 1)

    check_dates(POLICY.types[course.type], course, cycles, on=on)
    assert total(course, cycle=first, on=on) == D("0.00")
    assert total(course, cycle=second, on=on) == D("15.00")


@pytest.mark.parametrize(
    ("rule", "points"),
    [("completed", "19.00"), ("pro_rata", "19.52"), ("fifteen_days", "20.00")],
)
def test_case_5_a_job_from_15_october_2024_in_a_cycle_to_31_may_2026(rule, points):
    cycle = Period(date(2021, 6, 1), date(2026, 5, 31))
    work = job("full_time", date(2024, 10, 15))

    assert Period(date(2024, 10, 15), cycle.ends_on).days == 594
    assert total(work, policy=policy(month_rule=rule), cycle=cycle) == D(points)


def test_case_5_overlapping_jobs_are_cut_into_segments_at_the_highest_rate():
    """Part time to 14 November (1 month), full time to 14 December (1), part time to 31 (0)."""
    part = job("part_time", date(2025, 10, 15), date(2025, 12, 31))
    full = job("full_time", date(2025, 11, 15), date(2025, 12, 14))

    assert total(part, cycle=CYCLE) == D("1.00")
    assert total(part, full, cycle=CYCLE) == D("1.50")


def test_case_6_an_open_ended_job_counts_to_the_day_and_its_projection_to_the_expiry():
    work = job("full_time", date(2026, 1, 1))
    on = date(2026, 11, 21)

    assert total(work, cycle=CYCLE, on=on) == D("10.00")
    assert total(work, cycle=CYCLE, on=EXPIRES) == D("38.00")
    assert total(work, cycle=CYCLE, on=date(2031, 1, 1)) == D("38.00")


def test_case_7_of_the_same_course_twice_the_one_worth_more_counts():
    claims = [
        claim("third_party", hours, date(2026, 5, 1), title="Lean") for hours in ("8", "12", "4")
    ]
    evaluation = evaluate(*claims, cycle=CYCLE)

    assert evaluation.total == D("12.00")
    assert [credit(evaluation, c).counted for c in claims] == [D("0.00"), D("12.00"), D("0.00")]


def test_case_8_with_the_fourth_module_years_later_the_award_is_of_that_day():
    attempts = [
        Attempt("safety", date(2019, 5, 1), passed=True),
        Attempt("quality", date(2019, 6, 1), passed=True),
        Attempt("processes", date(2020, 2, 1), passed=True),
        Attempt("maintenance", date(2026, 3, 2), passed=False),
        Attempt("maintenance", date(2026, 3, 18), passed=True),
    ]

    assert award_date(CPT, passes(attempts, on=date(2026, 3, 17)), {}) is None
    awarded_on = award_date(CPT, passes(attempts, on=date(2026, 3, 18)), {})
    assert awarded_on == date(2026, 3, 18)
    assert renewed(CPT, awarded_on)[0].expires_on == date(2031, 3, 18)


def test_case_9_revoked_mid_cycle_and_last_months_report_still_says_active():
    changes = [ChangeOfStanding(ChangeKind.REVOKE, date(2026, 11, 10))]
    cycles = renewed(CPT, AWARDED)

    last_month = standing(CPT, cycles, date(2026, 10, 31), changes=changes)
    today = standing(CPT, cycles, date(2026, 11, 21), changes=changes)
    assert (last_month.status, last_month.valid) == ("active", True)
    assert (today.status, today.valid) == ("revoked", False)


def _expiring(scheme, day):
    return standing(scheme, renewed(scheme, day.replace(year=2025)), day)


def test_case_10_the_windows_of_1_april_and_30_june_2030_are_open_together_on_one_day():
    quoted = quote({CPT: _expiring(CPT, date(2030, 4, 1)), CLT: _expiring(CLT, date(2030, 6, 30))})

    assert (quoted.bundled, quoted.amount) == (True, D("100.00"))
    assert quoted.available == Period(date(2030, 4, 1), date(2030, 4, 1))


def test_case_11_31_march_and_30_june_are_91_days_apart_so_there_is_no_bundle():
    quoted = quote({CPT: _expiring(CPT, date(2030, 3, 31)), CLT: _expiring(CLT, date(2030, 6, 30))})

    assert (quoted.bundled, quoted.amount, quoted.available) == (False, D("150.00"), None)


def test_case_12_a_new_version_mid_cycle_leaves_the_old_one_governing_to_its_end():
    scheme = scheme_of(
        policy(version="2015"), policy(version="2026", effective_from=date(2026, 7, 1))
    )
    cycles = renewed(scheme, AWARDED, date(2029, 2, 1))

    assert [cycle.policy for cycle in cycles] == ["2015", "2026"]
    assert cycle_on(cycles, EXPIRES).policy == "2015"
    assert cycle_on(cycles, date(2029, 3, 16)).policy == "2026"


@pytest.mark.parametrize(
    ("restored_on", "valid_in_between"),
    [(date(2026, 6, 1), True), (date(2026, 8, 15), False)],
    ids=["without a gap", "with the gap"],
)
def test_case_13_an_appeal_upheld_restores_with_or_without_the_gap(restored_on, valid_in_between):
    changes = [
        ChangeOfStanding(ChangeKind.REVOKE, date(2026, 6, 1)),
        ChangeOfStanding(ChangeKind.REINSTATE, restored_on),
    ]
    cycles = renewed(CPT, AWARDED)

    assert standing(CPT, cycles, date(2026, 5, 31), changes=changes).valid
    assert standing(CPT, cycles, date(2026, 7, 1), changes=changes).valid is valid_in_between
    assert standing(CPT, cycles, date(2026, 8, 15), changes=changes).valid


def test_case_14_an_expired_holder_passes_one_module_and_nothing_revives():
    on = date(2030, 1, 10)
    attempts = [Attempt(module, AWARDED, passed=True) for module in CPT.required]

    with pytest.raises(AlreadyPassed):
        check_attempt(CPT, "safety", attempts, taken_on=on)
    check_attempt(CPT, "green", attempts, taken_on=on)
    attempts += [Attempt(module, on, passed=True) for module in ("safety", "green")]
    awarded_on = award_date(CPT, passes(attempts, on=on), {})
    assert awarded_on == AWARDED
    assert standing(CPT, renewed(CPT, awarded_on), on).status == "expired"
