"""Reviews: who has one open, how long a decision may take, and how long decisions took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from tracker.domain import business_days
from tracker.domain.errors import UnderReview

MANY = 100
"""How many activities are decided at once at most."""


@dataclass(frozen=True, slots=True)
class ReviewLock:
    """A review that somebody has opened: until ``ends_at`` nobody else decides.

    ``reviewer_id`` is the person, ``reviewer`` the name by which they act.
    """

    reviewer_id: str
    reviewer: str
    taken_at: datetime
    ends_at: datetime


def check_unlocked(lock: ReviewLock | None, who: str | None, now: datetime) -> None:
    """Refuse somebody else than the reviewer who has the review open. Raises UnderReview."""
    if lock is None or lock.ends_at <= now or lock.reviewer_id == who:
        return
    left = -((now - lock.ends_at) // timedelta(minutes=1))
    minutes = f"{left} more minutes" if left > 1 else "one more minute"
    raise UnderReview(
        f"{lock.reviewer} has this review open until {lock.ends_at:%H:%M} UTC, for at most "
        f"{minutes}; wait until then, or ask {lock.reviewer} to hand it back.",
        reviewer=lock.reviewer,
        since=lock.taken_at,
        until=lock.ends_at,
    )


@dataclass(frozen=True, slots=True)
class Wait:
    """How long a decision is waited for.

    ``begins_on`` is the day of submission, later by the days on which the holder was asked for
    more, which do not count. ``stopped_on`` is the day on which the holder was asked, while the
    answer is awaited.
    """

    begins_on: date
    stopped_on: date | None = None

    def days(self, on: date) -> int:
        """The business days waited so far."""
        return business_days.between(self.begins_on, self.stopped_on or on)

    def is_overdue(self, on: date, service_level: int) -> bool:
        """Whether it has taken more business days than it should; a stopped wait is not overdue."""
        return self.stopped_on is None and self.days(on) > service_level

    def resumed(self, on: date) -> Wait:
        """The wait after the holder's answer: it goes on where it was stopped."""
        return Wait(business_days.before(on, self.days(on)))


def latest_overdue_start(on: date, service_level: int) -> date:
    """The last day on which a wait began that is overdue now, unless it was stopped."""
    return business_days.before(on, service_level + 1)


@dataclass(frozen=True, slots=True)
class WaitTimes:
    """How many decisions were made after how many business days; without any, there is no wait."""

    decisions: Mapping[int, int]

    @property
    def count(self) -> int:
        """The number of decisions."""
        return sum(self.decisions.values())

    def percentile(self, percent: int) -> int | None:
        """The days within which so many percent of the decisions were made (nearest rank).

        >>> WaitTimes({1: 5, 2: 4, 30: 1}).percentile(90)
        2
        """
        rank = -(-self.count * percent // 100)
        reached = 0
        for days, count in sorted(self.decisions.items()):
            reached += count
            if reached >= rank:
                return days
        return None

    def __add__(self, other: WaitTimes) -> WaitTimes:
        return WaitTimes(Counter(self.decisions) + Counter(other.decisions))
