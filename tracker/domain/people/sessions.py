"""How long a session lives: not unused for long, and not for ever."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """The longest time without a request (``idle``), and the longest time in all."""

    idle: timedelta
    absolute: timedelta

    def ends_at(self, *, started_at: datetime, last_used_at: datetime) -> datetime:
        """The instant from which the session is over unless it is used again before."""
        return min(last_used_at + self.idle, started_at + self.absolute)

    def is_over(self, now: datetime, *, started_at: datetime, last_used_at: datetime) -> bool:
        """Whether the session is over."""
        return now >= self.ends_at(started_at=started_at, last_used_at=last_used_at)
