"""tracker reminders relay-log and relay-key: evidence from the relay's own log."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, update

from tests.backends import SQLITE
from tests.services.delivery import reminder_cases as cases
from tracker import jobs
from tracker.domain.permissions import SYSTEM
from tracker.models import Message, RelayAccept, Runtime
from tracker.services.delivery import send_safety
from tracker.settings import ROOT

MARKED = datetime(2027, 2, 13, 15, tzinfo=UTC)


@pytest.fixture
def rows(container, clock):
    """Two messages that were under way at ``MARKED`` when the connection was lost."""
    clock.now = MARKED
    cases.certified(container, date(2027, 3, 15), 2)
    jobs.plan(container)
    with container.work(SYSTEM) as work:
        send_safety.open_row(work)
        lease = work.now + timedelta(minutes=15)
        work.connection.execute(update(Message).values(state="ambiguous", lease_until=lease))
    return cases.letters(container)


@pytest.fixture
def read(tracker, tmp_path):
    def run(*lines, options=()):
        file = tmp_path / "mail.log"
        file.write_text("".join(lines))
        return tracker(
            "reminders",
            "relay-log",
            file,
            "--time-zone",
            "UTC",
            *options,
            TRACKER_NOW="2027-02-14T15:00:00Z",
        )

    return run


def at(minutes):
    return f"{MARKED + timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%S}+00:00"


def taken(row, minutes, queue_id="4F5A1"):
    return (
        f"{at(minutes)} mx postfix/cleanup[12]: {queue_id}: message-id={row.message_id}\n"
        f"{at(minutes)} mx postfix/qmgr[34]: {queue_id}: from=<b@x>, size=9, nrcpt=1"
        " (queue active)\n"
    )


def other(minutes):
    return f"{at(minutes)} mx postfix/smtpd[56]: connect from unknown[192.0.2.1]\n"


def evidence(container):
    with container.reading(SYSTEM) as reading:
        ids = [row.message_id for row in reading.rows(select(RelayAccept.message_id))]
        return ids, reading.row(select(Runtime.evidence_until)).evidence_until


def test_what_the_log_names_was_sent_and_what_it_does_not_was_not(container, rows, read, clock):
    result = read(other(-5), taken(rows[0], 1), other(20))

    assert result.stdout == "4 lines read: the relay accepted 1 messages.\n"
    assert result.stderr == "The evidence is complete up to 2027-02-13T15:20:00Z.\n"
    assert evidence(container) == ([rows[0].message_id], MARKED + timedelta(minutes=20))
    clock.advance(minutes=21)
    counts = jobs.reap(container)
    assert (counts.found_sent, counts.found_unsent) == (1, 1)


@SQLITE
def test_a_log_that_begins_after_a_letter_in_doubt_proves_nothing_unsent(container, rows, read):
    result = read(taken(rows[0], 1), other(20))

    assert result.exit_code == 0
    assert "incomplete" in result.stderr
    assert evidence(container) == ([rows[0].message_id], None)


@SQLITE
@pytest.mark.usefixtures("rows")
def test_a_log_that_joins_what_was_read_before_carries_the_evidence_on(container, read):
    read(other(-5), other(10))
    read(other(9), other(30))
    assert evidence(container)[1] == MARKED + timedelta(minutes=30)
    read(other(31), other(50))
    assert evidence(container)[1] == MARKED + timedelta(minutes=30), "something may be missing"


@pytest.mark.usefixtures("rows")
def test_reading_an_older_file_moves_nothing_back(container, read):
    read(other(-5), other(30))
    assert "complete up to" in read(other(-50), other(-40)).stderr
    assert evidence(container)[1] == MARKED + timedelta(minutes=30)


@SQLITE
def test_without_a_doubt_a_log_may_begin_anywhere(container, read, rows):
    with container.work(SYSTEM) as work:
        work.connection.execute(update(Message).values(state="sent", finished_at=work.now))
    read(other(-5), other(10))
    read(other(60), other(70))

    assert rows
    assert evidence(container)[1] == MARKED + timedelta(minutes=70)


@SQLITE
def test_an_incomplete_log_proves_only_what_it_names(container, rows, read):
    result = read(other(-5), taken(rows[0], 1), other(20), options=["--incomplete"])

    assert result.stderr == ""
    assert evidence(container) == ([rows[0].message_id], None)


@SQLITE
def test_a_log_read_again_changes_nothing_and_an_empty_one_says_nothing(container, rows, read):
    log = (other(-5), taken(rows[0], 1), other(20))
    assert read(*log).stdout == read(*log).stdout
    assert len(evidence(container)[0]) == 1
    assert "0 lines" in read().stdout


@SQLITE
def test_a_zone_that_does_not_exist_is_refused(read):
    assert read(options=["--time-zone", "Mars"]).exit_code == 2


@SQLITE
def test_a_stream_is_taken_down_while_it_goes_on(container, rows, variables):
    command = [sys.executable, "-m", "tracker.cli", "reminders", "relay-log", "-"]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | variables | {"TRACKER_NOW": "2027-02-14T15:00:00Z"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdin is not None
        running.stdin.write(other(-5) + taken(rows[0], 1))
        running.stdin.flush()
        ends = time.monotonic() + 30
        while not evidence(container)[0] and time.monotonic() < ends:
            time.sleep(0.1)
        assert evidence(container)[0] == [rows[0].message_id]
        assert running.poll() is None
        running.stdin.write(taken(rows[1], 2))
        told, _ = running.communicate(timeout=30)

    assert told == "5 lines read: the relay accepted 2 messages.\n"
    assert len(evidence(container)[0]) == 2


@SQLITE
def test_the_key_is_printed_and_stays_the_same(tracker, container):
    first, second = tracker("reminders", "relay-key"), tracker("reminders", "relay-key")

    assert first.stdout == second.stdout == container.relay_key.decode() + "\n"
    assert len(first.stdout) == 65
    (file,) = container.settings.storage_directory.glob("keys/relay-events.key")
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_bytes().hex() + "\n" == first.stdout
