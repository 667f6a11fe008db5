"""Decisions superseded and taken back, slow offices, and whose midnight ends a day, over HTTP."""

from __future__ import annotations

import threading
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select

from tests import factories
from tests.backends import SQLITE
from tracker.models import Cycle, Notice, Span
from tracker.services.core import bulk

EXPIRY = "2026-12-25"  # the window opens on September 26, 2026
COURSE = {
    "category": "CE",
    "type": "third_party",
    "provider": "Ivy Tech",
    "completed_on": "2026-01-05",
}


@pytest.fixture
def ids(container):
    return factories.certified(container, date(2021, 12, 25))


@pytest.fixture
def ana(caller, ids):
    return caller("holder", holder_id=ids[0])


@pytest.fixture
def reviewer(caller):
    return caller("staff")


@pytest.fixture
def desk(ana, reviewer, staff):
    return ana, reviewer, staff


def hand_in(who, ids, points, **more):
    """An activity of so many points that waits for a decision; its path."""
    body = {**COURSE, "title": f"Course {points}", "quantity": str(points), **more}
    made = who.post(f"/certifications/{ids[1]}/activities", body)
    assert made.status_code == 201, made.json
    path = f"/activities/{made.json['id']}"
    assert who.post(f"{path}/submission").status_code == 200
    return path


def act(who, path, step, body):
    """A versioned act upon what it is now."""
    return who.post(f"{path}/{step}", body, version=who.get(path).headers["ETag"])


def decide(who, path, verdict, **more):
    body = {"verdict": verdict, **more}
    if verdict != "approved":
        body = {"reason_code": "other", "reason": "Not shown.", **body}
    answer = act(who, path, "decision", body)
    assert answer.status_code == 200, answer.json
    return answer


def undo(who, path, reason="A slip."):
    answer = act(who, path, "decision/undo", {"reason": reason})
    assert answer.status_code == 200, answer.json
    return answer


def apply(who, ids):
    return who.post(f"/certifications/{ids[1]}/renewals")


def applied(who, ids):
    answer = apply(who, ids)
    assert answer.status_code == 201, answer.json
    return f"/renewals/{answer.json['id']}"


def conclude(who, path, decision, **more):
    body = {"decision": decision, **more}
    if decision == "denied":
        body = {"reason": "Not shown.", **body}
    return act(who, path, "decision", body)


def standing(who, ids, on=None):
    query = {"as_of": on} if on else {}
    return who.get(f"/certifications/{ids[1]}", query_string=query).json["standing"]


def layout_of(container):
    """Cycles and timelines as they stand, without what tells when they were written."""
    spans, cycles = bulk.table_of(Span).c, bulk.table_of(Cycle).c
    kept = [one for one in cycles if one.name not in {"id", "recorded_at"}]
    with container.engine.connect() as connection:
        return [
            sorted(map(tuple, connection.execute(select(*columns)).all()), key=repr)
            for columns in (list(spans), kept)
        ]


def told(container):
    """What holders are to be told of decisions, in the order in which it came up."""
    notice = bulk.table_of(Notice).c
    with container.engine.connect() as connection:
        found = connection.execute(select(notice.kind, notice.event).order_by(notice.id))
        return [(kind, event) for kind, event in found if kind.endswith(("decided", "reopened"))]


# A slow issuer.
@SQLITE
def test_what_waits_admits_an_application_and_is_shown_as_if_approved(ana, ids, clock):
    clock.set(EXPIRY)
    hand_in(ana, ids, 60)
    hand_in(ana, ids, 40)
    answer = apply(ana, ids)
    assert answer.status_code == 201
    assert (answer.json["points_counted"], answer.json["points_if_approved"]) == (
        "0.00",
        "100.00",
    )
    shown = ana.get(f"/certifications/{ids[1]}/evaluation").json
    assert (shown["total"], shown["total_if_approved"]) == ("0.00", "100.00")
    assert (shown["missing_if_approved"], shown["complete_if_approved"]) == ("0.00", True)
    assert "If approved, 100 points of 100 will be counted." in shown["sentences"]
    (mine,) = ana.get("/me").json["certifications"]
    assert mine["next"]["action"] == "wait_for_decision"


@SQLITE
def test_a_hundredth_too_little_is_named_with_what_waits(ana, ids):
    hand_in(ana, ids, "99.99")
    refused = apply(ana, ids)
    assert (refused.status_code, refused.json["code"]) == (409, "points_missing")
    assert (refused.json["missing"], refused.json["waiting"]) == ("0.01", "99.99")
    (mine,) = ana.get("/me").json["certifications"]
    assert mine["next"]["points_missing"] == "0.01"
    assert mine["next"]["points_waiting"] == "99.99"


@SQLITE
def test_a_renewal_is_not_approved_before_its_points_are_there(ana, reviewer, ids, clock):
    clock.set(EXPIRY)
    first, second = hand_in(ana, ids, 60), hand_in(ana, ids, 40)
    renewal = applied(ana, ids)
    clock.set("2027-01-20")
    decide(reviewer, first, "approved")
    refused = conclude(reviewer, renewal, "approved")
    assert (refused.status_code, refused.json["code"]) == (409, "points_pending")
    assert refused.json["waiting"] == [second.removeprefix("/activities/")]
    decide(reviewer, second, "approved")
    assert standing(ana, ids)["status"] == "pending_renewal"
    assert conclude(reviewer, renewal, "approved").status_code == 200
    now = standing(ana, ids)
    assert (now["status"], now["expires_on"]) == ("active", "2031-12-25")


@SQLITE
def test_what_was_submitted_after_the_last_day_does_not_count_for_it(ana, reviewer, ids, clock):
    clock.set(EXPIRY)
    first = hand_in(ana, ids, 100)
    renewal = applied(ana, ids)
    clock.set("2026-12-26")
    late = hand_in(ana, ids, 50)
    decide(reviewer, late, "approved")
    decide(reviewer, first, "approved", points_limit="60.00")
    assert ana.get(renewal).json["decision"] == "denied"


@SQLITE
def test_an_answer_to_a_question_keeps_the_day_of_the_submission(ana, reviewer, ids, clock):
    clock.set(EXPIRY)
    path = hand_in(ana, ids, 100)
    renewal = applied(ana, ids)
    clock.set("2026-12-28")
    decide(reviewer, path, "more_information")
    assert ana.get(renewal).json["decision"] is None
    clock.set("2026-12-30")
    assert ana.post(f"{path}/submission").json["submitted_on"] == EXPIRY
    decide(reviewer, path, "approved")
    assert conclude(reviewer, renewal, "approved").status_code == 200


@SQLITE
def test_a_question_on_the_last_day_keeps_nobody_from_applying(ana, reviewer, ids, clock):
    path = hand_in(ana, ids, 100)
    clock.set(EXPIRY)
    decide(reviewer, path, "more_information")
    step = ana.get("/me").json["certifications"][0]["next"]
    assert (step["action"], step["on"]) == ("apply_now", EXPIRY)
    assert "question about 1 of your activities" in step["sentence"]
    renewal = applied(ana, ids)
    clock.set("2027-01-08")
    assert ana.get("/me").json["certifications"][0]["next"]["action"] == "answer_questions"
    ana.post(f"{path}/submission")
    decide(reviewer, path, "approved")
    assert conclude(reviewer, renewal, "approved").status_code == 200
    assert ana.get("/me").json["certifications"][0]["standing"]["expires_on"] == "2031-12-25"


def test_what_falls_short_after_the_last_day_is_denied_and_told(
    ana, reviewer, ids, clock, container
):
    clock.set(EXPIRY)
    first, second = hand_in(ana, ids, 60), hand_in(ana, ids, 40)
    renewal = applied(ana, ids)
    clock.set("2026-12-26")
    decide(reviewer, first, "rejected")
    assert ana.get(renewal).json["decision"] is None  # the other one waits still
    decide(reviewer, second, "approved")
    denied = ana.get(renewal).json
    assert (denied["decision"], denied["decided_on"]) == ("denied", "2026-12-26")
    assert "40.00 of 100.00 points" in denied["reason"]
    assert denied["reason_code"] == "points_missing"  # by which a message says it in any language
    assert told(container)[-1] == ("renewal_decided", "denied:0")
    assert standing(ana, ids)["status"] == "expired"


@SQLITE
def test_before_the_last_day_what_falls_short_waits_for_more(ana, reviewer, ids):
    path = hand_in(ana, ids, 100)
    renewal = applied(ana, ids)
    decide(reviewer, path, "rejected")
    assert ana.get(renewal).json["decision"] is None
    (mine,) = ana.get("/me").json["certifications"]
    assert (mine["next"]["action"], mine["next"]["points_missing"]) == ("log_activities", "100.00")
    decide(reviewer, hand_in(ana, ids, 100, title="Another"), "approved")
    assert conclude(reviewer, renewal, "approved").status_code == 200


def test_a_withdrawn_activity_no_longer_carries_an_application(ana, ids, clock):
    clock.set(EXPIRY)
    path = hand_in(ana, ids, 100)
    renewal = applied(ana, ids)
    clock.set("2026-12-27")
    assert ana.post(f"{path}/withdrawal").status_code == 200
    assert ana.get(renewal).json["decision"] == "denied"


def test_undoing_the_decision_that_denied_an_application_brings_it_back(
    ana, reviewer, ids, clock, container
):
    clock.set(EXPIRY)
    path = hand_in(ana, ids, 100)
    renewal = applied(ana, ids)
    clock.set("2026-12-26")
    before = layout_of(container)
    decide(reviewer, path, "rejected")
    assert standing(ana, ids)["status"] == "expired"
    undo(reviewer, path)
    assert layout_of(container) == before
    assert standing(ana, ids)["status"] == "pending_renewal"
    decide(reviewer, path, "rejected")
    decide(reviewer, path, "approved", reason="It was shown after all.")
    assert ana.get(renewal).json["decision"] is None
    assert conclude(reviewer, renewal, "approved").status_code == 200


# Whose midnight.
ZONES = {
    "Pacific/Honolulu": -10,
    "America/Los_Angeles": -8,
    "America/Chicago": -6,
    "America/New_York": -5,
    "UTC": 0,
    "Europe/Madrid": 1,
    "Asia/Tokyo": 9,
    "Pacific/Auckland": 13,
}


@SQLITE
@pytest.mark.parametrize("zone", ZONES)
def test_a_last_day_ends_at_the_holders_midnight(container, caller, clock, zone):
    ids = factories.certified(container, date(2021, 12, 25), time_zone=zone)
    ana = caller("holder", holder_id=ids[0])
    clock.set("2026-12-01")
    hand_in(ana, ids, 100)
    hours = ZONES[zone]
    first, minute = divmod(24 - hours, 24), "00"
    clock.set(f"2026-12-{25 + first[0]}T{first[1]:02}:{minute}:00Z")
    refused = apply(ana, ids)
    assert (refused.status_code, refused.json["code"]) == (409, "certification_expired")
    assert refused.json["time_zone"] == zone
    last = divmod(23 - hours, 24)
    clock.set(f"2026-12-{25 + last[0]}T{last[1]:02}:59:00Z")
    (mine,) = ana.get("/me").json["certifications"]
    assert (mine["standing"]["as_of"], mine["next"]["time_zone"]) == (EXPIRY, zone)
    answer = apply(ana, ids)
    assert (answer.status_code, answer.json["submitted_on"]) == (201, EXPIRY)


@SQLITE
def test_days_of_a_clock_change_end_at_midnight_too(container, caller, clock):
    """In 2026 New York leaves summer time on 1 November: that day has 25 hours."""
    ids = factories.certified(container, date(2021, 11, 1))
    ana = caller("holder", holder_id=ids[0])
    clock.set("2026-10-01")
    hand_in(ana, ids, 100)
    clock.set("2026-11-02T04:59:00Z")
    assert apply(ana, ids).json["submitted_on"] == "2026-11-01"


@SQLITE
def test_staff_never_decide_before_the_day_of_the_submission(container, caller, reviewer, clock):
    """In Auckland it is tomorrow already."""
    ids = factories.certified(container, date(2021, 12, 25), time_zone="Pacific/Auckland")
    ana = caller("holder", holder_id=ids[0])
    clock.set("2026-12-01T15:00:00Z")
    path = hand_in(ana, ids, 100, completed_on="2026-12-02")
    assert ana.get(path).json["submitted_on"] == "2026-12-02"
    assert decide(reviewer, path, "approved").json["decision"]["decided_on"] == "2026-12-02"
    renewal = applied(ana, ids)
    concluded = conclude(reviewer, renewal, "approved")
    assert concluded.json["decided_on"] == concluded.json["submitted_on"] == "2026-12-02"


@SQLITE
def test_the_future_is_that_of_whoever_says_it(container, caller, clock):
    clock.set("2026-12-02T05:30:00Z")  # the evening before in Honolulu
    ids = factories.certified(container, date(2021, 12, 25), time_zone="Pacific/Honolulu")
    ana = caller("holder", holder_id=ids[0])
    body = {**COURSE, "title": "T", "quantity": "1", "completed_on": "2026-12-02"}
    refused = ana.post(f"/certifications/{ids[1]}/activities", body)
    assert refused.status_code == 422
    assert "Hawaii time" in refused.json["detail"]


# Activities decided again.
@SQLITE
def test_a_later_answer_supersedes_and_needs_its_reason(ana, reviewer, ids):
    path = hand_in(ana, ids, 8)
    decide(reviewer, path, "rejected")
    refused = act(reviewer, path, "decision", {"verdict": "approved"})
    assert (refused.status_code, refused.json["code"]) == (422, "invalid")
    answer = decide(reviewer, path, "approved", reason="The certificate was on page 2.")
    assert answer.json["state"] == "approved"
    total = ana.get(f"/certifications/{ids[1]}/evaluation").json["total"]
    assert total == "8.00"
    listed = ana.get(f"{path}/decisions").json
    assert [(one["verdict"], one["undone_at"]) for one in listed] == [
        ("rejected", None),
        ("approved", None),
    ]


@SQLITE
def test_the_same_answer_again_changes_the_version(ana, reviewer, ids):
    path = hand_in(ana, ids, 8)
    before = decide(reviewer, path, "approved")
    after = decide(reviewer, path, "approved", points_limit="4.00", reason="Half of it.")
    assert after.headers["ETag"] != before.headers["ETag"]
    stale = reviewer.post(f"{path}/decision/undo", {"reason": "x"}, version=before.headers["ETag"])
    assert stale.status_code == 412


def test_undone_answers_rule_no_more_and_stay_on_record(ana, reviewer, ids, container):
    path = hand_in(ana, ids, 8)
    where = f"/certifications/{ids[1]}/evaluation"
    waiting = ana.get(where).json
    first = decide(reviewer, path, "approved", points_limit="4.00")
    half = ana.get(where).json
    decide(reviewer, path, "rejected")
    assert ana.get(where).json["total"] == "0.00"
    undo(reviewer, path)
    assert ana.get(where).json == half
    assert ana.get(path).json["decision"] == first.json["decision"]
    answer = undo(reviewer, path, "The wrong file.")
    assert ana.get(where).json == waiting
    assert (answer.json["state"], answer.json["decision"]) == ("submitted", None)
    listed = ana.get(f"{path}/decisions").json
    assert [one["undone_reason"] for one in listed] == ["The wrong file.", "A slip."]
    assert [kind for kind, _ in told(container)] == [
        "activity_decided",
        "activity_decided",
        "activity_decided",
        "activity_reopened",
    ]
    refused = act(reviewer, path, "decision/undo", {"reason": "again"})
    assert (refused.status_code, refused.json["code"]) == (409, "illegal_transition")


def test_yesterdays_report_still_counts_what_was_undone_today(ana, reviewer, ids, clock):
    path = hand_in(ana, ids, 8)
    decide(reviewer, path, "approved")
    known = {"as_of": "2026-11-21", "known_at": "2026-11-21T23:00:00Z"}
    where = f"/certifications/{ids[1]}/evaluation"
    before = ana.get(where, query_string=known).json
    clock.set("2026-11-23")
    undo(reviewer, path)
    assert ana.get(where, query_string=known).json == before
    assert ana.get(where).json["total"] == "0.00"


def test_a_withdrawn_or_rejected_activity_is_edited_and_submitted_again(ana, reviewer, ids, clock):
    withdrawn, rejected = hand_in(ana, ids, 8), hand_in(ana, ids, 9)
    ana.post(f"{withdrawn}/withdrawal")
    decide(reviewer, rejected, "rejected")
    clock.set("2026-11-22")
    for path in (withdrawn, rejected):
        edited = ana.patch(path, {"title": path}, version=ana.get(path).headers["ETag"])
        assert edited.status_code == 200
        again = ana.post(f"{path}/submission").json
        assert (again["state"], again["withdrawn_on"]) == ("submitted", None)
    shown = ana.get(f"/certifications/{ids[1]}/evaluation").json
    assert shown["pending_points"] == "17.00"
    decide(reviewer, rejected, "approved")


def test_an_answer_of_an_earlier_round_is_not_taken_back(ana, reviewer, ids, clock):
    path = hand_in(ana, ids, 8)
    decide(reviewer, path, "more_information")
    clock.set("2026-11-22")
    ana.post(f"{path}/submission")
    decide(reviewer, path, "approved")
    assert undo(reviewer, path).json["state"] == "submitted"
    refused = act(reviewer, path, "decision/undo", {"reason": "x"})
    assert refused.status_code == 409


@SQLITE
def test_nobody_takes_back_a_decision_on_a_record_of_their_own(ana, caller, reviewer, ids):
    own = caller("staff", holder_id=ids[0])
    path = hand_in(ana, ids, 100)
    decide(reviewer, path, "approved")
    renewal = applied(ana, ids)
    conclude(reviewer, renewal, "approved")
    for target in (path, renewal):
        assert act(own, target, "decision/undo", {"reason": "x"}).json["code"] == "self_review"


def test_two_reviewers_at_once_make_one_decision(ana, caller, ids):
    path = hand_in(ana, ids, 8)
    etag = ana.get(path).headers["ETag"]
    start, answers = threading.Barrier(2), []

    def answer(who):
        start.wait()
        body = {"verdict": "approved", "reason": "Shown."}
        answers.append(who.post(f"{path}/decision", body, version=etag).status_code)

    threads = [threading.Thread(target=answer, args=(caller("staff"),)) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(answers) == [200, 412]
    assert len(ana.get(f"{path}/decisions").json) == 1


# Renewals decided again.
@pytest.fixture
def pending(ana, reviewer, ids):
    """An application with its points approved, on November 21, 2026."""
    decide(reviewer, hand_in(ana, ids, 100), "approved")
    return applied(ana, ids)


def test_a_denial_superseded_after_the_expiry_opens_the_cycle(ana, reviewer, ids, pending, clock):
    conclude(reviewer, pending, "denied")
    clock.set("2027-01-20")
    assert standing(ana, ids)["status"] == "expired"
    refused = conclude(reviewer, pending, "approved")
    assert (refused.status_code, refused.json["code"]) == (422, "invalid")
    answer = conclude(reviewer, pending, "approved", reason="The proof was there.")
    assert (answer.json["decision"], answer.json["decided_on"]) == ("approved", "2027-01-20")
    now = standing(ana, ids)
    assert (now["status"], now["cycle_starts_on"], now["expires_on"]) == (
        "active",
        "2026-12-26",
        "2031-12-25",
    )
    between = standing(ana, ids, "2027-01-10")
    assert (between["status"], between["pending_since"]) == ("pending_renewal", "2026-11-21")
    listed = ana.get(f"{pending}/decisions").json
    assert [(one["decision"], one["undone"], one["ended_reason"]) for one in listed] == [
        ("denied", False, "The proof was there."),
        ("approved", False, None),
    ]


def test_a_chain_of_decisions_is_undone_step_by_step(ana, reviewer, pending, clock, container):
    states = [layout_of(container)]
    steps = [
        ("approved", "2026-11-22"),
        ("denied", "2026-11-24"),
        ("approved", "2027-01-15"),
        ("denied", "2027-01-16"),
    ]
    for decision, day in steps:
        clock.set(day)
        assert conclude(reviewer, pending, decision, reason="x").status_code == 200
        states.append(layout_of(container))
    for decision, day in reversed(steps):
        assert layout_of(container) == states.pop()
        shown = ana.get(pending).json
        assert (shown["decision"], shown["decided_on"]) == (decision, day)
        undo(reviewer, pending)
    assert layout_of(container) == states.pop()
    assert ana.get(pending).json["decision"] is None
    refused = act(reviewer, pending, "decision/undo", {"reason": "x"})
    assert refused.status_code == 409
    kinds = [kind for kind, _ in told(container) if kind.startswith("renewal")]
    assert kinds == ["renewal_decided"] * 7 + ["renewal_reopened"]


@SQLITE
def test_undoing_after_an_undo_and_a_new_decision_finds_the_right_one(ana, reviewer, pending):
    conclude(reviewer, pending, "denied", reason="first")
    conclude(reviewer, pending, "denied", reason="second")
    undo(reviewer, pending)
    assert ana.get(pending).json["reason"] == "first"
    conclude(reviewer, pending, "approved", reason="third")
    undo(reviewer, pending)
    assert ana.get(pending).json["reason"] == "first"
    undo(reviewer, pending)
    assert ana.get(pending).json["decision"] is None


def test_an_approval_that_another_renewal_rests_on_is_not_taken_back(
    ana, reviewer, ids, pending, clock
):
    conclude(reviewer, pending, "approved")
    clock.set("2031-12-01")
    again = hand_in(ana, ids, 100, completed_on="2030-01-05")
    decide(reviewer, again, "approved")
    later = applied(ana, ids)
    for answer in (
        conclude(reviewer, pending, "denied"),
        act(reviewer, pending, "decision/undo", {"reason": "x"}),
    ):
        assert (answer.status_code, answer.json["code"]) == (409, "built_upon")
        assert answer.json["submitted_on"] == "2031-12-01"
    ana.post(f"{later}/withdrawal")
    assert conclude(reviewer, pending, "denied").status_code == 200
    assert standing(ana, ids)["status"] == "expired"


def test_a_denied_renewal_is_not_reopened_while_another_is_under_review(
    ana, reviewer, ids, pending
):
    conclude(reviewer, pending, "denied")
    applied(ana, ids)
    for answer in (
        conclude(reviewer, pending, "approved", reason="x"),
        act(reviewer, pending, "decision/undo", {"reason": "x"}),
    ):
        assert (answer.status_code, answer.json["code"]) == (409, "renewal_pending")


def test_a_denied_renewal_is_not_approved_once_another_renewed_the_cycle(
    ana, reviewer, ids, pending
):
    conclude(reviewer, pending, "denied")
    conclude(reviewer, applied(ana, ids), "approved")
    answer = conclude(reviewer, pending, "approved", reason="x")
    assert (answer.status_code, answer.json["code"]) == (409, "built_upon")
    assert standing(ana, ids)["expires_on"] == "2031-12-25"


# Appeals against denials.
def appeal(who, ids, renewal, statement="The proof was there."):
    body = {"statement": statement, "renewal_id": renewal.removeprefix("/renewals/")}
    return who.post(f"/certifications/{ids[1]}/appeals", body)


def test_a_denial_is_appealed_and_upheld_by_somebody_else(desk, ids, pending, clock, container):
    ana, reviewer, staff = desk
    conclude(reviewer, pending, "denied")
    clock.set("2026-12-21")
    made = appeal(ana, ids, pending)
    assert (made.status_code, made.json["fee"], made.json["change_id"]) == (201, "50.00", None)
    path = f"/appeals/{made.json['id']}"
    verdict = {"outcome": "upheld", "reason": "It was."}
    assert act(reviewer, path, "decision", verdict).status_code == 403
    clock.set("2027-01-20")
    upheld = act(staff, path, "decision", verdict)
    assert (upheld.json["outcome"], upheld.json["fee_refunded"]) == ("upheld", True)
    assert ana.get(pending).json["decision"] == "approved"
    assert standing(ana, ids)["expires_on"] == "2031-12-25"
    ((_, event),) = [one for one in told(container) if one[0] == "appeal_decided"]
    assert event.startswith("upheld:")


def test_an_outcome_is_superseded_and_the_denial_holds_again_from_its_day(
    desk, ids, pending, clock, container
):
    ana, reviewer, staff = desk
    conclude(reviewer, pending, "denied")
    before = layout_of(container)
    path = f"/appeals/{appeal(ana, ids, pending).json['id']}"
    clock.set("2026-11-25")
    act(staff, path, "decision", {"outcome": "upheld", "reason": "It was."})
    again = act(staff, path, "decision", {"outcome": "upheld", "reason": "It was."})
    assert again.status_code == 409
    changed = act(staff, path, "decision", {"outcome": "dismissed", "reason": "It was not."})
    assert (changed.status_code, changed.json["fee_refunded"]) == (200, False)
    assert layout_of(container) == before
    assert ana.get(pending).json["decided_on"] == "2026-11-21"
    act(staff, path, "decision", {"outcome": "upheld", "reason": "After all."})
    assert ana.get(pending).json["decision"] == "approved"


@SQLITE
def test_an_appeal_against_a_denial_is_due_like_any_other(ana, reviewer, ids, pending, clock):
    assert appeal(ana, ids, pending).json["code"] == "illegal_transition"
    conclude(reviewer, pending, "denied")
    clock.set("2026-12-23")
    late = appeal(ana, ids, pending)
    assert (late.status_code, late.json["code"]) == (409, "appeal_too_late")
    assert "Eastern time" in late.json["detail"]
    unknown = "0192d3a0-0000-7000-8000-000000000000"
    assert appeal(ana, ids, unknown).status_code == 404


def test_who_rejected_the_activity_does_not_decide_on_the_denial_that_followed(
    ana, reviewer, staff, ids, clock
):
    clock.set(EXPIRY)
    path = hand_in(ana, ids, 100)
    renewal = applied(ana, ids)
    clock.set("2026-12-26")
    decide(reviewer, path, "rejected")
    made = f"/appeals/{appeal(ana, ids, renewal).json['id']}"
    verdict = {"outcome": "upheld", "reason": "It was."}
    assert act(reviewer, made, "decision", verdict).status_code == 403
    assert act(staff, made, "decision", verdict).status_code == 200
    assert standing(ana, ids)["expires_on"] == "2031-12-25"


@pytest.mark.parametrize("kind", ["suspension", "revocation"])
def test_an_outcome_about_a_change_of_standing_is_superseded(desk, ids, clock, kind):
    ana, reviewer, staff = desk
    body = {"effective_on": "2026-11-01", "reason_code": "other", "reason": "x"}
    made = reviewer.by_two(f"/certifications/{ids[1]}/{kind}", body)
    assert made.status_code in {200, 201}, made.json
    held = standing(ana, ids, "2026-11-10")
    made = ana.post(f"/certifications/{ids[1]}/appeals", {"statement": "No."})
    path = f"/appeals/{made.json['id']}"
    clock.set("2026-11-25")
    act(staff, path, "decision", {"outcome": "upheld", "reason": "Right."})
    assert standing(ana, ids)["status"] == "renewal_open"
    act(staff, path, "decision", {"outcome": "dismissed", "reason": "Wrong."})
    assert standing(ana, ids, "2026-11-10") == held
    assert standing(ana, ids)["status"] == held["status"]
    act(staff, path, "decision", {"outcome": "upheld", "reason": "Right."})
    assert standing(ana, ids)["status"] == "renewal_open"


@SQLITE
def test_a_refusal_says_whether_an_exception_can_be_had(ana, ids, clock):
    missing = apply(ana, ids).json
    assert missing["exception"] == {
        "kind": "ask",
        "field": None,
        "ask_for": ["an extension", "a lower requirement"],
    }
    assert missing["detail"].endswith(
        "You can ask the issuer for an extension or a lower requirement."
    )
    clock.set("2026-09-01")
    assert apply(ana, ids).json["exception"]["kind"] == "none"


def test_points_are_still_numbers_of_hundredths(ana, ids):
    hand_in(ana, ids, Decimal("12.5"))
    (mine,) = ana.get("/me").json["certifications"]
    assert (mine["next"]["points_waiting"], mine["next"]["points_missing"]) == ("12.50", "87.50")
