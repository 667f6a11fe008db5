"""The invariants of the evaluation, over policies drawn from the whole language."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tests.domain.points.language import (
    CYCLE,
    DAYS,
    INSIDE,
    JOBS,
    dated,
    employed,
    policies,
    several,
)
from tracker.domain.points.claims import ZERO, Claim, Evaluation, Terms
from tracker.domain.points.evaluations import evaluate
from tracker.domain.schemes.policies import Policy

CLAIMS = several(dated(), employed(JOBS))
CENT = Decimal("0.01")
CAPS = {"year_cap", "cycle_cap"}
TERMS = st.builds(Terms, carried_over=st.sampled_from([ZERO, Decimal("12.34")]))
NO_TERMS = Terms()


def _evaluated(claims: list[Claim], policy: Policy, terms: Terms = NO_TERMS) -> Evaluation:
    return evaluate(policy, claims, cycle=CYCLE, on=CYCLE.ends_on, terms=terms)


@given(CLAIMS, policies(), st.data())
def test_the_order_of_entry_never_matters(claims, policy, data):
    """worked_cases.md I1."""
    shuffled = data.draw(st.permutations(claims))

    assert repr(_evaluated(claims, policy)) == repr(_evaluated(shuffled, policy))


@given(CLAIMS, policies(), DAYS, TERMS)
def test_the_explanation_adds_up(claims, policy, on, terms):
    """worked_cases.md I3, I4."""
    found = evaluate(policy, claims, cycle=CYCLE, on=on, terms=terms)

    for credit in found.credits:
        assert ZERO <= credit.counted <= credit.claimed
        assert credit.claimed - sum(cut.points for cut in credit.cuts) == credit.counted
        assert all(cut.points > ZERO or credit.counted == ZERO for cut in credit.cuts)
    assert sum(credit.counted for credit in found.credits) == found.earned
    assert found.earned + terms.carried_over == found.total
    assert sum(group.counted for group in found.categories) == found.earned
    assert found.complete == (found.missing == ZERO and not found.shortfalls)


@given(CLAIMS, policies())
def test_no_cap_is_exceeded(claims, policy):
    found = _evaluated(claims, policy)
    by_type = dict.fromkeys(policy.types, ZERO)
    for credit in found.credits:
        by_type[credit.type] = by_type.get(credit.type, ZERO) + credit.counted

    for group in (*found.categories, *found.tags):
        assert group.limits.maximum is None or group.counted <= group.limits.maximum
    for code, kind in policy.types.items():
        assert kind.limits.maximum is None or by_type[code] <= kind.limits.maximum
        for credit in found.credits:
            most = kind.limits.per_event
            assert credit.type != code or most is None or credit.counted <= most
    if policy.stop_at_requirement:
        assert found.total <= policy.points_required


@given(CLAIMS, policies())
def test_what_is_carried_over_is_surplus_and_lawful(claims, policy):
    found = _evaluated(claims, policy)
    if policy.carry_over is None or found.missing:
        assert found.carries_over == ZERO
        return
    of_earned = policy.carry_over.of == "earned"
    beyond = {
        c.ref: sum(cut.points for cut in c.cuts if of_earned and cut.rule in CAPS)
        for c in found.credits
    }
    of_category = sum(c.counted + beyond[c.ref] for c in found.credits if c.category == "A")

    assert found.carries_over <= found.total + sum(beyond.values()) - found.required
    assert found.carries_over <= min(policy.carry_over.maximum, of_category)


def _judged(claims: list[Claim], policy: Policy) -> tuple[bool, Decimal]:
    found = _evaluated(claims, policy)
    return found.complete, found.total


def _lowering(claims: list[Claim], policy: Policy) -> list[Claim]:
    """Those claims that, added last to all the others, lower (complete, total)."""
    whole = _judged(claims, policy)
    return [
        added
        for added in claims
        if _judged([one for one in claims if one is not added], policy) > whole
    ]


@given(several(dated(), most=5), policies(jobs=()))
def test_another_claim_never_lowers_verdict_and_total(claims, policy):
    """worked_cases.md I2; also one from before the cycle, or after it."""
    assert _lowering(claims, policy) == []


@given(
    several(dated(), employed(("job",)), most=5),
    policies(jobs=("job",)),
    st.sampled_from(["completed", "pro_rata"]),
    st.sampled_from(["highest", "sum"]),
)
def test_nor_does_another_job_at_the_same_rate(claims, policy, month_rule, overlap):
    """worked_cases.md I2; whatever the reviewer and the caps allow of each.

    ``TestAnotherClaimThatLowersTheTotal`` shows what jobs at other rates may do. Of jobs counted by
    the day a running sum is rounded: see ``evaluations``.
    """
    claims = [replace(one, approved=True) if one.quantity is None else one for one in claims]
    under = replace(policy, month_rule=month_rule, overlap=overlap, overlap_maximum=None)
    by_day = CENT if month_rule == "pro_rata" else ZERO
    whole = _evaluated(claims, under)
    for added in _lowering(claims, under):
        before = _evaluated([one for one in claims if one is not added], under)
        assert abs(before.total - whole.total) <= by_day


@given(several(dated(days=INSIDE), most=5), policies(jobs=()))
def test_a_higher_cap_never_lowers_verdict_and_total(claims, policy):
    """Nothing is won by a stricter rule."""
    freed = {
        code: replace(category, limits=replace(category.limits, maximum=None))
        for code, category in policy.categories.items()
    }

    before = _judged(claims, policy)
    assert before <= _judged(claims, replace(policy, categories=freed))
