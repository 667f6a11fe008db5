"""The reviewers' desk over HTTP: the queue, applications that wait, and one review in one call."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import update

from tests import factories
from tests.api.employers.employer_cases import everything, read
from tests.api.points.test_evidence import picture, send
from tests.backends import SQLITE
from tests.services.desk.queue_cases import CLOSED, DONE, OPEN, TODAY, Desk
from tests.statements import counted
from tracker.api.desk.review_queue import QueuedActivitySchema, QueuedRenewalSchema, ReviewSchema
from tracker.api.http.schemas import page_of
from tracker.domain.permissions import SYSTEM
from tracker.models import Certification, Decision, Holder
from tracker.services.employers import employers

UNKNOWN = "01900000-0000-7000-8000-000000000000"
QUEUE, RENEWALS = page_of(QueuedActivitySchema), page_of(QueuedRenewalSchema)


@pytest.fixture
def desk(app, container):
    assert app
    return Desk(container)


def ids(rows):
    return [row["id"] for row in rows]


PATHS = ["/queue", "/queue/renewals", f"/queue/{UNKNOWN}"]


@SQLITE
@pytest.mark.parametrize("role", ["holder", "employer"])
def test_only_staff_see_the_desk(caller, desk, anonymous, role):
    desk.person("ana")
    subject = {"holder_id": desk.people["ana"][0]}
    if role == "employer":
        with desk.container.work(SYSTEM) as work:
            subject = {"employer_id": employers.register(work, name="Acme").id}
    who = caller(role, **subject)

    for path in PATHS:
        assert who.get(path).status_code == 403, path
        assert anonymous.get(path).status_code == 401, path


def test_an_empty_desk(staff):
    assert read(QUEUE, staff.get("/queue")) == {"items": [], "next": None}
    assert read(RENEWALS, staff.get("/queue/renewals")) == {"items": [], "next": None}


@SQLITE
def test_a_row_carries_all_that_a_reviewer_needs(staff, desk):
    desk.person("ana", ref="H1", given_name="Ana", family_name="Soto")
    desk.approved("ana", "55")
    id_ = desk.waits("it", "ana", "30", title="Lean", submitted_on=date(2026, 11, 11))
    desk.waits("other", "ana", "20", title="Welding")
    [row, _] = read(QUEUE, staff.get("/queue"))["items"][::-1]
    row = next(r for r in read(QUEUE, staff.get("/queue"))["items"] if r["id"] == id_)

    assert row == row | {
        "title": "Lean",
        "provider": "Amatrol",
        "category": "CE",
        "type": "third_party",
        "quantity": "30.00",
        "completed_on": "2026-02-01",
        "starts_on": None,
        "holder_id": desk.people["ana"][0],
        "holder_ref": "H1",
        "holder_name": "Ana Soto",
        "certification_id": desk.people["ana"][1],
        "scheme": "cpt",
        "status": "renewal_open",
        "valid": True,
        "expires_on": "2026-12-25",
        "days_left": 34,
        "submitted_on": "2026-11-11",
        "days_waiting": 10,
        "evidence_count": 0,
        "flags": ["no_evidence"],
        "urgent": True,
        "points_claimed": "30.00",
        "points_counting": "30.00",
        "state": "submitted",
        "version": 1,
    }
    assert row["points"] == {
        "now": "55.00",
        "required": "100.00",
        "if_approved": "85.00",
        "if_all_approved": "105.00",
        "complete_now": False,
        "complete_if_approved": False,
        "complete_if_all_approved": True,
        "verified": False,
    }
    assert row["certificate_number"].startswith("CPT-")


def test_paging_by_cursor_and_link_gives_every_row_once(staff, desk):
    for n, awarded in enumerate([OPEN, CLOSED, date(2021, 12, 1), OPEN]):
        desk.person(f"p{n}", awarded)
        for k in range(3):
            desk.waits(f"{n}/{k}", f"p{n}", "40", submitted_on=date(2026, 11, 1 + k % 2))
    whole = read(QUEUE, staff.get("/queue?limit=200"))["items"]
    for limit in (1, 5, 12):
        assert ids(everything(staff, "/queue", limit=limit)) == ids(whole)
    first = staff.get("/queue?limit=5&category=CE")

    assert 'rel="next"' in first.headers["Link"]
    assert "category=CE" in first.headers["Link"]
    assert len(whole) == 12


CURSORS = ["x", "Lw==", "Ly8v", "MjAyNi0xMi0yNS8yMDI2LTExLTAxL3g="]


@SQLITE
@pytest.mark.parametrize("path", ["/queue", "/queue/renewals"])
def test_a_cursor_that_no_page_gave_is_refused(staff, path):
    for cursor in CURSORS:
        refused = staff.get(path, query_string={"after": cursor})

        assert refused.status_code == 422, cursor
        assert [error["field"] for error in refused.json["errors"]] == ["after"], cursor


NO_SENSE = [
    ("flag=odd", "flag"),
    ("state=approved", "state"),
    ("scheme=ctp", "scheme"),
    ("employer_id=x", "employer_id"),
    ("submitted_before=soon", "submitted_before"),
    ("limit=0", "limit"),
    ("sort=age", "sort"),
]


@SQLITE
def test_a_filter_that_makes_no_sense_is_refused_by_name(staff):
    for query, field in NO_SENSE:
        refused = staff.get(f"/queue?{query}")

        assert refused.status_code == 422, query
        assert [error["field"] for error in refused.json["errors"]] == [field], query


def test_workers_of_an_employer_that_there_is_not_are_not_found(staff):
    assert staff.get(f"/queue?employer_id={UNKNOWN}").status_code == 404


def test_filters_over_http(staff, desk):
    desk.person("ana")
    desk.waits("1", "ana", submitted_on=date(2026, 11, 1))
    two = desk.waits(
        "2", "ana", "5", category="X", type="volunteer", submitted_on=date(2026, 11, 5)
    )
    queries = [
        "category=X",
        "type=volunteer",
        "category=X&expires_before=2026-12-26",
        "scheme=cpt&type=volunteer&submitted_before=2026-11-06",
    ]

    for query in queries:
        assert ids(read(QUEUE, staff.get(f"/queue?{query}"))["items"]) == [two], query
    assert read(QUEUE, staff.get("/queue?expires_before=2026-12-25"))["items"] == []
    assert len(read(QUEUE, staff.get("/queue?flag=no_evidence"))["items"]) == 2


def test_what_was_submitted_decided_and_asked_for_moves_through_the_queue(staff, desk, caller):
    desk.person("ana")
    ana = caller("holder", holder_id=desk.people["ana"][0])
    course = {
        "category": "CE",
        "type": "third_party",
        "title": "Lean",
        "quantity": "20",
        "completed_on": "2026-02-01",
    }
    made = ana.post(f"/certifications/{desk.people['ana'][1]}/activities", course).json
    assert read(QUEUE, staff.get("/queue"))["items"] == []
    ana.post(f"/activities/{made['id']}/submission")
    [row] = read(QUEUE, staff.get("/queue"))["items"]
    decision = f"/activities/{made['id']}/decision"
    body = {"verdict": "more_information", "reason_code": "missing_evidence", "reason": "Please."}
    asked = staff.post(decision, body, version=f'"{row["version"]}"')
    assert asked.status_code == 200
    assert read(QUEUE, staff.get("/queue"))["items"] == []
    assert ids(read(QUEUE, staff.get("/queue?state=more_information"))["items"]) == [made["id"]]
    send(ana, made["id"], picture())
    ana.post(f"/activities/{made['id']}/submission")
    [again] = read(QUEUE, staff.get("/queue"))["items"]

    assert (again["evidence_count"], again["flags"]) == (1, [])
    opened = read(ReviewSchema, staff.get(f"/queue/{made['id']}"))
    assert [d["reason_code"] for d in opened["decisions"]] == ["missing_evidence"]


# Applications.
def test_applications_come_by_expiry_then_age(staff, desk):
    for name, awarded, on in [
        ("late", date(2022, 1, 20), date(2026, 11, 1)),
        ("soon", date(2021, 12, 1), TODAY),
        ("over", date(2021, 11, 10), date(2026, 11, 2)),
        ("younger", OPEN, date(2026, 11, 9)),
        ("older", OPEN, date(2026, 11, 8)),
    ]:
        desk.person(name, awarded)
        desk.names[desk.applied(name, on)] = name
    rows = read(RENEWALS, staff.get("/queue/renewals"))["items"]
    paged = everything(staff, "/queue/renewals", limit=2)

    assert [desk.names[row["id"]] for row in rows] == ["over", "soon", "older", "younger", "late"]
    assert paged == rows
    assert [row["days_left"] for row in rows] == [-11, 10, 34, 34, 60]
    assert [row["days_waiting"] for row in rows] == [19, 0, 13, 12, 20]
    assert rows[0]["status"] == "pending_renewal"


def test_an_application_says_what_counts_and_what_would(staff, desk):
    desk.person("ana", ref="H1")
    desk.approved("ana", "70")
    desk.waits("it", "ana", "20")
    desk.waits("it", "ana", "15")
    desk.applied("ana")
    [row] = read(RENEWALS, staff.get("/queue/renewals"))["items"]

    assert row == row | {
        "holder_ref": "H1",
        "points_now": "70.00",
        "points_if_approved": "105.00",
        "points_required": "100.00",
        "complete_now": False,
        "complete_if_approved": True,
        "waiting_activities": 2,
        "cycle": 1,
    }


def test_decided_and_withdrawn_applications_are_gone_and_other_schemes_filtered(staff, desk):
    for name in ("ana", "bob"):
        desk.person(name)
        desk.approved(name, "100")
    kept, gone = desk.applied("ana"), desk.applied("bob")
    staff.post(f"/renewals/{gone}/withdrawal")

    assert ids(read(RENEWALS, staff.get("/queue/renewals"))["items"]) == [kept]
    assert ids(read(RENEWALS, staff.get("/queue/renewals?scheme=cpt"))["items"]) == [kept]
    assert read(RENEWALS, staff.get("/queue/renewals?scheme=clt"))["items"] == []
    assert staff.get("/queue/renewals?scheme=ctp").status_code == 422


def test_applications_of_the_dead_and_under_withdrawn_awards_stay(staff, desk):
    for name in ("dead", "gone"):
        desk.person(name)
        desk.applied(name)
    with desk.container.work(SYSTEM) as work:
        dead = Holder.id == desk.people["dead"][0]
        gone = Certification.id == desk.people["gone"][1]
        work.connection.execute(update(Holder).where(dead).values(deceased_on=TODAY))
        work.connection.execute(update(Certification).where(gone).values(withdrawn_at=work.now))
    rows = read(RENEWALS, staff.get("/queue/renewals"))["items"]

    assert {row["holder_id"] for row in rows} == {desk.people[n][0] for n in ("dead", "gone")}
    assert {row["deceased_on"] for row in rows} == {None, "2026-11-21"}


# Reviews.
def test_a_review_holds_everything_that_a_decision_rests_on(staff, desk):
    desk.person("ana", ref="H1")
    desk.person("bob", ref="H2")
    it = desk.waits("it", "ana", "30", title="Robot Safety", submitted_on=date(2026, 11, 11))
    twin = desk.approved("ana", "28", title="robot safety", completed_on=DONE + timedelta(1))
    other = desk.decided("rejected", "ana", "5", title="Welding")
    theirs = desk.waits("bob's", "bob", "30", title="Robot Safety")
    desk.file(it, "a")
    desk.file(theirs, "a")
    opened = read(ReviewSchema, staff.get(f"/queue/{it}"))

    assert opened["activity"]["id"] == it
    assert opened["activity"]["flags"] == ["likely_duplicate", "same_file_elsewhere"]
    assert opened["activity"]["points"]["if_approved"] == "58.00"
    assert [file["sha256"][0] for file in opened["evidence"]] == ["a"]
    [like] = opened["likely_duplicates"]
    assert (like["activity"]["id"], like["signs"]) == (twin, ["title", "provider", "dates"])
    assert like["score"] == 100
    assert like["activity"]["decision"]["verdict"] == "approved"
    [same] = opened["same_files"]
    assert (same["activity_id"], same["holder_ref"], same["state"]) == (theirs, "H2", "submitted")
    assert ids(opened["other_activities"]) == [twin, other]
    assert opened["decisions"] == []


@SQLITE
def test_the_rule_and_the_outcome_are_told_in_words_in_both_languages(staff, desk):
    desk.person("ana")
    desk.approved("ana", "15", category="X", type="volunteer")
    it = desk.waits("it", "ana", "12", category="X", type="volunteer", title="Food bank")
    english = read(ReviewSchema, staff.get(f"/queue/{it}"))
    spanish = staff.get(f"/queue/{it}", headers={"Accept-Language": "es"})

    assert english["rules"] == [
        "“Volunteering” (“Other activities”): 1 point for each hour (not verified).",
        "“Other activities”: at most 20 points in a cycle (not verified).",
        "With “Volunteering”, attach a letter from the organization that shows the hours.",
    ]
    assert any("7 points" in sentence for sentence in english["outcome"])
    assert english["activity"]["points_counting"] == "5.00"
    assert spanish.headers["Content-Language"] == "es"
    assert spanish.json["language"] == "es"
    assert spanish.json["rules"][2].startswith("Con “Voluntariado”, adjunte una carta")


@SQLITE
def test_the_rule_of_a_job_says_how_months_are_counted(staff, desk):
    desk.person("ana")
    it = desk.waits(
        "it",
        "ana",
        None,
        category="E",
        type="employment_full_time",
        starts_on=date(2025, 1, 1),
        completed_on=None,
    )
    told = read(ReviewSchema, staff.get(f"/queue/{it}"))

    assert "Only completed months of a job count (not verified)." in told["rules"]
    assert told["activity"]["points_counting"] == "22.00"


def test_a_decided_activity_can_be_opened_again_and_a_draft_cannot(staff, desk):
    desk.person("ana")
    decided = desk.approved("ana", "30")
    draft = desk.waits("draft", "ana", state="draft", submitted_on=None, submitted_at=None)
    opened = read(ReviewSchema, staff.get(f"/queue/{decided}"))

    assert opened["activity"]["points"]["now"] == opened["activity"]["points"]["if_approved"]
    assert (opened["activity"]["state"], opened["activity"]["urgent"]) == ("approved", False)
    assert len(opened["decisions"]) == 1
    assert staff.get(f"/queue/{draft}").status_code == 404
    assert staff.get(f"/queue/{UNKNOWN}").status_code == 404


def test_decisions_that_were_taken_back_are_shown_as_such(staff, desk):
    desk.person("ana")
    it = desk.decided("rejected", "ana", "30")
    with desk.container.work(SYSTEM) as work:
        undone = {"undone_at": work.now, "undone_by": "staff", "undone_reason": "A slip."}
        work.connection.execute(update(Decision).values(**undone))
    [decision] = read(ReviewSchema, staff.get(f"/queue/{it}"))["decisions"]

    assert (decision["verdict"], decision["undone_reason"]) == ("rejected", "A slip.")


@SQLITE
def test_an_activity_of_a_type_that_no_version_knows_can_be_reviewed(staff, desk):
    desk.person("ana")
    it = desk.waits("it", "ana", "30", type="seminar")
    opened = read(ReviewSchema, staff.get(f"/queue/{it}"))

    assert opened["rules"] == []
    assert opened["activity"]["points_counting"] == "0.00"
    assert opened["outcome"] != []


def test_a_review_of_somebody_without_an_award_can_be_opened(staff, desk):
    with desk.container.work(SYSTEM) as work:
        desk.people["ana"] = (factories.holder(work), "")
    it = desk.waits("it", "ana", "30")
    opened = read(ReviewSchema, staff.get(f"/queue/{it}"))

    assert (opened["activity"]["points"], opened["outcome"]) == (None, [])
    assert opened["rules"][0].startswith("“Third-party training”")


@pytest.mark.parametrize("path", ["/queue", "/queue/renewals", "review"])
def test_each_costs_as_many_statements_for_much_as_for_little(staff, desk, path):
    desk.person("ana")
    it = desk.waits("it", "ana", "30", title="Robot Safety")
    desk.applied("ana")
    path = path.replace("review", f"/queue/{it}")

    def statements():
        with counted(desk.container) as sent:
            assert staff.get(path).status_code == 200
        return len([one for one in sent if "UPDATE token" not in one])

    staff.get(path)
    before = statements()
    for n in range(6):
        desk.person(f"p{n}")
        desk.applied(f"p{n}")
        desk.waits("x", f"p{n}", "30", title="Robot Safety")
        desk.file(desk.waits("x", "ana", "30", title="Robot Safety"), "a")

    assert statements() == before <= 12
