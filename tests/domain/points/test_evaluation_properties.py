"""Invariants of the evaluation over claims that no one would think of."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from tests.domain.examples import POLICY, capped, evaluate, policy, with_type
from tracker.domain.periods import Period
from tracker.domain.points import evaluations as rules
from tracker.domain.points.claims import Claim, Evaluation
from tracker.domain.schemes.policies import Policy

CYCLE = Period(date(2024, 1, 31), date(2025, 7, 1))
FULL, PART = "employment_full_time", "employment_part_time"
CENT = Decimal("0.01")
DATED = [code for code, kind in POLICY.types.items() if kind.basis == "quantity"]

hundredths = st.integers(1, 4000).map(lambda n: Decimal(n).scaleb(-2))
limits = st.none() | hundredths
caps = st.none() | st.integers(0, 8000).map(lambda n: str(Decimal(n).scaleb(-2)))
DAYS = st.dates(CYCLE.starts_on - timedelta(60), CYCLE.ends_on + timedelta(60))


def _claim(kind: str, **values: Any) -> Claim:
    category = POLICY.types[kind].category if kind in POLICY.types else "Z"
    return Claim(ref="", category=category, type=kind, **values)


@st.composite
def dated(draw: Any) -> Claim:
    """A course or the like, often the same as another one, in the same category or not."""
    day = draw(st.sampled_from([date(2024, 2, 29), date(2024, 3, 1)]) | DAYS)
    return _claim(
        draw(st.sampled_from([*DATED, "unheard_of"])),
        title=draw(st.sampled_from("ABC")),
        provider=draw(st.sampled_from(["", "Ivy Tech"])),
        quantity=draw(hundredths),
        starts_on=None,
        completed_on=day,
        limit=draw(limits),
    )


@st.composite
def jobs(draw: Any, *, kinds: tuple[str, ...] = (FULL, PART), limited: bool = True) -> Claim:
    """A job of some length, one that goes on included."""
    starts_on = draw(DAYS)
    length = draw(st.none() | st.integers(0, 150))
    ends_on = None if length is None else starts_on + timedelta(length)
    return _claim(
        draw(st.sampled_from(kinds)),
        title="Technician",
        provider="Plant",
        quantity=None,
        starts_on=starts_on,
        completed_on=ends_on,
        limit=draw(limits) if limited else None,
    )


def claims_of(*kinds: st.SearchStrategy[Claim]) -> st.SearchStrategy[list[Claim]]:
    """Up to eight claims with references of their own."""
    return st.lists(st.one_of(*kinds), max_size=8).map(
        lambda found: [replace(claim, ref=f"c{n}") for n, claim in enumerate(found)]
    )


@st.composite
def policies(draw: Any, *, rules: tuple[str, ...] = ("completed", "pro_rata", "fifteen_days")):
    """The shipped policy under other caps, steps and month rules."""
    base = with_type(
        policy(
            month_rule=draw(st.sampled_from(rules)),
            duplicates=draw(st.sampled_from([POLICY.duplicates, None])),
        ),
        "third_party",
        increment=draw(st.none() | st.just(Decimal("0.25"))),
    )
    return capped(base, **{code: draw(caps) for code in base.categories})


def _evaluated(claims: list[Claim], under: Policy) -> Evaluation:
    return evaluate(*claims, policy=under, cycle=CYCLE)


@given(claims=claims_of(dated(), jobs()), under=policies(), data=st.data())
def test_the_order_of_entry_never_matters(claims, under, data):
    """worked_cases.md I1."""
    shuffled = data.draw(st.permutations(claims))

    assert _evaluated(claims, under) == _evaluated(shuffled, under)


@given(claims=claims_of(dated(), jobs()), under=policies())
def test_evaluating_twice_gives_the_same(claims, under):
    """worked_cases.md I5."""
    assert repr(_evaluated(claims, under)) == repr(_evaluated(claims, under))


@given(claims=claims_of(dated(), jobs()), under=policies())
def test_the_numbers_add_up(claims, under):
    """worked_cases.md I3, I4."""
    evaluation = _evaluated(claims, under)

    for found in evaluation.credits:
        assert 0 <= found.counted <= found.claimed
        assert found.claimed - sum(cut.points for cut in found.cuts) == found.counted
        assert all(cut.points >= 0 for cut in found.cuts)
        assert found.counted == found.counted.quantize(CENT)
    assert sum(found.counted for found in evaluation.credits) == evaluation.total
    assert sum(found.counted for found in evaluation.categories) == evaluation.total
    assert len(evaluation.credits) == len(claims)


@given(claims=claims_of(dated(), jobs()), under=policies(), data=st.data())
def test_with_more_claims_or_on_another_day_it_is_as_if_evaluated_from_the_beginning(
    claims, under, data
):
    on, day, some = data.draw(DAYS), data.draw(DAYS), data.draw(st.integers(0, len(claims)))
    under = replace(under, rounding_of=data.draw(st.sampled_from(["claim", "category"])))
    if data.draw(st.booleans()):
        threshold = {"threshold": Decimal(10), "threshold_over": "year"}
        under = with_type(under, data.draw(st.sampled_from(DATED)), **threshold)
    cycle = rules.PricedCycle(under, claims[:some], cycle=CYCLE, on=on)
    alone = rules.evaluate(under, claims[:some], cycle=CYCLE, on=on)

    assert cycle.evaluate(claims[some:]) == rules.evaluate(under, claims, cycle=CYCLE, on=on)
    assert cycle.total_on(day) == rules.evaluate(under, claims[:some], cycle=CYCLE, on=day).total
    assert cycle.evaluate() == alone


def test_a_job_is_counted_anew_on_another_day():
    start, early, late = date(2024, 1, 1), date(2024, 6, 30), date(2024, 12, 31)
    job = _claim(
        FULL,
        title="Technician",
        provider="Plant",
        quantity=None,
        starts_on=start,
        completed_on=None,
    )
    cycle = rules.PricedCycle(POLICY, [job], cycle=CYCLE, on=early)

    totals = {
        day: rules.evaluate(POLICY, [job], cycle=CYCLE, on=day).total for day in (early, late)
    }
    assert totals[late] > totals[early] > 0
    assert (cycle.total_on(late), cycle.total_on(early)) == (totals[late], totals[early])


def test_what_too_little_of_a_year_was_refused_counts_with_a_claim_that_comes_later():
    under = with_type(POLICY, "third_party", threshold=Decimal(10), threshold_over="year")
    days = {"a": date(2024, 3, 1), "b": date(2024, 4, 1)}
    some = [
        replace(
            _claim(
                "third_party",
                title=ref,
                provider="",
                quantity=Decimal(6),
                starts_on=None,
                completed_on=day,
            ),
            ref=ref,
        )
        for ref, day in days.items()
    ]
    cycle = rules.PricedCycle(under, some[:1], cycle=CYCLE, on=CYCLE.ends_on)

    assert cycle.evaluate().total == 0
    assert cycle.evaluate(some[1:]) == rules.evaluate(under, some, cycle=CYCLE, on=CYCLE.ends_on)
    assert cycle.evaluate(some[1:]).total > 0


@given(claims=claims_of(dated(), jobs()), under=policies())
def test_no_cap_and_no_limit_is_ever_exceeded(claims, under):
    evaluation = _evaluated(claims, under)
    allowed = {claim.ref: claim.limit for claim in claims}

    assert all(
        c.limits.maximum is None or c.counted <= c.limits.maximum for c in evaluation.categories
    )
    for found in evaluation.credits:
        limit = allowed[found.ref]
        assert limit is None or found.counted <= limit


@given(claims=claims_of(dated(), jobs()), under=policies())
def test_a_course_never_counts_twice(claims, under):
    evaluation = _evaluated(claims, replace(under, duplicates=POLICY.duplicates))
    counted = {found.ref for found in evaluation.credits if found.counted}
    courses = [
        (claim.provider, claim.title, claim.completed_on)
        for claim in claims
        if claim.ref in counted and claim.quantity is not None
    ]

    assert len(courses) == len(set(courses))


def _lowering(claims: list[Claim], under: Policy) -> list[Claim]:
    """Those claims that, added last to all the others, lower the total."""
    whole = _evaluated(claims, under).total
    return [
        added
        for added in claims
        if _evaluated([c for c in claims if c is not added], under).total > whole
    ]


@given(
    claims=claims_of(dated(), jobs(kinds=(FULL,))),
    under=policies(rules=("completed",)),
    overlap=st.sampled_from(["highest", "sum"]),
)
def test_another_claim_never_lowers_the_total(claims, under, overlap):
    """worked_cases.md I2; jobs at one rate, limited or not."""
    assert _lowering(claims, replace(under, overlap=overlap)) == []


@given(
    claims=claims_of(dated(), jobs()),
    under=policies(rules=("pro_rata",)),
    overlap=st.sampled_from(["highest", "sum", "capped_sum"]),
)
def test_another_claim_never_lowers_a_total_counted_by_the_day(claims, under, overlap):
    """worked_cases.md I2; jobs at any rates, limited or not."""
    most = Decimal("1.25") if overlap == "capped_sum" else None
    assert _lowering(claims, replace(under, overlap=overlap, overlap_maximum=most)) == []


@given(
    claims=claims_of(dated(), jobs(limited=False)),
    added=jobs(limited=False),
    under=policies(rules=("completed",)),
)
def test_a_job_lowers_the_total_only_where_it_covers_days_of_one_at_a_lower_rate(
    claims, added, under
):
    """The whole extent of the exception: see TestAnotherClaimThatLowersTheTotal."""
    rates = {code: kind.rate for code, kind in POLICY.types.items()}
    assume(
        not any(
            rates[other.type] < rates[added.type] and _days(other).clip(_days(added))
            for other in claims
            if other.quantity is None
        )
    )
    before = _evaluated(claims, under).total

    assert _evaluated([*claims, replace(added, ref="added")], under).total >= before


def _days(job: Claim) -> Period:
    assert job.starts_on
    return Period(job.starts_on, job.completed_on or date.max)


@given(claims=claims_of(dated(), jobs()), under=policies(), data=st.data())
def test_what_lies_after_the_day_asked_about_never_counts(claims, under, data):
    """worked_cases.md S2: points are counted up to the day."""
    on = data.draw(DAYS)
    evaluation = evaluate(*claims, policy=under, cycle=CYCLE, on=on)
    seen = evaluate(
        *(
            replace(claim, completed_on=min(claim.completed_on or on, on))
            if claim.quantity is None
            else claim
            for claim in claims
            if (claim.starts_on or claim.completed_on or on) <= on
        ),
        policy=under,
        cycle=CYCLE,
        on=CYCLE.ends_on,
    )

    assert evaluation.total == seen.total
