"""Processes that are killed in the middle, and several at once: no letter lost, none twice.

The short versions; the ledger of a real mail server is the judge.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from tests.services import reminder_cases as cases
from tracker import jobs
from tracker.domain.permissions import SYSTEM
from tracker.mail.catcher import Catcher
from tracker.services import reaper, reminders

ROOT = Path(__file__).parents[2]
EXPIRY = date(2027, 3, 15)
THIRTY_DAYS_BEFORE = datetime(2027, 2, 13, 14, tzinfo=UTC)
SEVEN_DAYS_BEFORE = datetime(2027, 3, 8, 14, tzinfo=UTC)

PROGRAM = """
import sys
from tracker import jobs
from tracker.app import create_app
office = create_app().extensions["tracker"]
print("ready", flush=True)
sys.stdin.readline()
for job in sys.argv[1:]:
    getattr(jobs, job)(office)
"""


class Worker:
    """A process of its own that runs jobs as soon as it is told to."""

    def __init__(self, office, clock, port, *names):
        settings = office.settings
        environment = {
            **os.environ, "TRACKER_ENV": "testing", "TRACKER_MAIL_PORT": str(port),
            "TRACKER_NOW": clock.now.isoformat(), "TRACKER_DATABASE_URL": settings.database.url,
            "TRACKER_STORAGE_DIRECTORY": settings.storage.directory,
            "TRACKER_REMINDERS_CLAIM": "20", "TRACKER_REMINDERS_BATCH": "10",
        }  # fmt: skip
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *names], cwd=ROOT, env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def begin(self):
        begun, go = self.process.stdout, self.process.stdin
        assert begun is not None
        assert go is not None
        assert begun.readline() == "ready\n"
        go.write("go\n")
        go.flush()

    def kill(self):
        self.process.kill()
        self.process.communicate()

    def finish(self):
        self.process.communicate(timeout=120)
        assert self.process.returncode == 0


@pytest.fixture
def catcher():
    with Catcher() as made:
        made.behaviour.data_delay = 0.004
        yield made


def plan(office, clock, count, at):
    clock.now = at
    cases.certified(office, EXPIRY, count)
    jobs.plan(office)
    return {row.message_id for row in cases.letters(office)}


def kill_in_the_middle(office, clock, catcher, dice):
    """Run a dispatcher and kill it while it is handing letters over."""
    worker = Worker(office, clock, catcher.port, "dispatch")
    worker.begin()
    enough = len(catcher.letters()) + dice.randrange(5, 30)
    deadline = time.monotonic() + 60
    while len(catcher.letters()) < enough and time.monotonic() < deadline:
        if worker.process.poll() is not None:
            break
        time.sleep(0.001)
    time.sleep(dice.random() * 0.01)
    worker.kill()
    time.sleep(0.3)  # what was on the wire is taken or lost by now
    clock.advance(minutes=16)


def ledger(catcher):
    return Counter(letter.message_id for letter in catcher.letters())


def feed_evidence(office, clock, catcher):
    accepted = [reaper.Acceptance(c.message_id, clock.now) for c in catcher.letters()]
    with office.work(SYSTEM) as work:
        reaper.record_evidence(work, accepted, complete_until=clock.now)


def dispatch_the_rest(office, clock, catcher):
    """Send until every lease has run out and every wait is over; how many were in doubt still."""
    doubtful = 0
    for _ in range(3):
        jobs.dispatch(cases.with_relay(office, catcher.port))
        clock.advance(minutes=20)
        doubtful += jobs.reap(office).in_doubt
    jobs.dispatch(cases.with_relay(office, catcher.port))
    return doubtful


def test_dispatchers_killed_in_the_middle_send_each_letter_once_with_evidence(
    office, clock, catcher
):
    dice = random.Random(20261121)
    expected = plan(office, clock, 200, THIRTY_DAYS_BEFORE)
    for _ in range(5):
        kill_in_the_middle(office, clock, catcher, dice)
        feed_evidence(office, clock, catcher)
        jobs.reap(office)
    dispatch_the_rest(office, clock, catcher)

    assert ledger(catcher) == dict.fromkeys(expected, 1)
    assert cases.states(office) == ["sent"] * 200
    with office.reading(SYSTEM) as reading:
        assert reminders.identity_violations(reading) == []


def test_without_evidence_nothing_near_expiry_is_lost_and_copies_are_only_the_doubtful_ones(
    office, clock, catcher
):
    dice = random.Random(7)
    expected = plan(office, clock, 80, SEVEN_DAYS_BEFORE)
    doubtful = 0
    for _ in range(2):
        kill_in_the_middle(office, clock, catcher, dice)
        doubtful += jobs.reap(office).in_doubt
    doubtful += dispatch_the_rest(office, clock, catcher)

    assert ledger(catcher).keys() == expected
    assert ledger(catcher).total() - 80 <= doubtful <= 2


def test_without_evidence_early_stages_park_without_copies_and_everything_unsent_is_listed(
    office, clock, catcher
):
    dice = random.Random(30)
    expected = plan(office, clock, 80, THIRTY_DAYS_BEFORE)
    for _ in range(2):
        kill_in_the_middle(office, clock, catcher, dice)
        jobs.reap(office)
    dispatch_the_rest(office, clock, catcher)

    parked = {row.message_id for row in cases.letters(office) if row.state == "ambiguous"}
    assert max(ledger(catcher).values()) == 1
    assert expected - ledger(catcher).keys() <= parked
    assert len(parked) <= 2


def test_planners_and_dispatchers_in_processes_at_once_give_one_row_and_one_letter(
    office, clock, catcher
):
    clock.now = THIRTY_DAYS_BEFORE
    cases.certified(office, EXPIRY, 100)
    jobs_of_each = ("plan", "dispatch", "plan", "dispatch", "reap")
    workers = [Worker(office, clock, catcher.port, *jobs_of_each) for _ in range(3)]
    for worker in workers:
        worker.begin()
    for worker in workers:
        worker.finish()
    jobs.plan(office)
    dispatch_the_rest(office, clock, catcher)

    expected = {row.message_id for row in cases.letters(office)}
    assert len(expected) == 100
    assert ledger(catcher) == dict.fromkeys(expected, 1)
    assert len(cases.stages(office)) == 600
