"""web/employers/work_permissions.py: work permitted while a renewal is decided."""

from __future__ import annotations

import re
from datetime import date

import pytest
from sqlalchemy import select

from tests.api.employers import employer_cases
from tests.browsers import Browser, content
from tests.statements import counted
from tests.web.employers.test_confirmation_pages import worker
from tracker.domain.permissions import SYSTEM, Actor
from tracker.language.catalogues import LANGUAGES
from tracker.models import Renewal, WorkPermission
from tracker.services.employers import sharing, work_permissions

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
HERE, WORKERS = "/employer/permissions", "/employer/workers"
UNTIL = {"ends_on_year": "2026", "ends_on_month": "12", "ends_on_day": "31"}
SAID = {"words": "May run line 4.", **UNTIL}


def waiting(container, acme, number, email):
    """Somebody who shares with Acme and whose application waits: holder id, page of the worker."""
    holder_id, certification_id, entry_id = worker(container, acme, number, email)
    with container.work(SYSTEM) as work:
        row = {"cycle": 1, "submitted_on": date(2026, 11, 2), "recorded_at": work.now}
        work.session.add(Renewal(certification_id=certification_id, **row))
    return holder_id, f"{WORKERS}/{entry_id}"


@pytest.fixture
def ana(container, acme):
    """Ana's id, and the page of the worker."""
    return waiting(container, acme, "1", "ana@example.org")


def given(container):
    with container.reading(SYSTEM) as reading:
        return reading.row(select(WorkPermission.id, WorkPermission.words)).id


def test_work_is_permitted_from_the_workers_page_told_to_the_holder_and_ended(hr, ana, container):
    _, page = ana
    assert f'href="{page}/permission"' in hr.get(page).text
    assert "Permit Ana Pe\u00f1a to work" in hr.get(f"{page}/permission").text
    assert hr.send_form(f"{page}/permission", **SAID).location == HERE
    told = "Ana Pe\u00f1a, November 21, 2026 to December 31, 2026: May run line 4."
    for path in (HERE, f"{page}/permission"):
        shown = content(hr.get(path))
        assert told in shown
        assert "In force." in shown
    mine = Browser(hr.app)
    mine.sign_in("ana@example.org")
    assert "while your renewal is decided: May run line 4." in mine.get("/account/employment").text

    end = f"{HERE}/{given(container)}/end"
    refused = hr.send_form(end)
    assert (refused.status_code, "Say why it ends." in refused.text) == (422, True)
    assert hr.send_form(end, reason="The line is down.").location == HERE
    over = content(hr.get(HERE))
    assert "The line is down." in over
    assert "In force." not in over
    assert f'action="{end}"' not in over
    assert hr.send_form(end, reason="Again.").status_code == 422
    assert "No longer in force" in mine.get("/account/employment").text


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"words": ""}, "words"),
        ({"ends_on_year": ""}, "ends_on"),
        ({"ends_on_year": "2025"}, "ends_on"),
        ({"ends_on_year": "2028"}, "ends_on"),
        ({"starts_on_year": "2026"}, "starts_on"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(hr, ana, container, changes, field):
    refused = hr.send_form(f"{ana[1]}/permission", **{**SAID, **changes})

    assert (refused.status_code, f'href="#{field}"' in refused.text) == (422, True)
    assert field == "words" or 'value="May run line 4."' in refused.text
    with container.reading(SYSTEM) as reading:
        assert reading.row(select(WorkPermission.id)) is None


def test_without_an_application_there_is_nothing_to_bridge(hr, acme, container):
    *_, entry_id = worker(container, acme, "1", "ana@example.org")
    refused = hr.send_form(f"{WORKERS}/{entry_id}/permission", **SAID)

    assert refused.status_code == 422
    assert "there is nothing to bridge" in refused.text


def test_of_one_who_does_not_share_the_workers_page_says_so(hr, ana, container):
    holder_id, page = ana
    assert hr.send_form(f"{page}/permission", **SAID).location == HERE
    with container.work(Actor(role="holder", name="Ana", holder_id=holder_id)) as work:
        (mine,) = sharing.mine(work)
        sharing.end(work, str(mine.id))
    assert "/permission" not in content(hr.get(page))
    assert hr.get(f"{page}/permission").location == page
    assert hr.send_form(f"{page}/permission", **SAID).location == page
    assert content(hr.get(HERE)).count("May run line 4.") == 2, "once to read, once to end it"


def test_others_neither_see_nor_do_anything(enter, viewer, ana, hr, container):
    _, page = ana
    hr.send_form(f"{page}/permission", **SAID)
    end = f"{HERE}/{given(container)}/end"
    globex = employer_cases.company(container, "Globex")
    other = enter("employer", employer_id=globex.id, access="manage", email="g@example.org")
    for who in (viewer, other):
        assert who.get(f"{page}/permission").status_code == 404
        assert who.send_form(f"{page}/permission", **SAID).status_code == 404
        assert who.send_form(end, reason="x").status_code == 404
    assert viewer.get(HERE).status_code == 404
    assert f'href="{page}/permission"' not in viewer.get(page).text
    assert "May run line 4." not in other.get(HERE).text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pages_speak_every_language(hr, ana, language):
    hr.send_form(f"{ana[1]}/permission", **SAID)
    for path in (HERE, f"{ana[1]}/permission"):
        page = hr.get(path, headers={"Accept-Language": language})
        assert page.headers["Content-Language"] == language
        assert not re.findall(r"\{[a-z_]*\}", content(page))


def test_more_permissions_cost_no_more_statements(hr, acme, container, ana):
    _, page = ana
    entry_id, costs = page.rpartition("/")[2], []
    by = Actor(role="employer", name="Kim", organization_id=acme.id)
    for number in range(2):
        with container.work(by) as work:
            words, day = f"Line {number}", date(2026, 12, 31)
            work_permissions.give(work, acme.id, entry_id, words=words, ends_on=day)
        with counted(container) as sent:
            for path in (HERE, f"{page}/permission"):
                assert hr.get(path).status_code == 200
        costs.append(len(sent))

    assert costs[0] == costs[1]
