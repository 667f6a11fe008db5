"""Messages over HTTP: what was written to whom, and what staff do with one manually."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import insert, select, update

from tests.api.employers.employer_cases import everything, read
from tests.backends import SQLITE
from tests.services.delivery import reminder_cases as cases
from tests.statements import counted
from tracker import jobs
from tracker.api.delivery.messages import MessageSchema, MyMessageSchema, WholeMessageSchema
from tracker.api.http.schemas import page_of
from tracker.domain.delivery.queue_acts import TRANSITIONS
from tracker.domain.permissions import SYSTEM
from tracker.models import Certification, HistoryEntry, Message, Preference

EXPIRY = date(2027, 3, 15)
UNKNOWN = "01900000-0000-7000-8000-000000000000"
WHY = {"reason": "The mailbox was full; they called."}


@pytest.fixture
def planned(container, clock):
    """Messages of the stage 30 in the outbox; returns the certifications' ids."""

    def make(count=1, **holder):
        clock.now = datetime(2027, 2, 13, 15, tzinfo=UTC)
        ids = cases.certified(container, EXPIRY, count, **holder)
        jobs.plan(container)
        return ids

    return make


def send(container):
    with cases.relay(container) as (sending, catcher):
        jobs.dispatch(sending)
        return catcher.letters()


def put(container, state, **values):
    """Set the only message's state; returns its id."""
    with container.work(SYSTEM) as work:
        work.connection.execute(update(Message).values(state=state, **values))
        return work.row(select(Message.id)).id


def history(container):
    wanted = select(HistoryEntry.action, HistoryEntry.actor, HistoryEntry.detail).where(
        HistoryEntry.subject == "message"
    )
    with container.reading(SYSTEM) as reading:
        return [tuple(row) for row in reading.rows(wanted)]


def holder_of(container, certification_id):
    with container.reading(SYSTEM) as reading:
        wanted = select(Certification.holder_id).where(Certification.id == certification_id)
        return reading.row(wanted).holder_id


def test_a_letter_that_waits_has_no_words_and_one_that_was_sent_has_those_that_were_sent(
    container, staff, planned
):
    planned()
    (waiting,) = read(page_of(MessageSchema), staff.get("/messages"))["items"]
    assert (waiting["state"], waiting["kind"], waiting["stage"]) == ("ready", "reminder", 30)
    assert waiting["subject"] is None
    assert waiting["next_at"] is not None
    (caught,) = send(container)

    letter = read(WholeMessageSchema, staff.get(f"/messages/{waiting['id']}"))
    assert letter["state"] == "sent"
    assert letter["subject"] == caught.subject
    assert letter["text"].split() == caught.text.split()
    assert letter["next_at"] is None


def test_letters_are_paged_the_newest_first_and_filtered(container, staff, planned):
    ids = planned(count=5)
    all_of_them = everything(staff, "/messages?limit=2")
    assert [one["id"] for one in all_of_them] == sorted(
        (one["id"] for one in all_of_them), reverse=True
    )
    assert len(all_of_them) == 5
    assert everything(staff, "/messages?state=dead") == []
    assert len(everything(staff, "/messages?state=ready&kind=reminder")) == 5
    assert everything(staff, "/messages?kind=digest") == []
    (his,) = everything(staff, f"/messages?holder_id={holder_of(container, ids[0])}")
    assert his["holder_id"] == holder_of(container, ids[0])


def test_a_list_costs_as_many_statements_for_five_letters_as_for_one(container, staff, planned):
    planned()
    send(container)
    with counted(container) as one:
        staff.get("/messages")
    planned(count=4)
    send(container)
    with counted(container) as five:
        assert len(staff.get("/messages").json["items"]) == 5
    before, after = ([s for s in sent if "UPDATE token" not in s] for sent in (one, five))
    assert len(after) == len(before) <= 3


def test_holders_see_what_was_sent_to_them_and_nothing_else(container, caller, planned):
    mine, other = planned(count=2)
    ana = caller("holder", holder_id=holder_of(container, mine))
    assert read(page_of(MyMessageSchema), ana.get("/me/messages"))["items"] == []
    caught = send(container)

    (letter,) = read(page_of(MyMessageSchema), ana.get("/me/messages"))["items"]
    assert letter["state"] == "sent"
    assert letter["subject"] in {one.subject for one in caught}
    assert "Expires March 15, 2027" in letter["text"]
    assert ana.get(f"/messages/{letter['id']}").status_code == 403
    assert ana.get("/messages").status_code == 403
    (theirs,) = (
        caller("holder", holder_id=holder_of(container, other)).get("/me/messages").json["items"]
    )
    assert theirs["id"] != letter["id"]


def test_whoever_switched_reminders_off_still_sees_what_was_sent_before(container, caller, planned):
    (id_,) = planned()
    send(container)
    ana = caller("holder", holder_id=holder_of(container, id_))
    (before,) = ana.get("/me/messages").json["items"]
    with container.work(SYSTEM) as work:
        row = {
            "holder_id": holder_of(container, id_),
            "type": "reminders",
            "wanted": False,
            "changed_at": work.now,
        }
        work.connection.execute(insert(Preference).values(row))

    assert before["text"] is not None
    assert ana.get("/me/messages").json["items"] == [before]


def test_an_admin_is_no_holder_to_whom_anything_was_sent(caller):
    assert caller("admin").get("/me/messages").status_code == 404


def test_giving_up_what_was_given_up_changes_nothing(container, staff, planned, clock):
    planned()
    id_ = put(container, "cancelled", finished_at=clock.now)
    assert staff.post(f"/messages/{id_}/cancel", WHY).status_code == 200
    assert history(container) == []


LAWFUL = [
    (act, before, lawful.after) for act, lawful in TRANSITIONS.items() for before in lawful.before
]


@pytest.mark.parametrize("lawful", LAWFUL)
def test_an_act_changes_the_state_and_a_double_click_gives_one_line_of_history(
    container, staff, planned, lawful
):
    act, before, after = lawful
    planned()
    id_ = put(container, before)
    for _ in range(2):
        letter = read(WholeMessageSchema, staff.post(f"/messages/{id_}/{act}", WHY))
        assert letter["state"] == after
    ((action, actor, detail),) = history(container)
    assert (action, detail) == (act, {"before": before, "reason": WHY["reason"]})
    assert actor.startswith("staff")
    assert (letter["finished_at"] is not None) is (after == "cancelled")


@SQLITE
@pytest.mark.parametrize("act", ["requeue", "cancel"])
@pytest.mark.parametrize("state", ["claimed", "transmitting"])
def test_a_letter_that_a_worker_holds_is_refused(container, staff, planned, act, state):
    planned()
    id_ = put(container, state)
    refused = staff.post(f"/messages/{id_}/{act}", WHY)
    assert (refused.status_code, refused.json["code"]) == (409, "illegal_transition")
    assert "a process is sending it" in refused.json["detail"]
    assert cases.states(container) == [state]
    assert history(container) == []


def test_a_parked_letter_is_not_sent_until_it_is_queued_again(container, staff, planned):
    planned()
    id_ = put(container, "parked")
    assert send(container) == []
    staff.post(f"/messages/{id_}/requeue", WHY)
    assert len(send(container)) == 1


def test_an_act_needs_a_reason_and_a_letter(container, staff, planned):
    planned()
    id_ = put(container, "dead")
    assert staff.post(f"/messages/{id_}/requeue", {}).status_code == 422
    assert staff.post(f"/messages/{UNKNOWN}/requeue", WHY).status_code == 404
    assert staff.get(f"/messages/{UNKNOWN}").status_code == 404
