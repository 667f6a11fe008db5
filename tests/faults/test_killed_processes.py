"""Processes that are killed in the middle, and several at once: no message lost, none twice."""

from __future__ import annotations

import random

from tests.faults.processes import (
    CONNECTIONS,
    EXPIRY,
    SEVEN_DAYS_BEFORE,
    THIRTY_DAYS_BEFORE,
    Worker,
    dispatch_the_rest,
    feed_evidence,
    kill_in_the_middle,
    ledger,
    plan,
)
from tests.services.delivery import reminder_cases as cases
from tracker import jobs
from tracker.domain.permissions import SYSTEM
from tracker.services.delivery import ledger as reminders


def test_dispatchers_killed_in_the_middle_send_each_letter_once_with_evidence(
    container, clock, catcher, is_long
):
    letters, kills = (20_000, 100) if is_long else (200, 4)
    dice = random.Random(20261121)
    expected = plan(container, clock, letters, THIRTY_DAYS_BEFORE)
    for _ in range(kills):
        kill_in_the_middle(container, clock, catcher, dice, after=(5, 150 if is_long else 30))
        feed_evidence(container, clock, catcher)
        jobs.reap(container)
    dispatch_the_rest(container, clock, catcher)

    assert ledger(catcher) == dict.fromkeys(expected, 1)
    assert cases.states(container) == ["sent"] * letters
    with container.reading(SYSTEM) as reading:
        assert reminders.identity_violations(reading) == []


def test_without_evidence_nothing_near_expiry_is_lost_and_copies_are_only_the_doubtful_ones(
    container, clock, catcher, is_long
):
    letters, kills = (2_000, 30) if is_long else (80, 2)
    dice = random.Random(7)
    expected = plan(container, clock, letters, SEVEN_DAYS_BEFORE)
    doubtful = 0
    for _ in range(kills):
        kill_in_the_middle(container, clock, catcher, dice)
        doubtful += jobs.reap(container).in_doubt
    doubtful += dispatch_the_rest(container, clock, catcher)

    assert ledger(catcher).keys() == expected
    assert ledger(catcher).total() - letters <= doubtful <= kills * CONNECTIONS


def test_without_evidence_early_stages_park_without_copies_and_everything_unsent_is_listed(
    container, clock, catcher, is_long
):
    letters, kills = (2_000, 30) if is_long else (80, 2)
    dice = random.Random(30)
    expected = plan(container, clock, letters, THIRTY_DAYS_BEFORE)
    for _ in range(kills):
        kill_in_the_middle(container, clock, catcher, dice)
        jobs.reap(container)
    dispatch_the_rest(container, clock, catcher)

    parked = {row.message_id for row in cases.letters(container) if row.state == "ambiguous"}
    assert max(ledger(catcher).values()) == 1
    assert expected - ledger(catcher).keys() <= parked
    assert len(parked) <= kills * CONNECTIONS


def test_four_schedulers_without_a_leader_give_one_row_and_one_letter(
    container, clock, catcher, is_long
):
    letters = 4_000 if is_long else 100
    clock.now = THIRTY_DAYS_BEFORE
    cases.certified(container, EXPIRY, letters)
    jobs_of_each = ("plan", "dispatch", "plan", "dispatch", "reap")
    workers = [Worker(container, clock, catcher.port, *jobs_of_each) for _ in range(4)]
    for worker in workers:
        worker.begin()
    for worker in workers:
        worker.finish()
    jobs.plan(container)
    dispatch_the_rest(container, clock, catcher)

    expected = {row.message_id for row in cases.letters(container)}
    assert len(expected) == letters
    assert ledger(catcher) == dict.fromkeys(expected, 1)
    assert len(cases.stages(container)) == 6 * letters
