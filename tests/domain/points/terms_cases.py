"""Certifications to be judged on their terms, made in a line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from tests.domain.examples import (
    claim,
    days,
    renewed,
    scheme_of,
)
from tracker.domain.periods import Duration
from tracker.domain.points import cycle_rules
from tracker.domain.points.claims import Claim
from tracker.domain.points.cycle_rules import Case, JudgedCycle
from tracker.domain.schemes.policies import ExtensionRule, LateStep, Policy

AWARDED, EXPIRY = date(2024, 3, 15), date(2029, 3, 15)
LATE = date(2029, 4, 1)
EXTENDED = date(2029, 9, 15)
NAME = {"en": "late", "es": "tarde"}
EXTENSION = ExtensionRule(at_most=Duration(1, "years"), moves_cycle=False)
MODULES = ("safety", "quality", "processes", "maintenance")


def case(*policies: Policy, decided: Sequence[date] = (), **more: Any) -> Case:
    """A certification of 15 March 2024 under these versions, renewed on the days given."""
    scheme = scheme_of(*policies)
    return Case(scheme, tuple(renewed(scheme, AWARDED, *decided)), **more)


def judged(of: Case, on: date, *claims: Claim, **shared: Sequence[Claim]) -> JudgedCycle:
    """The cycle on a day, judged."""
    found = cycle_rules.judge(of, claims, shared, on=on)
    assert found is not None
    return found


def hours(points: str, day: date, **values: Any) -> Claim:
    """A course of so many points."""
    return claim("third_party", points, day, **values)


def rung(length: int, **values: Any) -> LateStep:
    """A step of the ladder that ends so many days after the expiry."""
    return LateStep(until=days(length), name=NAME, **values)
