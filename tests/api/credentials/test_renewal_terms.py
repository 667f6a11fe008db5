"""Renewing on other terms: late, by re-examination, with checks, shared, carried over."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from tests import factories, ruling
from tests.backends import SQLITE
from tests.conftest import office_of
from tracker.domain.credentials.assessments import AttemptToRecord
from tracker.domain.periods import Duration
from tracker.domain.permissions import SYSTEM
from tracker.domain.points.activities import ActivityVerdict
from tracker.domain.schemes.activity_types import Limits
from tracker.domain.schemes.policies import (
    ApplicationWindow,
    CarryOver,
    LateStep,
    PointsSharing,
    PracticalCheck,
    Reexamination,
)
from tracker.services.credentials import assessments
from tracker.services.points import activities, activity_decisions, activity_rows

AWARDED = date(2021, 12, 25)  # expires December 25, 2026
NAME = {"en": "late", "es": "tarde"}
SIX_MONTHS = Duration(6, "months")


def step(days, **values):
    return LateStep(until=Duration(days, "days"), name=NAME, **values)


@pytest.fixture
def held(app, caller):
    """Certify someone under a changed policy; gives the ids and a caller."""

    def make(*more, **changes):
        container = ruling.rule(app, ruling.shipped(app, **changes), *more)
        ids = factories.certified(container, AWARDED)
        return ids, caller("holder", holder_id=ids[0])

    return make


def earn(app, ids, points, completed_on="2026-01-05", title=None):
    """Log, submit and approve a course of so many hours."""
    with office_of(app).work(SYSTEM) as work:
        course = {
            "category": "CE",
            "type": "third_party",
            "title": title or f"Course {points}",
            "quantity": Decimal(points),
            "completed_on": date.fromisoformat(completed_on),
        }
        made = activities.log(work, ids[1], course)
        activities.submit(work, made)
        version = activity_rows.get(work, made).version
        activity_decisions.decide(
            work,
            made,
            activity_decisions.ReviewerDecision(ActivityVerdict.APPROVED),
            version=version,
        )


def passing(app, ids, on, *, passed=True, modules=("safety",)):
    with office_of(app).work(SYSTEM) as work:
        for module in modules:
            attempt = AttemptToRecord(
                scheme="cpt", module=module, taken_on=date.fromisoformat(on), passed=passed
            )
            made = assessments.record(work, ids[0], attempt)
        return assessments.get(work, made)


def apply(who, ids):
    return who.post(f"/certifications/{ids[1]}/renewals")


def decide(staff, answer, decision="approved", **more):
    path = f"/renewals/{answer.json['id']}/decision"
    return staff.post(path, {"decision": decision, **more}, version=answer.headers["ETag"])


def evaluation(who, ids, **query):
    return who.get(f"/certifications/{ids[1]}/evaluation", query_string=query).json


def quote(who, ids):
    return who.get(f"/renewals/quote?certification_ids={ids[1]}").json


def test_so_late_a_renewal_needs_extra_points_and_costs_more(app, held, staff, clock):
    late = (step(30), step(90, extra_points=Decimal("20.00"), fee=Decimal("50.00")))
    ids, ana = held(late=late)
    earn(app, ids, 100)
    assert quote(ana, ids)["amount"] == "75.00"
    clock.set("2027-01-24")
    assert (quote(ana, ids)["amount"], quote(ana, ids)["late_fees"]) == ("75.00", "0.00")
    clock.set("2027-01-25")
    told = quote(ana, ids)
    assert (told["amount"], told["late_fees"]) == ("125.00", "50.00")
    assert (told["available_from"], told["available_until"]) == ("2027-01-25", "2027-03-25")
    refused = apply(ana, ids)
    assert (refused.json["code"], refused.json["missing"]) == ("points_missing", "20.00")
    assert evaluation(ana, ids)["required"] == "120.00"
    assert evaluation(ana, ids, as_of="2027-01-24")["required"] == "100.00"
    earn(app, ids, 20)
    applied = apply(ana, ids)
    assert (applied.status_code, applied.json["points_counted"]) == (201, "120.00")
    clock.set("2027-03-26")
    assert evaluation(ana, ids)["required"] == "120.00"
    assert decide(staff, applied).json["decision"] == "approved"
    assert evaluation(ana, ids)["required"] == "100.00"


@SQLITE
def test_what_was_earned_late_does_not_count_again_in_the_next_cycle(app, held, staff, clock):
    ids, ana = held(late=(step(60, earns=True),))
    earn(app, ids, 90)
    clock.set("2027-01-10")
    assert (
        ana.post(
            f"/certifications/{ids[1]}/activities",
            {
                "category": "CE",
                "type": "third_party",
                "title": "Late",
                "quantity": "1",
                "completed_on": "2027-01-05",
            },
        ).status_code
        == 201
    )
    earn(app, ids, 30, "2027-01-05")
    assert evaluation(ana, ids)["total"] == "120.00"
    decide(staff, apply(ana, ids))
    clock.set("2027-01-20")
    earn(app, ids, 7, "2027-01-15")
    now = evaluation(ana, ids)
    assert (now["cycle_starts_on"], now["total"]) == ("2026-12-26", "7.00")


@SQLITE
def test_without_late_earning_an_activity_after_the_expiry_is_refused(held, clock):
    ids, ana = held(late=(step(60),))
    clock.set("2027-01-10")
    course = {
        "category": "CE",
        "type": "third_party",
        "title": "Late",
        "quantity": "1",
        "completed_on": "2027-01-05",
    }
    refused = ana.post(f"/certifications/{ids[1]}/activities", course)
    assert refused.json["code"] == "outside_cycle"


@SQLITE
def test_a_step_by_re_examination_takes_no_points(app, held, staff, clock):
    ids, ana = held(
        late=(step(30), step(90, by="reexamination")), reexamination=Reexamination(("safety",))
    )
    earn(app, ids, 100)
    clock.set("2027-02-01")
    refused = apply(ana, ids)
    assert (refused.status_code, refused.json["code"]) == (409, "reexamination_missing")
    passing(app, ids, "2027-01-31")
    assert evaluation(ana, ids)["reexamined_on"] == "2027-01-31"
    applied = apply(ana, ids)
    assert applied.status_code == 201
    decide(staff, applied)
    assert evaluation(ana, ids)["reexamined_on"] is None


def test_a_module_is_passed_again_as_re_examination_only(held, caller):
    rule = Reexamination(("safety",), last=SIX_MONTHS, failure_revokes=True)
    ids, _ = held(reexamination=rule)
    staff = caller("staff")
    path = f"/holders/{ids[0]}/assessments"
    attempt = {"scheme": "cpt", "module": "safety", "taken_on": "2026-06-25", "result": "pass"}
    early = staff.post(path, attempt)
    assert (early.status_code, early.json["code"]) == (409, "already_passed")
    other = staff.post(path, attempt | {"module": "quality", "taken_on": "2026-07-01"})
    assert other.json["code"] == "already_passed"
    failed = staff.post(path, attempt | {"taken_on": "2026-06-26", "result": "fail"})
    assert failed.status_code == 201
    assert "leads to revocation" in failed.json["warnings"][0]
    too_soon = staff.post(path, attempt | {"taken_on": "2026-07-01"})
    assert too_soon.json["code"] == "retake_too_soon"
    again = staff.post(path, attempt | {"taken_on": "2026-08-01"})
    assert (again.status_code, again.json["warnings"]) == (201, [])
    twice = staff.post(path, attempt | {"taken_on": "2026-09-01"})
    assert twice.json["code"] == "already_passed"
    told = evaluation(staff, ids)
    assert (told["complete"], told["reexamined_on"]) == (True, "2026-08-01")


@SQLITE
def test_the_checks_of_the_policy_are_confirmed_with_an_approval(app, held, staff):
    checks = (PracticalCheck("practical", NAME), PracticalCheck("vision", NAME))
    ids, ana = held(checks=checks)
    earn(app, ids, 100)
    applied = apply(ana, ids)
    refused = decide(staff, applied, checks=["vision"])
    assert (refused.status_code, refused.json["code"]) == (409, "check_missing")
    assert refused.json["missing"] == ["practical"]
    unknown = decide(staff, applied, checks=["vision", "practical", "hearing"])
    assert unknown.json["errors"] == [
        {
            "field": "checks",
            "message": "hearing: not required by the policy; must be one or more of: practical, "
            "vision",
        }
    ]
    assert decide(staff, applied, checks=["vision", "practical"]).status_code == 200


@SQLITE
def test_a_denial_needs_no_checks(app, held, staff):
    ids, ana = held(checks=(PracticalCheck("practical", NAME),))
    earn(app, ids, 100)
    assert decide(staff, apply(ana, ids), "denied", reason="Unpaid.").status_code == 200


@SQLITE
def test_a_window_may_be_counted_from_the_start_of_the_cycle(app, held, staff, clock):
    ids, ana = held(window=ApplicationWindow(Duration(4, "years"), counted_from="start"))
    clock.set("2025-12-24")
    earn(app, ids, 100, "2022-01-05")
    refused = apply(ana, ids)
    assert (refused.json["code"], refused.json["opens_on"]) == ("window_not_open", "2025-12-25")
    clock.set("2025-12-25")
    applied = apply(ana, ids)
    assert applied.status_code == 201
    decide(staff, applied)
    assert apply(ana, ids).json["opens_on"] == "2030-12-26"


@SQLITE
def test_minima_beside_the_total_are_told_by_what_they_are_of(app, held):
    shipped = ruling.shipped(app)
    needed = replace(shipped.types["volunteer"], limits=Limits(minimum=Decimal("5.00")))
    ids, ana = held(types={**shipped.types, "volunteer": needed}, minimum_per_year=Decimal("1.00"))
    earn(app, ids, 100)
    refused = apply(ana, ids).json
    assert refused["missing"] == "0.00"
    assert refused["missing_by_type"] == {"volunteer": "5.00"}
    assert set(refused["missing_by_year"].values()) == {"1.00"}
    assert "Minima not reached: 5.00 of type volunteer" in refused["detail"]


@SQLITE
def test_surplus_is_carried_over(app, held, staff, clock):
    ids, ana = held(carry_over=CarryOver(Decimal(40), last=Duration(12, "months")))
    earn(app, ids, 130)
    assert evaluation(ana, ids)["carries_over"] == "30.00"
    decide(staff, apply(ana, ids))
    clock.set("2026-12-26")
    now = evaluation(ana, ids)
    assert (now["carried_over"], now["total"], now["missing"]) == ("30.00", "30.00", "70.00")


@SQLITE
def test_the_version_that_is_better_for_the_holder_governs(app, held, staff):
    newer = ruling.shipped(
        app,
        version="2025",
        effective_from=date(2025, 1, 1),
        applies="more_favourable",
        points_required=Decimal(80),
        checks=(PracticalCheck("practical", NAME),),
    )
    ids, ana = held(newer)
    earn(app, ids, 90)
    assert evaluation(ana, ids)["policy"] == "2025"
    assert evaluation(ana, ids, as_of="2024-12-31")["policy"] == "2015"
    applied = apply(ana, ids)
    assert applied.status_code == 201
    assert decide(staff, applied).json["code"] == "check_missing"
    assert decide(staff, applied, checks=["practical"]).status_code == 200


@pytest.fixture
def two(app, held):
    """Someone certified under two schemes that share activities."""
    ids, ana = held(sharing=PointsSharing(frozenset({"clt"}), points_required=Decimal(45)))
    with office_of(app).work(SYSTEM) as work:
        for scheme, module in (("cla", "associate"), ("clt", "technician")):
            on = date(2025, 6, 30)
            attempt = AttemptToRecord(scheme=scheme, module=module, taken_on=on, passed=True)
            assessments.record(work, ids[0], attempt)
        clt = factories.certification(work, ids[0], "clt").id
    return ids, (ids[0], clt), ana


def test_activities_of_a_shared_scheme_count_once_and_for_fewer_points(app, two, staff):
    cpt, clt, ana = two
    assert evaluation(ana, cpt)["required"] == "45.00"
    assert evaluation(ana, cpt, as_of="2025-06-29")["required"] == "100.00"
    earn(app, cpt, 20)
    earn(app, clt, 20)
    earn(app, clt, 5)
    told = evaluation(ana, cpt)
    assert (told["total"], len(told["credits"])) == ("25.00", 2)
    assert evaluation(ana, clt)["total"] == "25.00"
    assert apply(ana, cpt).json["code"] == "points_missing"
    asked = {
        "category": "CE",
        "type": "third_party",
        "title": "More",
        "quantity": "20",
        "completed_on": "2026-02-01",
    }
    more = ana.post(f"/certifications/{clt[1]}/activities", asked).json["id"]
    handed_in = ana.post(f"/activities/{more}/submission")
    assert evaluation(ana, cpt)["pending_points"] == "20.00"
    applied = apply(ana, cpt)
    counted = applied.json["points_counted"], applied.json["points_if_approved"]
    assert counted == ("25.00", "45.00")
    waiting = decide(staff, applied).json
    assert (waiting["code"], waiting["waiting"]) == ("points_pending", [more])
    path = f"/activities/{more}/decision"
    staff.post(path, {"verdict": "approved"}, version=handed_in.headers["ETag"])
    assert decide(staff, applied).status_code == 200


@SQLITE
def test_who_gave_the_other_certification_up_needs_all_points(two, staff):
    cpt, clt, ana = two
    why = {"reason_code": "own_wish", "reason": "Retired."}
    assert staff.post(f"/certifications/{clt[1]}/surrender", why).status_code == 201
    assert evaluation(ana, cpt)["required"] == "100.00"
    assert evaluation(ana, cpt, as_of="2026-11-20")["required"] == "45.00"
