"""Logging activities, submitting them, deciding them; points explained and asked ahead."""

from __future__ import annotations

import threading
from datetime import date
from decimal import Decimal

import pytest

from tests import factories

COURSE = {
    "category": "CE",
    "type": "third_party",
    "title": "Robot Safety",
    "provider": "Amatrol",
    "quantity": "8.00",
    "completed_on": "2026-01-05",
}


@pytest.fixture
def ids(container):
    return factories.certified(container, date(2024, 3, 1))


@pytest.fixture
def ana(caller, ids):
    return caller("holder", holder_id=ids[0])


def logged(ana, ids, **change):
    return ana.post(f"/certifications/{ids[1]}/activities", {**COURSE, **change})


def submitted(ana, ids, **change):
    activity = logged(ana, ids, **change).json["id"]
    return ana.post(f"/activities/{activity}/submission")


def decided(staff, answer, **verdict):
    path = f"/activities/{answer.json['id']}/decision"
    return staff.post(path, {"verdict": "approved", **verdict}, version=answer.headers["ETag"])


def evaluation(who, ids, **options):
    return who.get(f"/certifications/{ids[1]}/evaluation", **options).json


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


def test_what_would_close_the_gap_is_told_where_it_is_asked_for(ana, ids):
    path = f"/certifications/{ids[1]}"
    told = ana.get(f"{path}/gap", headers={"Accept-Language": "es"})

    assert told.headers["Content-Language"] == "es"
    assert told.json["obstacles"] == []
    way = told.json["ways"][0]
    assert [activity["type"] for activity in way["activities"]] == ["college_credit"]
    assert way["sentence"].endswith("se cerraría la diferencia.")
    assert evaluation(ana, ids)["gap"] is None
    with_gap = evaluation(ana, ids, query_string={"gap": "true"}, headers={"Accept-Language": "es"})
    assert with_gap["gap"] == told.json


def test_what_activities_would_leave_of_the_gap_is_told(ana, ids):
    extra = {
        "category": "CE",
        "type": "third_party",
        "quantity": "90",
        "completed_on": "2026-11-20",
    }
    path = f"/certifications/{ids[1]}/evaluation"
    told = ana.post(path, {"extra": [extra]}, query_string={"gap": "true"}).json

    assert {way["activities"][0]["points"] for way in told["gap"]["ways"]} <= {"10.00", "20.00"}


def test_an_evaluation_repeats_that_its_values_are_not_verified(ana, ids):
    told = evaluation(ana, ids)
    assert told["verified"] is False
    assert "types.third_party" in told["unverified"]
    assert any("MSSC does not confirm the total" in sentence for sentence in told["sentences"])


def test_an_evaluation_is_told_in_spanish_to_who_asks_for_it(ana, staff, ids):
    decided(
        staff, submitted(ana, ids), points_limit="5", reason_code="fewer_hours_shown", reason="5 h"
    )
    told = evaluation(ana, ids, headers={"Accept-Language": "es-MX,es;q=0.9,en;q=0.5"})
    [credit] = told["credits"]
    [cut] = credit["cuts"]
    assert cut["sentence"] == "3 puntos no cuentan: el revisor permitió como máximo 5 puntos."
    assert "Faltan 95 puntos." in told["sentences"]


def test_the_numbers_of_an_explanation_add_up(ana, staff, ids):
    for hours in ("15", "12"):
        decided(
            staff, submitted(ana, ids, category="X", type="volunteer", quantity=hours, title=hours)
        )
    told = evaluation(ana, ids)
    for credit in told["credits"]:
        cut = sum(Decimal(c["points"]) for c in credit["cuts"])
        assert Decimal(credit["claimed"]) - cut == Decimal(credit["counted"])
    assert sum(Decimal(c["counted"]) for c in told["credits"]) == Decimal(told["total"]) == 20
    assert {c["rule"] for credit in told["credits"] for c in credit["cuts"]} == {"cycle_cap"}


def test_what_if_counts_claims_that_are_not_stored(ana, ids):
    asked = {
        "extra": [
            {
                "category": "CE",
                "type": "college_credit",
                "quantity": "4",
                "completed_on": "2026-05-01",
            }
        ]
    }
    told = ana.post(f"/certifications/{ids[1]}/evaluation", asked).json
    assert told["total"] == "20.00"
    assert told["credits"][0]["state"] == "extra"
    assert evaluation(ana, ids)["total"] == "0.00"


def test_points_of_a_past_day_leave_out_what_was_decided_later(ana, staff, ids):
    decided(staff, submitted(ana, ids))
    told = evaluation(ana, ids, query_string={"as_of": "2026-11-20"})
    assert told["total"] == "0.00"


def test_yesterdays_report_can_be_reproduced(ana, staff, ids, clock):
    yesterday = clock().isoformat().replace("+00:00", "Z")
    clock.advance(days=1)
    decided(staff, submitted(ana, ids))
    asked = {"as_of": "2026-11-22"}
    assert evaluation(ana, ids, query_string=asked)["total"] == "8.00"
    known = evaluation(ana, ids, query_string={**asked, "known_at": yesterday})
    assert (known["total"], known["pending_points"]) == ("0.00", "0.00")


@pytest.mark.parametrize(
    ("change", "code"),
    [
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
    ],
)
def test_a_claim_that_cannot_be_is_refused_by_name_and_nothing_is_stored(ana, ids, change, code):
    refused = logged(ana, ids, **change)
    assert (refused.status_code, refused.json["code"]) == (422, code)
    assert refused.json["errors"]
    assert ana.get(f"/certifications/{ids[1]}/activities").json["items"] == []


def test_the_day_of_certification_and_an_open_ended_job_are_inside(ana, ids):
    assert logged(ana, ids, completed_on="2024-03-01").status_code == 201
    job = {
        "category": "E",
        "type": "employment_full_time",
        "title": "Operator",
        "starts_on": "2020-01-01",
    }
    assert ana.post(f"/certifications/{ids[1]}/activities", job).status_code == 201


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


def test_ten_approvals_at_once_are_one(caller, ana, ids):
    handed_in = submitted(ana, ids)
    callers = [caller("staff") for _ in range(10)]
    gate = threading.Barrier(10)
    codes = []

    def send(reviewer):
        gate.wait()
        codes.append(decided(reviewer, handed_in).status_code)

    threads = [threading.Thread(target=send, args=(c,)) for c in callers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes.count(200) == 1
    assert set(codes) <= {200, 409, 412}
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
    staff.post(f"/certifications/{ids[1]}/revocation", why)
    refused = logged(ana, ids)
    assert (refused.status_code, refused.json["code"]) == (409, "illegal_transition")
