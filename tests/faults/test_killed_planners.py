"""Planners that are killed before and after they commit: every stage has exactly one row."""

from __future__ import annotations

import signal

import pytest

from tests.faults.processes import EXPIRY, THIRTY_DAYS_BEFORE, Worker
from tests.services.delivery import reminder_cases as cases
from tracker import jobs
from tracker.domain.permissions import SYSTEM
from tracker.services.delivery import ledger

# The process ends itself at a commit: no one can aim so well from outside. The heartbeat row and
# the timetable are committed first.
DIES = """
import os, signal
from sqlalchemy import event
from sqlalchemy.orm import Session
seen = 0
def die(*_):
    global seen
    seen += 1
    if seen == {nth}:
        os.kill(os.getpid(), signal.SIGKILL)
event.listen(Session, "{moment}", die)
"""


@pytest.mark.parametrize("moment", ["before_commit", "after_commit"])
def test_a_planner_killed_at_its_commit_loses_and_repeats_nothing(
    container, clock, catcher, moment, is_long
):
    count, deaths = (5_000, range(2, 30)) if is_long else (60, (2, 4))
    clock.now = THIRTY_DAYS_BEFORE
    cases.certified(container, EXPIRY, count)
    for nth in deaths:
        worker = Worker(
            container, clock, catcher.port, "plan", setup=DIES.format(nth=nth, moment=moment)
        )
        worker.begin()
        worker.finish(-signal.SIGKILL)
        with container.reading(SYSTEM) as reading:
            assert ledger.identity_violations(reading) == []
    jobs.plan(container)

    with container.reading(SYSTEM) as reading:
        assert ledger.identity_violations(reading) == []
    assert len(cases.stages(container)) == 6 * count
    assert len(cases.letters(container)) == count
