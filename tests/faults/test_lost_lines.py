"""Lines that are cut at every moment, and a relay that is busy now and then: exact."""

from __future__ import annotations

import random

from tests.faults.processes import THIRTY_DAYS_BEFORE, feed_evidence, ledger, plan
from tests.mail_faults import Cut
from tests.services.delivery import reminder_cases as cases
from tracker import jobs


def send_all(container, clock, catcher, rounds):
    sending = cases.with_relay(container, catcher.port)
    for _ in range(rounds):
        jobs.dispatch(sending)
        clock.advance(minutes=16)
        feed_evidence(container, clock, catcher)
        jobs.reap(container)
    jobs.dispatch(sending)


def test_lines_cut_before_and_after_the_250_and_at_quit_send_each_letter_once(
    container, clock, catcher, is_long
):
    count = 2_000 if is_long else 60
    dice = random.Random(250)
    expected = plan(container, clock, count, THIRTY_DAYS_BEFORE)
    for letter in cases.letters(container):
        cuts = [cut for cut in Cut if dice.random() < 0.2]
        catcher.behaviour.cuts[letter.address] = cuts
    catcher.behaviour.cut_at_quit = True
    send_all(container, clock, catcher, 40 if is_long else 12)

    assert ledger(catcher) == dict.fromkeys(expected, 1)
    assert set(cases.states(container)) == {"sent"}


def test_a_relay_that_is_busy_every_so_often_gets_each_letter_once(
    container, clock, catcher, is_long
):
    count, catcher.behaviour.busy_every = (2_000, 50) if is_long else (60, 7)
    expected = plan(container, clock, count, THIRTY_DAYS_BEFORE)
    send_all(container, clock, catcher, 40 if is_long else 8)

    assert ledger(catcher) == dict.fromkeys(expected, 1)
    assert {(row.state, row.attempts) for row in cases.letters(container)} == {("sent", 1)}
