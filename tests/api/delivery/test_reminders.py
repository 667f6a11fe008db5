"""Reminders over HTTP: every stage, and what became of it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tests import factories
from tracker.api.delivery.reminders import CalendarSchema, ReminderSchema, StageSchema
from tracker.api.http.schemas import page_of
from tracker.domain.permissions import SYSTEM
from tracker.models import Message
from tracker.models import Reminder as Row


@pytest.fixture
def ids(container):
    return factories.certified(container, date(2021, 12, 25))  # expires December 25, 2026


@pytest.fixture
def ana(caller, ids):
    return caller("holder", holder_id=ids[0])


@pytest.fixture
def recorded(container, ids):
    """Two stages: one with a message that bounced, one that was skipped."""
    with container.work(SYSTEM) as work:
        letter = Message(
            dedupe_key="k",
            message_id="m@x",
            kind="reminder",
            holder_id=ids[0],
            address="ana@example.org",
            state="dead",
            created_at=work.now,
            next_at=work.now,
            useful_until=work.now + timedelta(days=30),
            last_error="550 no such user",
        )
        work.session.add(letter)
        work.session.flush()
        for offset, fate, reason, message_id in (
            (180, "skipped", "late_award", None),
            (90, "planned", None, letter.id),
        ):
            work.session.add(
                Row(
                    certification_id=ids[1],
                    cycle=1,
                    expires_on=date(2026, 12, 25),
                    offset=offset,
                    due_at=work.now - timedelta(days=offset),
                    fate=fate,
                    reason=reason,
                    useful_until=work.now,
                    message_id=message_id,
                    recorded_at=work.now,
                )
            )


@pytest.mark.usefixtures("recorded")
def test_every_stage_of_a_certification_is_told_those_ahead_included(ana, staff, ids):
    answer = staff.get(f"/certifications/{ids[1]}/reminders")
    assert answer.status_code == 200
    StageSchema(many=True).load(answer.json)
    by_offset = {one["offset"]: one for one in answer.json}
    bounced = by_offset[90]
    assert (bounced["fate"], bounced["message_state"]) == ("planned", "dead")
    assert bounced["last_error"] == "550 no such user"
    assert by_offset[180]["reason"] == "late_award"
    assert "ahead" in {one["fate"] for one in answer.json}
    own = ana.get(f"/certifications/{ids[1]}/reminders").json
    assert [one["fate"] for one in own] == [one["fate"] for one in answer.json]
    assert {one["last_error"] for one in own} == {None}


@pytest.mark.usefixtures("recorded")
def test_all_decided_stages_come_in_pages_by_fate_and_letter(staff, ids):
    first = staff.get("/reminders?limit=1")
    assert first.status_code == 200
    page_of(ReminderSchema)().load(first.json)
    rest = staff.get(f"/reminders?limit=1&after={first.json['next']}").json
    found = [*first.json["items"], *rest["items"]]
    assert [one["offset"] for one in found] == [180, 90]
    assert {one["certification_id"] for one in found} == {ids[1]}
    assert [r["offset"] for r in staff.get("/reminders?state=dead").json["items"]] == [90]
    assert [r["offset"] for r in staff.get("/reminders?fate=skipped").json["items"]] == [180]
    assert staff.get("/reminders?fate=superseded").json["items"] == []
    assert staff.get("/reminders?fate=lost").status_code == 422


@pytest.mark.usefixtures("recorded")
def test_a_holder_sees_their_own_and_nobody_elses(caller, container, ana, ids):
    other = caller("holder", holder_id=factories.certified(container, date(2024, 3, 1))[0])
    assert len(ana.get("/reminders").json["items"]) == 2
    assert {one["last_error"] for one in ana.get("/reminders").json["items"]} == {None}
    assert other.get("/reminders").json["items"] == []
    foreign = other.get(f"/certifications/{ids[1]}/reminders")
    none = other.get("/certifications/0192d3a0-0000-7000-8000-000000000000/reminders")
    assert foreign.status_code == none.status_code == 404
    assert {**foreign.json, "request_id": ""} == {**none.json, "request_id": ""}


def test_strangers_see_no_reminders(anonymous, ids):
    assert anonymous.get("/reminders").status_code == 401
    assert anonymous.get(f"/certifications/{ids[1]}/reminders").status_code == 401


def test_the_calendar_tells_staff_what_falls_due_by_day_scheme_and_stage(staff, ana):
    answer = staff.get("/reminders/calendar?days=35")
    assert answer.status_code == 200
    CalendarSchema().load(answer.json)
    assert (answer.json["from_on"], answer.json["through_on"]) == ("2026-11-21", "2026-12-26")
    told = [(one["on"], one["stage"], one["when_complete"]) for one in answer.json["due"]]
    assert told == [
        ("2026-11-21", 60, False),
        ("2026-11-25", 30, True),
        ("2026-12-11", 14, False),
        ("2026-12-18", 7, True),
        ("2026-12-24", 1, False),
        ("2026-12-25", 0, True),
        ("2026-12-26", -1, True),
    ]
    assert {(one["scheme"], one["count"]) for one in answer.json["due"]} == {("cpt", 1)}
    assert len(staff.get("/reminders/calendar").json["due"]) == 8
    assert staff.get("/reminders/calendar?days=367").status_code == 422
    assert ana.get("/reminders/calendar").status_code == 403
