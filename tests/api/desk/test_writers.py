"""Nobody decides on what they entered for a holder (services/core/writers.py)."""

from __future__ import annotations

import io
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select

from tests import factories
from tests.api.conftest import Caller
from tests.api.credentials.test_renewals import earn
from tests.backends import SQLITE
from tracker.domain.permissions import SYSTEM
from tracker.models import Activity, Holder

COURSE = {
    "category": "CE",
    "type": "third_party",
    "title": "Course",
    "quantity": "5",
    "completed_on": "2026-01-05",
}
SELF = (403, "self_review")


@pytest.fixture
def ids(container):
    return factories.certified(container, date(2021, 12, 25))


@pytest.fixture
def sam(caller):
    return caller("staff", name="Sam")


def decide(who, path, version, body):
    return who.post(f"{path}/decision", body, version=f'"{version}"')


def refused(answer):
    return answer.status_code, answer.json["code"]


@pytest.mark.parametrize("steps", ["log", "edit", "submit"])
def test_whoever_logs_changes_or_submits_an_activity_does_not_decide_it(
    caller, sam, staff, ids, steps
):
    ana = caller("holder", holder_id=ids[0])
    who = {"log": ana, "edit": ana, "submit": ana} | {steps: sam}
    made = who["log"].post(f"/certifications/{ids[1]}/activities", COURSE)
    path = f"/activities/{made.json['id']}"
    changed = who["edit"].patch(path, {"title": "Other"}, version=made.headers["ETag"])
    assert changed.status_code == 200, changed.json
    sent = who["submit"].post(f"{path}/submission")
    again = Caller(sam.client, sam.post("/tokens", {}).json["secret"])
    version, approved = sent.headers["ETag"].strip('"'), {"verdict": "approved"}

    for one in (sam, again):
        assert refused(decide(one, path, version, approved)) == SELF
    assert decide(staff, path, version, approved).status_code == 200


@SQLITE
def test_what_holders_enter_themselves_anybody_of_the_staff_decides(caller, sam, ids):
    ana = caller("holder", holder_id=ids[0])
    made = ana.post(f"/certifications/{ids[1]}/activities", COURSE).json["id"]
    sent = ana.post(f"/activities/{made}/submission")

    answer = decide(
        sam, f"/activities/{made}", sent.headers["ETag"].strip('"'), {"verdict": "approved"}
    )

    assert answer.status_code == 200


CLAIM = "activity_ref,holder_ref,scheme,category,type,title,quantity,completed_on,submitted_on"
FILES = {
    "activities": (
        f"{CLAIM},status,decided_on",
        "CE,third_party,T,4,2026-01-05,2026-01-06",
        "status",
    ),
    "renewals": (
        "renewal_ref,holder_ref,scheme,submitted_on,decision,decided_on",
        "2026-11-20",
        "decision",
    ),
}


@pytest.mark.parametrize("kind", FILES)
def test_whoever_imports_a_record_does_not_decide_it_by_another_file(
    container, sam, staff, ids, kind
):
    earn(container, ids, Decimal(100))
    with container.reading(SYSTEM) as reading:
        ref = reading.row(select(Holder.ref).where(Holder.id == ids[0])).ref
    head, values, column = FILES[kind]

    def send(who, decision, day=""):
        text = f"{head}\na,{ref},cpt,{values},{decision},{day}\n".encode()
        form = {"kind": kind, "file": (io.BytesIO(text), "f.csv")}
        return who.call("POST", "/imports", data=form)

    waiting = "submitted" if kind == "activities" else ""
    assert send(sam, waiting).status_code == 201
    by_file = send(sam, "approved", "2026-11-21")
    assert by_file.status_code == 422, by_file.json
    assert [(one["column"], one["row"]) for one in by_file.json["errors"]] == [(column, 2)]
    assert send(sam, waiting).status_code == 201
    assert send(staff, "approved", "2026-11-21").status_code == 201
    assert send(sam, "approved", "2026-11-21").status_code == 201  # as it is on record


def test_whoever_imports_a_claim_does_not_decide_it(container, sam, staff, ids):
    with container.reading(SYSTEM) as reading:
        ref = reading.row(select(Holder.ref).where(Holder.id == ids[0])).ref
    line = f"a,{ref},cpt,CE,third_party,T,4,2026-01-05,2026-01-06,submitted"
    text = f"{CLAIM},status\n{line}\n".encode()
    form = {"kind": "activities", "file": (io.BytesIO(text), "f.csv")}
    assert sam.call("POST", "/imports", data=form).status_code == 201
    with container.reading(SYSTEM) as reading:
        path = f"/activities/{reading.row(select(Activity.id)).id}"

    assert refused(decide(sam, path, 1, {"verdict": "approved"})) == SELF
    assert decide(staff, path, 1, {"verdict": "approved"}).status_code == 200


def test_whoever_applies_or_appeals_for_a_holder_does_not_decide(sam, staff, ids, container):

    earn(container, ids, Decimal(100))
    renewal = sam.post(f"/certifications/{ids[1]}/renewals").json["id"]
    denied = {"decision": "denied", "reason": "x"}
    assert refused(decide(sam, f"/renewals/{renewal}", 1, denied)) == SELF
    assert decide(staff, f"/renewals/{renewal}", 1, denied).status_code == 200
    body = {"statement": "No.", "renewal_id": renewal}
    appeal = sam.post(f"/certifications/{ids[1]}/appeals", body).json["id"]
    upheld = {"outcome": "dismissed", "reason": "x"}
    assert refused(decide(sam, f"/appeals/{appeal}", 1, upheld)) == SELF
