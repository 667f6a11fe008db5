"""What a policy may say of points, feature by feature: worked_cases.md L1 to L40.

A number in the name of a test is that of the feature: 9 is L9.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.domain.examples import CPT, CYCLE, POLICY, capped, cuts, evaluate, job, policy, with_type
from tests.domain.examples import claim as make
from tracker.domain.periods import Duration, Period
from tracker.domain.points.claims import Cut, Shortfall
from tracker.domain.schemes.activity_types import Limits, Tag
from tracker.domain.schemes.policies import CarryOver, Duplicates, Kinds, Policy, WindowMinimum
from tracker.language.policy_activities import of_type

D = Decimal
DAY = date(2026, 5, 1)
YEAR = Duration(1, "years")
NAME = {"en": "Safety", "es": "Seguridad"}


def course(quantity: str = "10", completed_on: date = DAY, **values: Any) -> Any:
    """A course worth a point an hour, in a category without a cap."""
    return make("third_party", quantity, completed_on, **values)


def limited(base: Policy = POLICY, kind: str = "third_party", **bounds: str) -> Policy:
    """A policy that limits a type."""
    return with_type(base, kind, limits=Limits(**{k: D(v) for k, v in bounds.items()}))


def grouped(base: Policy = POLICY, code: str = "CE", **bounds: str) -> Policy:
    """A policy that limits a category."""
    category = replace(base.categories[code], limits=Limits(**{k: D(v) for k, v in bounds.items()}))
    return replace(base, categories={**base.categories, code: category})


def tagged(base: Policy = POLICY, code: str = "safety", **bounds: str) -> Policy:
    """A policy that limits a tag."""
    tag = Tag(code, NAME, Limits(**{k: D(v) for k, v in bounds.items()}), POLICY.provenance)
    return replace(base, tags={**base.tags, code: tag})


class TestUnitsAndRates:
    def test_9_a_claim_may_be_stated_in_another_unit(self):
        base = with_type(POLICY, "third_party", units={"hour": D(1), "ceu": D(10)})
        found = evaluate(course("1.5", unit="ceu"), course("2", unit="hour"), policy=base)

        assert [c.units for c in found.credits] == [D("15.0"), D("2")]
        assert found.total == D("17.00")

    def test_9_a_unit_that_the_type_does_not_know_counts_nothing(self):
        stated = course(unit="acre")
        found = evaluate(stated)

        assert found.total == D("0.00")
        assert found.credits[0].cuts == (Cut("unknown_unit", D("0.00"), "acre"),)

    def test_9_points_are_given_in_whole_steps_of_the_exact_amount(self):
        base = with_type(POLICY, "third_party", increment=D("0.25"), rate=D("0.333"))
        found = evaluate(course("3"), policy=base)

        assert found.credits[0].claimed == D("1.00")
        assert found.total == D("0.75")
        assert found.credits[0].cuts == (Cut("increment", D("0.25"), bound=D("0.25")),)

    @pytest.mark.parametrize(
        ("rounding", "points"),
        [("half_up", "0.13"), ("half_even", "0.12"), ("down", "0.12"), ("up", "0.13")],
    )
    def test_9_rounding_has_a_name(self, rounding, points):
        base = with_type(policy(rounding=rounding), "third_party", rate=D("0.125"))

        assert evaluate(course("1"), policy=base).total == D(points)

    def test_10_an_event_brings_the_same_whatever_its_quantity(self):
        base = with_type(POLICY, "third_party", basis="event", rate=D("2.00"))
        found = evaluate(course("40"), replace(course(), quantity=None), policy=base)

        assert [(c.units, c.counted) for c in found.credits] == [(D(1), D("2.00"))] * 2

    @pytest.mark.parametrize(("hours", "points"), [("1500", "30"), ("1499.99", "0"), (None, "0")])
    def test_12_an_event_may_need_a_quantity_to_count(self, hours, points):
        base = with_type(
            POLICY,
            "third_party",
            basis="event",
            rate=D(30),
            threshold=D(1500),
            units={"hour": D(1)},
        )
        worked = replace(course(), quantity=None if hours is None else D(hours))
        found = evaluate(worked, policy=base)

        assert found.total == D(points)
        below = [("below_threshold", D(1500), hours or "0.00")] if points == "0" else []
        assert [(c.rule, c.bound, c.subject) for c in found.credits[0].cuts] == below

    def test_11_a_role_multiplies(self):
        base = with_type(POLICY, "third_party", roles={"taught": D("1.5"), "attended": D(1)})
        found = evaluate(course(role="taught"), course(role="attended"), course(), policy=base)

        assert [c.counted for c in found.credits] == [D("15.00"), D("10.00"), D("10.00")]
        assert [c.factor for c in found.credits] == [D("1.5"), D(1), D(1)]
        assert found.credits[0].role == "taught"

    def test_11_a_role_that_the_type_does_not_know_counts_nothing(self):
        found = evaluate(course(role="taught"))

        assert found.credits[0].cuts == (Cut("unknown_role", D("0.00"), "taught"),)
        assert found.total == D("0.00")

    def test_11_a_role_multiplies_months_too(self):
        base = with_type(POLICY, "employment_full_time", roles={"lead": D(2)})
        work = job("full_time", date(2025, 1, 1), date(2025, 3, 31), role="lead")

        assert evaluate(work, policy=base).total == D("6.00")

    def test_14_a_regular_duty_does_not_count_where_the_type_excludes_it(self):
        base = with_type(POLICY, "third_party", outside_duties=True)
        duty, beyond = course(duty=True), course()
        found = evaluate(duty, beyond, policy=base)

        assert cuts(found, duty) == {"regular_duty": D("10.00")}
        assert found.total == D("10.00")
        assert evaluate(duty).total == D("10.00")

    def test_35_the_factor_for_what_nobody_approved_comes_before_the_cap(self):
        """worked_cases.md O2: 60 points, half of them, under a cap of 40, bring 30."""
        base = grouped(with_type(POLICY, "third_party", unapproved=D("0.5")), maximum="40.00")
        raw = course("60")
        found = evaluate(raw, policy=base)

        assert found.total == D("30.00")
        assert cuts(found, raw) == {"unapproved": D("30.00")}
        assert found.credits[0].cuts[0].bound == D("0.5")

    def test_35_the_reviewer_or_the_policy_approves_a_provider(self):
        base = with_type(POLICY, "third_party", unapproved=D("0.5"))
        listed = replace(base, approved_providers=frozenset({"Ivy Tech"}))

        assert evaluate(course(approved=True), policy=base).total == D("10.00")
        assert evaluate(course(), policy=listed).total == D("10.00")
        assert evaluate(course(provider="Other"), policy=listed).total == D("5.00")


class TestDates:
    FIRST, LAST = CYCLE.starts_on, CYCLE.ends_on
    BEFORE, AFTER = date(2024, 3, 14), date(2029, 3, 16)

    @pytest.mark.parametrize(
        ("basis", "starts_on", "completed_on", "counts"),
        [
            ("completion", BEFORE, FIRST, True),
            ("completion", LAST, AFTER, False),
            ("award", BEFORE, FIRST, True),
            ("start", BEFORE, FIRST, False),
            ("start", LAST, AFTER, True),
            ("start", None, LAST, True),
            ("whole", BEFORE, FIRST, False),
            ("whole", LAST, AFTER, False),
            ("whole", FIRST, LAST, True),
        ],
    )
    def test_15_the_date_that_must_lie_in_the_cycle(self, basis, starts_on, completed_on, counts):
        base = with_type(POLICY, "third_party", date_basis=basis)
        run = course("10", completed_on, starts_on=starts_on)
        found = evaluate(run, policy=base, on=date(2030, 1, 1))

        assert found.total == (D("10.00") if counts else D("0.00"))
        assert cuts(found, run) == ({} if counts else {"outside_cycle": D("10.00")})

    def test_15_the_date_that_lies_outside_is_told(self):
        base = with_type(POLICY, "third_party", date_basis="whole")
        found = evaluate(course("1", self.FIRST, starts_on=self.BEFORE), policy=base)
        late = evaluate(course("1", self.AFTER, starts_on=self.LAST), policy=base)

        assert found.credits[0].cuts[0].subject == "2024-03-14"
        assert late.credits[0].cuts[0].subject == "2029-03-16"

    def test_15_what_started_in_the_cycle_counts_when_it_is_done(self):
        base = with_type(POLICY, "third_party", date_basis="start")
        run = course("10", date(2029, 4, 1), starts_on=self.LAST)

        assert cuts(evaluate(run, policy=base), run) == {"after_date": D("10.00")}

    def test_20_a_late_step_or_an_extension_earns_longer(self):
        late = course("10", date(2029, 4, 1))
        until = date(2029, 4, 1)

        assert evaluate(late, on=until, earns_until=until).total == D("10.00")
        assert evaluate(late, on=until, earns_until=date(2029, 3, 31)).total == D("0.00")

    def test_16_once_in_some_years_looks_back_before_the_cycle(self):
        rule = Duplicates(("provider", "title"), Duration(3, "years"))
        old = course("5", date(2023, 6, 1), title="Lean")
        soon = course("7", date(2026, 5, 31), title="Lean")
        later = course("9", date(2026, 6, 1), title="Lean")

        counted = frozenset({old.ref})
        found = evaluate(old, soon, policy=policy(duplicates=rule), counted_before=counted)
        assert found.credits[1].cuts == (Cut("duplicate", D("7.00"), old.ref),)
        found = evaluate(old, later, policy=policy(duplicates=rule), counted_before=counted)
        assert found.total == D("9.00")
        first = course("5", CYCLE.starts_on, title="Lean")
        assert evaluate(first, soon, policy=policy(duplicates=rule)).total == D("7.00")
        other = course("9", date(2026, 5, 31), title="Other")
        assert evaluate(old, other, policy=policy(duplicates=rule)).total == D("9.00")

    def test_16_what_did_not_count_before_the_cycle_displaces_nothing_in_it(self):
        rule = Duplicates(("provider", "title"), Duration(3, "years"))
        old = course("5", date(2023, 6, 1), title="Lean")
        soon = course("7", date(2026, 5, 31), title="Lean")

        assert evaluate(old, soon, policy=policy(duplicates=rule)).total == D("7.00")

    def test_16_within_a_cycle_the_best_set_far_enough_apart_counts(self):
        """One year: the first and the last are far enough apart, the middle clashes with both."""
        rule = Duplicates(("title",), YEAR)
        first = course("4", date(2025, 1, 1), title="Lean")
        middle = course("6", date(2025, 9, 1), title="Lean")
        last = course("4", date(2026, 6, 1), title="Lean")
        found = evaluate(first, middle, last, policy=policy(duplicates=rule))

        assert found.total == D("8.00")
        assert cuts(found, middle) == {"duplicate": D("6.00")}
        assert found.credits[1].cuts[0].subject in {first.ref, last.ref}

    def test_16_what_lies_so_many_years_apart_counts_each_time(self):
        rule = Duplicates(("title",), YEAR)
        days = [CYCLE.starts_on, date(2025, 3, 15), date(2026, 3, 14), date(2026, 3, 15)]
        claims = [course("1", day, title="Lean") for day in days]
        found = evaluate(*claims, policy=policy(duplicates=rule))

        assert [c.counted for c in found.credits] == [1, 1, 0, 1]

    @pytest.mark.parametrize("within", [None, YEAR])
    def test_16_each_of_several_courses_counts_once(self, within):
        rule = Duplicates(("title",), within)
        claims = [course("3", DAY, title=title) for title in ("One", "One", "Two", "Two")]

        assert evaluate(*claims, policy=policy(duplicates=rule)).total == D("6.00")

    def test_16_of_two_worth_the_same_the_earlier_counts(self):
        rule = Duplicates(("title",))
        later, earlier = course(title="Lean"), course("10", date(2025, 1, 1), title="Lean")
        found = evaluate(later, earlier, policy=policy(duplicates=rule))

        assert cuts(found, later) == {"duplicate": D("10.00")}
        assert cuts(found, earlier) == {}


class TestDaysOfAType:
    """A type counts activities of its own days: it began or ended in the middle of a cycle."""

    HALF = with_type(
        POLICY, "third_party", counts_from=date(2025, 1, 1), counts_until=date(2026, 6, 30)
    )

    @pytest.mark.parametrize(
        ("day", "points"),
        [
            (date(2024, 12, 31), 0),
            (date(2025, 1, 1), 10),
            (date(2026, 6, 30), 10),
            (date(2026, 7, 1), 0),
        ],
    )
    def test_the_activity_lies_in_them_both_included(self, day, points):
        assert evaluate(course("10", day), policy=self.HALF).total == points

    def test_a_date_basis_says_which_day_is_meant(self):
        spanning = course("10", date(2025, 1, 20), starts_on=date(2024, 12, 20))

        for basis, points in (("completion", 10), ("start", 0), ("whole", 0)):
            rules = with_type(self.HALF, "third_party", date_basis=basis)
            assert evaluate(spanning, policy=rules).total == points

    def test_of_a_job_the_months_in_them_count(self):
        rules = with_type(POLICY, "employment_full_time", counts_until=date(2025, 3, 31))
        rate = rules.types["employment_full_time"].rate
        work = job("full_time", date(2025, 1, 1), date(2025, 12, 31))
        later = job("full_time", date(2025, 4, 1), date(2025, 12, 31))

        assert evaluate(work, policy=rules).total == 3 * rate
        assert cuts(evaluate(later, policy=rules), later) == {"outside_type": D(0)}

    def test_a_type_without_an_end_is_told_from_its_first_day_on(self):
        rules = with_type(POLICY, "third_party", counts_from=date(2025, 1, 1))
        kind = rules.types["third_party"]

        assert "only activities from January 1, 2025 on count" in next(
            of_type(CPT, rules, kind, "en")
        )
        ended = replace(kind, counts_from=None, counts_until=date(2025, 1, 1))
        told = next(of_type(CPT, rules, ended, "es"))
        assert "solo cuentan las actividades hasta el 1 de enero de 2025" in told


class TestThresholdsOfAYear:
    """ISA CCST: 30 for a year of more than 1,500 hours of work, at one plant or several."""

    CCST = with_type(
        policy(year="calendar", points_required=D(30)),
        "third_party",
        basis="event",
        rate=D("30.00"),
        threshold=D("1500.01"),
        threshold_over="year",
        unit_code="hour",
        units={"hour": D(1), "day": D(8)},
    )

    def test_12_claims_of_one_year_reach_it_together_and_count_once(self):
        spring, autumn = course("900", date(2025, 5, 1)), course("700", date(2025, 11, 1))
        found = evaluate(spring, autumn, policy=self.CCST)

        assert (found.total, found.complete) == (D(30), True)
        assert cuts(found, autumn) == {"together": D(30)}

    @pytest.mark.parametrize(("hours", "points"), [("600", 0), ("600.01", 30)])
    def test_12_to_the_hundredth_of_an_hour(self, hours, points):
        done = course("900", date(2025, 5, 1)), course(hours, date(2025, 11, 1))

        assert evaluate(*done, policy=self.CCST).total == points

    def test_12_those_of_two_years_do_not(self):
        done = course("900", date(2025, 5, 1)), course("900", date(2026, 5, 1))
        found = evaluate(*done, policy=self.CCST)

        assert found.total == 0
        assert [c.cuts[0].subject for c in found.credits] == ["900.00", "900.00"]
        more = course("601", date(2026, 6, 1))
        assert evaluate(*done, more, policy=self.CCST).total == 30

    def test_12_each_year_counts_by_itself(self):
        done = [course("1600", date(year, 5, 1)) for year in (2025, 2026, 2027)]

        assert evaluate(*done, policy=self.CCST).total == 90

    def test_12_what_is_claimed_twice_is_worked_once(self):
        rules = replace(self.CCST, duplicates=Duplicates(("title",)))
        twice = [course("900", date(2025, 5, 1), title="Plant") for _ in range(2)]

        assert evaluate(*twice, policy=rules).total == 0
        other = course("601", date(2025, 6, 1), title="Other")
        assert evaluate(*twice, other, policy=rules).total == 30

    def test_12_units_are_converted_before_they_are_added(self):
        done = course("900", date(2025, 5, 1)), course("76", date(2025, 6, 1), unit="day")

        assert evaluate(*done, policy=self.CCST).total == 30  # 76 days of 8 hours are 608

    def test_12_what_the_reviewer_allowed_nothing_for_adds_nothing(self):
        done = course("900", date(2025, 5, 1)), course("700", date(2025, 6, 1), limit=D(0))

        assert evaluate(*done, policy=self.CCST).total == 0

    def test_12_the_claim_counts_that_serves_a_minimum(self):
        rules = tagged(self.CCST, minimum="30")
        safe = course("10", date(2025, 11, 1), tags=frozenset({"safety"}))
        found = evaluate(course("1600", date(2025, 5, 1)), safe, policy=rules)

        assert found.complete


class TestOverlappingJobs:
    """13: two jobs over three months of each other; part time brings half a point a month."""

    FULL = job("full_time", date(2025, 1, 1), date(2025, 6, 30))
    PART = job("part_time", date(2025, 4, 1), date(2025, 9, 30))

    @pytest.mark.parametrize(
        ("rule", "maximum", "points"),
        [
            ("highest", None, "7.50"),
            ("sum", None, "9.00"),
            ("capped_sum", "1.00", "7.50"),
            ("capped_sum", "1.25", "8.25"),
            ("capped_sum", "2.00", "9.00"),
        ],
    )
    def test_13_overlapping_jobs(self, rule, maximum, points):
        base = policy(overlap=rule, overlap_maximum=None if maximum is None else D(maximum))
        found = evaluate(self.FULL, self.PART, policy=base)

        assert found.total == D(points)
        for credit in found.credits:
            assert credit.claimed - sum(cut.points for cut in credit.cuts) == credit.counted


class TestCaps:
    def test_6_an_event_a_year_and_the_cycle_have_caps_of_their_own(self):
        """ASQ's committee: 0.2 an event, 0.6 a year, 1.8 in all; in points a hundred times."""
        base = limited(per_event="20", per_year="60", maximum="180")
        days = [date(2025, 4, n) for n in range(1, 6)] + [date(2026, 4, n) for n in range(1, 6)]
        days += [date(2027, 4, n) for n in range(1, 6)] + [date(2028, 4, 1)]
        claims = [course("30", day) for day in days]
        found = evaluate(*claims, policy=base)

        assert found.total == D("180.00")
        assert cuts(found, claims[0]) == {"event_cap": D("10.00")}
        assert cuts(found, claims[3]) == {"event_cap": D("10.00"), "year_cap": D("20.00")}
        assert cuts(found, claims[-1]) == {"event_cap": D("10.00"), "cycle_cap": D("20.00")}
        assert {cut.group for cut in found.credits[-1].cuts} == {"type"}
        assert {cut.subject for cut in found.credits[-1].cuts} == {"third_party"}

    def test_6_a_year_is_that_of_the_cycle_or_the_calendar(self):
        """15 March 2025 begins the second year of the cycle; the cycle ends with its last day."""
        claims = [course("10", date(2025, 3, 14)), course("10", date(2025, 3, 15))]
        base = limited(per_year="10")

        assert evaluate(*claims, policy=base).total == D("20.00")
        assert evaluate(*claims, policy=replace(base, year="calendar")).total == D("10.00")

    def test_6_no_year_is_one_day_long(self):
        """The cycle ends on the anniversary of its start: that day belongs to the fifth year."""
        claims = [course("10", date(2029, 3, 14)), course("10", date(2029, 3, 15))]

        assert evaluate(*claims, policy=limited(per_year="10")).total == D("10.00")

    def test_6_months_of_a_job_lie_in_the_years_in_which_they_end(self):
        base = limited(kind="employment_full_time", per_year="6")
        work = job("full_time", date(2024, 9, 15), date(2025, 9, 14))
        found = evaluate(work, policy=base)

        assert found.total == D("12.00")
        longer = job("full_time", date(2024, 9, 15), date(2025, 10, 14))
        assert cuts(evaluate(longer, policy=base), longer) == {"year_cap": D("1.00")}
        long = job("full_time", date(2024, 9, 15), date(2026, 9, 14))
        assert cuts(evaluate(long, policy=base), long) == {"year_cap": D("6.00")}

    def test_6_months_bring_each_year_what_they_are_worth_in_a_role(self):
        """Three months at two points lie in the first year of the cycle, three in the second."""
        kind = "employment_full_time"
        base = with_type(limited(kind=kind, per_year="6"), kind, roles={"lead": D(2)})
        work = job("full_time", date(2024, 12, 15), date(2025, 6, 14), role="lead")

        assert evaluate(work, policy=base).total == D("12.00")

    def test_4_a_tag_caps_across_categories(self):
        base = tagged(maximum="21.00")
        claims = [
            course("15", tags=frozenset({"safety"})),
            make("volunteer", "15", date(2026, 6, 1), tags=frozenset({"safety"})),
            course("5"),
        ]
        found = evaluate(*claims, policy=base)

        assert found.total == D("26.00")
        cut = found.credits[2].cuts[0]
        assert cut == Cut("cycle_cap", D("9.00"), "safety", D("21.00"), "tag")
        assert (found.tags[0].claimed, found.tags[0].counted) == (D("30.00"), D("21.00"))

    def test_4_a_type_may_bear_a_tag_by_itself(self):
        base = tagged(with_type(POLICY, "third_party", tags=frozenset({"safety"})), maximum="4.00")

        assert evaluate(course(), policy=base).total == D("4.00")
        assert evaluate(course(), policy=base).credits[0].tags == {"safety"}

    def test_where_caps_overlap_the_holder_gets_the_best(self):
        """In order, the first would fill the tag and leave the second nothing.

        Volunteering holds 20, safety 21. 20 tagged hours of volunteering come first, then 20
        untagged, then 21 tagged hours of a course: the best is 20 untagged and 21 tagged.
        """
        base = tagged(maximum="21.00")
        first = make("volunteer", "20", date(2025, 1, 1), tags=frozenset({"safety"}))
        second = make("volunteer", "20", date(2025, 2, 1))
        third = course("21", date(2025, 3, 1), tags=frozenset({"safety"}))
        found = evaluate(first, second, third, policy=base)

        assert found.total == D("41.00")
        assert [credit.counted for credit in found.credits] == [D("0.00"), D("20.00"), D("21.00")]
        assert [(c.group, c.subject) for c in found.credits[0].cuts] == [("category", "X")]

    def test_a_higher_total_never_costs_the_verdict(self):
        """Ten of the first claim meet requirement and minimum; the other two would bring 20."""
        base = tagged(tagged(capped(CE="10"), maximum="10"), "ethics", minimum="10")
        base = replace(base, points_required=D(10))
        first = make("third_party", "10", DAY, tags=frozenset({"safety", "ethics"}))
        more = course(), make("volunteer", "10", DAY, tags=frozenset({"safety"}))
        found = evaluate(first, *more, policy=base)

        assert (found.complete, found.total) == (True, D("10.00"))
        assert evaluate(*more, policy=base).total == D("20.00")

    def test_a_duplicate_worth_more_never_costs_the_verdict(self):
        base = grouped(
            policy(points_required=D(8), duplicates=Duplicates(("title",))), "X", minimum="8"
        )
        once = make("volunteer", "8", DAY, title="Ethics of welding")
        found = evaluate(once, course(title="Ethics of welding"), policy=base)

        assert (found.complete, found.total) == (True, D("8.00"))

    @pytest.mark.parametrize(
        ("changes", "more"),
        [
            ({}, []),
            ({"kinds": Kinds(1, "category")}, []),
            ({"duplicates": Duplicates(("title",))}, ["Again", "Again"]),
        ],
        ids=["alone", "with a minimum just met", "with duplicates elsewhere"],
    )
    def test_a_cap_that_another_claim_fills_up_is_not_named_for_what_a_tag_took(
        self, changes, more
    ):
        base = tagged(limited(policy(**changes), maximum="15.00"), maximum="5.00")
        first = course("10", date(2025, 1, 1), tags=frozenset({"safety"}))
        second = course("10", date(2025, 2, 1))
        others = [make("college_credit", "1", DAY, title=title) for title in more]
        found = evaluate(first, second, *others, policy=base)

        assert [credit.counted for credit in found.credits[:2]] == [D("5.00"), D("10.00")]
        assert found.credits[0].cuts == (Cut("cycle_cap", D("5.00"), "safety", D("5.00"), "tag"),)
        assert found.credits[1].cuts == ()

    def test_37_reviews_stop_at_the_requirement(self):
        base = capped(policy(stop_at_requirement=True), CE=None)
        claims = [course("90"), course("30", date(2026, 6, 1)), course("5", date(2026, 7, 1))]
        found = evaluate(*claims, policy=base, carried_over=D("4.00"))

        assert (found.earned, found.total) == (D("96.00"), D("100.00"))
        assert found.credits[1].cuts == (Cut("stop", D("24.00"), "", D("96.00"), "policy"),)
        assert found.credits[2].cuts[0].bound == D("96.00")


class TestMinima:
    def test_2_a_tag_or_a_type_may_have_a_minimum(self):
        base = tagged(limited(minimum="12.00"), code="ethics", minimum="4.00")
        found = evaluate(course(), course("1", tags=frozenset({"ethics"})), policy=base)

        assert found.shortfalls == (
            Shortfall("tag", "ethics", D("1.00"), D("4.00")),
            Shortfall("type", "third_party", D("11.00"), D("12.00")),
        )

    @pytest.mark.parametrize(("of", "kinds"), [("category", 1), ("type", 2)])
    def test_5_different_kinds_are_needed(self, of, kinds):
        base = policy(kinds=Kinds(3, of))
        found = evaluate(
            course("50"),
            make("college_credit", "11", DAY),
            make("volunteer", "0", DAY),
            policy=base,
        )

        assert (found.kinds, found.missing, found.complete) == (kinds, D("0.00"), False)
        assert found.shortfalls == (Shortfall("kinds", of, D(kinds), D(3)),)

    @pytest.mark.parametrize(("needed", "counted"), [(1, ["10.00", "0.00"]), (2, ["9.99", "0.01"])])
    def test_5_a_kind_counts_only_if_it_brings_anything(self, needed, counted):
        """The tag has room for ten; a cent of a second kind makes up for what the first lacks."""
        base = tagged(policy(kinds=Kinds(needed, "category")), maximum="10.00")
        marked = frozenset({"safety"})
        found = evaluate(
            course("10", date(2025, 1, 1), tags=marked),
            make("volunteer", "5", DAY, tags=marked),
            policy=base,
        )

        assert [credit.counted for credit in found.credits] == [D(points) for points in counted]
        assert (found.total, found.kinds, found.shortfalls) == (D("10.00"), needed, ())

    def test_5_a_missing_kind_weighs_as_much_as_a_point(self):
        """The course needs all that the tag has room for; a cent of it brings a second kind."""
        base = tagged(policy(kinds=Kinds(2, "category")), maximum="1.50")
        marked = frozenset({"safety"})
        found = evaluate(
            course("2", tags=marked),
            make("volunteer", "2", date(2026, 6, 1), tags=marked),
            policy=limited(base, minimum="1.50"),
        )

        assert found.kinds == 2
        assert found.shortfalls == (Shortfall("type", "third_party", D("1.49"), D("1.50")),)

    def test_7_part_of_the_points_must_come_from_the_last_stretch(self):
        base = policy(windows=(WindowMinimum(Duration(3, "years"), D("20.00")),))
        early, late = course("95", date(2026, 3, 15)), course("19.5", date(2026, 3, 16))
        found = evaluate(early, late, policy=base)

        assert found.windows[0].period == Period(date(2026, 3, 16), CYCLE.ends_on)
        assert (found.windows[0].counted, found.windows[0].minimum) == (D("19.50"), D("20.00"))
        assert found.shortfalls == (Shortfall("window", "2026-03-16", D("19.50"), D("20.00")),)

    def test_7_a_cap_cuts_what_the_last_stretch_does_not_need(self):
        base = grouped(
            policy(windows=(WindowMinimum(Duration(3, "years"), D("20.00")),)), maximum="100.00"
        )
        early, late = course("100", date(2025, 1, 1)), course("30", date(2028, 1, 1))
        found = evaluate(early, late, policy=base)

        assert (found.total, found.shortfalls) == (D("100.00"), ())
        assert [credit.counted for credit in found.credits] == [D("80.00"), D("20.00")]

    def test_7_a_stretch_that_ends_with_a_month_begins_with_one(self):
        cycle = Period(date(2021, 7, 1), date(2024, 6, 30))
        base = policy(windows=(WindowMinimum(Duration(6, "months"), D("1.00")),))

        assert evaluate(policy=base, cycle=cycle).windows[0].period.starts_on == date(2024, 1, 1)

    def test_8_every_year_may_need_points(self):
        base = policy(minimum_per_year=D("10.00"))
        claims = [course("20", date(year, 6, 1)) for year in (2024, 2025, 2027, 2028)]
        found = evaluate(*claims, course("9", date(2029, 3, 15)), policy=base)

        assert [year.period.starts_on.year for year in found.years] == [
            2024,
            2025,
            2026,
            2027,
            2028,
        ]
        assert found.years[-1].period == Period(date(2028, 3, 15), date(2029, 3, 15))
        assert found.shortfalls == (Shortfall("year", "2026-03-15", D("0.00"), D("10.00")),)

    def test_8_years_of_the_calendar_are_clipped_to_the_cycle(self):
        base = policy(minimum_per_year=D("1.00"), year="calendar")
        years = evaluate(policy=base).years

        assert [y.period.ends_on for y in years[:1]] == [date(2024, 12, 31)]
        assert (len(years), years[-1].period.starts_on) == (6, date(2029, 1, 1))

    def test_8_a_year_of_the_calendar_may_be_one_day_long(self):
        cycle = Period(date(2024, 3, 15), date(2025, 1, 1))
        base = policy(minimum_per_year=D("1.00"), year="calendar")
        found = evaluate(course("1", date(2025, 1, 1)), policy=base, cycle=cycle)

        assert [(year.period.days, year.counted) for year in found.years] == [
            (292, D("0.00")),
            (1, D("1.00")),
        ]

    def test_years_and_last_stretches_are_told_apart(self):
        base = policy(
            minimum_per_year=D("1.00"), windows=(WindowMinimum(Duration(6, "months"), D("2.00")),)
        )
        found = evaluate(policy=base)

        assert {year.minimum for year in found.years} == {D("1.00")}
        assert [window.minimum for window in found.windows] == [D("2.00")]


class TestMinimaOfGroupsInTime:
    """Minima of a year or a last stretch that only a category, tag or type serves."""

    LAST = date(2028, 3, 16), date(2029, 3, 15)  # the last year of the cycle

    def _asking(self, **named):
        window = WindowMinimum(YEAR, D(20), **named)
        return policy(points_required=D(20), windows=(window,))

    def test_7_only_activities_of_the_category_serve_a_last_stretch_of_it(self):
        rules = self._asking(category="CE")
        done = make("volunteer", "20", self.LAST[0])
        found = evaluate(
            done, course("5", self.LAST[1]), course("15", date(2028, 3, 15)), policy=rules
        )

        assert found.shortfalls == (
            Shortfall("window", "2028-03-16", D(5), D(20), ("category", "CE"), Period(*self.LAST)),
        )
        assert evaluate(done, course("20", self.LAST[0]), policy=rules).complete
        assert found.windows[0].within == ("category", "CE")

    def test_7_so_do_those_of_a_type_or_with_a_tag(self):
        safe = frozenset({"safety"})
        for rules in (self._asking(type="third_party"), tagged(self._asking(tag="safety"))):
            assert evaluate(course("20", self.LAST[0], tags=safe), policy=rules).complete
            other = make("volunteer", "20", self.LAST[0])
            assert not evaluate(other, policy=rules).complete

    def test_7_several_groups_may_ask_for_something_of_the_same_stretch(self):
        windows = (
            WindowMinimum(YEAR, D(10), category="CE"),
            WindowMinimum(YEAR, D(8), type="volunteer"),
        )
        rules = policy(points_required=D(18), windows=windows)
        half = evaluate(course("18", self.LAST[0]), policy=rules)
        both = evaluate(
            course("10", self.LAST[0]), make("volunteer", "8", self.LAST[0]), policy=rules
        )

        assert [s.within for s in half.shortfalls] == [("type", "volunteer")]
        assert both.complete

    def test_8_a_category_may_need_points_in_each_year(self):
        rules = grouped(policy(points_required=D(50)), minimum_per_year="10")
        yearly = [course("10", date(2024 + n, 5, 1)) for n in range(5)]
        found = evaluate(*yearly[1:], make("volunteer", "10", date(2024, 5, 1)), policy=rules)

        assert evaluate(*yearly, policy=rules).complete
        assert [(s.of, s.subject, s.missing, s.within) for s in found.shortfalls] == [
            ("year", "2024-03-15", D(10), ("category", "CE"))
        ]

    def test_8_room_that_years_compete_for_goes_to_the_year_that_needs_it(self):
        """20 of the category count in all, of which each year needs 2 of volunteering."""
        limits = Limits(minimum_per_year=D(2))
        rules = with_type(policy(points_required=D(12)), "volunteer", limits=limits)
        done = [make("volunteer", "28", date(2024, 5, 1))]
        done += [make("volunteer", "2", date(2025 + n, 5, 1)) for n in range(4)]
        found = evaluate(*done, policy=rules)

        assert found.complete
        assert [c.counted for c in found.credits] == [D(12), D(2), D(2), D(2), D(2)]


class TestCarryOver:
    RULE = CarryOver(D("40.00"), frozenset({"CE"}), Duration(6, "months"))

    def test_17_only_surplus_of_the_right_kind_from_the_last_months_passes(self):
        """ISC2: at most 40, group A only, earned in the last six months."""
        base = policy(carry_over=self.RULE)
        claims = [
            course("90", date(2025, 1, 1)),
            make("volunteer", "20", date(2029, 2, 1)),
            course("25", date(2028, 9, 16)),
        ]

        assert evaluate(*claims, policy=base).carries_over == D("25.00")
        assert evaluate(*claims[:2], policy=base).carries_over == D("0.00")
        early = replace(claims[2], completed_on=date(2028, 9, 15))
        assert evaluate(*claims[:2], early, policy=base).carries_over == D("0.00")

    def test_17_never_more_than_the_maximum_nor_than_the_surplus(self):
        plenty = policy(carry_over=replace(self.RULE, last=None))

        assert evaluate(course("300"), policy=plenty).carries_over == D("40.00")
        assert evaluate(course("107"), policy=plenty).carries_over == D("7.00")
        assert evaluate(course("100"), policy=plenty).carries_over == D("0.00")
        anything = policy(carry_over=CarryOver(D("40.00")))
        assert evaluate(course("107"), policy=anything).carries_over == D("7.00")

    def test_17_what_was_carried_over_counts_to_the_total(self):
        found = evaluate(course("70"), carried_over=D("30.00"))

        assert (found.earned, found.carried_over, found.total) == (D(70), D(30), D(100))
        assert found.complete

    def test_17_shrm_reckons_the_surplus_of_what_was_earned(self):
        """60 needed: 25 for the organization count 20, with 45 of education 65 of 70 earned."""
        base = capped(CE=None, IC="20")
        rules = replace(base, points_required=D(60), carry_over=CarryOver(D(20)))
        done = course("45"), make("volunteer", "25", DAY)
        earned = replace(rules, carry_over=CarryOver(D(20), of="earned"))

        assert evaluate(*done, policy=rules).carries_over == D(5)
        assert evaluate(*done, policy=earned).carries_over == D(10)
        assert evaluate(*done, policy=earned).total == D(65)

    def test_17_what_is_earned_is_held_to_everything_but_years_and_cycle(self):
        rules = replace(
            limited(policy(points_required=D(30)), per_event="20", per_year="35"),
            duplicates=Duplicates(("title",)),
            carry_over=CarryOver(D(40), of="earned"),
        )
        done = [course("25", title="Lean"), course("5", title="Lean"), course("19")]
        found = evaluate(*done, policy=rules)

        assert found.total == D(35)  # 20 and 19, of which a year counts 35
        assert found.carries_over == D(9)

    def test_17_nothing_is_carried_over_while_the_requirement_is_not_reached(self):
        rules = replace(
            capped(CE="20"), points_required=D(60), carry_over=CarryOver(D(20), of="earned")
        )

        assert evaluate(course("90"), policy=rules).carries_over == 0

    def test_17_only_the_earned_points_of_a_category_and_a_stretch_pass(self):
        rule = CarryOver(D(40), frozenset({"CE"}), Duration(6, "months"), of="earned")
        rules = replace(capped(CE="50"), points_required=D(30), carry_over=rule)
        early, late = course("45"), course("12", CYCLE.ends_on)

        assert evaluate(early, late, policy=rules).carries_over == D(12)  # 5 of them count


class TestTerms:
    def test_21_lateness_raises_the_requirement(self):
        found = evaluate(course("110"), extra_points=D("30.00"))

        assert (found.required, found.missing) == (D("130.00"), D("20.00"))

    def test_25_a_reduced_requirement(self):
        assert evaluate(course("45"), required=D("45.00")).complete
        assert evaluate(required=D("0.00")).complete

    def test_34_a_re_examination_stands_for_the_points(self):
        found = evaluate(reexamined_on=DAY)

        assert (found.complete, found.missing, found.reexamined_on) == (True, D("100.00"), DAY)


def test_what_was_claimed_in_a_type_that_another_replaces_counts_as_that():
    """A later version renames a type, and gives it another category."""
    renamed = replace(
        POLICY.types["third_party"],
        code="course",
        category="X",
        replaces=frozenset({"third_party"}),
    )
    base = policy(types={"course": renamed})
    found = evaluate(course("8"), policy=base)

    assert found.total == D("8.00")
    assert [(c.category, c.type) for c in found.credits] == [("X", "course")]
