"""Nobody who works for the body decides on their own record, by session, token or another name.

The account names the record (services/people/own_records.py); whether two people are two is asked
by their ids (services/core/identities.py).
"""

from __future__ import annotations

import io
from datetime import date

import pytest
from sqlalchemy import select

from tests import factories
from tests.api.conftest import Caller
from tests.browsers import Browser
from tests.members import member
from tracker.domain.permissions import SYSTEM
from tracker.models import Account, HistoryEntry, Holder
from tracker.services.people import accounts, own_records

WHY = {"reason_code": "conduct", "reason": "x", "effective_on": "2026-11-20"}
SELF = (403, "self_review")


class Session:
    """Somebody who signed in, in a program of ours."""

    def __init__(self, app, who):
        self.browser = Browser(app)
        who.sign_in(self.browser)
        self.headers = {"X-CSRF-Token": self.browser.get("/api/v1/me").json["csrf_token"]}

    def post(self, path, body=None, *, method="POST", version=None):
        headers = self.headers | ({"If-Match": version} if version else {})
        return self.browser.open(method, f"/api/v1{path}", json=body, headers=headers)


@pytest.fixture
def ids(container):
    return factories.certified(container, date(2021, 12, 25), email="ana@x.org")


def named(container, account_id):
    with container.reading(SYSTEM) as reading:
        row = reading.row(select(Account.own_record_id).where(Account.id == account_id))
    return row.own_record_id


def with_app(container, role="staff", **values):
    found = member(container, role, **values)
    found.set_up()
    return found


def refused(answer):
    return answer.status_code, answer.json["code"]


@pytest.mark.parametrize("role", ["staff", "admin"])
def test_whoever_has_a_holders_address_does_not_decide_on_that_record(app, container, ids, role):
    ana = with_app(container, role, email="Ana@X.org")
    session = Session(app, ana)
    token = Caller(app.test_client(), session.post("/tokens", {}).json["secret"])
    further = Caller(app.test_client(), token.post("/tokens", {}).json["secret"])

    assert named(container, ana.id) == ids[0]
    for who in (session, token, further):
        assert refused(who.post(f"/certifications/{ids[1]}/suspension", WHY)) == SELF


def test_a_record_that_gets_the_address_later_is_found_by_every_door(app, container, staff):
    sam = with_app(container, email="sam@x.org")
    session = Session(app, sam)
    token = Caller(app.test_client(), session.post("/tokens", {}).json["secret"])
    holder_id, certification_id = factories.certified(container, date(2021, 12, 25))
    assert named(container, sam.id) is None
    path = f"/holders/{holder_id}"
    assert staff.patch(path, {"second_email": "SAM@x.org"}, version='"1"').status_code == 200

    assert named(container, sam.id) == holder_id
    for who in (session, token):
        assert refused(who.post(f"/certifications/{certification_id}/suspension", WHY)) == SELF
    one = {"given_name": "K", "family_name": "L", "email": "kim@x.org"}
    kim, lee = (member(container, "staff", email=f"{name}@x.org") for name in ("kim", "lee"))
    assert named(container, kim.id) is None
    made = staff.post("/holders", one).json["id"]
    line = b"holder_ref,given_name,family_name,email\n1,L,L,lee@x.org\n"
    form = {"kind": "holders", "file": (io.BytesIO(line), "f.csv")}
    assert staff.call("POST", "/imports", data=form).status_code == 201
    assert named(container, kim.id) == made
    with container.reading(SYSTEM) as reading:
        imported = reading.row(select(Holder.id).where(Holder.ref == "1")).id
    assert named(container, lee.id) == imported


def test_an_address_that_is_not_confirmed_or_not_one_persons_names_nobody(container, employer_id):
    with container.work(SYSTEM) as work:
        for _ in range(2):
            factories.holder(work, email="both@x.org")
        unsure = work.session.get_one(Holder, factories.holder(work, email="un@x.org"))
        unsure.email_confirmed = False
    both = member(container, "staff", email="both@x.org")
    none = member(container, "staff", email="un@x.org")
    assert (named(container, both.id), named(container, none.id)) == (None, None)
    with container.work(SYSTEM) as work:
        factories.holder(work, email="e@x.org")
        id_ = accounts.open_account(
            work, role="employer", name="Hal", email="e@x.org", organization_id=employer_id
        )
        own_records.look_for(work)
    assert named(container, id_) is None


def test_an_administrator_names_the_record_of_a_colleague_and_nobody_their_own(
    app, container, ids, staff
):
    boss = Session(app, with_app(container, "admin", email="boss@x.org"))
    kim_ = with_app(container, "admin", email="kim@x.org")
    kim, body = Session(app, kim_), {"holder_id": ids[0], "reason": "Told us."}
    path = f"/accounts/{kim_.id}/own-record"
    assert refused(kim.post(path, body, method="PUT")) == SELF
    by_token = Caller(app.test_client(), kim.post("/tokens", {"name": "Bob"}).json["secret"])
    assert refused(by_token.call("PUT", path, json=body)) == SELF
    assert staff.call("PUT", path, json=body).status_code == 403
    assert kim.post(f"/certifications/{ids[1]}/suspension", WHY).status_code == 201

    done = boss.post(path, body, method="PUT")

    assert (done.status_code, done.json["holder_id"]) == (200, ids[0])
    for who in (kim, by_token):
        assert refused(who.post(f"/certifications/{ids[1]}/reinstatement", WHY)) == SELF
    assert boss.post(path, body | {"holder_id": None}, method="PUT").json["holder_id"] is None
    wrong = boss.post(path, body | {"holder_id": kim_.id}, method="PUT")
    assert (wrong.status_code, wrong.json["errors"][0]["field"]) == (422, "holder_id")
    with container.reading(SYSTEM) as reading:
        lines = select(HistoryEntry.detail).where(HistoryEntry.action == "name_own_record")
        found = [row.detail for row in reading.rows(lines.order_by(HistoryEntry.id))]
    assert found == [{"holder": ids[0], "reason": "Told us."}, {"reason": "Told us."}]


def test_only_accounts_of_the_body_name_a_record(app, container, ids, employer_id):
    boss = Session(app, with_app(container, "admin", email="boss@x.org"))
    hal = member(container, "employer", email="hal@x.org", employer_id=employer_id)
    body = {"holder_id": ids[0], "reason": "x"}

    assert boss.post(f"/accounts/{hal.id}/own-record", body, method="PUT").status_code == 403


def test_whoever_suspended_is_the_same_person_after_a_record_was_named(app, container, ids, staff):
    """Whichever of the two ids the decision bears."""
    sam_ = with_app(container, email="sam@x.org")
    sam = Session(app, sam_)
    suspended = sam.post(f"/certifications/{ids[1]}/suspension", WHY)
    assert suspended.status_code == 201
    with container.work(SYSTEM) as work:
        own = factories.holder(work, email="sam@x.org")
        own_records.look_for(work)
    assert named(container, sam_.id) == own
    holder = Caller(app.test_client(), factories.secret(container, "holder", holder_id=ids[0]))
    appeal = holder.post(f"/certifications/{ids[1]}/appeals", {"statement": "x"}).json["id"]
    decided = {"outcome": "dismissed", "reason": "x"}

    other = Caller(app.test_client(), factories.secret(container, "staff", holder_id=own))
    for who in (sam, other):
        answer = who.post(f"/appeals/{appeal}/decision", decided, version='"1"')
        assert refused(answer) == (403, "not_allowed")
    assert staff.post(f"/appeals/{appeal}/decision", decided, version='"1"').status_code == 200
