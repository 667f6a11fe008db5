"""api/desk/requests.py, services/desk/requests.py: holders ask for another name, staff decide."""

from __future__ import annotations

import io
import threading
from dataclasses import replace
from datetime import date, timedelta

import pytest
from PIL import Image
from sqlalchemy import func, select

from tests import factories
from tracker.domain.permissions import SYSTEM
from tracker.models import Certification, FormerName, Holder, HolderRequest, Notice
from tracker.services.employers import employers
from tracker.services.overview import exports
from tracker.services.points import evidence

SOTO = {"given_name": "Ana", "family_name": "Soto"}


@pytest.fixture
def ids(container):
    return factories.certified(container, date(2024, 3, 1), **SOTO)


@pytest.fixture
def path(ids):
    return f"/holders/{ids[0]}"


@pytest.fixture
def ana(caller, ids):
    return caller("holder", holder_id=ids[0])


def patch(caller, path, body):
    return caller.patch(path, body, version=caller.get(path).headers["ETag"])


def decide(caller, request, decision="granted", reason=None, version=None):
    path = f"/requests/{request['id']}"
    version = version or caller.get(path).headers["ETag"]
    body = {"decision": decision, "reason": reason}
    return caller.post(f"{path}/decision", body, version=version)


@pytest.fixture
def asked(ana, path):
    return patch(ana, path, {"family_name": "Ruiz"}).json["request"]


def test_another_name_waits_for_the_staff_and_the_other_fields_are_changed_at_once(ana, path):
    body = {
        "family_name": "Ruiz",
        "given_name": "Ana",
        "email": "new@example.org",
        "language": "es",
        "reason": "I married.",
    }
    answer = patch(ana, path, body)

    assert answer.status_code == 202
    request = answer.json["request"]
    assert answer.headers["Location"] == f"/api/v1/requests/{request['id']}"
    assert (request["state"], request["proposal"]) == ("requested", {"family_name": "Ruiz"})
    assert (request["on_record"], request["statement"]) == (SOTO, "I married.")
    assert answer.json["applied"] == ["email", "language"]
    told = answer.json["holder"]
    assert (told["family_name"], told["email"], told["language"]) == (
        "Soto",
        "new@example.org",
        "es",
    )
    assert ana.get(path).headers["ETag"] == answer.headers["ETag"]


@pytest.mark.parametrize(
    "body", [SOTO, {"family_name": " Soto "}, {"email": "new@example.org"}, {"language": "es"}, {}]
)
def test_a_name_that_stays_as_it_is_is_no_request(ana, path, body):
    answer = patch(ana, path, body)
    assert answer.status_code == 200
    assert answer.json["family_name"] == "Soto"
    assert ana.get("/requests").json["items"] == []


def test_an_old_version_is_refused_and_nothing_is_asked_for(ana, path):
    patch(ana, path, {"language": "es"})
    assert ana.patch(path, {"family_name": "Ruiz"}, version='"1"').status_code == 412
    assert ana.get("/requests").json["items"] == []


def test_asking_again_replaces_the_proposal_of_the_one_open_request(ana, path, asked, staff):
    again = patch(ana, path, {"family_name": "Ruiz Soto", "given_name": "Anna"}).json["request"]
    same = patch(ana, path, {"family_name": "Ruiz Soto", "given_name": "Anna"}).json["request"]

    assert again["id"] == same["id"] == asked["id"]
    assert same["proposal"] == {"family_name": "Ruiz Soto", "given_name": "Anna"}
    lines = staff.get(f"/history?subject=request&subject_id={asked['id']}").json["items"]
    assert [line["changes"] for line in lines] == [
        [
            {"field": "family_name", "before": "Ruiz", "after": "Ruiz Soto"},
            {"field": "given_name", "before": None, "after": "Anna"},
        ],
        [{"field": "family_name", "before": None, "after": "Ruiz"}],
    ]


def test_a_name_that_is_granted_changes_the_record_and_no_certificate(
    container, ana, asked, staff, path
):
    def certificates():
        with container.reading(SYSTEM) as reading:
            return reading.rows(select(Certification.__table__))

    before = certificates()
    answer = decide(staff, asked, reason="Marriage certificate seen")

    assert answer.status_code == 200
    assert (answer.json["state"], answer.json["reason"]) == ("granted", "Marriage certificate seen")
    shown = ana.get(path).json
    assert shown["family_name"] == "Ruiz"
    assert shown["former_names"] == [{**SOTO, "until_on": "2026-11-21"}]
    assert ana.get(f"{path}/record").json["holder"] == shown
    assert certificates() == before
    with container.reading(SYSTEM) as reading:
        notice = reading.row(select(Notice).where(Notice.kind == "request_decided"))
        assert (notice.holder_id, notice.subject_id, notice.event) == (
            asked["holder_id"],
            asked["id"],
            "granted",
        )


def test_a_refusal_needs_a_reason_and_can_be_followed_by_a_grant(ana, asked, staff, path):
    refused = decide(staff, asked, "refused")
    assert refused.status_code == 422
    assert refused.json["errors"][0]["field"] == "reason"

    assert decide(staff, asked, "refused", "No proof").json["state"] == "refused"
    again = decide(staff, asked, "refused", "Still none")
    assert (again.status_code, again.json["state"]) == (409, "refused")
    assert "it can still be approved" in again.json["detail"]
    assert decide(staff, asked).json["state"] == "granted"
    assert ana.get(path).json["family_name"] == "Ruiz"
    last = decide(staff, asked, "refused", "A mistake")
    assert last.status_code == 409
    assert "change the name again" in last.json["detail"]


def test_a_granted_name_is_corrected_like_any_other(asked, staff, path):
    decide(staff, asked)
    corrected = patch(staff, path, {"family_name": "Ruiz Soto"})
    assert corrected.status_code == 200
    assert [n["family_name"] for n in corrected.json["former_names"]] == ["Ruiz", "Soto"]


def test_what_the_staff_corrected_meanwhile_is_not_taken_back_by_granting(asked, staff, path):
    patch(staff, path, {"given_name": "Anna"})
    decide(staff, asked)
    told = staff.get(path).json
    assert (told["given_name"], told["family_name"]) == ("Anna", "Ruiz")


def test_a_holder_takes_a_request_back_and_may_ask_again(ana, asked, staff, path):
    gone = ana.post(f"/requests/{asked['id']}/withdrawal")
    assert (gone.status_code, gone.json["state"]) == (200, "withdrawn")
    assert gone.json["closed_at"] == "2026-11-21T17:00:00Z"
    assert ana.post(f"/requests/{asked['id']}/withdrawal").status_code == 409
    assert decide(staff, asked).status_code == 409
    fresh = patch(ana, path, {"family_name": "Ruiz"}).json["request"]
    assert fresh["id"] != asked["id"]


def test_nobody_decides_on_a_request_of_their_own(caller, asked, ids):
    own = caller("staff", holder_id=ids[0])
    assert decide(own, asked).json["code"] == "self_review"
    answer = patch(own, f"/holders/{ids[0]}", {"family_name": "Lopez", "language": "es"})
    assert (answer.status_code, answer.json["applied"]) == (202, ["language"])


def test_holders_see_their_own_requests_and_staff_all(ana, asked, staff, caller, container):
    with container.work(SYSTEM) as work:
        other_id = factories.holder(work, family_name="Vega")
    other = caller("holder", holder_id=other_id)
    theirs = patch(other, f"/holders/{other_id}", {"family_name": "Ruiz"}).json["request"]

    assert [r["id"] for r in staff.get("/requests").json["items"]] == [asked["id"], theirs["id"]]
    assert [r["id"] for r in ana.get("/requests").json["items"]] == [asked["id"]]
    assert ana.get(f"/requests?holder_id={asked['holder_id']}").status_code == 200
    assert ana.get(f"/requests?holder_id={other_id}").status_code == 404
    assert ana.get(f"/requests/{theirs['id']}").status_code == 404
    assert ana.post(f"/requests/{theirs['id']}/withdrawal").status_code == 404
    assert decide(ana, asked).status_code == 403
    assert caller("employer", employer_id=_employer(container)).get("/requests").status_code == 403
    decide(staff, asked)
    for query, found in (
        ("state=requested", [theirs["id"]]),
        ("state=granted", [asked["id"]]),
        ("kind=name_change&limit=1", [asked["id"]]),
        (f"holder_id={other_id}", [theirs["id"]]),
    ):
        assert [r["id"] for r in staff.get(f"/requests?{query}").json["items"]] == found


def _employer(container):
    with container.work(SYSTEM) as work:
        return employers.register(work, name="Acme").id


def test_two_who_grant_at_once_change_the_name_once(container, caller, asked):
    staffs = [caller("staff") for _ in range(2)]
    version = staffs[0].get(f"/requests/{asked['id']}").headers["ETag"]
    statuses = []

    def grant(one):
        statuses.append(decide(one, asked, version=version).status_code)

    threads = [threading.Thread(target=grant, args=(one,)) for one in staffs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(statuses) == [200, 412]
    with container.reading(SYSTEM) as reading:
        assert reading.row(select(func.count()).select_from(FormerName))[0] == 1
        assert reading.row(select(HolderRequest.state))[0] == "granted"
        assert reading.row(select(Holder.family_name))[0] == "Ruiz"


def test_two_requests_at_once_are_one(container, caller, path, ids):
    holders = [caller("holder", holder_id=ids[0]) for _ in range(2)]
    answers = []

    def ask(number):
        body = {"family_name": f"Ruiz {number}"}
        answers.append(holders[number].patch(path, body, version='"1"').status_code)

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == [202, 202]
    with container.reading(SYSTEM) as reading:
        assert reading.row(select(func.count()).select_from(HolderRequest))[0] == 1


def test_what_is_asked_in_words_has_proof_and_an_answer(container, ana, caller, staff, ids):
    """An extension is asked for with a file, and again; the decision is told in its own words."""
    asked = ana.post("/me/requests", {"kind": "extension", "statement": "I was deployed."})
    again = ana.post("/me/requests", {"kind": "extension", "statement": "Deployed in March."})
    other = ana.post("/me/requests", {"kind": "correction", "statement": "My hours."}).json
    request = again.json
    assert (asked.status_code, request["id"]) == (201, asked.json["id"])
    assert (request["statement"], request["proposal"]) == ("Deployed in March.", {})
    assert request["due_on"] == "2026-12-21"
    assert ana.post("/me/requests", {"kind": "name_change", "statement": "x"}).status_code == 422

    path = f"/requests/{request['id']}/proofs"
    bea = caller("holder", holder_id=factories.certified(container, date(2024, 3, 1))[0])
    assert bea.call("POST", path, data=picture()).status_code == 404
    proof = ana.call("POST", path, data=picture()).json
    gone = ana.call("POST", path, data=picture()).json
    assert [one["slot"] for one in staff.get(path).json] == [1, 2]
    assert ana.call("DELETE", f"/requests/proofs/{gone['id']}").status_code == 204
    kept = staff.get(f"/requests/proofs/{proof['id']}/content")
    assert (kept.status_code, kept.content_type) == (200, "image/png")
    assert bea.get(f"/requests/proofs/{proof['id']}/content").status_code == 404
    spoiled = ana.call("POST", path, data={"file": (io.BytesIO(b"no picture"), "a.png")})
    assert spoiled.status_code == 422

    assert decide(staff, request).json["state"] == "granted"
    assert decide(staff, other, "refused", "They are right.").json["state"] == "refused"
    assert ana.call("POST", path, data=picture()).status_code == 409
    assert ana.call("DELETE", f"/requests/proofs/{proof['id']}").status_code == 409
    with container.reading(SYSTEM) as reading:
        ref = reading.row(select(Holder.ref).where(Holder.id == ids[0])).ref
        shown = exports.record(reading, ref)["requests"]
        assert [len(one["proofs"]) for one in shown] == [1, 0]
        told = reading.rows(select(Notice.event).where(Notice.kind == "request_decided"))
        assert [row.event for row in told] == ["granted", "refused"]
        assert evidence.sweep(replace(reading, now=reading.now + timedelta(days=3))) == 0


def picture():
    data = io.BytesIO()
    Image.new("RGB", (8, 8), "white").save(data, "PNG")
    data.seek(0)
    return {"file": (data, "orders.png")}
