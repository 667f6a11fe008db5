"""Applying, deciding, the next cycle, quotes."""

from __future__ import annotations

import threading
from datetime import date
from decimal import Decimal

import pytest

from tests import factories
from tests.backends import SQLITE
from tracker.domain.credentials.assessments import AttemptToRecord
from tracker.domain.permissions import SYSTEM
from tracker.domain.points.activities import ActivityVerdict
from tracker.services.credentials import assessments
from tracker.services.points import activities, activity_decisions, activity_rows


@pytest.fixture
def ids(container):
    return factories.certified(container, date(2021, 12, 25))  # expires December 25, 2026


@pytest.fixture
def ana(caller, ids):
    return caller("holder", holder_id=ids[0])


def earn(container, ids, points, completed_on="2026-01-05"):
    """Log, submit and approve a course of so many hours."""
    with container.work(SYSTEM) as work:
        course = {
            "category": "CE",
            "type": "third_party",
            "title": f"Course {points}",
            "quantity": points,
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


def apply(who, ids, **options):
    return who.post(f"/certifications/{ids[1]}/renewals", **options)


def decide(staff, answer, decision="approved", **more):
    path = f"/renewals/{answer.json['id']}/decision"
    return staff.post(path, {"decision": decision, **more}, version=answer.headers["ETag"])


def standing(who, ids, as_of=None):
    query = {"as_of": as_of} if as_of else {}
    return who.get(f"/certifications/{ids[1]}", query_string=query).json["standing"]


def test_an_approved_renewal_opens_the_next_cycle_from_the_old_expiry(ana, staff, ids, container):
    earn(container, ids, Decimal(100))
    applied = apply(ana, ids)
    assert (applied.status_code, applied.json["points_counted"]) == (201, "100.00")
    assert standing(ana, ids)["pending_since"] == "2026-11-21"
    approved = decide(staff, applied)
    assert approved.json["decision"] == "approved"
    now = standing(ana, ids)
    assert (now["status"], now["expires_on"], now["cycle"]) == ("active", "2031-12-25", 1)
    later = standing(ana, ids, "2026-12-26")
    assert (later["cycle"], later["cycle_starts_on"]) == (2, "2026-12-26")


@SQLITE
def test_missing_points_are_named(ana, ids, container):
    earn(container, ids, Decimal(80))
    refused = apply(ana, ids)
    assert (refused.status_code, refused.json["code"]) == (409, "points_missing")
    assert refused.json["missing"] == "20.00"


@SQLITE
@pytest.mark.parametrize(
    ("day", "code"),
    [
        ("2026-09-25", "window_not_open"),
        ("2026-09-26", "points_missing"),
        ("2026-12-25", "points_missing"),
        ("2026-12-26", "certification_expired"),
    ],
)
def test_the_window_includes_both_its_ends(ana, ids, clock, day, code):
    clock.set(day)
    assert apply(ana, ids).json["code"] == code


def test_ten_applications_at_once_are_one(caller, ids, container):
    earn(container, ids, Decimal(100))
    callers = [caller("holder", holder_id=ids[0]) for _ in range(10)]
    gate = threading.Barrier(10)
    answers = []

    def send(who):
        gate.wait()
        made = apply(who, ids)
        answers.append((made.status_code, made.json.get("code")))

    threads = [threading.Thread(target=send, args=(c,)) for c in callers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers, key=str) == [(201, None), *[(409, "renewal_pending")] * 9]


def test_a_denied_application_says_why_and_may_be_made_again(ana, staff, ids, container):
    earn(container, ids, Decimal(100))
    applied = apply(ana, ids)
    assert decide(staff, applied, "denied").json["errors"][0]["field"] == "reason"
    denied = decide(staff, applied, "denied", reason="Unpaid.")
    assert denied.json["reason"] == "Unpaid."
    assert decide(staff, applied).json["code"] in {"illegal_transition", "stale"}
    assert standing(ana, ids)["status"] == "renewal_open"
    again = apply(ana, ids)
    assert again.status_code == 201
    assert ana.post(f"/renewals/{again.json['id']}/withdrawal").json["withdrawn_on"] == "2026-11-21"


def test_in_time_but_undecided_at_expiry_is_pending_and_not_valid(
    ana, staff, ids, container, clock
):
    earn(container, ids, Decimal(100))
    applied = apply(ana, ids)
    clock.set("2026-12-26")
    pending = standing(ana, ids)
    assert (pending["status"], pending["valid"]) == ("pending_renewal", False)
    assert pending["pending_since"] == "2026-11-21"
    decide(staff, applied)
    renewed = standing(ana, ids)
    assert (renewed["status"], renewed["cycle_starts_on"]) == ("active", "2026-12-26")
    assert standing(ana, ids, "2026-12-25")["status"] == "renewal_open"


@SQLITE
def test_a_suspended_certification_is_not_renewed(ana, staff, ids, container):
    earn(container, ids, Decimal(100))
    why = {"reason_code": "conduct", "reason": "Under review."}
    assert staff.post(f"/certifications/{ids[1]}/suspension", why).status_code == 201
    assert apply(ana, ids).json["code"] == "not_renewable"
    assert staff.post(f"/certifications/{ids[1]}/suspension", why).status_code == 409
    assert staff.post(f"/certifications/{ids[1]}/reinstatement", why).status_code == 201
    assert apply(ana, ids).status_code == 201


@SQLITE
def test_a_holder_may_surrender_but_not_revoke(ana, ids):
    why = {"reason_code": "own_wish", "reason": "Retired."}
    assert ana.post(f"/certifications/{ids[1]}/revocation", why).status_code == 403
    assert ana.post(f"/certifications/{ids[1]}/surrender", why).status_code == 201
    assert standing(ana, ids)["status"] == "surrendered"


def test_both_renewed_together_cost_the_bundle_price_within_90_days(container, caller):
    holder_id, cpt = factories.certified(container, date(2025, 4, 1))
    with container.work(SYSTEM) as work:
        for scheme, module in (("cla", "associate"), ("clt", "technician")):
            attempt = AttemptToRecord(
                scheme=scheme, module=module, taken_on=date(2025, 6, 30), passed=True
            )
            assessments.record(work, holder_id, attempt)
        clt = factories.certification(work, holder_id, "clt").id
    ana = caller("holder", holder_id=holder_id)
    quote = ana.get(f"/renewals/quote?certification_ids={cpt},{clt}").json
    assert (quote["amount"], quote["bundled"]) == ("100.00", True)
    assert (quote["available_from"], quote["available_until"]) == ("2030-04-01", "2030-04-01")
    assert ana.get(f"/renewals/quote?certification_ids={cpt}").json["amount"] == "75.00"
    unknown = "01900000-0000-7000-8000-000000000000"
    assert ana.get(f"/renewals/quote?certification_ids={unknown}").status_code == 404


def test_an_application_decided_on_by_its_own_holder_is_refused(ids, container, ana):
    earn(container, ids, Decimal(100))
    applied = apply(ana, ids)
    assert decide(ana, applied).status_code == 403


def test_a_denial_may_name_a_reason_code_from_the_list(ana, staff, ids, container):
    earn(container, ids, Decimal(100))
    applied = apply(ana, ids)
    why = {"reason": "The diploma is not theirs."}
    unknown = decide(staff, applied, "denied", reason_code="duplicate", **why)
    assert (unknown.status_code, unknown.json["code"]) == (422, "unknown_reason")
    approved = decide(staff, applied, reason_code="fraud", **why)
    assert approved.json["errors"][0]["field"] == "reason_code"
    denied = decide(staff, applied, "denied", reason_code="fraud", **why)
    assert denied.json["reason_code"] == "fraud"
    renewal = staff.get(f"/renewals/{applied.json['id']}")
    shown = decide(staff, renewal, reason="It is.")
    assert (shown.json["decision"], shown.json["reason_code"]) == ("approved", None)
