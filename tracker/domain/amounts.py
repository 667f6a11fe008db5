"""Amounts of points: the smallest amount, and how amounts are rounded."""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Decimal
from typing import Literal

Rounding = Literal["half_up", "half_even", "down", "up"]

CENT = Decimal("0.01")
EXACT = Decimal("0.0001")  # for a claim, where only the sum of its category is rounded
_ROUNDINGS = {
    "half_up": ROUND_HALF_UP,
    "half_even": ROUND_HALF_EVEN,
    "down": ROUND_DOWN,
    "up": ROUND_UP,
}


def rounded(points: Decimal, rounding: Rounding, size: Decimal = CENT) -> Decimal:
    """Round points to a multiple of ``size``.

    >>> rounded(Decimal("0.025"), "half_up"), rounded(Decimal("0.025"), "half_even")
    (Decimal('0.03'), Decimal('0.02'))
    """
    return points.quantize(size, _ROUNDINGS[rounding])
