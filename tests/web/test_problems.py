"""Reporting a problem with a public page, and what staff see of it (web/problems.py)."""

from __future__ import annotations

import re

import pytest

from tests.browsers import Browser
from tests.members import member
from tests.rows import count
from tracker.models import ProblemReport

SENT = {"about": "/verify/abcdefghijklmnop", "statement": "The name is\nmisspelled. <b>"}


def test_anybody_reports_a_problem_and_staff_close_it(app, container):
    me = Browser(app)
    page = me.get("/problem?about=/verify/abcdefghijklmnop")
    assert 'name="about" value="/verify/abcdefghijklmnop"' in page.text
    assert "Thank you" in me.post("/problem", SENT).text
    sam = member(container, "staff")
    sam.set_up()
    desk = Browser(app)
    sam.sign_in(desk)
    listed = desk.get("/account/problems").text
    assert "The name is misspelled." in listed
    assert "<b>" not in listed
    (close,) = re.findall(r'action="([^"]+/close)"', listed)
    assert desk.send_form(close).status_code == 303
    assert desk.send_form(close).status_code == 404
    assert "misspelled" not in desk.get("/account/problems").text
    assert count(container, ProblemReport) == 1


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("form", "status", "kept"),
    [
        ({"statement": "", "about": "/verify"}, 422, 0),
        ({"statement": "x" * 2001, "about": "/verify"}, 422, 0),
        ({"statement": "x", "about": "//evil.example"}, 200, 1),
    ],
)
def test_what_says_nothing_is_refused_and_no_other_site_is_named(
    app, container, form, status, kept
):
    page = Browser(app).post("/problem", form)

    assert page.status_code == status
    assert "evil" not in page.text
    assert count(container, ProblemReport) == kept


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_a_caller_sends_a_few_in_an_hour_and_another_site_none(app, container):
    me = Browser(app)
    told = [me.post("/problem", SENT).status_code for _ in range(6)]
    assert told == [200] * 5 + [429]
    assert Browser(app, address="10.0.0.9").post("/problem", SENT).status_code == 200
    foreign = {"headers": {"Origin": "https://evil.example"}}
    assert Browser(app, address="10.0.0.8").post("/problem", SENT, **foreign).status_code == 422
    assert count(container, ProblemReport) == 6
