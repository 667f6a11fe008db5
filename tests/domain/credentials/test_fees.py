"""domain/credentials/fees.py: what a renewal costs, and until when a price is offered."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from tests.domain.examples import (
    CLA,
    CLT,
    CPT,
    EARLY,
    EARLY_CLOSING,
    IN_WINDOW,
    LADDER,
    expiring,
    held_on,
    policy,
    scheme_of,
)
from tracker.domain.credentials.certifications import Application
from tracker.domain.credentials.fees import (
    DENIED,
    OPEN_FEES,
    SETTLED,
    UPHELD,
    VOIDED,
    FeeChange,
    FeeState,
    after_appeal,
    after_denial,
    after_denial_ended,
    after_void,
    check_amount,
    check_change,
    check_settled,
    is_paid_back,
    is_refund_due,
    quote,
)
from tracker.domain.errors import FeeOpen, IllegalTransition, Invalid, NotRenewable
from tracker.domain.periods import Period


@pytest.mark.parametrize("scheme", [CPT, CLT])
def test_one_renewal_costs_75_dollars_and_is_not_refunded(scheme):
    """worked_cases.md F1."""
    quoted = quote({scheme: expiring(scheme, date(2030, 4, 1))})

    assert (quoted.amount, quoted.currency) == (Decimal("75.00"), "USD")
    assert (quoted.bundled, quoted.refundable, quoted.verified) == (False, False, True)
    assert quoted.available == Period(date(2030, 1, 1), date(2030, 4, 1))
    assert quoted.reason == "Each renewal has its own price."


@pytest.mark.parametrize(
    ("cpt", "clt", "amount", "available"),
    [
        (
            date(2030, 4, 1),
            date(2030, 6, 30),
            "100.00",
            Period(date(2030, 4, 1), date(2030, 4, 1)),
        ),
        (date(2030, 3, 31), date(2030, 6, 30), "150.00", None),
        (
            date(2030, 6, 30),
            date(2030, 4, 1),
            "100.00",
            Period(date(2030, 4, 1), date(2030, 4, 1)),
        ),
        (date(2030, 5, 1), date(2030, 5, 1), "100.00", Period(date(2030, 1, 31), date(2030, 5, 1))),
    ],
    ids=["90 days apart", "91 days apart", "90 days, the other first", "the same day"],
)
def test_both_renewals_cost_100_dollars_if_they_expire_within_90_days(cpt, clt, amount, available):
    """worked_cases.md F2, case 10, case 11: both windows are open on April 1, 2030 only."""
    quoted = quote({CPT: expiring(CPT, cpt), CLT: expiring(CLT, clt)})

    assert quoted.amount == Decimal(amount)
    assert quoted.bundled == (amount == "100.00")
    assert quoted.available == available
    assert quoted.schemes == ("cpt", "clt")


def test_the_quote_says_how_far_the_expiries_are_apart():
    near = quote({CPT: expiring(CPT, date(2030, 4, 1)), CLT: expiring(CLT, date(2030, 6, 30))})
    far = quote({CPT: expiring(CPT, date(2030, 3, 31)), CLT: expiring(CLT, date(2030, 6, 30))})

    assert near.reason == (
        "The expiries are 90 days apart, within 90: "
        "both applications must be complete and paid in full together."
    )
    assert far.reason == "The expiries are 91 days apart, more than 90: no bundle."


def test_a_late_step_costs_its_fee_on_top_and_until_it_ends():
    scheme = scheme_of(LADDER)

    quoted = quote({scheme: held_on(date(2029, 4, 1), scheme)}, {scheme: LADDER})
    assert (quoted.amount, quoted.late_fees) == (Decimal("95.00"), Decimal("20.00"))
    assert quoted.available == Period(date(2029, 4, 1), date(2029, 4, 14))
    assert quoted.reason == "Each renewal has its own price. Late: 20.00 more."
    free = quote({scheme: held_on(date(2029, 5, 1), scheme)}, {scheme: LADDER})
    assert (str(free.amount), str(free.late_fees)) == ("75.00", "0.00")
    assert free.reason == "Each renewal has its own price."
    in_time = held_on(date(2029, 4, 20), scheme, applications=[Application(IN_WINDOW, None)])
    assert str(quote({scheme: in_time}, {scheme: LADDER}).late_fees) == "0.00"


def test_the_late_fee_of_one_is_due_beside_the_price_of_both():
    """Both expired on 15 March 2029; the CPT's ladder has a rung, the CLT's window is past."""
    scheme = scheme_of(LADDER)
    on = date(2029, 4, 1)
    quoted = quote({scheme: held_on(on, scheme), CLT: held_on(on, CLT)}, {scheme: LADDER})

    assert (quoted.amount, quoted.late_fees, quoted.bundled) == (
        Decimal("120.00"),
        Decimal("20.00"),
        True,
    )
    assert quoted.reason == (
        "The expiries are 0 days apart, within 90: "
        "both applications must be complete and paid in full together. Late: 20.00 more."
    )
    assert quoted.available is None


@pytest.mark.parametrize("chosen", [{CLA: held_on(IN_WINDOW, CLA)}, {}], ids=["CLA", "nothing"])
def test_a_scheme_without_a_published_fee_has_no_quote(chosen):
    with pytest.raises(NotRenewable) as refused:
        quote(chosen)

    assert refused.value.detail == "No renewal fee is published for this scheme."


def test_fees_that_name_none_for_renewals_ask_for_nothing():
    assert CPT.fees
    free = replace(CPT, code="free", fees=replace(CPT.fees, renewal=None))
    alone = quote({free: held_on(IN_WINDOW, free)})
    both = quote({free: held_on(IN_WINDOW, free), CLT: held_on(IN_WINDOW, CLT)})

    assert (str(alone.amount), str(both.amount)) == ("0.00", "75.00")


@pytest.mark.parametrize("changes", [{"refundable": True}, {"verified": False}])
def test_a_quote_for_two_is_refundable_and_verified_only_as_both_are(changes):
    assert CPT.fees
    provenance = replace(CPT.fees.provenance, verified=changes.get("verified", True))
    fees = replace(CPT.fees, refundable=changes.get("refundable", False), provenance=provenance)
    other = replace(CPT, code="other", fees=fees)
    alone = quote({other: held_on(IN_WINDOW, other)})
    both = quote({other: held_on(IN_WINDOW, other), CLT: held_on(IN_WINDOW, CLT)})

    assert (alone.refundable, alone.verified) == (fees.refundable, provenance.verified)
    assert (both.refundable, both.verified) == (False, provenance.verified)


@pytest.mark.parametrize(
    "alone", [scheme_of(validity=None), scheme_of()], ids=["never expires", "no policy"]
)
def test_no_window_is_common_to_a_certification_that_has_none(alone):
    quoted = quote({alone: held_on(IN_WINDOW, alone), CLT: held_on(IN_WINDOW, CLT)})

    assert quoted.available is None


def test_no_bundle_is_had_with_a_certification_that_never_expires():
    endless = scheme_of(validity=None)
    quoted = quote({endless: held_on(IN_WINDOW, endless), CLT: held_on(IN_WINDOW, CLT)})

    assert (quoted.bundled, quoted.amount) == (False, Decimal("150.00"))
    assert quoted.reason == "Each renewal has its own price."


def test_a_price_is_to_be_had_until_the_window_closes():
    day = date(2029, 1, 1)
    scheme = scheme_of(policy(window=EARLY))
    told = quote({scheme: held_on(day, scheme)}, {scheme: policy(window=EARLY)})

    assert told.available == Period(date(2028, 12, 15), EARLY_CLOSING)


# What becomes of a fee.
FIELDS = {"reference": "R-7", "reason": "x"}
ALLOWED = {
    "quoted": {"due", "invoiced", "paid", "waived"},
    "due": {"invoiced", "paid", "waived"},
    "invoiced": {"due", "paid", "waived"},
    "paid": {"refunded", "due"},
    "waived": {"due"},
    "refunded": {"paid", "due"},
}


def change_to(state, **fields):
    employer = "e1" if state == "invoiced" else None
    return FeeChange(FeeState(state), **({"employer_id": employer} | FIELDS | fields))


@pytest.mark.parametrize("before", FeeState)
@pytest.mark.parametrize("after", FeeState)
def test_a_fee_goes_only_where_the_table_lets_it(before, after):
    if after in ALLOWED[before]:
        check_change(before, change_to(after))
        return
    with pytest.raises(IllegalTransition) as raised:
        check_change(before, change_to(after))
    assert f"The fee is {before}" in raised.value.detail


@pytest.mark.parametrize(
    ("before", "change", "broken"),
    [
        ("quoted", change_to("due", reference=None, reason=None), set()),
        ("due", change_to("paid", reason=None), set()),
        ("due", change_to("paid", reference=None), {"reference"}),
        ("due", change_to("invoiced", reference=None), {"reference"}),
        ("due", change_to("invoiced", employer_id=None), {"employer_id"}),
        ("due", change_to("paid", employer_id="e1"), {"employer_id"}),
        ("due", change_to("waived", reference=None), set()),
        ("due", change_to("waived", reason=None), {"reason"}),
        ("paid", change_to("refunded", reason=None), {"reason"}),
        ("waived", change_to("due", reason=None), {"reason"}),
        ("due", change_to("paid", reference="4111 1111-1111 1111"), {"reference"}),
        ("due", change_to("paid", reference="378282246310005"), {"reference"}),
        ("due", change_to("paid", reference="4111 1111-1111 1112"), set()),  # of no card
        ("due", change_to("paid", reference="R-2026-0417"), set()),
    ],
)
def test_a_change_says_by_what_and_why_and_never_a_card(before, change, broken):
    if not broken:
        check_change(FeeState(before), change)
        return
    with pytest.raises(Invalid) as raised:
        check_change(FeeState(before), change)
    assert raised.value.fields.keys() == broken


def asking(scheme, *, asks=True):
    return replace(scheme, fees=replace(scheme.fees, paid_before_approval=asks))


@pytest.mark.parametrize("state", sorted(OPEN_FEES | {FeeState.REFUNDED}))
def test_an_approval_waits_for_the_fee_only_where_the_scheme_says_so(state):
    with pytest.raises(FeeOpen) as raised:
        check_settled(asking(CPT), state)
    assert f"The fee is {state}" in raised.value.detail
    check_settled(asking(CPT, asks=False), state)
    check_settled(replace(CPT, fees=None), state)


@pytest.mark.parametrize("state", [*sorted(SETTLED), None])
def test_what_is_paid_waived_or_from_before_fees_were_recorded_is_approved(state):
    check_settled(asking(CPT), state)


def test_a_denial_keeps_the_fee_or_gives_it_back_as_the_scheme_says():
    assert CPT.fees is not None
    keeps = replace(CPT, fees=replace(CPT.fees, refund_on_denial=False))
    gives = replace(CPT, fees=replace(CPT.fees, refund_on_denial=True))
    free = replace(CPT, fees=None)

    for scheme in (keeps, free):
        assert after_denial(scheme, FeeState.QUOTED) == FeeChange(FeeState.DUE)
        assert after_denial(scheme, FeeState.DUE) is None
        assert not is_refund_due(scheme, FeeState.PAID)
    for state in OPEN_FEES:
        assert after_denial(gives, state) == FeeChange(FeeState.WAIVED, reason=DENIED)
    assert after_denial(gives, FeeState.PAID) is None
    assert is_refund_due(gives, FeeState.PAID)
    assert not is_refund_due(gives, FeeState.REFUNDED)


def test_a_fee_waived_for_a_denial_alone_is_owed_again_once_that_ends():
    ended = after_denial_ended(FeeState.WAIVED, DENIED)
    assert ended is not None
    assert ended.state == FeeState.DUE
    back = after_denial_ended(FeeState.REFUNDED, "Denied.")
    assert back is not None
    assert back.state == FeeState.DUE
    assert after_denial_ended(FeeState.WAIVED, "Hardship.") is None
    assert after_denial_ended(FeeState.PAID, DENIED) is None


@pytest.mark.parametrize(
    ("state", "reason", "refunded", "becomes"),
    [
        (FeeState.DUE, None, True, FeeState.WAIVED),
        (FeeState.PAID, None, True, None),
        (FeeState.QUOTED, None, False, FeeState.DUE),
        (FeeState.WAIVED, UPHELD, False, FeeState.DUE),
        (FeeState.WAIVED, "Hardship.", False, None),
        (FeeState.PAID, None, False, None),
    ],
)
def test_the_outcome_of_an_appeal_settles_its_fee(state, reason, refunded, becomes):
    change = after_appeal(state, reason, refunded=refunded)

    assert (change.state if change else None) == becomes


def test_only_a_fee_that_was_paid_comes_back_by_an_appeal():
    paid = [one for one in (*FeeState, None) if is_paid_back(one, refunded=True)]
    assert paid == [FeeState.PAID, FeeState.REFUNDED, None]
    assert not is_paid_back(FeeState.PAID, refunded=False)


@pytest.mark.parametrize("state", FeeState)
def test_nobody_owes_what_is_open_for_an_attempt_that_was_voided(state):
    change = after_void(state)
    assert (change is not None) is (state in OPEN_FEES)
    if change is not None:
        assert (change.state, change.reason) == (FeeState.WAIVED, VOIDED)


def test_the_amount_of_an_open_fee_is_corrected():
    check_amount(FeeState.DUE, Decimal(45), Decimal(40))
    with pytest.raises(Invalid):
        check_amount(FeeState.DUE, Decimal(45), Decimal(45))
    with pytest.raises(IllegalTransition):
        check_amount(FeeState.PAID, Decimal(45), Decimal(40))
