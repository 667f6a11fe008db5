"""web/employers/confirmations.py and web/people/employment.py: confirmed, shown, contested."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select, update

from tests import factories
from tests.browsers import Browser, content
from tests.statements import counted
from tracker.domain.permissions import SYSTEM, Actor
from tracker.language.catalogues import LANGUAGES
from tracker.models import EmploymentConfirmation, Renewal, RosterEntry
from tracker.services.employers import roster, sharing, work_permissions
from tracker.services.people import holders

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
HERE, MINE = "/employer/confirmations", "/account/employment"


def worker(container, acme, number, email):
    """Somebody certified whom Acme has listed since 2024, and who shares; ids, and the entry."""
    holder_id, certification_id = factories.certified(
        container, date(2023, 5, 1), given_name="Ana", email=email
    )
    with container.work(SYSTEM) as work:
        ref = holders.get(work, holder_id).ref
        entry = roster.add(work, acme.id, employee_id=number, holder_ref=ref)
        long_ago = update(RosterEntry).where(RosterEntry.id == entry.id)
        work.execute(long_ago.values(recorded_at=datetime(2024, 3, 1, 12, tzinfo=UTC)))
    with container.work(Actor(role="holder", name="Ana", holder_id=holder_id)) as work:
        sharing.consent(work, acme.id)
    return holder_id, certification_id, entry.id


@pytest.fixture
def ana(app, container, acme):
    """Ana's browser."""
    worker(container, acme, "1", "ana@example.org")
    found = Browser(app)
    found.sign_in("ana@example.org")
    return found


def signed(container):
    with container.reading(SYSTEM) as reading:
        return reading.row(select(EmploymentConfirmation.id, EmploymentConfirmation.signed_by))


def test_a_year_is_confirmed_by_one_press_shown_to_the_holder_and_contested(
    hr, viewer, ana, container
):
    page = hr.get(HERE).text
    assert "March 1, 2024 to December 31, 2024" in page
    assert page.count(">Confirm 202") == 2
    missing = "Acme has not confirmed your employment for 2024, 2025 yet."
    assert missing in content(ana.get("/account"))
    assert viewer.get(HERE).status_code == 404

    entry_id = re.findall(r'name="entry_id" value="([^"]+)"', page)[0]
    assert hr.send_form(HERE, entry_id=entry_id, year="2025").location == HERE
    assert hr.send_form(HERE, entry_id=entry_id, year="2025").status_code == 422
    assert "for 2024 yet." in content(ana.get("/account"))
    found = signed(container)
    shown = content(ana.get(MINE))
    assert "Acme confirmed your employment from January 1, 2025 to December 31, 2025." in shown
    assert f"Signed by {found.signed_by}" in shown

    assert ana.send_form(f"{MINE}/{found.id}/contest").status_code == 422
    assert ana.send_form(f"{MINE}/{found.id}/contest", statement="I left in May.").location == MINE
    assert "You contested this: I left in May." in content(ana.get(MINE))
    assert "The worker says that this is wrong: I left in May." in content(hr.get(HERE))
    ana.send_form(f"{MINE}/{found.id}/end")
    assert "You contested" not in ana.get(MINE).text
    assert hr.send_form(f"{HERE}/{found.id}/withdraw", reason="Another one.").location == HERE
    assert "Withdrawn by the employer: Another one." in content(ana.get(MINE))
    assert hr.get(HERE).text.count(">Confirm 202") == 2


@pytest.mark.usefixtures("ana")
def test_a_year_that_is_none_is_refused(hr):
    entry_id = re.findall(r'name="entry_id" value="([^"]+)"', hr.get(HERE).text)[0]
    for year in ("", "0", "10000", "99999", "\u0661\u0662", "2030", "-2025"):
        assert hr.send_form(HERE, entry_id=entry_id, year=year).status_code == 422, year


def test_every_confirmation_can_be_reached_the_latest_first(hr, acme, container):
    holder_id, *_ = worker(container, acme, "1", "ana@example.org")
    with container.work(SYSTEM) as work:
        for year in range(1950, 2001):
            row = EmploymentConfirmation(
                holder_id=holder_id,
                employer_id=acme.id,
                year=year,
                starts_on=date(year, 1, 1),
                ends_on=date(year, 12, 31),
                signed_by="Kim",
                recorded_at=work.now,
            )
            work.session.add(row)
            work.session.flush()
    page = hr.get(HERE).text
    assert "January 1, 2000" in page
    assert "January 1, 1950" not in page
    [earlier] = re.findall(rf'href="({HERE}\?before=[^"]+)"', page)
    page = hr.get(earlier).text
    assert "January 1, 1950" in page
    assert "January 1, 2000" not in page
    assert hr.get(f"{HERE}?before=x").status_code == 404


def test_a_permission_to_work_is_shown_to_the_holder_as_no_certification(app, container, acme, hr):
    _, certification_id, entry_id = worker(container, acme, "1", "ana@example.org")
    with container.work(SYSTEM) as work:
        row = {"cycle": 1, "submitted_on": date(2026, 11, 2), "recorded_at": work.now}
        work.session.add(Renewal(certification_id=certification_id, **row))
    by = Actor(role="employer", name="Kim", organization_id=acme.id)
    with container.work(by) as work:
        ends_on = date(2026, 12, 31)
        work_permissions.give(work, acme.id, entry_id, words="May run line 4.", ends_on=ends_on)
    ana = Browser(app)
    ana.sign_in("ana@example.org")
    page = content(ana.get(MINE))
    assert "December 31, 2026, while your renewal is decided: May run line 4." in page
    assert "It is no certification" in page
    assert hr.get(HERE).status_code == 200


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pages_speak_every_language(hr, ana, language):
    page = hr.get(HERE, headers={"Accept-Language": language})
    assert page.headers["Content-Language"] == language
    for text in (page, ana.get(MINE)):
        assert not re.findall(r"\{[a-z_]*\}", content(text))


def test_more_workers_cost_no_more_statements(hr, acme, container, ana):
    costs = []
    assert ana.get(MINE).status_code == 200
    for number in "23":
        with counted(container) as ran:
            assert hr.get(HERE).status_code == 200
        costs.append(len(ran))
        worker(container, acme, number, f"w{number}@example.org")
    assert costs[0] == costs[1]
