"""Adjustments over HTTP: who may, what is refused and how, and what everyone sees."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from tests import factories
from tests.api.employers.employer_cases import everything, read
from tests.backends import SQLITE
from tests.services.credentials.test_adjustments import HALF, RULE, under
from tracker.api.credentials.adjustments import AdjustmentSchema, BatchOutcomeSchema, BatchSchema
from tracker.api.credentials.certifications import CertificationDetailSchema
from tracker.api.http.schemas import page_of

UNKNOWN = "01900000-0000-7000-8000-000000000000"


@pytest.fixture
def ids(container):
    return factories.certified(container, date(2021, 12, 25))


@pytest.fixture
def admin(caller):
    return caller("admin")


@pytest.fixture
def ruled(app, container):
    """The application with a CPT that may be extended and reduced."""
    rule = replace(RULE, share_earned=None)
    app.extensions["tracker"] = under(container, extension=rule, reduction=HALF)


def path(ids):
    return f"/certifications/{ids[1]}/adjustments"


def body(**values):
    given = {"extended_to": "2027-06-25", "reason_code": "military", "reason": "In service."}
    return {key: value for key, value in (given | values).items() if value is not None}


def batch(**values):
    return {
        "ref": "storm",
        "scheme": "cpt",
        "expiring_from": "2026-12-01",
        "expiring_to": "2026-12-31",
        "by": {"length": 6, "unit": "months"},
        "reason_code": "disaster",
        "reason": "The storm.",
        "override_reason": "The board said so.",
        **values,
    }


@pytest.mark.usefixtures("ruled")
def test_staff_extend_and_the_detail_shows_both_expiries(staff, ids):
    made = staff.post(path(ids), body())
    shown = read(AdjustmentSchema, made, 201)
    assert (shown["extended_to"], shown["cycle"], shown["number"]) == ("2027-06-25", 1, 1)
    assert made.headers["Location"] == f"/api/v1/adjustments/{shown['id']}"

    told = read(CertificationDetailSchema, staff.get(f"/certifications/{ids[1]}"))
    assert told["standing"]["expires_on"] == "2027-06-25"
    [cycle] = told["cycles"]
    assert (cycle["expires_on"], cycle["unextended_expires_on"]) == ("2027-06-25", "2026-12-25")
    assert told["adjustments"] == [shown]
    before = staff.get(f"/certifications/{ids[1]}?as_of=2026-11-20").json
    assert before["standing"]["expires_on"] == "2026-12-25"
    assert before["cycles"][0]["expires_on"] == "2026-12-25"


@pytest.mark.usefixtures("ruled")
def test_the_list_and_one_of_it_are_the_holders_to_see_and_nobody_elses(
    staff, caller, container, ids
):
    made = [staff.post(path(ids), body(extended_to=f"2027-06-{day}")).json for day in (25, 26, 27)]
    own = caller("holder", holder_id=ids[0])
    assert read(page_of(AdjustmentSchema), own.get(path(ids)))["items"] == made
    assert everything(own, path(ids), limit=2) == made
    one = f"/adjustments/{made[1]['id']}"
    assert read(AdjustmentSchema, own.get(one)) == made[1]

    stranger = caller("holder", holder_id=factories.certified(container, date(2022, 1, 1))[0])
    assert stranger.get(path(ids)).status_code == 404
    assert stranger.get(one).status_code == staff.get(f"/adjustments/{UNKNOWN}").status_code == 404
    assert own.post(path(ids), body()).status_code == 403


@SQLITE
@pytest.mark.usefixtures("ruled")
def test_a_reduction_shows_in_the_evaluation(staff, ids):
    less = body(extended_to=None, points_required="60.00", reason_code="unemployment")
    assert staff.post(path(ids), less).status_code == 201
    told = staff.get(f"/certifications/{ids[1]}/evaluation").json
    assert (told["required"], told["missing"]) == ("60.00", "60.00")


@SQLITE
@pytest.mark.usefixtures("ruled")
@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"extended_to": "2028-01-01"}, "extension_too_long", "extended_to"),
        ({"reason_code": "holidays"}, "not_extendable", "reason_code"),
        ({"extended_to": None, "points_required": "40.00"}, "reduction_refused", "reason_code"),
    ],
)
def test_the_rules_refusals_name_the_field_the_value_and_the_rule(staff, ids, given, code, field):
    asked = body(**given)
    refused = staff.post(path(ids), asked)
    assert (refused.status_code, refused.json["code"]) == (409, code)
    assert (refused.json["field"], refused.json["value"]) == (field, asked[field])
    assert refused.json["rule"].startswith("must ")
    granted = staff.post(path(ids), {**asked, "override_reason": "All the same."})
    assert (granted.status_code, granted.json["override_reason"]) == (201, "All the same.")


BAD_VALUES: list[tuple[dict[str, object], str]] = [
    ({"extended_to": None}, "body"),
    ({"extended_to": "2026-12-25"}, "extended_to"),
    ({"extended_to": None, "points_required": "100.00"}, "points_required"),
    ({"effective_on": "2026-11-22"}, "effective_on"),
    ({"requested_on": "2020-01-01"}, "requested_on"),
    ({"reason": None}, "reason"),
    ({"decided_by": "me"}, "decided_by"),
]


@SQLITE
def test_bad_values_are_named(staff, ids):
    for given, field in BAD_VALUES:
        refused = staff.post(path(ids), body(**given))
        assert refused.status_code == 422, given
        assert [error["field"] for error in refused.json["errors"]] == [field], given


@SQLITE
def test_what_is_not_there_is_not_found(staff):
    assert staff.post(f"/certifications/{UNKNOWN}/adjustments", body()).status_code == 404


@pytest.mark.usefixtures("ruled")
def test_the_same_key_is_the_same_answer_and_a_double_click_is_refused(staff, ids):
    first, again = (staff.post(path(ids), body(), key="k1") for _ in range(2))
    assert (first.status_code, first.json) == (again.status_code, again.json) == (201, first.json)
    clicked = staff.post(path(ids), body())
    assert (clicked.status_code, clicked.json["code"]) == (409, "already_recorded")
    assert len(staff.get(path(ids)).json["items"]) == 1


def test_an_admin_extends_many_after_seeing_whom(admin, ids):
    told = read(BatchOutcomeSchema, admin.post("/adjustments/batches", batch(dry_run=True)), 201)
    assert (told["extended"], told["batch_id"], told["dry_run"]) == (1, None, True)
    [one] = told["certifications"]
    assert (one["certification_id"], one["expires_on"], one["extended_to"]) == (
        ids[1],
        "2026-12-25",
        "2027-06-25",
    )
    assert admin.get("/adjustments/batches").json["items"] == []

    answer = admin.post("/adjustments/batches", batch())
    done = read(BatchOutcomeSchema, answer, 201)
    assert (done["extended"], done["certifications"]) == (1, [one])
    location = f"/adjustments/batches/{done['batch_id']}"
    assert answer.headers["Location"] == f"/api/v1{location}"
    kept = read(BatchSchema, admin.get(location))
    assert (kept["ref"], kept["extended"], kept["request"]["by"]) == ("storm", 1, "6 months")
    assert read(page_of(BatchSchema), admin.get("/adjustments/batches"))["items"] == [kept]
    [made] = read(page_of(AdjustmentSchema), admin.get(f"{location}/adjustments"))["items"]
    assert (made["batch"], made["certification_id"]) == ("storm", ids[1])

    again = read(BatchOutcomeSchema, admin.post("/adjustments/batches", batch()), 201)
    assert (again["repeated"], again["extended"], again["unchanged"]) == (True, 0, 1)
    other = admin.post("/adjustments/batches", batch(reason="Another."))
    assert (other.status_code, other.json["code"]) == (409, "conflict")


def test_staff_see_mass_extensions_but_make_none(staff, caller, ids):
    assert staff.post("/adjustments/batches", batch()).status_code == 403
    assert staff.get("/adjustments/batches").status_code == 200
    assert staff.get(f"/adjustments/batches/{UNKNOWN}").status_code == 404
    assert staff.get(f"/adjustments/batches/{UNKNOWN}/adjustments").status_code == 404
    assert caller("holder", holder_id=ids[0]).get("/adjustments/batches").status_code == 403


NO_SENSE: list[tuple[dict[str, object], str]] = [
    ({"until": "2027-03-01"}, "until"),
    ({"by": {"length": 0, "unit": "days"}}, "by.length"),
    ({"by": {"length": 6, "unit": "weeks"}}, "by.unit"),
    ({"by": {"length": 121, "unit": "months"}}, "by"),
    ({"scheme": "xyz"}, "scheme"),
    ({"holder_refs": ["nobody"]}, "holder_refs"),
    ({"holder_refs": ["x"] * 1001}, "holder_refs"),
    ({"employer_id": UNKNOWN}, "employer_id"),
    ({"region": "297"}, "region"),
]


@SQLITE
def test_a_mass_extension_that_makes_no_sense_is_refused(admin):
    for given, field in NO_SENSE:
        refused = admin.post("/adjustments/batches", batch(**given))
        assert refused.status_code == 422, given
        assert [error["field"] for error in refused.json["errors"]] == [field], given
