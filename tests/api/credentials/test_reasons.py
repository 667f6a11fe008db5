"""Reason codes over HTTP: the list, and every route that takes one."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from tests import factories
from tests.api.conftest import Caller
from tests.api.employers.employer_cases import read
from tests.backends import SQLITE
from tests.services.credentials.test_adjustments import HALF, RULE, under
from tracker.api.credentials.reasons import ReasonSchema
from tracker.domain.schemes.reasons import ACTS, FAMILIES

CHANGES = ("suspension", "revocation", "reinstatement", "surrender")
COURSE = {
    "category": "CE",
    "type": "third_party",
    "title": "Robot Safety",
    "provider": "Amatrol",
    "quantity": "8.00",
    "completed_on": "2026-01-05",
}
LONGER = {"extended_to": "2027-06-25", "reason": "In service.", "override_reason": "The board."}
BATCH = {
    "ref": "storm",
    "scheme": "cpt",
    "expiring_from": "2026-12-01",
    "expiring_to": "2026-12-31",
    "by": {"length": 6, "unit": "months"},
    "reason": "The storm.",
    "override_reason": "The board.",
}


@pytest.fixture
def ids(container):
    return factories.certified(container, date(2021, 12, 25))


@pytest.fixture
def admin(caller):
    return caller("admin")


@pytest.fixture
def lenient(app, container):
    """The application with a CPT whose policy names reasons of its own."""
    rule = replace(RULE, reasons=("parental_leave",), share_earned=None)
    half = replace(HALF, reasons=("retired_part_time",))
    app.extensions["tracker"] = under(container, extension=rule, reduction=half)


def listed(who, query=""):
    return read(ReasonSchema, who.get(f"/reasons{query}"))


def submitted(staff, ids):
    """The holder's activity that waits for an answer."""
    container = staff.client.application.extensions["tracker"]
    ana = Caller(staff.client, factories.secret(container, "holder", holder_id=ids[0]))
    made = ana.post(f"/certifications/{ids[1]}/activities", COURSE)
    return ana.post(f"/activities/{made.json['id']}/submission")


def refused(answer, field="reason_code"):
    """The problem of a code that is refused."""
    assert (answer.status_code, answer.json["code"]) == (422, "unknown_reason"), answer.json
    assert [error["field"] for error in answer.json["errors"]] == [field]
    return answer.json


@SQLITE
def test_everybody_may_read_the_list_in_both_languages(anonymous, staff):
    shown = listed(anonymous)

    assert shown == listed(staff)
    assert {r["code"] for r in shown} >= {"exam_conduct", "mistake", "other", "gap_restored"}
    assert all(set(r["text"]) == {"en", "es"} for r in shown)
    assert [r["code"] for r in shown if r["own_words"]] == ["other"]


@SQLITE
def test_the_list_of_an_act_is_what_its_door_takes(anonymous, container):
    for act in ACTS:
        [family] = [each for each in FAMILIES if act in each]
        shown = listed(anonymous, f"?act={act}")

        assert [r["code"] for r in shown] == [r.code for r in container.reasons.for_act(act)], act
        assert all(set(r["acts"]) & set(family) for r in shown), act


@SQLITE
def test_an_act_that_is_none_is_refused_with_those_there_are(anonymous):
    assert anonymous.get("/reasons?act=sacking").status_code == 422


@SQLITE
@pytest.mark.usefixtures("lenient")
def test_reasons_that_only_a_policy_names_stand_at_the_end_with_their_scheme(anonymous):
    extra = [r for r in listed(anonymous) if r["schemes"]]

    assert [(r["code"], r["acts"], r["schemes"]) for r in extra] == [
        ("parental_leave", ["extension"], ["cpt"]),
        ("retired_part_time", ["reduction"], ["cpt"]),
    ]
    assert extra[0]["text"] == {"en": "parental leave", "es": "parental leave"}
    assert extra == [r for r in listed(anonymous, "?act=reduction") if r["schemes"]]
    assert [r for r in listed(anonymous, "?act=suspension") if r["schemes"]] == []


UNKNOWN_CODES = ["x", "CONDUCT", "illness", "exam-conduct"]


@SQLITE
@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_standing_refuses_an_unknown_code_and_changes_nothing(staff, ids, change):
    for code in UNKNOWN_CODES:
        path = f"/certifications/{ids[1]}"
        before = staff.get(path).json
        told = refused(staff.post(f"{path}/{change}", {"reason_code": code, "reason": "So."}))

        assert "exam_conduct" in told["choices"], code
        assert staff.get(path).json == before, code


@SQLITE
@pytest.mark.parametrize("code", ["conduct", "fee", "mistake", "exam_conduct", "imported"])
def test_a_suspension_and_its_end_take_any_code_of_standing(staff, ids, code):
    path, why = f"/certifications/{ids[1]}", {"reason_code": code, "reason": "So."}

    assert staff.post(f"{path}/suspension", why).status_code == 201
    assert staff.post(f"{path}/reinstatement", why).status_code == 201


def test_a_holder_surrenders_under_a_listed_code_only(caller, ids):
    ana, path = caller("holder", holder_id=ids[0]), f"/certifications/{ids[1]}/surrender"
    told = refused(ana.post(path, {"reason_code": "my wish", "reason": "Retired."}))
    taken = ana.post(path, {"reason_code": "own_wish", "reason": "Retired."})

    assert (told["near"], taken.status_code) == (["own_wish"], 201)


@SQLITE
@pytest.mark.parametrize("verdict", ["rejected", "more_information", "approved"])
def test_a_decision_on_an_activity_refuses_an_unknown_code(staff, ids, verdict):
    waiting = submitted(staff, ids)
    path = f"/activities/{waiting.json['id']}/decision"
    body = {"verdict": verdict, "reason_code": "illegible", "reason": "Blurred."}
    told = refused(staff.post(path, body, version=waiting.headers["ETag"]))

    assert told["near"] == ["illegible_evidence"]
    assert staff.get(f"/activities/{waiting.json['id']}").json == waiting.json
    body["reason_code"] = "illegible_evidence"
    assert staff.post(path, body, version=waiting.headers["ETag"]).status_code == 200


@SQLITE
def test_an_approval_needs_no_code(staff, ids):
    waiting = submitted(staff, ids)
    path = f"/activities/{waiting.json['id']}/decision"
    done = staff.post(path, {"verdict": "approved"}, version=waiting.headers["ETag"])

    assert (done.status_code, done.json["decision"]["reason_code"]) == (200, None)


@SQLITE
def test_fewer_points_are_explained_by_a_code(staff, ids):
    waiting = submitted(staff, ids)
    path = f"/activities/{waiting.json['id']}/decision"
    body = {"verdict": "approved", "points_limit": "4.00", "reason_code": "fewer_hours_shown"}

    assert staff.post(path, body, version=waiting.headers["ETag"]).status_code == 200


@SQLITE
def test_other_needs_words_also_where_an_approval_needs_none(staff, ids):
    waiting = submitted(staff, ids)
    path = f"/activities/{waiting.json['id']}/decision"
    body = {"verdict": "approved", "points_limit": "4.00", "reason_code": "other"}
    refused(staff.post(path, body, version=waiting.headers["ETag"]), "reason")
    body["reason"] = "Half of it was a lunch."

    assert staff.post(path, body, version=waiting.headers["ETag"]).status_code == 200


NO_WORDS = ["other", "Other", "OTRO", "."]


@SQLITE
def test_repeating_the_code_is_not_words_of_ones_own(staff, ids):
    path = f"/certifications/{ids[1]}/suspension"
    for words in NO_WORDS:
        told = refused(staff.post(path, {"reason_code": "other", "reason": words}), "reason")

        assert [error["field"] for error in told["errors"]] == ["reason"], words
        assert staff.get(f"/certifications/{ids[1]}").json["standing"]["valid"] is True, words


@pytest.mark.usefixtures("lenient")
def test_an_adjustment_takes_the_codes_of_the_list_and_of_the_policy_and_no_others(staff, ids):
    path = f"/certifications/{ids[1]}/adjustments"
    told = refused(staff.post(path, {**LONGER, "reason_code": "parental leave"}))
    made = staff.post(path, {**LONGER, "reason_code": "parental_leave"})
    listed_too = staff.post(
        path, {**LONGER, "extended_to": "2027-07-25", "reason_code": "disaster"}
    )

    assert told["near"] == ["parental_leave"]
    assert (made.status_code, listed_too.status_code) == (201, 201)


@SQLITE
@pytest.mark.usefixtures("ids")
def test_a_mass_extension_refuses_an_unknown_code_also_when_it_is_only_tried(admin):
    told = refused(admin.post("/adjustments/batches", {**BATCH, "reason_code": "storm"}))
    refused(admin.post("/adjustments/batches", {**BATCH, "reason_code": "storm", "dry_run": True}))
    done = admin.post("/adjustments/batches", {**BATCH, "reason_code": "disaster"})

    assert "disaster" in told["choices"]
    assert (done.status_code, done.json["extended"]) == (201, 1)
