"""A week of a town on a clock that runs fast, with everything going wrong that can: exact."""

from __future__ import annotations

import sys
from collections import defaultdict
from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.faults.fast import Fast
from tests.faults.week import START, Size, Week, books, found_town
from tests.mail_faults import Behaviour, Catcher
from tests.services.delivery import reminder_cases as cases
from tracker import jobs
from tracker.domain.permissions import SYSTEM
from tracker.models import ReminderCursor
from tracker.services.delivery import ledger

SHORT = Size(
    certifications=1_500,
    known=150,
    days=1,
    behind=40,
    seconds=12,
    schedulers=2,
    kills=2,
    outages=1,
    cuts=1,
    changes=8,
)
LONG = Size(
    certifications=50_000,
    known=500,
    days=7,
    behind=8,
    seconds=480,
    schedulers=3,
    kills=60,
    outages=12,
    cuts=12,
    changes=100,
)
UNDER_WAY = 3.0
"""Seconds of a quiet machine that a letter may be on its way when it ceases to be true."""
UNSETTLED = {"ready", "claimed", "transmitting", "ambiguous"}


def wind_up(container, clock, week):
    """Plan what is due at the last instant, then send until every lease and wait is over."""
    clock.now = week.clock()
    jobs.plan(container)
    with container.reading(SYSTEM) as reading:
        waiting = select(ReminderCursor).where(ReminderCursor.next_due_at <= clock.now)
        assert reading.row(waiting) is None
        since = START - timedelta(days=week.size.behind)
        violations = ledger.identity_violations(reading, since=since.date())
    jobs.dispatch(container)
    for _ in range(10):
        if not UNSETTLED & set(cases.states(container)):
            break
        clock.advance(seconds=week.size.transmitting + 60)
        week.evidence.feed(container)
        jobs.reap(container)
        jobs.dispatch(container)
    return violations


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_after_a_week_of_changes_kills_and_outages_all_is_accounted_for_and_the_ledger_exact(
    container, clock, tmp_path, is_long
):
    size = LONG if is_long else SHORT
    found_town(container, clock, size)
    fast = Fast(START, size.rate)
    with Catcher(now=fast, behaviour=Behaviour(data_delay=0.004)) as catcher:
        week = Week(container, catcher, size, fast, tmp_path / "log")
        week.play()
        violations = wind_up(cases.with_relay(container, catcher.port), clock, week)
    found = books(container, catcher)
    assert violations == []
    check_every_letter_came_to_an_end(found, week)
    check_every_stage_has_its_letter(found, week)
    check_nothing_was_told_that_was_true_no_more(found, week)
    assert "a reminder stage passed without a row" not in week.log.read_text(
        "utf-8"
    )  # so say the audits
    sys.stdout.write(f"{dict(sorted({**week.counts, **found.figures()}.items()))}\n")


def check_every_letter_came_to_an_end(found, week):
    """The ledger is exact, and only what the mail server refused for good is dead."""
    by_state = defaultdict(list)
    for letter in found.letters.values():
        by_state[letter.state].append(letter)
    assert by_state.keys() <= {"sent", "cancelled", "dead"}
    assert {letter.address for letter in by_state["dead"]} <= week.refused
    assert found.ledger == {letter.message_id: 1 for letter in by_state["sent"]}
    for letter in by_state["sent"]:
        assert found.taken[letter.message_id].recipient == letter.address


def check_every_stage_has_its_letter(found, week):
    """Sent, or refused for good, or needless by then, or overtaken for want of time."""
    told = {(letter_id, id_, expires_on) for letter_id, id_, expires_on, _ in found.told()}
    enough = timedelta(seconds=2 * week.size.transmitting + week.size.rate * 5)
    for stage in found.stages:
        if stage.fate == "planned":
            letter = found.letters[stage.message_id]
            id_, expires_on, until = stage.certification_id, stage.expires_on, stage.useful_until
            needless = week.is_silent(id_, expires_on, letter.finished_at, margin=UNDER_WAY)
            overtaken = stage.recorded_at + enough > until <= letter.finished_at
            if letter.state == "sent":
                assert (letter.id, id_, expires_on) in told or needless, (stage, letter)
            else:
                assert needless or overtaken or letter.address in week.refused, (stage, letter)
                week.counts["stages overtaken"] += overtaken and not needless


def check_nothing_was_told_that_was_true_no_more(found, week):
    """No stage was planned after it was needless, and no message left later than under way."""
    for stage in found.stages:
        if stage.fate == "planned":
            id_, expires_on = stage.certification_id, stage.expires_on
            assert not week.is_silent(id_, expires_on, stage.recorded_at), stage
    for told in found.told():
        _, id_, expires_on, at = told
        assert not week.is_silent(id_, expires_on, at, margin=-UNDER_WAY), told
