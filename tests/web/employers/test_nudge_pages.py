"""web/employers/nudges.py: what workers will read is shown first, then they are reminded."""

from __future__ import annotations

import re
from datetime import date

import pytest
from sqlalchemy import select

from tests.browsers import content
from tests.statements import counted
from tracker.domain.permissions import SYSTEM
from tracker.language.catalogues import LANGUAGES
from tracker.models import EmployerNudge, HistoryEntry

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
WORKERS = "/employer/workers"
NUDGES = "/employer/nudges"


@pytest.fixture
def shares(acme):
    """The page of a worker who shares dates and points."""
    acme.hire("1", awarded_on=date(2022, 2, 1))
    return f"{WORKERS}/{acme.entries['1']}"


def test_one_worker_is_reminded_after_reading_what_they_will_read(hr, shares, container):
    assert f'href="{shares}/nudge?scheme=cpt"' in content(hr.get(shares))
    page = content(hr.get(f"{shares}/nudge"))
    assert "You have not reminded this person yet. You can send a reminder now." in page
    assert '<blockquote lang="es">' in page
    assert "Acme nos pidió recordarle su certificación" in page
    done = hr.send_form(f"{shares}/nudge")

    page = content(hr.get(done.location))
    assert "The reminder is on its way." in page
    assert "Last reminded on November 21, 2026 by " in page
    assert "You can remind them again from December 5, 2026." in page
    assert "/nudge" not in page
    again = hr.send_form(f"{shares}/nudge")
    assert "done=not_nudged" in again.location
    with container.reading(SYSTEM) as reading:
        assert len(reading.rows(select(EmployerNudge.id))) == 1
        acts = reading.rows(select(HistoryEntry.action).where(HistoryEntry.action == "nudge"))
        assert len(acts) == 1


def test_many_are_counted_by_reason_and_reminded_as_far_as_they_may_be(hr, acme):
    acme.hire("1", "2")
    acme.hire("3", shared=False)
    acme.hire("4", awarded_on=None)
    assert f'href="{NUDGES}"' in content(hr.get("/employer"))
    page = content(hr.get(NUDGES))
    for told in (
        "2 can be reminded now",
        "t share with you",
        "1 have no certification that can be renewed now",
        ">Send 2 reminders</button>",
    ):
        assert told in page
    assert hr.get(f"{NUDGES}?segment=x").location == "/employer?segment=x"
    assert hr.send_form(f"{NUDGES}?segment=x").location == "/employer?segment=x"
    done = hr.send_form(f"{NUDGES}?segment=later")

    assert done.location == "/employer?segment=later&done=nudged-2"
    assert "We are reminding 2 workers." in content(hr.get(done.location))
    page = content(hr.get(NUDGES))
    assert "2 were reminded in the last 14 days" in page
    assert "Nobody can be reminded right now." in page


def test_whoever_may_only_view_reminds_nobody(viewer, shares):
    assert "/nudge" not in content(viewer.get(shares))
    for path in (NUDGES, f"{shares}/nudge"):
        assert viewer.get(path).status_code == 404
        assert viewer.send_form(path).status_code == 404


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pages_speak_every_language(hr, shares, language):
    for path in (NUDGES, f"{shares}/nudge"):
        page = hr.get(path, headers={"Accept-Language": language})
        assert page.headers["Content-Language"] == language
        assert not re.findall(r"\{[a-z_]*\}", content(page))


def test_counting_and_reminding_many_costs_as_many_statements_as_few(hr, acme, container):
    def cost(act):
        with counted(container) as sent:
            assert act().status_code in (200, 303)
        return len(sent)

    acme.hire("1", "2")
    seen, done = cost(lambda: hr.get(NUDGES)), cost(lambda: hr.send_form(NUDGES))
    acme.hire(*(f"x{n}" for n in range(20)))

    assert cost(lambda: hr.get(NUDGES)) == seen
    assert cost(lambda: hr.send_form(NUDGES)) == done
