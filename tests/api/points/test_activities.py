"""Logging activities, submitting them, deciding them."""

from __future__ import annotations

import threading
from datetime import date
from typing import Any

import pytest

from tests import factories
from tests.api.points.activity_cases import decided, evaluation, logged, submitted
from tests.backends import SQLITE
from tests.statements import counted


@pytest.fixture
def ids(container):
    return factories.certified(container, date(2024, 3, 1))


@pytest.fixture
def ana(caller, ids):
    return caller("holder", holder_id=ids[0])


def test_an_activity_goes_from_draft_to_points(ana, staff, ids):
    draft = logged(ana, ids)
    assert (draft.status_code, draft.json["state"]) == (201, "draft")
    handed_in = ana.post(f"/activities/{draft.json['id']}/submission")
    assert handed_in.json["submitted_on"] == "2026-11-21"
    before = evaluation(ana, ids)
    assert (before["total"], before["pending_points"]) == ("0.00", "8.00")
    approved = decided(staff, handed_in)
    assert approved.json["decision"]["verdict"] == "approved"
    after = evaluation(ana, ids)
    assert (after["total"], after["missing"], after["pending_points"]) == ("8.00", "92.00", "0.00")


JOB = {"category": "E", "type": "employment_full_time", "title": "Line", "starts_on": "2024-05-01"}


@pytest.mark.parametrize("stated", [{}, {"quantity": "8"}, {"provider": None}, JOB])
def test_what_is_answered_to_a_new_activity_is_what_is_on_record(container, ana, ids, stated):
    path = f"/certifications/{ids[1]}/activities"
    with counted(container) as sent:
        made = ana.post(path, stated) if stated is JOB else logged(ana, ids, **stated)
    assert made.status_code == 201
    on_record = ana.get(f"/activities/{made.json['id']}")

    assert made.json == on_record.json
    assert made.headers["ETag"] == on_record.headers["ETag"]
    assert len([one for one in sent if "FROM activity" in one]) == 1  # that there is room for it


CANNOT_BE: list[tuple[dict[str, Any], str]] = [
    ({"completed_on": "2024-02-29"}, "outside_cycle"),
    ({"completed_on": "2026-11-22"}, "outside_cycle"),
    ({"completed_on": None}, "invalid"),
    ({"quantity": None}, "invalid"),
    ({"quantity": "0"}, "invalid"),
    ({"quantity": "-5"}, "invalid"),
    ({"quantity": "NaN"}, "invalid"),
    ({"quantity": "1e309"}, "invalid"),
    ({"quantity": True}, "invalid"),
    ({"quantity": "５"}, "invalid"),  # noqa: RUF001 - a digit that is not ASCII
    ({"quantity": 5}, "invalid"),
    ({"type": "employment_full_time"}, "unknown_activity_type"),
    ({"category": "E", "type": "employment_full_time"}, "invalid"),
    ({"title": "a\r\nBcc: v@e"}, "invalid"),
    ({"title": " "}, "invalid"),
    ({"status": "approved", "points": "100"}, "invalid"),
    ({"starts_on": "2026-02-01"}, "invalid"),
]


@SQLITE
def test_a_claim_that_cannot_be_is_refused_by_name_and_nothing_is_stored(ana, ids):
    for change, code in CANNOT_BE:
        refused = logged(ana, ids, **change)
        assert (refused.status_code, refused.json["code"]) == (422, code), change
        assert refused.json["errors"], change
        assert ana.get(f"/certifications/{ids[1]}/activities").json["items"] == [], change


@SQLITE
def test_the_day_of_certification_and_an_open_ended_job_are_inside(ana, ids):
    assert logged(ana, ids, completed_on="2024-03-01").status_code == 201
    job = {
        "category": "E",
        "type": "employment_full_time",
        "title": "Operator",
        "starts_on": "2020-01-01",
    }
    assert ana.post(f"/certifications/{ids[1]}/activities", job).status_code == 201


@SQLITE
def test_unknown_fields_are_refused_by_both_their_names(ana, ids):
    activity = logged(ana, ids)
    change = {"state": "approved", "points": "100"}
    refused = ana.patch(
        f"/activities/{activity.json['id']}", change, version=activity.headers["ETag"]
    )
    assert {e["field"] for e in refused.json["errors"]} == {"state", "points"}
    assert ana.get(f"/activities/{activity.json['id']}").json == activity.json


def test_a_change_needs_the_version_that_it_is_based_on(ana, ids):
    activity = logged(ana, ids)
    path, etag = f"/activities/{activity.json['id']}", activity.headers["ETag"]
    assert ana.patch(path, {"title": "New"}).status_code == 428
    changed = ana.patch(path, {"title": "New"}, version=etag)
    assert (changed.status_code, changed.json["title"]) == (200, "New")
    stale = ana.patch(path, {"title": "Newer"}, version=etag)
    assert (stale.status_code, stale.json["code"]) == (412, "stale")
    assert ana.delete(path, version=changed.headers["ETag"]).status_code == 204
    assert ana.get(path).status_code == 404


def test_what_was_handed_in_is_not_edited_but_may_be_withdrawn(ana, ids):
    handed_in = submitted(ana, ids)
    path = f"/activities/{handed_in.json['id']}"
    refused = ana.patch(path, {"title": "New"}, version=handed_in.headers["ETag"])
    assert (refused.status_code, refused.json["code"]) == (409, "illegal_transition")
    assert ana.post(f"{path}/withdrawal").json["state"] == "withdrawn"
    assert evaluation(ana, ids)["pending_points"] == "0.00"


def test_a_refusal_needs_its_reason_and_can_be_mended_and_sent_again(ana, staff, ids, clock):
    handed_in = submitted(ana, ids)
    bare = decided(staff, handed_in, verdict="rejected")
    assert {e["field"] for e in bare.json["errors"]} == {"reason_code", "reason"}
    why = {"verdict": "rejected", "reason_code": "illegible_evidence", "reason": "Scan again."}
    rejected = decided(staff, handed_in, **why)
    assert rejected.json["decision"]["reason"] == "Scan again."
    clock.advance(hours=1)
    again = ana.post(f"/activities/{handed_in.json['id']}/submission")
    assert evaluation(ana, ids)["pending_points"] == "8.00"
    assert decided(staff, again).status_code == 200
    assert evaluation(ana, ids)["total"] == "8.00"


def test_nobody_decides_on_their_own_activity(ana, ids, caller):
    handed_in = submitted(ana, ids)
    refused = decided(ana, handed_in)
    assert (refused.status_code, refused.json["code"]) == (403, "not_allowed")
    reviewer = caller("staff", holder_id=ids[0])
    own = decided(reviewer, handed_in)
    assert (own.status_code, own.json["code"]) == (403, "self_review")


def test_ten_approvals_at_once_are_one_and_nine_are_told_who_and_what(caller, ana, staff, ids):
    handed_in = submitted(ana, ids)
    callers = [caller("staff") for _ in range(10)]
    gate = threading.Barrier(10)
    answers = []

    def send(reviewer):
        gate.wait()
        answers.append(decided(reviewer, handed_in).json)

    threads = [threading.Thread(target=send, args=(c,)) for c in callers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (won,) = (answer for answer in answers if "code" not in answer)
    told = [answer for answer in answers if "code" in answer]
    (decision,) = staff.get(f"/activities/{won['id']}/decisions").json
    assert [answer["code"] for answer in told] == ["stale"] * 9
    assert {answer["decided_by"] for answer in told} == {decision["decided_by"]}
    assert {(answer["verdict"], answer["decided_on"]) for answer in told} == {
        ("approved", "2026-11-21")
    }
    assert evaluation(ana, ids)["total"] == "8.00"


def test_a_foreign_record_answers_as_an_unknown_one(caller, ana, ids, container):
    theirs = logged(ana, ids).json["id"]
    bea = caller("holder", holder_id=factories.certified(container, date(2024, 1, 1))[0])
    unknown = "01900000-0000-7000-8000-000000000000"
    for path in ("/activities/{}", "/certifications/{}", "/certifications/{}/evaluation"):
        foreign = bea.get(path.format(theirs if "activities" in path else ids[1]))
        missing = bea.get(path.format(unknown))
        assert foreign.status_code == missing.status_code == 404
        foreign.json.pop("request_id")
        assert {k: v for k, v in foreign.json.items() if k != "request_id"} == {
            k: v for k, v in missing.json.items() if k != "request_id"
        }
    assert bea.get(f"/holders/{ids[0]}").status_code == 404
    assert bea.get(f"/certifications?holder_id={ids[0]}").status_code == 404


def test_points_are_frozen_once_the_certification_is_revoked(ana, staff, ids):
    why = {"reason_code": "conduct", "reason": "Exam code of conduct."}
    staff.by_two(f"/certifications/{ids[1]}/revocation", why)
    refused = logged(ana, ids)
    assert (refused.status_code, refused.json["code"]) == (409, "illegal_transition")
