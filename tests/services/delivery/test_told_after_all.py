"""Stages that did not reach their holder are told once that is mended (services/reminder_plans)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from tests.backends import SQLITE
from tests.services.delivery import reminder_cases as cases
from tracker import jobs
from tracker.domain.delivery.queue_acts import QueueAct
from tracker.domain.permissions import SYSTEM
from tracker.models import Activity, Holder
from tracker.services.delivery import bounces, by_hand, dispatcher, ledger
from tracker.services.desk import corrections
from tracker.services.outbox import suppressions
from tracker.services.people import holders, preferences
from tracker.services.points import activity_decisions

EXPIRY = date(2027, 3, 15)
THIRTY_DAYS_BEFORE = datetime(2027, 2, 13, 14, tzinfo=UTC)
GONE = {"gone@example.com": "550 5.1.1 No such user"}


@pytest.fixture
def certified(container, clock):
    def make(**holder):
        clock.now = THIRTY_DAYS_BEFORE - timedelta(days=1)
        (id_,) = cases.certified(container, EXPIRY, **holder)
        jobs.plan(container)
        clock.now = THIRTY_DAYS_BEFORE
        return id_

    return make


@pytest.fixture(autouse=True)
def _identity(container):
    yield
    with container.reading(SYSTEM) as reading:
        assert ledger.identity_violations(reading) == []


def correct(container, **values):
    with container.work(SYSTEM) as work:
        holder = work.row(select(Holder.id, Holder.version))
        holders.correct(work, holder.id, values, version=holder.version)


def wish(container, **values):
    with container.work(SYSTEM) as work:
        preferences.put(work, "reminders", [work.row(select(Holder.id)).id], values)


def send(container, **behaviour):
    """Plan and send; to whom."""
    jobs.plan(container)
    with cases.relay(container, **behaviour) as (sending, catcher):
        jobs.dispatch(sending)
        return [message.recipient for message in catcher.letters()]


def came_back(container, kind, count=1):
    """So many reports that the last message came back, each about a different message."""
    with container.work(SYSTEM) as work:
        rows = bounces.messages_by(work, "id", [one.id for one in cases.letters(container)])
        some = [rows[one.id] for one in cases.letters(container)][-count:]
        status = {"hard": "5.1.1", "soft": "4.2.2"}[kind]
        reports = [
            bounces.ReturnedMessage(
                message=one, kind=kind, identity=one.id, at=work.now, status=status
            )
            for one in some
        ]
        bounces.record(work, reports)


def rest(container, address, **until):
    with container.work(SYSTEM) as work:
        ends = work.now + timedelta(**until)
        suppressions.suppress(work, [address], suppressions.RESTING, until=ends)


def days_sent(container, clock, days):
    """How many messages leave on each of the next days, today first."""
    sent = []
    for _ in range(days):
        sent.append(len(send(container)))
        clock.advance(days=1)
    return sent


def last(container):
    return cases.stages(container)[-1]


@SQLITE
def test_a_stage_that_was_refused_is_told_at_the_corrected_address(container, clock, certified):
    certified(email="gone@example.com")
    assert send(container, rcpt_replies=GONE) == []
    clock.advance(days=1)
    correct(container, email="here@example.com")

    assert send(container) == ["here@example.com"]
    assert last(container) == (30, "planned", None)
    assert send(container) == []


def test_a_stage_for_which_there_was_no_address_is_told_when_there_is_one(container, certified):
    certified(email="gone@example.com")
    with container.work(SYSTEM) as work:
        suppressions.suppress(work, ["gone@example.com"], suppressions.HARD)
    assert send(container) == []
    assert last(container) == (30, "skipped", "not_deliverable")
    with container.work(SYSTEM) as work:
        suppressions.lift(work, "Gone@example.com", reason="The mailbox is there again.")

    assert send(container) == ["gone@example.com"]
    assert last(container) == (30, "planned", None)


@SQLITE
@pytest.mark.parametrize("kind", ["hard", "soft"])
def test_a_stage_that_came_back_is_told_at_the_corrected_address(container, certified, kind):
    certified(email="gone@example.com")
    assert send(container) == ["gone@example.com"]
    came_back(container, kind)
    correct(container, email="here@example.com")

    assert send(container) == ["here@example.com"]
    assert send(container) == []


def test_a_stage_of_a_suspension_is_told_once_it_is_lifted(container, clock, certified):
    id_ = certified()
    cases.change(container, id_, "suspend", clock.now.date() - timedelta(days=1))
    jobs.plan(container)
    assert last(container) == (30, "skipped", "not_in_force")
    clock.advance(days=2)
    cases.change(container, id_, "reinstate", clock.now.date())
    jobs.plan(container)

    assert last(container) == (30, "planned", None)


BOTH = pytest.mark.parametrize("planned_first", [False, True], ids=["unplanned", "planned"])


@SQLITE
@BOTH
@pytest.mark.parametrize("seen", [False, True], ids=["unseen", "seen"])
def test_a_stage_of_a_suspension_is_told_when_its_end_comes_that_was_known(
    container, clock, certified, planned_first, seen
):
    id_ = certified()
    if planned_first:
        jobs.plan(container)
    cases.change(container, id_, "suspend", clock.now.date() - timedelta(days=1))
    if seen:
        jobs.plan(container)
    cases.change(container, id_, "reinstate", clock.now.date() + timedelta(days=2))

    assert days_sent(container, clock, 5) == [0, 0, 1, 0, 0]


@SQLITE
def test_a_suspension_between_composing_and_the_marker_is_waited_for_as_well(
    container, clock, certified
):
    id_ = certified()
    jobs.plan(container)

    def suspend():
        cases.change(container, id_, "suspend", clock.now.date() - timedelta(days=1))
        cases.change(container, id_, "reinstate", clock.now.date() + timedelta(days=2))

    with cases.relay(container) as (sending, catcher), jobs.smtp_sender(sending) as sender:
        dispatcher.dispatch(sending, cases.Interrupted(sender, suspend))
        assert catcher.letters() == []

    assert days_sent(container, clock, 4) == [0, 0, 1, 0]


def of_two(container, clock):
    """One of the two certifications of a holder that expire together."""
    clock.now = THIRTY_DAYS_BEFORE
    with container.work(SYSTEM) as work:
        ids, on = cases.holders(work, 1), cases.years_before(EXPIRY)
        held, _ = (cases.award(work, ids, on, scheme=scheme)[0] for scheme in ("cpt", "clt"))
    return held


def test_what_a_message_left_without_is_told_in_another_one(container, clock):
    held = of_two(container, clock)
    jobs.plan(container)
    (both,) = [row for row in cases.letters(container) if row.kind == "reminder"]
    cases.change(container, held, "suspend", clock.now.date() - timedelta(days=1))
    cases.change(container, held, "reinstate", clock.now.date() + timedelta(days=2))

    assert days_sent(container, clock, 4) == [1, 0, 1, 0]
    with container.reading(SYSTEM) as reading:
        fate = {stage.offset: stage for stage in ledger.fates(reading, held)}[30]
    assert (fate.fate, fate.message_state) == ("planned", "sent")
    of_messages = [row for row in cases.letters(container) if row.kind == "reminder"]
    lines = [[stage["certification_id"] for stage in row.facts["lines"]] for row in of_messages]
    assert len(lines[0]) == 1
    assert lines[1] == [held]
    assert of_messages[0].id == both.id


def test_what_a_message_leaves_without_is_on_record_as_withheld(container, clock):
    held = of_two(container, clock)
    jobs.plan(container)
    cases.apply(container, held, clock.now.date() - timedelta(days=1))
    assert len(send(container)) == 1

    with container.reading(SYSTEM) as reading:
        fate = {stage.offset: stage for stage in ledger.fates(reading, held)}[30]
    assert (fate.fate, fate.reason, fate.message_state) == ("skipped", "renewal_pending", None)


@SQLITE
@BOTH
def test_a_stage_of_a_pause_is_told_when_the_pause_is_over(
    container, clock, certified, planned_first
):
    certified()
    if planned_first:
        jobs.plan(container)
    wish(container, snoozed_until=clock.now.date() + timedelta(days=2))
    assert days_sent(container, clock, 5) == [0, 0, 0, 1, 0]


@SQLITE
@BOTH
def test_a_stage_is_told_when_the_address_has_rested(container, clock, certified, planned_first):
    certified(email="full@example.com")
    if planned_first:
        jobs.plan(container)
    rest(container, "full@example.com", days=3, hours=1)
    assert days_sent(container, clock, 3) == [0, 0, 0]
    assert send(container) == []
    clock.advance(hours=2)
    assert send(container) == ["full@example.com"]
    assert send(container) == []


def test_messages_that_came_back_from_a_full_mailbox_are_told_when_it_has_rested(
    container, clock, certified
):
    """Three of them make the rest; the last stage is still of use after it."""
    certified(email="full@example.com")
    clock.now = datetime(2027, 3, 7, tzinfo=UTC)
    for days in (1, 6, 1):  # 7, 1 and 0 days before the expiry
        clock.advance(days=days, hours=0 if days == 6 else 7)
        assert len(send(container)) == 1
    came_back(container, "soft", 3)
    clock.now = datetime(2027, 3, 16, 14, tzinfo=UTC)  # the day after the expiry
    assert days_sent(container, clock, 29) == [0] * 29
    assert days_sent(container, clock, 3) == [1, 0, 0]


@SQLITE
def test_what_came_back_from_one_address_goes_to_the_other_when_that_has_rested(
    container, clock, certified
):
    certified(email="gone@example.com", second_email="full@example.com")
    rest(container, "full@example.com", days=2)
    assert send(container) == ["gone@example.com"]
    came_back(container, "hard")
    clock.advance(days=1)
    assert send(container) == []
    clock.advance(days=1)

    assert send(container) == ["full@example.com"]
    assert send(container) == []


@pytest.mark.parametrize("reply", ["550 5.1.1 No such user", "550 5.7.1 We take nothing from you"])
def test_what_one_address_refuses_goes_to_the_other_when_that_has_rested(
    container, clock, certified, reply
):
    certified(email="gone@example.com", second_email="full@example.com")
    rest(container, "full@example.com", days=2)
    refusal = {"gone@example.com": reply}
    for _ in range(3):
        assert send(container, rcpt_replies=refusal) == []
    clock.advance(days=1)
    assert send(container, rcpt_replies=refusal) == []
    clock.advance(days=1)

    assert send(container, rcpt_replies=refusal) == ["full@example.com"]
    assert send(container, rcpt_replies=refusal) == []


def test_a_stage_that_complete_points_made_needless_is_told_once_they_are_taken_back(
    container, clock, certified
):
    id_ = certified()
    clock.now = THIRTY_DAYS_BEFORE + timedelta(days=16)
    cases.complete(container, id_, date(2026, 5, 1))
    jobs.plan(container)
    assert last(container) == (14, "skipped", "points_complete")
    with container.work(SYSTEM) as work:
        first = work.row(select(Activity.id, Activity.version).order_by(Activity.id))
        activity_decisions.undo(work, first.id, reason="Of somebody else.", version=first.version)

    assert days_sent(container, clock, 3) == [1, 0, 0]
    assert last(container) == (14, "planned", None)


@SQLITE
@BOTH
def test_a_stage_is_told_when_a_death_was_recorded_by_mistake(container, certified, planned_first):
    certified()
    if planned_first:
        jobs.plan(container)
    change_death(container, date(2027, 2, 1))
    assert send(container) == []
    change_death(container, None)

    assert len(send(container)) == 1
    assert send(container) == []


def change_death(container, day):
    with container.work(SYSTEM) as work:
        holder = work.row(select(Holder.id, Holder.version))
        corrections.change(
            work, holder.id, {"deceased_on": day}, version=holder.version, reason=None
        )


@SQLITE
@BOTH
def test_a_stage_that_was_not_wanted_is_told_once_they_are_switched_on(
    container, certified, planned_first
):
    certified()
    if planned_first:
        jobs.plan(container)
    wish(container, wanted=False)
    assert send(container) == []
    wish(container, wanted=True)

    assert len(send(container)) == 1
    assert last(container) == (30, "planned", None)


def test_a_stage_of_a_pause_is_told_when_the_pause_is_ended_early(container, clock, certified):
    certified()
    wish(container, snoozed_until=clock.now.date() + timedelta(days=5))
    assert send(container) == []
    wish(container, snoozed_until=None)

    assert len(send(container)) == 1


@SQLITE
def test_what_is_of_no_use_any_more_is_left_to_the_next_stage(container, clock, certified):
    certified(email="gone@example.com")
    assert send(container, rcpt_replies=GONE) == []
    clock.advance(days=17)
    correct(container, email="here@example.com")

    assert send(container) == ["here@example.com"]
    assert [stage[:2] for stage in cases.stages(container)[-2:]] == [
        (30, "planned"),
        (14, "planned"),
    ]


def test_what_was_sent_or_cancelled_by_hand_is_not_told_again(container, certified):
    certified()
    jobs.plan(container)
    with container.work(SYSTEM) as work:
        message = cases.letters(container)[-1]
        by_hand.change(work, message.id, QueueAct.CANCEL, reason="They know.")
    correct(container, email="here@example.com")
    assert send(container) == []


def test_a_message_that_arrived_is_not_told_again_at_another_address(container, certified):
    certified()
    assert len(send(container)) == 1
    correct(container, email="here@example.com")
    assert send(container) == []


@SQLITE
def test_what_is_refused_at_the_first_address_goes_to_the_second_in_the_same_run(
    container, certified
):
    certified(email="strict@example.com", second_email="kind@example.com")
    refusal = {"strict@example.com": "550 5.7.1 We take nothing from you"}

    assert send(container, rcpt_replies=refusal) == ["kind@example.com"]
    with container.reading(SYSTEM) as reading:
        assert suppressions.count(reading) == 0


def test_what_is_refused_at_both_is_dead_and_may_be_queued_again_by_hand(container, certified):
    certified(email="strict@example.com", second_email="also@example.com")
    assert send(container, rcpt_replies={"*": "550 5.7.1 No"}) == []
    assert cases.letters(container)[-1].state == "dead"
    with container.work(SYSTEM) as work:
        message = cases.letters(container)[-1]
        by_hand.change(work, message.id, QueueAct.REQUEUE, reason="They let us in.")

    assert send(container) == ["strict@example.com"]
