"""What claims are worth, rule by rule, and which rule took what."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from tests.domain.examples import (
    CYCLE,
    POLICY,
    capped,
    claim,
    credit,
    cuts,
    evaluate,
    job,
    needing,
    policy,
    total,
    with_type,
)
from tracker.domain.points.claims import Cut, Shortfall
from tracker.domain.schemes.activity_types import Category

DAY = date(2026, 5, 1)
D = Decimal


@pytest.mark.parametrize(
    ("kind", "quantity", "points"),
    [
        ("college_credit", "3", "15.00"),
        ("college_noncredit", "12", "12.00"),
        ("third_party", "12", "12.00"),
        ("industry_certification", "1", "20.00"),
        ("industry_certification", "4", "60.00"),
        ("volunteer", "19.5", "19.50"),
        ("volunteer", "21", "20.00"),
    ],
)
def test_dated_activities_bring_their_quantity_times_the_rate_up_to_the_cap(kind, quantity, points):
    """worked_cases.md P2: the illustrative values."""
    assert total(claim(kind, quantity, DAY)) == D(points)


@pytest.mark.parametrize(("kind", "points"), [("full_time", "24.00"), ("part_time", "12.00")])
def test_jobs_bring_points_by_completed_month(kind, points):
    """worked_cases.md P2: 1 a month of full time, 0.5 of part time."""
    assert total(job(kind, date(2025, 1, 1), date(2026, 12, 31))) == D(points)


def test_no_claims_bring_no_points():
    evaluation = evaluate()

    assert (evaluation.total, evaluation.missing) == (D("0.00"), D("100.00"))
    assert (str(evaluation.earned), str(evaluation.total)) == ("0.00", "0.00")
    assert not evaluation.complete


def test_hundred_points_complete_the_requirement_and_more_leave_nothing_missing():
    assert evaluate(claim("college_credit", "20", DAY)).complete
    assert not evaluate(claim("college_credit", "19.99", DAY)).complete
    assert evaluate(claim("college_credit", "30", DAY)).missing == D("0.00")


def test_every_evaluation_says_its_version_and_that_values_were_not_verified():
    """worked_cases.md P3."""
    evaluation = evaluate()

    assert (evaluation.policy, evaluation.verified) == ("2015", False)
    assert evaluate(policy=policy(unverified=())).verified


@pytest.mark.parametrize(
    ("completed_on", "counted"),
    [
        (date(2024, 3, 14), "0.00"),
        (date(2024, 3, 15), "3.00"),
        (date(2029, 3, 15), "3.00"),
        (date(2029, 3, 16), "0.00"),
    ],
)
def test_both_ends_of_the_cycle_are_inside(completed_on, counted):
    """worked_cases.md case 2."""
    course = claim("third_party", "3", completed_on)
    evaluation = evaluate(course, on=date(2030, 1, 1))

    assert evaluation.total == D(counted)
    assert cuts(evaluation, course) == ({} if D(counted) else {"outside_cycle": D("3.00")})


def test_what_is_completed_after_the_day_asked_about_is_not_counted_yet():
    course = claim("third_party", "3", date(2026, 5, 2))

    early = credit(evaluate(course, on=DAY), course)
    assert early.cuts == (Cut("after_date", D("3.00"), "2026-05-02"),)
    assert total(course, on=date(2026, 5, 2)) == D("3.00")


def test_a_credit_tells_the_claim_and_how_it_was_counted():
    course = claim("college_credit", "3", DAY, title="Lean", role="", tags=frozenset({"law"}))
    found = credit(evaluate(course), course)

    assert (found.category, found.type, found.title, found.on) == (
        "CE",
        "college_credit",
        "Lean",
        DAY,
    )
    assert (found.units, found.rate, found.factor) == (D(3), D("5.00"), D(1))
    assert (found.claimed, found.counted) == (D("15.00"), D("15.00"))
    assert found.tags == {"law"}


def test_of_two_completed_on_one_day_the_one_begun_first_has_the_room():
    late = claim("volunteer", "15", DAY, ref="a")
    early = claim("volunteer", "15", DAY, ref="b", starts_on=date(2026, 4, 1))
    middle = claim("volunteer", "15", DAY, ref="c", starts_on=date(2026, 4, 2))
    evaluation = evaluate(late, middle, early)

    assert [(found.ref, found.counted) for found in evaluation.credits] == [
        ("b", D("15.00")),
        ("c", D("5.00")),
        ("a", D("0.00")),
    ]


def test_points_of_a_part_of_a_unit_are_rounded_to_the_cent_halves_up():
    base = with_type(POLICY, "third_party", rate=D("0.35"))

    assert total(claim("third_party", "0.1", DAY), policy=base) == D("0.04")


def test_points_are_given_in_whole_steps():
    """worked_cases.md L9: steps of 0.25."""
    base = with_type(POLICY, "third_party", increment=D("0.25"))
    course = claim("third_party", "3.49", DAY)
    evaluation = evaluate(course, policy=base)

    assert evaluation.total == D("3.25")
    assert credit(evaluation, course).cuts == (Cut("increment", D("0.24"), "", D("0.25")),)


def test_a_factor_comes_before_a_cap():
    """worked_cases.md O2: 60 points, half of them, under a cap of 40, bring 30."""
    base = with_type(capped(CE="40.00"), "third_party", rate=D("0.50"))

    assert total(claim("third_party", "60", DAY), policy=base) == D("30.00")


def test_a_cap_cuts_the_latest_claims():
    early = claim("volunteer", "15", date(2025, 1, 1))
    late = claim("volunteer", "15", date(2026, 1, 1))
    evaluation = evaluate(late, early)

    assert evaluation.total == D("20.00")
    assert cuts(evaluation, early) == {}
    cap = Cut("cycle_cap", D("10.00"), "X", D("20.00"), "category")
    assert credit(evaluation, late).cuts == (cap,)


def test_the_reviewers_limit_cuts_a_claim():
    course = claim("third_party", "10", DAY, limit=D("4.00"))
    evaluation = evaluate(course)

    assert evaluation.total == D("4.00")
    assert credit(evaluation, course).cuts == (Cut("decision", D("6.00"), "", D("4.00")),)


def test_a_limit_above_what_is_claimed_cuts_nothing():
    assert total(claim("third_party", "10", DAY, limit=D("40.00"))) == D("10.00")


@pytest.mark.parametrize("category", ["CE", "Z"])
def test_an_unknown_type_brings_nothing_and_is_named(category):
    stranger = replace(claim("volunteer", "3", DAY), category=category)
    evaluation = evaluate(stranger, claim("third_party", "3", date(2026, 6, 1)))

    assert evaluation.total == D("3.00")
    assert credit(evaluation, stranger).rate == D("0.00")
    assert credit(evaluation, stranger).cuts == (Cut("unknown_type", D("0.00"), "volunteer"),)


@pytest.mark.parametrize("incomplete", [claim("third_party", "3"), claim("third_party")])
def test_a_dated_claim_without_its_quantity_or_date_brings_nothing(incomplete):
    assert total(incomplete) == D("0.00")


def test_categories_tell_what_was_claimed_and_counted_with_their_bounds():
    evaluation = evaluate(
        claim("volunteer", "15", date(2025, 1, 1)),
        claim("volunteer", "15", DAY),
        policy=needing(X="5.00"),
    )
    found = {c.code: c for c in evaluation.categories}["X"]

    assert (found.claimed, found.counted) == (D("30.00"), D("20.00"))
    assert (found.limits.maximum, found.limits.minimum) == (D("20.00"), D("5.00"))


def test_a_category_minimum_is_needed_beside_the_total():
    """worked_cases.md L2."""
    base = needing(CE="35.00")
    certifications = [claim("industry_certification", "3", DAY), claim("volunteer", "20", DAY)]
    jobs = [job("full_time", date(2024, 3, 15))]
    short = evaluate(*certifications, *jobs, claim("third_party", "34.99", DAY), policy=base)
    met = evaluate(*certifications, *jobs, claim("third_party", "35", DAY), policy=base)

    assert (short.missing, short.complete) == (D("0.00"), False)
    assert short.shortfalls == (Shortfall("category", "CE", D("34.99"), D("35.00")),)
    assert short.shortfalls[0].missing == D("0.01")
    assert (met.complete, met.minima_met, met.shortfalls) == (True, True, ())


class TestDuplicates:
    """worked_cases.md case 7."""

    def test_the_same_course_twice_counts_once_the_one_worth_more(self):
        less = claim("third_party", "3", DAY, title="Lean", ref="a")
        more = claim("third_party", "5", DAY, title="Lean", ref="b")
        evaluation = evaluate(less, more)

        assert evaluation.total == D("5.00")
        assert credit(evaluation, less).cuts == (Cut("duplicate", D("3.00"), "b"),)

    @pytest.mark.parametrize(
        "other",
        [
            {"title": "Lean II"},
            {"provider": "Other"},
            {"completed_on": date(2026, 5, 2)},
        ],
    )
    def test_another_title_provider_or_day_is_another_course(self, other):
        first = claim("third_party", "3", DAY, title="Lean")
        second = replace(first, ref="other", **other)

        assert total(first, second) == D("6.00")

    def test_what_the_reviewer_allowed_decides_which_is_worth_more(self):
        limited = claim("third_party", "9", DAY, title="Lean", limit=D("2.00"))
        plain = claim("third_party", "3", DAY, title="Lean")

        assert total(limited, plain) == D("3.00")

    def test_of_two_that_have_no_room_neither_displaces_the_other(self):
        """They bear different tags, so that caps might see them differently."""
        full = claim("volunteer", "20", date(2025, 1, 1))
        plain = claim("volunteer", "15", DAY, title="Lean")
        marked = claim("volunteer", "15", DAY, title="Lean", tags=frozenset({"law"}))
        evaluation = evaluate(full, plain, marked)

        assert evaluation.total == D("20.00")
        for twin in (plain, marked):
            assert cuts(evaluation, twin) == {"cycle_cap": D("15.00")}

    def test_of_two_worth_the_same_the_same_one_counts_in_any_order(self):
        twins = [claim("third_party", "3", DAY, title="Lean", ref=ref) for ref in "ab"]

        assert evaluate(*twins) == evaluate(*reversed(twins))

    def test_a_claim_that_does_not_count_anyway_displaces_nothing(self):
        base = with_type(POLICY, "third_party", increment=D("5.00"))
        small = claim("third_party", "4", DAY, title="Lean")
        large = claim("third_party", "6", DAY, title="Lean")

        assert "duplicate" not in cuts(evaluate(small, large, policy=base), small)

    def test_a_policy_may_allow_them(self):
        twins = [claim("third_party", "3", DAY, title="Lean") for _ in range(2)]

        assert total(*twins, policy=policy(duplicates=None)) == D("6.00")

    @pytest.mark.parametrize(
        "title", ["LEAN Señal", "Lean  señal", "lean\u00a0sen\u0303al", "Lean\u200b Senal"]
    )
    def test_a_course_in_other_letters_is_the_same_course(self, title):
        twice = [
            claim("third_party", "3", DAY, title="Lean Señal", provider="Ivy", ref="a"),
            claim("third_party", "3", DAY, title=title, provider="IVY ", ref="b"),
        ]

        assert evaluate(*twice).total == D("3.00")

    def test_signs_tell_courses_apart(self):
        courses = [claim("third_party", "3", DAY, title=title) for title in ("C++", "C#")]

        assert evaluate(*courses).total == D("6.00")

    def test_jobs_are_never_duplicates_of_each_other(self):
        jobs = [job("full_time", date(2026, 1, 1), date(2026, 1, 31), title="T") for _ in "ab"]

        assert "duplicate" not in cuts(evaluate(*jobs), jobs[0]) | cuts(evaluate(*jobs), jobs[1])

    def test_a_course_claimed_in_two_categories_counts_where_it_brings_more(self):
        """The one worth more lies in a category that is full already."""
        full = claim("volunteer", "20", date(2025, 1, 1))
        worth_more = claim("volunteer", "15", DAY, title="Lean")
        brings_more = claim("third_party", "10", DAY, title="Lean")
        evaluation = evaluate(full, worth_more, brings_more)

        assert evaluation.total == D("30.00")
        assert cuts(evaluation, worth_more) == {"duplicate": D("15.00")}

    def test_where_no_cap_binds_the_one_worth_more_counts_in_whatever_category(self):
        worth_more = claim("volunteer", "15", DAY, title="Lean")
        less = claim("third_party", "10", DAY, title="Lean")

        assert total(worth_more, less) == D("15.00")

    def test_several_courses_in_two_categories_are_chosen_together(self):
        """One by one, 12 and 11 would both go to X, which holds 20 only."""
        pairs = [
            claim("volunteer", "12", DAY, title="One"),
            claim("third_party", "10", DAY, title="One"),
            claim("volunteer", "11", DAY, title="Two"),
            claim("third_party", "10", DAY, title="Two"),
        ]

        assert total(*pairs) == D("22.00")

    def test_jobs_take_room_in_their_category_too(self):
        base = capped(with_type(POLICY, "volunteer", category="E"), E="12.00")
        work = job("full_time", date(2025, 1, 1), date(2025, 12, 31))
        helped = claim("volunteer", "15", DAY, title="Lean", category="E")
        course = claim("third_party", "10", DAY, title="Lean")

        assert total(work, helped, course, policy=base) == D("22.00")

    def test_very_many_courses_in_two_categories_are_still_chosen_quickly(self):
        claims = []
        for number in range(40):
            for kind, share in (("volunteer", 1), ("third_party", 2), ("college_credit", 3)):
                quantity = str(D(number * number + share) / 1000)
                claims.append(claim(kind, quantity, DAY, title=f"Course {number}"))

        assert total(*claims) > 0


def test_evaluations_tell_the_cycle_and_the_day():
    evaluation = evaluate(on=DAY)

    assert (evaluation.cycle, evaluation.on) == (CYCLE, DAY)


def test_a_category_may_have_no_bounds():
    ce = POLICY.categories["CE"]

    assert isinstance(ce, Category)
    assert (ce.limits.maximum, ce.limits.minimum) == (None, None)
    assert total(claim("third_party", "400", DAY)) == D("400.00")
