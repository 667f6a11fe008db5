"""No one of the staff decides on their own record, by whatever route, file or further token."""

from __future__ import annotations

import io
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import delete, select

from tests import factories
from tests.api.conftest import Caller
from tests.backends import SQLITE
from tracker.domain.errors import NotFound
from tracker.domain.permissions import SYSTEM
from tracker.models import Activity, Assessment, Holder
from tracker.services.points import activities

WHY = {"reason_code": "conduct", "reason": "x", "effective_on": "2026-11-20"}
PASS = {"scheme": "cpt", "module": "safety", "taken_on": "2026-11-02", "result": "pass"}
HEADS = {
    "holders": "holder_ref,given_name,family_name,email",
    "assessments": "attempt_ref,holder_ref,scheme,module,taken_on,result",
    "activities": "activity_ref,holder_ref,scheme,category,type,title,provider,quantity,"
    "completed_on,status,submitted_on,decided_on",
    "renewals": "renewal_ref,holder_ref,scheme,submitted_on,decided_on,decision",
    "standing-changes": "change_ref,holder_ref,scheme,kind,effective_on,reason",
    "certifications": "holder_ref,scheme,certificate_number,awarded_on,expires_on",
}
LINES = {
    "holders": "{ref},Somebody,Else,else@example.org",
    "assessments": "a-1,{ref},cpt,safety,2026-11-01,pass",
    "activities": "c-1,{ref},cpt,CE,third_party,T,P,40,2026-01-05,approved,2026-01-06,2026-01-07",
    "renewals": "r-1,{ref},cpt,2026-10-01,2026-10-02,approved",
    "standing-changes": "s-1,{ref},cpt,suspend,2026-11-01,x",
    "certifications": "{ref},cpt,OLD-1,2020-01-05,2025-01-05",
}


@pytest.fixture
def ids(container):
    return factories.certified(container, date(2021, 12, 25))


@pytest.fixture
def own(caller, ids):
    """One of the staff who holds the certification."""
    return caller("staff", holder_id=ids[0])


def refused(answer):
    return answer.status_code, answer.json["code"]


SELF = (403, "self_review")


@SQLITE
def test_no_standing_of_ones_own_is_changed(own, staff, ids):
    at = f"/certifications/{ids[1]}"

    for act in ("suspension", "revocation", "reinstatement"):
        assert refused(own.post(f"{at}/{act}", WHY)) == SELF, act
    assert staff.post(f"{at}/suspension", WHY).status_code == 201
    assert refused(own.post(f"{at}/reinstatement", WHY)) == SELF
    assert staff.get(at).json["standing"]["status"] == "suspended"


@SQLITE
def test_a_certification_of_ones_own_may_be_given_up(own, ids):
    wish = WHY | {"reason_code": "own_wish"}

    assert own.post(f"/certifications/{ids[1]}/surrender", wish).status_code == 201


def test_no_pass_of_ones_own_is_recorded_corrected_or_voided(own, container, ids):
    with container.reading(SYSTEM) as reading:
        passed = reading.row(select(Assessment.id).where(Assessment.holder_id == ids[0])).id

    assert refused(own.post(f"/holders/{ids[0]}/assessments", PASS)) == SELF
    for act, body in (("void", {"reason": "x"}), ("amendment", {"reason": "x", "result": "fail"})):
        for preview in ({}, {"preview": True}):
            answer = own.post(f"/assessments/{passed}/{act}", body | preview)
            assert refused(answer) == SELF, (act, preview)


COURSE = {
    "category": "CE",
    "type": "third_party",
    "title": "Course",
    "quantity": "5",
    "completed_on": "2026-01-05",
}


@pytest.fixture
def merging(container, ids):
    """The ids of a second record and its certification, and how its merge is asked for."""
    second, held = factories.certified(container, date(2022, 3, 1), ref="S", email="s@x.org")
    return second, held, (f"/holders/{ids[0]}/merge", {"reason": "x", "merged_id": second})


@SQLITE
@pytest.mark.parametrize("what", ["assessment", "activity", "change of standing"])
def test_what_one_decided_on_a_second_record_of_oneself_does_not_come_along(
    own, staff, caller, merging, what
):
    second, held, merge = merging
    if what == "assessment":
        attempt = PASS | {"module": "green"}
        assert own.post(f"/holders/{second}/assessments", attempt).status_code == 201
    elif what == "activity":
        ana = caller("holder", holder_id=second)
        made = ana.post(f"/certifications/{held}/activities", COURSE)
        path = f"/activities/{made.json['id']}"
        sent = ana.post(f"{path}/submission", version=made.headers["ETag"])
        decided = own.post(
            f"{path}/decision", {"verdict": "approved"}, version=sent.headers["ETag"]
        )
        assert decided.status_code == 200, decided.json
    else:
        assert own.post(f"/certifications/{held}/suspension", WHY).status_code == 201

    assert refused(staff.post(*merge)) == SELF


def test_what_somebody_else_has_decided_again_comes_along_and_so_does_a_surrender(
    own, staff, merging, ids
):
    second, held, merge = merging
    attempt = own.post(f"/holders/{second}/assessments", PASS | {"module": "green"})
    assert own.post(f"/certifications/{held}/suspension", WHY).status_code == 201
    wish = WHY | {"reason_code": "own_wish"}
    assert own.post(f"/certifications/{ids[1]}/surrender", wish).status_code == 201
    assert refused(staff.post(*merge)) == SELF

    assert staff.post(f"/certifications/{held}/reinstatement", WHY).status_code == 201
    assert refused(staff.post(*merge)) == SELF
    again = {"reason": "Checked.", "taken_on": "2026-11-01"}
    amended = staff.post(f"/assessments/{attempt.json['id']}/amendment", again)
    assert amended.status_code == 200, amended.json

    assert staff.post(*merge).status_code == 201


@pytest.mark.usefixtures("own")
def test_what_others_decided_there_comes_along(staff, merging):
    second, _, merge = merging
    attempt = PASS | {"module": "green"}
    assert staff.post(f"/holders/{second}/assessments", attempt).status_code == 201

    assert staff.post(*merge).status_code == 201


@SQLITE
def test_no_adjustment_of_ones_own_is_granted(own, ids):
    body = {"reason_code": "illness", "reason": "x", "extended_to": "2027-03-01"}

    assert refused(own.post(f"/certifications/{ids[1]}/adjustments", body)) == SELF


def test_an_imported_award_of_ones_own_is_neither_amended_nor_voided(caller, container, staff):
    with container.work(SYSTEM) as work:
        ref = work.session.get_one(Holder, holder_id := factories.holder(work)).ref
    assert send(staff, "certifications", LINES["certifications"].format(ref=ref)) == 200
    award = staff.get("/certifications?number=OLD-1").json["items"][0]["id"]
    own = caller("staff", holder_id=holder_id)

    body = {"reason": "x", "number": "OLD-2"}
    assert refused(own.post(f"/certifications/{award}/amendment", body)) == SELF
    assert refused(own.post(f"/certifications/{award}/void", {"reason": "x"})) == SELF


def send(who, kind, line):
    text = f"{HEADS[kind]}\n{line}\n".encode()
    form = {"kind": kind, "file": (io.BytesIO(text), "f.csv")}
    answer = who.call("POST", "/imports", data=form)
    if answer.status_code == 422:
        return answer.json["errors"]
    return 200 if answer.status_code == 201 else answer.json


def test_no_file_decides_on_the_record_of_whoever_sends_it(own, staff, container, ids):
    with container.reading(SYSTEM) as reading:
        ref = reading.row(select(Holder.ref).where(Holder.id == ids[0])).ref

    for kind, line in LINES.items():
        found = send(own, kind, line.format(ref=ref))
        assert "is your own record" in str(found), (kind, found)
    for kind in ("activities", "holders"):
        assert send(staff, kind, LINES[kind].format(ref=ref)) == 200


def test_a_file_that_says_of_oneself_what_is_on_record_passes(own, container, ids):
    with container.reading(SYSTEM) as reading:
        one = reading.row(select(Holder).where(Holder.id == ids[0]))
    said = f"{one.ref},{one.given_name},{one.family_name},{one.email}"

    assert send(own, "holders", said) == 200


def test_a_token_made_for_somebody_else_decides_on_its_makers_record_no_more(app, caller, ids):
    boss = caller("admin", holder_id=ids[0])
    secret = boss.post("/tokens", {"role": "admin", "name": "Bob", "holder_id": None}).json
    if "secret" not in secret:
        secret = boss.post("/tokens", {"role": "admin", "name": "Bob"}).json
    bob = Caller(app.test_client(), secret["secret"])
    further = bob.post("/tokens", {"role": "staff", "name": "Eve"}).json["secret"]

    for who in (bob, Caller(app.test_client(), further)):
        assert refused(who.post(f"/certifications/{ids[1]}/suspension", WHY)) == SELF


def test_whoever_suspended_decides_no_appeal_whatever_the_name_of_their_token(app, caller, ids):
    admin = caller("admin")
    made = admin.post("/tokens", {"role": "staff", "name": "Sam"}).json
    sam = Caller(app.test_client(), made["secret"])
    again = Caller(app.test_client(), sam.post("/tokens", {}).json["secret"])
    namesake = caller("staff", name="Sam")
    assert sam.post(f"/certifications/{ids[1]}/suspension", WHY).status_code == 201
    holder = caller("holder", holder_id=ids[0])
    appeal = holder.post(f"/certifications/{ids[1]}/appeals", {"statement": "x"}).json["id"]
    body = {"outcome": "dismissed", "reason": "x"}

    for who in (sam, again):
        answer = who.post(f"/appeals/{appeal}/decision", body, version='"1"')
        assert refused(answer) == (403, "not_allowed")
    answer = namesake.post(f"/appeals/{appeal}/decision", body, version='"1"')
    assert answer.status_code == 200, answer.json


def test_a_draft_that_somebody_discards_meanwhile_is_no_such_record(container, ids):
    """A row that is gone when its record is locked is as unknown as one that never was."""
    with container.work(SYSTEM) as work:
        course = {
            "category": "CE",
            "type": "third_party",
            "title": "Course",
            "quantity": Decimal(5),
            "completed_on": date(2026, 1, 5),
        }
        row = work.session.get(Activity, activities.log(work, ids[1], course))
        work.connection.execute(delete(Activity))

        with pytest.raises(NotFound):
            work.reread(row)
