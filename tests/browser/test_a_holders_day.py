"""A holder's day on the shop floor: a phone, a bad connection, a browser that runs no script."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser

from tests.browser.people import SLOW_3G, Person
from tests.browser.running import PHONE, DemoSite, signed_in

DAY = {"month": "October", "day": "14", "year": "2026"}
ACTIVITIES = (
    ("Third-party training", "PLC Troubleshooting", {"How many contact hours?": "12"}),
    ("Volunteering", "Skills fair for high schools", {"How many hours?": "3"}),
    ("Industry certification", "OSHA 10-Hour", {"How many certifications?": "1"}),
)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A photo as a phone takes it."""
    path = tmp_path / "certificate.jpg"
    Image.effect_noise((900, 1200), 40).save(path, quality=60)
    return path


def test_she_logs_three_activities_and_applies(
    browser: Browser, site: DemoSite, photo: Path
) -> None:
    page = signed_in(browser, site, "holder", viewport=PHONE, java_script_enabled=False)
    page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", SLOW_3G)
    holder = Person(page)
    page.reload()
    holder.reads("30 days left", "84 of 100 points", "16 points still to earn")
    for type_, title, quantities in ACTIVITIES:
        holder.presses, holder.letters = 0, 0
        holder.press("Log an activity")
        holder.press(type_)
        holder.type("What was it?", title)
        for label, quantity in quantities.items():
            holder.type(label, quantity)
        holder.choose("Month", DAY["month"])
        holder.type("Day", DAY["day"])
        holder.type("Year", DAY["year"])
        holder.press("Save and continue")
        holder.reads("How much this would count", "points")
        holder.attach("Take a photo", photo)
        holder.press("Add to this activity")
        holder.press("Submit for review")
        holder.reads("In review", title)
        assert holder.seconds < 90, (title, holder.seconds)
        assert holder.presses <= 14
        holder.press("Back to your activities")
    holder.press("Renewal")
    holder.reads("You have 84 of 100 points", "in review")
    holder.press("Apply for renewal")
    holder.reads("We are reviewing your application")
    page.context.close()
