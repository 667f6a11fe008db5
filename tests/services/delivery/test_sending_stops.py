"""What stops sending (services/runtime): a relay that fails, unforeseen amounts, a wrong clock."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, update

from tests.backends import SQLITE
from tests.services.delivery import reminder_cases as cases
from tracker import jobs
from tracker.domain.permissions import SYSTEM
from tracker.models import HistoryEntry, Message, ReminderCursor, Runtime
from tracker.services.delivery import planner, send_safety

EXPIRY = date(2027, 3, 15)
THIRTY_DAYS_BEFORE = datetime(2027, 2, 13, 15, tzinfo=UTC)
DOWN = 1  # a port on which no one listens


def planned(container, clock, count):
    clock.now = THIRTY_DAYS_BEFORE
    cases.certified(container, EXPIRY, count)
    jobs.plan(container)


def row(container):
    with container.reading(SYSTEM) as reading:
        return reading.row(select(Runtime.__table__))


def tried(container, catcher=None):
    """What a dispatch does, and how many messages have come through so far."""
    counts = jobs.dispatch(cases.with_relay(container, catcher.port if catcher else DOWN))
    return dict(counts), len(catcher.letters()) if catcher else 0


# The relay's circuit breaker.
def test_after_five_failures_in_a_row_the_relay_is_left_alone_for_half_a_minute(container, clock):
    planned(container, clock, 8)
    first, again = tried(container)[0], tried(container)[0]

    assert first == {"ready": 5, "released": 3}
    assert again == {}
    assert row(container).relay_failures == 5
    assert row(container).relay_resume_at == clock.now + timedelta(seconds=30)
    assert "refused" in row(container).relay_error


@SQLITE
def test_then_one_message_is_tried_and_each_failure_doubles_the_pause_up_to_ten_minutes(
    container, clock
):
    planned(container, clock, 8)
    tried(container)
    pauses = []
    for _ in range(7):
        clock.now = row(container).relay_resume_at
        assert tried(container)[0] == {"ready": 1}
        pauses.append((row(container).relay_resume_at - clock.now).total_seconds())

    assert pauses == [60, 120, 240, 480, 600, 600, 600]
    assert {message.attempts for message in cases.letters(container)} == {0}


@SQLITE
def test_a_message_that_the_relay_takes_ends_the_pause_and_all_go_out(container, clock):
    planned(container, clock, 8)
    tried(container)
    clock.advance(seconds=31)
    with cases.relay(container) as (_, catcher):
        assert tried(container, catcher) == ({"sent": 8}, 8)

    assert (row(container).relay_failures, row(container).relay_resume_at) == (0, None)
    assert row(container).relay_error is None


def test_of_several_processes_one_gets_the_probe(container, clock):
    planned(container, clock, 8)
    tried(container)
    clock.advance(seconds=31)
    with container.work(SYSTEM) as work:
        answers = [send_safety.take_probe(work) for _ in range(3)]

    assert answers == [True, False, False]


@SQLITE
def test_a_success_between_failures_forgets_them(container, clock):
    planned(container, clock, 8)
    with container.work(SYSTEM) as work:
        assert [send_safety.relay_failed(work, "away") for _ in range(4)] == [1, 2, 3, 4]
    with cases.relay(container) as (_, catcher):
        assert tried(container, catcher) == ({"sent": 8}, 8)

    assert row(container).relay_failures == 0


@SQLITE
def test_a_failing_relay_is_told_in_one_line_with_the_remedy(container, clock, caplog):
    planned(container, clock, 12)
    sending = cases.with_relay(container, DOWN)
    with caplog.at_level("INFO", logger="tracker.services.delivery.dispatcher"):
        for _ in range(4):
            jobs.dispatch(sending)
            clock.advance(seconds=40)
    first, *later = [record.message for record in caplog.records]

    assert first.startswith("the relay 127.0.0.1:1 failed, 1 in a row: ConnectionRefusedError")
    assert send_safety.RELAY_REMEDY in first
    assert [re.findall(r"failed, (\d+) in a row", line) for line in later] == [["5"], ["6"], ["7"]]
    assert not any("\n" in line for line in [first, *later])


@SQLITE
def test_a_relay_that_works_again_is_told(container, clock, caplog):
    planned(container, clock, 1)
    with container.work(SYSTEM) as work:
        send_safety.relay_failed(work, "away")
    caplog.set_level("INFO", logger="tracker.services.delivery.dispatcher")
    with cases.relay(container) as (sending, _):
        jobs.dispatch(sending)

    assert [record.message for record in caplog.records] == ["the relay is working again"]


# Several connections.
@SQLITE
@pytest.mark.parametrize(("count", "connections"), [(9, 1), (90, 4)])
def test_more_connections_open_only_when_a_claim_is_full_and_each_message_goes_once(
    container, clock, count, connections
):
    planned(container, clock, count)
    settings = replace(container.settings.reminders, claim=25, connections=4)
    container = replace(container, settings=replace(container.settings, reminders=settings))
    with cases.relay(container, data_delay=0.02) as (sending, catcher):
        assert jobs.dispatch(sending) == {"sent": count}

        assert catcher.connections == connections
        ids = [message.message_id for message in catcher.letters()]
    assert len(set(ids)) == len(ids) == count


# The limit.
ONE_STAGE_LATE = THIRTY_DAYS_BEFORE + timedelta(days=3)


def easily_held(container):
    settings = replace(container.settings.reminders, fuse_minimum=20)
    return replace(container, settings=replace(container.settings, reminders=settings))


def enable(container):
    with container.work(SYSTEM) as work:
        send_safety.enable(work, reason="The amount is right.")


@SQLITE
def test_an_import_of_late_records_beyond_the_limit_is_held_and_nothing_of_it_leaves(
    container, clock
):
    container = easily_held(container)
    clock.now = ONE_STAGE_LATE
    cases.certified(container, EXPIRY, 21)
    jobs.plan(container)

    assert row(container).fuse == (
        "21 messages of 2027-02-16 were not foreseen; up to 20 a day are sent without confirmation."
    )
    with cases.relay(container) as (_, catcher):
        clock.advance(minutes=11)
        assert tried(container, catcher) == ({}, 0)
        cases.certified(container, EXPIRY, 1)
        assert jobs.plan(container).examined == 0
        enable(container)
        jobs.plan(container)
        assert tried(container, catcher) == ({"sent": 22}, 22), "the day was accepted"
    assert row(container).fuse is None


@SQLITE
def test_what_a_large_import_brings_waits_until_the_limit_has_seen_it(container, clock):
    container = easily_held(container)
    clock.now = ONE_STAGE_LATE
    cases.certified(container, EXPIRY, 21)
    settings = replace(container.settings.reminders, batch=5)
    hasty = replace(container, settings=replace(container.settings, reminders=settings))
    planner.plan_due(hasty, limit=5)
    with cases.relay(container) as (_, catcher):
        assert tried(container, catcher) == ({}, 0)


def certified_long_before(container, clock, *expiries):
    """So many people whose stages ahead stand in the calendar; what was late of them is gone."""
    clock.now = THIRTY_DAYS_BEFORE - timedelta(days=5)
    for expires_on, count in expiries:
        cases.certified(container, expires_on, count)
    jobs.plan(container)
    jobs.beat(container)
    with container.work(SYSTEM) as work:
        work.connection.execute(update(Message).values(state="cancelled", finished_at=work.now))
        work.connection.execute(update(Runtime).values(unforeseen=0, armed_at=None))


def test_a_class_whose_stages_fall_together_was_foreseen_and_holds_nothing(container, clock):
    certified_long_before(container, clock, (EXPIRY, 30))
    container = easily_held(container)
    clock.now = THIRTY_DAYS_BEFORE
    jobs.beat(container)
    jobs.plan(container)
    with cases.relay(container) as (_, catcher):
        assert tried(container, catcher) == ({"sent": 30}, 30)
    assert row(container).fuse is None


def test_nine_days_without_a_scheduler_hold_nothing(container, clock):
    certified_long_before(container, clock, (EXPIRY, 10), (EXPIRY + timedelta(days=1), 15))
    container = easily_held(container)
    clock.advance(days=9)
    jobs.beat(container)
    jobs.plan(container)

    assert row(container).fuse is None
    with cases.relay(container) as (_, catcher):
        assert tried(container, catcher) == ({"sent": 25}, 25)


def test_a_clock_a_year_ahead_is_held_before_many_are_told_a_wrong_day(container, clock):
    container = easily_held(container)
    clock.now = THIRTY_DAYS_BEFORE - timedelta(days=330)
    cases.certified(container, EXPIRY, 21)
    with container.work(SYSTEM) as work:
        work.connection.execute(update(ReminderCursor).values(next_due_at=THIRTY_DAYS_BEFORE))
    jobs.beat(container)
    clock.advance(days=365)
    jobs.beat(container)

    assert row(container).fuse.endswith(
        "21 certifications have reminders due more than 90 days after that. Check the clock."
    )
    assert jobs.plan(container).examined == 0


@pytest.mark.parametrize("days", [365, -8], ids=["a year without a scheduler", "back"])
def test_no_pause_and_no_clock_holds_a_usual_amount(container, clock, days):
    clock.now = THIRTY_DAYS_BEFORE - timedelta(days=330)
    cases.certified(container, EXPIRY, 2)
    jobs.plan(container)
    jobs.beat(container)
    clock.advance(days=days)
    jobs.beat(container)

    assert row(container).fuse is None


def test_enabling_and_disabling_stand_in_the_history_with_their_reasons(container):
    with container.work(SYSTEM) as work:
        send_safety.disable(work, reason="The relay moves.")
        send_safety.enable(work, reason="It has moved.")
        lines = select(HistoryEntry.action, HistoryEntry.detail).where(
            HistoryEntry.subject == "sending"
        )
        entries = [tuple(line) for line in work.rows(lines.order_by(HistoryEntry.id))]

    assert entries == [
        ("disable", {"reason": "The relay moves."}),
        ("enable", {"reason": "It has moved."}),
    ]
