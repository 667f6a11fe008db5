"""Stages that did not reach their holder are told once that is mended (services/reminder_plans)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from tests.services import reminder_cases as cases
from tracker import jobs
from tracker.domain.permissions import SYSTEM
from tracker.models import Holder
from tracker.services import bounces, holders, outbox_by_hand, preferences, reminders, suppressions

EXPIRY = date(2027, 3, 15)
THIRTY_DAYS_BEFORE = datetime(2027, 2, 13, 14, tzinfo=UTC)
GONE = {"gone@example.com": "550 5.1.1 No such user"}


@pytest.fixture
def certified(office, clock):
    def make(**holder):
        clock.now = THIRTY_DAYS_BEFORE - timedelta(days=1)
        (id_,) = cases.certified(office, EXPIRY, **holder)
        jobs.plan(office)
        clock.now = THIRTY_DAYS_BEFORE
        return id_

    return make


@pytest.fixture(autouse=True)
def _identity(office):
    yield
    with office.reading(SYSTEM) as reading:
        assert reminders.identity_violations(reading) == []


def correct(office, **values):
    with office.work(SYSTEM) as work:
        holder = work.row(select(Holder.id, Holder.version))
        holders.correct(work, holder.id, values, version=holder.version)


def wish(office, **values):
    with office.work(SYSTEM) as work:
        preferences.put(work, "reminders", [work.row(select(Holder.id)).id], values)


def send(office, **behaviour):
    """Plan and send; to whom."""
    jobs.plan(office)
    with cases.relay(office, **behaviour) as (sending, catcher):
        jobs.dispatch(sending)
        return [letter.recipient for letter in catcher.letters()]


def last(office):
    return cases.stages(office)[-1]


def test_a_stage_that_was_refused_is_told_at_the_corrected_address(office, clock, certified):
    certified(email="gone@example.com")
    assert send(office, rcpt_replies=GONE) == []
    clock.advance(days=1)
    correct(office, email="here@example.com")

    assert send(office) == ["here@example.com"]
    assert last(office) == (30, "planned", None)
    assert send(office) == []


def test_a_stage_for_which_there_was_no_address_is_told_when_there_is_one(office, certified):
    certified(email="gone@example.com")
    with office.work(SYSTEM) as work:
        suppressions.suppress(work, ["gone@example.com"], suppressions.HARD)
    assert send(office) == []
    assert last(office) == (30, "skipped", "not_deliverable")
    with office.work(SYSTEM) as work:
        suppressions.lift(work, "Gone@example.com", reason="The mailbox is there again.")

    assert send(office) == ["gone@example.com"]
    assert last(office) == (30, "planned", None)


def test_a_stage_that_came_back_is_told_at_the_corrected_address(office, certified):
    certified(email="gone@example.com")
    assert send(office) == ["gone@example.com"]
    with office.work(SYSTEM) as work:
        (letter,) = bounces.letters_by(work, "id", [cases.letters(office)[-1].id]).values()
        report = bounces.Report(letter=letter, kind="hard", identity="x", at=work.now)
        bounces.record(work, [report])
    correct(office, email="here@example.com")

    assert send(office) == ["here@example.com"]


def test_a_stage_of_a_suspension_is_told_once_it_is_lifted(office, clock, certified):
    id_ = certified()
    cases.change(office, id_, "suspend", clock.now.date() - timedelta(days=1))
    jobs.plan(office)
    assert last(office) == (30, "skipped", "not_in_force")
    clock.advance(days=2)
    cases.change(office, id_, "reinstate", clock.now.date())
    jobs.plan(office)

    assert last(office) == (30, "planned", None)


def test_a_stage_of_a_suspension_is_told_when_its_end_comes_that_was_known(
    office, clock, certified
):
    id_ = certified()
    cases.change(office, id_, "suspend", clock.now.date() - timedelta(days=1))
    jobs.plan(office)
    cases.change(office, id_, "reinstate", clock.now.date() + timedelta(days=2))
    for _ in range(2):
        jobs.plan(office)
        assert last(office) == (30, "skipped", "not_in_force")
        clock.advance(days=1)
    jobs.plan(office)

    assert last(office) == (30, "planned", None)


@pytest.mark.parametrize("planned_first", [False, True], ids=["before planning", "after planning"])
def test_a_stage_of_a_pause_is_told_when_the_pause_is_over(office, clock, certified, planned_first):
    certified()
    if planned_first:
        jobs.plan(office)
    wish(office, snoozed_until=clock.now.date() + timedelta(days=2))
    sent = []
    for _ in range(5):
        sent.append(len(send(office)))
        clock.advance(days=1)

    assert sent == [0, 0, 0, 1, 0]


def test_a_stage_is_told_when_the_address_has_rested(office, clock, certified):
    certified(email="gone@example.com")
    with office.work(SYSTEM) as work:
        until = work.now + timedelta(days=3, hours=1)
        suppressions.suppress(work, ["gone@example.com"], suppressions.RESTING, until=until)
    assert send(office) == []
    clock.advance(days=3)
    assert send(office) == []
    clock.advance(hours=2)
    assert send(office) == ["gone@example.com"]


@pytest.mark.parametrize("planned_first", [False, True], ids=["before planning", "after planning"])
def test_a_stage_that_was_not_wanted_is_told_once_they_are_switched_on(
    office, certified, planned_first
):
    certified()
    if planned_first:
        jobs.plan(office)
    wish(office, wanted=False)
    assert send(office) == []
    wish(office, wanted=True)

    assert len(send(office)) == 1
    assert last(office) == (30, "planned", None)


def test_a_stage_of_a_pause_is_told_when_the_pause_is_ended_early(office, clock, certified):
    certified()
    wish(office, snoozed_until=clock.now.date() + timedelta(days=5))
    assert send(office) == []
    wish(office, snoozed_until=None)

    assert len(send(office)) == 1


def test_what_is_of_no_use_any_more_is_left_to_the_next_stage(office, clock, certified):
    certified(email="gone@example.com")
    assert send(office, rcpt_replies=GONE) == []
    clock.advance(days=17)
    correct(office, email="here@example.com")

    assert send(office) == ["here@example.com"]
    assert [stage[:2] for stage in cases.stages(office)[-2:]] == [(30, "planned"), (14, "planned")]


def test_what_was_sent_or_cancelled_by_hand_is_not_told_again(office, certified):
    certified()
    jobs.plan(office)
    with office.work(SYSTEM) as work:
        letter = cases.letters(office)[-1]
        outbox_by_hand.change(work, letter.id, "cancel", reason="They know.")
    correct(office, email="here@example.com")
    assert send(office) == []


def test_a_letter_that_arrived_is_not_told_again_at_another_address(office, certified):
    certified()
    assert len(send(office)) == 1
    correct(office, email="here@example.com")
    assert send(office) == []


def test_what_is_refused_at_the_first_address_goes_to_the_second_in_the_same_run(office, certified):
    certified(email="strict@example.com", second_email="kind@example.com")
    refusal = {"strict@example.com": "550 5.7.1 We take nothing from you"}

    assert send(office, rcpt_replies=refusal) == ["kind@example.com"]
    with office.reading(SYSTEM) as reading:
        assert suppressions.count(reading) == 0


def test_what_is_refused_at_both_is_dead_and_may_be_queued_again_by_hand(office, certified):
    certified(email="strict@example.com", second_email="also@example.com")
    assert send(office, rcpt_replies={"*": "550 5.7.1 No"}) == []
    assert cases.letters(office)[-1].state == "dead"
    with office.work(SYSTEM) as work:
        letter = cases.letters(office)[-1]
        outbox_by_hand.change(work, letter.id, "requeue", reason="They let us in.")

    assert send(office) == ["strict@example.com"]
