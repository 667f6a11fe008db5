"""Points rounded once for each category (``rounding``), worked by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from tests.domain.examples import (
    CPT,
    CYCLE,
    POLICY,
    claim,
    cuts,
    evaluate,
    nouns,
    policy,
    with_type,
)
from tracker.domain.amounts import rounded
from tracker.domain.points.evaluations import PricedCycle
from tracker.domain.schemes.policies import Duplicates
from tracker.language.evaluations import explain_credit
from tracker.language.policies import in_plain_words

D = Decimal
DAYS = [date(2026, month, 1) for month in range(1, 13)]
QUARTER = with_type(  # ASQ: 0.025 RU for each quarter of an hour of reading
    policy(rounding_of="category", credit=nouns("RU/RUs", "RU")),
    "third_party",
    rate=D("0.1"),
    unit=nouns("hour/hours", "hora/horas", feminine=True),
)


def quarters(count: int, **values):
    return [claim("third_party", "0.25", day, **values) for day in DAYS[:count]]


def test_four_quarters_of_an_hour_are_a_tenth_and_not_twelve_hundredths():
    one_by_one = replace(QUARTER, rounding_of="claim")

    assert evaluate(*quarters(4), policy=one_by_one).total == D("0.12")
    assert evaluate(*quarters(4), policy=QUARTER).total == D("0.10")


def test_a_sum_is_rounded_anew_whatever_was_evaluated_before():
    claims, on = quarters(4), date(2027, 1, 1)
    cycle = PricedCycle(QUARTER, claims[:3], cycle=CYCLE, on=on)

    assert cycle.evaluate().total == cycle.evaluate().total == cycle.total_on(on) == D("0.08")
    assert cycle.evaluate(claims[3:]) == evaluate(*claims, policy=QUARTER, on=on)


def test_each_claim_is_told_what_the_sum_grows_by_with_it():
    found = evaluate(*quarters(4), policy=QUARTER)

    assert [c.counted for c in found.credits] == [D("0.03"), D("0.02"), D("0.03"), D("0.02")]
    assert [c.claimed for c in found.credits] == [c.counted for c in found.credits]
    assert found.categories[0].counted == D("0.10")


def test_categories_are_rounded_apart():
    both = with_type(QUARTER, "volunteer", rate=D("0.1"))
    found = evaluate(*quarters(1), claim("volunteer", "0.25", DAYS[0], title="Help"), policy=both)

    assert found.total == D("0.06")


@pytest.mark.parametrize(
    ("rounding", "total"),
    [("half_up", "0.08"), ("half_even", "0.08"), ("down", "0.07"), ("up", "0.08")],
)
def test_a_sum_is_rounded_as_the_policy_says(rounding, total):
    assert evaluate(*quarters(3), policy=replace(QUARTER, rounding=rounding)).total == D(total)


def test_a_minimum_of_the_category_is_held_to_the_rounded_sum():
    category = QUARTER.categories["CE"]
    needing = replace(category, limits=replace(category.limits, minimum=D("0.08")))
    rules = replace(
        QUARTER, points_required=D("0.08"), categories={**QUARTER.categories, "CE": needing}
    )

    assert evaluate(*quarters(3), policy=rules).complete
    assert not evaluate(*quarters(2), policy=rules).complete


def test_counting_stops_at_the_requirement_in_hundredths():
    rules = replace(QUARTER, points_required=D("0.07"), stop_at_requirement=True)
    done = quarters(4)
    found = evaluate(*done, policy=rules)

    assert (found.total, found.complete) == (D("0.07"), True)
    assert cuts(found, done[3]) == {"stop": D("0.02")}
    assert cuts(found, done[2]) == {"stop": D("0.01")}


def test_what_a_cap_takes_is_told_in_hundredths():
    kind = QUARTER.types["third_party"]
    rules = with_type(QUARTER, "third_party", limits=replace(kind.limits, maximum=D("0.06")))
    done = quarters(3)
    found = evaluate(*done, policy=rules)

    assert found.total == D("0.06")
    assert cuts(found, done[2]) == {"cycle_cap": D("0.02")}  # 0.015 of 0.025


@pytest.mark.parametrize("rounding", ["half_up", "half_even", "down", "up"])
@pytest.mark.parametrize("last", ["0.04", "0.05", "0.06", "0.15", "0.16"])
def test_of_duplicates_those_count_whose_rounded_sums_are_the_most(rounding, last):
    """Tried against both choices: the twins are of two categories."""
    rules = with_type(QUARTER, "volunteer", rate=D("0.1"))
    rules = replace(rules, rounding=rounding, duplicates=Duplicates(("title",)))
    kinds = {"third_party": ["0.05", "0.11"], "volunteer": ["0.05", last]}
    first, second = (
        claim(kind, own, DAYS[0], title=f"Own {kind}") for kind, (own, _) in kinds.items()
    )
    twins = [claim(kind, twin, DAYS[1], title="Twin") for kind, (_, twin) in kinds.items()]
    sums = [
        rounded(D("0.005") + (D("0.011") if choice else 0), rounding)
        + rounded(D("0.005") + (0 if choice else D(last) / 10), rounding)
        for choice in (True, False)
    ]

    assert evaluate(first, second, *twins, policy=rules).total == max(sums)


def test_a_claim_says_that_it_was_rounded_with_others():
    found = evaluate(*quarters(2), claim("third_party", "1", DAYS[4]), policy=QUARTER)
    told = [explain_credit(one, QUARTER, "en") for one in found.credits]
    spanish = explain_credit(found.credits[0], QUARTER, "es")

    assert told[0].endswith(
        "0.25 hours × 0.1, rounded with the other activities of its category = 0.03 RUs claimed,"
        " 0.03 counted."
    )
    assert told[2].endswith("1 hour × 0.1 = 0.1 RUs claimed, 0.1 counted.")
    assert "redondeado junto con las demás de su categoría = 0.03 RU" in spanish


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "They are rounded once for all activities of a category"),
        ("es", "Se redondean una sola vez para todas las actividades de una categoría"),
    ],
)
def test_it_is_told_in_plain_words(language, sentence):
    def told(rules):
        return repr(in_plain_words(CPT, rules, language))

    assert sentence in told(QUARTER)
    assert sentence not in told(POLICY)


def test_jobs_counted_by_the_day_are_rounded_with_the_rest_of_their_category():
    """Ten days of a month of 30.4375 at 0.1 are 0.03285: three times that is 0.09856."""
    rules = with_type(
        replace(QUARTER, month_rule="pro_rata"), "employment_part_time", rate=D("0.1")
    )
    jobs = [
        claim(
            "employment_part_time",
            None,
            date(2026, month, 10),
            title=f"Job {month}",
            starts_on=date(2026, month, 1),
        )
        for month in (1, 3, 5)
    ]

    assert evaluate(*jobs, policy=rules).total == D("0.10")
    assert evaluate(*jobs, policy=replace(rules, rounding="down")).total == D("0.09")


def test_a_cap_may_leave_less_than_a_hundredth_of_what_the_reviewer_allowed():
    """0.015 of the first and 0.005 of the second fill the cap; the twins bring nothing."""
    category = QUARTER.categories["CE"]
    capped = replace(category, limits=replace(category.limits, maximum=D("0.02")))
    rules = replace(
        QUARTER, categories={**QUARTER.categories, "CE": capped}, duplicates=Duplicates(("title",))
    )
    first = claim("third_party", "0.15", DAYS[0])
    allowed = claim("third_party", "9", DAYS[1], limit=D("0.02"))
    twins = [claim("third_party", "0.1", day, title="Twin") for day in DAYS[2:4]]
    found = evaluate(first, allowed, *twins, policy=rules)

    assert found.total == D("0.02")
    assert cuts(found, allowed) == {"decision": D("0.88"), "cycle_cap": D("0.02")}
