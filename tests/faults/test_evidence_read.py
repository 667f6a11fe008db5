"""The relay's log is read by the scheduler: doubts are settled, through lost databases as well.

Protects relay_reader and scheduler.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from tests.faults.processes import SEVEN_DAYS_BEFORE, ledger, plan
from tests.services import reminder_cases as cases
from tracker import jobs, scheduler
from tracker.domain.permissions import SYSTEM
from tracker.mail.catcher import Cut
from tracker.models import Runtime
from tracker.relay_reader import RelayReader
from tracker.services import acceptances


@pytest.fixture
def with_log(office, tmp_path):
    """The office with a relay's log, and how the relay writes into it."""
    path = tmp_path / "mail.log"
    mail = replace(office.settings.mail, relay_log=str(path))
    return replace(office, settings=replace(office.settings, mail=mail)), path


@pytest.fixture
def following():
    """Readers of the log, closed at the end."""
    made = []

    def make(office):
        made.append(RelayReader(office))
        return made[-1]

    yield make
    for one in made:
        one.close()


def write(path, clock, *message_ids):
    lines = [f"{clock.now.isoformat()} mx postfix/smtpd[1]: connect from x\n"]
    for number, message_id in enumerate(message_ids):
        stamp, queue_id = clock.now.isoformat(), f"4F5A{number}"
        lines += [
            f"{stamp} mx postfix/cleanup[1]: {queue_id}: message-id={message_id}\n",
            f"{stamp} mx postfix/qmgr[1]: {queue_id}: from=<b@x>, size=9 (queue active)\n",
        ]
    with path.open("a") as file:
        file.writelines(lines)


def test_letters_cut_off_after_the_relay_took_them_are_settled_by_its_log(
    with_log, following, clock, catcher, is_long
):
    office, path = with_log
    count = 400 if is_long else 8
    expected = plan(office, clock, count, SEVEN_DAYS_BEFORE)
    write(path, clock)
    reader = following(office)
    reader()
    catcher.behaviour.cuts["*"] = [Cut.BEFORE_250] * 4 + [Cut.BEFORE_KEEPING] * 2
    for _ in range(8 + count // 50):
        jobs.dispatch(cases.with_relay(office, catcher.port))
        clock.advance(minutes=16)
        write(path, clock, *ledger(catcher))
        reader()
        jobs.reap(office)

    assert ledger(catcher) == dict.fromkeys(expected, 1)
    assert set(cases.states(office)) == {"sent"}


def test_what_was_read_while_the_database_was_away_is_kept(with_log, following, clock, monkeypatch):
    office, path = with_log
    (message_id,) = plan(office, clock, 1, SEVEN_DAYS_BEFORE)
    write(path, clock, message_id)
    reader, take = following(office), acceptances.take_log
    away = [True]

    def sometimes(*given, **named):
        if away:
            away.pop()
            raise OperationalError("insert", {}, Exception("away"))
        return take(*given, **named)

    monkeypatch.setattr(acceptances, "take_log", sometimes)
    with pytest.raises(OperationalError):
        reader()
    assert reader() == 1
    assert reader() == 0


def test_the_scheduler_reads_it_where_a_file_is_named(office, with_log):
    assert "relay log" not in [entry.name for entry in scheduler.timetable(office)]
    assert "relay log" in [entry.name for entry in scheduler.timetable(with_log[0])]


def test_the_age_of_the_evidence_is_told(office, clock, app):
    with office.work(SYSTEM) as work:
        work.connection.execute(
            update(Runtime).values(evidence_until=clock.now - timedelta(minutes=5))
        )
    assert b"tracker_evidence_age_seconds 300.0" in app.test_client().get("/metrics").data
