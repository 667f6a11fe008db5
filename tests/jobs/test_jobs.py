"""Jobs: safe to run twice, and beside themselves; the scheduler: its timetable, pulse and end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text

from tests.backends import SQLITE
from tests.services.delivery import reminder_cases as cases
from tracker import jobs, scheduler
from tracker.db import new_id
from tracker.domain.permissions import SYSTEM
from tracker.models import IdempotencyKey, Runtime, Token
from tracker.scheduler import Pulse, RunBook, TimetableEntry
from tracker.services.core import job_runs

ROOT = Path(__file__).parents[2]
EXPIRY = date(2027, 3, 15)


@pytest.fixture
def due(container, clock):
    """Some certifications with a stage that is due."""
    clock.now = datetime(2027, 2, 13, 15, tzinfo=UTC)
    return cases.certified(container, EXPIRY, 3)


def test_plan_and_dispatch_may_run_at_once_and_everybody_gets_one_message(container, clock):
    clock.now = datetime(2027, 2, 13, 15, tzinfo=UTC)
    cases.certified(container, EXPIRY, 60)
    with cases.relay(container) as (sending, catcher):

        def work_through():
            for _ in range(6):
                jobs.plan(sending)
                jobs.dispatch(sending)

        threads = [threading.Thread(target=work_through) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        ids = [message.message_id for message in catcher.letters()]

    assert len(ids) == len(set(ids)) == 60


def test_tidy_forgets_old_answers_only(container):
    with container.work(SYSTEM) as work:
        token = {
            "id": new_id(),
            "digest": "x",
            "name": "t",
            "role": "admin",
            "scopes": [],
            "person_id": new_id(),
            "made_by_holders": [],
            "recorded_at": work.now,
        }
        work.connection.execute(insert(Token), token)
        work.connection.execute(
            insert(IdempotencyKey),
            [
                {
                    "id": new_id(),
                    "token_id": token["id"],
                    "key": str(days),
                    "request_digest": "d",
                    "status": 201,
                    "body": b"",
                    "headers": {},
                    "recorded_at": work.now - timedelta(days=days),
                }
                for days in (6, 8)
            ],
        )

    assert jobs.tidy(container) == 1
    assert jobs.tidy(container) == 0


@SQLITE
def test_a_beat_is_written_down(container, clock):
    jobs.beat(container)
    clock.advance(minutes=1)
    jobs.beat(container)
    with container.reading(SYSTEM) as reading:
        assert reading.row(select(Runtime.last_tick_at)).last_tick_at == clock.now


@SQLITE
def test_jobs_that_have_nothing_to_do_say_nothing(container, caplog):
    with caplog.at_level("INFO"):
        jobs.plan(container)
        jobs.dispatch(container)
        jobs.reap(container)

    assert caplog.messages == []


@SQLITE
@pytest.mark.usefixtures("due")
def test_jobs_log_their_counts(container, caplog):
    with caplog.at_level("INFO"):
        jobs.plan(container)

    assert caplog.messages == ["plan: examined=3 planned=3 superseded=15"]


# The scheduler.
@SQLITE
def test_the_timetable_follows_the_settings(container):
    seconds = {entry.name: entry.seconds for entry in scheduler.timetable(container)}

    assert seconds == {
        "plan": 1,
        "dispatch": 1,
        "sign-ins": 1,
        "reap": 1,
        "audit": 3600,
        "digest": 900,
        "employments": 3600,
        "waits": 86400,
        "duplicates": 86400,
        "credentials": 3600,
        "audits": 3600,
        "tidy": 86400,
        "retention": 86400,
        "checkpoint": 3600,
    }


@pytest.mark.usefixtures("due")
def test_the_scheduler_plans_and_sends_and_ends_when_told(container):
    stop = threading.Event()
    with cases.relay(container) as (sending, catcher):
        thread = threading.Thread(target=scheduler.run, args=(sending, stop))
        thread.start()
        deadline = time.monotonic() + 30
        while len(catcher.letters()) < 3 and time.monotonic() < deadline:
            time.sleep(0.05)
        stop.set()
        thread.join(timeout=30)

    assert not thread.is_alive()
    assert len(catcher.letters()) == 3
    assert cases.states(container) == ["sent"] * 3


def test_a_job_that_fails_is_logged_and_its_thread_counts_as_alive(container, caplog):
    now = [0.0]
    pulse = Pulse({"plan": 10.0}, now=lambda: now[0])
    now[0] = 11.0

    def fails():
        raise RuntimeError("database away")

    scheduler._guarded(TimetableEntry("plan", fails, 30), pulse, RunBook(container))

    assert pulse.silent() == []
    assert "the job plan failed" in caplog.text
    with container.reading(SYSTEM) as reading:
        (run,) = job_runs.last(reading)
    assert (run.name, run.error, run.every_seconds) == ("plan", "RuntimeError", 30)


def test_a_run_is_noted_once_a_minute_and_at_once_when_it_ends_in_another_way(container, clock):
    now = [0.0]
    book, entry = RunBook(container, now=lambda: now[0]), TimetableEntry("plan", list, 5)

    def noted(error=None, *, seconds=5):
        now[0] += seconds
        clock.advance(seconds=seconds)
        book.note(entry, 0.25, error)
        with container.reading(SYSTEM) as reading:
            (run,) = job_runs.last(reading)
            return run, run.ended_at == reading.now

    run, is_now = noted()
    assert (is_now, run.took_ms, run.error) == (True, 250, None)
    assert run.next_at == run.ended_at - timedelta(seconds=0.25) + timedelta(seconds=5)
    assert noted()[1] is False
    assert noted("RuntimeError")[1] is True
    assert noted("RuntimeError")[1] is False
    assert noted()[1] is True
    assert noted(seconds=60)[1] is True


def test_a_run_that_cannot_be_noted_stops_nothing(container, caplog):
    with container.engine.begin() as connection:
        connection.execute(text("alter table job_run rename to job_run_away"))
    try:
        RunBook(container).note(TimetableEntry("plan", list, 5), 0.25, None)
    finally:
        with container.engine.begin() as connection:
            connection.execute(text("alter table job_run_away rename to job_run"))

    assert "could not be noted" in caplog.text


def test_the_watchdog_ends_the_process_when_a_job_has_hung_for_too_long():
    now = [0.0]
    given_up: list[int] = []
    pulse = Pulse({"plan": 300.0, "dispatch": 300.0}, now=lambda: now[0])
    now[0] = 299.0
    pulse.beat("plan")
    now[0] = 301.0
    assert pulse.silent() == ["dispatch"]
    scheduler.watchdog(pulse, threading.Event(), every=0.01, give_up=given_up.append)

    assert given_up == [scheduler.GIVEN_UP]


def test_the_watchdog_leaves_a_living_process_alone():
    ended = threading.Event()
    given_up: list[int] = []
    threading.Timer(0.1, ended.set).start()
    scheduler.watchdog(Pulse({"plan": 300.0}), ended, every=0.01, give_up=given_up.append)

    assert given_up == []


PROGRAM = """
import logging
from tracker.app import create_container
from tracker import scheduler
logging.basicConfig(level="INFO")
scheduler.run(create_container())
"""


@pytest.mark.parametrize(
    ("backend", "number"),
    [("sqlite", signal.SIGINT), ("postgresql", signal.SIGTERM)],
    indirect=["backend"],
)
def test_the_process_ends_cleanly_on_a_signal(database_url, tmp_path, number):
    environment = {
        **os.environ,
        "TRACKER_ENV": "testing",
        "TRACKER_DATABASE_URL": database_url,
        "TRACKER_STORAGE_DIRECTORY": str(tmp_path / "storage"),
    }
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    lines = []
    assert process.stderr is not None
    for line in process.stderr:
        lines.append(line)
        if "is running" in line:
            break
    time.sleep(0.5)
    process.send_signal(number)
    _, rest = process.communicate(timeout=30)

    assert process.returncode == 0, "".join(lines) + rest
    assert "the scheduler has stopped" in rest
