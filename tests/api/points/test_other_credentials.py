"""Other credentials: recorded, corrected, withdrawn, verified, claimed once, reminded of once."""

from __future__ import annotations

import threading
from datetime import date

import pytest
from sqlalchemy import select

from tests import factories
from tests.services.delivery import reminder_cases
from tests.statements import counted
from tracker import jobs
from tracker.domain.permissions import SYSTEM
from tracker.models import Activity, HistoryEntry, Notice, OtherCredential

SMSCP = {
    "credential": "smscp",
    "level": "1",
    "number": "S-77",
    "issued_on": "2026-03-02",
    "expires_on": "2026-12-20",
    "evidence": "https://siemens.example/S-77",
}


@pytest.fixture
def ids(container):
    return factories.certified(container, date(2024, 3, 1), email="ana@example.org")


@pytest.fixture
def ana(caller, ids):
    return caller("holder", holder_id=ids[0])


@pytest.fixture
def added(ana, ids):
    def add(**change):
        return ana.post(f"/holders/{ids[0]}/credentials", SMSCP | change)

    return add


def count(container, column):
    with container.reading(SYSTEM) as reading:
        return len(reading.rows(select(column)))


def test_from_recorded_to_corrected_verified_and_withdrawn(ana, staff, container, ids, added):
    made = added()
    assert (made.status_code, made.json["name"], made.json["status"]) == (
        201,
        "Siemens SMSCP",
        "current",
    )
    path = f"/credentials/{made.json['id']}"
    assert ana.get(path).json == made.json

    verified = staff.post(f"{path}/verification", {"verified": True})
    assert verified.json["verified_by"]
    corrected = ana.post(f"{path}/correction", {"number": "S-78", "evidence": None})
    assert (corrected.json["number"], corrected.json["evidence"]) == ("S-78", None)
    assert corrected.json["verified_by"] is None
    nothing = ana.post(f"{path}/correction", {"number": "S-78"})
    assert (nothing.status_code, nothing.json["errors"][0]["field"]) == (422, "number")
    unexplained = staff.post(f"{path}/correction", {"number": "S-79"})
    assert (unexplained.status_code, unexplained.json["errors"][0]["field"]) == (422, "reason")
    silent = staff.post(f"{path}/verification", {"verified": False})
    assert (silent.status_code, silent.json["errors"][0]["field"]) == (422, "note")

    gone = ana.post(f"{path}/withdrawal", {"reason": "Not mine."})
    assert (gone.json["status"], gone.json["withdrawn_reason"]) == ("withdrawn", "Not mine.")
    assert ana.post(f"{path}/correction", {"number": "S-80"}).status_code == 409
    assert added().status_code == 201
    listed = ana.get(f"/holders/{ids[0]}/credentials").json["items"]
    assert [one["status"] for one in listed] == ["withdrawn", "current"]

    with container.reading(SYSTEM) as reading:
        about = HistoryEntry.subject == "other_credential"
        entries = reading.rows(select(HistoryEntry).where(about).order_by(HistoryEntry.id))
    actions = [entry.action for entry in entries]
    assert actions == ["add", "verify", "correct", "withdraw", "add"]
    assert "S-77" not in str([entry.detail for entry in entries])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"credential": "smsp"}, "credential"),
        ({"level": "9"}, "level"),
        ({"issued_on": "2026-11-22"}, "issued_on"),
        ({"expires_on": "2026-03-01"}, "expires_on"),
    ],
)
def test_what_cannot_be_is_refused_by_field(added, container, change, field):
    refused = added(**change)
    assert (refused.status_code, refused.json["errors"][0]["field"]) == (422, field)
    assert count(container, OtherCredential.id) == 0


def test_two_clicks_record_one(caller, container, ids):
    answers, gate = [], threading.Barrier(2)

    def send():
        ana = caller("holder", holder_id=ids[0])
        gate.wait()
        answers.append(ana.post(f"/holders/{ids[0]}/credentials", SMSCP).status_code)

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [201, 409]
    assert count(container, OtherCredential.id) == 1


def test_it_is_claimed_for_points_in_one_step_and_once(ana, caller, container, ids, added):
    path = f"/credentials/{added().json['id']}/activity"
    wanted = {"certification_id": ids[1]}
    other_holder, other = factories.certified(container, date(2024, 3, 1))
    assert ana.post(path, {"certification_id": other}).status_code == 404
    stranger = caller("holder", holder_id=other_holder)
    assert stranger.post(path, {"certification_id": other}).status_code == 404

    first, second = ana.post(path, wanted), ana.post(path, wanted)
    assert first.status_code == 200
    assert first.json == second.json
    assert count(container, Activity.id) == 1
    activity = ana.get(f"/activities/{first.json['activity_id']}").json
    assert (activity["category"], activity["title"], activity["provider"]) == (
        "IC",
        "Siemens SMSCP, Level 1",
        "Siemens",
    )
    assert ana.post(f"/activities/{activity['id']}/submission").status_code == 200


def test_who_discards_the_draft_can_claim_the_credential_again(ana, ids, added):
    path = f"/credentials/{added().json['id']}/activity"
    first = ana.post(path, {"certification_id": ids[1]}).json["activity_id"]
    draft = f"/activities/{first}"
    assert ana.delete(draft, version=ana.get(draft).headers["ETag"]).status_code == 204

    assert ana.get(path.removesuffix("/activity")).json["activity_id"] is None
    again = ana.post(path, {"certification_id": ids[1]})
    assert again.json["activity_id"] not in {None, first}


# Reminders.
def sent(container, clock):
    """The messages that leave eleven minutes from now."""
    clock.advance(minutes=11)
    with reminder_cases.relay(container) as (sending, catcher):
        jobs.dispatch(sending)
        return catcher.letters()


def test_holders_are_told_once_at_each_stage(ana, container, clock, added):
    added()
    for _ in range(2):  # 29 days left: the second of three stages
        jobs.remind_of_credentials(container)
    [told] = sent(container, clock)
    assert told.subject == "One of your other credentials expires soon"
    assert "Siemens SMSCP, Level 1 expires on December 20, 2026." in told.text
    assert "Unsubscribe or pause reminders" in told.text

    clock.set("2026-12-14")
    jobs.remind_of_credentials(container)
    assert len(sent(container, clock)) == 1
    clock.set("2026-12-21")
    jobs.remind_of_credentials(container)
    assert count(container, Notice.id) == 2
    assert sent(container, clock) == []
    assert ana.get("/me").status_code == 200


def test_no_reminder_is_sent_of_one_that_was_withdrawn_or_renewed(ana, container, clock, added):
    path = f"/credentials/{added().json['id']}"
    jobs.remind_of_credentials(container)
    ana.post(f"{path}/correction", {"expires_on": "2029-12-20"})
    assert sent(container, clock) == []


def test_whoever_switched_reminders_off_gets_none(ana, container, clock, added):
    ana.patch("/me/preferences", {"reminders": {"wanted": False}})
    added()
    jobs.remind_of_credentials(container)
    assert sent(container, clock) == []


def test_a_batch_costs_as_many_statements_as_one(ana, container, ids, added):
    def statements():
        with counted(container) as seen:
            jobs.remind_of_credentials(container)
        return len(seen)

    added()
    few = statements()
    for day in range(10, 20):
        added(issued_on=f"2026-03-{day}")
    assert statements() <= few + 2  # they join the message that waits
    assert ana.get(f"/holders/{ids[0]}/credentials").status_code == 200
