"""When messages may be sent: not in the quiet hours of the holder's time zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo

from tracker.domain.delivery import reminders as rules
from tracker.services.core.context import ReadContext, zone_of


@dataclass(frozen=True, slots=True)
class Pace:
    """When a holder may be written to: outside the quiet hours in their time zone."""

    zone: ZoneInfo
    quiet: tuple[time, time]

    def earliest(self, at: datetime) -> datetime:
        """The first allowed instant from ``at`` on."""
        return rules.after_quiet(at, *self.quiet, self.zone)


def of_zone(reading: ReadContext, name: str) -> Pace:
    """The pace for holders in a time zone."""
    settings = reading.settings.reminders
    quiet = (time(settings.quiet_from_hour), time(settings.quiet_until_hour))
    return Pace(zone_of(name), quiet)
