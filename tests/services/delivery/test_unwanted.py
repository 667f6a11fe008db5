"""What holders want: stages that are not planned, messages that are not sent, lines of history."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from tests.backends import SQLITE
from tests.services.delivery import reminder_cases as cases
from tests.statements import counted
from tracker import jobs
from tracker.domain.errors import Invalid, NotFound
from tracker.domain.permissions import SYSTEM, Actor
from tracker.models import Certification, HistoryEntry, Preference, Reminder
from tracker.services.core import signed_links
from tracker.services.delivery import dispatcher, ledger, planner, sealing
from tracker.services.people import preferences

EXPIRY = date(2027, 3, 15)


def nine(offset: int) -> datetime:
    day = EXPIRY - timedelta(days=offset)
    local = datetime(day.year, day.month, day.day, 9, tzinfo=ZoneInfo("America/New_York"))
    return local.astimezone(UTC)


@pytest.fixture(autouse=True)
def _identity(container):
    yield
    with container.reading(SYSTEM) as reading:
        assert ledger.identity_violations(reading) == []


@pytest.fixture
def holder_id(container, clock):
    clock.now = nine(60)
    (id_,) = cases.certified(container, EXPIRY)
    with container.reading(SYSTEM) as reading:
        statement = select(Certification.holder_id).where(Certification.id == id_)
        return str(reading.row(statement).holder_id)


@pytest.fixture
def prefer(container, holder_id):
    def change(**values):
        actor = Actor(role="holder", name="Ana", holder_id=holder_id)
        with container.work(actor) as work:
            return preferences.change_mine(work, values)

    return change


@pytest.fixture
def plan(container, clock):
    def at(offset):
        clock.now = nine(offset)
        jobs.plan(container)
        return cases.stages(container)[-1]

    return at


_OFF = {
    "type": "reminders",
    "fields": ["wanted"],
    "wanted_before": True,
    "wanted_after": False,
}


def told(container):
    """The lines of history about preferences, oldest first."""
    statement = select(HistoryEntry.actor, HistoryEntry.detail)
    statement = statement.where(HistoryEntry.action == "prefer").order_by(HistoryEntry.id)
    with container.reading(SYSTEM) as reading:
        return [tuple(row) for row in reading.rows(statement)]


def test_who_switches_reminders_off_gets_none_until_they_are_on_again_and_then_the_latest(
    container, prefer, plan
):
    plan(60)
    prefer(reminders={"wanted": False})
    off = [plan(30), plan(7)]
    prefer(reminders={"wanted": True})
    jobs.plan(container)
    on = plan(1)

    assert off == [(30, "skipped", "unwanted"), (7, "skipped", "unwanted")]
    assert on == (1, "planned", None)
    assert [message.stage for message in cases.letters(container)] == [60, 7, 1]


def test_a_pause_lasts_through_its_last_day_where_the_holder_lives(prefer, plan):
    plan(60)
    prefer(reminders={"snoozed_until": EXPIRY - timedelta(days=30)})

    assert plan(30) == (30, "skipped", "snoozed")
    assert plan(14) == (14, "planned", None)


def test_a_pause_does_not_hold_back_the_messages_of_the_last_seven_days(prefer, plan):
    plan(60)
    prefer(reminders={"snoozed_until": EXPIRY + timedelta(days=60)})

    assert [plan(n) for n in (30, 14, 7)] == [
        (30, "skipped", "snoozed"),
        (14, "skipped", "snoozed"),
        (7, "planned", None),
    ]


def test_the_dry_run_foretells_what_the_planner_does_with_what_holders_want(container, prefer):
    prefer(reminders={"snoozed_until": EXPIRY - timedelta(days=20)})
    with container.reading(SYSTEM) as reading:
        foreseen = {
            n: [
                (stage.fate, stage.reason)
                for stage in ledger.foresee(reading, as_of=EXPIRY - timedelta(days=n))
                if stage.offset == n
            ]
            for n in (30, 14)
        }

    assert foreseen == {30: [("skipped", "snoozed")], 14: [("planned", None)]}


@SQLITE
def test_a_message_that_waits_is_not_sent_to_who_wants_no_more(container, prefer, plan):
    plan(60)
    prefer(reminders={"wanted": False})
    with cases.relay(container) as (sending, catcher):
        assert jobs.dispatch(sending) == {"cancelled": 1}
        assert catcher.letters() == []

    (message,) = cases.letters(container)
    assert message.last_error == sealing.NOT_WANTED


@SQLITE
@pytest.mark.parametrize(("stage", "comes"), [(60, "cancelled"), (7, "sent")])
def test_a_pause_holds_a_message_that_waits_unless_it_is_of_the_last_days(
    container, prefer, plan, stage, comes
):
    plan(stage)
    prefer(reminders={"snoozed_until": EXPIRY - timedelta(days=stage)})
    with cases.relay(container) as (sending, catcher):
        assert jobs.dispatch(sending) == {comes: 1}
        assert len(catcher.letters()) == (comes == "sent")

    (message,) = cases.letters(container)
    assert message.last_error == (sealing.PAUSED if comes == "cancelled" else None)


def test_a_pause_holds_a_message_whose_urgent_part_has_fallen_away(
    container, clock, holder_id, prefer, plan
):
    with container.work(SYSTEM) as work:
        a_week_later = cases.years_before(EXPIRY + timedelta(days=7))
        cases.award(work, [holder_id], a_week_later, scheme="clt")
        (urgent,) = (
            row.id
            for row in work.rows(select(Certification.id).where(Certification.scheme == "cpt"))
        )
    plan(7)
    (message,) = (row for row in cases.letters(container) if row.kind == "reminder")
    assert message.stage == 7
    cases.renew(container, urgent, clock.now.date())
    prefer(reminders={"snoozed_until": EXPIRY})
    with cases.relay(container) as (sending, _):
        jobs.dispatch(sending)
    assert cases.letters(container)[0].last_error == sealing.PAUSED


@SQLITE
def test_a_pause_that_is_over_holds_nothing(container, clock, prefer, plan):
    plan(60)
    prefer(reminders={"snoozed_until": EXPIRY - timedelta(days=59)})
    clock.advance(days=2)
    with cases.relay(container) as (sending, _):
        assert jobs.dispatch(sending) == {"sent": 1}


@SQLITE
def test_who_switches_off_between_composing_and_the_marker_is_not_written_to(
    container, prefer, plan
):
    plan(60)

    class Interrupting:
        def __init__(self, carrier):
            self.carrier = carrier

        def deliver(self, **message):
            prefer(reminders={"wanted": False})
            return self.carrier.deliver(**message)

    with cases.relay(container) as (sending, catcher):
        with jobs.smtp_sender(sending) as sender:
            counts = dispatcher.dispatch(sending, Interrupting(sender))
        assert catcher.letters() == []

    assert counts == {"ready": 1, "cancelled": 1}
    assert cases.states(container) == ["cancelled"]


def test_every_change_has_a_line_of_history_and_saying_the_same_again_has_none(
    container, prefer, holder_id
):
    prefer(reminders={"wanted": True, "snoozed_until": None})
    prefer(reminders={"wanted": False})
    prefer(reminders={"wanted": False})
    prefer(reminders={"snoozed_until": date(2027, 2, 1)}, decisions={"wanted": True})
    prefer(reminders={"wanted": True, "snoozed_until": None})

    assert told(container) == [
        ("Ana", _OFF),
        (
            "Ana",
            {"type": "reminders", "fields": ["snoozed_until"], "snoozed_until_after": "2027-02-01"},
        ),
        (
            "Ana",
            {
                "type": "reminders",
                "fields": ["snoozed_until", "wanted"],
                "wanted_before": False,
                "wanted_after": True,
                "snoozed_until_before": "2027-02-01",
            },
        ),
    ]
    with container.reading(SYSTEM) as reading:
        rows = reading.rows(select(Preference.holder_id, Preference.type))
    assert [tuple(row) for row in rows] == [(holder_id, "reminders")]


@SQLITE
def test_a_change_touches_nothing_else(container, prefer, plan, holder_id):
    plan(60)

    def everything():
        with container.reading(SYSTEM) as reading:
            return [
                reading.rows(select(Reminder.__table__)),
                cases.letters(container),
                preferences.of_holder(reading, holder_id).holder,
            ]

    before = everything()
    prefer(reminders={"wanted": False}, decisions={"wanted": False})

    assert everything() == before


def test_language_and_second_address_follow_the_rules_of_the_holders_record(container, prefer):
    changed = prefer(language="es", second_email="ana@other.example").holder
    again = prefer(language="es").holder

    assert (changed.language, changed.second_email) == ("es", "ana@other.example")
    assert (changed.version, again.version) == (2, 2)
    with container.reading(SYSTEM) as reading:
        statement = select(HistoryEntry.detail).where(HistoryEntry.action == "correct")
        assert [r.detail for r in reading.rows(statement)] == [
            {
                "fields": ["language", "second_email", "second_email_confirmed"],
                "second_email_confirmed_before": True,
                "second_email_confirmed_after": False,
            }
        ]


@SQLITE
@pytest.mark.parametrize("until", ["2027-01-13", "2028-01-15"])
def test_a_pause_that_is_past_or_too_long_is_refused_and_nothing_is_changed(
    container, prefer, until
):
    with pytest.raises(Invalid) as refused:
        prefer(reminders={"wanted": False, "snoozed_until": date.fromisoformat(until)})

    assert list(refused.value.fields) == ["reminders.snoozed_until"]
    assert told(container) == []


def test_a_link_proves_one_holder_and_one_type_and_nothing_else(container, holder_id):
    key = container.message_key
    proof = signed_links.proof(key, "u-reminders", holder_id)
    with container.work(SYSTEM) as work:
        for type_, text in (
            ("decisions", proof),
            ("reminders", proof[:-1] + "!"),
            ("reminders", holder_id),
            ("safety", signed_links.proof(key, "u-safety", holder_id)),
            ("reminders", signed_links.proof(key, "b", holder_id)),
        ):
            with pytest.raises(NotFound):
                preferences.stop_by_link(work, key, type_, text)
        assert (
            not preferences.stop_by_link(work, key, "reminders", proof).wishes["reminders"].wanted
        )

    assert told(container) == [("link in an email", _OFF)]


def test_whoever_is_no_holder_has_no_preferences_of_their_own(container):
    with container.work(SYSTEM) as work, pytest.raises(NotFound):
        preferences.change_mine(work, {"reminders": {"wanted": False}})


def test_what_holders_want_is_read_with_one_statement_however_many_are_due(container, clock):
    clock.now = nine(60)
    cases.certified(container, EXPIRY, 60)
    with counted(container) as few:
        assert planner.plan_due(container, limit=5).examined == 5
    with counted(container) as many:
        assert planner.plan_due(container, limit=55).examined == 55

    assert len(few) == len(many)
    assert sum("FROM preference" in statement for statement in many) == 1
