"""Audits of claims: drawn by seed, answered, settled by somebody else, appealed, and counted."""

from __future__ import annotations

import io
from datetime import date

import pytest
from PIL import Image
from sqlalchemy import func, select

from tests.services.desk.queue_cases import OPEN, Desk
from tests.statements import counted
from tracker import jobs
from tracker.domain.desk.audits import REMINDERS
from tracker.domain.permissions import SYSTEM
from tracker.models import Activity, AuditItem, Decision, Holder, Message, Notice
from tracker.services.desk import merges

DRAW = {
    "scheme": "cpt",
    "basis": "share",
    "percent": "50",
    "seed": "2026-Q4",
    "from_on": "2026-11-01",
    "until_on": "2026-11-30",
    "reply_days": 14,
    "reason": "The yearly audit.",
}
REJECTED = {"outcome": "rejected", "reason_code": "insufficient_evidence", "reason": "No proof."}


@pytest.fixture
def desk(app, container):
    """Four people whose approvals complete their points, each by two activities."""
    assert app
    made = Desk(container)
    for name in ("ana", "bea", "cal", "dee"):
        made.person(name, OPEN)
        for hours in ("70", "30"):
            made.approved(name, hours)
    return made


def picture():
    data = io.BytesIO()
    Image.new("RGB", (8, 8), "white").save(data, "PNG")
    data.seek(0)
    return {"file": (data, "proof.png")}


def by_hand(desk, container, who, name="ana"):
    """An audit of one activity of somebody; the item's id, and the activity's."""
    holder_id, _ = desk.people[name]
    with container.engine.connect() as connection:
        mine = select(Activity.id).where(Activity.holder_id == holder_id).order_by(Activity.id)
        activity_id = connection.execute(mine).scalars().first()
    body = {**DRAW, "basis": "hand", "percent": None, "activity_ids": [activity_id]}
    made = who.post("/audits", body | {"seed": f"by hand {name}"})
    assert made.status_code == 201, made.json
    [item] = who.get(f"/audits/{made.json['id']}/items").json["items"]
    return item["id"], activity_id


def settle(who, item_id, body, status=200):
    path = f"/audits/items/{item_id}"
    done = who.post(f"{path}/decision", body, version=who.get(path).headers["ETag"])
    assert done.status_code == status, done.json
    return done.json


def told(container, kind):
    with container.engine.connect() as connection:
        rows = connection.execute(select(Notice.event).where(Notice.kind == kind))
        return [event.partition(":")[0] for event in rows.scalars()]


@pytest.mark.usefixtures("desk")
def test_one_seed_draws_the_same_again_and_every_outcome_is_counted(caller, clock):
    sam, sue = caller("staff"), caller("staff")
    first, again = (sam.post("/audits/preview", DRAW).json for _ in range(2))
    other = sam.post("/audits/preview", DRAW | {"seed": "another"}).json
    made = sam.post("/audits", DRAW).json
    page = sue.get(f"/audits/{made['id']}/items").json["items"]
    assert first == again
    assert first["population"] == made["population"] == 8
    assert [one["id"] for one in first["drawn"]] == [one["activity_id"] for one in page]
    assert len(page) == 4
    assert first["population_digest"] == other["population_digest"] == made["population_digest"]
    twice = sam.post("/audits", DRAW)
    assert (twice.status_code, twice.json["code"]) == (409, "already_recorded")
    clock.advance(minutes=1)

    reduced = {
        "outcome": "reduced",
        "points": "10",
        "reason_code": "fewer_hours_shown",
        "reason": "Ten hours.",
    }
    off = {"outcome": "called_off", "reason": "Twice."}
    before = {one["id"]: desk_points(sue, one) for one in page}
    for item, body in zip(page, ({"outcome": "confirmed"}, reduced, REJECTED, off), strict=True):
        settle(sue, item["id"], body)
    people = {one["holder_id"]: one for one in page}.values()
    lost = sum(before[one["id"]] - desk_points(sue, one) for one in people)
    found = sue.get(f"/audits/{made['id']}").json["figures"]
    assert found.pop("points_removed") == f"{lost:.2f}"
    states = ("confirmed", "reduced", "rejected", "called_off")
    assert found == {"drawn": 4, **dict.fromkeys(states, 1)} | dict.fromkeys(
        ("asked", "answered", "unanswered", "appealed"), 0
    )
    assert sue.get("/audits/figures").json["drawn"] == 4

    clock.set("2026-11-25")  # what was decided since changes nothing about the draw
    same = {"population": 8, "same_population": True, "same_sample": True}
    assert sam.get(f"/audits/{made['id']}/repetition").json == same | {"missing": [], "added": []}


def desk_points(who, item):
    """The points of the certification whose activity is audited, as a number."""
    shown = who.get(f"/activities/{item['activity_id']}").json
    [held] = [
        one
        for one in who.get(f"/certifications?holder_id={shown['holder_id']}").json["items"]
        if one["scheme"] == shown["scheme"]
    ]
    return float(who.get(f"/certifications/{held['id']}/evaluation").json["total"])


def test_holders_and_flags_are_drawn_too(desk, caller, clock):
    sam = caller("staff")
    body = DRAW | {"unit": "holder", "seed": "people", "percent": "25"}
    whole = sam.post("/audits/preview", body).json
    assert (whole["population"], len(whole["drawn"])) == (4, 2)
    assert len({one["holder_id"] for one in whole["drawn"]}) == 1

    with_file = desk.approved("ana", "5")
    desk.file(with_file, "abc")
    flagged = DRAW | {"basis": "flag", "flag": "no_evidence", "percent": "100", "seed": "flag"}
    made = sam.post("/audits", flagged).json
    items = sam.get(f"/audits/{made['id']}/items").json["items"]
    assert made["population"] == len(items) == 8
    assert with_file not in {one["activity_id"] for one in items}
    clock.advance(minutes=1)
    desk.file(items[0]["activity_id"], "def")  # the flag is gone, the draw is as it was
    assert sam.get(f"/audits/{made['id']}/repetition").json["same_sample"] is True
    refused = sam.post("/audits", DRAW | {"percent": None, "activity_ids": [with_file]})
    assert {error["field"] for error in refused.json["errors"]} == {"percent", "activity_ids"}
    nothing = sam.post("/audits", DRAW | {"seed": "none", "cycle": 7})
    assert nothing.status_code == 422


def test_a_holder_answers_and_what_falls_is_shown_before_it_falls(desk, caller, container, clock):
    sam = caller("staff")
    holder_id, certification_id = desk.people["ana"]
    ana, bea = (
        caller("holder", holder_id=holder_id),
        caller("holder", holder_id=desk.people["bea"][0]),
    )
    renewal_id = desk.applied("ana")
    item_id, activity_id = by_hand(desk, container, sam)
    [mine] = ana.get("/me/audits").json["items"]
    assert (mine["id"], mine["due_on"]) == (item_id, "2026-12-05")
    assert bea.get("/me/audits").json["items"] == []
    said = {"answer": "The certificate is attached."}
    assert bea.post(f"/me/audits/{item_id}/answer", said).status_code == 404
    clock.advance(hours=1)
    added = ana.call("POST", f"/activities/{activity_id}/evidence", data=picture())
    assert (added.status_code, added.json["came_later"]) == (201, True)
    assert ana.post(f"/me/audits/{item_id}/answer", said).json["state"] == "answered"

    path = f"/audits/items/{item_id}"
    version = sam.get(path).headers["ETag"]
    shown = sam.post(f"{path}/preview", REJECTED, version=version).json
    assert (shown["before"]["points"], shown["after"]["points"]) == ("100.00", "30.00")
    assert [one["renewal_id"] for one in shown["fallen"]] == [renewal_id]
    assert sam.get(path).headers["ETag"] == version
    assert sam.get(f"/activities/{activity_id}").json["state"] == "approved"
    assert sam.get(f"/certifications/{certification_id}/evaluation").json["total"] == "100.00"

    assert settle(sam, item_id, REJECTED)["points_after"] == "30.00"
    assert sam.get(f"/certifications/{certification_id}/evaluation").json["total"] == "30.00"
    after = ana.call("POST", f"/activities/{activity_id}/evidence", data=picture())
    assert after.status_code == 201  # rejected, it is with its holder again
    assert ana.post(f"/me/audits/{item_id}/answer", said).status_code == 409

    pat = {"statement": "It shows the hours."}
    assert ana.post(f"/me/audits/{item_id}/appeal", pat).json["appealed_on"] == "2026-11-21"
    assert ana.post(f"/me/audits/{item_id}/appeal", pat).status_code == 409
    clock.advance(hours=1)
    upheld = {"outcome": "confirmed", "reason": "It does."}
    settle(sam, item_id, upheld, status=403)
    done = settle(caller("staff"), item_id, upheld)
    assert done["points_before"] == done["points_after"] == "100.00"
    assert done["appeal_decided_at"] is not None
    assert sam.get(f"/certifications/{certification_id}/evaluation").json["total"] == "100.00"
    assert sorted(told(container, "audit_decided")) == ["confirmed", "rejected"]
    assert told(container, "audit_appealed") == ["received"]

    assert ana.post(f"/me/audits/{item_id}/appeal", pat).status_code == 409  # nothing was taken
    clock.advance(days=1)
    settle(caller("staff"), item_id, REJECTED)
    again = ana.post(f"/me/audits/{item_id}/appeal", {"statement": "Once more."}).json
    assert (again["appealed_on"], again["appeal_decided_at"]) == ("2026-11-22", None)
    assert ana.post(f"/me/audits/{item_id}/appeal", pat).status_code == 409  # once per outcome
    clock.advance(hours=1)
    dismissed = {**REJECTED, "reason": "It does not, after all."}
    settle(caller("staff"), item_id, dismissed)
    assert ana.post(f"/me/audits/{item_id}/appeal", pat).status_code == 409  # decided on appeal
    assert len(told(container, "audit_appealed")) == 2


def test_somebody_else_audits_and_never_their_own_record(desk, caller):
    sam = caller("staff")
    waits = desk.waits("dee", "dee", "5")
    version = sam.get(f"/activities/{waits}").headers["ETag"]
    assert (
        sam.post(
            f"/activities/{waits}/decision", {"verdict": "approved"}, version=version
        ).status_code
        == 200
    )
    body = {**DRAW, "basis": "hand", "percent": None, "activity_ids": [waits], "seed": "dee"}
    audit = sam.post("/audits", body).json["id"]
    [item] = sam.get(f"/audits/{audit}/items").json["items"]
    settle(sam, item["id"], {"outcome": "confirmed"}, status=403)
    settle(caller("staff", holder_id=desk.people["dee"][0]), item["id"], REJECTED, status=403)
    settle(caller("reviewer"), item["id"], {"outcome": "confirmed"})
    assert sam.post("/audits", body | {"seed": "again"}).status_code == 201  # settled, so anew


def _overdue(container):
    with container.engine.connect() as connection:
        return connection.execute(select(AuditItem.state, AuditItem.reminders)).one()


def test_without_an_answer_the_holder_is_reminded_twice_and_then_staff_decide(
    desk, caller, container, clock
):
    sam = caller("staff")
    by_hand(desk, container, sam)
    clock.set("2026-12-05")
    assert jobs.follow_audits(container) == {}
    for n in range(1, REMINDERS + 1):
        clock.set(f"2026-12-{6 + 15 * (n - 1):02}T18:00")
        assert jobs.follow_audits(container) == {"reminded": 1}
        assert jobs.follow_audits(container) == {}
        assert _overdue(container) == ("asked", n)
    clock.set("2027-03-01")
    assert jobs.follow_audits(container) == {}
    assert sam.get("/audits/figures").json["unanswered"] == 1
    assert told(container, "audit_asked") == ["asked", "reminded", "reminded"]


def test_where_the_policy_says_so_no_answer_is_a_rejection_once(desk, caller, container, clock):
    sam = caller("staff")
    item_id, activity_id = by_hand(desk, container, sam)
    with container.engine.begin() as connection:  # as a policy with no_answer = "reject" draws it
        connection.exec_driver_sql("update claim_audit set no_answer = 'reject'")
    clock.set("2026-12-07")
    assert jobs.follow_audits(container) == {"rejected": 1}
    assert jobs.follow_audits(container) == {}
    shown = sam.get(f"/audits/items/{item_id}").json
    assert (shown["state"], shown["reason_code"]) == ("rejected", "audit_unanswered")
    assert sam.get(f"/activities/{activity_id}").json["state"] == "rejected"
    with container.engine.connect() as connection:
        of_activity = select(func.count()).where(Decision.activity_id == activity_id)
        assert connection.execute(of_activity).scalar_one() == 2
        assert connection.execute(select(func.count()).select_from(Message)).scalar_one() > 0
    assert date.fromisoformat(shown["due_on"]) == date(2026, 12, 5)


def _items(who, *activity_ids, seed):
    """The items of an audit of these activities."""
    body = {**DRAW, "basis": "hand", "percent": None, "activity_ids": activity_ids, "seed": seed}
    made = who.post("/audits", body)
    assert made.status_code == 201, made.json
    return [one["id"] for one in who.get(f"/audits/{made.json['id']}/items").json["items"]]


def test_less_is_less_and_what_two_audits_took_is_counted_once(desk, caller, clock):
    sam = caller("staff")
    desk.person("eve", OPEN)
    ids = [desk.approved("eve", hours) for hours in ("70", "30")]
    first, second = _items(sam, *ids, seed="eve")
    more = {
        "outcome": "reduced",
        "points": "70",
        "reason_code": "fewer_hours_shown",
        "reason": "Seventy.",
    }
    refused = settle(sam, first, more, status=422)
    assert [error["field"] for error in refused["errors"]] == ["points"]
    settle(sam, first, REJECTED)
    settle(sam, second, REJECTED)
    assert sam.get("/audits/figures").json["points_removed"] == "100.00"
    clock.advance(hours=1)
    back = settle(sam, first, {"outcome": "confirmed", "reason": "It was right."})
    assert back["points_before"] == back["points_after"] == "70.00"
    assert sam.get("/audits/figures").json["points_removed"] == "30.00"


def test_another_claim_since_is_not_approved_by_an_appeal_and_the_audit_is_called_off(
    desk, caller, container, clock
):
    sam, sue = caller("staff"), caller("staff")
    ana = caller("holder", holder_id=desk.people["ana"][0])
    item_id, activity_id = by_hand(desk, container, sam)
    settle(sam, item_id, REJECTED)
    assert ana.post(f"/me/audits/{item_id}/appeal", {"statement": "No."}).status_code == 200
    clock.advance(hours=1)
    path = f"/activities/{activity_id}"
    version = ana.get(path).headers["ETag"]
    changed = ana.call("PATCH", path, json={"quantity": "900"}, headers={"If-Match": version})
    assert changed.status_code == 200, changed.json
    upheld = {"outcome": "confirmed", "reason": "It was right."}
    assert settle(sue, item_id, upheld, status=409)["code"] == "illegal_transition"
    off = settle(sue, item_id, {"outcome": "called_off", "reason": "It is another claim now."})
    assert off["appeal_decided_at"] is not None
    assert sue.get(path).json["state"] == "rejected"


def test_a_later_outcome_does_not_replace_what_others_decided_since(desk, caller, container, clock):
    sam, sue = caller("staff"), caller("staff")
    item_id, activity_id = by_hand(desk, container, sam)
    settle(sam, item_id, {"outcome": "confirmed"})
    clock.advance(hours=1)
    path = f"/activities/{activity_id}"
    body = {"verdict": "rejected", "reason_code": "insufficient_evidence", "reason": "No proof."}
    version = sue.get(path).headers["ETag"]
    assert sue.post(f"{path}/decision", body, version=version).status_code == 200
    fewer = {
        "outcome": "reduced",
        "points": "10",
        "reason_code": "fewer_hours_shown",
        "reason": "Ten hours.",
    }
    settle(sam, item_id, fewer, status=409)
    assert sam.get(path).json["state"] == "rejected"


def test_proof_without_a_word_is_an_answer(desk, caller, container, clock):
    sam, ana = caller("staff"), caller("holder", holder_id=desk.people["ana"][0])
    item_id, activity_id = by_hand(desk, container, sam)
    with container.engine.begin() as connection:
        connection.exec_driver_sql("update claim_audit set no_answer = 'reject'")
    added = ana.call("POST", f"/activities/{activity_id}/evidence", data=picture())
    assert added.status_code == 201
    clock.set("2026-12-09")
    assert jobs.follow_audits(container) == {}
    shown = sam.get(f"/audits/items/{item_id}").json
    assert (shown["state"], shown["answer"]) == ("answered", None)
    settle(sam, item_id, {"outcome": "confirmed"})


@pytest.mark.usefixtures("desk")
def test_a_list_of_audited_activities_takes_as_many_statements_however_long(caller, container):
    sam = caller("staff")
    audit = sam.post("/audits", DRAW | {"percent": "100"}).json["id"]
    for limit in (2, 8):
        with counted(container) as statements:
            items = sam.get(f"/audits/{audit}/items?limit={limit}").json["items"]
        assert (len(items), len(statements)) == (limit, 3)


def test_nobody_reminds_the_dead_nor_of_what_was_decided_otherwise(desk, caller, container, clock):
    sam = caller("staff")
    by_hand(desk, container, sam)
    _, otherwise = by_hand(desk, container, sam, "bea")
    with container.work(SYSTEM) as work:
        work.session.get_one(Holder, desk.people["ana"][0]).deceased_on = date(2026, 11, 20)
    path = f"/activities/{otherwise}"
    body = {"verdict": "rejected", "reason_code": "insufficient_evidence", "reason": "No proof."}
    version = sam.get(path).headers["ETag"]
    assert sam.post(f"{path}/decision", body, version=version).status_code == 200
    clock.set("2026-12-09")
    assert jobs.follow_audits(container) == {}


def test_holders_and_a_cycle_are_drawn_the_same_again_after_a_merge_and_its_undoing(
    desk, caller, container, clock
):
    sam = caller("staff")
    desk.person("eve", OPEN)
    desk.approved("eve", "10")
    body = DRAW | {"unit": "holder", "percent": "60", "cycle": 1}

    def drawn_again(seed):
        made = sam.post("/audits", body | {"seed": seed}).json
        clock.advance(minutes=1)
        return made

    def check(audit, population):
        again = sam.get(f"/audits/{audit['id']}/repetition").json
        same = {"population": population, "same_population": True, "same_sample": True}
        assert again == same | {"missing": [], "added": []}

    before = drawn_again("before")
    dee, eve = desk.people["dee"][0], desk.people["eve"][0]
    with container.work(SYSTEM) as work:
        merge_id = merges.merge(work, dee, eve, reason="One person.")
    clock.advance(minutes=1)
    check(before, 5)
    between = drawn_again("between")
    with container.work(SYSTEM) as work:
        merges.undo(work, merge_id, reason="They are two.")
    with container.engine.begin() as connection:  # as an award that was corrected moves it
        connection.exec_driver_sql("update cycle set starts_on = '2026-06-01'")
    check(before, 5)
    check(between, between["population"])
