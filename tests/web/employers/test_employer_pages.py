"""web/employers/looks.py and digests.py: who looked, and the summary by email."""

from __future__ import annotations

import re
from datetime import date

import pytest

from tests.browsers import content
from tests.statements import counted
from tracker.language.catalogues import LANGUAGES

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
LOOKS = "/employer/looks"
DIGEST = "/employer/digest"


def test_who_looked_is_told_to_those_who_manage(acme, hr, viewer):
    acme.hire("1", "2", awarded_on=date(2022, 2, 1))
    assert "Nobody has looked yet." in hr.get(LOOKS).text
    viewer.get("/employer")
    hr.get(f"/employer/workers/{acme.entries['1']}")
    page = content(hr.get(LOOKS))

    assert page.count('<th role="rowheader"') == 3
    assert page.index("One worker") < page.index("A page of the list")
    assert "November 21, 2026, 12:00 EST" in page
    assert viewer.get(LOOKS).status_code == 404


def test_older_looks_are_on_the_next_page_at_the_same_cost(acme, hr, container):
    acme.hire("1", awarded_on=date(2022, 2, 1))
    costs = set()
    for _ in range(26):
        hr.get("/employer")
    page = hr.get(LOOKS).text
    for path in (LOOKS, LOOKS + re.findall(r'href="[^"]+(\?after=[^"]+)"', page)[0]):
        with counted(container) as sent:
            found = hr.get(path).text.count('<th role="rowheader"')
        costs.add((found, len(sent)))

    (few, cost), (many, other) = sorted(costs)
    assert (few, many) == (2, 50)
    assert cost == other


def test_a_summary_is_ordered_changed_and_canceled(hr, viewer):
    assert "No summary is ordered." in hr.get(DIGEST).text
    refused = hr.send_form(DIGEST, every="week", address="nobody", language="es")
    assert refused.status_code == 422
    assert 'value="nobody"' in refused.text
    assert 'href="#address"' in refused.text
    assert hr.send_form(DIGEST, every="week", language="es").status_code == 422
    done = hr.send_form(DIGEST, every="week", address="hr@example.org", language="es")
    assert done.location == "/employer?done=ordered"
    assert "The summary is ordered." in hr.get(done.location).text
    page = hr.get(DIGEST).text
    assert "Each week, on Monday, to hr@example.org. The next one is written on November 23" in page
    seen = viewer.get(DIGEST)
    assert "to hr@example.org" in seen.text
    assert "<form" not in content(seen)
    for path in (DIGEST, f"{DIGEST}/cancel"):
        assert viewer.send_form(path, every="month").status_code == 404
    assert hr.send_form(f"{DIGEST}/cancel").location == "/employer?done=called_off"
    assert "No summary is ordered." in hr.get(DIGEST).text
    assert hr.send_form(f"{DIGEST}/cancel").status_code == 404


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pages_speak_every_language(hr, language):
    hr.get("/employer")
    for path in (LOOKS, DIGEST):
        page = hr.get(path, headers={"Accept-Language": language})
        assert page.headers["Content-Language"] == language
        assert not re.findall(r"\{[a-z_]*\}", content(page))
