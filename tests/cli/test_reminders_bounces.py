"""tracker reminders bounces."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import func, select

from tests.backends import SQLITE
from tests.mail.report_cases import complaint, dsn, mail, mbox
from tests.services.delivery import reminder_cases as cases
from tracker import jobs
from tracker.domain.permissions import SYSTEM
from tracker.models import Bounce, Message, Preference, Suppression
from tracker.services.core import signed_links
from tracker.settings import ROOT


@pytest.fixture
def rows(container, clock):
    clock.now = datetime(2027, 2, 13, 15, tzinfo=UTC)
    cases.certified(container, date(2027, 3, 15), 3)
    jobs.plan(container)
    with cases.relay(container) as (sending, _):
        jobs.dispatch(sending)
    return cases.letters(container)


@pytest.fixture
def sender(container):
    def make(row, purpose="b"):
        with container.reading(SYSTEM) as reading:
            id_ = row.id if purpose == "b" else row.holder_id
            return signed_links.proof_address(reading, container.message_key, purpose, id_)

    return make


def count(container, table):
    with container.reading(SYSTEM) as reading:
        return reading.connection.execute(select(func.count()).select_from(table)).scalar_one()


THEN = {"TRACKER_NOW": "2027-02-14T15:00:00Z"}


@SQLITE
def test_a_file_is_read_to_its_end_and_a_second_time_changes_nothing(
    tracker, container, rows, sender, tmp_path
):
    file = tmp_path / "bounces.mbox"
    file.write_bytes(
        mbox(
            dsn(sender(rows[0])),
            b"no message\n",
            dsn(sender(rows[1]), status="4.2.2"),
            complaint(sent_by=sender(rows[2])),
            mail(sender(rows[1], "u-decisions")),
            mail(sender(rows[1]), Auto_Submitted="auto-replied"),
            dsn("b+x@y", returned="z@y"),
        )
    )
    first = tracker("reminders", "bounces", file, **THEN)
    second = tracker("reminders", "bounces", file, **THEN)

    place = file.read_bytes().index(b"From MAILER", 5)
    assert first.stdout == (
        "7 messages: 1 permanent failures, 1 temporary failures, 1 complaints, 1 unsubscribed, "
        "1 automatic answers, 1 not about our messages, 1 malformed.\n"
    )
    broken = f"{file}: message at byte {place:,}: is not a message: it has no header\n"
    assert first.stderr == broken
    assert first.exit_code == second.exit_code == 1
    assert "4 already processed" in second.stdout
    assert (
        count(container, Bounce),
        count(container, Suppression),
        count(container, Preference),
    ) == (
        3,
        1,
        2,
    )


@SQLITE
def test_a_maildir_is_read(tracker, container, rows, sender, tmp_path):
    for folder, row in (("new", rows[0]), ("cur", rows[1])):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "1.mx:2,S").write_bytes(dsn(sender(row)))
    result = tracker("reminders", "bounces", tmp_path, **THEN)

    assert (result.exit_code, result.stdout) == (0, "2 messages: 2 permanent failures.\n")
    assert count(container, Suppression) == 2


@pytest.mark.parametrize("first_line", [b"", b"From MAILER-DAEMON Mon Mar 15 10:00:00 2027\n"])
def test_one_message_is_read_from_a_pipe(tracker, container, rows, sender, first_line):
    result = tracker("reminders", "bounces", stdin=first_line + dsn(sender(rows[0])), **THEN)

    assert (result.exit_code, result.stdout) == (0, "1 messages: 1 permanent failures.\n")
    assert count(container, Suppression) == 1


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)  # the command is given another
def test_while_the_database_is_away_the_mail_system_is_asked_to_try_again(
    variables, tmp_path, sender, rows
):
    away = variables | {"TRACKER_DATABASE_URL": f"sqlite:///{tmp_path}/empty.sqlite3"}
    command = [sys.executable, "-m", "tracker.cli", "reminders", "bounces", "-"]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | away,
        input=dsn(sender(rows[0])),
        capture_output=True,
        check=False,
    )

    assert done.returncode == os.EX_TEMPFAIL
    assert done.stderr == b"The database is unavailable; try again.\n"


def test_a_command_that_is_killed_in_the_middle_is_run_again_and_counts_each_once(
    tracker, container, variables, sender, tmp_path
):
    with container.work(SYSTEM) as work:
        letters_ = [
            Message(
                dedupe_key=f"k{n}",
                message_id=f"<m{n}@x>",
                kind="reminder",
                state="sent",
                address=f"a{n}@example.org",
                created_at=work.now,
                next_at=work.now,
                useful_until=work.now,
                finished_at=work.now,
            )
            for n in range(150)
        ]
        work.session.add_all(letters_)
    file = tmp_path / "bounces.mbox"
    file.write_bytes(mbox(*(dsn(sender(row)) for row in letters_)))
    command = [sys.executable, "-m", "tracker.cli", "reminders", "bounces", str(file)]
    with subprocess.Popen(command, cwd=ROOT, env=os.environ | variables) as running:
        while running.poll() is None and count(container, Bounce) < 20:
            time.sleep(0.02)
        running.kill()
    done = count(container, Bounce)
    again = tracker("reminders", "bounces", file)

    assert 20 <= done < 150
    assert f"{150 - done} permanent failures, {done} already processed" in again.stdout
    assert count(container, Bounce) == count(container, Suppression) == 150


@SQLITE
def test_a_file_that_is_not_there_is_refused(tracker, tmp_path):
    assert tracker("reminders", "bounces", tmp_path / "none").exit_code == 2
