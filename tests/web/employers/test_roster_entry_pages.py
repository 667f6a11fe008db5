"""web/employers/roster_entries.py: a worker is added by hand, and moved to another place."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from tests import factories
from tests.api.employers import employer_cases
from tests.browsers import content
from tracker.domain.permissions import SYSTEM
from tracker.language.catalogues import LANGUAGES
from tracker.models import HistoryEntry, Notice, RosterEntry

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
NEW = "/employer/workers/new"


def test_a_worker_is_added_by_hand_and_asked_if_we_know_them(hr, container):
    with container.work(SYSTEM) as work:
        factories.holder(work, email="ana@example.org")
    assert f'href="{NEW}"' in content(hr.get("/employer/roster"))
    wrong = hr.send_form(NEW, employee_id="7", email="ana")
    assert wrong.status_code == 422
    assert '<a href="#email">Enter a complete email address' in content(wrong)
    assert 'value="7"' in content(wrong)
    made = hr.send_form(NEW, employee_id="7", email="ana@example.org", site="Plant 2")

    page = content(hr.get(made.location))
    assert "Added. If we find this person" in page
    assert "Plant 2" in page
    assert "ana@example.org" not in page
    again = hr.send_form(NEW, employee_id="7")
    assert again.status_code == 422
    assert "that nobody on your current list has" in content(again)
    with container.reading(SYSTEM) as reading:
        assert [row.kind for row in reading.rows(select(Notice.kind))] == ["consent_asked"]


def test_site_department_and_shift_are_changed_and_nobody_is_told(hr, acme, container):
    acme.hire("1", site="Plant 2", shift="Night")
    worker = f"/employer/workers/{acme.entries['1']}"
    assert f'href="{worker}/edit"' in content(hr.get(worker))
    page = content(hr.get(f"{worker}/edit"))
    assert 'value="Plant 2"' in page
    long = hr.send_form(f"{worker}/edit", site="x" * 101, shift="Day")
    assert long.status_code == 422
    assert 'value="Day"' in content(long)
    done = hr.send_form(f"{worker}/edit", site="Plant 3", shift="", department="Welding")

    assert done.location == f"{worker}?done=moved"
    with container.reading(SYSTEM) as reading:
        where = select(RosterEntry.site, RosterEntry.department, RosterEntry.shift)
        assert tuple(reading.row(where)) == ("Plant 3", "Welding", None)
        acts = select(HistoryEntry.action).where(HistoryEntry.action == "move")
        assert len(reading.rows(acts)) == 1
        assert reading.rows(select(Notice.kind)) == []
    hr.send_form(f"{worker}/edit", site="Plant 3", department="Welding")
    with container.reading(SYSTEM) as reading:
        assert len(reading.rows(acts)) == 1, "nothing changed, nothing is noted"


def test_only_those_who_manage_and_only_their_own(viewer, acme, enter, container):
    acme.hire("1")
    edit = f"/employer/workers/{acme.entries['1']}/edit"
    globex = employer_cases.company(container, "Globex")
    other = enter("employer", employer_id=globex.id, access="manage", email="g@example.org")
    for who in (viewer, other):
        assert who.get(edit).status_code == 404
        assert who.send_form(edit, site="x").status_code == 404
    assert viewer.get(NEW).status_code == 404
    assert viewer.send_form(NEW, employee_id="9").status_code == 404


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pages_speak_every_language(hr, acme, language):
    acme.hire("1")
    for path in (NEW, f"/employer/workers/{acme.entries['1']}/edit"):
        page = hr.get(path, headers={"Accept-Language": language})
        assert page.headers["Content-Language"] == language
        assert not re.findall(r"\{[a-z_]*\}", content(page))
