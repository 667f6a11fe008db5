"""web/employers/workers.py and consent_requests.py: one worker, asking, the end of employment."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from tests import factories
from tests.api.employers import employer_cases
from tests.browsers import Browser, content
from tests.statements import counted
from tracker.domain.permissions import SYSTEM
from tracker.language.catalogues import LANGUAGES
from tracker.models import EmployerLook, Message, RosterEntry
from tracker.services.employers import roster

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
WORKERS = "/employer/workers"
CONSENTS = "/employer/consents"


@pytest.fixture
def shares(acme):
    """The page of a worker who shares dates and points."""
    acme.hire("1", awarded_on=date(2022, 2, 1), site="Plant 2", with_modules=True)
    return f"{WORKERS}/{acme.entries['1']}"


@pytest.fixture
def listed(acme, container):
    """The page of Ana, who is listed by her address and asked today."""
    with container.work(SYSTEM) as work:
        factories.holder(work, email="ana@example.org")
        entry = roster.add(work, acme.id, employee_id="7", email="ana@example.org")
    return f"{WORKERS}/{entry.id}"


@pytest.fixture
def later(enter, acme):
    """Sign in again, once the first session is over."""
    return lambda: enter(
        "employer", employer_id=acme.id, access="manage", email="again@example.org"
    )


def test_a_worker_who_shares_is_shown_with_totals_and_without_contact(hr, shares, container):
    page = content(hr.get(shares))

    assert '<div class="valid"><p class="figure"><strong>Valid, renewal window open' in page
    assert "February 1, 2027 (72 days left)" in page
    assert "0 of 100 points" in page
    assert "its dates, the points as totals, the modules passed" in page
    assert "Checked November 21, 2026, 12:00 EST." in page
    assert "Quality" in page
    assert "@" not in page
    with container.reading(SYSTEM) as reading:
        (look,) = reading.rows(select(EmployerLook.kind, EmployerLook.workers))
    assert tuple(look) == ("worker", 1)


def test_one_who_does_not_share_is_a_reason_and_a_way_on(hr, later, listed, clock):
    page = content(hr.get(listed))

    assert "We asked on November 21, 2026 and have no answer yet." in page
    assert "says nothing about whether they are certified" in page
    assert "You can ask again from December 5, 2026." in page
    assert "You listed them by: email address." in page
    assert "ana@example.org" not in page
    assert "Ana" not in page
    ana = Browser(hr.app)
    ana.sign_in("ana@example.org")
    ana.send_form(f"/account/sharing/requests/{listed.rpartition('/')[2]}/decline")
    page = content(hr.get(listed))

    assert "This person declined on November 21, 2026." in page
    assert "You can ask again from February 19, 2027." in page
    clock.now += timedelta(days=90)
    assert 'name="purpose"' in content(later().get(listed))


def test_asking_says_for_what_and_why_and_is_noted(hr, later, listed, container, clock):
    assert hr.send_form(f"{listed}/ask", purpose="training").location == f"{listed}?done=not_asked"
    clock.now += timedelta(days=14)
    hr = later()
    assert 'name="purpose"' in hr.get(listed).text
    refused = hr.send_form(f"{listed}/ask", purpose="curiosity", fields="modules")
    assert refused.status_code == 422
    assert "Choose what you need it for." in refused.text
    assert 'value="modules" checked' in refused.text
    assert "<title>Error: " in refused.text
    done = hr.send_form(f"{listed}/ask", purpose="training", fields="modules")
    assert done.location == f"{listed}?done=asked"
    assert "Your request is on its way." in hr.get(done.location).text
    with container.reading(SYSTEM) as reading:
        columns = RosterEntry.purpose, RosterEntry.asks_modules, RosterEntry.asks_points
        assert tuple(reading.row(select(*columns))) == ("training", True, False)


def test_the_end_of_employment_is_shown_first_and_then_ends_access_and_tells_the_worker(
    hr, shares, acme, container
):
    question = content(hr.get(f"{shares}/end"))
    assert "End the employment of Ana" in question
    assert "We tell them that you took them off your list." in question
    assert "The employment has ended" not in hr.get("/employer").text
    with container.reading(SYSTEM) as reading:
        before = len(reading.rows(select(Message.id)))
    done = hr.send_form(f"{shares}/end")

    assert done.location == "/employer?done=ended"
    assert "The employment has ended." in hr.get(done.location).text
    assert hr.get(shares).status_code == 404
    assert hr.send_form(f"{shares}/end").status_code == 404
    with container.reading(SYSTEM) as reading:
        assert len(reading.rows(select(Message.id))) == before + 1
        ended = reading.row(select(RosterEntry.ended_on).where(RosterEntry.employer_id == acme.id))
    assert ended.ended_on == date(2026, 11, 21)


def test_whoever_may_only_view_changes_nothing(viewer, shares, listed):
    page = content(viewer.get(shares))

    assert "72 days left" in page
    assert "<form" not in page
    assert f"{shares}/end" not in page
    assert viewer.get(f"{shares}/end").status_code == 404
    assert viewer.get(CONSENTS).status_code == 404
    for path in (f"{shares}/end", f"{listed}/ask", CONSENTS):
        assert viewer.send_form(path, purpose="training").status_code == 404
    assert viewer.get(shares).status_code == 200


def test_another_employers_worker_is_like_none(enter, shares, container):
    globex = employer_cases.company(container, "Globex")
    other = enter("employer", employer_id=globex.id, access="manage", email="g@example.org")
    for path in (shares, f"{shares}/end", f"{WORKERS}/00000000-0000-7000-8000-000000000000"):
        assert other.get(path).status_code == 404
    assert other.send_form(f"{shares}/end").status_code == 404


@pytest.mark.usefixtures("listed")
def test_many_are_counted_by_reason_and_asked_as_far_as_they_may_be(hr, acme):
    acme.hire("2", shared=False)
    acme.hire("3", given_email="cy@example.org")
    acme.hire("4", shared=False, given_email="bo@example.org")
    page = content(hr.get(CONSENTS))

    for told in (
        "1 can be asked now",
        "1 already share this with you",
        "1 were asked in the last 14 days",
        "1 have no email or certificate number",
        ">Ask 1 worker</button>",
    ):
        assert told in page
    more = hr.send_form(CONSENTS, count="yes", fields="modules", purpose="training")
    assert "2 can be asked now" in more.text
    assert 'value="modules" checked' in more.text
    assert hr.get(f"{CONSENTS}?segment=x").location == "/employer?segment=x"
    unread = hr.send_form(f"{CONSENTS}?segment=x", purpose="training", fields="dates")
    assert unread.location == "/employer?segment=x"  # not everybody is asked instead
    done = hr.send_form(f"{CONSENTS}?segment=not_shared", purpose="training", fields="dates")
    assert done.location == "/employer?segment=not_shared&done=asked-1"
    assert "We have asked 1 worker for consent." in hr.get(done.location).text
    assert "Nobody can be asked right now." in hr.get(f"{CONSENTS}?segment=not_shared").text
    assert hr.send_form(CONSENTS, purpose="x").status_code == 422


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pages_speak_every_language(hr, shares, listed, language):
    for path in (shares, listed, f"{shares}/end", CONSENTS):
        page = hr.get(path, headers={"Accept-Language": language})
        assert page.headers["Content-Language"] == language
        assert not re.findall(r"\{[a-z_]*\}", content(page))


def test_counting_many_costs_as_many_statements_as_counting_few(hr, acme, container):
    def cost():
        with counted(container) as sent:
            assert hr.get(CONSENTS).status_code == 200
        return len(sent)

    acme.hire("1", "2")
    before = cost()
    acme.hire(*(f"x{n}" for n in range(20)), shared=False, given_email="bo@example.org")

    assert cost() == before


def test_a_day_that_cannot_be_read_is_said_and_today_is_shown(hr, shares):
    page = content(hr.get(f"{shares}?as_of=x"))

    assert '<p role="alert">We couldn' in page
    assert "72 days left" in page
    assert 'role="alert"' not in content(hr.get(f"{shares}?as_of=2026-11-20"))
    assert 'role="alert"' not in content(hr.get(f"{shares}?done=asked"))
