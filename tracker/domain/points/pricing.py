"""The price of a claim before caps: admitted, measured, priced.

Months of employment are counted in ``employment``, since jobs that overlap are counted together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import ROUND_UP, Decimal

from tracker.domain.amounts import CENT as CENT  # noqa: PLC0414 - re-exported
from tracker.domain.amounts import EXACT, rounded
from tracker.domain.periods import Period
from tracker.domain.points.claims import ZERO, Claim, Credit, Cut, GroupKind, Rule
from tracker.domain.schemes.activity_types import ONE, ActivityType
from tracker.domain.schemes.policies import Policy
from tracker.domain.value_classes import value_class


def cents(points: Decimal, policy: Policy) -> Decimal:
    """Points of one claim, rounded as the policy says."""
    return rounded(points, policy.rounding, size_of(policy))


def size_of(policy: Policy) -> Decimal:
    """The smallest amount that one claim may earn."""
    return CENT if policy.rounding_of == "claim" else EXACT


@dataclass(frozen=True, slots=True, eq=False)
class SharedMonths:
    """Months that several jobs cover; one job gets each. ``rule`` is why the others do not."""

    rule: Rule


@value_class()
class Earned:
    """The points of a month of employment, dated by its last day."""

    on: date
    points: Decimal
    shared: SharedMonths | None = None


@dataclass(slots=True)
class PricedClaim:
    """A claim with what it claims, what is left of that, and what was cut; also called a line.

    ``on`` is the day that dates its points within the cycle; for employment, ``earned`` has the
    months. ``turn`` is its order among jobs that share months.
    """

    claim: Claim
    kind: ActivityType | None
    factor: Decimal
    key: tuple[date, date, str]
    on: date | None = None
    earned: list[Earned] = field(default_factory=list)
    turn: tuple[tuple[date, date, str], int] | None = None
    units: Decimal = ZERO
    claimed: Decimal = ZERO
    counted: Decimal = ZERO
    cuts: tuple[Cut, ...] = ()

    def cut(
        self,
        rule: Rule,
        points: Decimal,
        *,
        subject: str = "",
        bound: Decimal | None = None,
        group: GroupKind | None = None,
        other: Claim | None = None,
    ) -> None:
        """Take points away and record why; nothing is recorded if nothing is taken."""
        if points > ZERO:
            self.counted -= points
            subject = other.ref if other else subject
            cut, before = Cut(rule, points, subject, bound, group, other), self.cuts
            if before and replace(before[-1], points=points) == cut:
                cut, before = replace(cut, points=points + before[-1].points), before[:-1]
            self.cuts = (*before, cut)

    def refuse(self, rule: Rule, *, subject: str = "", bound: Decimal | None = None) -> None:
        """Take everything away; the cut is recorded even if there was nothing."""
        self.cuts = (*self.cuts, Cut(rule, self.counted, subject, bound))
        self.counted = ZERO

    @property
    def ratio(self) -> Decimal:
        """How many of the type's own unit one unit of the claim is."""
        kind, unit = self.kind, self.claim.unit
        return kind.units[unit] if kind is not None and unit else ONE

    @property
    def worth(self) -> Decimal:
        """What the claim counts for before duplicates and caps."""
        limit = self.claim.limit
        return self.counted if limit is None else min(self.counted, limit)

    def credit(self) -> Credit:
        """What the claim earned in the end."""
        claim, kind = self.claim, self.kind
        return Credit(
            ref=claim.ref,
            category=claim.category,
            type=claim.type,
            title=claim.title,
            on=claim.completed_on,
            units=self.units,
            rate=kind.rate if kind else ZERO,
            claimed=self.claimed,
            counted=self.counted,
            cuts=self.cuts,
            factor=self.factor,
            role=claim.role,
            tags=tags(self),
        )


def tags(line: PricedClaim) -> frozenset[str]:
    """The tags that a claim carries, including those of its type."""
    own = line.claim.tags
    return own | line.kind.tags if line.kind and line.kind.tags else own


def line_of(policy: Policy, claim: Claim) -> PricedClaim:
    """The claim with its type and the factor of its role, nothing counted yet."""
    kind = policy.type_of(claim.type, claim.category)
    if kind is not None and kind.code != claim.type:
        claim = replace(claim, type=kind.code, category=kind.category)
    done = claim.completed_on or date.max
    factor = kind.roles.get(claim.role, ONE) if kind else ONE
    # Chronological, then by reference: an order that does not depend on entry.
    return PricedClaim(claim, kind, factor, (done, claim.starts_on or done, claim.ref))


def admit(line: PricedClaim) -> bool:
    """Whether the policy knows what the claim states; a line with unknown values counts 0."""
    claim, kind = line.claim, line.kind
    if kind is None:
        line.refuse("unknown_type", subject=claim.type)
        return False
    if claim.unit and claim.unit not in kind.units:
        line.refuse("unknown_unit", subject=claim.unit)
        return False
    if claim.role and claim.role not in kind.roles:
        line.refuse("unknown_role", subject=claim.role)
        return False
    return True


def count_units(line: PricedClaim, policy: Policy, earning: Period, on: date) -> None:
    """Price a claim that is counted by quantity or by event, and check its dates."""
    claim, kind = line.claim, line.kind
    is_event = kind is not None and kind.basis == "event"
    if kind is None or claim.completed_on is None or (claim.quantity is None and not is_event):
        return
    quantity = claim.quantity or ZERO
    if claim.unit:
        quantity *= line.ratio
    line.units = ONE if is_event else quantity
    exact = line.units * kind.rate * line.factor
    line.claimed = line.counted = cents(exact, policy)
    _hold_to_dates(line, kind, earning, on)
    if not line.counted:
        return
    alone = kind.threshold if kind.threshold_over == "claim" else None
    if alone is not None and quantity < alone:
        line.refuse("below_threshold", subject=f"{quantity:f}", bound=alone)
    elif kind.increment is not None:
        line.cut("increment", line.counted - stepped(exact, kind, policy), bound=kind.increment)
    weigh(line, policy)


def stepped(exact: Decimal, kind: ActivityType, policy: Policy) -> Decimal:
    """Points in whole steps of the type's increment, else rounded."""
    if kind.increment is None:
        return cents(exact, policy)
    return (exact // kind.increment * kind.increment).quantize(CENT)


def least_units(points: Decimal, kind: ActivityType, policy: Policy) -> Decimal:
    """The smallest quantity of one activity that earns this many points; for an event, one.

    In whole units, or in hundredths if points are given in steps smaller than a unit's.
    """
    if kind.basis == "event":
        return ONE
    size = CENT if kind.increment is not None and kind.increment < kind.rate else ONE
    step = kind.increment or CENT
    wanted = (points / step).to_integral_value(ROUND_UP) * step
    units = (wanted / kind.rate / size).to_integral_value(ROUND_UP) * size
    if units > size and stepped((units - size) * kind.rate, kind, policy) >= points:
        units -= size
    return max(units, kind.threshold or ZERO)


def least_pieces(
    points: Decimal, kind: ActivityType, policy: Policy, *, event: Decimal | None
) -> Iterator[Decimal]:
    """The quantities of the fewest activities that earn this many points together.

    The smallest comes first; each earns no more than ``event`` allows.
    """
    most = min(event or points, kind.rate if kind.basis == "event" else points)
    for others in reversed(range(int((points / most).to_integral_value(ROUND_UP)))):
        units = least_units(min(points - others * most, most), kind, policy)
        worth = stepped(units * kind.rate, kind, policy)
        points -= min(worth, event or worth)
        yield units


def _hold_to_dates(line: PricedClaim, kind: ActivityType, earning: Period, on: date) -> None:
    done = line.claim.completed_on
    assert done is not None  # noqa: S101 - checked by the caller
    begun = line.claim.starts_on or done
    first = begun if kind.date_basis in {"start", "whole"} else done
    last = begun if kind.date_basis == "start" else done
    line.on = last
    if first not in earning:
        line.cut("outside_cycle", line.counted, subject=first.isoformat())
    elif last not in earning:
        line.cut("outside_cycle", line.counted, subject=last.isoformat())
    elif not (kind.counts_on(first) and kind.counts_on(last)):
        outside = last if kind.counts_on(first) else first
        line.cut("outside_type", line.counted, subject=outside.isoformat())
    elif done > on:
        line.cut("after_date", line.counted, subject=done.isoformat())


def weigh(line: PricedClaim, policy: Policy) -> None:
    """Take away regular duties, and a share of claims whose provider is not approved."""
    rule, share = share_of(line, policy)
    if rule == "regular_duty":
        line.cut(rule, line.counted)
    elif share is not None:
        line.cut(rule, line.counted - cents(line.counted * share, policy), bound=share)


def share_of(line: PricedClaim, policy: Policy) -> tuple[Rule, Decimal | None]:
    """The share that a claim is worth as a duty or without an approved provider; None: all."""
    claim, kind = line.claim, line.kind
    if kind is not None and kind.outside_duties and claim.duty:
        return "regular_duty", ZERO
    approved = claim.approved or claim.provider in policy.approved_providers
    return "unapproved", None if kind is None or approved else kind.unapproved


def limit(line: PricedClaim) -> None:
    """Limit a claim to what the reviewer allowed."""
    most = line.claim.limit
    if most is not None:
        line.cut("decision", line.counted - most, bound=most)
