"""Points rounded once for each category: claims are exact until everything is counted and cut.

Then each claim is shown in hundredths: the growth of its category's rounded sum. So the claims of a
category add up to its sum, and each differs from its exact points by less than a hundredth.
Counting stops at the requirement after that, so that no hundredth is lost there.

A cap must lie within a category; otherwise nobody could say where a hundredth was gained. The
scheme files allow no cap on a tag together with this rounding.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal

from tracker.domain.amounts import CENT, rounded
from tracker.domain.points.allocation import Part, Rounded
from tracker.domain.points.claims import ZERO
from tracker.domain.points.pricing import PricedClaim
from tracker.domain.schemes.policies import Policy


def sums(policy: Policy, lines: Sequence[PricedClaim], parts: Sequence[Part]) -> Rounded | None:
    """The sums of parts that the policy rounds: none, or those of each category."""
    if policy.rounding_of == "claim":
        return None
    found: dict[str, list[int]] = {}
    for number, part in enumerate(parts):
        found.setdefault(lines[part.line].claim.category, []).append(number)
    return Rounded(policy.rounding, tuple(map(tuple, found.values())))


def settle(policy: Policy, lines: Sequence[PricedClaim], room: Decimal) -> None:
    """Round exact claims to hundredths; if counting stops, it stops at ``room``."""
    exact: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for line in lines:
        before = exact[line.claim.category]
        exact[line.claim.category] = after = before + line.counted
        cuts = [replace(c, points=c.points.quantize(CENT, ROUND_HALF_UP)) for c in line.cuts]
        line.cuts = tuple(cut for cut in cuts if cut.points or not line.counted)
        line.counted = rounded(after, policy.rounding) - rounded(before, policy.rounding)
        line.claimed = line.counted + sum((cut.points for cut in line.cuts), ZERO)
    if policy.stop_at_requirement:
        _stop(lines, room)


def _stop(lines: Sequence[PricedClaim], room: Decimal) -> None:
    """Take from the last claims what rounding added beyond the requirement."""
    excess = sum((line.counted for line in lines), ZERO) - room
    for line in reversed(lines):
        taken = min(max(excess, ZERO), line.counted)
        line.cut("stop", taken, bound=room, group="policy")
        excess -= taken
