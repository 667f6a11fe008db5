"""Names of time zones in refusals: in English, as people in the United States say them."""

from __future__ import annotations

from collections.abc import Mapping

NAMES: Mapping[str, str] = {
    "America/New_York": "Eastern time",
    "America/Chicago": "Central time",
    "America/Denver": "Mountain time",
    "America/Phoenix": "Arizona time",
    "America/Los_Angeles": "Pacific time",
    "America/Anchorage": "Alaska time",
    "Pacific/Honolulu": "Hawaii time",
    "UTC": "UTC",
}
"""Keys are the IANA names of the zones."""


def clock_name(zone: str) -> str:
    """The everyday name of a zone: "Eastern time"; a zone without one: "Lima time"."""
    return NAMES.get(zone) or f"{place(zone)} time"


def place(zone: str) -> str:
    """The city in a zone's name, or the whole name if it has no city."""
    _, _, city = zone.rpartition("/")
    return city.replace("_", " ") if "/" in zone and not zone.startswith("Etc/") else zone


def midnight(zone: str, *, first: bool = False) -> str:
    """Words for the time zone in which a day ends, or begins (``first``); no zone, no words."""
    if not zone:
        return ""
    return f", {clock_name(zone)}" if first else f", at midnight {clock_name(zone)}"


def named_zone(zone: str) -> dict[str, str]:
    """The time zone as a field of a refusal; no zone, no field."""
    return {"time_zone": zone} if zone else {}
