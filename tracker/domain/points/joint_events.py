"""Events whose threshold the claims of one year reach together, and which then count once.

An example is a year in which somebody worked more than 1,500 hours, at one plant or at several.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from tracker.domain.periods import Period
from tracker.domain.points.claims import ZERO
from tracker.domain.points.constraints import year_of
from tracker.domain.points.pricing import PricedClaim
from tracker.domain.schemes.policies import Policy


def hold(policy: Policy, lines: Sequence[PricedClaim], cycle: Period) -> None:
    """Refuse the claims of years that do not reach the threshold of their type."""
    for numbers in groups(policy, lines, cycle):
        kind = lines[numbers[0]].kind
        whole = quantity(policy, [lines[number] for number in numbers])
        if kind is not None and kind.threshold is not None and whole < kind.threshold:
            for number in numbers:
                lines[number].refuse("below_threshold", subject=f"{whole:f}", bound=kind.threshold)


def groups(policy: Policy, lines: Sequence[PricedClaim], cycle: Period) -> list[list[int]]:
    """The claims of one type in one year, of which one counts."""
    found: dict[tuple[str, int], list[int]] = {}
    for number, line in enumerate(lines):
        is_shared = line.kind is not None and line.kind.threshold_over == "year"
        if is_shared and line.on is not None and line.worth > ZERO:
            year = year_of(policy, cycle, line.on)
            found.setdefault((line.claim.type, year), []).append(number)
    return list(found.values())


def quantity(policy: Policy, lines: Sequence[PricedClaim]) -> Decimal:
    """The total quantity of those that count; of claims that repeat each other, the largest."""
    rule, most = policy.duplicates, dict[object, Decimal]()
    for line in (line for line in lines if line.worth > ZERO):
        claim = line.claim
        alike: object = tuple(getattr(claim, part) for part in rule.key) if rule else claim.ref
        quantity = (claim.quantity or ZERO) * line.ratio
        most[alike] = max(most.get(alike, ZERO), quantity)
    return sum(most.values(), ZERO)
