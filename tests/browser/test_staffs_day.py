"""The staff's day: thirty reviews, a renewal, a revocation, a result corrected, records merged."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import select

from tests import factories
from tests.browser.people import Person
from tests.browser.running import DESK, DemoSite, signed_in
from tracker.domain.permissions import SYSTEM
from tracker.models import Certification, Holder
from tracker.services.people import duplicates

REVIEWS = 30
REF = "D-0040"


@pytest.fixture
def twice(site: DemoSite) -> tuple[str, str]:
    """Somebody with a certification, and a second record of theirs: the names."""
    with site.container.work(SYSTEM) as work:
        asked = select(Holder.id, Holder.given_name, Holder.family_name, Holder.email)
        one = work.row(asked.where(Holder.ref == REF))
        named = {"given_name": one.given_name[0], "family_name": one.family_name}
        other = factories.holder(work, email=one.email, **named)
        duplicates.look_for(work, [other])
    return f"{one.given_name} {one.family_name}", " ".join(named.values())


@pytest.fixture
def number(site: DemoSite) -> str:
    """The number of a certificate that is valid."""
    with site.container.reading(SYSTEM) as reading:
        asked = select(Certification.number).join(Holder, Holder.id == Certification.holder_id)
        return str(reading.row(asked.where(Holder.ref == "D-0002")).number)


def test_a_reviewer_decides_thirty_activities(browser: Browser, site: DemoSite) -> None:
    """One click for each approval, four for a rejection; keys do the same."""
    page = signed_in(browser, site, "staff", viewport=DESK)
    reviewer, title = Person(page), page.locator("h1")
    reviewer.press("Desk")
    reviewer.press("Start reviewing")
    reviewer.reads("What is claimed", "Points before and after")
    expect(page.locator(".evidence")).to_have_count(1)
    page.route("**/desk/evidence/*", lambda route: route.abort())  # a viewer of PDFs is slow
    before = page.url
    page.keyboard.press("n")
    page.wait_for_url(lambda url: url != before)
    before = page.url
    page.keyboard.press("a")
    page.wait_for_url(lambda url: url != before)
    reviewer.reads("Approved: ", "No message leaves until")
    reviewer.press("Reject")
    reviewer.choose("Reason", "Already claimed or on record")
    reviewer.press("Reject it")
    reviewer.reads("Rejected: ")
    for _ in range(REVIEWS - 2):
        what = title.inner_text()
        reviewer.press("Approve")
        reviewer.reads(f"Approved: “{what}”")
    assert reviewer.presses <= 2 + 4 + REVIEWS - 2
    page.context.close()


def test_she_denies_a_renewal_and_undoes_it(browser: Browser, site: DemoSite) -> None:
    page = signed_in(browser, site, "staff", viewport=DESK)
    she = Person(page)
    she.press("Desk")
    she.press("Renewals")
    she.press("Review")
    she.press("Deny")
    she.choose("Reason", "The renewal fee was not paid")
    she.press("Deny this application")
    she.reads("Denied.", "No message leaves until")
    she.press("Undo")
    she.reads("taken back by")
    assert she.presses <= 8
    page.context.close()


def test_two_people_revoke_a_certificate(browser: Browser, site: DemoSite, number: str) -> None:
    """What the public will see is shown before; nothing changes until the second has answered."""
    page = signed_in(browser, site, "staff", viewport=DESK)
    she = Person(page)
    she.press("Desk")
    she.press("Certificates")
    she.type("Certificate number", number)
    she.press("Show it")
    page.get_by_label("Revoke", exact=True).check()
    she.choose("Reason", "Violation of exam rules")
    she.type("Why, in your words", "The results were bought.")
    she.press("See what it brings")
    she.reads("You are about to propose this", "Revoked")
    she.press("Propose it to a second person")
    she.reads("It is proposed to revoke this.")
    assert she.presses + 1 <= 10
    page.context.close()
    page = signed_in(browser, site, "admin", viewport=DESK)
    he = Person(page)
    he.press("Desk")
    he.press("Acts that need a second person")
    he.reads(number, "The results were bought.")
    he.press("Approve")
    he.reads("Nothing is proposed.")
    assert he.presses <= 3
    page.context.close()


def test_she_corrects_a_result(browser: Browser, site: DemoSite) -> None:
    page = signed_in(browser, site, "staff", viewport=DESK)
    she = Person(page)
    she.press("Records")
    she.type("Name, email, certificate number, employee number or reference", "D-0003")
    she.press("Search")
    she.press_at(page.locator("ul.found a").first)
    she.press("Correct")
    she.type("Score", "88")
    she.type("Reason", "The score was read wrongly.")
    she.press("See what changes")
    she.reads("Nothing has been stored yet.", "88", "No certification changes.")
    she.press("Correct the result")
    expect(page.locator("#modules")).to_contain_text("88")
    assert she.presses <= 9
    page.context.close()


def test_two_people_merge_two_records(
    browser: Browser, site: DemoSite, twice: tuple[str, str]
) -> None:
    page = signed_in(browser, site, "staff", viewport=DESK)
    she = Person(page)
    she.press("Records")
    she.press("Duplicates")
    she.reads(*twice)
    she.press("Compare")
    she.type("Reason", "One person, one passport.")
    she.press("See what a merge brings")
    she.reads("Nothing has been stored yet.")
    she.press("Propose this merge")
    she.reads("waits for a second person")
    assert she.presses <= 6
    page.context.close()
    page = signed_in(browser, site, "admin", viewport=DESK)
    he = Person(page)
    he.press("Desk")
    he.press("Acts that need a second person")
    he.press("Approve")
    he.reads("Nothing is proposed.")
    assert he.presses <= 3
    page.context.close()
