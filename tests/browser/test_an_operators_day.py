"""An operator's day: why somebody got no message, and sending switched off and on."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser
from sqlalchemy import select

from tests.browser.people import Person
from tests.browser.running import DESK, DemoSite, signed_in
from tracker.domain.permissions import SYSTEM
from tracker.models import Holder
from tracker.services.outbox import suppressions

REF = "D-0005"


@pytest.fixture
def address(site: DemoSite) -> str:
    """The address of somebody to whom a message came back."""
    with site.container.work(SYSTEM) as work:
        email = str(work.row(select(Holder.email).where(Holder.ref == REF)).email)
        suppressions.suppress(work, [email], "hard_bounce")
        return email


def test_he_finds_why_a_message_did_not_leave(
    browser: Browser, site: DemoSite, address: str
) -> None:
    page = signed_in(browser, site, "admin", viewport=DESK)
    operator = Person(page)
    operator.press("Operations")
    operator.reads("Messages may leave.", "Messages that are not finished")
    operator.type("Reason (kept in the history)", "The relay is being replaced.")
    operator.press("Stop sending")
    operator.reads("Nothing is sent.", "The relay is being replaced.")
    assert operator.presses <= 3
    operator.presses = 0
    operator.press("Records")
    operator.type("Name, email, certificate number, employee number or reference", address)
    operator.press("Search")
    operator.press_at(page.locator("ul.found a").first)
    operator.press("Messages and reminders")
    operator.reads("No messages are sent now.", "The relay is being replaced.")
    operator.reads(f"Messages do not reach this person: {address} came back.")
    assert operator.presses <= 5
    operator.presses = 0
    operator.press("Operations")
    operator.type("Reason (kept in the history)", "The relay is replaced.")
    operator.press("Allow sending")
    operator.reads("Messages may leave.")
    assert operator.presses <= 3
    page.context.close()
