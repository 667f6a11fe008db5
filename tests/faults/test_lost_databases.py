"""Every connection to PostgreSQL cut again and again: exact, and the process lives on."""

from __future__ import annotations

import time

import pytest

from tests.faults.processes import THIRTY_DAYS_BEFORE, cut, feed_evidence, ledger, plan
from tests.faults.scheduling import Scheduler
from tests.services.delivery import reminder_cases as cases
from tracker import jobs


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_a_scheduler_whose_connections_are_cut_ten_times_a_second_sends_each_letter_once(
    container, clock, catcher, is_long
):
    count, seconds = (1_000, 20.0) if is_long else (60, 3.0)
    expected = plan(container, clock, count, THIRTY_DAYS_BEFORE)
    with Scheduler(container, clock, catcher.port) as scheduler:
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            cut(container)
            time.sleep(0.1)
        assert scheduler.is_alive()
        scheduler.wait_until(lambda: "ready" not in cases.states(container), seconds=seconds + 60)
        assert scheduler.stop() == 0
    for _ in range(2):
        clock.advance(minutes=20)
        jobs.reap(container)
        feed_evidence(container, clock, catcher)
        jobs.reap(container)
        jobs.dispatch(cases.with_relay(container, catcher.port))

    assert ledger(catcher) == dict.fromkeys(expected, 1)
    assert set(cases.states(container)) == {"sent"}
