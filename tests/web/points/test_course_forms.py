"""web/points/course_forms.py: a course is proposed, amended, withdrawn; staff approve it."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from tests.browsers import content
from tracker.domain.permissions import SYSTEM
from tracker.language.catalogues import LANGUAGES
from tracker.models import Course
from tracker.services.points import providers

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
NEW = "/provider/courses/new"
SAID = {"title": "Robot safety", "type": "cpt/third_party", "quantity": "16", "code": "RS-1"}


@pytest.fixture
def provider_id(container):
    with container.work(SYSTEM) as work:
        return providers.DIRECTORY.enter(work, name="Ivy Tech").id


@pytest.fixture
def kim(enter, provider_id):
    """Somebody who manages the provider."""
    return enter("provider", provider_id=provider_id, access="manage")


def states(container):
    with container.reading(SYSTEM) as reading:
        rows = reading.rows(select(Course.title, Course.state, Course.quantity))
        return [(row.title, str(row.state), str(row.quantity)) for row in rows]


def test_a_course_is_proposed_and_staff_approve_it_with_its_points(enter, kim, container):
    assert f'href="{NEW}"' in content(kim.get("/provider"))
    wrong = kim.send_form(NEW, **SAID | {"quantity": "many", "type": "cpt/job"})
    assert wrong.status_code == 422
    page = content(wrong)
    assert '<a href="#quantity">' in page
    assert 'value="RS-1"' in page
    assert content(kim.send_form(NEW, **SAID | {"type": "cpt/nothing"})).count("#type") == 1
    made = kim.send_form(NEW, **SAID)
    page = content(kim.get(made.location))
    assert "Proposed" in page
    again = kim.send_form(NEW, **SAID)
    assert '<a href="#code">Enter a code' in content(again)

    sam = enter("staff", email="sam@x.org")
    listed = content(sam.get("/desk/centers/courses"))
    assert re.search(r"Brings at most [1-9]\d* points a time", listed)
    days = {"from": ("2026", "1", "1"), "until": ("2026", "12", "31")}
    period = {
        f"approved_{name}_{part}": value
        for name, day in days.items()
        for part, value in zip(("year", "month", "day"), day, strict=True)
    }
    course = made.location.rpartition("/")[2]
    answer = {"verdict": "approved", "version": "1", **period}
    assert sam.send_form(f"/desk/centers/courses/{course}", **answer).status_code == 303
    assert states(container) == [("Robot safety", "approved", "16.00")]


def test_a_change_must_be_approved_again_and_a_withdrawal_is_kept(kim, container):
    course = kim.send_form(NEW, **SAID).location
    assert f'href="{course}/edit"' in content(kim.get(course))
    page = content(kim.get(f"{course}/edit"))
    assert 'value="Robot safety"' in page
    assert 'value="cpt/third_party" selected' in page
    change = SAID | {"title": "Robot safety 2", "version": "1"}
    assert '<a href="#reason">' in content(kim.send_form(f"{course}/edit", **change))
    assert kim.send_form(f"{course}/edit", **change, reason="New edition").location == course
    assert states(container) == [("Robot safety 2", "proposed", "16.00")]
    stale = kim.send_form(f"{course}/edit", **change, reason="x")
    assert stale.status_code == 422
    assert kim.send_form(f"{course}/withdraw", reason="Over", version="2").location == course
    assert states(container)[0][1] == "withdrawn"
    assert "/withdraw" not in content(kim.get(f"{course}/edit"))


def test_only_those_who_manage_and_only_their_own(enter, kim, provider_id, container):
    course = kim.send_form(NEW, **SAID).location
    with container.work(SYSTEM) as work:
        other = providers.DIRECTORY.enter(work, name="Other").id
    vi = enter("provider", provider_id=provider_id, access="view", email="vi@example.org")
    pat = enter("provider", provider_id=other, access="manage", email="pat@example.org")
    for who in (vi, pat):
        assert who.get(f"{course}/edit").status_code == 404
        for path in ("edit", "withdraw"):
            answer = who.send_form(f"{course}/{path}", **SAID, reason="x", version="1")
            assert answer.status_code == 404
    assert vi.get(NEW).status_code == vi.send_form(NEW, **SAID).status_code == 404
    assert "/courses/new" not in content(vi.get("/provider"))
    assert states(container) == [("Robot safety", "proposed", "16.00")]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pages_speak_every_language(kim, language):
    course = kim.send_form(NEW, **SAID).location
    for path in (NEW, f"{course}/edit"):
        page = kim.get(path, headers={"Accept-Language": language})
        assert page.headers["Content-Language"] == language
        assert not re.findall(r"\{[a-z_]*\}", content(page))
