"""What stops sending for a while: a relay that fails, an unusual volume, a clock that jumped."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, update

from tests.services import reminder_cases as cases
from tracker import jobs
from tracker.domain.permissions import SYSTEM
from tracker.models import Runtime, Volume
from tracker.services import runtime

EXPIRY = date(2027, 3, 15)
THIRTY_DAYS_BEFORE = datetime(2027, 2, 13, 15, tzinfo=UTC)
DOWN = 1  # a port on which nobody listens


def planned(office, clock, count):
    clock.now = THIRTY_DAYS_BEFORE
    cases.certified(office, EXPIRY, count)
    jobs.plan(office)


def row(office):
    with office.reading(SYSTEM) as reading:
        return reading.row(select(Runtime.__table__))


def tried(office, catcher=None):
    """What a dispatch does, and how many letters have come through so far."""
    counts = jobs.dispatch(cases.with_relay(office, catcher.port if catcher else DOWN))
    return dict(counts), len(catcher.letters()) if catcher else 0


# The relay's circuit breaker.
def test_after_five_failures_in_a_row_the_relay_is_left_alone_for_half_a_minute(office, clock):
    planned(office, clock, 8)
    first, again = tried(office)[0], tried(office)[0]

    assert first == {"ready": 5, "released": 3}
    assert again == {}
    assert row(office).relay_failures == 5
    assert row(office).relay_resume_at == clock.now + timedelta(seconds=30)
    assert "refused" in row(office).relay_error


def test_then_one_letter_is_tried_and_each_failure_doubles_the_pause_up_to_ten_minutes(
    office, clock
):
    planned(office, clock, 8)
    tried(office)
    pauses = []
    for _ in range(7):
        clock.now = row(office).relay_resume_at
        assert tried(office)[0] == {"ready": 1}
        pauses.append((row(office).relay_resume_at - clock.now).total_seconds())

    assert pauses == [60, 120, 240, 480, 600, 600, 600]
    assert {letter.attempts for letter in cases.letters(office)} == {0}


def test_a_letter_that_the_relay_takes_ends_the_pause_and_all_go_out(office, clock):
    planned(office, clock, 8)
    tried(office)
    clock.advance(seconds=31)
    with cases.relay(office) as (_, catcher):
        assert tried(office, catcher) == ({"sent": 8}, 8)

    assert (row(office).relay_failures, row(office).relay_resume_at) == (0, None)
    assert row(office).relay_error is None


def test_of_several_processes_one_gets_the_probe(office, clock):
    planned(office, clock, 8)
    tried(office)
    clock.advance(seconds=31)
    with office.work(SYSTEM) as work:
        answers = [runtime.take_probe(work) for _ in range(3)]

    assert answers == [True, False, False]


def test_a_success_between_failures_forgets_them(office, clock):
    planned(office, clock, 8)
    with office.work(SYSTEM) as work:
        assert [runtime.relay_failed(work, "away") for _ in range(4)] == [False] * 4
    with cases.relay(office) as (_, catcher):
        assert tried(office, catcher) == ({"sent": 8}, 8)

    assert row(office).relay_failures == 0


# Several connections.
@pytest.mark.parametrize(("count", "connections"), [(9, 1), (90, 4)])
def test_more_connections_open_only_when_a_claim_is_full_and_each_letter_goes_once(
    office, clock, count, connections
):
    planned(office, clock, count)
    settings = replace(office.settings.reminders, claim=25, connections=4)
    office = replace(office, settings=replace(office.settings, reminders=settings))
    with cases.relay(office, data_delay=0.02) as (sending, catcher):
        assert jobs.dispatch(sending) == {"sent": count}

        assert catcher.connections == connections
        ids = [letter.message_id for letter in catcher.letters()]
    assert len(set(ids)) == len(ids) == count


# The fuse.
def days_before(office, clock, letters, days=7):
    with office.work(SYSTEM) as work:
        for ago in range(1, days + 1):
            on_day = clock.now.date() - timedelta(days=ago)
            work.session.add(Volume(on_day=on_day, letters=letters))


def easily_blown(office):
    settings = replace(office.settings.reminders, fuse_minimum=20)
    return replace(office, settings=replace(office.settings, reminders=settings))


def test_five_times_the_usual_volume_blows_the_fuse_and_nothing_more_is_planned(office, clock):
    clock.now = THIRTY_DAYS_BEFORE
    office = easily_blown(office)
    days_before(office, clock, 10)
    planned(office, clock, 51)

    assert row(office).fuse == (
        "51 letters on 2027-02-13; usual are 10 a day. Arm sending to go on."
    )
    cases.certified(office, EXPIRY, 1)
    assert jobs.plan(office).examined == 0
    with cases.relay(office) as (_, catcher):
        assert tried(office, catcher) == ({}, 0)
        with office.work(SYSTEM) as work:
            runtime.arm(work)
        jobs.plan(office)
        assert tried(office, catcher) == ({"sent": 52}, 52), "the day was accepted"
    assert row(office).fuse is None


@pytest.mark.parametrize(
    ("usual", "days", "count"), [(10, 7, 50), (10, 6, 60), (1, 7, 20)],
    ids=["five times", "no week is known", "few"],
)  # fmt: skip
def test_what_is_not_unusual_blows_no_fuse(office, clock, usual, days, count):
    clock.now = THIRTY_DAYS_BEFORE
    office = easily_blown(office)
    days_before(office, clock, usual, days)
    planned(office, clock, count)

    assert row(office).fuse is None
    with office.reading(SYSTEM) as reading:
        today = select(Volume.letters).where(Volume.on_day == clock.now.date())
        assert reading.row(today).letters == count


@pytest.mark.parametrize("days", [8, -8], ids=["ahead", "back"])
def test_a_clock_that_jumped_by_more_than_a_week_blows_the_fuse(office, clock, days):
    jobs.beat(office)
    before = clock.now
    clock.advance(days=days)
    jobs.beat(office)

    assert row(office).fuse == (
        f"The clock went from {before:%Y-%m-%d %H:%M} to {clock.now:%Y-%m-%d %H:%M} UTC."
    )
    assert jobs.plan(office).examined == 0


def test_a_week_without_a_heartbeat_is_no_jump(office, clock):
    jobs.beat(office)
    clock.advance(days=7)
    jobs.beat(office)

    assert row(office).fuse is None
    with office.work(SYSTEM) as work:
        work.connection.execute(update(Runtime).values(last_tick_at=None))
    clock.advance(days=900)
    jobs.beat(office)
    assert row(office).fuse is None, "it never ran before"
