"""Candidates: modules, pathways, credentials from elsewhere, the code of a class."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest

from tests import factories, statements
from tests.browsers import content
from tests.rows import count
from tests.services.points import attendance_cases
from tracker.domain.permissions import SYSTEM
from tracker.models import Activity, OtherCredential
from tracker.services.points import attendance_codes

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
OSHA = {
    "credential": "osha_10/",
    "number": "77",
    "issued_on_month": "1",
    "issued_on_day": "5",
    "issued_on_year": "2026",
}


@pytest.fixture
def me(browser, container):
    """The browser of Kim, who has passed one module."""
    with container.work(SYSTEM) as work:
        holder_id = factories.holder(work, email="kim@example.org")
        factories.passed(work, holder_id, date(2026, 5, 12), modules=("maintenance",))
    found = browser()
    found.sign_in("kim@example.org")
    return found


def test_a_candidate_sees_what_is_missing_and_follows_a_pathway(me):
    home = content(me.get("/account"))
    assert "1 of 4 required modules passed" in home
    assert "Passed on May 12, 2026." in home
    page = content(me.get("/account/progress"))
    assert "Safety<br>Not passed yet." in page
    assert me.send_form("/account/progress/pathways", pathway="career_changer").status_code == 303
    for path in ("/account", "/account/progress"):
        page = content(me.get(path))
        assert "Apply for WIOA funding at an American Job Center" in page, path
    assert "usually $270.00 to $360.00 · usually paid by WIOA · not verified" in page
    assert "Done on May 12, 2026." in page
    (leave,) = re.findall(r'action="([^"]+/leave)"', page)
    assert me.send_form(leave).status_code == 303
    assert "Next step" not in content(me.get("/account/progress"))
    assert me.send_form("/account/progress/pathways", pathway="nothing").status_code == 422
    me.send_form("/language", language="es", back="/account")
    assert "1 de 4 módulos obligatorios aprobados" in content(me.get("/account/progress"))


def test_a_credential_is_added_once_kept_when_refused_and_removed(me, container):
    here = "/account/credentials"
    assert "You haven&#39;t added any yet." in content(me.get(here))
    wrong = me.send_form(here, **OSHA | {"issued_on_month": "13", "credential": "smscp/9"})
    text = content(wrong)
    assert wrong.status_code == 422
    assert re.findall(r'<li><a href="#(\w+)">', text) == ["issued_on"]
    assert 'value="77"' in text
    assert me.send_form(here, **OSHA).location == here
    page = content(me.get(here))
    assert "OSHA · 77 · issued January 5, 2026 · not checked yet" in page
    assert "on your list already" in content(me.send_form(here, **OSHA, once="again"))
    (remove,) = re.findall(r'action="([^"]+/remove)"', page)
    assert me.send_form(remove).location == here
    assert "OSHA · 77" not in content(me.get(here))
    assert count(container, OtherCredential) == 1, "it stays in the history"


def test_a_holder_turns_it_into_an_activity_in_one_step(browser, container):
    factories.certified(container, date(2021, 12, 25), email="ana@example.org")
    me = browser()
    me.sign_in("ana@example.org")
    me.send_form("/account/credentials", **OSHA)
    page = content(me.get("/account/credentials"))
    (act,) = re.findall(r'action="([^"]+/activity)"', page)
    (held,) = re.findall(r'name="certification_id" value="([^"]+)"', page)
    assert me.send_form(act, certification_id="x").status_code == 404
    draft = me.send_form(act, certification_id=held).location

    assert "OSHA 10-hour General Industry" in content(me.get(draft))
    assert f'href="{draft}"' in content(me.get("/account/credentials"))
    numbers = []
    for more in (1, 4):
        for n in range(more):
            me.send_form("/account/credentials", **OSHA | {"number": f"{more}-{n}"})
        with statements.counted(container) as told:
            me.get("/account/credentials")
        numbers.append(len(told))
    assert numbers[0] == numbers[1]


def test_the_code_of_a_class_becomes_an_activity_and_a_wrong_one_is_said_to_be(browser, container):
    factories.certified(container, date(2021, 12, 25), email="ana@example.org")
    course_id = attendance_cases.course(container)
    with container.work(SYSTEM) as work:
        day, ends_at = date(2026, 11, 20), work.now + timedelta(hours=1)
        _, code = attendance_codes.make(work, course_id, held_on=day, most=5, ends_at=ends_at)
    me = browser()
    me.sign_in("ana@example.org")
    wrong = me.send_form("/account/attendance", code="nothing")
    assert wrong.status_code == 422
    assert 'value="nothing"' in content(wrong)
    assert me.send_form("/account/attendance", code="").status_code == 422
    done = content(me.send_form("/account/attendance", code=code.lower()))
    assert "Your attendance is on record." in done
    (activity,) = re.findall(r'role="button" href="(/account/activities/[^"]+)"', done)
    assert me.get(activity).status_code == 200
    assert count(container, Activity) == 1
