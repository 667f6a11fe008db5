"""An HR person's day: list 250 workers, ask for consent, look at a group, and end an employment."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from sqlalchemy import select

from tests.browser.people import Person
from tests.browser.running import DESK, DemoSite, signed_in
from tracker.domain.permissions import SYSTEM, Actor
from tracker.models import Employer, Holder, Sharing
from tracker.services.employers import sharing

EMPLOYER = "Kestrel Ridge Automotive"
WORKERS = 250
Roster = list[dict[str, str]]


@pytest.fixture
def roster(site: DemoSite) -> Roster:
    """Workers by email; the demo knows some of them."""
    with site.container.reading(SYSTEM) as reading:
        asked = select(Holder.email).order_by(Holder.id.desc()).limit(40)
        known = [email for (email,) in reading.rows(asked)]
    new = [f"worker{number}@example.com" for number in range(WORKERS - len(known))]
    return [
        {
            "employer": EMPLOYER,
            "employee_id": f"KR-{number:04}",
            "email": email,
            "site": "Lansing",
            "ended_on": "",
        }
        for number, email in enumerate([*known, *new])
    ]


@pytest.fixture
def stopped(site: DemoSite) -> int:
    """How many workers stopped to share what they shared, so that they can be asked again."""
    with site.container.work(SYSTEM) as work:
        employer = select(Employer.id).where(Employer.name == EMPLOYER).scalar_subquery()
        asked = select(Sharing.id, Sharing.holder_id)
        found = work.rows(asked.where(Sharing.employer_id == employer).limit(3))
    for sharing_id, holder_id in found:
        with site.container.work(Actor(role="holder", name="her", holder_id=holder_id)) as work:
            sharing.end(work, sharing_id)
    return len(found)


def saved(rows: Roster, path: Path) -> Path:
    """The rows as a CSV file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


def listed(page: Page) -> list[str]:
    """The employee numbers of a group of workers, from all pages of its list."""
    found: list[str] = []
    while True:
        texts = page.locator("table.cards tbody th").all_inner_texts()
        found += [text.split()[-1] for text in texts]
        more = page.get_by_role("link", name="Next page", exact=True)
        if not more.count():
            return found
        more.click()


def test_she_lists_her_workers_after_two_errors(
    browser: Browser, site: DemoSite, roster: Roster, tmp_path: Path
) -> None:
    """The errors stand in their cells; the list is stored only when it is confirmed."""
    page = signed_in(browser, site, "employer", viewport=DESK)
    hr = Person(page)
    wrong = [dict(row) for row in roster]
    wrong[3]["email"], wrong[200]["ended_on"] = "nobody", "11/31/2026"
    hr.press("Your workers")
    hr.press("Add or update workers")
    hr.attach("Your file", saved(wrong, tmp_path / "roster.csv"))
    hr.press("Check the file")
    hr.reads("This file has 2 errors. Nothing was stored.", "nobody", "11/31/2026")
    assert page.locator("td.faulty").count() == 2
    hr.press("Upload another file")
    right = saved(roster, tmp_path / "roster.csv")
    hr.attach("Your file", right)
    hr.press("Check the file")
    hr.reads(f"{WORKERS} workers added")
    hr.attach("Your file: roster.csv", right)
    hr.press("Store the list and ask the new workers")
    hr.reads(f"Your list is stored: {WORKERS} added, 0 changed, 0 as before.")
    assert hr.presses <= 12
    page.context.close()


def test_she_asks_for_consent_and_saves_the_group_that_she_sees(
    browser: Browser, site: DemoSite, stopped: int
) -> None:
    page = signed_in(browser, site, "employer", viewport=DESK)
    hr = Person(page)
    hr.press("Your workers")
    hr.press_at(page.locator("svg.segments rect.segment-not_shared"))
    hr.press("Ask for consent")
    hr.reads(f"{stopped} can be asked now")
    hr.press(f"Ask {stopped} workers")
    hr.reads(f"We have asked {stopped} workers for consent.")
    assert hr.presses <= 4
    hr.presses = 0
    hr.press_at(page.locator("svg.segments rect.segment-later"))
    hr.reads("Shown: Valid for more than 180 days.")
    with page.expect_download() as download:
        hr.press("Save as CSV")
    text = download.value.path().read_text(encoding="utf-8-sig")
    numbers = [row["employee_id"] for row in csv.DictReader(io.StringIO(text))]
    assert numbers == listed(page)
    assert numbers
    assert hr.presses <= 2
    page.context.close()


def test_he_ends_an_employment_without_a_mouse(browser: Browser, site: DemoSite) -> None:
    page = signed_in(browser, site, "employer", viewport=DESK)
    hr = Person(page)
    page.goto(f"{site.url}/employer")
    hr.press_by_keyboard("Valid for more than 180 days")
    name = page.locator("table.cards tbody th a").first.inner_text()
    hr.press_by_keyboard(name)
    hr.press_by_keyboard("End employment")
    hr.reads("This is what happens at once:")
    hr.press_by_keyboard("End employment now")
    hr.reads("The employment has ended.")
    assert name not in page.locator("main").inner_text()
    assert hr.presses <= 80
    page.context.close()
