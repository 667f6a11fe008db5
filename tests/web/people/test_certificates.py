"""A certificate to print and to share, and its dates (web/people/certificates.py)."""

from __future__ import annotations

import html
import re
from datetime import date
from urllib.parse import parse_qs, urlsplit

import pytest

from tests import factories
from tests.browsers import content

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


@pytest.fixture
def ids(container):
    return factories.certified(
        container, date(2021, 12, 25), given_name="Ana", email="ana@example.org"
    )


@pytest.fixture
def me(browser, ids):
    assert ids
    found = browser()
    found.sign_in("ana@example.org")
    return found


def test_it_says_what_was_awarded_and_leads_to_the_public_page(me, ids):
    page = content(me.get(f"/account/certifications/{ids[1]}/certificate"))
    for said in ("Ana", "MSSC", "(CPT)", "December 25, 2021", "December 25, 2026"):
        assert said in page, said
    (public,) = set(re.findall(r'<a href="(/verify/[^"]+)"', page))
    assert f'aria-label="QR code that opens https://tracker.example{public}"' in page
    assert f'value="https://tracker.example{public}" readonly' in page
    assert me.get(public, headers={"Accept": "text/html"}).status_code == 200
    assert "style=" not in page
    (profile,) = re.findall(r'href="(https://www.linkedin.com/[^"]+)"', page)
    told = parse_qs(urlsplit(html.unescape(profile)).query)
    assert told["expirationYear"] == ["2026"]
    assert told["certUrl"] == [f"https://tracker.example{public}"]


def test_the_dates_go_into_a_calendar(me, ids):
    file = me.get(f"/account/certifications/{ids[1]}/dates.ics")

    assert file.mimetype == "text/calendar"
    assert "DTSTART;VALUE=DATE:20261225" in file.text


def test_what_is_not_valid_has_no_certificate_and_no_dates(me, ids, clock):
    clock.set("2026-12-26")
    me.sign_in("ana@example.org")
    page = content(me.get(f"/account/certifications/{ids[1]}/certificate"))

    assert "isn&#39;t valid today" in page
    assert 'class="certificate"' not in page
    assert me.get(f"/account/certifications/{ids[1]}/dates.ics").status_code == 404
