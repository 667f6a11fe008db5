"""The relay's log is read by the scheduler: doubts are settled, through lost databases as well.

Protects relay_reader and scheduler.
"""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from tests import factories
from tests.faults.processes import (
    ROOT,
    SEVEN_DAYS_BEFORE,
    cut,
    environment,
    ledger,
    plan,
    write_log,
)
from tests.faults.scheduling import Scheduler
from tests.mail_faults import Cut
from tests.services.delivery import reminder_cases as cases
from tracker import jobs, scheduler
from tracker.domain.permissions import SYSTEM
from tracker.models import RelayAccept, Runtime
from tracker.relay_reader import RelayReader


@pytest.fixture
def with_log(container, tmp_path):
    """The container with a relay's log, and how the relay writes into it."""
    path = tmp_path / "mail.log"
    mail = replace(container.settings.mail, relay_log=str(path))
    return replace(container, settings=replace(container.settings, mail=mail)), path


@pytest.fixture
def following():
    """Readers of the log, closed at the end."""
    made = []

    def make(container):
        made.append(RelayReader(container))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_letters_cut_off_after_the_relay_took_them_are_settled_by_its_log(
    with_log, following, clock, catcher, is_long
):
    container, path = with_log
    count = 400 if is_long else 8
    expected = plan(container, clock, count, SEVEN_DAYS_BEFORE)
    write_log(path, clock.now)
    reader = following(container)
    reader()
    catcher.behaviour.cuts["*"] = [Cut.BEFORE_250] * 4 + [Cut.BEFORE_KEEPING] * 2
    for _ in range(8 + count // 50):
        jobs.dispatch(cases.with_relay(container, catcher.port))
        clock.advance(minutes=16)
        write_log(path, clock.now, *ledger(catcher))
        reader()
        jobs.reap(container)

    assert ledger(catcher) == dict.fromkeys(expected, 1)
    assert set(cases.states(container)) == {"sent"}


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_a_scheduler_whose_database_goes_away_reads_the_log_on_and_settles_every_doubt(
    with_log, following, clock, catcher, is_long
):
    container, path = with_log
    count, seconds = (1_000, 20.0) if is_long else (40, 2.0)
    expected = plan(container, clock, count, SEVEN_DAYS_BEFORE)
    write_log(path, clock.now)
    for number, letter in enumerate(cases.letters(container)[::10]):
        cuts = catcher.behaviour.cuts
        cuts[letter.address] = [Cut.BEFORE_KEEPING if number % 2 else Cut.BEFORE_250]
    with Scheduler(container, clock, catcher.port, TRACKER_MAIL_RELAY_LOG=str(path)) as scheduler:
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            cut(container)
            write_log(path, clock.now, *ledger(catcher))
            time.sleep(0.1)
        scheduler.wait_until(lambda: "ready" not in cases.states(container), seconds=seconds + 60)
        assert scheduler.stop() == 0
    reader = following(container)
    for _ in range(3):  # the process's clock stood still
        clock.advance(minutes=20)
        write_log(path, clock.now, *ledger(catcher))
        reader()
        jobs.reap(container)
        jobs.dispatch(cases.with_relay(container, catcher.port))

    assert ledger(catcher) == dict.fromkeys(expected, 1)
    assert set(cases.states(container)) == {"sent"}
    assert catcher.received > count, "some were lost on the way"


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_a_pipe_is_read_on_when_the_database_comes_back(container, clock, tmp_path):
    ids = [f"<{n}@{container.settings.mail.message_id_domain}>" for n in range(12)]
    command = [sys.executable, "-m", "tracker.cli", "reminders", "relay-log", "-"]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=ROOT,
        env=environment(container, 1, TRACKER_NOW=clock.now.isoformat()),
    ) as reader:
        assert reader.stdin is not None
        for number, message_id in enumerate(ids):
            piece = tmp_path / f"{number}.log"
            write_log(piece, clock.now, message_id)
            reader.stdin.write(piece.read_text(encoding="utf-8"))
            reader.stdin.flush()
            cut(container)
            time.sleep(0.4)
        reader.stdin.close()
        assert reader.wait(60) == 0
    with container.reading(SYSTEM) as reading:
        assert {row[0] for row in reading.rows(select(RelayAccept.message_id))} == set(ids)


def test_nothing_leaves_before_the_log_was_read_once(with_log, clock, catcher):
    """As after a restore of everything, the directory with the heartbeat included."""
    container, path = with_log
    taken, other = sorted(plan(container, clock, 2, SEVEN_DAYS_BEFORE))
    write_log(path, clock.now, taken)
    container = cases.with_relay(container, catcher.port)
    entries = {entry.name: entry.job for entry in scheduler.timetable(container)}
    entries["dispatch"]()
    assert not ledger(catcher)
    reader = entries["relay log"]
    assert isinstance(reader, RelayReader)
    with closing(reader):
        reader()
    entries["dispatch"]()

    assert ledger(catcher) == {other: 1}
    assert cases.states(container) == ["sent", "sent"]


def test_the_scheduler_reads_it_where_a_file_is_named(container, with_log):
    assert "relay log" not in [entry.name for entry in scheduler.timetable(container)]
    assert "relay log" in [entry.name for entry in scheduler.timetable(with_log[0])]


def test_the_age_of_the_evidence_is_told(container, clock, app):
    with container.work(SYSTEM) as work:
        work.connection.execute(
            update(Runtime).values(evidence_until=clock.now - timedelta(minutes=5))
        )
    headers = {"Authorization": f"Bearer {factories.secret(container, 'admin')}"}
    told = app.test_client().get("/metrics", headers=headers).text
    assert "tracker_evidence_age_seconds 300.0" in told
