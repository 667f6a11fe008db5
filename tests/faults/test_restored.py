"""A database restored in place: nothing leaves, and after the relay's log nothing leaves twice.

Protects services/heartbeat, services/planner and services/runtime.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from sqlalchemy import delete, insert, select, update

from tests.faults.processes import EXPIRY, THIRTY_DAYS_BEFORE, feed_evidence, ledger
from tests.services import reminder_cases as cases
from tracker import jobs
from tracker.domain.permissions import SYSTEM
from tracker.models import Message, RelayAccept, Reminder, ReminderCursor, Runtime
from tracker.services import heartbeat, runtime

# In the order in which they may be put back.
TABLES = (Runtime, Message, RelayAccept, Reminder, ReminderCursor)


def backup(office):
    with office.reading(SYSTEM) as reading:
        return [
            (table, [dict(row._mapping) for row in reading.rows(select(table.__table__))])
            for table in TABLES
        ]


def restore(office, kept):
    """As `cp` over the file or `pg_restore --clean` does: the same place, older rows."""
    with office.work(SYSTEM) as work:
        for table, _ in reversed(kept):
            work.connection.execute(delete(table))
        for table, rows in kept:
            if rows:
                work.connection.execute(insert(table), rows)


def send(office, catcher):
    jobs.beat(office)
    jobs.plan(office)
    return jobs.dispatch(cases.with_relay(office, catcher.port))


@pytest.mark.parametrize("planned", [False, True], ids=["before planning", "before sending"])
def test_a_restore_in_place_sends_nothing_until_the_log_is_read_and_then_nothing_twice(
    office, clock, catcher, is_long, planned
):
    count = 2_000 if is_long else 12
    clock.now = THIRTY_DAYS_BEFORE
    cases.certified(office, EXPIRY, count)
    jobs.beat(office)
    if planned:
        jobs.plan(office)
    kept = backup(office)
    assert send(office, catcher) == {"sent": count}

    restore(office, kept)
    clock.advance(days=1)  # planned on another day, the letters are still those of their stage
    assert send(office, catcher) == {}
    with office.reading(SYSTEM) as reading:
        assert "This database was restored" in str(runtime.obstacle(reading))
    feed_evidence(office, clock, catcher)
    with office.work(SYSTEM) as work:
        runtime.enable(work, reason="The relay's log was read.")
    send(office, catcher)

    assert set(ledger(catcher).values()) == {1}
    assert ledger(catcher).total() == count
    assert cases.states(office) == ["sent"] * count
    assert send(office, catcher) == {}, "it is enabled for good"


def test_certifications_that_fell_due_on_different_days_are_not_told_again_together(
    office, clock, catcher
):
    clock.now = THIRTY_DAYS_BEFORE - timedelta(days=3)
    with office.work(SYSTEM) as work:
        ids = cases.holders(work, 1)
        for scheme, expires in (("cpt", EXPIRY), ("clt", EXPIRY + timedelta(days=1))):
            cases.award(work, ids, cases.years_before(expires), scheme=scheme)
    send(office, catcher)
    before = len(catcher.letters())
    kept = backup(office)
    for _ in range(4):
        clock.advance(days=1)
        send(office, catcher)
    assert len(catcher.letters()) == before + 2

    restore(office, kept)
    clock.advance(days=1)
    feed_evidence(office, clock, catcher)
    with office.work(SYSTEM) as work:
        runtime.enable(work, reason="The relay's log was read.")
    send(office, catcher)

    assert len(catcher.letters()) == before + 2
    assert set(cases.states(office)) == {"sent"}


def test_a_database_that_is_only_new_in_an_old_directory_is_not_taken_for_restored(office, clock):
    heartbeat.keep(office.settings, heartbeat.Heartbeat("another", 999, clock.now))
    jobs.beat(office)

    with office.reading(SYSTEM) as reading:
        assert runtime.obstacle(reading) is None
    known = heartbeat.last(office.settings)
    assert known is not None
    assert known.number == 1


def test_a_heartbeat_never_goes_back_and_a_spoiled_file_is_none(office, clock):
    for number in (5, 3):
        heartbeat.keep(office.settings, heartbeat.Heartbeat("a", number, clock.now))
    known = heartbeat.last(office.settings)
    assert known is not None
    assert known.number == 5
    (office.settings.storage_directory / "heartbeat.json").write_text('{"number": "x"}')
    assert heartbeat.last(office.settings) is None


def test_a_promoted_standby_is_another_place(office):
    """On PostgreSQL the place holds the timeline; an installation from before it is adopted."""
    with office.work(SYSTEM) as work:
        if work.dialect == "postgresql":
            former = runtime._FORMER_PLACE
            described = " ".join(str(part) for part in work.row(former))
            digest = hashlib.sha256(described.encode()).hexdigest()
            assert digest != runtime.place(work)
            work.connection.execute(update(Runtime).values(place=digest))
            runtime.prepare(work)
        assert runtime.obstacle(work) is None
