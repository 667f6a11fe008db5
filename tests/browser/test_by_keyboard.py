"""The main job of each role by the keyboard alone: Tab, Enter, and what is typed into a field.

HR has its own in ``test_hrs_day.py``.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser
from sqlalchemy import select

from tests.browser.people import Person
from tests.browser.running import DESK, DemoSite, signed_in
from tracker.domain.permissions import SYSTEM
from tracker.models import Course, Holder


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "certificate.jpg"
    Image.effect_noise((300, 400), 40).save(path)
    return path


@pytest.fixture
def results(site: DemoSite, tmp_path: Path) -> Path:
    """A center's results of two people of the demo."""
    with site.container.reading(SYSTEM) as reading:
        asked = select(Holder.ref, Holder.family_name).where(Holder.ref.in_(["D-0030", "D-0031"]))
        rows = [
            f"kb-{row.ref},{row.ref},{row.family_name},cpt,green,2026-11-02,pass\n"
            for row in reading.rows(asked)
        ]
    path = tmp_path / "results.csv"
    header = "attempt_ref,holder_ref,family_name,scheme,module,taken_on,result\n"
    path.write_text(header + "".join(rows), encoding="utf-8")
    return path


@pytest.fixture
def attendance(site: DemoSite, tmp_path: Path) -> Path:
    """A provider's list of who attended an approved course."""
    with site.container.reading(SYSTEM) as reading:
        course = reading.row(select(Course.code).where(Course.state == "approved").limit(1))
    path = tmp_path / "list.csv"
    header = "course,held_on,name,holder_ref,email,certificate_number,quantity\n"
    rows = [f"{course.code},2026-10-12,,{ref},,,\n" for ref in ("D-0032", "D-0033")]
    path.write_text(header + "".join(rows), encoding="utf-8")
    return path


def test_a_holder_logs_an_activity(browser: Browser, site: DemoSite, photo: Path) -> None:
    page = signed_in(browser, site, "holder", viewport=DESK)
    holder = Person(page)
    certification = page.locator("a[href^='/account/certifications/']").first
    page.goto(f"{site.url}{certification.get_attribute('href')}/activities")
    holder.press_by_keyboard("Log an activity")
    holder.press_by_keyboard("Third-party training")
    holder.type_by_keyboard("What was it?", "Robot cell safety")
    holder.type_by_keyboard("How many contact hours?", "6")
    holder.type_by_keyboard("Month", "October")
    holder.type_by_keyboard("Day", "7")
    holder.type_by_keyboard("Year", "2026")
    holder.press_by_keyboard("Save and continue")
    holder.reads("How much this would count")
    holder.attach_by_keyboard("Choose files", photo)
    holder.press_by_keyboard("Add to this activity")
    holder.press_by_keyboard("Submit for review")
    holder.reads("In review", "Robot cell safety")
    assert holder.presses <= 180
    page.context.close()


def test_staff_review_an_activity(browser: Browser, site: DemoSite) -> None:
    page = signed_in(browser, site, "staff", viewport=DESK)
    reviewer = Person(page)
    reviewer.press_by_keyboard("Desk")
    reviewer.press_by_keyboard("Start reviewing")
    title = page.locator("h1").inner_text()
    page.route("**/desk/evidence/*", lambda route: route.abort())  # a viewer of PDFs takes Tab
    page.reload()
    reviewer.press_by_keyboard("Approve")
    reviewer.reads(f"Approved: “{title}”")
    assert reviewer.presses <= 120
    page.context.close()


def test_a_center_uploads_its_results(browser: Browser, site: DemoSite, results: Path) -> None:
    page = signed_in(browser, site, "center", viewport=DESK)
    center = Person(page)
    center.press_by_keyboard("Your center")
    center.attach_by_keyboard("Your file", results)
    center.press_by_keyboard("Check the file")
    center.reads("2 rows are new")
    center.attach_by_keyboard("Your file: results.csv", results)
    center.press_by_keyboard("Store the file")
    center.reads("2 rows are new, 0 rows change what is on record")
    assert center.presses <= 90
    page.context.close()


def test_a_provider_uploads_a_list(browser: Browser, site: DemoSite, attendance: Path) -> None:
    page = signed_in(browser, site, "provider", viewport=DESK)
    provider = Person(page)
    provider.press_by_keyboard("Your courses")
    provider.attach_by_keyboard("Your file", attendance)
    provider.press_by_keyboard("Check the file")
    provider.reads("2 rows are new")
    provider.attach_by_keyboard("Your file: list.csv", attendance)
    provider.press_by_keyboard("Store the file")
    provider.reads("2 rows are new")
    assert provider.presses <= 90
    page.context.close()


def test_a_sponsor_sees_how_far_apprentices_have_come(browser: Browser, site: DemoSite) -> None:
    page = signed_in(browser, site, "sponsor", viewport=DESK)
    sponsor = Person(page)
    sponsor.press_by_keyboard("Your apprentices")
    sponsor.reads("Modules passed: 2 of 4", "180 of 576 hours")
    assert sponsor.presses <= 20
    page.context.close()


def test_an_operator_finds_a_message(browser: Browser, site: DemoSite) -> None:
    page = signed_in(browser, site, "admin", viewport=DESK)
    operator = Person(page)
    operator.press_by_keyboard("Records")
    operator.type_by_keyboard(
        "Name, email, certificate number, employee number or reference", "D-0006"
    )
    operator.press_by_keyboard("Search")
    operator.press_by_keyboard(page.locator("ul.found a").first.inner_text())
    operator.press_by_keyboard("Messages and reminders")
    operator.reads("Messages")
    assert operator.presses <= 120
    page.context.close()
