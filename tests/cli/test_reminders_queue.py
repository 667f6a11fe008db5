"""tracker reminders list, requeue, cancel."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select, update

from tests.backends import SQLITE
from tests.services.delivery import reminder_cases as cases
from tracker import jobs
from tracker.domain.permissions import SYSTEM
from tracker.models import HistoryEntry, Message

UNKNOWN = "01900000-0000-7000-8000-000000000000"


@pytest.fixture
def letters(container, clock):
    """Three messages, two of them dead; their ids in the order of their making."""
    clock.now = datetime(2027, 2, 13, 15, tzinfo=UTC)
    cases.certified(container, date(2027, 3, 15), 3)
    jobs.plan(container)
    ids = [row.id for row in cases.letters(container)]
    with container.work(SYSTEM) as work:
        dead = update(Message).where(Message.id.in_(ids[:2]))
        work.connection.execute(dead.values(state="dead", attempts=1, last_error="550 no such"))
    return ids


def test_it_lists_the_letters_of_a_state_the_newest_first(tracker, letters):
    found = tracker("reminders", "list", "--state", "dead")
    lines = found.stdout.splitlines()
    assert [line.split()[0] for line in lines] == letters[1::-1]
    assert "tried 1x  550 no such" in lines[0]
    assert "2 messages are dead." in found.stderr
    newest = tracker("reminders", "list", "--state", "dead", "--limit", "1")
    assert newest.stdout.splitlines() == lines[:1]
    assert tracker("reminders", "list", "--state", "parked").stdout == ""


def test_dead_letters_are_queued_again_with_a_reason_in_the_history(tracker, container, letters):
    done = tracker("reminders", "requeue", *letters[:2], "--reason", "mailbox repaired")
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [f"{id_}: ready" for id_ in letters[:2]]
    again = tracker("reminders", "requeue", *letters[:2], "--reason", "mailbox repaired")
    assert again.stdout.splitlines() == [f"{id_}: already ready" for id_ in letters[:2]]
    wanted = select(HistoryEntry.actor, HistoryEntry.detail).where(HistoryEntry.action == "requeue")
    with container.reading(SYSTEM) as reading:
        lines = [tuple(row) for row in reading.rows(wanted)]
    assert lines == [("operator", {"before": "dead", "reason": "mailbox repaired"})] * 2


def test_what_cannot_be_done_is_said_of_each_letter_and_stops_no_other(tracker, container, letters):
    done = tracker("reminders", "cancel", letters[0], UNKNOWN, letters[2], "--reason", "no")
    assert done.exit_code == 1
    assert done.stdout.splitlines() == [f"{letters[2]}: cancelled"]
    assert (
        f"{letters[0]}: The message is dead: it must be ready, parked or ambiguous." in done.stderr
    )
    assert f"{UNKNOWN}: There is no such record." in done.stderr
    assert cases.states(container) == ["cancelled", "dead", "dead"]


@SQLITE
def test_an_act_needs_letters_and_a_reason(tracker):
    assert tracker("reminders", "cancel", UNKNOWN).exit_code == 2
    assert tracker("reminders", "cancel", "--reason", "x").exit_code == 2
    assert tracker("reminders", "cancel", "nonsense", "--reason", "x").exit_code == 2
