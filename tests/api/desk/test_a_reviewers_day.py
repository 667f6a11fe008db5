"""A day of two reviewers, told as a story: 500 activities, two calls a review, and all adds up."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import date

import pytest
from sqlalchemy import func, select

from tests.api.conftest import Caller
from tests.api.desk.test_reviews import figures
from tests.services.desk.queue_cases import OPEN, Desk
from tracker.domain.permissions import SYSTEM
from tracker.models import Activity, Notice, OpenReview

PEOPLE, COMMON = 50, 9
LONG, UNCLEAR = {"title": "Long", "hours": "40"}, {"title": "Unclear", "hours": "7"}
TWICE = {"title": "course  1.", "hours": "4"}


@dataclass
class Reviewer:
    """Somebody who opens one review after another, and decides each by what is shown."""

    who: Caller
    calls: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)
    taken: int = 0

    def work_through(self) -> None:
        """Review what waits until nothing does, leaving what another reviewer has open."""
        while rows := self.who.get("/queue?limit=20").json["items"]:
            for row in rows:
                self.review(row["id"])

    def review(self, id_: str) -> None:
        opened = self.who.post(f"/queue/{id_}/review")
        if opened.status_code == 409:
            self.taken += 1
            return
        if opened.json["activity"]["state"] != "submitted":  # decided since the page was read
            self.who.delete(f"/queue/{id_}/review")
            return
        answer = decision_on(opened.json)
        version = opened.json["activity"]["version"]
        decided = self.who.post(f"/activities/{id_}/decision", answer, version=f'"{version}"')
        assert decided.status_code == 200, decided.json
        self.calls[id_] += 2
        self.verdicts[answer["verdict"]] += 1


def decision_on(review):
    """What a reviewer answers: less for a long course, a question, no to a duplicate, or yes."""
    activity = review["activity"]
    others = [one["activity"] for one in review["likely_duplicates"]]
    if any(one["state"] == "approved" for one in others):
        assert "likely_duplicate" in activity["flags"]
        return {"verdict": "rejected", "reason_code": "duplicate", "reason": "Claimed twice."}
    if activity["quantity"] == "40.00":
        return {"verdict": "approved", "points_limit": "20"}
    if activity["quantity"] == "7.00" and not review["evidence"]:
        return {"verdict": "more_information", "reason_code": "missing_evidence", "reason": "Why?"}
    return {"verdict": "approved"}


@pytest.fixture
def desk(app, container):
    """Fifty people, with nine courses that all took, of which most claimed one twice."""
    assert app
    made = Desk(container)
    rows = []
    for n in range(PEOPLE):
        made.person(f"p{n}", OPEN)
    with container.work(SYSTEM) as work:
        for n in range(PEOPLE):
            own = {0: LONG, 5: UNCLEAR}.get(n % 10, TWICE)
            common = [{"title": f"Course {k}", "hours": "4"} for k in range(COMMON)]
            for k, values in enumerate([*common, own]):
                on = date(2026, 11, 2 + k)
                rows.append(made.row(work, f"p{n}", submitted_on=on, **values))
        work.session.add_all([Activity(**row) for row in rows])
    return made


def test_two_reviewers_work_through_five_hundred_activities(desk, caller, container, clock):
    rae, sam, sue = Reviewer(caller("reviewer")), Reviewer(caller("staff")), caller("staff")
    before = figures(sue)
    assert (before["waiting"], before["total"]["decided"]) == (500, 0)

    _decide_alike(rae.who)
    assert figures(sue)["total"]["approved"] == COMMON * PEOPLE
    _both_at_once(rae, sam, sue)
    asked = [row["id"] for row in sue.get("/queue?state=more_information").json["items"]]
    assert len(asked) == 5

    undone = _change_of_mind(sam.who, rae)
    _answers(desk, caller, asked, clock)
    rae.work_through()

    found = figures(sue)
    assert (found["waiting"], found["with_holders"]) == (0, 0)
    assert found["total"]["decided"] == 500
    assert found["total"]["approved"] == COMMON * PEOPLE + 5 + 5 - undone
    assert found["total"]["rejected"] == 40 + undone
    assert found["total"]["asked"] == len(asked)
    reviewed = rae.calls + sam.calls
    assert max(Counter({id_: n for id_, n in reviewed.items() if id_ not in asked}).values()) == 2
    assert {reviewed[id_] for id_ in asked} == {4}  # two reviews: the question and the answer
    assert sum(line["decided"] for line in found["reviewers"]) == 500
    _check_records(container, sue, desk)
    _audit(caller, sue, found["total"]["approved"], clock)
    _appeal(desk, caller, sue, clock)


def _audit(caller, sue, approved, clock):
    """An audit is drawn twice from one seed and names the same; settled, it adds up."""
    wanted = {
        "scheme": "cpt",
        "basis": "share",
        "percent": "2",
        "seed": "a day",
        "from_on": "2026-11-01",
        "until_on": "2026-11-30",
        "reply_days": 14,
        "reason": "The audit.",
    }
    once, twice = (sue.post("/audits/preview", wanted).json for _ in range(2))
    assert once == twice
    assert (once["population"], len(once["drawn"])) == (approved, -(-approved // 50))
    audit = sue.post("/audits", wanted).json["id"]
    items = sue.get(f"/audits/{audit}/items").json["items"]
    assert [i["activity_id"] for i in items] == [one["id"] for one in once["drawn"]]
    who = caller("reviewer")
    clock.advance(minutes=1)
    for n, item in enumerate(items):
        path, no = f"/audits/items/{item['id']}", n % 3 == 0
        answer = {"outcome": "confirmed"}
        if no:
            answer = {"outcome": "rejected", "reason_code": "fraud", "reason": "Not so."}
        done = who.post(f"{path}/decision", answer, version=who.get(path).headers["ETag"])
        assert done.status_code == 200, done.json
    told = sue.get(f"/audits/{audit}").json["figures"]
    assert told["drawn"] == len(items) == told["confirmed"] + told["rejected"]
    assert told["rejected"] == len(items[::3])
    settled = [who.get(f"/audits/items/{item['id']}").json for item in items]
    lost = sum(float(i["points_before"]) - float(i["points_after"]) for i in settled)
    assert told["points_removed"] == f"{lost:.2f}"
    assert sue.get(f"/audits/{audit}/repetition").json["same_sample"] is True


def _decide_alike(who):
    """Nine courses, each decided at once for the fifty people who took it."""
    rows = who.get("/queue?limit=200").json
    every = list(rows["items"])
    while rows["next"]:
        rows = who.get(f"/queue?limit=200&after={rows['next']}").json
        every += rows["items"]
    assert len(every) == 500
    for k in range(COMMON):
        alike = [r for r in every if r["title"] == f"Course {k}"]
        body = {
            "activities": [{"id": r["id"], "version": r["version"]} for r in alike],
            "verdict": "approved",
        }
        done = who.post("/queue/decisions", body)
        assert (done.status_code, len(done.json)) == (200, PEOPLE), done.json


def _both_at_once(rae, sam, sue):
    """Fifty reviews by two people; neither decides what the other has open."""
    [first, *_] = sue.get("/queue?limit=1").json["items"]
    assert rae.who.post(f"/queue/{first['id']}/review").status_code == 200
    sam.review(first["id"])
    assert sam.taken == 1
    assert rae.who.delete(f"/queue/{first['id']}/review").status_code == 204
    failures = []

    def run(reviewer):
        try:
            reviewer.work_through()
        except BaseException as error:  # noqa: BLE001 - the test fails with it, in its own thread
            failures.append(error)

    threads = [threading.Thread(target=run, args=(one,)) for one in (rae, sam)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert rae.verdicts + sam.verdicts == Counter(
        {"approved": 5, "rejected": 40, "more_information": 5}
    )


def _change_of_mind(who, reviewer):
    """Two approvals are taken back within ten minutes, and refused; returns how many."""
    rows = [
        row
        for row in who.get("/activities?state=approved&limit=200").json["items"]
        if row["quantity"] == "40.00"
    ]
    for row in rows[:2]:
        path = f"/activities/{row['id']}"
        version = who.get(path).headers["ETag"]
        assert who.post(f"{path}/decision/undo", {"reason": "A slip."}, version=version).json
        answer = {"verdict": "rejected", "reason_code": "other", "reason": "Not a course."}
        version = who.get(path).headers["ETag"]
        assert who.post(f"{path}/decision", answer, version=version).status_code == 200
    reviewer.verdicts["rejected"] += len(rows[:2])
    return len(rows[:2])


def _answers(desk, caller, asked, clock):
    """Three days later the holders have added what was missing; they waited no longer for it."""
    clock.set("2026-11-24")
    for id_ in asked:
        desk.file(id_, id_.replace("-", ""))
    for n in range(5, PEOPLE, 10):
        holder_id, certification_id = desk.people[f"p{n}"]
        ana = caller("holder", holder_id=holder_id)
        path = f"/certifications/{certification_id}/activities?state=more_information"
        [mine] = ana.get(path).json["items"]
        assert ana.post(f"/activities/{mine['id']}/submission").status_code == 200


def _check_records(container, sue, desk):
    """No lock is left, everybody has been told, and the points are those that were approved."""
    with container.engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(OpenReview)).scalar_one() == 0
        kinds = connection.execute(
            select(Notice.kind, func.count()).where(Notice.kind != "award").group_by(Notice.kind)
        )
        told = dict(tuple(row) for row in kinds)
    assert told == {
        "activity_decided": 500 + 5 + 2,  # five were asked first, two decided again
        "activity_reopened": 2,
        "activity_submitted": 5,
    }
    for n, total in {0: "36.00", 1: "36.00", 5: "43.00", 20: "56.00"}.items():
        shown = sue.get(f"/certifications/{desk.people[f'p{n}'][1]}/evaluation").json
        assert shown["total"] == total
        assert shown["pending_points"] == "0.00"


def _appeal(desk, caller, sue, clock):
    """An application is denied, and the appeal upheld by somebody who was not involved."""
    desk.person("ana", OPEN)
    holder_id, certification_id = desk.people["ana"]
    ana, sid = caller("holder", holder_id=holder_id), caller("staff")
    desk.approved("ana", "100")
    id_ = desk.applied("ana")
    assert sue.post(f"/queue/renewals/{id_}/review").json["complete_now"] is True
    denied = {"decision": "denied", "reason": "Not shown."}
    assert sid.post(f"/renewals/{id_}/decision", denied, version='"1"').status_code == 409
    assert sue.post(f"/renewals/{id_}/decision", denied, version='"1"').status_code == 200
    clock.advance(hours=1)
    body = {"statement": "I sent it.", "renewal_id": id_}
    appeal = ana.post(f"/certifications/{certification_id}/appeals", body).json
    upheld = {"outcome": "upheld", "reason": "It was sent."}
    own = sue.post(f"/appeals/{appeal['id']}/decision", upheld, version='"1"')
    other = sid.post(f"/appeals/{appeal['id']}/decision", upheld, version='"1"')
    assert (own.status_code, other.status_code) == (403, 200), own.json
    assert sid.get(f"/renewals/{id_}").json["decision"] == "approved"
