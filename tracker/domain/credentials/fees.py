"""Fees: what renewing one scheme, or several together, costs, and what becomes of any fee."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from tracker.domain.credentials.certifications import Standing
from tracker.domain.credentials.renewals import late_step
from tracker.domain.errors import FeeOpen, IllegalTransition, Invalid, NotRenewable
from tracker.domain.periods import Period
from tracker.domain.points.claims import ZERO
from tracker.domain.schemes.activity_types import ENGLISH
from tracker.domain.schemes.policies import Policy
from tracker.domain.schemes.schemes import BundleFee, Scheme


class FeeState(StrEnum):
    """Where the fee of an application, an appeal or an attempt stands."""

    QUOTED = "quoted"
    DUE = "due"
    INVOICED = "invoiced"
    PAID = "paid"
    WAIVED = "waived"
    REFUNDED = "refunded"


OPEN_FEES = frozenset({FeeState.QUOTED, FeeState.DUE, FeeState.INVOICED})
"""The states of a fee that is still to be paid, or waived."""
SETTLED = frozenset({FeeState.PAID, FeeState.WAIVED})
"""The states with which an application may be approved where the scheme asks for it."""
NEXT_STATES: Mapping[FeeState, frozenset[FeeState]] = {
    FeeState.QUOTED: frozenset({FeeState.DUE, FeeState.INVOICED, *SETTLED}),
    FeeState.DUE: frozenset({FeeState.INVOICED, *SETTLED}),
    FeeState.INVOICED: frozenset({FeeState.DUE, *SETTLED}),
    # What was recorded in error is due again.
    FeeState.PAID: frozenset({FeeState.REFUNDED, FeeState.DUE}),
    FeeState.WAIVED: frozenset({FeeState.DUE}),
    FeeState.REFUNDED: frozenset({FeeState.PAID, FeeState.DUE}),
}
"""What a fee can become from each state."""
_WITH_REFERENCE = frozenset({FeeState.PAID, FeeState.REFUNDED, FeeState.INVOICED})
_CARD_DIGITS = range(13, 20)
DENIED = "The application was denied."
"""The reason of a fee that nobody owes any more because its application was denied."""
UPHELD = "The appeal was upheld."
"""The same of an appeal that was upheld, where that gives its fee back."""
VOIDED = "The attempt was voided."
"""The same of an attempt that was recorded in error."""


@dataclass(frozen=True, slots=True)
class FeeChange:
    """What is recorded of a fee: its new state, and why or by which receipt or invoice.

    ``employer_id`` is the employer that gets the invoice.
    """

    state: FeeState
    reference: str | None = None
    reason: str | None = None
    employer_id: str | None = None


def check_change(before: FeeState, change: FeeChange) -> None:
    """Refuse a change that the table of transitions does not have, or that says too little.

    Paid, refunded and invoiced need a reference, an invoice an employer. Waiving, refunding and
    taking back what was settled need a reason. A reference is never the number of a card. Raises
    IllegalTransition, Invalid.
    """
    if change.state not in NEXT_STATES[before]:
        allowed = ", ".join(sorted(NEXT_STATES[before]))
        raise IllegalTransition(
            f"The fee is {before}; from there it can become: {allowed}.", state=before
        )
    invoiced = change.state == FeeState.INVOICED
    faults = {
        "reference": _reference_rule(change),
        "reason": _reason_rule(before, change),
        "employer_id": "is required for an invoice, and not allowed otherwise"
        if invoiced is (change.employer_id is None)
        else None,
    }
    fields = {field: rule for field, rule in faults.items() if rule is not None}
    if fields:
        raise Invalid("The change of the fee cannot be recorded.", fields=fields)


def _reference_rule(change: FeeChange) -> str | None:
    reference = change.reference
    if reference is None:
        if change.state in _WITH_REFERENCE:
            return f"is required for a fee that is {change.state}: that of the receipt or invoice"
        return None
    if _is_card(reference):
        return "looks like the number of a card, which is never recorded; give that of the receipt"
    return None


def _reason_rule(before: FeeState, change: FeeChange) -> str | None:
    takes_back = before not in OPEN_FEES
    if change.reason is None and (takes_back or change.state == FeeState.WAIVED):
        return f"is required to make a {before} fee {change.state}"
    return None


def _is_card(text: str) -> bool:
    """Whether the digits of a text are as many as a card's and pass its check (Luhn)."""
    digits = [int(sign) for sign in text if sign.isascii() and sign.isdigit()]
    doubled = [digit * 2 for digit in digits[-2::-2]]
    total = sum(digits[-1::-2]) + sum(d - 9 if d > 9 else d for d in doubled)  # noqa: PLR2004 - digits
    return len(digits) in _CARD_DIGITS and total % 10 == 0


def after_denial(scheme: Scheme, state: FeeState) -> FeeChange | None:
    """What a denial makes of the fee of an application; None if it stays as it is.

    Where the scheme refunds the fee of a denied application, an open one is no longer owed, and a
    paid one is to be refunded (``is_refund_due``). Elsewhere the fee is kept: one that was only
    quoted becomes due.
    """
    refunds = scheme.fees is not None and scheme.fees.refund_on_denial
    if refunds and state in OPEN_FEES:
        return FeeChange(FeeState.WAIVED, reason=DENIED)
    return FeeChange(FeeState.DUE) if not refunds and state == FeeState.QUOTED else None


def is_refund_due(scheme: Scheme, state: FeeState) -> bool:
    """Whether the paid fee of an application that was denied is to be given back."""
    return scheme.fees is not None and scheme.fees.refund_on_denial and state == FeeState.PAID


def after_denial_ended(state: FeeState, reason: str | None) -> FeeChange | None:
    """What becomes of a fee when its application is no longer denied.

    It is owed again if it was waived for the denial alone, or given back.
    """
    if state == FeeState.REFUNDED or (state == FeeState.WAIVED and reason == DENIED):
        return FeeChange(FeeState.DUE, reason="The application is no longer denied.")
    return None


def after_appeal(state: FeeState, reason: str | None, *, refunded: bool) -> FeeChange | None:
    """What the outcome of an appeal makes of its fee; None if it stays as it is.

    ``refunded``: the outcome gives the fee back. Then an open one is no longer owed; else it is
    due, also if an earlier outcome had waived it.
    """
    if refunded:
        return FeeChange(FeeState.WAIVED, reason=UPHELD) if state in OPEN_FEES else None
    waived = state == FeeState.WAIVED and reason == UPHELD
    return FeeChange(FeeState.DUE) if waived or state == FeeState.QUOTED else None


def after_void(state: FeeState) -> FeeChange | None:
    """What becomes of the fee of an attempt that is voided: an open one is no longer owed.

    One that was paid is to be given back; a settled one stays as it is.
    """
    return FeeChange(FeeState.WAIVED, reason=VOIDED) if state in OPEN_FEES else None


def check_amount(state: FeeState, before: Decimal, amount: Decimal) -> None:
    """Refuse another amount of a fee that is no longer open. Raises IllegalTransition, Invalid."""
    if state not in OPEN_FEES:
        raise IllegalTransition(
            f"The fee is {state}; its amount can be corrected while it is open.", state=state
        )
    if amount == before:
        raise Invalid("Nothing changes.", fields={"amount": "already has this value"})


def is_paid_back(state: FeeState | None, *, refunded: bool) -> bool:
    """Whether somebody gets money back by the outcome of an appeal that gives its fee back.

    Only a fee that was paid comes back; an open one is no longer owed. None: the appeal was filed
    before its fee had a state of its own, so what the outcome said is all that is known.
    """
    return refunded and state in {None, FeeState.PAID, FeeState.REFUNDED}


def is_settled(scheme: Scheme, state: FeeState | None) -> bool:
    """Whether an application may be approved, as far as its fee is concerned."""
    asked = scheme.fees is not None and scheme.fees.paid_before_approval
    return not asked or state is None or state in SETTLED


def check_settled(scheme: Scheme, state: FeeState | None) -> None:
    """Refuse to approve while the fee is open, if the scheme says so.

    Applications from before fees were recorded have none (``state`` is None). Raises FeeOpen.
    """
    if not is_settled(scheme, state):
        raise FeeOpen(
            f"The fee is {state}; an approval under {scheme.code} needs a fee that is paid or "
            "waived. Record that first.",
            state=state,
        )


@dataclass(frozen=True, slots=True)
class Quote:
    """The cost of renewing several schemes together: the amount, the reason, the days of the offer.

    ``late_fees`` are the part of the amount that is charged for being late.
    """

    schemes: tuple[str, ...]
    amount: Decimal
    late_fees: Decimal
    currency: str
    bundled: bool
    reason: str
    available: Period | None
    refundable: bool
    verified: bool


def quote(
    chosen: Mapping[Scheme, Standing], policies: Mapping[Scheme, Policy] | None = None
) -> Quote:
    """The fee for renewing the chosen schemes together, including the fees of their late steps.

    A bundle price requires expiries within its number of days of each other, both ends counted:
    exactly 90 days apart qualifies. It is available while every window is open at once, since all
    applications must be complete and paid together. Source: MSSC recertification page.
    """
    fees = [scheme.fees for scheme in chosen if scheme.fees]
    if len(fees) != len(chosen) or not fees:
        raise NotRenewable("No renewal fee is published for this scheme.")
    single = sum((f.renewal or Decimal(0) for f in fees), Decimal("0.00"))
    codes = frozenset(s.code for s in chosen)
    bundle = next((b for f in fees for b in f.bundles if b.schemes == codes), None)
    apart = _days_apart(chosen)
    bundled = bundle is not None and apart is not None and apart <= bundle.within_days
    late = {s: step for s in chosen if (step := late_step(chosen[s], (policies or {}).get(s)))}
    late_fees = sum((step.fee or ZERO for step in late.values()), ZERO)
    return Quote(
        schemes=tuple(s.code for s in chosen),
        amount=(bundle.amount if bundle and bundled else single) + late_fees,
        late_fees=late_fees,
        currency=fees[0].currency,
        bundled=bundled,
        reason=_reason(bundle, apart) + (f" Late: {late_fees} more." if late_fees else ""),
        available=_common_window(chosen, policies or {}),
        refundable=all(f.refundable for f in fees),
        verified=all(f.provenance.verified for f in fees),
    )


def _days_apart(chosen: Mapping[Scheme, Standing]) -> int | None:
    expiries = [s.expires_on for s in chosen.values() if s.expires_on]
    return (max(expiries) - min(expiries)).days if len(expiries) == len(chosen) else None


def _reason(bundle: BundleFee | None, apart: int | None) -> str:
    if bundle is None or apart is None:
        return "Each renewal has its own price."
    if apart <= bundle.within_days:
        also = bundle.requires[ENGLISH]
        return f"The expiries are {apart} days apart, within {bundle.within_days}: {also}"
    return f"The expiries are {apart} days apart, more than {bundle.within_days}: no bundle."


def _common_window(
    chosen: Mapping[Scheme, Standing], policies: Mapping[Scheme, Policy]
) -> Period | None:
    """The days on which all can have the price: their windows, or through the late step's end."""
    common: Period | None = Period(date.min, date.max)
    for scheme, standing in chosen.items():
        if standing.window_opens_on is None or standing.expires_on is None:
            return None
        policy, expires_on = policies.get(scheme), standing.expires_on
        late = late_step(standing, policy)
        days = Period(standing.window_opens_on, standing.window_closes_on or expires_on)
        if late is not None:
            days = Period(standing.on, late.until.after(expires_on))
        common = common and common.clip(days)
    return common
