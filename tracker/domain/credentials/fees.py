"""Fees: what renewing one scheme, or several together, costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from tracker.domain.credentials.certifications import Standing
from tracker.domain.credentials.renewals import late_step
from tracker.domain.errors import NotRenewable
from tracker.domain.periods import Period
from tracker.domain.points.claims import ZERO
from tracker.domain.schemes.activity_types import ENGLISH
from tracker.domain.schemes.policies import Policy
from tracker.domain.schemes.schemes import BundleFee, Scheme


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
        return "The price of each renewal by itself."
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
