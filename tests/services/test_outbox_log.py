"""Letters that finished long ago move out of the outbox and are still found."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

from sqlalchemy import select, text

from tests.services import reminder_cases as cases
from tests.statements import counted
from tracker import jobs
from tracker.domain.permissions import SYSTEM
from tracker.models import FinishedMessage, RelayAccept
from tracker.services import exports, outbox_log, reaper, reminders
from tracker.services.reaper import Acceptance

EXPIRY = date(2027, 3, 15)
THIRTY_DAYS_BEFORE = datetime(2027, 2, 13, 15, tzinfo=UTC)


def log(office):
    with office.reading(SYSTEM) as reading:
        return list(reading.rows(select(FinishedMessage.__table__)))


def sent(office, clock, count=2):
    clock.now = THIRTY_DAYS_BEFORE
    ids = cases.certified(office, EXPIRY, count)
    jobs.plan(office)
    with cases.relay(office) as (sending, _):
        jobs.dispatch(sending)
    return ids


def test_what_finished_more_than_thirty_days_ago_moves_as_it_was(office, clock):
    sent(office, clock)
    before = {row.id: row for row in cases.letters(office)}
    clock.advance(days=30)
    assert jobs.archive(office) == 0
    clock.advance(seconds=1)
    assert jobs.archive(office) == 2
    assert jobs.archive(office) == 0

    assert cases.letters(office) == []
    for row in log(office):
        assert row._mapping.items() <= before[row.id]._mapping.items()


def test_the_relays_evidence_goes_with_its_letter(office, clock):
    sent(office, clock)
    moved, other = cases.letters(office)[0].message_id, "<elsewhere@example.org>"
    with office.work(SYSTEM) as work:
        reaper.record_evidence(work, [Acceptance(moved, clock.now), Acceptance(other, clock.now)])
    clock.advance(days=31)
    jobs.archive(office)
    with office.reading(SYSTEM) as reading:
        assert [row[0] for row in reading.rows(select(RelayAccept.message_id))] == [other]


def test_a_letter_that_is_not_finished_stays(office, clock):
    clock.now = THIRTY_DAYS_BEFORE
    cases.certified(office, EXPIRY, 2)
    jobs.plan(office)
    clock.advance(days=400)

    assert jobs.archive(office) == 0
    assert len(cases.letters(office)) == 2


def test_the_fate_of_a_stage_and_the_holders_own_data_know_it_still(office, clock):
    (id_,) = sent(office, clock, 1)
    (letter,) = cases.letters(office)
    with office.reading(SYSTEM) as reading:
        fates, page = reminders.fates(reading, id_), _page(reading)
        mine = exports._messages(reading, letter.holder_id)
    clock.advance(days=31)
    jobs.archive(office)
    with office.reading(SYSTEM) as reading:
        after = reminders.fates(reading, id_)
        assert [one for one in after if one.sent_at] == [one for one in fates if one.sent_at] != []
        assert _page(reading) == page
        assert exports._messages(reading, letter.holder_id) == mine != []


def _page(reading):
    return reminders.page(reading, after=None, limit=10, state="sent")


def test_a_batch_is_found_by_the_index_with_a_constant_number_of_statements(office, clock, backend):
    sent(office, clock, 3)
    clock.advance(days=31)
    with counted(office) as ran, office.work(SYSTEM) as work:
        outbox_log.archive(work)
        archiving = [one for one in ran if "BEGIN" not in one]
        work.connection.exec_driver_sql(
            "set local enable_seqscan = off" if backend == "postgresql" else "select 1"
        )
        explain = "explain query plan" if backend == "sqlite" else "explain"
        question = (
            "select id from message where message.finished_at is not null"
            " and message.finished_at < '2027-01-01' order by message.finished_at limit 10"
        )
        plan = str(work.rows(text(f"{explain} {question}")))

    assert len(archiving) == 4
    assert "ix_message_finished" in plan


def test_what_two_move_at_once_is_moved_once(office, clock):
    sent(office, clock, 4)
    clock.advance(days=31)
    with ThreadPoolExecutor(2) as pool:
        moved = sum(pool.map(lambda _: jobs.archive(office), range(2)))

    assert moved == len(log(office)) == 4
