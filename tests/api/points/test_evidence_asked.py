"""Evidence by type: told before a claim is submitted, and required where the policy says so."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from tests import factories
from tests.api.employers.employer_cases import read
from tests.api.points.test_evidence import picture, send
from tests.backends import SQLITE
from tests.services.credentials.test_adjustments import under
from tracker.api.credentials.schemes import SchemeSchema
from tracker.api.http.schemas import page_of
from tracker.api.points.activities import ActivitySchema

COURSE = {
    "category": "CE",
    "type": "third_party",
    "title": "Lean course",
    "quantity": "20.00",
    "completed_on": "2026-01-05",
}
PROOF = {
    "en": "a certificate of completion that shows the hours",
    "es": "un certificado de finalización que muestre las horas",
}
JOB = {
    "category": "E",
    "type": "employment_full_time",
    "title": "Technician",
    "starts_on": "2025-01-01",
}


@pytest.fixture
def ids(container):
    return factories.certified(container, date(2024, 3, 1))


@pytest.fixture
def ana(caller, ids):
    return caller("holder", holder_id=ids[0])


@pytest.fixture
def strict(app, container):
    """The application with a CPT that requires a file with every course."""
    types = dict(container.schemes["cpt"].policies[0].types)
    types["third_party"] = replace(types["third_party"], evidence="required")
    app.extensions["tracker"] = under(container, types=types)


def drafted(who, ids, body=COURSE):
    return read(ActivitySchema, who.post(f"/certifications/{ids[1]}/activities", body), 201)


@SQLITE
def test_every_type_of_the_catalogue_says_what_it_asks_for(anonymous):
    shown = read(SchemeSchema, anonymous.get("/schemes/cpt"))["policies"][0]
    types = {kind["code"]: kind for kind in shown["types"]}

    assert {kind["evidence"] for kind in types.values()} == {"asked"}
    assert types["third_party"]["evidence_kinds"] == PROOF
    assert (types["third_party"]["warn_above"], types["volunteer"]["warn_above"]) == (
        "200.00",
        None,
    )
    assert any("evidence lists are not public" in entry for entry in shown["unverified"])


def test_an_activity_says_what_its_type_asks_for_before_it_is_submitted(ana, staff, ids):
    made = drafted(ana, ids)
    job = drafted(ana, ids, JOB)
    listed = read(page_of(ActivitySchema), ana.get(f"/certifications/{ids[1]}/activities"))["items"]

    assert made["evidence_asked"] == {"evidence": "asked", "kinds": PROOF}
    assert job["evidence_asked"]["kinds"]["en"].startswith("a letter from the employer")
    assert [each["evidence_asked"] for each in listed] == [
        made["evidence_asked"],
        job["evidence_asked"],
    ]
    assert read(page_of(ActivitySchema), staff.get("/activities"))["items"] == listed


@SQLITE
def test_what_is_only_asked_for_is_submitted_without_a_file(ana, ids):
    handed_in = ana.post(f"/activities/{drafted(ana, ids)['id']}/submission")

    assert (handed_in.status_code, handed_in.json["state"]) == (200, "submitted")


@pytest.mark.usefixtures("strict")
def test_what_requires_a_file_is_refused_by_name_and_submitted_once_one_is_there(ana, ids):
    made = drafted(ana, ids)
    submission = f"/activities/{made['id']}/submission"
    refused = ana.post(submission)
    add_at = refused.json["add_at"]
    sent = send(ana, made["id"], picture())
    accepted = ana.post(submission)

    assert made["evidence_asked"] == {"evidence": "required", "kinds": PROOF}
    assert (refused.status_code, refused.json["code"]) == (409, "evidence_missing")
    assert (refused.json["type"], refused.json["evidence_kinds"]) == ("third_party", PROOF)
    assert add_at == f"POST /api/v1/activities/{made['id']}/evidence"
    assert add_at in refused.json["detail"]
    assert PROOF["en"] in refused.json["detail"]
    assert (sent.status_code, accepted.status_code) == (201, 200)


@SQLITE
@pytest.mark.usefixtures("strict")
def test_staff_submit_for_a_holder_by_the_same_rule(staff, ids):
    made = drafted(staff, ids)

    assert staff.post(f"/activities/{made['id']}/submission").json["code"] == "evidence_missing"


@SQLITE
@pytest.mark.usefixtures("strict")
def test_a_file_that_was_taken_away_again_does_not_help(ana, ids):
    made = drafted(ana, ids)
    sent = send(ana, made["id"], picture())
    ana.delete(f"/evidence/{sent.json['id']}")

    assert ana.post(f"/activities/{made['id']}/submission").json["code"] == "evidence_missing"


@SQLITE
@pytest.mark.usefixtures("strict")
def test_other_types_need_no_file(ana, ids):
    assert ana.post(f"/activities/{drafted(ana, ids, JOB)['id']}/submission").status_code == 200
