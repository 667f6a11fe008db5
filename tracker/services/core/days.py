"""Today, where the schemes of an installation have several time zones."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

from tracker.services.core.context import ReadContext


def today_everywhere(reading: ReadContext) -> date:
    """The earliest of the schemes' dates today: no day is shown before it has begun everywhere."""
    return min(todays(reading))


def zone_everywhere(reading: ReadContext) -> ZoneInfo:
    """The time zone of the schemes in which it is earliest."""
    zones = {scheme.time_zone for scheme in reading.schemes}
    return min(
        zones, key=lambda zone: (reading.now.astimezone(zone).replace(tzinfo=None), zone.key)
    )


def todays(reading: ReadContext) -> list[date]:
    """Today's date in each of the schemes' time zones."""
    zones = {scheme.time_zone for scheme in reading.schemes}
    return [reading.now.astimezone(zone).date() for zone in zones]
