"""services/golive: how many messages would leave, and the backlog spread over days."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import update

from tests.services.delivery import reminder_cases as cases
from tracker import jobs
from tracker.domain.permissions import SYSTEM
from tracker.models import Runtime
from tracker.services.delivery import golive, send_safety

EXPIRY = date(2027, 3, 15)
LATE = datetime(2027, 2, 16, 15, tzinfo=UTC)  # 27 days before: the stage of 30 days is late


@pytest.fixture
def new(container, clock):
    """An installation from which nothing was ever sent."""
    with container.work(SYSTEM) as work:
        work.connection.execute(update(Runtime).values(armed=False, armed_at=None))
    clock.now = LATE
    return container


def amount(container):
    with container.reading(SYSTEM) as reading:
        return golive.amount(reading)


def test_nothing_leaves_a_new_installation_before_somebody_says_so(new):
    cases.certified(new, EXPIRY, 3)
    jobs.plan(new)
    with cases.relay(new) as (sending, catcher):
        assert jobs.dispatch(sending) == {}
        with new.work(SYSTEM) as work:
            assert send_safety.is_new(work)
            send_safety.enable(work, reason="Go.")
            assert not send_safety.is_new(work)
        assert jobs.dispatch(sending) == {"sent": 3}
        assert len(catcher.letters()) == 3


def test_the_amount_is_the_same_before_and_after_it_is_planned(new):
    cases.certified(new, EXPIRY, 3)
    cases.certified(new, LATE.date() + timedelta(days=1), 2)
    before = amount(new)
    golive.plan_all(new)

    assert before == amount(new)
    assert (before.by_stage, before.others) == ({30: 3, 1: 2}, 0)
    assert (before.total, before.backlog) == (5, 3)
    assert [before.days(a_day) for a_day in (1000, 3, 2, 1)] == [1, 1, 2, 3]


def test_what_can_wait_is_spread_and_the_last_week_before_an_expiry_is_not(new):
    cases.certified(new, EXPIRY, 6)
    cases.certified(new, LATE.date() + timedelta(days=1), 2)
    golive.plan_all(new)
    with new.work(SYSTEM) as work:
        leaving = golive.spread(work, days=3)

    first = LATE.date()
    assert leaving == {first: 4, first + timedelta(days=1): 2, first + timedelta(days=2): 2}
    days = Counter(row.next_at.date() for row in cases.letters(new) if row.stage and row.stage > 7)
    assert set(days.values()) == {2}


def test_nothing_is_put_off_beyond_the_time_in_which_it_is_of_use(new):
    cases.certified(new, EXPIRY, 20)
    golive.plan_all(new)
    with new.work(SYSTEM) as work:
        golive.spread(work, days=20)

    assert all(row.next_at < row.useful_until for row in cases.letters(new))


def test_nobody_is_written_to_at_night_because_of_it(new, clock):
    hours = replace(new.settings.reminders, quiet_from_hour=21, quiet_until_hour=7)
    new = replace(new, settings=replace(new.settings, reminders=hours))
    cases.certified(new, EXPIRY, 2)
    golive.plan_all(new)
    clock.now = LATE.replace(hour=6)  # one in the morning in New York
    with new.work(SYSTEM) as work:
        golive.spread(work, days=2)

    local = {row.next_at.astimezone(UTC).hour for row in cases.letters(new)}
    assert local <= {12, 15}  # seven in the morning, or as it was planned
