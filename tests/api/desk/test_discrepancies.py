"""api/desk/discrepancies.py, services/desk/discrepancies.py: a list of 2,000 with 40 mismatches."""

from __future__ import annotations

import io
import threading
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select

from tests import factories
from tests.backends import SQLITE
from tests.rows import acts_on
from tests.services.imports.importing import as_csv, bring, rows
from tests.services.points import attendance_cases
from tests.services.points.attendance_cases import HELD_ON, PROVIDER, TITLE, attend
from tracker.domain.errors import Stale
from tracker.domain.permissions import SYSTEM
from tracker.domain.points.activities import ActivityVerdict
from tracker.domain.points.attendance import Outcome
from tracker.models import Activity, Attendance, Decision, Discrepancy, Message, Notice
from tracker.services.delivery import notice_facts, notice_people
from tracker.services.delivery.notice_facts import DueNotice
from tracker.services.desk import discrepancies
from tracker.services.desk.discrepancies import Settlement
from tracker.services.points import activities, activity_decisions, activity_rows, courses
from tracker.services.points.activity_decisions import ReviewerDecision

MANY, EACH = 2000, 10
AWARDED = date(2024, 3, 1)
KINDS = {"unmatched": 2 * EACH, "contradiction": EACH, "silent": EACH}
WHY = {"reason": "Asked the provider."}
CLAIM = {
    "category": "CE",
    "type": "third_party",
    "title": TITLE,
    "provider": PROVIDER,
    "quantity": Decimal(24),
    "completed_on": HELD_ON,
}


def settle(staff, one, outcome, **body):
    path = f"/discrepancies/{one['id']}"
    version = staff.get(path).headers["ETag"]
    return staff.post(f"{path}/settlement", {"outcome": outcome, **body}, version=version)


def reopen(staff, one):
    path = f"/discrepancies/{one['id']}"
    return staff.post(f"{path}/reopening", WHY, version=staff.get(path).headers["ETag"])


def inbox(staff, **filters):
    found, path = [], "/discrepancies?limit=15&" + "&".join(f"{k}={v}" for k, v in filters.items())
    while path:
        answer = staff.get(path)
        found += answer.json["items"]
        link = answer.headers.get("Link", "")
        path = link.partition("/api/v1")[2].partition(">")[0] if link else ""
    return found


def the_record(container):
    """2,000 certified holders, of whom 20 claim 24 hours of the course."""
    people = [
        {"holder_ref": f"P{n}", "given_name": "Pat", "family_name": f"Ek{n}"}
        | {"email": f"p{n}@example.org"}
        for n in range(MANY)
    ]
    held = [
        {"holder_ref": f"P{n}", "scheme": "cpt", "certificate_number": f"N-{n:05}"}
        | {"awarded_on": AWARDED}
        for n in range(MANY)
    ]
    claimed = [
        {"activity_ref": f"A{n}", "holder_ref": f"P{n}", "scheme": "cpt", "status": "submitted"}
        | CLAIM
        | {"submitted_on": "2026-10-20"}
        for n in range(2 * EACH)
    ]
    bring(container, "holders", as_csv(people))
    bring(container, "certifications", as_csv(held))
    bring(container, "activities", as_csv(claimed))


def the_list():
    """A list of 2,000: claims to differ from, claims it leaves out, and rows of nobody."""
    known = [
        {"name": f"Pat Ek{n}", "certificate_number": f"n {n:05}", "email": ""}
        for n in range(EACH, MANY - EACH)
    ]
    other = [
        {"name": "Bo Smith", "certificate_number": f"N-{n:05}", "email": ""}
        for n in range(MANY - EACH, MANY)
    ]
    nobody = [
        {"name": f"Nora {n}", "certificate_number": "", "email": f"nora{n}@example.org"}
        for n in range(EACH)
    ]
    return as_csv([{"course": "RS-1", "held_on": HELD_ON} | row for row in known + other + nobody])


def test_a_list_of_2000_with_40_mismatches_is_settled_one_by_one(container, caller, staff):
    course_id = attendance_cases.course(container)
    with container.reading(SYSTEM) as reading:
        provider_id = courses.get(reading, course_id).provider_id
    the_record(container)
    provider = caller("provider", provider_id=provider_id)

    def send(**more):
        file = io.BytesIO(the_list()), "october.csv"
        data = {"kind": "attendance", "file": file, **more}
        return provider.call("POST", "/imports", data=data)

    assert send(dry_run="true").json["created"] == MANY
    assert rows(container, Attendance, "id") == []
    sent = send()

    assert (sent.status_code, sent.json["created"], sent.json["effects"]) == (201, MANY, {})
    assert provider.get("/discrepancies").status_code == 403
    opened = inbox(staff, state="open")
    kinds = {kind: [one for one in opened if one["kind"] == kind] for kind in KINDS}
    assert {kind: len(some) for kind, some in kinds.items()} == KINDS
    approved = rows(container, Activity, "state").count(("approved",))
    assert approved == MANY - 3 * EACH  # all but the doubtful, the contradicted and the left out

    for one in kinds["unmatched"]:
        holder_id = one["holder_id"] or another(container, one)
        assert settle(staff, one, "matched", holder_id=holder_id).status_code == 200
    for place, one in enumerate(kinds["contradiction"]):
        outcome = "provider" if place % 2 else "holder"
        assert settle(staff, one, outcome, **WHY).status_code == 200
    for place, one in enumerate(kinds["silent"]):
        body = {"reason_code": "provider_unclear"} if place % 2 else {}
        outcome = "provider" if place % 2 else "holder"
        assert settle(staff, one, outcome, **WHY, **body).status_code == 200

    assert inbox(staff, state="open", kind="unmatched") == []
    quantities = rows(container, Activity, "quantity", "state")
    assert quantities.count((Decimal("24.00"), "submitted")) == EACH
    assert quantities.count((Decimal("16.00"), "submitted")) == EACH // 2
    assert quantities.count((Decimal("24.00"), "rejected")) == EACH // 2
    assert acts_on(container, "discrepancy").count("settle") == 4 * EACH


def another(container, one):
    """The person whom a row means under an address that is not on record."""
    email = one["listed"]["email"].replace("nora", "other")
    return factories.certified(container, AWARDED, email=email)[0]


@pytest.fixture
def ana(container):
    return factories.certified(container, AWARDED, email="ana@example.org")


def activity(container):
    return rows(container, Activity, "quantity", "state")


def test_a_match_is_taken_back_with_what_it_brought_and_made_anew(container, staff, ana):
    attendance_cases.course(container)
    attend(container, {"email": "typo@example.org"})
    (one,) = inbox(staff)
    bea, _ = factories.certified(container, AWARDED, email="bea@example.org")

    assert settle(staff, one, "matched", holder_id=bea).status_code == 200
    assert activity(container) == [(Decimal("16.00"), "approved")]
    assert reopen(staff, one).json["state"] == "open"
    assert activity(container) == [(Decimal("16.00"), "withdrawn")]
    assert [row[0] for row in rows(container, Decision, "undone_by")] != [None]
    assert rows(container, Attendance, "holder_id", "activity_id") == [(None, None)]

    assert settle(staff, one, "matched", holder_id=ana[0]).json["outcome"] == "matched"
    assert rows(container, Attendance, "holder_id") == [(ana[0],)]
    made = rows(container, Activity, "holder_id", "state")
    assert sorted(made) == sorted([(ana[0], "approved"), (bea, "withdrawn")])
    assert acts_on(container, "attendance") == ["match", "untie", "match"]


def test_a_holder_is_told_of_what_is_not_decided(container, staff, ana):
    """A draft from a list, a quantity that staff changed, and what was taken back."""
    attendance_cases.course(container, approved=False)
    with container.work(SYSTEM) as work:
        id_ = activities.log(work, ana[1], CLAIM)
        activities.submit(work, id_)
    attend(container, {"email": "ana@example.org"}, {"email": "typo@example.org"})
    contradiction, unmatched = sorted(inbox(staff), key=lambda one: one["kind"])
    bea, _ = factories.certified(container, AWARDED, email="bea@example.org")

    settle(staff, contradiction, "provider", **WHY)
    settle(staff, unmatched, "matched", holder_id=bea)
    assert tells(container) == ["attendance_changed", "attendance_draft"]
    reopen(staff, unmatched)

    assert tells(container) == ["attendance_changed", "attendance_removed"]


def tells(container):
    """What the messages about attendance say now."""
    with container.reading(SYSTEM) as reading:
        ids = {row.id for row in reading.rows(select(Message.id).where(Message.kind == "notice"))}
        notices = [one for some in notice_facts.of_messages(reading, ids).values() for one in some]
        facts = notice_facts.of_subjects(reading, notices)
        due = [DueNotice(reading, facts, one, notices) for one in notices]
        told = [
            news.tells
            for one in due
            if one.row.kind == "attendance"
            for news in notice_people.BY_KIND["attendance"](one)
        ]
    return sorted(told)


def test_a_decided_claim_is_decided_again_by_whoevers_word_counts(container, staff, ana):
    attendance_cases.course(container)
    with container.work(SYSTEM) as work:
        id_ = activities.log(work, ana[1], CLAIM)
        activities.submit(work, id_)
    with container.work(attendance_cases.SAM) as work:
        approved = ReviewerDecision(ActivityVerdict.APPROVED)
        activity_decisions.decide(work, id_, approved, version=activity_rows.get(work, id_).version)
    attend(container, {"email": "ana@example.org"})
    (one,) = inbox(staff)

    assert settle(staff, one, "provider", **WHY).status_code == 200
    assert activity(container) == [(Decimal("16.00"), "approved")]
    assert settle(staff, one, "holder", **WHY).status_code == 409  # reopen it first
    assert reopen(staff, one).status_code == 200
    assert settle(staff, one, "holder", **WHY).status_code == 200
    assert activity(container) == [(Decimal("24.00"), "approved")]
    told = rows(container, Notice, "kind").count(("activity_decided",))
    assert (told, len(rows(container, Decision, "id"))) == (3, 3)


@pytest.mark.parametrize("approved", [False, True])
def test_a_corrected_approval_keeps_its_terms(container, staff, ana, approved):
    attendance_cases.course(container, approved=approved)
    with container.work(SYSTEM) as work:
        id_ = activities.log(work, ana[1], CLAIM)
        activities.submit(work, id_)
    with container.work(attendance_cases.SAM) as work:
        limited = ReviewerDecision(ActivityVerdict.APPROVED, points_limit=Decimal(5))
        activity_decisions.decide(work, id_, limited, version=activity_rows.get(work, id_).version)
    attend(container, {"email": "ana@example.org"})
    (one,) = inbox(staff)

    settle(staff, one, "provider", **WHY)

    decisions = rows(container, Decision, "points_limit", "provider_approved")
    assert sorted(decisions) == [(Decimal(5), False), (Decimal(5), approved)]


@SQLITE
@pytest.mark.parametrize(
    ("outcome", "body", "fields"),
    [
        ("provider", {}, {"outcome"}),
        ("matched", {}, {"holder_id"}),
        ("matched", {"holder_id": "01900000-0000-7000-8000-000000000000"}, {"holder_id"}),
        ("dismissed", {"reason": None}, {"reason"}),
    ],
)
def test_an_outcome_that_does_not_fit_is_refused_by_the_field(
    container, staff, outcome, body, fields
):
    attendance_cases.course(container)
    attend(container, {"email": "typo@example.org"})
    (one,) = inbox(staff)

    answer = settle(staff, one, outcome, **WHY | body)

    assert answer.status_code == 422
    assert {error["field"] for error in answer.json["errors"]} == fields
    assert settle(staff, one, "dismissed", **WHY).json["outcome"] == "dismissed"


def test_what_another_one_reviews_is_left_alone(container, caller, staff, ana):
    attendance_cases.course(container)
    with container.work(SYSTEM) as work:
        id_ = activities.log(work, ana[1], CLAIM)
        activities.submit(work, id_)
    attend(container, {"email": "ana@example.org"}, {"email": "typo@example.org"})
    contradiction, unmatched = sorted(inbox(staff), key=lambda one: one["kind"])
    bea, _ = factories.certified(container, AWARDED, email="bea@example.org")
    settle(staff, unmatched, "matched", holder_id=bea)
    brought = {row[0] for row in rows(container, Activity, "id")} - {id_}
    rae = caller("reviewer")
    for reviewed in (id_, *brought):
        assert rae.post(f"/queue/{reviewed}/review").status_code == 200

    refused = settle(staff, contradiction, "provider", **WHY), reopen(staff, unmatched)

    assert [answer.json["code"] for answer in refused] == ["under_review"] * 2
    for reviewed in (id_, *brought):
        assert rae.delete(f"/queue/{reviewed}/review").status_code == 204
    again = settle(staff, contradiction, "provider", **WHY), reopen(staff, unmatched)
    assert [answer.status_code for answer in again] == [200, 200]


def test_nobody_settles_what_is_about_their_own_record(container, caller, staff, ana):
    attendance_cases.course(container)
    attend(container, {"email": "typo@example.org"})
    (one,) = inbox(staff)

    own = caller("staff", holder_id=ana[0])

    assert settle(own, one, "matched", holder_id=ana[0]).json["code"] == "self_review"
    assert rows(container, Discrepancy, "state") == [("open",)]


def test_two_who_settle_one_at_once_are_not_both_right(container):
    attendance_cases.course(container)
    attend(container, {"email": "typo@example.org"})
    ((id_,),) = rows(container, Discrepancy, "id")
    answers, both = [], threading.Barrier(2)

    def dismiss():
        settlement = Settlement(outcome=Outcome.DISMISSED, reason="x")
        both.wait()
        try:
            with container.work(SYSTEM) as work:
                discrepancies.settle(work, id_, settlement, version=1)
            answers.append("settled")
        except Stale:
            answers.append("stale")

    threads = [threading.Thread(target=dismiss) for _ in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == ["settled", "stale"]


def test_a_row_has_one_open_discrepancy(container, staff, ana):
    """A match may show something newer, which is settled first."""
    attendance_cases.course(container)
    with container.work(SYSTEM) as work:
        activities.log(work, ana[1], CLAIM)
    attend(container, {"email": "typo@example.org"})
    (one,) = inbox(staff)
    settle(staff, one, "matched", holder_id=ana[0])

    assert [other["kind"] for other in inbox(staff, state="open")] == ["contradiction"]
    assert reopen(staff, one).json["code"] == "already_recorded"
