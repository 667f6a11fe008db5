"""web/points/courses.py: a provider's courses, attendance lists and codes."""

from __future__ import annotations

import io
import re

import pytest

from tests.browsers import content
from tests.rows import count
from tests.services.points import attendance_cases
from tests.services.points.attendance_cases import HELD_ON
from tests.statements import counted
from tracker.domain.permissions import SYSTEM
from tracker.language.catalogues import LANGUAGES
from tracker.models import Attendance
from tracker.services.points import attendance_codes, courses

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
HERE = "/provider"


@pytest.fixture
def course(container):
    """An approved course, Robot safety."""
    return attendance_cases.course(container)


@pytest.fixture
def provider_id(container, course):
    with container.reading(SYSTEM) as reading:
        return courses.get(reading, course).provider_id


@pytest.fixture
def kim(enter, provider_id):
    """Somebody who manages the provider."""
    return enter("provider", provider_id=provider_id, access="manage")


def send(who, text, **more):
    token = re.findall(r'name="csrf_token" value="([^"]+)"', who.get("/account").text)[0]
    form = {"file": (io.BytesIO(text.encode()), "list.csv"), "csrf_token": token, **more}
    return who.post(HERE, form, content_type="multipart/form-data")


def made(who, path, **form):
    return who.send_form(f"{path}/codes", **{"held_on": "2026-11-21", "lasts": "1"} | form)


def test_a_code_is_made_shown_once_and_withdrawn(kim, course, container):
    here = f"{HERE}/courses/{course}"
    assert f'href="{here}"' in kim.get(HERE).text
    shown = made(kim, here, most="20")
    code = re.findall(r"<p>([0-9A-Z]{10})</p>", shown.text)[0]
    page = content(kim.get(here))

    assert "Class of November 21, 2026" in page
    assert "0 of 20 used, until November 22, 2026, 23:59 EST" in page
    assert code not in page
    with container.reading(SYSTEM) as reading:
        (row,) = attendance_codes.page(reading, course, after=None, limit=None)
    assert kim.send_form(f"{HERE}/codes/{row.id}/withdraw").location == here
    page = content(kim.get(here))
    assert "0 of 20 used, withdrawn" in page
    assert "Withdraw the code" not in page


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"most": "0"}, "most"),
        ({"most": "twenty"}, "most"),
        ({"most": "9" * 5000}, "most"),
        ({"most": "5", "held_on": "soon"}, "held_on"),
        ({"most": "5", "held_on": "2026-11-02"}, "ends_at"),
        ({"most": "5", "held_on": "2031-01-02"}, "held_on"),
    ],
)
def test_what_is_wrong_with_a_code_is_said_beside_the_field(kim, course, form, field):
    page = made(kim, f"{HERE}/courses/{course}", **form)

    assert page.status_code == 422
    assert f'id="{field}-wrong"' in page.text
    assert f'href="#{field}"' in page.text
    assert f'value="{form["most"]}"' in page.text


def test_an_attendance_list_is_checked_and_stored(kim, container, course):
    with container.reading(SYSTEM) as reading:
        code = courses.get(reading, course).code
    text = f"course,held_on,quantity,name,email\n{code},{HELD_ON},8,Ana Ruiz,ana@example.org\n"
    preview = send(kim, text)
    assert preview.status_code == 200, content(preview)
    assert "<strong>1 row is new</strong>" in preview.text
    assert count(container, Attendance) == 0
    fingerprint = re.findall(r'name="fingerprint" value="(\w+)"', preview.text)[0]
    done = send(kim, text, fingerprint=fingerprint)
    assert done.location == f"{HERE}?done=stored-1-0-0"
    assert "1 row is new, 0 rows change what is on record" in kim.get(done.location).text
    assert count(container, Attendance) == 1
    wrong = send(kim, text.replace(code, "no-such"))
    assert wrong.status_code == 422
    assert "<td>no-such</td>" in wrong.text


def test_who_may_view_changes_nothing_and_others_find_nothing(
    enter, provider_id, course, kim, container
):
    here = f"{HERE}/courses/{course}"
    made(kim, here, most="5")
    with container.reading(SYSTEM) as reading:
        (row,) = attendance_codes.page(reading, course, after=None, limit=None)
    ann = enter("provider", provider_id=provider_id, access="view", email="ann@example.org")
    assert "<form" not in content(ann.get(HERE))
    assert "<form" not in content(ann.get(here))
    other = attendance_cases.course(container, provider="Other")
    with container.reading(SYSTEM) as reading:
        stranger_id = courses.get(reading, other).provider_id
    bo = enter("provider", provider_id=stranger_id, access="manage", email="bo@example.org")
    for who in (ann, bo):
        assert made(who, here, most="5").status_code == 404
        assert who.send_form(f"{HERE}/codes/{row.id}/withdraw").status_code == 404
    assert bo.get(here).status_code == 404
    assert send(ann, "course,held_on\n").status_code == 404
    assert enter("staff").get(HERE).status_code == 404


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pages_speak_every_language_at_a_constant_cost(kim, course, container, language):
    here = f"{HERE}/courses/{course}"
    costs = []
    for _ in range(2):
        with counted(container) as sent:
            for path in (HERE, here):
                page = kim.get(path, headers={"Accept-Language": language})
                assert page.headers["Content-Language"] == language
                assert not re.findall(r"\{[a-z_]*\}", content(page))
        costs.append(len(sent))
        for _ in range(3):
            made(kim, here, most="5")

    assert costs[0] == costs[1]
