"""domain/points/pricing.py: a claim on its way through the rules, with what was cut from it."""

from datetime import date
from decimal import Decimal

from tests.domain.examples import CYCLE, POLICY, claim
from tracker.domain.points import constraints
from tracker.domain.points.claims import Cut
from tracker.domain.points.pricing import Earned, PricedClaim


def test_cuts_by_one_rule_one_after_the_other_are_one_cut():
    course = claim("third_party", "10", date(2026, 1, 5))
    priced = PricedClaim(
        course,
        POLICY.types["third_party"],
        Decimal(1),
        (date(2026, 1, 5), date(2026, 1, 5), ""),
        counted=Decimal(10),
    )

    priced.cut("overlap", Decimal(1))
    priced.cut("overlap", Decimal(2))
    priced.cut("decision", Decimal(3), bound=Decimal(4))

    assert priced.cuts == (
        Cut("overlap", Decimal(3)),
        Cut("decision", Decimal(3), bound=Decimal(4)),
    )
    assert priced.counted == Decimal(4)


def test_a_month_that_rounds_to_nothing_has_no_year_of_its_own():
    job = next(kind for kind in POLICY.types.values() if kind.basis == "months")
    line = PricedClaim(
        claim(job.code),
        job,
        Decimal(1),
        (date(2025, 1, 5), date(2026, 2, 5), ""),
        counted=Decimal(1),
        earned=[Earned(date(2025, 2, 4), Decimal(0)), Earned(date(2026, 2, 4), Decimal(1))],
    )
    table = constraints.cap_table(POLICY)

    points = constraints._dated(table, line, CYCLE, [CYCLE])

    assert list(points.values()) == [Decimal(1)]
