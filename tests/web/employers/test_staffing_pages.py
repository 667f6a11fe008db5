"""web/employers/staffing.py: how many each place needs, and when it has too few."""

from __future__ import annotations

import re
from datetime import date

import pytest

from tests.browsers import content
from tracker.language.catalogues import LANGUAGES

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
HERE = "/employer/staffing"


@pytest.fixture
def job(acme, hr):
    acme.hire("1", awarded_on=date(2022, 5, 14), department="Line 3")
    acme.hire("2", awarded_on=None, department="Line 3")
    acme.hire("3", shared=False, department="Line 3")
    hr.send_form("/employer/requirements", name="CPT", kind="role", need_1_1="scheme:cpt")
    return re.findall(r"requirement=([0-9a-f-]+)", hr.get("/employer/requirements").text)[0]


def test_a_minimum_is_set_shown_and_ended_by_those_who_manage(hr, viewer, job):
    assert "No minimum is set yet." in hr.get(HERE).text
    form = {"requirement_id": job, "least": "1", "department": "Line 3"}
    assert viewer.send_form(HERE, **form).status_code == 404
    assert hr.send_form(HERE, **form).location == HERE
    page, seen = content(hr.get(HERE)), content(viewer.get(HERE))

    assert "CPT, Line 3: 0 of 1 from May 15, 2027" in page
    assert "Without any one of these there would be too few: 1" in page
    assert re.search(r"<li>2\. No: no certification", page)
    assert "1 worker does not share" in page
    assert "0 of 1 from May 15, 2027" in seen
    assert "<form" not in seen
    (end,) = re.findall(r'action="([^"]+/end)"', page)
    assert viewer.send_form(end).status_code == 404
    assert hr.send_form(end).location == HERE
    assert "No minimum is set yet." in hr.get(HERE).text


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"least": "0"}, "least"),
        ({"least": "x"}, "least"),
        ({"requirement_id": "x"}, "requirement_id"),
    ],
)
def test_what_is_wrong_is_said(hr, job, changes, field):
    refused = hr.send_form(HERE, **({"requirement_id": job, "least": "2"} | changes))

    assert refused.status_code == 422
    assert f'href="#{field}"' in refused.text


def test_a_second_minimum_of_a_place_is_refused_in_words(hr, job):
    form = {"requirement_id": job, "least": "1"}
    hr.send_form(HERE, **form)

    assert "This place has a minimum" in hr.send_form(HERE, **form).text


def test_before_anything_is_required_the_page_says_where_to_begin(hr):
    assert "First say what a job requires." in hr.get(HERE).text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_speaks_every_language(hr, job, language):
    hr.send_form(HERE, requirement_id=job, least="5")
    page = hr.get(HERE, headers={"Accept-Language": language})

    assert page.headers["Content-Language"] == language
    assert not re.findall(r"\{[a-z_]*\}", content(page))
