"""The role reviewer: works the queue and decides activities, and does nothing else."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from tests import factories
from tests.api.conftest import Caller
from tests.browsers import Browser
from tests.members import member
from tracker.domain.permissions import SYSTEM
from tracker.models import Account

COURSE = {
    "category": "CE",
    "type": "third_party",
    "title": "Course",
    "quantity": "5",
    "completed_on": "2026-01-05",
}


@pytest.fixture
def ids(container):
    return factories.certified(container, date(2021, 12, 25), email="ana@x.org")


@pytest.fixture
def waiting(caller, ids):
    """An activity that waits for an answer."""
    ana = caller("holder", holder_id=ids[0])
    made = ana.post(f"/certifications/{ids[1]}/activities", COURSE).json["id"]
    return ana.post(f"/activities/{made}/submission").json["id"]


def test_a_reviewer_sees_the_queue_and_decides(caller, waiting, ids):
    rae = caller("reviewer")
    assert [one["id"] for one in rae.get("/queue").json["items"]] == [waiting]
    assert rae.get(f"/queue/{waiting}").status_code == 200
    assert rae.get(f"/certifications/{ids[1]}/evaluation").status_code == 200
    answer = {"verdict": "approved"}

    done = rae.post(f"/activities/{waiting}/decision", answer, version='"2"')

    assert (done.status_code, done.json["state"]) == (200, "approved")
    assert rae.get("/holders").status_code == 403
    assert rae.post(f"/certifications/{ids[1]}/suspension", {}).status_code == 403


def test_a_reviewer_who_is_the_holder_does_not_decide(caller, waiting, ids):
    own = caller("reviewer", holder_id=ids[0])

    answer = own.post(f"/activities/{waiting}/decision", {"verdict": "approved"}, version='"2"')

    assert (answer.status_code, answer.json["code"]) == (403, "self_review")


def test_an_account_of_a_reviewer_names_the_own_record_and_makes_tokens(app, container, ids):
    rae = member(container, "reviewer", email="ana@x.org")
    rae.set_up()
    browser = Browser(app)
    rae.sign_in(browser)
    with container.reading(SYSTEM) as reading:
        named = reading.row(select(Account.own_record_id).where(Account.id == rae.id))
    assert named.own_record_id == ids[0]
    headers = {"X-CSRF-Token": browser.get("/api/v1/me").json["csrf_token"]}
    made = browser.open("POST", "/api/v1/tokens", json={}, headers=headers).json

    token = Caller(app.test_client(), made["secret"])
    assert [one["id"] for one in token.get("/tokens").json["items"]] == [made["id"]]
    for path in ("/account/people", "/account/recoveries", "/account/approvals"):
        assert browser.get(path).status_code == 404
    assert "reviewer" in browser.get("/account").text


def test_administrators_invite_reviewers_and_staff_do_not(caller, staff):
    body = {"role": "reviewer", "name": "Rae", "email": "rae@x.org"}

    assert staff.post("/invitations", body).status_code == 403
    assert caller("admin").post("/invitations", body).status_code == 201
