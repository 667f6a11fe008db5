"""Adjustments of a cycle: how far it may be extended, how far its requirement may be reduced.

Each refusal names the value and the rule, so that staff know what they override. The effect of an
adjustment is computed in ``certifications``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_DOWN, Decimal
from operator import attrgetter

from tracker.domain.credentials.certifications import (
    GAP_RESTORED,
    ChangeKind,
    ChangeOfStanding,
    CycleTerm,
    Hold,
    holds_on,
)
from tracker.domain.errors import (
    AlreadyRecorded,
    ExtensionTooLate,
    ExtensionTooLong,
    Invalid,
    NotExtendable,
    ReductionRefused,
    TooLittleEarned,
)
from tracker.domain.periods import DAY, Period
from tracker.domain.schemes.policies import ExtensionRule, Reduction

OVERRIDABLE = (
    NotExtendable,
    ExtensionTooLate,
    ExtensionTooLong,
    TooLittleEarned,
    ReductionRefused,
)
"""Refusals by the policy's rules that staff may override, with a reason."""
_UNDONE = frozenset({ChangeKind.SUSPEND, ChangeKind.REVOKE})  # what a reinstatement gives back
_CENT = Decimal("0.01")
_PER_CENT = Decimal(100)


@dataclass(frozen=True, slots=True)
class ExtensionRequest:
    """A request for an extension: the new expiry, the day of the request, and the reason.

    ``in_force`` is the expiry in force on the day of the request; an earlier extension may have
    moved it. ``share_earned`` is the share of the requirement counted by then: 0.5 is half.
    """

    extended_to: date
    requested_on: date
    in_force: date
    share_earned: Decimal
    reason: str


def check_adjustable(cycle: CycleTerm, hold: Hold | None) -> date:
    """Return the cycle's own expiry. Raises NotExtendable if there is nothing to change.

    Staff cannot override this: the cycle never ends, or it was ended for good.
    """
    if cycle.expires_on is None:
        raise NotExtendable(
            "A certification that never expires cannot be extended, and has no requirement to "
            "reduce."
        ).final()
    if hold in {Hold.REVOKED, Hold.SURRENDERED}:
        raise NotExtendable(f"The certification is {hold}.", standing=hold).final()
    return cycle.expires_on


def check_later(extended_to: date, *, expires_on: date, in_force: date) -> None:
    """Refuse an expiry that is not after the cycle's own, or that is already in force.

    Setting the cycle's own expiry takes an extension back. Raises Invalid, AlreadyRecorded.
    """
    if extended_to < expires_on or extended_to == expires_on == in_force:
        rule = f"must be after the expiration date without extension ({expires_on})"
        raise Invalid(
            "The new expiration date must be later than the present one.",
            fields={"extended_to": rule},
        )
    if extended_to == in_force:
        raise AlreadyRecorded(f"The cycle is already extended to {in_force}.")


def check_reason(reason_code: str) -> None:
    """Refuse the reason reserved for undoing a suspension or revocation. Raises Invalid."""
    if reason_code == GAP_RESTORED:
        rule = "is reserved for reinstatements that reverse a suspension or revocation"
        raise Invalid("Staff cannot give this reason.", fields={"reason_code": rule})


def check_extension(rule: ExtensionRule | None, cycle: CycleTerm, asked: ExtensionRequest) -> None:
    """Refuse an extension that the policy's rule does not allow, the most serious refusal first.

    For a reason in ``exempt`` (military service) only ``at_most`` applies, which counts from the
    cycle's own expiry however often the cycle was extended. Without ``request_by``, an extension
    may be requested through the expiry in force. Raises NotExtendable, ExtensionTooLong,
    ExtensionTooLate, TooLittleEarned.
    """
    if cycle.expires_on is None or asked.extended_to == cycle.expires_on:
        return
    if rule is None:
        raise NotExtendable(
            f"Policy {cycle.policy} does not allow extensions.",
            **_facts("extended_to", asked.extended_to, "is not allowed by the policy"),
        )
    exempt = asked.reason in rule.exempt
    if rule.reasons and not exempt and asked.reason not in rule.reasons:
        choices = ", ".join(dict.fromkeys((*rule.reasons, *rule.exempt)))
        raise NotExtendable(
            f"{asked.reason!r} is not a reason for an extension; the reasons are: {choices}.",
            **_facts("reason_code", asked.reason, f"must be one of: {choices}"),
        )
    latest = rule.at_most.after(cycle.expires_on)
    if asked.extended_to > latest:
        raise ExtensionTooLong(
            f"The cycle may be extended to {latest}, not to {asked.extended_to}.",
            latest_on=latest,
            **_facts("extended_to", asked.extended_to, f"must not be after {latest}"),
        )
    if not exempt:
        _check_asked_in_time(rule, asked)
        _check_earned(rule, asked)


def _check_asked_in_time(rule: ExtensionRule, asked: ExtensionRequest) -> None:
    last = rule.request_by.before(asked.in_force) if rule.request_by else asked.in_force
    if asked.requested_on > last:
        raise ExtensionTooLate(
            f"Extensions had to be requested by {last}; this one was requested on "
            f"{asked.requested_on}.",
            due_on=last,
            **_facts("requested_on", asked.requested_on, f"must not be after {last}"),
        )


def _check_earned(rule: ExtensionRule, asked: ExtensionRequest) -> None:
    if rule.share_earned is not None and asked.share_earned < rule.share_earned:
        earned, needed = _per_cent(asked.share_earned), _per_cent(rule.share_earned)
        raise TooLittleEarned(
            f"{earned} of the requirement has been earned; an extension needs {needed}.",
            **_facts("share_earned", asked.share_earned, f"must be at least {rule.share_earned}"),
        )


def check_lower(points_required: Decimal, *, required: Decimal, in_force: Decimal | None) -> None:
    """Refuse a requirement that is not below the policy's, or that is already in force.

    Setting the policy's own requirement takes a reduction back. Raises Invalid, AlreadyRecorded.
    """
    if points_required > required or (points_required == required and in_force is None):
        rule = f"must be less than the {required} that the policy requires"
        raise Invalid(
            "The new requirement must be lower than the present one.",
            fields={"points_required": rule},
        )
    if points_required == in_force:
        raise AlreadyRecorded(f"The requirement is already {in_force}.")


def check_reduction(
    rule: Reduction | None, *, required: Decimal, points_required: Decimal, reason: str
) -> None:
    """Refuse a reduction that the policy does not allow for this reason, or by this much.

    ``required`` is the policy's requirement; at most ``share`` of it, rounded down to hundredths,
    may be taken away. Raises ReductionRefused.
    """
    if points_required == required:
        return
    if rule is None:
        raise ReductionRefused(
            "The policy does not allow a lower requirement.",
            **_facts("points_required", points_required, "is not allowed by the policy"),
        )
    if reason not in rule.reasons:
        choices = ", ".join(rule.reasons)
        raise ReductionRefused(
            f"{reason!r} is not a reason for a reduction; the reasons are: {choices}.",
            **_facts("reason_code", reason, f"must be one of: {choices}"),
        )
    least = required - (required * rule.share).quantize(_CENT, ROUND_DOWN)
    if points_required < least:
        raise ReductionRefused(
            f"The requirement may be reduced to {least}, not to {points_required}.",
            least=least,
            **_facts("points_required", points_required, f"must be at least {least}"),
        )


@dataclass(frozen=True, slots=True)
class Noted:
    """A change of standing with the day on which it was recorded, when it took practical effect."""

    kind: ChangeKind
    effective_on: date
    recorded_on: date


def given_back(
    changes: Sequence[Noted], *, window: Period, expires_on: date
) -> tuple[date, int] | None:
    """The new expiry and the days lost, where the last change undoes a suspension or revocation.

    ``changes`` are in the order of recording. ``window`` is the application window in force, from
    the day it opens through the last day to apply; ``expires_on`` is the expiry in force. The
    holder gets back as many days as the undone hold took from the window, counted from the later of
    the expiry and the day before the reinstatement. The result is None if the last change undoes
    nothing or no days were lost: a reinstatement that takes effect later than the hold did ends the
    hold but does not undo it. No day is given back twice.

    >>> hold = Noted(ChangeKind.SUSPEND, date(2025, 6, 10), date(2025, 6, 10))
    >>> undone = Noted(ChangeKind.REINSTATE, date(2025, 6, 10), date(2025, 9, 5))
    >>> window = Period(date(2025, 6, 3), date(2025, 9, 1))
    >>> given_back([hold, undone], window=window, expires_on=window.ends_on)
    (datetime.date(2025, 11, 27), 84)
    """
    before: set[date] = set()
    for known in range(1, len(changes)):
        before |= _lost(changes[:known])
    lost = _lost(changes) - before
    taken = sum(window.starts_on <= day <= window.ends_on for day in lost)
    if not taken:
        return None
    return max(expires_on, changes[-1].recorded_on - DAY) + timedelta(days=taken), taken


def _lost(changes: Sequence[Noted]) -> set[date]:
    """The days taken by holds that the last change undoes, except days other holds still take."""
    *earlier, last = changes
    if last.kind != ChangeKind.REINSTATE:
        return set()
    found: set[date] = set()
    for one in earlier:
        if one.kind in _UNDONE and one.effective_on == last.effective_on:
            first = max(one.effective_on, one.recorded_on)
            count = (last.recorded_on - first).days
            found |= {first + timedelta(days=n) for n in range(count)}
    known = [ChangeOfStanding(one.kind, one.effective_on) for one in changes]
    known.sort(key=attrgetter("effective_on"))
    return {day for day in found if not holds_on(known, day)}


def _facts(field: str, value: object, rule: str) -> dict[str, object]:
    return {"field": field, "value": value, "rule": rule}


def _per_cent(share: Decimal) -> str:
    return f"{(share * _PER_CENT).quantize(_CENT, ROUND_DOWN).normalize():f} %"
