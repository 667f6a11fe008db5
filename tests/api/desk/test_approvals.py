"""Two people revoke a certification (api/desk/approvals.py, services/desk, services/overview)."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import IntegrityError

from tests import factories
from tests.api.conftest import Caller
from tests.browsers import Browser
from tests.members import member
from tracker.db import new_id
from tracker.domain.permissions import SYSTEM, Actor
from tracker.models import (
    Account,
    ActApproval,
    HistoryEntry,
    Holder,
    Notice,
    StandingChange,
)
from tracker.services.overview import two_person_acts
from tracker.services.people import accounts

NOON = datetime(2026, 11, 21, 17, tzinfo=UTC)
WHY = {"reason_code": "conduct", "reason": "Exam code of conduct."}


@pytest.fixture
def ids(container):
    return factories.certified(container, date(2021, 12, 25))


@pytest.fixture
def sam(caller):
    return caller("staff", name="Sam")


@pytest.fixture
def lee(caller):
    return caller("staff", name="Lee")


def proposed(who, ids, **more):
    made = who.post(f"/certifications/{ids[1]}/revocation", WHY | more)
    assert made.status_code == 201, made.json
    return made.json


def status(who, ids):
    return who.get(f"/certifications/{ids[1]}").json["standing"]["status"]


def refused(answer):
    return answer.status_code, answer.json["code"]


def test_one_proposes_and_another_one_revokes(container, sam, lee, ids):
    made = proposed(sam, ids, barred_until="2027-11-21")
    assert (made["state"], made["act"], made["proposed_by"]) == ("open", "revoke", "Sam")
    assert made["preview"] == {
        "status": "revoked",
        "valid": False,
        "number": sam.get(f"/certifications/{ids[1]}").json["number"],
        "scheme": "cpt",
        "expires_on": made["preview"]["expires_on"],
        "on": "2026-11-21",
    }
    assert status(sam, ids) == "renewal_open"
    with container.reading(SYSTEM) as reading:
        for table in (StandingChange, Notice):
            wanted = table.kind.in_(("revoke", "revoked"))
            assert reading.row(select(func.count()).where(wanted))[0] == 0
    path = f"/approvals/{made['id']}"
    assert refused(sam.post(f"{path}/approval")) == (403, "same_person")

    done = lee.post(f"{path}/approval")

    assert (done.status_code, done.json["state"], done.json["decided_by"]) == (
        200,
        "approved",
        "Lee",
    )
    assert status(sam, ids) == "revoked"
    with container.reading(SYSTEM) as reading:
        change = reading.row(select(StandingChange.__table__))
        assert reading.row(select(Notice.kind).where(Notice.kind == "revoked")) is not None
        lines = select(HistoryEntry.action).where(HistoryEntry.subject == "approval")
        assert [row.action for row in reading.rows(lines)] == ["propose", "approve"]
    assert (change.id, str(change.barred_until)) == (done.json["outcome_id"], "2027-11-21")
    assert change.effective_on == date(2026, 11, 21)
    assert refused(lee.post(f"{path}/approval")) == (409, "illegal_transition")
    assert sam.get("/approvals?state=approved").json["items"] == [done.json]
    assert sam.get(path).json == done.json


def test_what_is_not_possible_is_not_proposed(sam, ids, staff):
    path = f"/certifications/{ids[1]}/revocation"
    assert sam.post(path, WHY | {"reason_code": "none"}).status_code == 422
    assert sam.post(f"/certifications/{new_id()}/revocation", WHY).status_code == 404
    proposed(sam, ids)
    assert refused(staff.post(path, WHY)) == (409, "already_recorded")


def test_two_tokens_of_one_person_are_one(app, sam, caller, ids):
    boss = caller("admin", name="Boss")
    secrets = [boss.post("/tokens", {"role": "staff", "name": n}).json["secret"] for n in "ab"]
    first, second = (Caller(app.test_client(), secret) for secret in secrets)
    path = f"/approvals/{proposed(first, ids)['id']}"

    for who in (second, boss, Caller(app.test_client(), first.post("/tokens", {}).json["secret"])):
        assert refused(who.post(f"{path}/approval")) == (403, "same_person")
    assert sam.post(f"{path}/approval").status_code == 200


def test_the_holder_is_no_second_person(caller, sam, ids):
    own = caller("staff", holder_id=ids[0])
    path = f"/approvals/{proposed(sam, ids)['id']}"

    assert refused(own.post(f"{path}/approval")) == (403, "self_review")
    assert refused(own.post(f"/certifications/{ids[1]}/revocation", WHY)) == (403, "self_review")


def test_a_proposal_is_declined_withdrawn_or_expires(sam, lee, ids, clock):
    first = f"/approvals/{proposed(sam, ids)['id']}"
    assert lee.post(f"{first}/withdrawal", {"reason": "x"}).status_code == 403
    assert sam.post(f"{first}/withdrawal", {"reason": "Mistaken."}).json["state"] == "withdrawn"
    second = f"/approvals/{proposed(sam, ids)['id']}"
    declined = lee.post(f"{second}/refusal", {"reason": "Too hard."}).json
    assert (declined["state"], declined["decision_reason"]) == ("declined", "Too hard.")
    assert refused(lee.post(f"{second}/approval")) == (409, "illegal_transition")
    third = f"/approvals/{proposed(sam, ids)['id']}"
    clock.advance(days=14)
    assert sam.get(third).json["state"] == "expired"
    assert sam.get("/approvals?state=open").json["items"] == []
    assert [one["state"] for one in sam.get("/approvals?state=expired").json["items"]] == [
        "expired"
    ]
    assert refused(lee.post(f"{third}/approval")) == (409, "illegal_transition")
    again = proposed(sam, ids)
    assert sam.get(f"/approvals?state=open&holder_id={ids[0]}").json["items"] == [again]
    assert status(sam, ids) == "renewal_open"


def test_of_ten_who_approve_at_once_one_does(container, sam, caller, ids):
    path = f"/approvals/{proposed(sam, ids)['id']}/approval"
    people = [caller("staff") for _ in range(10)]

    with ThreadPoolExecutor(10) as pool:
        found = sorted(one.status_code for one in pool.map(lambda who: who.post(path), people))

    assert found == [200] + [409] * 9
    with container.reading(SYSTEM) as reading:
        assert reading.row(select(func.count(StandingChange.id)))[0] == 1


def test_the_database_refuses_a_person_who_approves_their_own(container, ids):
    values = {
        "id": new_id(),
        "act": "revoke",
        "holder_id": ids[0],
        "subject_id": ids[1],
        "what": {},
        "preview": {},
        "reason": "x",
        "proposed_by": "x",
        "proposer_id": (me := new_id()),
        "proposer_ids": [],
        "state": "approved",
        "decider_id": me,
    }
    times = dict.fromkeys(("recorded_at", "expires_at", "closed_at"), container.clock())
    with pytest.raises(IntegrityError), container.work(SYSTEM) as work:
        work.execute(insert(ActApproval).values(values | times))


def test_who_signed_in_proves_first_who_they_are(app, container, sam, ids, clock):
    kim = member(container, "staff")
    kim.set_up()
    browser = Browser(app)
    kim.sign_in(browser)
    headers = {"X-CSRF-Token": browser.get("/api/v1/me").json["csrf_token"]}
    path = f"/api/v1/approvals/{proposed(sam, ids)['id']}/approval"
    clock.advance(minutes=11)

    late = browser.open("POST", path, headers=headers)

    assert refused(late) == (403, "reauthentication_required")


@pytest.mark.parametrize("change", [{"deactivated_at": NOON}, {"role": "reviewer"}])
def test_what_somebody_proposed_who_may_not_any_more_is_nobodys_word(container, ids, lee, change):
    with container.work(SYSTEM) as work:
        id_ = accounts.open_account(work, role="staff", name="Kim", email="kim@x.org")
    with container.work(Actor(role="staff", name="Kim", person_id=id_)) as work:
        wanted = two_person_acts.ProposedRevocation(ids[1], "conduct", "x")
        path = f"/approvals/{two_person_acts.propose_revocation(work, wanted).id}"
    with container.work(SYSTEM) as work:
        work.execute(update(Account).where(Account.id == id_).values(change))

    assert refused(lee.post(f"{path}/approval")) == (403, "not_allowed")
    assert lee.post(f"{path}/refusal", {"reason": "Kim left."}).status_code == 200
    proposed(lee, ids)


def test_who_proposed_decides_no_appeal_against_it(caller, sam, lee, ids, staff):
    assert lee.post(f"/approvals/{proposed(sam, ids)['id']}/approval").status_code == 200
    own = caller("holder", holder_id=ids[0])
    appeal = own.post(f"/certifications/{ids[1]}/appeals", {"statement": "No."}).json["id"]
    body = {"outcome": "upheld", "reason": "x"}

    for who in (sam, lee):
        answer = who.post(f"/appeals/{appeal}/decision", body, version='"1"')
        assert refused(answer) == (403, "not_allowed")
    assert staff.post(f"/appeals/{appeal}/decision", body, version='"1"').status_code == 200


def test_no_file_of_one_person_revokes(container, sam, ids):
    with container.reading(SYSTEM) as reading:
        ref = reading.row(select(Holder.ref).where(Holder.id == ids[0])).ref
    head = "change_ref,holder_ref,scheme,kind,effective_on,reason"
    text = f"{head}\nr-1,{ref},cpt,revoke,2026-11-01,x\n".encode()

    form = {"kind": "standing-changes", "file": (io.BytesIO(text), "f.csv")}
    answer = sam.call("POST", "/imports", data=form)

    assert answer.status_code == 422
    assert "needs two people" in str(answer.json["errors"])
