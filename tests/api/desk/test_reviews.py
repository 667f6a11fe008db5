"""Reviews over HTTP: locks, the clock of a wait, many decided at once, figures, the safe day."""

from __future__ import annotations

import threading
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select, update

from tests.api.employers.employer_cases import read
from tests.services.desk.queue_cases import CLOSED, OPEN, Desk
from tests.statements import counted
from tracker import jobs
from tracker.api.desk.review_queue import QueuedActivitySchema
from tracker.api.desk.reviews import FiguresSchema
from tracker.api.http.schemas import page_of
from tracker.db import new_id
from tracker.domain.errors import UnderReview
from tracker.domain.permissions import Actor
from tracker.models import Activity, Decision, Notice, OpenReview
from tracker.services.core import open_reviews

QUEUE = page_of(QueuedActivitySchema)
UNKNOWN = "01900000-0000-7000-8000-000000000000"
REJECTED = {"verdict": "rejected", "reason_code": "other", "reason": "Not shown."}
ASKED = {"verdict": "more_information", "reason_code": "missing_evidence", "reason": "Please."}


@pytest.fixture
def desk(app, container):
    assert app
    return Desk(container)


@pytest.fixture
def reviewers(caller):
    return caller("reviewer"), caller("staff")


def shown(who, id_, query=""):
    return next(r for r in read(QUEUE, who.get(f"/queue{query}"))["items"] if r["id"] == id_)


def decide(who, id_, body, version=1):
    return who.post(f"/activities/{id_}/decision", body, version=f'"{version}"')


def test_a_review_belongs_to_who_opened_it_for_a_quarter_of_an_hour(desk, reviewers, clock):
    rae, sam = reviewers
    desk.person("ana")
    id_ = desk.waits("1", "ana")
    assert shown(rae, id_)["lock"] is None
    lock = rae.post(f"/queue/{id_}/review").json["activity"]["lock"]
    assert lock == {
        "reviewer": rae.get("/me").json["name"],
        "since": "2026-11-21T17:00:00Z",
        "until": "2026-11-21T17:15:00Z",
        "own": True,
    }
    assert shown(sam, id_)["lock"] == lock | {"own": False}

    for refused in (
        sam.post(f"/queue/{id_}/review"),
        sam.delete(f"/queue/{id_}/review"),
        decide(sam, id_, {"verdict": "approved"}),
    ):
        assert (refused.status_code, refused.json["code"]) == (409, "under_review")
        told = {key: refused.json[key].replace("+00:00", "Z") for key in lock if key != "own"}
        assert told | {"own": True} == lock
    assert sam.get(f"/queue/{id_}").status_code == 200  # looking needs no lock
    clock.advance(minutes=15)
    assert shown(sam, id_)["lock"] is None
    assert sam.post(f"/queue/{id_}/review").status_code == 200
    assert decide(rae, id_, {"verdict": "approved"}).json["code"] == "under_review"
    assert decide(sam, id_, {"verdict": "approved"}).status_code == 200
    assert rae.post(f"/queue/{id_}/review").status_code == 200  # the decision ended the lock
    told = sam.get(f"/activities/{id_}/history").json["items"]
    assert sorted(one["action"] for one in told) == ["decide", *["open_review"] * 3]


def test_a_review_is_handed_back_and_kept_open(desk, reviewers, clock):
    rae, sam = reviewers
    desk.person("ana")
    id_ = desk.waits("1", "ana")
    rae.post(f"/queue/{id_}/review")
    clock.advance(minutes=14)
    kept = rae.post(f"/queue/{id_}/review").json["activity"]["lock"]
    assert kept["until"] == "2026-11-21T17:29:00Z"
    assert rae.delete(f"/queue/{id_}/review").status_code == 204
    assert rae.delete(f"/queue/{id_}/review").status_code == 204

    assert sam.post(f"/queue/{id_}/review").status_code == 200
    clock.advance(minutes=16)
    # Sam's has ended, and Rae hands back nothing of Sam's.
    assert rae.delete(f"/queue/{id_}/review").status_code == 204
    told = sam.get(f"/activities/{id_}/history").json["items"]
    assert [one["action"] for one in told].count("hand_back_review") == 1
    clock.advance(days=2)
    jobs.tidy(desk.container)
    with desk.container.engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(OpenReview)).scalar_one() == 0


def test_an_application_has_a_lock_as_well(desk, caller):
    sue, sam = caller("admin"), caller("staff")
    desk.person("ana")
    desk.approved("ana", "100")
    id_ = desk.applied("ana")
    opened = sue.post(f"/queue/renewals/{id_}/review").json
    [row] = sam.get("/queue/renewals").json["items"]
    refused = sam.post(f"/renewals/{id_}/decision", {"decision": "approved"}, version='"1"')

    assert row == opened | {"lock": opened["lock"] | {"own": False}}
    assert (row["business_days_waiting"], row["overdue"]) == (8, False)
    assert (refused.status_code, refused.json["reviewer"]) == (409, opened["lock"]["reviewer"])
    assert sam.post(f"/queue/renewals/{id_}/review").status_code == 409
    assert sue.delete(f"/queue/renewals/{id_}/review").status_code == 204
    sue.post(f"/queue/renewals/{id_}/review")
    decided = sue.post(f"/renewals/{id_}/decision", {"decision": "approved"}, version='"1"')
    assert decided.status_code == 200, decided.json
    assert sam.post(f"/queue/renewals/{id_}/review").status_code == 404


def test_of_two_who_open_a_review_at_once_one_gets_it(desk):
    desk.person("ana")
    id_ = desk.waits("1", "ana")
    gate, outcomes = threading.Barrier(2), []

    def run(name):
        with desk.container.work(Actor(role="staff", name=name, person_id=new_id())) as work:
            if work.dialect != "sqlite":  # where a second writer waits at the beginning
                gate.wait()
            try:
                outcomes.append(open_reviews.take(work, "activity", id_).reviewer)
            except UnderReview as refused:
                outcomes.append(f"told of {refused.facts['reviewer']}")

    threads = [threading.Thread(target=run, args=(name,)) for name in ("Rae", "Sam")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) in (["Rae", "told of Rae"], ["Sam", "told of Sam"])


def test_a_question_stops_the_clock_and_the_answer_starts_it_again(desk, caller, staff, clock):
    desk.person("ana", CLOSED)
    ana = caller("holder", holder_id=desk.people["ana"][0])
    id_ = desk.waits("1", "ana", submitted_on=date(2026, 11, 9), completed_on=date(2026, 2, 2))
    desk.file(id_, "a")
    row = shown(staff, id_)
    assert (row["days_waiting"], row["business_days_waiting"], row["overdue"]) == (12, 9, False)
    assert decide(staff, id_, ASKED).status_code == 200
    clock.set("2026-12-18")
    row = shown(staff, id_, "?state=more_information")
    assert (row["business_days_waiting"], row["overdue"]) == (9, False)
    assert ana.post(f"/activities/{id_}/submission").status_code == 200
    days = ["2026-12-18", "2026-12-21", "2026-12-22"]
    for day, waited, late in zip(days, (9, 10, 11), (False, False, True), strict=True):
        clock.set(day)
        row = shown(staff, id_, f"?overdue={str(late).lower()}")
        assert (row["business_days_waiting"], row["overdue"]) == (waited, late), day
        assert staff.get(f"/queue?overdue={str(not late).lower()}").json["items"] == []
    assert row["submitted_on"] == "2026-11-09"
    assert decide(staff, id_, {"verdict": "approved"}, version=3).status_code == 200
    decide(staff, id_, REJECTED, version=4)
    with desk.container.engine.connect() as connection:
        waits = connection.execute(select(Decision.waited_days).order_by(Decision.id))
        assert list(waits.scalars()) == [9, 11, None]


def alike(desk, count):
    """Activities of so many people, which are one course on one day."""
    for n in range(count):
        desk.person(f"p{n}", CLOSED)
    return [desk.waits(str(n), f"p{n}", "20", title="Lean") for n in range(count)]


def body(ids, version=1, **more):
    return {"activities": [{"id": id_, "version": version} for id_ in ids], **more}


def rows_of(container, table):
    with container.engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def test_many_alike_are_decided_at_once(desk, reviewers, container):
    ids = alike(desk, 4)
    rae, _ = reviewers
    before = rows_of(container, Notice)
    done = rae.post("/queue/decisions", body(ids, **REJECTED))

    assert done.status_code == 200, done.json
    assert [(one["id"], one["state"]) for one in done.json] == [(i, "rejected") for i in ids]
    assert {one["decision"]["reason"] for one in done.json} == {"Not shown."}
    assert rows_of(container, Decision) == 4
    assert rows_of(container, Notice) == before + 4


def test_a_hundred_cost_no_more_statements_than_two(desk, reviewers):
    """And one costs one less: a single line of history needs no number to be reserved."""
    rae, costs = reviewers[0], []
    ids = alike(desk, 103)
    rae.get("/queue?limit=1")
    for some in (ids[:1], ids[1:3], ids[3:]):
        with counted(desk.container) as ran:
            done = rae.post("/queue/decisions", body(some, **REJECTED))
        assert done.status_code == 200, done.json
        costs.append(len(ran))
    assert max(costs) <= costs[0] + 1, costs
    assert len(done.json) == 100
    assert {one["state"] for one in done.json} == {"rejected"}


def test_an_application_follows_what_was_decided_together(desk, reviewers, clock):
    """Its points fall short after the last day on which more could come."""
    desk.person("ana", OPEN)
    id_, renewal_id = desk.waits("1", "ana", "20"), desk.applied("ana")
    clock.set("2027-03-01")
    assert reviewers[0].post("/queue/decisions", body([id_], **REJECTED)).status_code == 200
    assert reviewers[1].get(f"/renewals/{renewal_id}").json["decision"] == "denied"


def _one_is_open(_, sam, id_):
    sam.post(f"/queue/{id_}/review")


def _one_is_another_course(desk, _, id_):
    change(desk, id_, title="Welding 2")


def _one_is_on_another_day(desk, _, id_):
    change(desk, id_, completed_on=date(2026, 2, 2))


def _one_has_changed(desk, _, id_):
    change(desk, id_, version=5)


def _one_is_decided(_, sam, id_):
    decide(sam, id_, {"verdict": "approved"})


def change(desk, id_, **values):
    with desk.container.engine.begin() as connection:
        connection.execute(update(Activity).where(Activity.id == id_).values(**values))


@pytest.mark.parametrize(
    ("happens", "status", "code"),
    [
        (_one_is_open, 409, "under_review"),
        (_one_is_another_course, 409, "not_alike"),
        (_one_is_on_another_day, 409, "not_alike"),
        (_one_has_changed, 412, "stale"),
        (_one_is_decided, 409, "illegal_transition"),
    ],
)
def test_one_that_may_not_be_decided_refuses_all_by_name(desk, reviewers, happens, status, code):
    ids = alike(desk, 3)
    happens(desk, reviewers[1], ids[2])
    before = rows_of(desk.container, Decision)
    refused = reviewers[0].post("/queue/decisions", body(ids, verdict="approved"))

    assert (refused.status_code, refused.json["code"]) == (status, code)
    assert refused.json["activity_id"] == ids[2]
    assert f"ctivity {ids[2]} (" in refused.json["detail"]
    assert rows_of(desk.container, Decision) == before


def test_ones_own_among_many_and_what_there_is_not_and_twice_the_same(desk, caller):
    ids = alike(desk, 3)
    rae = caller("staff", holder_id=desk.people["p1"][0])
    own = rae.post("/queue/decisions", body(ids, verdict="approved"))
    missing = rae.post("/queue/decisions", body([*ids, UNKNOWN], verdict="approved"))
    twice = rae.post("/queue/decisions", body([ids[0], ids[0]], verdict="approved"))

    assert (own.status_code, own.json["code"], own.json["activity_id"]) == (
        403,
        "self_review",
        ids[1],
    )
    assert (missing.status_code, UNKNOWN in missing.json["detail"]) == (404, True)
    assert (twice.status_code, twice.json["errors"][0]["field"]) == (422, "activities")
    for partial in ({}, {"version": 1}, {"id": "x", "version": 1}, "x"):
        given = {"activities": [partial, {"id": ids[0], "version": 1}], "verdict": "approved"}
        assert rae.post("/queue/decisions", given).status_code == 422, partial
    assert rows_of(desk.container, Decision) == 0


def figures(who, query=""):
    found = read(FiguresSchema, who.get(f"/queue/figures{query}"))
    for name in ("weeks", "reviewers", "reasons", "types"):
        for key in ("approved", "rejected", "decided", "asked", "late"):
            assert sum(line[key] for line in found[name]) == found["total"][key], (name, key)
    return found


def test_figures_add_up_and_cost_the_same_however_much_there_is(desk, reviewers, clock):
    rae, sam = reviewers
    desk.person("ana", CLOSED)
    ids = [
        desk.waits(str(n), "ana", submitted_on=date(2026, 11, 20) - timedelta(weeks=n))
        for n in range(6)
    ]
    decide(rae, ids[0], {"verdict": "approved"})  # waited for no business day
    decide(rae, ids[1], REJECTED)
    figures(sam)
    with counted(desk.container) as few:
        figures(sam)
    decide(sam, ids[2], ASKED)
    clock.set("2026-11-23")
    decide(sam, ids[3], {"verdict": "approved"})
    decide(sam, ids[3], REJECTED, version=2)  # a correction, which ends no wait
    decide(sam, ids[4], {"verdict": "approved"})
    sam.post(f"/activities/{ids[4]}/decision/undo", {"reason": "x"}, version='"2"')
    with counted(desk.container) as many:
        found = figures(sam)

    assert len(many) == len(few)
    assert found["total"] == {
        "approved": 2,
        "rejected": 1,
        "decided": 3,
        "asked": 1,
        "late": 1,
        "median_days": 5,
        "percentile_90_days": 16,
    }
    assert (found["waiting"], found["overdue"], found["with_holders"]) == (2, 2, 1)
    assert [(line["monday"], line["decided"]) for line in found["weeks"]] == [
        ("2026-11-16", 2),
        ("2026-11-23", 1),
    ]
    by_reviewer = {line["reviewer"]: line["decided"] for line in found["reviewers"]}
    assert by_reviewer == {rae.get("/me").json["name"]: 2, sam.get("/me").json["name"]: 1}
    assert {line["reason_code"]: line["decided"] + line["asked"] for line in found["reasons"]} == {
        None: 2,
        "other": 1,
        "missing_evidence": 1,
    }
    assert figures(sam, "?from=2026-11-23")["total"]["decided"] == 1
    assert figures(sam, "?until=2026-11-20")["weeks"] == []
    for query in ("?from=2026-11-24", "?from=2024-01-01"):
        assert sam.get(f"/queue/figures{query}").json["errors"][0]["field"] == "until"


def test_a_holder_is_told_by_when_to_submit(desk, caller, staff):
    """The service level, until enough decisions have been measured."""
    desk.person("ana")
    holder_id, certification_id = desk.people["ana"]
    ana = caller("holder", holder_id=holder_id)
    promised = {"on": "2026-12-13", "business_days": 10, "measured": False}

    def safe_day():
        [mine] = ana.get("/me").json["certifications"]
        asked = ana.get(f"/certifications/{certification_id}/evaluation").json["safe_day"]
        assert mine["safe_day"] == asked
        return asked

    jobs.measure_waits(desk.container)
    found = safe_day()
    sentence = found.pop("sentence")
    assert found == promised
    assert "up to 10 business days" in sentence
    assert "by December 13, 2026" in sentence
    desk.person("bob", CLOSED)
    for n in range(20):
        id_ = desk.waits(str(n), "bob", "1", submitted_on=date(2026, 11, 18))
        decide(staff, id_, {"verdict": "approved"})
    assert safe_day()["measured"] is False  # until the job has measured again
    assert jobs.measure_waits(desk.container) == 20
    measured = safe_day()
    assert measured["sentence"].startswith("Nine out of ten decisions")
    assert (measured["on"], measured["business_days"]) == ("2026-12-23", 2)
    why = {"reason_code": "other", "reason": "Fraud is alleged."}
    assert staff.post(f"/certifications/{certification_id}/suspension", why).status_code == 201
    assert safe_day() is None
    assert staff.post(f"/certifications/{certification_id}/reinstatement", why).status_code == 201
    assert safe_day() == measured
    desk.approved("ana", "100")
    assert safe_day() is None
