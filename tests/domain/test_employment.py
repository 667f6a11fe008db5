"""Employment counted by months: worked cases 5 and 6 of domain.md, overlaps and limits."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

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
from tracker.domain.claims import Cut
from tracker.domain.employment import Segment, segments
from tracker.domain.periods import Period

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
        D("0.33"), D("0.16"), D("0.16"),
    )  # fmt: skip
    assert brought.cuts == ()


@pytest.mark.parametrize(
    ("rule", "rate", "ends_on", "points"),
    [
        ("pro_rata", "1.00", date(2026, 1, 20), "0.65"),
        ("completed", "0.125", date(2026, 3, 31), "0.37"),
    ],
)
def test_nothing_is_claimed_that_the_policys_rounding_takes(rule, rate, ends_on, points):
    base = with_type(
        policy(month_rule=rule, rounding="down"), "employment_full_time", rate=D(rate)
    )  # fmt: skip
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
    """domain.md, worked case 6: the earlier of as_of and expiry."""
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
    assert cuts(evaluation, long) == {"decision": D("19.00")}
    assert cuts(evaluation, short) == {}


def test_a_limit_comes_after_the_month_not_completed():
    work = job("full_time", date(2025, 1, 1), date(2026, 1, 10), limit=D("5.00"))
    evaluation = evaluate(work)

    assert evaluation.total == D("5.00")
    assert credit(evaluation, work).cuts == (
        Cut("incomplete_month", D("1.00")), Cut("decision", D("7.00"), bound=D("5.00")),
    )  # fmt: skip


def test_the_category_cap_comes_last():
    work = job("full_time", date(2024, 3, 15))
    evaluation = evaluate(work, policy=capped(E="18.00"))

    assert evaluation.total == D("18.00")
    assert cuts(evaluation, work) == {
        "incomplete_month": D("1.00"), "cycle_cap": D("42.00"),
    }  # fmt: skip


def test_segments_are_cut_at_every_change_of_the_highest_rate():
    """domain.md, worked case 5: adjoining segments of one rate join."""
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
    """The two exceptions to the invariant, which the literal rules bring with them.

    domain.md, worked case 5: overlapping jobs are cut into segments, each at the highest rate,
    and a segment counts by its completed months.
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
