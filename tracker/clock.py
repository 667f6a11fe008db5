"""The only module that reads the wall clock.

``TRACKER_NOW`` sets the clock for demonstrations and tests: it starts at that instant and runs on
from there, so that waiting still works.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]


def system() -> datetime:
    """The current instant, in UTC."""
    return datetime.now(UTC)


def starting_at(instant: datetime) -> Clock:
    """A clock that shows ``instant`` now and runs on at normal speed."""
    begun = time.monotonic()

    def read() -> datetime:
        return instant + timedelta(seconds=time.monotonic() - begun)

    return read
