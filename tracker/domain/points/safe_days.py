"""The last day on which to submit an activity so that it is decided before applications close."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from tracker.domain import business_days


@dataclass(frozen=True, slots=True)
class ExpectedWait:
    """How many business days a decision takes; ``measured``, or the service level."""

    days: int
    measured: bool


@dataclass(frozen=True, slots=True)
class SafeDay:
    """Submit by the day ``on``, since a decision takes so long."""

    on: date
    wait: ExpectedWait


def expected_wait(
    measured: int | None, decisions: int, *, enough: int, service_level: int
) -> ExpectedWait:
    """The wait to expect: what was measured if the decisions are enough, else the service level.

    At least a day: nobody is told that a decision takes none.
    """
    if measured is None or decisions < enough:
        return ExpectedWait(service_level, measured=False)
    return ExpectedWait(max(measured, 1), measured=True)


def latest_safe_day(closes_on: date | None, wait: ExpectedWait, *, on: date) -> SafeDay | None:
    """The last day that leaves enough business days until applications close.

    It may be past already. None if applications are never due, or are closed.
    """
    if closes_on is None or closes_on < on:
        return None
    return SafeDay(business_days.before(closes_on, wait.days), wait)
