"""Registered apprenticeships: what one may say, and how far it has come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from tracker.domain.errors import Invalid
from tracker.domain.values import future_rule


class ApprenticeshipStatus(StrEnum):
    """How an apprenticeship stands."""

    REGISTERED = "registered"
    SUSPENDED = "suspended"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


OVER = frozenset({ApprenticeshipStatus.COMPLETED, ApprenticeshipStatus.CANCELLED})
"""The statuses of an apprenticeship that has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprenticeshipTerms:
    """What the record of an apprenticeship says about its course.

    Hours are of related instruction, done so far and required in all; None: not stated.
    """

    status: ApprenticeshipStatus
    started_on: date
    expected_end_on: date | None
    ended_on: date | None
    instruction_hours: int
    instruction_hours_required: int | None

    def check(self, *, on: date) -> None:
        """Refuse dates that contradict each other or the status on a day. Raises Invalid."""
        fields: dict[str, str] = {}
        is_over = self.status in OVER
        if rule := future_rule(self.started_on, on):
            fields["started_on"] = rule
        if self.expected_end_on is not None and self.expected_end_on < self.started_on:
            fields["expected_end_on"] = f"must not be before started_on ({self.started_on})"
        if is_over != (self.ended_on is not None):
            rule = "is required" if is_over else "must be left out"
            fields["ended_on"] = f"{rule} while the status is {self.status}"
        elif self.ended_on is not None:
            rule = future_rule(self.ended_on, on)
            if self.ended_on < self.started_on:
                rule = f"must not be before started_on ({self.started_on})"
            if rule:
                fields["ended_on"] = rule
        if fields:
            raise Invalid("The dates of the apprenticeship contradict each other.", fields=fields)

    def days_left(self, *, on: date) -> int | None:
        """Days to the expected end, 0 if that is past; None: none is expected, or it has ended."""
        if self.expected_end_on is None or self.status in OVER:
            return None
        return max((self.expected_end_on - on).days, 0)

    def hours_left(self) -> int | None:
        """Hours of related instruction still to do; None: it is not stated how many there are."""
        if self.instruction_hours_required is None:
            return None
        return max(self.instruction_hours_required - self.instruction_hours, 0)
