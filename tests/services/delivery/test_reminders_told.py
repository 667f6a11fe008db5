"""What people are told of reminders: the dry run, each stage's fate, the list, the identity."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, select

from tests.backends import SQLITE
from tests.services.delivery import reminder_cases as cases
from tests.statements import counted
from tracker import jobs
from tracker.domain.errors import NotFound
from tracker.domain.permissions import SYSTEM, Actor
from tracker.models import Certification, Reminder, ReminderCursor
from tracker.services.delivery import ledger
from tracker.services.outbox import suppressions

EXPIRY = date(2027, 3, 15)


def nine(offset: int, zone: str = "America/New_York") -> datetime:
    day = EXPIRY - timedelta(days=offset)
    return datetime(day.year, day.month, day.day, 9, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def foreseen(container, as_of):
    with container.reading(SYSTEM) as reading:
        return list(ledger.foresee(reading, as_of=as_of))


def fates(container, id_):
    with container.reading(SYSTEM) as reading:
        return ledger.fates(reading, id_)


@pytest.mark.parametrize("days_ahead", [0, 1, 16, 40, 400])
def test_the_dry_run_tells_exactly_what_is_then_planned(container, clock, days_ahead):
    clock.now = nine(31)
    for zone in ("America/New_York", "America/Los_Angeles", "Pacific/Honolulu"):
        cases.certified(container, EXPIRY, 2, time_zone=zone)
        cases.certified(container, EXPIRY + timedelta(days=8), 2, time_zone=zone)
    held, complete, *_ = cases.certified(container, EXPIRY, 2, email="gone@example.com")
    (silent,) = cases.certified(container, EXPIRY, email="silent@example.com")
    jobs.plan(container)
    cases.change(container, held, "suspend", clock.now.date())
    cases.complete(container, complete, date(2025, 5, 1))
    with container.work(SYSTEM) as work:
        suppressions.suppress(work, ["silent@example.com"], "hard_bounce")
    as_of = clock.now.date() + timedelta(days=days_ahead)
    outcomes = {
        (f.certification_id, f.offset): (f.fate, f.reason) for f in foreseen(container, as_of)
    }
    with container.reading(SYSTEM) as reading:
        before = {row.id for row in reading.rows(select(Reminder.id))}
    # The end of the day where the westernmost holder lives.
    day = as_of + timedelta(days=1)
    clock.now = datetime(day.year, day.month, day.day, 9, 59, tzinfo=UTC)
    jobs.plan(container)

    with container.reading(SYSTEM) as reading:
        planned = {
            (row.certification_id, row.offset): (row.fate, row.reason)
            for row in reading.rows(select(Reminder.__table__))
            if row.id not in before
        }
    assert outcomes == planned
    assert silent in {id_ for id_, _ in outcomes} or days_ahead < 1


@SQLITE
def test_the_dry_run_says_who_is_written_to_and_why_and_writes_nothing(container, clock):
    clock.now = nine(30)
    (id_,) = cases.certified(container, EXPIRY, language="es", email="ana@example.com")
    stages = foreseen(container, clock.now.date())

    message = stages[-1]
    assert (message.certification_id, message.name, message.address) == (
        id_,
        "Ana Reyes",
        "ana@example.com",
    )
    assert (message.offset, message.days_left, message.language) == (30, 30, "es")
    assert (message.fate, message.reason, message.due_at) == ("planned", None, nine(30))
    assert [f.fate for f in stages[:-1]] == ["superseded"] * 5
    assert cases.stages(container) == []
    assert cases.letters(container) == []


def test_the_dry_run_reads_in_batches_and_leaves_nobody_out(container, clock):
    clock.now = nine(30)
    ids = cases.certified(container, EXPIRY, 1203)
    stages = [f for f in foreseen(container, clock.now.date()) if f.fate == "planned"]

    assert sorted(f.certification_id for f in stages) == sorted(ids)


@SQLITE
def test_each_stage_of_a_certification_is_told_with_its_message(container, clock):
    clock.now = nine(30)
    (id_,) = cases.certified(container, EXPIRY)
    before = fates(container, id_)
    jobs.plan(container)
    with cases.relay(container, rcpt_replies={"*": ["450 4.7.1 Later"]}) as (sending, _):
        jobs.dispatch(sending)
        waiting = {stage.offset: stage for stage in fates(container, id_)}[30]
        clock.advance(hours=1)
        jobs.dispatch(sending)
    stages = {stage.offset: stage for stage in fates(container, id_)}

    assert {stage.fate for stage in before} == {"ahead"}
    assert [stage.offset for stage in before] == [730, 365, 180, 90, 60, 30, 14, 7, 1, 0, -1, -30]
    assert (waiting.message_state, waiting.sent_at) == ("ready", None)
    assert waiting.last_error.startswith("450 4.7.1")
    assert (stages[30].fate, stages[30].message_state) == ("planned", "sent")
    assert stages[30].sent_at == clock.now
    assert stages[30].last_error is None
    assert (stages[60].fate, stages[60].message_state) == ("superseded", None)
    assert (stages[14].fate, stages[14].due_at) == ("ahead", nine(14))


def test_stages_that_a_renewal_made_needless_are_told_as_such(container, clock):
    clock.now = nine(60)
    (id_,) = cases.certified(container, EXPIRY)
    jobs.plan(container)
    cases.renew(container, id_, clock.now.date())
    outcomes = {
        (stage.cycle, stage.offset): (stage.fate, stage.reason) for stage in fates(container, id_)
    }

    assert outcomes[1, 60] == ("planned", None)
    assert outcomes[1, 30] == ("skipped", "renewed")
    assert outcomes[2, 730] == ("ahead", None)
    assert len(outcomes) == 24


@SQLITE
def test_a_certification_without_expiry_has_no_stages(container):
    with container.work(SYSTEM) as work:
        (id_,) = cases.award(work, cases.holders(work, 1), date(2020, 5, 5), scheme="cla")

    assert fates(container, id_) == []


@SQLITE
def test_the_fates_of_somebody_elses_certification_are_not_found(container):
    (id_,) = cases.certified(container, EXPIRY)
    stranger = Actor(role="holder", name="x", holder_id="0190a4a8-0000-7000-8000-000000000000")
    with container.reading(stranger) as reading, pytest.raises(NotFound):
        ledger.fates(reading, id_)


def test_fates_cost_three_statements_however_many_stages_and_cycles(container, clock):
    clock.now = nine(0)
    (id_,) = cases.certified(container, EXPIRY)
    jobs.plan(container)
    cases.renew(container, id_, clock.now.date())
    with container.reading(SYSTEM) as reading, counted(container) as ran:
        ledger.fates(reading, id_)

    assert len(ran) == 3


def test_the_list_pages_through_everything_once_and_filters(container, clock):
    clock.now = nine(30)
    (held,) = cases.certified(container, EXPIRY)
    cases.change(container, held, "suspend", clock.now.date())
    ids = cases.certified(container, EXPIRY, 6)
    jobs.plan(container)
    with cases.relay(container) as (sending, _):
        jobs.dispatch(sending)
    seen, after = [], None
    with container.reading(SYSTEM) as reading, counted(container) as ran:
        while rows := ledger.page(reading, after=after, limit=5):
            seen += rows
            after = rows[-1].id
        pages = len(ran)
        skipped = ledger.page(reading, after=None, limit=50, fate="skipped")
        sent = ledger.page(reading, after=None, limit=50, state="sent")
        own = ledger.page(reading, after=None, limit=50, holder_id=sent[0].holder_id)

    assert len(seen) == len({row.id for row in seen}) == 7 * 6
    assert pages == 7 * 6 // 5 + 2
    assert [row.certification_id for row in skipped] == [held]
    assert skipped[0].reason == "not_in_force"
    assert sorted(row.certification_id for row in sent) == sorted(ids)
    assert {(row.message_state, row.sent_at) for row in sent} == {("sent", clock.now)}
    assert len(own) == 6


# The accounting identity.
def test_a_stage_without_a_row_is_found_by_the_independent_scan(container, clock):
    clock.now = nine(29)
    (id_,) = cases.certified(container, EXPIRY)
    jobs.plan(container)
    with container.work(SYSTEM) as work:
        work.connection.execute(delete(Reminder).where(Reminder.offset == 30))
    with container.reading(SYSTEM) as reading:
        (violation,) = ledger.identity_violations(reading)
        assert ledger.identity_violations(reading, since=clock.now.date()) == []

    assert (violation.certification_id, violation.offset, violation.due_at) == (id_, 30, nine(30))
    assert jobs.audit(container).violations == 1


def test_a_certification_without_a_cursor_is_found_too(container, clock):
    clock.now = nine(29)
    cases.certified(container, EXPIRY)
    with container.work(SYSTEM) as work:
        work.connection.execute(delete(ReminderCursor))
    with container.reading(SYSTEM) as reading:
        assert len(ledger.identity_violations(reading)) == 6


def test_what_waits_for_the_planner_is_no_breach(container, clock):
    clock.now = nine(29)
    cases.certified(container, EXPIRY)

    assert jobs.audit(container).violations == 0


def test_the_scan_knows_the_holders_zone(container, clock):
    clock.now = nine(31)
    cases.certified(container, EXPIRY, time_zone="Pacific/Honolulu")
    jobs.plan(container)
    clock.now = nine(30, "Pacific/Honolulu") - timedelta(seconds=1)

    assert jobs.audit(container).violations == 0
    with container.reading(SYSTEM) as reading:
        assert reading.row(select(Certification.id)) is not None
