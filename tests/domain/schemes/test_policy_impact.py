"""Two outcomes compared: which facts differ, which way they move, how changes are counted."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from tests.domain import examples
from tests.domain.examples import CPT, POLICY, claim, days, grace, renewed, scheme_of, window
from tracker.domain.periods import Duration
from tracker.domain.schemes import policy_impact
from tracker.domain.schemes.policies import ApplicationWindow
from tracker.domain.schemes.policy_impact import Difference, ImpactTally, PolicyOutcome

AWARDED = date(2024, 3, 15)
EXPIRES = date(2029, 3, 15)
OUTCOME = PolicyOutcome(
    total=Decimal("40.00"),
    required=Decimal("100.00"),
    complete=False,
    expires_on=EXPIRES,
    window_opens_on=date(2028, 12, 15),
    window_closes_on=EXPIRES,
    grace_ends_on=None,
    title_ends_on=None,
)


def test_equal_outcomes_differ_in_nothing():
    assert policy_impact.differences(OUTCOME, replace(OUTCOME)) == ()


def test_every_fact_that_differs_is_told_once_in_a_fixed_order():
    other = PolicyOutcome(
        total=Decimal("35.00"),
        required=Decimal("30.00"),
        complete=True,
        expires_on=date(2029, 3, 31),
        window_opens_on=date(2028, 12, 1),
        window_closes_on=date(2029, 3, 1),
        grace_ends_on=date(2029, 4, 30),
        title_ends_on=date(2029, 3, 31),
    )

    found = policy_impact.differences(OUTCOME, other)

    assert [each.fact for each in found] == list(policy_impact.FACTS)
    assert [each.kind for each in found] == [
        "total_lowered",
        "required_lowered",
        "complete_gained",
        "expires_on_later",
        "window_opens_on_earlier",
        "window_closes_on_earlier",
        "grace_ends_on_added",
        "title_ends_on_added",
    ]
    assert found[0] == Difference("total", Decimal("40.00"), Decimal("35.00"))


@pytest.mark.parametrize(
    ("before", "after", "direction"),
    [
        (Decimal("1.00"), Decimal("1.01"), "raised"),
        (Decimal("1.01"), Decimal("1.00"), "lowered"),
        (False, True, "gained"),
        (True, False, "lost"),
        (date(2029, 1, 1), date(2029, 1, 2), "later"),
        (date(2029, 1, 2), date(2029, 1, 1), "earlier"),
        (None, date(2029, 1, 1), "added"),
        (date(2029, 1, 1), None, "removed"),
        (None, False, "added"),
        (True, None, "removed"),
        (Decimal("0.00"), None, "removed"),
    ],
)
def test_a_difference_says_which_way_the_fact_moves(before, after, direction):
    assert Difference("total", before, after).direction == direction


def test_amounts_that_differ_in_their_zeros_only_are_the_same():
    assert policy_impact.differences(OUTCOME, replace(OUTCOME, total=Decimal("40.0"))) == ()


def test_a_tally_counts_certifications_and_the_kinds_of_their_changes_in_order():
    tally = ImpactTally()
    moved = Difference("window_opens_on", date(2029, 1, 1), date(2029, 1, 2))
    fewer = Difference("total", Decimal(2), Decimal(1))

    for found in ([], [fewer, moved], [moved], []):
        tally.add(found)

    assert (tally.examined, tally.changed) == (4, 2)
    assert list(tally.kinds.items()) == [("total_lowered", 1), ("window_opens_on_later", 2)]
    assert ImpactTally().kinds == {}


def test_an_outcome_is_made_of_an_evaluation_and_the_dates_of_a_version():
    evaluation = examples.evaluate(claim("volunteer", "12.00", date(2025, 5, 1)))
    policy = examples.policy(late=grace(days(30), title=True), window=window(60))
    cycle = renewed(CPT, AWARDED)[0]

    found = policy_impact.outcome(evaluation, policy, cycle)

    assert found == PolicyOutcome(
        total=Decimal("12.00"),
        required=Decimal("100.00"),
        complete=False,
        expires_on=EXPIRES,
        window_opens_on=date(2029, 1, 14),
        window_closes_on=EXPIRES,
        grace_ends_on=date(2029, 4, 14),
        title_ends_on=date(2029, 4, 14),
    )


def test_without_an_evaluation_or_a_version_an_outcome_says_nothing_of_these():
    cycle = renewed(CPT, AWARDED)[0]
    endless = replace(cycle, expires_on=None, policy="")

    dates = examples.policy(
        late=grace(days(30), title=True), window=ApplicationWindow(Duration(4, "years"), "start")
    )

    assert policy_impact.outcome(None, dates, cycle) == PolicyOutcome(
        expires_on=EXPIRES,
        window_opens_on=date(2028, 3, 15),
        window_closes_on=EXPIRES,
        grace_ends_on=date(2029, 4, 14),
        title_ends_on=date(2029, 4, 14),
    )
    assert policy_impact.outcome(None, None, cycle) == PolicyOutcome(expires_on=EXPIRES)
    assert policy_impact.outcome(None, None, endless) == PolicyOutcome()
    assert policy_impact.outcome(None, POLICY, endless) == PolicyOutcome()


# Which version governs which cycle.
def test_alone_a_version_governs_its_cycles_and_no_other_comes_into_force_over_them():
    other = examples.policy(version="2020", applies="submission", effective_from=date(2020, 1, 1))
    scheme = scheme_of(POLICY, other)

    found = policy_impact.alone(scheme, POLICY, scheme.policies)

    assert [p.version for p in found.policies] == ["2020", POLICY.version]
    assert found.policies[1] is POLICY
    assert found.versions_on(POLICY.version, date(2025, 1, 1), awarded_on=AWARDED) == (POLICY,)


def test_alone_a_version_does_not_come_into_force_over_the_cycles_of_another():
    newer = examples.policy(version="2020", applies="submission", effective_from=date(2020, 1, 1))
    scheme = scheme_of(POLICY, newer)

    found = policy_impact.alone(scheme, newer, scheme.policies)

    assert [(p.version, p.applies) for p in found.policies] == [
        ("2015", "cycle_start"),
        ("2020", "cycle_start"),
    ]
    assert found.versions_on("2015", date(2025, 1, 1), awarded_on=AWARDED) == (POLICY,)


def test_alone_a_version_of_another_file_takes_the_place_of_its_namesake():
    edited = replace(POLICY, points_required=Decimal("60.00"))

    assert policy_impact.alone(scheme_of(edited), edited, CPT.policies).policies == (edited,)


def test_a_version_governs_the_cycle_of_the_day_later_ones_and_those_of_the_version_it_follows():
    first, second, third = renewed(CPT, date(2014, 3, 15), date(2019, 3, 1), date(2024, 3, 1))
    other, second = replace(first, policy="2010"), replace(second, policy="2020")

    def versions(cycles, on):
        found = policy_impact.governed(cycles, on, by="new", instead_of="2015")
        return [cycle.policy for cycle in found]

    assert versions((first, second, third), date(2020, 1, 1)) == ["new", "new", "new"]
    assert versions((other, second, third), date(2020, 1, 1)) == ["2010", "new", "new"]
    assert versions((other, second, third), date(2025, 1, 1)) == ["2010", "2020", "new"]


def test_a_cycle_without_end_is_under_no_version():
    endless = replace(renewed(CPT, AWARDED)[0], expires_on=None, policy="2015")

    [found] = policy_impact.governed((endless,), AWARDED, by="new", instead_of="old")

    assert found.policy == ""


def test_a_correction_reassigns_the_cycles_of_the_old_version_and_no_other():
    first, second = renewed(CPT, AWARDED, date(2029, 3, 1))
    second = replace(second, policy="2020")

    found = policy_impact.corrected((first, second), old="2015", new="2015b")

    assert [cycle.policy for cycle in found] == ["2015b", "2020"]
    assert policy_impact.corrected(found, old="2015", new="2015b") == found


# Another award rule.
def test_the_same_award_rule_moves_nothing():
    cycles = tuple(renewed(CPT, AWARDED))

    assert policy_impact.under(cycles, CPT.award, CPT.award, awarded_on=AWARDED) == cycles


def test_another_award_rule_moves_the_last_days_that_it_computes_otherwise():
    cycles = tuple(renewed(CPT, AWARDED, date(2029, 3, 1)))
    to_the_month = replace(CPT.award, valid_through="end_of_month")

    moved = policy_impact.under(cycles, CPT.award, to_the_month, awarded_on=AWARDED)

    assert [cycle.expires_on for cycle in moved] == [date(2029, 3, 31), date(2034, 3, 31)]


def test_a_last_day_that_both_rules_compute_alike_stays_as_it_is_on_record():
    recorded = replace(renewed(CPT, AWARDED)[0], expires_on=date(2029, 3, 20))
    in_months = replace(CPT.award, validity=Duration(60, "months"))

    found = policy_impact.under((recorded,), CPT.award, in_months, awarded_on=AWARDED)

    assert found == (recorded,)


def test_an_award_rule_may_make_a_certification_endless_and_end_one_that_was():
    cycle = renewed(CPT, AWARDED)[0]
    lifetime = replace(CPT.award, lifetime_if_awarded_before=date(2025, 1, 1))

    [endless] = policy_impact.under((cycle,), CPT.award, lifetime, awarded_on=AWARDED)
    [ending] = policy_impact.under((endless,), lifetime, CPT.award, awarded_on=AWARDED)

    assert endless.expires_on is None
    assert ending.expires_on == EXPIRES
