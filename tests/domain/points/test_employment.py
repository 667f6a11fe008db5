"""Employment counted by months (worked_cases.md case 5, case 6), overlaps and limits."""

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import examples
from tests.domain.examples import (
    POLICY,
    capped,
    claim,
    credit,
    cuts,
    evaluate,
    job,
    policy,
    total,
    with_type,
)
from tracker.domain.periods import Period, add_months
from tracker.domain.points.claims import Cut
from tracker.domain.points.employment import Segment, segments
from tracker.domain.schemes.activity_types import Limits
from tracker.domain.schemes.policies import Policy

DAY = date(2026, 5, 1)
D = Decimal


@pytest.mark.parametrize(
    ("rule", "points"),
    [("completed", "19.00"), ("pro_rata", "19.52"), ("fifteen_days", "20.00")],
)
def test_a_job_to_the_end_of_the_cycle_counts_by_the_month_rule(rule, points):
    cycle = Period(date(2021, 6, 1), date(2026, 5, 31))
    work = job("full_time", date(2024, 10, 15))

    assert total(work, policy=policy(month_rule=rule), cycle=cycle) == D(points)


def test_the_month_not_completed_is_told():
    work = job("full_time", date(2024, 10, 15))
    evaluation = evaluate(work, cycle=Period(date(2021, 6, 1), date(2026, 5, 31)))

    assert credit(evaluation, work).units == D(20)
    assert cuts(evaluation, work) == {"incomplete_month": D("1.00")}


def test_a_share_of_a_month_leaves_nothing_to_tell():
    work = job("part_time", date(2026, 1, 1), date(2026, 1, 10))
    evaluation = evaluate(work, policy=policy(month_rule="pro_rata"))
    brought = credit(evaluation, work)

    assert (brought.units, brought.claimed, brought.counted) == (
        D("0.33"),
        D("0.16"),
        D("0.16"),
    )
    assert brought.cuts == ()


@pytest.mark.parametrize(
    ("rule", "rate", "ends_on", "points"),
    [
        ("pro_rata", "1.00", date(2026, 1, 20), "0.65"),
        ("completed", "0.125", date(2026, 3, 31), "0.37"),
    ],
)
def test_nothing_is_claimed_that_the_policys_rounding_takes(rule, rate, ends_on, points):
    base = with_type(policy(month_rule=rule, rounding="down"), "employment_full_time", rate=D(rate))
    work = job("full_time", date(2026, 1, 1), ends_on)
    brought = credit(evaluate(work, policy=base), work)

    assert (brought.claimed, brought.counted, brought.cuts) == (D(points), D(points), ())


@pytest.mark.parametrize(
    ("on", "months"),
    [
        (date(2025, 1, 30), 0),
        (date(2025, 1, 31), 1),
        (date(2025, 6, 30), 6),
        (date(2029, 3, 15), 50),
        (date(2035, 1, 1), 50),
    ],
)
def test_a_job_that_goes_on_counts_to_the_day_or_to_the_expiry(on, months):
    """worked_cases.md case 6: the earlier of as_of and expiry."""
    assert total(job("full_time", date(2025, 1, 1)), on=on) == months


def test_a_job_begun_before_the_cycle_counts_from_its_first_day():
    assert total(job("full_time", date(2020, 1, 1), date(2024, 4, 14))) == D("1.00")
    assert total(job("full_time", date(2020, 1, 1), date(2024, 4, 13))) == D("0.00")


@pytest.mark.parametrize(
    ("work", "on", "rule"),
    [
        (job("full_time", date(2020, 1, 1), date(2024, 3, 14)), DAY, "outside_cycle"),
        (job("full_time", date(2029, 3, 16)), date(2030, 1, 1), "outside_cycle"),
        (job("full_time", date(2026, 5, 2)), DAY, "after_date"),
        (job("full_time", date(2026, 5, 2)), date(2020, 1, 1), "after_date"),
        (claim("employment_full_time"), DAY, "outside_cycle"),
    ],
    ids=["ended before", "begun after", "begins later", "long ago", "no dates"],
)
def test_a_job_none_of_whose_days_count_says_why(work, on, rule):
    evaluation = evaluate(work, on=on)

    assert evaluation.total == D("0.00")
    assert credit(evaluation, work).cuts == (Cut(rule, D("0.00")),)


def test_overlapping_jobs_count_each_day_once_at_the_highest_rate():
    part = job("part_time", date(2025, 1, 1), date(2025, 12, 31))
    full = job("full_time", date(2025, 4, 1), date(2025, 9, 30))
    evaluation = evaluate(part, full)

    assert evaluation.total == D("9.00")  # 3 and 3 months at 0.50, 6 at 1.00
    assert credit(evaluation, full).counted == D("6.00")
    assert cuts(evaluation, part) == {"overlap": D("3.00")}


def test_the_longer_of_two_jobs_at_one_rate_is_given_the_months():
    long = job("full_time", date(2025, 1, 1), date(2025, 12, 31))
    short = job("full_time", date(2025, 6, 1), date(2025, 12, 31))
    evaluation = evaluate(short, long)

    assert evaluation.total == D("12.00")
    assert cuts(evaluation, long) == {}
    assert cuts(evaluation, short) == {"overlap": D("7.00")}


def test_jobs_that_adjoin_at_one_rate_complete_a_month_together():
    first = job("full_time", date(2025, 1, 1), date(2025, 1, 15))
    second = job("full_time", date(2025, 1, 16), date(2025, 1, 31))
    apart = job("full_time", date(2025, 1, 17), date(2025, 1, 31))

    assert total(first, second) == D("1.00")
    assert total(first, apart) == D("0.00")


def test_what_adjoining_jobs_lose_is_no_overlap():
    """Together two months and some days, which the first of them begins."""
    first = job("full_time", date(2025, 1, 1), date(2025, 2, 10))
    second = job("full_time", date(2025, 2, 11), date(2025, 3, 20))
    evaluation = evaluate(first, second)

    assert credit(evaluation, first).counted == evaluation.total == D("2.00")
    assert cuts(evaluation, second) == {"incomplete_month": D("2.00")}


def test_jobs_counted_by_the_day_bring_their_own_days():
    first = job("full_time", date(2026, 1, 1), date(2026, 1, 20))
    second = job("full_time", date(2026, 1, 21), date(2026, 1, 31))
    evaluation = evaluate(first, second, policy=policy(month_rule="pro_rata"))

    assert [found.counted for found in evaluation.credits] == [D("0.66"), D("0.36")]
    assert evaluation.total == D("1.02")


def test_a_job_within_another_counted_by_the_day_loses_its_days_to_it():
    long = job("full_time", date(2026, 1, 1), date(2026, 1, 31))
    short = job("full_time", date(2026, 1, 1), date(2026, 1, 20))
    evaluation = evaluate(long, short, policy=policy(month_rule="pro_rata"))

    assert credit(evaluation, short).claimed == D("0.65")
    assert cuts(evaluation, short) == {"overlap": D("0.65")}


def test_jobs_that_adjoin_at_two_rates_do_not():
    first = job("full_time", date(2025, 1, 1), date(2025, 1, 15))
    second = job("part_time", date(2025, 1, 16), date(2025, 1, 31))

    assert total(first, second) == D("0.00")


def test_months_of_another_category_do_not_overlap_with_a_job():
    """A membership that is counted by months is no job beside the job."""
    kind = replace(POLICY.types["employment_full_time"], code="member", category="X")
    base = policy(types={**POLICY.types, "member": kind})
    work = job("full_time", date(2025, 1, 1), date(2025, 6, 30))
    member = replace(work, ref="m", category="X", type="member")

    assert total(work, member, policy=base) == D("12.00")


def test_a_limited_job_leaves_its_months_to_another_that_covers_them():
    long = job("full_time", date(2025, 1, 1), date(2026, 12, 31), limit=D("5.00"))
    short = job("full_time", date(2025, 1, 1), date(2025, 12, 31))
    evaluation = evaluate(long, short)

    assert evaluation.total == D("17.00")
    assert cuts(evaluation, long) == {"overlap": D("12.00"), "decision": D("7.00")}
    assert cuts(evaluation, short) == {}


def test_a_limit_comes_after_the_month_not_completed():
    work = job("full_time", date(2025, 1, 1), date(2026, 1, 10), limit=D("5.00"))
    evaluation = evaluate(work)

    assert evaluation.total == D("5.00")
    assert credit(evaluation, work).cuts == (
        Cut("incomplete_month", D("1.00")),
        Cut("decision", D("7.00"), bound=D("5.00")),
    )


def test_the_category_cap_comes_last():
    work = job("full_time", date(2024, 3, 15))
    evaluation = evaluate(work, policy=capped(E="18.00"))

    assert evaluation.total == D("18.00")
    assert cuts(evaluation, work) == {
        "incomplete_month": D("1.00"),
        "cycle_cap": D("42.00"),
    }


def test_segments_are_cut_at_every_change_of_the_highest_rate():
    """worked_cases.md case 5: adjoining segments of one rate join."""
    low, high = D("0.50"), D("1.00")

    def days(first, last):
        return Period(date(2026, 1, first), date(2026, 1, last))

    jobs = [
        (days(1, 20), low),
        (days(5, 8), high),
        (days(9, 12), high),
        (days(21, 22), low),
        (days(25, 31), low),
    ]

    assert segments(jobs) == segments(reversed(jobs))
    assert segments(jobs) == (
        Segment(days(1, 4), low),
        Segment(days(5, 12), high),
        Segment(days(13, 22), low),
        Segment(days(25, 31), low),
    )
    assert segments([]) == ()


class TestAnotherClaimThatLowersTheTotal:
    """Two exceptions to the invariant, which the literal rule brings with it.

    worked_cases.md case 5: overlapping jobs are cut into segments, each at the highest rate, and a
    segment counts by its completed months.
    """

    def test_a_day_at_a_higher_rate_cuts_a_month_at_a_lower_one_into_two_halves(self):
        january = job("part_time", date(2026, 1, 1), date(2026, 1, 31))
        one_day = job("full_time", date(2026, 1, 16), date(2026, 1, 16))

        assert total(january) == D("0.50")
        assert total(january, one_day) == D("0.00")

    def test_a_whole_month_at_twice_the_rate_makes_up_for_what_it_cuts(self):
        year = job("part_time", date(2025, 1, 1), date(2025, 12, 31))
        month = job("full_time", date(2025, 6, 16), date(2025, 7, 15))

        assert total(year) == D("6.00")
        assert total(year, month) == D("6.00")  # 5 and 5 months at 0.50, 1 at 1.00

    def test_a_day_that_joins_two_half_months_leaves_one_month(self):
        fifteen_days = policy(month_rule="fifteen_days")
        halves = [
            job("full_time", date(2026, 1, 1), date(2026, 1, 15)),
            job("full_time", date(2026, 1, 17), date(2026, 1, 31)),
        ]
        between = job("full_time", date(2026, 1, 16), date(2026, 1, 16))

        assert total(*halves, policy=fifteen_days) == D("2.00")
        assert total(*halves, between, policy=fifteen_days) == D("1.00")


class TestMonthsOfYears:
    """Each month lies in the year in which it ends, whichever of the jobs is given it."""

    CYCLE = Period(date(2020, 1, 1), date(2022, 12, 31))

    def capped(self, most: str, **values) -> Policy:
        base = policy(year="calendar", windows=(), **values)
        for code in ("employment_full_time", "employment_part_time"):
            base = with_type(base, code, limits=Limits())
        limits = Limits(per_year=D(most))
        category = replace(base.categories["E"], limits=limits)
        return replace(base, categories={**base.categories, "E": category})

    def total(self, *jobs, most="12", **values):
        return total(*jobs, policy=self.capped(most, **values), cycle=self.CYCLE)

    def test_of_jobs_that_overlap(self):
        """Thirty-six months in three years, of which a first job has two and a second the rest."""
        first = job("full_time", date(2020, 1, 1), date(2021, 12, 31))
        second = job("full_time", date(2021, 6, 1), date(2022, 12, 31))

        assert self.total(first, second) == self.total(second, first) == D("36.00")

    def test_of_a_chain_of_jobs(self):
        chain = [
            job("full_time", date(2019, 11, 15), date(2020, 7, 10)),
            job("full_time", date(2020, 5, 1), date(2021, 3, 31)),
            job("full_time", date(2021, 2, 15), date(2022, 1, 20)),
            job("full_time", date(2022, 1, 10)),
        ]

        assert self.total(*chain) == D("36.00")
        assert self.total(*chain, most="7") == D("21.00")

    def test_of_a_job_within_another_at_a_higher_rate(self):
        long = job("part_time", date(2020, 1, 1), date(2022, 12, 31))
        inner = job("full_time", date(2021, 7, 1), date(2022, 6, 30))

        assert self.total(long, inner) == D("24.00")  # 6, 9 and 9
        assert self.total(long, inner, most="7") == D("20.00")

    def test_of_a_job_of_which_the_reviewer_allowed_less(self):
        """Its months are all of the cycle: those count that a year has room for."""
        long = job("full_time", date(2020, 1, 1), date(2022, 12, 31), limit=D("15.00"))
        evaluation = evaluate(long, policy=self.capped("5"), cycle=self.CYCLE)

        assert evaluation.total == D("15.00")
        found = credit(evaluation, long)
        assert found.claimed - sum(cut.points for cut in found.cuts) == D("15.00")

    def test_of_jobs_that_share_months_each_with_a_limit(self):
        first = job("full_time", date(2020, 1, 1), date(2021, 12, 31), limit=D("13.00"))
        second = job("full_time", date(2021, 1, 1), date(2022, 12, 31), limit=D("13.00"))

        assert self.total(first, second) == D("26.00")
        assert self.total(first, second, most="8") == D("24.00")

    @examples(60)
    @given(data=st.data())
    def test_are_those_of_the_days_on_which_somebody_worked(self, data):
        """One rate: the days of all jobs make runs, which are counted without asking whose."""
        spans = st.tuples(st.dates(date(2019, 10, 1), date(2023, 2, 28)), st.integers(1, 500))
        drawn = data.draw(st.lists(spans, max_size=6))
        jobs = [job("full_time", day, day + timedelta(n - 1)) for day, n in drawn]
        most = data.draw(st.integers(1, 12))
        found = {day + timedelta(n) for day, length in drawn for n in range(length)}
        worked = {day for day in found if day in self.CYCLE}
        by_year: Counter[int] = Counter()
        for first in (day for day in worked if day - timedelta(1) not in worked):
            run = next(n for n in range(9999) if first + timedelta(n) not in worked)
            ends = [add_months(first, n) for n in range(1, 40)]
            by_year.update((end - timedelta(1)).year for end in ends if (end - first).days <= run)

        counted = sum(min(months, most) for months in by_year.values())
        assert self.total(*jobs, most=str(most)) == counted


class TestJobsThatCapsTellApart:
    """A month that two jobs cover counts for the one for which there is room, or a minimum."""

    LONG = job("full_time", date(2025, 1, 1), date(2025, 12, 31))
    SHORT = job("part_time", date(2025, 1, 1), date(2025, 6, 30))

    def alike(self, **limits) -> Policy:
        """Part time brings as much as full time; full time has limits of its own."""
        base = with_type(POLICY, "employment_part_time", rate=D("1.00"))
        return with_type(base, "employment_full_time", limits=Limits(**limits))

    def test_a_cap_on_one_activity_leaves_months_to_another(self):
        assert total(self.SHORT, policy=self.alike(per_event=D(5))) == D("6.00")
        assert total(self.SHORT, self.LONG, policy=self.alike(per_event=D(5))) == D("11.00")

    def test_so_does_one_on_a_type(self):
        assert total(self.SHORT, self.LONG, policy=self.alike(maximum=D(2))) == D("8.00")

    def test_a_minimum_of_a_type_is_met(self):
        base = with_type(self.alike(), "employment_part_time", limits=Limits(minimum=D(6)))
        found = evaluate(self.SHORT, self.LONG, policy=base)

        assert found.total == D("12.00")
        assert credit(found, self.SHORT).counted == D("6.00")
        assert cuts(found, self.LONG) == {"overlap": D("6.00")}

    def test_a_regular_duty_takes_no_month_from_another_job(self):
        base = with_type(self.alike(), "employment_full_time", outside_duties=True)
        duty = replace(self.LONG, ref="duty", duty=True)
        found = evaluate(self.SHORT, duty, policy=base)

        assert found.total == D("6.00")
        assert cuts(found, duty) == {"regular_duty": D("12.00")}

    def test_nor_does_a_job_that_nobody_approved(self):
        base = with_type(self.alike(), "employment_full_time", unapproved=D("0.25"))
        found = evaluate(self.SHORT, self.LONG, policy=base)

        assert found.total == D("7.50")  # six months, and a quarter of six
        assert cuts(found, self.LONG) == {"unapproved": D("9.00"), "overlap": D("1.50")}


@given(data=st.data())
@examples(60)
def test_months_of_one_job_add_up_alike_whether_dates_matter_or_not(data):
    """A limit a year that nobody reaches has every month dated, and changes no points."""
    rules = data.draw(st.sampled_from(["completed", "pro_rata", "fifteen_days"]))
    overlap = data.draw(st.sampled_from(["sum", "highest", "capped_sum"]))
    plain = policy(month_rule=rules, overlap=overlap, overlap_maximum=D("1.3"))
    dated = replace(plain, minimum_per_year=D(0))
    days = st.integers(0, 800).map(lambda n: date(2024, 1, 10) + timedelta(n))
    work = [
        job(data.draw(st.sampled_from(["full_time", "part_time"])), *sorted([a, b]))
        for a, b in data.draw(st.lists(st.tuples(days, days), min_size=1, max_size=3))
    ]

    assert total(*work, policy=plain) == total(*work, policy=dated)


@pytest.mark.parametrize("rule", ["completed", "pro_rata", "fifteen_days"])
def test_a_job_that_may_have_little_leaves_the_rest_to_one_at_a_lower_rate(rule):
    part = job("part_time", date(2024, 1, 1), date(2024, 12, 31))
    full = job("full_time", date(2024, 1, 1), date(2024, 12, 31))
    little = replace(full, limit=D("0.50"))
    under = policy(month_rule=rule)

    assert total(part, little, policy=under) >= total(part, policy=under)
    assert total(part, full, policy=under) == total(full, policy=under)


def test_a_day_that_earns_less_than_a_cent_changes_nothing():
    work = [
        job("part_time", date(2024, 4, day), date(2024, 9, 30), limit=D(f"0.0{day}"))
        for day in (1, 2)
    ]
    cheap = with_type(POLICY, "employment_part_time", rate=D("0.05"))
    under = replace(cheap, month_rule="pro_rata", minimum_per_year=D(0))

    assert total(*work, policy=under) == D("0.03")
