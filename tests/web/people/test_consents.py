"""web/people/consents.py: who can see a holder, and a page of its own for each request."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from tests import factories
from tests.api.employers import employer_cases
from tests.backends import SQLITE
from tests.browsers import Browser
from tracker.domain.permissions import SYSTEM
from tracker.models import Employer, Holder, RosterEntry
from tracker.services.credentials import apprenticeships, managed_cases, sponsors
from tracker.services.employers import roster

HERE = "/account/sharing"


@pytest.fixture
def browser(app, container):
    """Ana, signed in, whom Acme lists."""
    acme = employer_cases.company(container)
    with container.work(SYSTEM) as work:
        factories.holder(work, email="ana@example.org")
        entry = roster.add(work, acme.id, employee_id="1", email="ana@example.org")
    ana = Browser(app)
    ana.sign_in("ana@example.org")
    return ana, f"{HERE}/requests/{entry.id}"


def test_a_request_is_accepted_on_a_page_of_its_own_and_stopped_at_once(browser):
    ana, question = browser
    assert "Acme asks to see you" in ana.get(HERE).text
    page = ana.get(question).text
    assert "to know whether you have the certification your job needs" in page
    assert 'name="dates"' in page
    assert 'name="points"' not in page
    assert ana.send_form(f"{question}/accept", dates="yes").location == HERE
    home = ana.get(HERE).text
    assert "Acme sees this:" in home
    assert "the dates it expires" in home
    stop = home.partition(f'action="{HERE}/')[2].partition('"')[0]
    ana.send_form(f"{HERE}/{stop}")

    assert "sees nothing" in ana.get(HERE).text
    assert ana.get(question).status_code == 404


@SQLITE
def test_a_request_is_declined(browser):
    ana, question = browser
    assert ana.send_form(f"{question}/decline").location == HERE

    assert ana.get(question).status_code == 404
    assert "asks to see you" not in ana.get(HERE).text


@SQLITE
def test_an_employer_that_sees_nothing_is_said_to_list_only_whom_it_lists(browser, container):
    ana, _ = browser
    with container.work(SYSTEM) as work:
        other = Employer(name="Globex", recorded_at=work.now)
        work.session.add(other)
        work.session.flush()
        acme, globex = work.row(select(RosterEntry.employer_id)).employer_id, other.id
    assert "Acme has you on its employee list and sees nothing." in ana.get(HERE).text
    headers = {"X-CSRF-Token": ana.csrf()}
    for path, id_ in (("sharing", globex), ("bars", acme)):
        sent = {"employer_id": id_}
        done = ana.open("POST", f"/api/v1/me/{path}", json=sent, headers=headers)
        assert done.status_code == 201, done.json
    page = ana.get(HERE).text

    assert "Globex doesn&#39;t have you on its employee list and sees nothing." in page
    assert "You blocked Acme: it sees nothing, and it can&#39;t ask you." in page
    assert "has you on its" not in page


@SQLITE
def test_a_form_of_another_site_answers_nothing(browser):
    ana, question = browser

    assert ana.post(f"{question}/accept", {"dates": "yes"}).status_code == 400
    assert "Acme asks to see you" in ana.get(HERE).text


@SQLITE
def test_erasure_is_asked_for_and_withdrawn_on_the_page_of_ones_data(browser):
    ana, _ = browser
    assert "Erase my data" in ana.get("/account/data").text
    assert ana.send_form("/account/data/erasure").location == "/account/data"
    assert "We will answer by December 21, 2026" in ana.get("/account/data").text
    ana.send_form("/account/data/erasure/withdraw")

    assert "We will answer by" not in ana.get("/account/data").text


def test_a_sponsor_is_named_and_sees_an_apprenticeship_until_that_is_stopped(browser, container):
    ana, _ = browser
    with container.work(SYSTEM) as work:
        stated = {
            "sponsor_id": sponsors.DIRECTORY.enter(work, name="Council").id,
            "scheme": "cpt",
            "program_code": "0002CB",
            "occupation": "Technician",
            "status": "registered",
            "started_on": date(2026, 9, 1),
            "expected_end_on": None,
            "ended_on": None,
            "instruction_hours": 0,
            "instruction_hours_required": None,
        }
        mine = apprenticeships.register(work, work.row(select(Holder.id)).id, stated)
        other = factories.holder(work, email="bo@example.org")
        theirs = apprenticeships.register(work, other, stated)

    def shown():
        with container.reading(SYSTEM) as reading:
            return apprenticeships.get(reading, mine).row.is_shared

    page = ana.get(HERE).text
    assert "Council sponsors your apprenticeship and sees nothing." in page
    assert page.count("Council") == 1
    assert not shown()
    assert ana.send_form(f"{HERE}/apprenticeships/{mine}/share").location == HERE
    assert "Council sponsors your apprenticeship and sees this:" in ana.get(HERE).text
    assert shown()
    assert ana.send_form(f"{HERE}/apprenticeships/{mine}/share").status_code == 422
    assert ana.send_form(f"{HERE}/apprenticeships/{mine}/end").location == HERE
    assert "sponsors your apprenticeship and sees nothing." in ana.get(HERE).text
    assert not shown()
    assert ana.send_form(f"{HERE}/apprenticeships/{theirs}/share").status_code == 404


def test_modules_are_shown_to_verifiers_by_a_switch_that_is_off_at_first(browser, container):
    ana, _ = browser

    def shows():
        with container.reading(SYSTEM) as reading:
            return reading.row(select(Holder.shows_modules)).shows_modules

    assert "Also show the modules I passed" in ana.get(HERE).text
    assert not shows()
    assert ana.send_form(f"{HERE}/modules", show="yes").location == HERE
    assert shows()
    assert "Stop showing my modules" in ana.get(HERE).text
    ana.send_form(f"{HERE}/modules", show="no")
    assert not shows()


def test_a_managed_case_is_shared_and_stopped_at_once(browser, container):
    ana, _ = browser
    with container.work(SYSTEM) as work:
        board = sponsors.DIRECTORY.enter(work, name="Workforce Board").id
        holder_id = work.row(select(Holder.id)).id
        case_id = managed_cases.register(work, holder_id, board)
    home = ana.get(HERE).text
    assert "Workforce Board would like to follow your exams and sees nothing." in home
    assert ana.send_form(f"{HERE}/cases/{case_id}/share").location == HERE
    assert "Workforce Board follows your exams and sees this:" in ana.get(HERE).text
    ana.send_form(f"{HERE}/cases/{case_id}/end")
    assert "sees nothing" in ana.get(HERE).text
