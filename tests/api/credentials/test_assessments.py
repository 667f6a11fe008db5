"""Recording module passes: awards, retakes, double clicks, centers."""

from __future__ import annotations

import threading
from datetime import date

import pytest

from tests import factories
from tests.backends import SQLITE
from tracker.domain.permissions import SYSTEM

DAY = "2024-03-01"


def attempt(module="safety", taken_on=DAY, result="pass", **more):
    return {"scheme": "cpt", "module": module, "taken_on": taken_on, "result": result, **more}


@pytest.fixture
def ana(container):
    with container.work(SYSTEM) as work:
        return factories.holder(work)


def certifications(staff, holder_id):
    return staff.get(f"/certifications?holder_id={holder_id}").json["items"]


def test_the_last_required_pass_awards_the_certification_at_once(staff, ana):
    for module in ("safety", "quality", "processes"):
        assert staff.post(f"/holders/{ana}/assessments", attempt(module)).status_code == 201
    assert certifications(staff, ana) == []
    staff.post(f"/holders/{ana}/assessments", attempt("maintenance", "2025-06-10"))
    [held] = certifications(staff, ana)
    assert held["awarded_on"] == "2025-06-10"
    assert held["standing"]["expires_on"] == "2030-06-10"
    assert held["standing"]["status"] == "active"


@SQLITE
def test_the_optional_module_neither_helps_nor_hinders(staff, ana):
    for module in ("safety", "quality", "processes", "green"):
        staff.post(f"/holders/{ana}/assessments", attempt(module))
    assert certifications(staff, ana) == []
    staff.post(f"/holders/{ana}/assessments", attempt("maintenance"))
    assert certifications(staff, ana)[0]["awarded_on"] == DAY


@SQLITE
def test_an_early_retake_is_refused_with_the_first_lawful_day(staff, ana):
    staff.post(f"/holders/{ana}/assessments", attempt(taken_on="2026-01-01", result="fail"))
    refused = staff.post(f"/holders/{ana}/assessments", attempt(taken_on="2026-01-16"))
    assert (refused.status_code, refused.json["code"]) == (409, "retake_too_soon")
    assert refused.json["lawful_on"] == "2026-01-17"
    lawful = staff.post(f"/holders/{ana}/assessments", attempt(taken_on="2026-01-17"))
    assert lawful.status_code == 201


@SQLITE
def test_staff_may_override_the_wait_with_a_reason_that_stays_on_record(staff, ana):
    staff.post(f"/holders/{ana}/assessments", attempt(taken_on="2026-01-01", result="fail"))
    early = attempt(taken_on="2026-01-02", override_reason="power failure at the center")
    made = staff.post(f"/holders/{ana}/assessments", early)
    assert made.status_code == 201
    assert made.json["override_reason"] == "power failure at the center"


@SQLITE
def test_a_module_passed_before_is_not_taken_again(staff, ana):
    staff.post(f"/holders/{ana}/assessments", attempt())
    again = staff.post(f"/holders/{ana}/assessments", attempt(taken_on="2026-03-01"))
    assert (again.status_code, again.json["code"]) == (409, "already_passed")


@SQLITE
def test_a_day_in_the_future_is_refused_by_field(staff, ana):
    refused = staff.post(f"/holders/{ana}/assessments", attempt(taken_on="2026-11-22"))
    assert refused.status_code == 422
    assert refused.json["errors"][0]["field"] == "taken_on"


BAD_VALUES: list[tuple[dict[str, object], str]] = [
    ({"module": "welding"}, "module"),
    ({"scheme": "xyz"}, "scheme"),
    ({"result": "passed"}, "result"),
    ({"score": 95}, "score"),
    ({"score": "1e3"}, "score"),
    ({"taken_on": "03/04/2026"}, "taken_on"),
    ({"taken_on": "2026-02-30"}, "taken_on"),
    ({"delivery": "by_mail"}, "delivery"),
    ({"edition": "9.9"}, "edition"),
    ({"proctor": "Kim Soto", "instructor": "kim  soto"}, "proctor"),
    ({"amount": "45.00"}, "funding"),
    ({"points": "5"}, "points"),
    ({"center_id": "01900000-0000-7000-8000-000000000000"}, "center_id"),
]


@SQLITE
def test_a_bad_value_is_refused_by_the_name_of_its_field(staff, ana):
    for change, field in BAD_VALUES:
        refused = staff.post(f"/holders/{ana}/assessments", attempt(**change))
        assert refused.status_code == 422, change
        assert field in {error["field"] for error in refused.json["errors"]}, change
        assert staff.get(f"/holders/{ana}/assessments").json["items"] == [], change


def test_the_same_attempt_twice_is_one_row(staff, ana):
    assert staff.post(f"/holders/{ana}/assessments", attempt(result="fail")).status_code == 201
    again = staff.post(f"/holders/{ana}/assessments", attempt(result="fail"))
    assert (again.status_code, again.json["code"]) == (409, "already_recorded")
    assert len(staff.get(f"/holders/{ana}/assessments").json["items"]) == 1


def test_two_processes_that_record_the_last_two_passes_at_once_award_once(caller, container, ana):
    with container.work(SYSTEM) as work:
        factories.passed(work, ana, date(2024, 3, 1), modules=("safety", "quality"))
    gate = threading.Barrier(2)
    answers = []

    def send(module):
        staff = caller("staff")
        gate.wait()
        answers.append(staff.post(f"/holders/{ana}/assessments", attempt(module)).status_code)

    threads = [threading.Thread(target=send, args=(m,)) for m in ("processes", "maintenance")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [201, 201]
    assert len(certifications(caller("staff"), ana)) == 1


def test_ten_clicks_with_one_key_are_one_attempt_and_ten_equal_answers(caller, ana):
    staff = caller("staff")
    gate = threading.Barrier(10)
    answers = []

    def send():
        gate.wait()
        made = staff.post(f"/holders/{ana}/assessments", attempt(), key="click-1")
        answers.append((made.status_code, made.data))

    threads = [threading.Thread(target=send) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(answers)) == 1
    assert answers[0][0] == 201
    assert len(staff.get(f"/holders/{ana}/assessments").json["items"]) == 1


def test_the_same_key_with_another_body_is_refused(staff, ana):
    staff.post(f"/holders/{ana}/assessments", attempt(), key="k")
    other = staff.post(f"/holders/{ana}/assessments", attempt("quality"), key="k")
    assert other.status_code == 422
    assert other.json["errors"][0]["field"] == "Idempotency-Key"


def test_an_assessment_at_a_center_whose_approval_lapsed_needs_a_reason_and_is_flagged(staff, ana):
    center = staff.post(
        "/centers",
        {
            "name": "Ivy Tech",
            "code": "IN-7",
            "category": "community_college",
            "approvals": [{"approved_on": "2020-01-01", "lapses_on": "2023-12-31"}],
        },
    ).json["id"]
    refused = staff.post(f"/holders/{ana}/assessments", attempt(center_id=center))
    assert [error["field"] for error in refused.json["errors"]] == ["center_id"]
    assert "was not approved on 2024-03-01" in refused.json["errors"][0]["message"]
    why = {"override_reason": "The renewal was late."}
    made = staff.post(f"/holders/{ana}/assessments", attempt(center="IN-7", **why)).json
    assert made["center_id"] == center
    assert made["warnings"] == ["Assessment center Ivy Tech was not approved on 2024-03-01."]
    renewed = {"approved_on": "2024-04-01", "lapses_on": None}
    assert staff.post(f"/centers/{center}/approvals", renewed).status_code == 201
    later = staff.post(
        f"/holders/{ana}/assessments", attempt("quality", "2024-04-01", center_id=center)
    )
    assert later.json["warnings"] == []
    assert staff.get(f"/assessments/{made['id']}").json["warnings"] == made["warnings"]


def test_an_unknown_center_is_refused_with_near_names(staff, ana):
    staff.post("/centers", {"name": "Ivy Tech", "code": "IN-7", "category": "employer"})
    refused = staff.post(f"/holders/{ana}/assessments", attempt(center="Ivy Teck"))
    [error] = refused.json["errors"]
    assert error["field"] == "center"
    assert error["message"].endswith("did you mean 'Ivy Tech'?")


def test_what_is_said_of_an_attempt_is_kept_and_amended(staff, ana):
    said = {
        "edition": "4.0",
        "proctor": "Kim Soto",
        "instructor": "Jo Lee",
        "funding": "wioa",
        "amount": "45.00",
        "funding_reference": "ITA 7",
    }
    made = staff.post(f"/holders/{ana}/assessments", attempt(**said)).json
    assert said.items() <= made.items()
    path = f"/assessments/{made['id']}/amendment"
    same = staff.post(path, {"reason": "x", "instructor": "SOTO, Kím"})
    assert [error["field"] for error in same.json["errors"]] == ["proctor"]
    amended = staff.post(path, {"reason": "The voucher was used.", "amount": "90.00"})
    assert (amended.json["amount"], amended.json["proctor"]) == ("90.00", "Kim Soto")


def paid_by(funding, amount=None, reference=None):
    return {"funding": funding, "amount": amount, "funding_reference": reference}


def test_an_attempt_has_several_sources_that_are_amended_as_a_whole(staff, ana):
    more = [paid_by("employer", "20.00", "PO 12"), paid_by("self", "5.50")]
    made = staff.post(
        f"/holders/{ana}/assessments",
        attempt(funding="wioa", amount="45.00", more_funding=more),
    ).json
    assert (made["funding"], made["amount"], made["more_funding"]) == ("wioa", "45.00", more)
    assert staff.get(f"/assessments/{made['id']}").json["more_funding"] == more

    path = f"/assessments/{made['id']}/amendment"
    said = {"reason": "The college paid.", "more_funding": [{"funding": "college"}]}
    preview = staff.post(path, {**said, "preview": True}).json
    assert preview["more_funding"] == [paid_by("college")]
    assert staff.get(f"/assessments/{made['id']}").json["more_funding"] == more
    assert staff.post(path, said).json["more_funding"] == [paid_by("college")]
    again = staff.post(path, said)
    assert [error["field"] for error in again.json["errors"]] == ["more_funding"]
    told = staff.get(f"/history?subject=assessment&subject_id={made['id']}").json["items"]
    [change] = [one for one in told if one["action"] == "amend"]
    assert [(one["field"], one["before"], one["after"]) for one in change["changes"]] == [
        ("more_funding", more, [paid_by("college")])
    ]


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"more_funding": [{"funding": "self"}]}, "more_funding"),
        ({"funding": "self", "more_funding": [{"funding": "self"}]}, "more_funding"),
        ({"funding": "self", "more_funding": [{"amount": "5"}]}, "more_funding.0.funding"),
        ({"funding": "self", "more_funding": [{"funding": "lottery"}]}, "more_funding.0.funding"),
        ({"funding": "self", "more_funding": [{"funding": "wioa"}] * 4}, "more_funding"),
    ],
)
def test_sources_that_break_a_rule_are_refused(staff, ana, said, field):
    refused = staff.post(f"/holders/{ana}/assessments", attempt(**said))
    assert [error["field"] for error in refused.json["errors"]] == [field]


def test_a_center_is_corrected_and_no_code_is_used_twice(staff):
    ivy, nto = (
        staff.post("/centers", {"name": name, "code": code, "category": "employer"})
        for name, code in (("Ivy Tech", "IN-7"), ("NTO", "SC-1"))
    )
    path = f"/centers/{ivy.json['id']}"
    assert staff.patch(path, {"code": "SC-1"}, version=ivy.headers["ETag"]).status_code == 409
    fixed = staff.patch(path, {"code": "IN-8"}, version=ivy.headers["ETag"])
    assert (fixed.status_code, fixed.json["code"]) == (200, "IN-8")
    assert staff.patch(path, {"code": "IN-9"}, version=ivy.headers["ETag"]).status_code == 412
    taken = staff.post("/centers", {"name": "Other", "code": "SC-1", "category": "employer"})
    assert (taken.status_code, nto.status_code) == (409, 201)


def test_a_center_is_registered_once_and_its_approvals_are_checked(staff):
    center = {"name": "Northside High", "category": "secondary_school"}
    made = staff.post("/centers", center)
    assert made.status_code == 201
    assert staff.post("/centers", center).json["code"] == "already_recorded"
    path = f"/centers/{made.json['id']}/approvals"
    bad = staff.post(path, {"approved_on": "2024-01-02", "lapses_on": "2024-01-01"})
    assert bad.status_code == 422
    good = {"approved_on": "2024-01-02"}
    assert staff.post(path, good).status_code == 201
    assert staff.post(path, good).status_code == 409
    listed = staff.get("/centers?category=secondary_school").json["items"]
    assert [c["approvals"] for c in listed] == [[{"approved_on": "2024-01-02", "lapses_on": None}]]
    unknown = "/centers/01900000-0000-7000-8000-000000000000"
    assert staff.get(unknown).status_code == 404
    assert staff.post(f"{unknown}/approvals", good).status_code == 404


def test_voiding_a_pass_corrects_what_followed_from_it(staff, ana):
    ids = {
        module: staff.post(f"/holders/{ana}/assessments", attempt(module)).json["id"]
        for module in factories.REQUIRED
    }
    assert len(certifications(staff, ana)) == 1
    voided = staff.post(f"/assessments/{ids['safety']}/void", {"reason": "wrong person"})
    assert voided.json["void_reason"] == "wrong person"
    assert certifications(staff, ana)[0]["standing"]["status"] == "withdrawn"
    again = staff.post(f"/assessments/{ids['safety']}/void", {"reason": "wrong person"})
    assert again.status_code == 409
    staff.post(f"/holders/{ana}/assessments", attempt("safety", "2024-07-01"))
    assert certifications(staff, ana)[0]["awarded_on"] == "2024-07-01"


@SQLITE
def test_voiding_a_later_entered_pass_dates_the_award_back(staff, ana):
    for module in ("safety", "quality", "processes"):
        staff.post(f"/holders/{ana}/assessments", attempt(module))
    late = staff.post(f"/holders/{ana}/assessments", attempt("maintenance", "2024-09-01")).json[
        "id"
    ]
    staff.post(f"/assessments/{late}/void", {"reason": "typing error"})
    staff.post(f"/holders/{ana}/assessments", attempt("maintenance", "2024-08-01"))
    assert certifications(staff, ana)[0]["awarded_on"] == "2024-08-01"


@SQLITE
def test_the_clt_is_awarded_when_its_prerequisite_is(staff, ana):
    clt = {"scheme": "clt", "module": "technician", "taken_on": "2024-05-01", "result": "pass"}
    assert staff.post(f"/holders/{ana}/assessments", clt).status_code == 201
    assert certifications(staff, ana) == []
    cla = {"scheme": "cla", "module": "associate", "taken_on": "2024-06-01", "result": "pass"}
    staff.post(f"/holders/{ana}/assessments", cla)
    held = {c["scheme"]: c for c in certifications(staff, ana)}
    assert held["clt"]["awarded_on"] == "2024-06-01"
    assert held["clt"]["standing"]["expires_on"] == "2029-06-01"
    assert held["cla"]["standing"]["expires_on"] is None
    assert held["cla"]["standing"]["status"] == "active"


@SQLITE
def test_only_staff_record_passes(caller, ana):
    own = caller("holder", holder_id=ana)
    refused = own.post(f"/holders/{ana}/assessments", attempt())
    assert (refused.status_code, refused.json["code"]) == (403, "not_allowed")
    assert own.get(f"/holders/{ana}/assessments").json["items"] == []
