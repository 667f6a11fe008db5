"""Adjustments of a cycle: how far it may be extended, how far its requirement may be reduced.

Each refusal says which value it means, and the rule, so that staff know what to override. What
an adjustment brings about is in ``certifications``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_DOWN, Decimal

from tracker.domain.certifications import Cycle, Hold
from tracker.domain.errors import (
    AlreadyRecorded,
    ExtensionTooLate,
    ExtensionTooLong,
    Invalid,
    NotExtendable,
    ReductionRefused,
    TooLittleEarned,
)
from tracker.domain.policies import ExtensionRule, Reduction

OVERRIDABLE = (
    NotExtendable, ExtensionTooLate, ExtensionTooLong, TooLittleEarned, ReductionRefused,
)  # fmt: skip
"""What the policy's rule refuses, and staff may grant all the same, with a reason."""
_CENT = Decimal("0.01")
_PER_CENT = Decimal(100)


@dataclass(frozen=True, slots=True)
class Request:
    """An extension asked for: until when, when it was asked, and why.

    ``in_force`` is the expiry on that day, which an earlier extension may have moved.
    ``share_earned`` is the part of the requirement that was counted by then: 0.5 is half.
    """

    extended_to: date
    requested_on: date
    in_force: date
    share_earned: Decimal
    reason: str


def check_adjustable(cycle: Cycle, hold: Hold | None) -> date:
    """The cycle's own expiry; NotExtendable where nothing could be changed.

    Nobody overrides this: a cycle without end, or one that was ended for good.
    """
    if cycle.expires_on is None:
        raise NotExtendable(
            "A certification that never expires has nothing to extend or reduce."
        ).final()
    if hold in {"revoked", "surrendered"}:
        raise NotExtendable(f"The certification is {hold}.", standing=hold).final()
    return cycle.expires_on


def check_later(extended_to: date, *, expires_on: date, in_force: date) -> None:
    """Refuse an expiry that is not after the cycle's own, or is the one in force already.

    The cycle's own expiry takes an extension back. Raises Invalid, AlreadyRecorded.
    """
    if extended_to < expires_on or extended_to == expires_on == in_force:
        rule = f"must be after the unextended expiry ({expires_on})"
        raise Invalid("This is no later expiry.", fields={"extended_to": rule})
    if extended_to == in_force:
        raise AlreadyRecorded(f"The cycle was extended to {in_force} already.")


def check_extension(rule: ExtensionRule | None, cycle: Cycle, asked: Request) -> None:
    """Refuse an extension that the policy's rule does not allow, the gravest refusal first.

    A reason in ``exempt`` (military service) is held to ``at_most`` only, which counts from the
    cycle's own expiry however often it was extended. Without ``request_by`` it may be asked for
    until the expiry in force, that day included. Raises NotExtendable, ExtensionTooLong,
    ExtensionTooLate, TooLittleEarned.
    """
    if cycle.expires_on is None or asked.extended_to == cycle.expires_on:
        return
    if rule is None:
        raise NotExtendable(
            f"Policy {cycle.policy} has no extension.",
            **_facts("extended_to", asked.extended_to, "is not provided for by the policy"),
        )
    exempt = asked.reason in rule.exempt
    if rule.reasons and not exempt and asked.reason not in rule.reasons:
        choices = ", ".join(dict.fromkeys((*rule.reasons, *rule.exempt)))
        raise NotExtendable(
            f"{asked.reason!r} is no reason for an extension; there are: {choices}.",
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


def _check_asked_in_time(rule: ExtensionRule, asked: Request) -> None:
    last = rule.request_by.before(asked.in_force) if rule.request_by else asked.in_force
    if asked.requested_on > last:
        raise ExtensionTooLate(
            f"An extension had to be asked for by {last}; it is {asked.requested_on}.",
            due_on=last,
            **_facts("requested_on", asked.requested_on, f"must not be after {last}"),
        )


def _check_earned(rule: ExtensionRule, asked: Request) -> None:
    if rule.share_earned is not None and asked.share_earned < rule.share_earned:
        earned, needed = _per_cent(asked.share_earned), _per_cent(rule.share_earned)
        raise TooLittleEarned(
            f"{earned} of the requirement is earned; an extension needs {needed}.",
            **_facts("share_earned", asked.share_earned, f"must be at least {rule.share_earned}"),
        )


def check_lower(points_required: Decimal, *, required: Decimal, in_force: Decimal | None) -> None:
    """Refuse a requirement that is not lower than the policy's, or is the one in force already.

    The policy's own takes a reduction back. Raises Invalid, AlreadyRecorded.
    """
    if points_required > required or (points_required == required and in_force is None):
        rule = f"must be less than the policy's {required}"
        raise Invalid("This is no lower requirement.", fields={"points_required": rule})
    if points_required == in_force:
        raise AlreadyRecorded(f"The requirement is {in_force} already.")


def check_reduction(
    rule: Reduction | None, *, required: Decimal, points_required: Decimal, reason: str
) -> None:
    """Refuse a reduction that the policy does not allow, for this reason or by so much.

    ``required`` is the policy's requirement, of which at most ``share`` is taken away, rounded
    down to hundredths. Raises ReductionRefused.
    """
    if points_required == required:
        return
    if rule is None:
        raise ReductionRefused(
            "The policy reduces no requirement.",
            **_facts("points_required", points_required, "is not provided for by the policy"),
        )
    if reason not in rule.reasons:
        choices = ", ".join(rule.reasons)
        raise ReductionRefused(
            f"{reason!r} is no reason for a reduction; there are: {choices}.",
            **_facts("reason_code", reason, f"must be one of: {choices}"),
        )
    least = required - (required * rule.share).quantize(_CENT, ROUND_DOWN)
    if points_required < least:
        raise ReductionRefused(
            f"The requirement may be reduced to {least}, not to {points_required}.",
            least=least,
            **_facts("points_required", points_required, f"must be at least {least}"),
        )


def _facts(field: str, value: object, rule: str) -> dict[str, object]:
    return {"field": field, "value": value, "rule": rule}


def _per_cent(share: Decimal) -> str:
    return f"{(share * _PER_CENT).quantize(_CENT, ROUND_DOWN).normalize():f} %"
