"""Renewals: who may apply and when, what it costs, and appeals against a decision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from tracker.domain.certifications import Standing
from tracker.domain.errors import (
    AppealTooLate,
    CertificationExpired,
    NotRenewable,
    PointsMissing,
    Refusal,
    RenewalPending,
    WindowNotOpen,
)
from tracker.domain.periods import Period
from tracker.domain.points import Evaluation
from tracker.domain.schemes import AppealRule, BundleFee, Scheme


def objections(standing: Standing, evaluation: Evaluation | None) -> list[Refusal]:
    """Everything that speaks against an application on the standing's date, gravest first."""
    found: list[Refusal] = []
    day, expires_on, opens_on = standing.on, standing.expires_on, standing.window_opens_on
    if standing.status in {"suspended", "revoked", "surrendered"}:
        found.append(
            NotRenewable(f"The certification is {standing.status}.", standing=standing.status)
        )
    if expires_on is None or opens_on is None or evaluation is None:
        return [*found, NotRenewable("A certification without expiry is never renewed.")]
    if standing.pending_since is not None:
        since = standing.pending_since
        found.append(RenewalPending(f"The application of {since} is under review.", since=since))
    elif standing.status == "expired":
        found.append(CertificationExpired(f"It expired on {expires_on}.", expired_on=expires_on))
    if day < opens_on:
        found.append(WindowNotOpen(f"The renewal window opens on {opens_on}.", opens_on=opens_on))
    if not evaluation.complete:
        found.append(_missing(evaluation))
    return found


def check_application(standing: Standing, evaluation: Evaluation | None) -> None:
    """Raise the gravest objection to an application, if there is one."""
    for objection in objections(standing, evaluation):
        raise objection


def _missing(evaluation: Evaluation) -> PointsMissing:
    short = {category: str(points) for category, points in evaluation.short.items()}
    return PointsMissing(
        f"{evaluation.total} of {evaluation.required} points are counted; "
        f"{evaluation.missing} are missing.",
        missing=evaluation.missing,
        **({"missing_by_category": short} if short else {}),
    )


@dataclass(frozen=True, slots=True)
class Quote:
    """What renewing costs together: amount, why, and the days on which the price can be had."""

    schemes: tuple[str, ...]
    amount: Decimal
    currency: str
    bundled: bool
    reason: str
    available: Period | None
    refundable: bool
    verified: bool


def quote(chosen: Mapping[Scheme, Standing]) -> Quote:
    """The fee for renewing the chosen schemes together.

    A bundle price needs expiries within its number of days of each other, both ends counted:
    exactly 90 days apart qualifies. It can be had while every window is open at once, since
    all applications must be complete and paid together. Source: MSSC recertification page.
    """
    fees = [scheme.fees for scheme in chosen if scheme.fees]
    if len(fees) != len(chosen) or not fees:
        raise NotRenewable("No renewal fee is published for this scheme.")
    single = sum((f.renewal or Decimal(0) for f in fees), Decimal("0.00"))
    codes = frozenset(s.code for s in chosen)
    bundle = next((b for f in fees for b in f.bundles if b.schemes == codes), None)
    apart = _days_apart(chosen)
    bundled = bundle is not None and apart is not None and apart <= bundle.within_days
    return Quote(
        schemes=tuple(s.code for s in chosen),
        amount=bundle.amount if bundle and bundled else single,
        currency=fees[0].currency, bundled=bundled, reason=_reason(bundle, apart),
        available=_common_window(chosen), refundable=all(f.refundable for f in fees),
        verified=all(f.provenance.verified for f in fees),
    )  # fmt: skip


def _days_apart(chosen: Mapping[Scheme, Standing]) -> int | None:
    expiries = [s.expires_on for s in chosen.values() if s.expires_on]
    return (max(expiries) - min(expiries)).days if len(expiries) == len(chosen) else None


def _reason(bundle: BundleFee | None, apart: int | None) -> str:
    if bundle is None or apart is None:
        return "The price of each renewal on its own."
    if apart <= bundle.within_days:
        return (
            f"The expiries are {apart} days apart, within {bundle.within_days}: {bundle.requires}"
        )
    return f"The expiries are {apart} days apart, more than {bundle.within_days}: no bundle."


def _common_window(chosen: Mapping[Scheme, Standing]) -> Period | None:
    common: Period | None = Period(date.min, date.max)
    for standing in chosen.values():
        if standing.window_opens_on is None or standing.expires_on is None:
            return None
        common = common and common.clip(Period(standing.window_opens_on, standing.expires_on))
    return common


def check_appeal(rule: AppealRule, *, noticed_on: date, on: date) -> None:
    """Refuse an appeal that comes later than the published period after the notice."""
    due_on = noticed_on + timedelta(days=rule.due_days)
    if on > due_on:
        raise AppealTooLate(f"The appeal was due by {due_on}.", due_on=due_on)
