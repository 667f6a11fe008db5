"""Messages from the outbox through a real mail server: sent, refused, tried again, parked."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import OperationalError

from tests.backends import SQLITE
from tests.mail_faults import Cut
from tests.services.delivery import reminder_cases as cases
from tests.statements import counted
from tracker import jobs
from tracker.db import new_id
from tracker.domain.delivery.queue_acts import QueueAct
from tracker.domain.permissions import SYSTEM
from tracker.mail.smtp_sender import Delivery, DeliveryOutcome
from tracker.models import Holder, Message, Preference, RelayAccept, Suppression
from tracker.services.core import signed_links
from tracker.services.delivery import (
    by_hand,
    composers,
    dispatcher,
    leases,
    ledger,
    marker,
    reaper,
    sealing,
    send_safety,
)
from tracker.services.outbox import suppressions

EXPIRY = date(2027, 3, 15)


def nine(offset: int) -> datetime:
    day = EXPIRY - timedelta(days=offset)
    return datetime(day.year, day.month, day.day, 9, tzinfo=ZoneInfo("America/New_York"))


@pytest.fixture
def planned(container, clock):
    """Plan one message of a stage for each of some holders; returns the certifications' ids."""

    def make(offset=30, count=1, **holder):
        clock.now = nine(offset).astimezone(UTC)
        ids = cases.certified(container, EXPIRY, count, **holder)
        jobs.plan(container)
        return ids

    return make


@pytest.fixture(autouse=True)
def _identity(container):
    yield
    with container.reading(SYSTEM) as reading:
        assert ledger.identity_violations(reading) == []


def dispatch(container, before=lambda: None):
    with jobs.smtp_sender(container) as sender:
        return dispatcher.dispatch(container, cases.Interrupted(sender, before))


def test_each_holder_gets_one_message_with_its_own_proof_in_the_envelope(container, planned):
    planned(count=3)
    with cases.relay(container) as (sending, catcher):
        assert jobs.dispatch(sending) == {"sent": 3}
        assert jobs.dispatch(sending) == {}
        caught = catcher.letters()

    rows = {row.message_id: row for row in cases.letters(container)}
    assert {message.message_id for message in caught} == set(rows)
    for message in caught:
        row, (local, domain) = rows[message.message_id], message.envelope_sender.split("@")
        assert message.recipient == row.address
        assert domain == container.settings.mail.bounce_domain
        assert signed_links.proven(container.message_key, "b", local.removeprefix("b+")) == row.id
        assert signed_links.proven(container.message_key, "u", local.removeprefix("b+")) is None
    assert {row.state for row in rows.values()} == {"sent"}


@SQLITE
@pytest.mark.parametrize("purpose", ["b", "u-reminders", "u-decisions"])
def test_an_address_that_proves_something_is_no_longer_than_addresses_may_be(container, purpose):
    with container.reading(SYSTEM) as reading:
        address = signed_links.proof_address(reading, container.message_key, purpose, new_id())
    assert len(address.partition("@")[0]) <= 64  # octets: RFC 5321, 4.5.3.1.1


@SQLITE
def test_an_address_that_nobody_gave_out_proves_nothing(container):
    assert signed_links.proven(container.message_key, "b", "0190.aaaaaaaaaaaaaaa") is None
    assert signed_links.proven(container.message_key, "b", "é") is None


@SQLITE
def test_the_message_tells_the_days_left_when_it_is_sent_not_when_it_was_planned(
    container, planned, clock
):
    planned(offset=30)
    clock.advance(days=3)
    with cases.relay(container) as (sending, catcher):
        jobs.dispatch(sending)
        (message,) = catcher.letters()

    assert message.subject.endswith("expires March 15, 2027 (27 days left)")


@SQLITE
def test_a_spanish_speaker_gets_a_spanish_message(container, planned):
    planned(language="es", given_name="José", family_name="Núñez")
    with cases.relay(container) as (sending, catcher):
        jobs.dispatch(sending)
        (message,) = catcher.letters()

    assert message.subject.endswith("vence el 15 de marzo de 2027 (quedan 30 días)")
    assert "Hola, José Núñez:" in message.text
    assert 'lang="es"' in message.html


@SQLITE
def test_the_message_tells_the_points_counted_and_needed(container, planned):
    (id_,) = planned()
    cases.complete(container, id_, date(2025, 5, 1))
    with cases.relay(container) as (sending, catcher):
        jobs.dispatch(sending)
        (message,) = catcher.letters()

    assert "You have 120 of 100 points." in message.text
    assert "certificate" not in message.subject.lower()


@SQLITE
def test_two_certifications_are_told_of_in_one_message(container, clock):
    clock.now = nine(30).astimezone(UTC)
    with container.work(SYSTEM) as work:
        ids = cases.holders(work, 1)
        for scheme in ("cpt", "clt"):
            cases.award(work, ids, cases.years_before(EXPIRY), scheme=scheme)
    jobs.plan(container)
    with cases.relay(container) as (sending, catcher):
        jobs.dispatch(sending)
        (message,) = catcher.letters()

    assert "Certified Production Technician" in message.text
    assert "Certified Logistics Technician" in message.text


# Between the plan and the marker.
@SQLITE
def test_a_renewal_between_plan_and_marker_means_no_message(container, planned, clock):
    (id_,) = planned()
    with cases.relay(container) as (sending, catcher):
        counts = dispatch(sending, lambda: cases.renew(container, id_, clock.now.date()))

    assert catcher.letters() == []
    assert counts == {"cancelled": 1}


@SQLITE
def test_a_revocation_between_plan_and_marker_means_no_reminder(container, planned, clock):
    (id_,) = planned()
    revoke = [lambda: cases.change(container, id_, "revoke", clock.now.date())]
    with cases.relay(container) as (sending, catcher):
        dispatch(sending, lambda: revoke.pop()() if revoke else None)
        (message,) = catcher.letters()

    assert message.subject.endswith("your certification is revoked")
    assert cases.states(container) == ["cancelled", "sent"]


@SQLITE
def test_an_application_between_plan_and_marker_means_no_message(container, planned, clock):
    (id_,) = planned()
    with cases.relay(container) as (sending, catcher):
        dispatch(sending, lambda: cases.apply(container, id_, clock.now.date()))

    assert catcher.letters() == []


@SQLITE
def test_a_renewal_of_one_of_two_leaves_the_other_in_the_message(container, clock):
    clock.now = nine(30).astimezone(UTC)
    with container.work(SYSTEM) as work:
        ids = cases.holders(work, 1)
        (cpt,) = cases.award(work, ids, cases.years_before(EXPIRY))
        cases.award(work, ids, cases.years_before(EXPIRY), scheme="clt")
    jobs.plan(container)
    unrenewed = [cpt]

    def renew_once():
        if unrenewed:
            cases.renew(container, unrenewed.pop(), clock.now.date())

    with cases.relay(container) as (sending, catcher):
        counts = dispatch(sending, renew_once)
        (message,) = catcher.letters()

    assert counts == {"ready": 1, "sent": 1}
    assert "Production" not in message.text
    assert "Logistics" in message.text


@SQLITE
def test_a_message_that_comes_too_late_is_left_to_the_next_stage(container, planned, clock):
    planned(offset=30)
    clock.now = nine(14).astimezone(UTC)
    with cases.relay(container) as (sending, catcher):
        jobs.dispatch(sending)
        assert cases.states(container) == ["cancelled"]
        jobs.plan(container)
        jobs.dispatch(sending)

    assert len(catcher.letters()) == 1
    assert "14 days left" in catcher.letters()[0].subject


def test_a_claim_whose_lease_is_over_gets_no_marker_and_the_message_goes_under_a_new_one(
    container, planned, clock
):
    planned()
    pauses = iter([121])
    with cases.relay(container) as (sending, catcher):
        counts = dispatch(sending, lambda: clock.advance(seconds=next(pauses, 0)))

    assert counts == {"ready": 1, "sent": 1}
    assert len(catcher.letters()) == 1


@SQLITE
def test_nothing_is_sent_while_sending_is_disabled(container, planned):
    planned()
    with cases.relay(container) as (sending, catcher):
        with container.work(SYSTEM) as work:
            send_safety.disable(work, reason="The relay moves.")
        assert jobs.dispatch(sending) == {}
        assert catcher.letters() == []
        with container.work(SYSTEM) as work:
            send_safety.enable(work, reason="The relay has moved.")
        assert jobs.dispatch(sending) == {"sent": 1}


def test_nothing_is_sent_from_a_clone(container, planned):
    planned()
    with container.work(SYSTEM) as work:
        send_safety.open_row(work)
        work.connection.execute(text("update runtime set place = 'elsewhere'"))
    with container.reading(SYSTEM) as reading:
        assert "cloned" in str(send_safety.obstacle(reading))
    with cases.relay(container) as (sending, catcher):
        jobs.dispatch(sending)

    assert catcher.letters() == []


@SQLITE
def test_sending_that_is_held_says_why_and_names_the_command(container, planned):
    planned()
    with container.work(SYSTEM) as work:
        send_safety.hold(work, "Too many.")
    with container.reading(SYSTEM) as reading:
        obstacle = send_safety.obstacle(reading)
    assert obstacle is not None
    assert obstacle.reason == "Too many."
    assert "`tracker reminders enable --reason WHY`" in obstacle.remedy
    with cases.relay(container) as (sending, catcher):
        jobs.dispatch(sending)

    assert catcher.letters() == []


def test_disabling_between_claim_and_marker_holds_at_once(container, planned):
    planned(count=3)

    def disable():
        with container.work(SYSTEM) as work:
            send_safety.disable(work, reason="Stop.")

    with cases.relay(container) as (sending, catcher):
        dispatch(sending, disable)

    assert catcher.letters() == []
    assert cases.states(container) == ["ready"] * 3


# What the server answers.
@SQLITE
def test_greylisting_twice_delivers_on_the_third_attempt(container, planned, clock):
    planned(email="ana@example.com")
    with cases.relay(container, rcpt_replies={"*": ["450 4.7.1 Greylisted"] * 2}) as (
        sending,
        catcher,
    ):
        for _ in range(3):
            jobs.dispatch(sending)
            clock.advance(hours=1)

    assert len(catcher.letters()) == 1
    (row,) = cases.letters(container)
    assert (row.state, row.attempts) == ("sent", 3)
    with container.reading(SYSTEM) as reading:
        assert reading.rows(select(Suppression)) == []


@SQLITE
def test_a_retry_waits_longer_each_time_and_at_most_six_hours(
    container, planned, clock, monkeypatch
):
    planned(offset=730)
    monkeypatch.setattr("tracker.services.delivery.leases.random.random", lambda: 1.0)
    waits = []
    with cases.relay(container, rcpt_replies={"*": "451 4.3.0 Later"}) as (sending, _):
        for _ in range(7):
            jobs.dispatch(sending)
            (row,) = cases.letters(container)
            waits.append(row.next_at - clock.now)
            clock.now = row.next_at

    minutes = [wait.total_seconds() / 60 for wait in waits]
    assert minutes == [1, 4, 16, 64, 256, 360, 360]


@SQLITE
def test_a_message_that_cannot_be_tried_again_in_time_is_cancelled(container, planned, clock):
    planned(offset=1)
    clock.now = (nine(0) - timedelta(milliseconds=1)).astimezone(UTC)
    with cases.relay(container, rcpt_replies={"*": "451 4.3.0 Later"}) as (sending, _):
        assert jobs.dispatch(sending) == {"cancelled": 1}


@SQLITE
def test_a_refusal_for_good_ends_the_message_and_leaves_its_neighbours_alone(container, planned):
    planned(count=3)
    bad = cases.letters(container)[1].address
    with cases.relay(container, data_replies={bad: "554 5.7.1 Spam"}) as (sending, catcher):
        assert jobs.dispatch(sending) == {"sent": 2, "dead": 1}

    assert len(catcher.letters()) == 2
    assert "554 5.7.1 Spam" in next(
        row.last_error for row in cases.letters(container) if row.state == "dead"
    )


def test_an_unknown_address_is_suppressed_and_later_stages_say_so(container, planned, clock):
    planned(email="Gone@example.com")
    with cases.relay(container, rcpt_replies={"*": "550 5.1.1 No such user"}) as (sending, _):
        assert jobs.dispatch(sending) == {"dead": 1}
        clock.now = nine(14).astimezone(UTC)
        jobs.plan(container)

    assert cases.stages(container)[-1] == (14, "skipped", "not_deliverable")
    with container.reading(SYSTEM) as reading:
        (row,) = reading.rows(select(Suppression.address, Suppression.reason))
    assert tuple(row) == ("gone@example.com", "hard_bounce")


@SQLITE
def test_an_unknown_first_address_makes_the_message_go_to_the_second(container, planned, clock):
    planned(email="gone@example.com", second_email="here@example.com")
    replies = {"gone@example.com": "550 5.1.1 No such user"}
    with cases.relay(container, rcpt_replies=replies) as (sending, catcher):
        jobs.dispatch(sending)
        clock.advance(minutes=2)
        jobs.dispatch(sending)

    assert [message.recipient for message in catcher.letters()] == ["here@example.com"]


def test_two_unknown_addresses_are_both_suppressed_and_end_the_message(container, planned, clock):
    planned(email="gone@example.com", second_email="lost@example.com")
    with cases.relay(container, rcpt_replies={"*": "550 5.1.1 No such user"}) as (sending, _):
        jobs.dispatch(sending)
        clock.advance(minutes=2)
        jobs.dispatch(sending)

    assert _suppressed(container) == ["gone@example.com", "lost@example.com"]
    assert cases.states(container) == ["dead"]


def test_an_unknown_address_is_suppressed_and_not_the_one_that_it_took_the_place_of(
    container, planned
):
    planned(email="good@example.com")
    with container.work(SYSTEM) as work:
        work.connection.execute(update(Holder).values(email="typo@example.com"))
    with cases.relay(container, rcpt_replies={"*": "550 5.1.1 No such user"}) as (sending, _):
        assert jobs.dispatch(sending) == {"dead": 1}

    assert _suppressed(container) == ["typo@example.com"]


@SQLITE
def test_a_relay_without_smtputf8_says_nothing_against_an_address(container, planned):
    planned(email="josé@example.com")
    with cases.relay(container) as (sending, catcher):
        assert jobs.dispatch(sending) == {"dead": 1}

    assert catcher.letters() == []
    assert "SMTPUTF8" in cases.letters(container)[0].last_error
    assert _suppressed(container) == []


@SQLITE
def test_an_address_that_every_relay_takes_goes_before_one_that_needs_smtputf8(container, planned):
    planned(email="josé@example.com", second_email="jose@example.com")
    with cases.relay(container) as (sending, catcher):
        assert jobs.dispatch(sending) == {"sent": 1}

    assert [message.recipient for message in catcher.letters()] == ["jose@example.com"]


@SQLITE
def test_a_domain_beyond_ascii_is_written_to_through_any_relay(container, planned):
    planned(email="Ana@münchen.example")
    with cases.relay(container) as (sending, catcher):
        assert jobs.dispatch(sending) == {"sent": 1}

    (message,) = catcher.letters()
    assert message.recipient == "Ana@xn--mnchen-3ya.example"
    assert b"To: Ana@xn--mnchen-3ya.example\r\n" in message.raw
    assert _suppressed(container) == []


def test_an_unknown_address_of_a_domain_beyond_ascii_is_suppressed_in_every_form(
    container, planned
):
    planned(email="Ana@münchen.example")
    replies = {"Ana@xn--mnchen-3ya.example": "550 5.1.1 No such user"}
    with cases.relay(container, rcpt_replies=replies) as (sending, _):
        assert jobs.dispatch(sending) == {"dead": 1}

    for form in ("ANA@MÜNCHEN.example", "ana@xn--mnchen-3ya.example"):
        with container.reading(SYSTEM) as reading:
            rows = suppressions.page(reading, after=None, limit=9, address=form)
        assert [row.address for row in rows] == ["ana@münchen.example"]


def _suppressed(container):
    with container.reading(SYSTEM) as reading:
        return sorted(row.address for row in reading.rows(select(Suppression.address)))


@SQLITE
def test_a_refused_message_that_is_queued_by_hand_tells_the_days_left_then(
    container, planned, clock
):
    planned(offset=30)
    with cases.relay(container, data_replies={"*": "554 5.7.1 Spam"}) as (sending, catcher):
        assert jobs.dispatch(sending) == {"dead": 1}
        clock.advance(days=3)
        with container.work(SYSTEM) as work:
            (message,) = cases.letters(container)
            by_hand.change(work, message.id, QueueAct.REQUEUE, reason="The relay trusts us now.")
        catcher.behaviour.data_replies = {}
        assert jobs.dispatch(sending) == {"sent": 1}
        (told,) = catcher.letters()

    assert " (27 days left)." in told.text
    assert "30 days" not in told.text


@SQLITE
def test_an_address_suppressed_after_the_claim_gets_nothing(container, planned):
    planned(email="ana@example.com")

    def suppress():
        with container.work(SYSTEM) as work:
            suppressions.suppress(work, ["ana@example.com"], "unsubscribed")

    with cases.relay(container) as (sending, catcher):
        counts = dispatch(sending, suppress)

    assert catcher.letters() == []
    assert counts == {"cancelled": 1}


@SQLITE
def test_a_changed_address_is_the_one_written_to(container, planned):
    planned(email="old@example.com")
    with container.work(SYSTEM) as work:
        work.connection.execute(update(Holder).values(email="new@example.com"))
    with cases.relay(container) as (sending, catcher):
        jobs.dispatch(sending)

    assert [message.recipient for message in catcher.letters()] == ["new@example.com"]
    assert [row.address for row in cases.letters(container)] == ["new@example.com"]


# Between composing and the marker: nothing stale leaves.
def changes(container, statement):
    """Do it once, when the message is composed already."""
    left = [statement]

    def change():
        if left:
            with container.work(SYSTEM) as work:
                work.connection.execute(left.pop())

    return change


@SQLITE
def test_an_address_that_is_corrected_after_composing_is_the_one_written_to(container, planned):
    planned(email="old@example.com")
    change = changes(container, update(Holder).values(email="new@example.com"))
    with cases.relay(container) as (sending, catcher):
        dispatch(sending, change)

    assert [message.recipient for message in catcher.letters()] == ["new@example.com"]


def test_a_language_that_is_chosen_after_composing_is_the_one_written_in(container, planned):
    planned(language="en")
    with cases.relay(container) as (sending, catcher):
        dispatch(sending, changes(container, update(Holder).values(language="es")))
        (message,) = catcher.letters()

    assert "Hola" in message.text


@pytest.mark.parametrize(("offset", "messages"), [(30, 0), (7, 1)])
def test_a_pause_that_begins_after_composing_holds_what_can_wait(
    container, planned, clock, offset, messages
):
    (id_,) = planned(offset=offset)
    with container.reading(SYSTEM) as reading:
        holder_id = cases.holder_of(reading, id_)
    pause = insert(Preference).values(
        holder_id=holder_id,
        type="reminders",
        wanted=True,
        changed_at=clock.now,
        snoozed_until=clock.now.date() + timedelta(days=3),
    )
    with cases.relay(container) as (sending, catcher):
        dispatch(sending, changes(container, pause))

        assert len(catcher.letters()) == messages


@SQLITE
def test_what_waits_for_a_slow_relay_is_composed_anew(container, planned, monkeypatch):
    planned(count=3)
    composed = []
    compose = composers.compose

    def counting(reading, key, claims):
        composed.append(len(claims))
        return compose(reading, key, claims)

    monkeypatch.setattr(composers, "compose", counting)
    monkeypatch.setattr(dispatcher, "_FRESH", 0.0)
    with cases.relay(container) as (sending, _):
        dispatch(sending)

    assert composed == [3, 3, 2, 1]


@SQLITE
def test_a_relay_that_hangs_up_every_so_often_gets_each_message_once(container, planned, clock):
    planned(count=30)
    with cases.relay(container, busy_every=7) as (sending, catcher):
        for _ in range(8):
            jobs.dispatch(sending)
            clock.advance(minutes=1)

    ids = [message.message_id for message in catcher.letters()]
    assert len(ids) == len(set(ids)) == 30


@SQLITE
def test_a_relay_that_is_down_costs_no_attempts_and_ends_the_run(container, planned, clock):
    planned(count=10)
    counts = jobs.dispatch(cases.with_relay(container, 1))
    rows = cases.letters(container)

    assert counts == {"ready": send_safety.RELAY_FAILURES, "released": 5}
    assert {(row.state, row.attempts) for row in rows} == {("ready", 0)}
    clock.advance(minutes=1)
    with cases.relay(container) as (sending, catcher):
        jobs.dispatch(sending)
        assert len(catcher.letters()) == 10


def test_one_message_that_cannot_be_composed_does_not_stop_the_others(container, planned):
    planned(count=3)
    bad = cases.letters(container)[0]
    with container.work(SYSTEM) as work:
        holder = update(Holder).where(Holder.id == bad.holder_id)
        work.connection.execute(holder.values(email="not an address"))
    with cases.relay(container) as (sending, catcher):
        assert jobs.dispatch(sending) == {"ready": 1, "sent": 2}
        assert len(catcher.letters()) == 2

    assert "UnsafeHeader" in cases.letters(container)[0].last_error


@SQLITE
def test_a_run_that_is_told_to_stop_gives_its_claims_back(container, planned):
    planned(count=3)
    with cases.relay(container) as (sending, catcher):
        counts = jobs.dispatch(sending, stop=lambda: bool(catcher.letters()))

    assert counts == {"sent": 1, "released": 2}
    assert sorted((row.state, row.attempts) for row in cases.letters(container)) == [
        ("ready", 0),
        ("ready", 0),
        ("sent", 1),
    ]


# Doubts.
def test_a_line_lost_before_the_250_is_resolved_by_evidence(container, planned, clock):
    planned(offset=30, email="ana@example.com")
    with cases.relay(container, cuts={"*": [Cut.BEFORE_250]}) as (sending, catcher):
        assert jobs.dispatch(sending) == {"ambiguous": 1}
        with container.work(SYSTEM) as work:
            accepted = [reaper.Acceptance(c.message_id, clock.now) for c in catcher.letters()]
            reaper.record_evidence(work, accepted)
        assert jobs.reap(container).found_sent == 1
        jobs.dispatch(sending)

        assert len(catcher.letters()) == 1
    assert cases.states(container) == ["sent"]


def test_complete_evidence_of_absence_sends_the_message_again(container, planned, clock):
    planned(offset=30)
    with cases.relay(container, cuts={"*": [Cut.BEFORE_KEEPING]}) as (sending, catcher):
        jobs.dispatch(sending)
        with container.work(SYSTEM) as work:
            reaper.record_evidence(work, [], complete_until=clock.now)
        assert jobs.reap(container).found_unsent == 0, "the wait is not over"
        clock.advance(minutes=16)
        with container.work(SYSTEM) as work:
            reaper.record_evidence(work, [], complete_until=clock.now)
        assert jobs.reap(container).found_unsent == 1
        jobs.dispatch(sending)

        assert len(catcher.letters()) == 1


def test_without_evidence_an_early_stage_stays_parked_and_is_listed(container, planned, clock):
    planned(offset=30)
    with cases.relay(container, cuts={"*": [Cut.BEFORE_250]}) as (sending, catcher):
        jobs.dispatch(sending)
        clock.advance(minutes=16)
        jobs.reap(container)
        jobs.dispatch(sending)

        assert len(catcher.letters()) == 1
    with container.reading(SYSTEM) as reading:
        (row,) = ledger.page(reading, after=None, limit=10, state="ambiguous")
    assert row.offset == 30


def test_a_second_copy_does_not_go_to_an_address_that_was_corrected(container, planned, clock):
    planned(offset=7, email="stranger@example.com")
    with cases.relay(container, cuts={"*": [Cut.BEFORE_KEEPING]}) as (sending, catcher):
        jobs.dispatch(sending)
        with container.work(SYSTEM) as work:
            work.connection.execute(update(Holder).values(email="ana@example.com"))
        clock.advance(minutes=16)
        assert jobs.reap(container).sent_again == 1
        jobs.dispatch(sending)

        assert [message.recipient for message in catcher.letters()] == ["ana@example.com"]


@SQLITE
def test_a_message_in_doubt_is_put_away_a_month_after_it_was_of_use(container, planned, clock):
    planned(offset=30)
    with cases.relay(container, cuts={"*": [Cut.BEFORE_250]}) as (sending, _):
        jobs.dispatch(sending)
    (message,) = cases.letters(container)
    clock.now = message.useful_until + timedelta(days=30) - timedelta(seconds=1)
    jobs.reap(container)
    assert cases.states(container) == ["ambiguous"]
    clock.advance(seconds=1)
    jobs.reap(container)
    (message,) = cases.letters(container)
    jobs.plan(container)

    assert (message.state, message.finished_at) == ("cancelled", clock.now)
    assert message.last_error == "It may have been sent: the relay left no evidence."


@SQLITE
def test_without_evidence_a_late_stage_is_sent_again_to_the_byte(container, planned, clock):
    (id_,) = planned(offset=7)
    with cases.relay(container, cuts={"*": [Cut.BEFORE_250]}) as (sending, catcher):
        jobs.dispatch(sending)
        cases.complete(container, id_, date(2025, 5, 1))
        clock.advance(days=1)
        assert jobs.reap(container).sent_again == 1
        jobs.dispatch(sending)
        first, second = catcher.letters()

    assert first.raw == second.raw
    assert message_from_bytes(first.raw)["Message-ID"] == second.message_id


def test_a_second_copy_that_is_put_off_stays_what_the_first_one_was(container, planned, clock):
    (id_,) = planned(offset=7)
    with cases.relay(container, cuts={"*": [Cut.BEFORE_250]}) as (sending, catcher):
        jobs.dispatch(sending)
        cases.complete(container, id_, date(2025, 5, 1))
        clock.advance(minutes=20)
        jobs.reap(container)
        catcher.behaviour.data_replies = {"*": "451 4.3.0 Later"}
        assert jobs.dispatch(sending) == {"ready": 1}
        catcher.behaviour.data_replies = {}
        clock.advance(minutes=5)
        assert jobs.dispatch(sending) == {"sent": 1}
        first, second = catcher.letters()

    assert first.raw == second.raw


@SQLITE
@pytest.mark.parametrize("renewed", [False, True])
def test_evidence_that_comes_after_the_decision_to_send_again_still_stops_the_copy(
    container, planned, clock, renewed
):
    (id_,) = planned(offset=7)
    with cases.relay(container, cuts={"*": [Cut.BEFORE_250]}) as (sending, catcher):
        jobs.dispatch(sending)
        clock.advance(minutes=16)
        assert jobs.reap(container).sent_again == 1
        with container.work(SYSTEM) as work:
            accepted = [reaper.Acceptance(c.message_id, clock.now) for c in catcher.letters()]
            reaper.record_evidence(work, accepted)
        if renewed:
            cases.renew(container, id_, clock.now.date())
        assert jobs.dispatch(sending) == {"sent": 1}

        assert len(catcher.letters()) == 1
    assert cases.states(container) == ["sent"]


def test_evidence_that_comes_twice_at_once_in_another_order_is_taken_down(container, clock):
    accepted = [reaper.Acceptance(f"<{number}@x>", clock.now) for number in range(2000)]

    def tell(some):
        with container.work(SYSTEM) as work:
            reaper.record_evidence(work, some)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(tell, [accepted, accepted[::-1]] * 2))
    with container.reading(SYSTEM) as reading:
        assert len(reading.rows(select(RelayAccept.message_id))) == len(accepted)


@SQLITE
def test_a_late_stage_in_doubt_is_not_sent_again_after_a_renewal(container, planned, clock):
    (id_,) = planned(offset=7)
    with cases.relay(container, cuts={"*": [Cut.BEFORE_KEEPING]}) as (sending, catcher):
        jobs.dispatch(sending)
        cases.renew(container, id_, clock.now.date())
        clock.advance(minutes=16)
        jobs.reap(container)
        jobs.dispatch(sending)

        assert catcher.letters() == []
    assert cases.states(container) == ["cancelled"]


def test_an_answer_lost_after_the_250_changes_nothing(container, planned, clock):
    """A message that finds the line cut before its own turn goes with the next round."""
    planned(count=3)
    with cases.relay(container, cuts={"*": [Cut.AFTER_250]}, cut_at_quit=True) as (
        sending,
        catcher,
    ):
        jobs.dispatch(sending)
        clock.advance(minutes=5)
        jobs.dispatch(sending)

    assert cases.states(container) == ["sent"] * 3
    assert len(catcher.letters()) == 3


def test_a_claim_of_a_dead_worker_is_taken_back_when_its_lease_is_over(container, planned, clock):
    planned()
    with container.work(SYSTEM) as work:
        send_safety.open_row(work)
        (claim,) = leases.claim(work, owner="dead", place=send_safety.place(work), limit=10)
    assert jobs.reap(container).taken_back == 0
    clock.advance(minutes=3)
    assert jobs.reap(container).taken_back == 1
    with container.work(SYSTEM) as work:
        (again,) = leases.claim(work, owner="new", place=send_safety.place(work), limit=10)
        assert leases.settle(work, claim, Delivery(DeliveryOutcome.RETRY, "late")) == "lost"
        assert leases.settle(work, claim, Delivery(DeliveryOutcome.AMBIGUOUS, "late")) == "lost"
        assert leases.settle(work, claim, Delivery(DeliveryOutcome.NOT_OWED, "late")) == "lost"
        assert leases.settle(work, claim, Delivery(DeliveryOutcome.REFUSED, "late")) == "lost"
    assert again.token == claim.token + 1


def test_a_worker_that_wakes_up_after_its_message_was_sent_leaves_evidence(
    container, planned, clock
):
    planned(offset=30)
    with container.work(SYSTEM) as work:
        send_safety.open_row(work)
        place = send_safety.place(work)
        (claim,) = leases.claim(work, owner="sleeper", place=place, limit=10)
    with container.reading(SYSTEM) as reading:
        composed = composers.compose(reading, container.message_key, [claim])[claim.id]
    assert isinstance(composed, sealing.Composed)
    with container.work(SYSTEM) as work:
        assert marker.mark(work, claim, composed, place=place)
        assert not marker.mark(work, claim, composed, place=place)
    clock.advance(minutes=16)
    assert jobs.reap(container).in_doubt == 1
    with container.work(SYSTEM) as work:
        by_hand.change(work, claim.id, QueueAct.REQUEUE, reason="looked into")
    with container.work(SYSTEM) as work:
        leases.claim(work, owner="new", place=place, limit=10)
    with container.work(SYSTEM) as work:
        assert leases.settle(work, claim, Delivery(DeliveryOutcome.ACCEPTED, "250 OK")) == "lost"
        assert [row.message_id for row in work.rows(select(RelayAccept.message_id))] == [
            claim.message_id
        ]


def test_an_outcome_is_written_down_although_the_database_was_away(container, planned, monkeypatch):
    planned()
    settle, failures = leases.settle, [1, 2]

    def fails_twice(*arguments, **more):
        if failures:
            failures.pop()
            raise OperationalError("update message", {}, Exception("connection lost"))
        return settle(*arguments, **more)

    monkeypatch.setattr(leases, "settle", fails_twice)
    with cases.relay(container) as (sending, catcher):
        assert jobs.dispatch(sending) == {"sent": 1}

    assert len(catcher.letters()) == 1


def test_a_database_that_stays_away_leaves_the_message_in_doubt_and_not_sent_twice(
    container, planned, clock, monkeypatch
):
    planned(offset=30)

    def fails(*_, **__):
        raise OperationalError("update message", {}, Exception("connection lost"))

    with cases.relay(container) as (sending, catcher):
        with monkeypatch.context() as patch:
            patch.setattr(leases, "settle", fails)
            patch.setattr("tracker.services.delivery.dispatcher.time.sleep", lambda _: None)
            with pytest.raises(OperationalError):
                jobs.dispatch(sending)
        clock.advance(minutes=16)
        assert jobs.reap(container).in_doubt == 1
        jobs.dispatch(sending)

        assert len(catcher.letters()) == 1


# What it costs.
def test_the_statements_of_composing_do_not_depend_on_the_number_of_messages(container, planned):
    planned(count=60)
    with container.work(SYSTEM) as work:
        send_safety.open_row(work)
        place = send_safety.place(work)
        few = leases.claim(work, owner="me", place=place, limit=2)
        many = leases.claim(work, owner="me", place=place, limit=50)
    numbers = []
    for claims in (few, many):
        with container.reading(SYSTEM) as reading, counted(container) as ran:
            assert len(composers.compose(reading, container.message_key, claims)) == len(claims)
        numbers.append(len(ran))

    assert numbers[0] == numbers[1]


@pytest.mark.parametrize(
    ("question", "index"),
    [
        (
            (
                "select id from message where message.state = 'ready' and next_at <= '2026-11-21'"
                " order by priority, next_at limit 100"
            ),
            "ix_message_ready",
        ),
        (
            (
                "select id from message where message.state in ('claimed', 'transmitting')"
                " and lease_until <= '2026-11-21'"
            ),
            "ix_message_lease",
        ),
        ("select id from message where message.state = 'ambiguous'", "ix_message_ambiguous"),
    ],
)
def test_idle_dispatchers_and_reapers_read_partial_indexes(
    container, planned, backend, question, index
):
    planned(count=50)
    with container.work(SYSTEM) as work:
        work.connection.execute(update(Message).values(state="sent"))
        explain = "explain query plan" if backend == "sqlite" else "explain"
        if backend == "postgresql":
            work.connection.execute(text("set local enable_seqscan = off"))
        plan = " ".join(str(row) for row in work.rows(text(f"{explain} {question}")))

    assert index in plan


@SQLITE
def test_a_message_comes_from_the_issuer_where_the_settings_name_nobody(container, planned):
    planned()
    with cases.relay(container) as (sending, catcher):
        jobs.dispatch(sending)

    assert catcher.letters()[0].message["From"] == "MSSC <reminders@tracker.example>"


@SQLITE
def test_the_sender_of_a_message_is_the_one_in_the_settings(container, planned):
    planned()
    with cases.relay(container) as (sending, catcher):
        jobs.dispatch(
            replace(
                sending,
                settings=replace(
                    sending.settings, mail=replace(sending.settings.mail, sender="A <a@b.example>")
                ),
            )
        )

    assert catcher.letters()[0].message["From"] == "A <a@b.example>"
