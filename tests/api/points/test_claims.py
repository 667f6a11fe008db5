"""What a claim may state: unit, role, tags, duty, and that its provider was approved."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests import factories, ruling
from tests.backends import SQLITE

COURSE = {
    "category": "CE",
    "type": "third_party",
    "title": "Robot Safety",
    "provider": "Amatrol",
    "quantity": "2.00",
    "completed_on": "2026-01-05",
}
STATED = {"unit": "ceu", "role": "taught", "tags": ["safety"], "duty": False}


@pytest.fixture
def ids(app):
    container = ruling.rule(app, ruling.telling(ruling.shipped(app)))
    return factories.certified(container, date(2024, 3, 1))


@pytest.fixture
def ana(caller, ids):
    return caller("holder", holder_id=ids[0])


def logged(ana, ids, **change):
    return ana.post(f"/certifications/{ids[1]}/activities", {**COURSE, **change})


def decided(staff, answer, **verdict):
    path = f"/activities/{answer.json['id']}/decision"
    return staff.post(path, {"verdict": "approved", **verdict}, version=answer.headers["ETag"])


def approved(ana, staff, ids, verdict, **change):
    activity = logged(ana, ids, **change).json["id"]
    return decided(staff, ana.post(f"/activities/{activity}/submission"), **verdict)


def evaluation(who, ids, **query):
    return who.get(f"/certifications/{ids[1]}/evaluation", query_string=query).json


def test_what_an_activity_states_is_kept_and_shown(ana, ids):
    plain = logged(ana, ids).json
    assert {key: plain[key] for key in STATED} == {
        "unit": "",
        "role": "",
        "tags": [],
        "duty": False,
    }
    stated = logged(ana, ids, **STATED | {"tags": ["safety", "safety"], "duty": True})
    assert stated.status_code == 201
    assert {key: stated.json[key] for key in STATED} == STATED | {"duty": True}
    assert ana.get(f"/activities/{stated.json['id']}").json == stated.json
    record = ana.get(f"/holders/{ids[0]}/record").json
    assert stated.json in record["activities"]


def test_what_an_activity_states_may_be_changed_and_taken_back(ana, ids):
    activity = logged(ana, ids, **STATED)
    path = f"/activities/{activity.json['id']}"
    changed = ana.patch(path, {"unit": "hour", "duty": True}, version=activity.headers["ETag"])
    assert (changed.json["unit"], changed.json["role"]) == ("hour", "taught")
    nothing = {"unit": None, "role": None, "tags": None, "duty": False}
    plain = ana.patch(path, nothing, version=changed.headers["ETag"])
    assert {key: plain.json[key] for key in STATED} == {
        "unit": "",
        "role": "",
        "tags": [],
        "duty": False,
    }


NOT_KNOWN: list[tuple[dict[str, Any], str, str]] = [
    ({"unit": "day"}, "unit", "'day' is not known; must be one of: ceu, hour"),
    ({"role": "led"}, "role", "'led' is not known; must be one of: taught"),
    ({"tags": ["safety", "law"]}, "tags", "'law' is not known; must be one of: safety"),
    (
        {"type": "college_credit", "role": "taught"},
        "role",
        "'taught' is not known; must be empty for this type",
    ),
]


@SQLITE
def test_what_the_policy_does_not_know_is_refused_with_the_choices(ana, ids):
    for change, field, message in NOT_KNOWN:
        refused = logged(ana, ids, **change)
        assert refused.status_code == 422, change
        assert refused.json["errors"] == [{"field": field, "message": message}], change
        extra = {key: value for key, value in {**COURSE, **change}.items() if value is not None}
        asked = ana.post(f"/certifications/{ids[1]}/evaluation", {"extra": [extra]})
        assert asked.json["errors"] == [{"field": field, "message": message}], change


OTHER_FORMS: list[dict[str, Any]] = [
    {"tags": ["t"] * 21},
    {"tags": "safety"},
    {"duty": "true"},
    {"unit": ""},
]


@SQLITE
def test_statements_of_another_form_are_refused(ana, ids):
    for change in OTHER_FORMS:
        assert logged(ana, ids, **change).status_code == 422, change


@SQLITE
def test_points_follow_from_what_is_stated(ana, staff, ids):
    approved(ana, staff, ids, {}, unit="ceu", role="taught", title="a")
    told = evaluation(ana, ids)
    [credit] = told["credits"]
    # 2 CEU of 10 hours each, half as much again for teaching, half of it for want of an approval.
    assert (credit["units"], credit["claimed"], credit["counted"]) == ("20.00", "30.00", "15.00")
    approved(ana, staff, ids, {}, duty=True, title="b")
    told = evaluation(ana, ids)
    assert {c["title"]: c["counted"] for c in told["credits"]} == {"a": "15.00", "b": "0.00"}


@SQLITE
def test_a_provider_counts_as_approved_from_the_day_of_the_decision(ana, staff, ids, clock):
    clock.set("2026-11-20")
    activity = logged(ana, ids).json["id"]
    handed_in = ana.post(f"/activities/{activity}/submission")
    clock.set("2026-11-21")
    answer = decided(staff, handed_in, provider_approved=True)
    assert answer.json["decision"]["provider_approved"] is True
    assert evaluation(ana, ids)["total"] == "2.00"
    before = evaluation(ana, ids, as_of="2026-11-20")
    assert (before["total"], before["pending_points"]) == ("0.00", "1.00")


@SQLITE
def test_only_an_approval_says_of_a_provider_that_it_is_approved(ana, staff, ids):
    activity = logged(ana, ids).json["id"]
    handed_in = ana.post(f"/activities/{activity}/submission")
    why = {
        "verdict": "rejected",
        "reason_code": "other",
        "reason": "No.",
        "provider_approved": True,
    }
    refused = decided(staff, handed_in, **why)
    assert refused.json["errors"] == [
        {"field": "provider_approved", "message": "is allowed only when the answer is approved"}
    ]


@SQLITE
def test_tags_are_held_to_their_limit(ana, staff, ids):
    for title in "ab":
        verdict = {"provider_approved": True}
        approved(ana, staff, ids, verdict, title=title, quantity="9.00", tags=["safety"])
    assert evaluation(ana, ids)["total"] == "12.00"


@SQLITE
def test_what_if_takes_all_that_a_claim_may_state(ana, ids):
    extra = {**COURSE, **STATED, "provider_approved": True, "tags": []}
    path = f"/certifications/{ids[1]}/evaluation"
    assert ana.post(path, {"extra": [extra]}).json["total"] == "30.00"
    assert ana.post(path, {"extra": [extra | {"provider_approved": False}]}).json["total"] == (
        "15.00"
    )
    assert ana.post(path, {"extra": [extra | {"duty": True}]}).json["total"] == "0.00"


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)  # the same on every database
def test_the_fields_are_documented(client):
    schemas = client.get("/api/v1/openapi.json").get_json()["components"]["schemas"]
    for name in ("Activity", "NewActivity", "ActivityChange", "ExtraClaim"):
        assert STATED.keys() <= schemas[name]["properties"].keys(), name
    assert "provider_approved" in schemas["Verdict"]["properties"]
    assert "provider_approved" in schemas["ActivityDecision"]["properties"]
    assert "checks" in schemas["RenewalDecision"]["properties"]
