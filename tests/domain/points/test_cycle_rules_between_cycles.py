"""What decides a cycle from outside it: carry-over, re-examination, versions of the policy."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from tests.domain.examples import (
    POLICY,
    days,
    grace,
    job,
    policy,
)
from tests.domain.points.terms_cases import (
    AWARDED,
    EXTENDED,
    LATE,
    MODULES,
    case,
    hours,
    judged,
    rung,
)
from tracker.domain.credentials.assessments import Attempt
from tracker.domain.credentials.certifications import Application, CycleAdjustment
from tracker.domain.periods import Duration
from tracker.domain.points import cycle_rules
from tracker.domain.points.claims import Terms
from tracker.domain.points.cycle_rules import ReexaminationTerms
from tracker.domain.schemes.policies import CarryOver, Cohort, Reexamination

# Carry-over.

CARRYING = policy(carry_over=CarryOver(Decimal(40), frozenset({"CE"}), Duration(6, "months")))


def test_surplus_passes_into_the_next_cycle_and_from_there_on():
    held = case(CARRYING, decided=[date(2029, 3, 1), date(2034, 3, 1)])
    first = [hours("100", date(2025, 1, 1)), hours("30", date(2029, 1, 1))]
    second = hours("85", date(2034, 1, 1))

    assert judged(held, date(2029, 3, 15), *first).evaluation.carries_over == 30
    assert judged(held, date(2030, 1, 1), *first).evaluation.carried_over == 30
    third = judged(held, date(2035, 1, 1), *first, second).evaluation
    assert (third.carried_over, third.total) == (Decimal(15), Decimal(15))


def test_nothing_passes_over_a_gap():
    base = replace(CARRYING, next_cycle="decision", late=grace(days(60)))
    claims = [hours("100", date(2025, 1, 1)), hours("30", date(2029, 1, 1))]

    late = case(base, decided=[date(2029, 4, 1)])
    assert judged(late, date(2030, 1, 1), *claims).evaluation.carried_over == 0
    in_time = case(base, decided=[date(2029, 3, 1)])
    assert judged(in_time, date(2030, 1, 1), *claims).evaluation.carried_over == 30
    earning = replace(base, late=(rung(60, earns=True),))
    held = case(earning, decided=[date(2029, 4, 1)])
    assert judged(held, date(2030, 1, 1), *claims).evaluation.carried_over == 30


def test_the_extra_points_of_lateness_are_no_surplus():
    base = replace(CARRYING, late=(rung(60, extra_points=Decimal(20)),))
    claims = [hours("100", date(2025, 1, 1)), hours("30", date(2029, 1, 1))]
    late = Application(date(2029, 3, 20), date(2029, 4, 1))
    denied = Application(date(2029, 3, 2), date(2029, 3, 10))
    held = case(base, decided=[date(2029, 4, 1)], applications=[denied, late])

    assert judged(held, date(2030, 1, 1), *claims).evaluation.carried_over == 10


def test_open_jobs_of_the_cycle_before_count_to_its_end():
    held = case(
        policy(carry_over=CarryOver(Decimal(40)), points_required=Decimal(50)),
        decided=[date(2029, 3, 1)],
    )
    working = job("full_time", AWARDED)

    assert judged(held, date(2029, 3, 16), working).evaluation.carried_over == 10


# Re-examination.


def passed(day: date, *modules: str) -> list[Attempt]:
    return [Attempt(module, day, passed=True) for module in modules or MODULES]


RULE = Reexamination((), last=Duration(1, "years"))
AGAIN = policy(reexamination=RULE)


@pytest.mark.parametrize(
    ("attempts", "complete"),
    [
        (passed(AWARDED), False),
        (passed(date(2028, 3, 15)), False),
        (passed(date(2028, 3, 16)), True),
        (passed(date(2028, 3, 16), *MODULES[1:]), False),
        (passed(date(2028, 3, 15), "safety") + passed(date(2028, 6, 1), *MODULES[1:]), False),
        (passed(date(2028, 6, 1), *MODULES[1:]) + passed(date(2028, 7, 1), "safety"), True),
        (passed(date(2028, 12, 2)), False),
        ([Attempt(m, date(2028, 6, 1), passed=False) for m in MODULES], False),
    ],
    ids=["the award", "too early", "first day", "one not", "one early", "all", "later", "failed"],
)
def test_passing_every_module_again_in_the_last_year_stands_for_points(attempts, complete):
    found = judged(case(AGAIN, attempts=attempts), date(2028, 12, 1)).evaluation

    assert found.complete == complete
    if complete:
        assert found.reexamined_on == max(a.taken_on for a in attempts)


def test_the_award_itself_is_no_re_examination_even_if_the_whole_cycle_takes_one():
    base = policy(reexamination=Reexamination(("safety",)))

    assert not judged(case(base, attempts=passed(AWARDED)), LATE).evaluation.complete
    day = date(2024, 3, 16)
    assert judged(case(base, attempts=passed(day, "safety")), LATE).terms.reexamined_on == day


def test_a_re_examination_renews_one_cycle_only():
    base = policy(reexamination=Reexamination(("safety",)), late=grace(days(60)))
    decided = date(2029, 4, 2)
    late = case(base, attempts=passed(LATE, "safety"))
    assert judged(late, LATE).terms.reexamined_on == LATE

    held = case(base, attempts=passed(LATE, "safety"), decided=[decided])
    assert judged(held, date(2029, 4, 3)).terms.reexamined_on is None
    once_more = replace(held, attempts=passed(date(2029, 4, 3), "safety"))
    assert judged(once_more, date(2029, 4, 3)).terms.reexamined_on == date(2029, 4, 3)
    renewed_early = case(base, attempts=passed(date(2029, 3, 12)), decided=[date(2029, 3, 10)])
    assert judged(renewed_early, date(2029, 3, 14)).terms.reexamined_on is None


def test_a_late_step_by_re_examination_takes_one_without_a_rule_of_its_own():
    held = case(policy(late=(rung(60, by="reexamination"),)), attempts=passed(LATE))

    assert judged(held, LATE).terms.reexamined_on == LATE
    assert judged(replace(held, attempts=passed(date(2029, 5, 15))), date(2029, 6, 1)).terms == (
        Terms()
    )


def test_a_failed_re_examination_that_revokes_is_told():
    rule = Reexamination(("safety",), failure_revokes=True)
    failed = [
        Attempt("safety", date(2028, 8, 1), passed=False),
        Attempt("safety", date(2028, 7, 1), passed=False),
        Attempt("green", date(2028, 6, 1), passed=False),
        Attempt("safety", AWARDED, passed=True),
    ]
    held = case(policy(reexamination=rule), attempts=failed)

    assert judged(held, date(2028, 6, 30)).failed_on is None
    assert judged(held, date(2028, 7, 1)).failed_on == date(2028, 7, 1)
    assert judged(held, date(2028, 9, 1)).failed_on == date(2028, 7, 1)
    mild = case(policy(reexamination=replace(rule, failure_revokes=False)), attempts=failed)
    assert judged(mild, date(2028, 9, 1)).failed_on is None


@pytest.mark.parametrize(
    ("modules", "failed_on"),
    [((), date(2029, 6, 1)), (("quality",), date(2029, 6, 1)), (("safety",), None)],
    ids=["all that are required", "this one", "another one"],
)
def test_only_the_modules_of_a_re_examination_are_failed(modules, failed_on):
    """In days that an extension added."""
    rule = Reexamination(modules, last=Duration(1, "years"), failure_revokes=True)
    held = case(
        policy(reexamination=rule),
        attempts=[Attempt("quality", date(2029, 6, 1), passed=False)],
        adjustments=[CycleAdjustment(1, date(2029, 3, 1), extended_to=EXTENDED)],
    )

    assert judged(held, date(2029, 6, 2)).failed_on == failed_on


def test_an_attempt_is_known_as_a_re_examination():
    held = case(policy(reexamination=replace(RULE, failure_revokes=True)))
    since = date(2028, 3, 16)

    assert cycle_rules.reexamination_terms(held, "safety", date(2028, 3, 15)) is None
    assert cycle_rules.reexamination_terms(held, "safety", since) == ReexaminationTerms(
        since, failure_revokes=True
    )
    assert cycle_rules.reexamination_terms(held, "green", since) is None
    assert cycle_rules.reexamination_terms(case(POLICY), "safety", since) is None


def test_an_extension_lengthens_the_days_of_re_examination_and_takes_none_away():
    """They begin a year before the first expiry and end with the later one."""
    extension = CycleAdjustment(1, date(2029, 1, 15), extended_to=EXTENDED)
    first = ReexaminationTerms(date(2028, 3, 16), failure_revokes=False)
    for tried in (date(2028, 6, 1), date(2029, 6, 1)):
        held = case(AGAIN, attempts=passed(tried), adjustments=[extension])

        assert cycle_rules.reexamination_terms(held, "safety", date(2029, 1, 14)) == first
        assert cycle_rules.reexamination_terms(held, "safety", date(2029, 6, 1)) == first
        assert judged(held, date(2029, 6, 1)).terms.reexamined_on == tried
    assert judged(replace(held, adjustments=()), tried).terms.reexamined_on is None


# Versions.

NEWER = policy(version="2027", effective_from=date(2027, 1, 1), points_required=Decimal(80))


@pytest.mark.parametrize(
    ("applies", "day", "version"),
    [
        ("cycle_start", date(2028, 1, 1), "2015"),
        ("submission", date(2026, 12, 31), "2015"),
        ("submission", date(2027, 1, 1), "2027"),
        ("more_favourable", date(2027, 1, 1), "2027"),
    ],
)
def test_the_version_that_governs_is_told(applies, day, version):
    held = case(POLICY, replace(NEWER, applies=applies))

    found = judged(held, day, hours("90", date(2025, 1, 1)))
    assert (found.policy.version, found.evaluation.policy) == (version, version)


def test_the_day_of_the_application_chooses_the_version():
    newer = replace(NEWER, applies="submission")
    pending = case(POLICY, newer, applications=[Application(date(2026, 12, 1), None)])

    assert judged(pending, date(2027, 2, 1)).policy.version == "2015"


@pytest.mark.parametrize(
    ("values", "version"),
    [
        ({"points_required": Decimal(100)}, "2015"),
        ({"points_required": Decimal(95)}, "2027"),
        ({"points_required": Decimal(120)}, "2015"),
        ({"cohort": Cohort(awarded_from=date(2025, 1, 1))}, "2015"),
        ({"points_required": Decimal(60), "types": {}}, "2015"),
    ],
    ids=["alike", "less missing", "more missing", "another cohort", "fewer points"],
)
def test_the_best_version_for_the_holder_is_taken(values, version):
    newer = replace(NEWER, applies="more_favourable", **values)
    found = judged(case(POLICY, newer), date(2028, 1, 1), hours("50", date(2025, 1, 1)))

    assert found.policy.version == version


def test_of_complete_versions_the_one_with_the_higher_total_is_taken():
    base = replace(POLICY, stop_at_requirement=True)
    newer = replace(NEWER, applies="more_favourable")
    found = judged(case(base, newer), date(2028, 1, 1), hours("110", date(2025, 1, 1)))

    assert (found.policy.version, found.evaluation.total) == ("2027", Decimal(110))
