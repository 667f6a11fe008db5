"""Processes that are killed while they write: no half of a fact, and a history that holds.

Protects services/core/history_chain and every service that records what it does.
"""

from __future__ import annotations

import subprocess
import sys

from sqlalchemy import func, select

from tests.faults.processes import ROOT, environment
from tracker.domain.permissions import SYSTEM
from tracker.models import Activity, Assessment, Base, Certification, HistoryEntry, Holder, Span
from tracker.services.core import bulk
from tracker.services.overview import history_checks, integrity

# Every round two processes write, and both are killed at a random moment after they have begun.
PROGRAM = """
import os, random, signal, sys, time
from datetime import date
from decimal import Decimal
from tests import factories
from tracker.app import create_container
from tracker.domain.permissions import SYSTEM
from tracker.services.points import activities

COURSE = {
    "category": "CE", "type": "third_party", "title": "Robots", "quantity": Decimal(8),
    "completed_on": date(2026, 1, 5),
}
container = create_container()
told, tell = os.pipe()

def write():
    while True:
        _, certification = factories.certified(container, date(2024, 3, 1))
        os.write(tell, b".")
        with container.work(SYSTEM) as work:
            activities.submit(work, activities.log(work, certification, COURSE))

def started():
    pid = os.fork()
    if pid == 0:
        try:
            write()
        finally:
            os.write(tell, b"!")  # it ended by itself: an error
            os._exit(1)
    return pid

dice = random.Random(int(sys.argv[2]))
for _ in range(int(sys.argv[1])):
    pids = [started(), started()]
    os.read(told, 1)
    time.sleep(0.2 * dice.random())
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    ends = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
    assert ends == [-signal.SIGKILL] * 2, ends
    os.close(told), os.close(tell)
    told, tell = os.pipe()
"""
FACTS: dict[type[Base], tuple[str, str]] = {
    Holder: ("holder", "register"),
    Assessment: ("assessment", "record"),
    Certification: ("certification", "award"),
    Activity: ("activity", "log"),
}


def test_writers_killed_at_any_moment_leave_whole_facts_and_a_chain_that_holds(
    container, clock, is_long
):
    kills = 100 if is_long else 3  # of two processes each
    variables = environment(container, 1, TRACKER_NOW=clock.now.isoformat())
    program = [sys.executable, "-c", PROGRAM, str(kills), "20261121"]
    subprocess.run(program, cwd=ROOT, env=variables, check=True)

    with container.snapshot(SYSTEM) as reading:
        found = history_checks.verify(reading, container.history_keys)
        holders = reading.row(select(func.count()).select_from(Holder))[0]
        for table, (subject, action) in FACTS.items():
            told = select(HistoryEntry.subject_id).where(
                HistoryEntry.subject == subject, HistoryEntry.action == action
            )
            named = [row.subject_id for row in reading.rows(told)]
            assert len(named) == len(set(named))
            assert set(named) == {row[0] for row in reading.rows(select(bulk.table_of(table).c.id))}
        submitted = select(func.count()).where(HistoryEntry.action == "submit")
        states = {row.state for row in reading.rows(select(Activity.state))}
        assert reading.row(submitted)[0] == reading.row(select(func.count(Activity.id)))[0]
        assert states <= {"submitted"}
        assert reading.row(select(func.count(Span.certification_id.distinct())))[0] == holders
        assert not integrity.timelines(reading).wrong
    assert found.breach is None
    assert found.blocks >= holders >= kills > 0
