"""When letters begin their way: not in the quiet hours where their holder lives."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo

from tracker.domain.delivery import reminders as rules
from tracker.services.core.context import ReadContext, zone_of


@dataclass(frozen=True, slots=True)
class Pace:
    """When a holder may be written to: out of the quiet hours."""

    zone: ZoneInfo
    quiet: tuple[time, time]

    def earliest(self, at: datetime) -> datetime:
        """An instant from ``at`` on."""
        return rules.after_quiet(at, *self.quiet, self.zone)


def of_zone(reading: ReadContext, name: str) -> Pace:
    """The pace of a holder who lives in a time zone."""
    given = reading.settings.reminders
    quiet = (time(given.quiet_from_hour), time(given.quiet_until_hour))
    return Pace(zone_of(name), quiet)
