"""The links at the top of the pages of people who are signed in."""

from __future__ import annotations

import re

from tests.backends import SQLITE
from tests.web.test_frame import links
from tracker.web import static_files

pytestmark = SQLITE


def test_a_holder_goes_everywhere_from_every_page(browser, ana):
    me = browser()
    me.sign_in(ana)
    home = me.get("/account")
    everywhere, here = links(home)

    assert here == ["/account"]
    assert "/account/people" not in everywhere
    for path in everywhere:
        page = me.get(path)
        assert page.status_code == 200, path
        assert links(page) == (everywhere, [path])
        assert '<main id="main">' in page.text
        assert 'href="#main"' in page.text


def test_what_nobody_but_the_person_may_keep_is_not_kept_but_style_sheets_are(browser, ana):
    me = browser()
    me.sign_in(ana)

    assert "no-store" in me.get("/account").headers["Cache-Control"]
    for file in static_files.STYLES:
        assert "immutable" in me.get(file.address).headers["Cache-Control"]


def test_the_page_after_signing_out_has_the_links_of_strangers(browser, ana):
    me = browser()
    me.sign_in(ana)
    page = me.post("/sign-out", {"csrf_token": me.csrf()})

    assert links(page)[0] == ["/verify", "/sign-in"]


def test_staff_find_the_people_and_a_reviewer_does_not(enter):
    for role, finds in (("staff", True), ("admin", True), ("reviewer", False)):
        _, who = enter(role)
        everywhere, _ = links(who.get("/account"))
        assert ("/account/people" in everywhere) is finds, role
        assert "/account/sharing" not in everywhere


def test_ones_own_page_leads_to_ones_work(enter):
    for role in ("staff", "admin", "reviewer"):
        _, who = enter(role)
        assert '<a role="button" href="/desk">Desk</a>' in who.get("/account").text


def test_the_title_of_a_page_with_an_error_says_so_first(client):
    page = client.post("/sign-in", data={"identifier": ""}, headers={"Origin": "http://localhost"})

    assert re.search(r"<title>Error: ", page.text)
