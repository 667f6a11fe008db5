"""What one unit is in another: hours in CEUs, CEUs in hours, over any number of steps."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

ONE = Decimal(1)
MILLION = 10**6  # conversions are exact within six decimals, or refused
LARGEST = 10**9


class UnitStep(NamedTuple):
    """A unit ``equals`` so many of the unit ``of``; of none, if it is not derived."""

    equals: Decimal
    of: str


UNDERIVED = UnitStep(ONE, "")


def chain(code: str, steps: Mapping[str, UnitStep]) -> list[str]:
    """A unit and those that it leads back to, up to an unknown one or one that came before."""
    found = [code]
    while (step := steps.get(found[-1])) and step.of:
        found.append(step.of)
        if step.of in found[:-1]:
            break
    return found


def is_circular(code: str, steps: Mapping[str, UnitStep]) -> bool:
    """Whether a unit leads back to itself."""
    return code in chain(code, steps)[1:]


def ratios(own: str, steps: Mapping[str, UnitStep]) -> dict[str, Fraction]:
    """How many of ``own`` one of each convertible unit is: its own, then the order of the file."""
    to_root = {code: _to_root(code, steps) for code in dict.fromkeys([own, *steps])}
    root, share = to_root[own]
    return {code: size / share for code, (top, size) in to_root.items() if top == root}


def inexact(own: str, steps: Mapping[str, UnitStep]) -> dict[str, Fraction]:
    """The units of which one has no exact amount of ``own`` within six decimals."""
    return {
        code: ratio
        for code, ratio in ratios(own, steps).items()
        if (ratio * MILLION).denominator != 1 or ratio > LARGEST
    }


def conversions(own: str, steps: Mapping[str, UnitStep]) -> dict[str, Decimal]:
    """The units that a claim in the unit ``own`` may be stated in, with what one of each is."""
    refused = inexact(own, steps)
    return {
        code: _decimal(ratio) for code, ratio in ratios(own, steps).items() if code not in refused
    }


def _to_root(code: str, steps: Mapping[str, UnitStep]) -> tuple[str, Fraction]:
    *derived, root = chain(code, steps)
    size = Fraction(1)
    for unit in derived:
        size *= Fraction(steps[unit].equals)
    return root, size


def _decimal(ratio: Fraction) -> Decimal:
    plain = (Decimal(int(ratio * MILLION)) / MILLION).normalize()
    return Decimal(f"{plain:f}")
