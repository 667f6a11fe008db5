"""Time zones as refusals name them: in English, by what people in the United States call them."""

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
"""By the IANA name of the zone."""


def clock_name(zone: str) -> str:
    """Whose clock ends a day: "Eastern time"; a zone without an everyday name: "Lima time"."""
    return NAMES.get(zone) or f"{place(zone)} time"


def place(zone: str) -> str:
    """The city of a zone, or the zone itself where it names none."""
    _, _, city = zone.rpartition("/")
    return city.replace("_", " ") if "/" in zone and not zone.startswith("Etc/") else zone
