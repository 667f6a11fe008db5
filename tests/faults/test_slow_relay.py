"""A relay that answers late: nobody is starved, and nobody gets more than one copy.

Protects mail/smtp_sender.py (the reply to a whole message), services/reaper and the outbox's order.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from tests.faults.processes import (
    SEVEN_DAYS_BEFORE,
    THIRTY_DAYS_BEFORE,
    feed_evidence,
    ledger,
    plan,
)
from tests.services.delivery import reminder_cases as cases
from tracker import jobs
from tracker.domain.permissions import SYSTEM
from tracker.models import Message, Runtime
from tracker.services.delivery import leases, reaper, send_safety


@pytest.fixture
def hasty(monkeypatch):
    """As if ten minutes were half a second: time enough for a busy machine to take a letter."""
    monkeypatch.setattr(jobs, "FINAL_TIMEOUT", 0.5)


def test_an_answer_later_than_the_usual_timeout_is_waited_for(container, clock, catcher):
    expected = plan(container, clock, 2, SEVEN_DAYS_BEFORE)
    catcher.behaviour.data_delay = 1.3
    sending = cases.with_relay(container, catcher.port, timeout_seconds=1)

    assert jobs.dispatch(sending) == {"sent": 2}
    assert ledger(catcher) == dict.fromkeys(expected, 1)


@pytest.mark.usefixtures("hasty")
def test_a_relay_slower_than_that_sends_at_most_one_copy_and_leaves_nobody_without(
    container, clock, catcher, is_long
):
    letters, rounds = (400, 12) if is_long else (6, 5)
    expected = plan(container, clock, letters, SEVEN_DAYS_BEFORE)
    catcher.behaviour.answer_delay = 30
    for _ in range(rounds):
        jobs.dispatch(cases.with_relay(container, catcher.port))
        clock.advance(minutes=16)
        jobs.reap(container)

    assert ledger(catcher).keys() == expected
    assert set(ledger(catcher).values()) == {2}
    assert set(cases.states(container)) == {"parked"}
    assert all("twice" in row.last_error for row in cases.letters(container))
    with container.reading(SYSTEM) as reading:
        assert send_safety.relay_failures(reading) == 0, "late is not away"


def test_what_is_sent_again_comes_after_what_was_never_sent(container, clock):
    plan(container, clock, 3, SEVEN_DAYS_BEFORE)
    first = cases.letters(container)[0].id
    with container.work(SYSTEM) as work:
        work.connection.execute(
            update(Message)
            .where(Message.id == first)
            .values(state="ambiguous", lease_until=work.now - timedelta(seconds=1), facts={})
        )
    jobs.reap(container)
    clock.advance(hours=1)
    with container.work(SYSTEM) as work:
        place = work.row(select(Runtime.place)).place
        order = [one.id for one in leases.claim(work, owner="me", place=place, limit=9)]

    assert order[-1] == first
    assert len(order) == 3


# Evidence first.
def in_doubt(container, clock, at, **values):
    """One letter that the relay may have taken."""
    (message_id,) = plan(container, clock, 1, at)
    with container.work(SYSTEM) as work:
        work.connection.execute(
            update(Message).values(
                state="ambiguous", lease_until=work.now, facts={"x": 1}, **values
            )
        )
    return message_id


def test_where_evidence_is_kept_a_copy_waits_for_it_an_hour_at_most(container, clock):
    in_doubt(container, clock, SEVEN_DAYS_BEFORE)
    with container.work(SYSTEM) as work:  # kept, but of late nobody has read the log
        reaper.record_evidence(work, [], complete_until=work.now - timedelta(minutes=5))
    clock.advance(minutes=59)
    assert jobs.reap(container).sent_again == 0
    clock.advance(minutes=1)
    assert jobs.reap(container).sent_again == 1


def test_evidence_that_comes_in_that_hour_settles_it_without_a_copy(container, clock):
    message_id = in_doubt(container, clock, SEVEN_DAYS_BEFORE)
    with container.work(SYSTEM) as work:
        reaper.record_evidence(work, [], complete_until=work.now - timedelta(minutes=5))
    clock.advance(minutes=30)
    with container.work(SYSTEM) as work:
        reaper.record_evidence(work, [reaper.Acceptance(message_id, work.now)])
    jobs.reap(container)

    assert cases.states(container) == ["sent"]


# News and digests.
@pytest.mark.parametrize("kind", ["notice", "digest"])
def test_news_and_digests_in_doubt_come_once_more_rather_than_never(container, clock, kind):
    in_doubt(container, clock, THIRTY_DAYS_BEFORE, kind=kind)
    assert jobs.reap(container).sent_again == 1
    with container.work(SYSTEM) as work:
        work.connection.execute(update(Message).values(state="ambiguous", lease_until=work.now))
    assert jobs.reap(container).sent_again == 0
    assert cases.states(container) == ["parked"]


def test_a_reminder_in_doubt_long_before_the_expiry_is_left_to_the_next_stage(container, clock):
    in_doubt(container, clock, THIRTY_DAYS_BEFORE)
    assert jobs.reap(container).sent_again == 0
    assert cases.states(container) == ["ambiguous"]


def test_with_complete_evidence_it_is_sent_again_as_often_as_it_was_not_taken(
    container, clock, catcher
):
    in_doubt(container, clock, SEVEN_DAYS_BEFORE)
    for _ in range(3):
        clock.advance(minutes=16)
        feed_evidence(container, clock, catcher)
        assert jobs.reap(container).found_unsent == 1
        with container.work(SYSTEM) as work:
            work.connection.execute(update(Message).values(state="ambiguous", lease_until=work.now))
