"""Messages that came back: who gets no more email, who elsewhere, and that each counts once."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update

from tests.backends import SQLITE
from tests.mail.report_cases import complaint, dsn, mail
from tests.services.delivery import reminder_cases as cases
from tests.statements import counted
from tracker import jobs
from tracker.domain.delivery.bounces import ReturnKind
from tracker.domain.errors import NotFound
from tracker.domain.permissions import SYSTEM
from tracker.mail import reports
from tracker.models import (
    Bounce,
    HistoryEntry,
    Holder,
    Message,
    Preference,
    Suppression,
)
from tracker.services.core import signed_links
from tracker.services.delivery import bounces, reaper
from tracker.services.outbox import suppressions

EXPIRY = date(2027, 3, 15)


@pytest.fixture
def sent(container, clock):
    """Write to holders at a stage; returns their messages' rows."""

    def make(count=1, offset=30, **holder):
        day = EXPIRY - timedelta(days=offset)
        local = datetime(day.year, day.month, day.day, 9, tzinfo=ZoneInfo("America/New_York"))
        clock.now = local.astimezone(UTC)
        cases.certified(container, EXPIRY, count, **holder)
        return send(container)

    return make


def send(container):
    before = {row.id for row in cases.letters(container)}
    jobs.plan(container)
    with cases.relay(container) as (sending, _):
        jobs.dispatch(sending)
    return [row for row in cases.letters(container) if row.id not in before]


@pytest.fixture
def proof(container):
    """The address that a message came from."""

    def make(row, purpose="b", id_=None):
        with container.reading(SYSTEM) as reading:
            return signed_links.proof_address(
                reading, container.message_key, purpose, id_ or row.id
            )

    return make


@pytest.fixture
def take(container):
    def run(data):
        with container.work(SYSTEM) as work:
            return bounces.take(work, container.message_key, reports.read(data))

    return run


def all_of(container, table, *columns):
    with container.reading(SYSTEM) as reading:
        return [tuple(row) for row in reading.rows(select(*columns).select_from(table))]


def not_written_to(container):
    return all_of(
        container, Suppression, Suppression.address, Suppression.reason, Suppression.until_at
    )


def test_an_address_that_does_not_exist_is_written_to_no_more(container, sent, proof, take, clock):
    (row,) = sent()

    assert take(dsn(proof(row))) == "hard"
    assert not_written_to(container) == [(row.address.lower(), "hard_bounce", None)]
    (bounce,) = all_of(container, Bounce, Bounce.message_id, Bounce.kind, Bounce.status, Bounce.at)
    assert bounce == (row.id, "hard", "5.1.1", clock.now)
    clock.advance(days=16)
    jobs.plan(container)
    assert cases.stages(container)[-1] == (14, "skipped", "not_deliverable")


def test_a_report_counts_once_also_after_the_suppression_was_lifted(container, sent, proof, take):
    (row,) = sent()
    take(dsn(proof(row)))
    with container.work(SYSTEM) as work:
        suppressions.lift(work, row.address.upper(), reason="The mailbox is there again.")

    assert take(dsn(proof(row))) == "known"
    assert not_written_to(container) == []
    assert take(dsn(proof(row), identity="<another@mx>")) == "hard"
    assert len(not_written_to(container)) == 1


@SQLITE
def test_an_address_with_a_wrong_proof_suppresses_nobody(container, sent, proof, take):
    (row,) = sent()
    good = proof(row)
    forged = good[: -1 - len(container.settings.mail.bounce_domain)][:-1] + "a@x.example"
    if forged.partition("@")[0] == good.partition("@")[0]:
        forged = forged.replace("a@", "b@")

    assert take(dsn(forged)) == "unknown"
    assert take(dsn("postmaster@tracker.example", returned="x@y.example")) == "unknown"
    assert take(dsn(proof(row, "b", row.holder_id))) == "unknown"
    assert not_written_to(container) == []


def test_three_messages_that_came_back_for_now_rest_the_address(
    container, sent, proof, take, clock
):
    rows = sent(3)
    with container.work(SYSTEM) as work:
        work.connection.execute(update(Message).values(address="Shared@example.org"))
        work.connection.execute(update(Holder).values(email="Shared@example.org"))
    full = [dsn(proof(row), status="5.2.2") for row in rows]

    assert [take(report) for report in full[:2]] == ["soft", "soft"]
    assert take(full[0].replace(b"A1@", b"A2@")) == "soft"  # the same message again
    assert not_written_to(container) == []
    clock.advance(days=2)
    assert take(full[2]) == "soft"
    until = clock.now + timedelta(days=30)
    assert not_written_to(container) == [("shared@example.org", "soft_bounces", until)]
    assert take(full[2].replace(b"A1@", b"A3@")) == "soft"
    assert take(dsn(proof(rows[0]), identity="<hard>")) == "hard"
    assert take(full[2].replace(b"A1@", b"A4@")) == "soft"
    assert not_written_to(container) == [("shared@example.org", "hard_bounce", None)]


def test_soft_bounces_of_months_ago_rest_nothing_today(container, sent, proof, take, clock):
    rows = sent(3)
    with container.work(SYSTEM) as work:
        work.connection.execute(update(Message).values(address="shared@example.org"))
        work.connection.execute(update(Holder).values(email="shared@example.org"))
    when = clock.now - timedelta(days=60)
    for row in rows:
        assert take(dsn(proof(row), status="4.2.2", received=when)) == "soft"

    assert not_written_to(container) == []


@SQLITE
def test_what_was_refused_for_reasons_of_ours_counts_against_nobody(container, sent, proof, take):
    (row,) = sent()
    refused = [dsn(proof(row), status="5.7.1", identity=f"<{n}>") for n in range(4)]

    assert [take(report) for report in refused] == ["refused"] * 4
    assert not_written_to(container) == []


def test_a_message_that_only_waits_elsewhere_has_not_come_back(container, sent, proof, take):
    (row,) = sent()

    assert take(dsn(proof(row), action="delayed", status="4.4.1")) == "delayed"
    assert all_of(container, Bounce, Bounce.kind) == []


def test_a_message_goes_to_the_second_address_when_the_first_is_bad(container, sent, proof, take):
    (row,) = sent(email="ana@old.example", second_email="ana@new.example")
    assert take(dsn(proof(row), recipient="ana@old.example")) == "hard"
    with container.work(SYSTEM) as work:  # the relay's log may be read again, or only now
        reaper.record_evidence(work, [reaper.Acceptance(row.message_id, work.now)])
    with cases.relay(container) as (sending, catcher):
        assert jobs.dispatch(sending) == {"sent": 1}
        assert [message.recipient for message in catcher.letters()] == ["ana@new.example"]
    late = dsn(proof(row), recipient="ana@old.example", identity="<late>")
    assert take(late) == "hard"
    assert [address for address, *_ in not_written_to(container)] == ["ana@old.example"]
    assert cases.states(container) == ["sent"]
    assert take(dsn(proof(row), recipient="ana@new.example", identity="<new>")) == "hard"
    assert cases.states(container) == ["sent"]


@SQLITE
def test_a_new_address_is_written_to_and_the_old_one_stays_suppressed(
    container, sent, proof, take, clock
):
    (row,) = sent()
    take(dsn(proof(row)))
    with container.work(SYSTEM) as work:
        work.connection.execute(update(Holder).values(email="new@example.org"))
    clock.advance(days=16)

    (message,) = send(container)
    assert (message.address, message.state) == ("new@example.org", "sent")
    assert len(not_written_to(container)) == 1


def test_who_complains_gets_no_more_of_that_type(container, sent, proof, take):
    (row,) = sent()
    said = complaint(sent_by=proof(row))

    assert take(said) == "complaint"
    assert take(said) == "known"
    assert all_of(
        container, Preference, Preference.holder_id, Preference.type, Preference.wanted
    ) == [(row.holder_id, "reminders", False)]
    assert not_written_to(container) == []
    details = [
        detail
        for action, detail in all_of(
            container, HistoryEntry, HistoryEntry.action, HistoryEntry.detail
        )
        if action == "prefer"
    ]
    assert details == [
        {
            "type": "reminders",
            "fields": ["wanted"],
            "wanted_before": True,
            "wanted_after": False,
            "by": "complaint",
        }
    ]


def test_a_complaint_about_an_employers_message_switches_nobody_off(container, sent, proof, take):
    (row,) = sent()
    with container.work(SYSTEM) as work:
        work.connection.execute(update(Message).values(kind="digest", holder_id=None))

    assert take(complaint(sent_by=proof(row))) == "complaint"
    assert all_of(container, Preference, Preference.type) == []


def test_a_mail_to_the_way_out_switches_the_type_off(container, sent, proof, take, clock):
    (row,) = sent()
    to = proof(row, "u-decisions", row.holder_id)
    request = mail(to, received=clock.now)
    clock.advance(minutes=5)

    assert take(request) == "unsubscribed"
    assert take(request) == "known"
    assert all_of(container, Preference, Preference.type, Preference.wanted) == [
        ("decisions", False)
    ]


def test_a_mail_older_than_the_holders_last_word_changes_nothing(
    container, sent, proof, take, clock
):
    (row,) = sent()
    request = mail(proof(row, "u-reminders", row.holder_id), received=clock.now)
    clock.advance(minutes=5)
    take(request)
    clock.advance(minutes=5)
    with container.work(SYSTEM) as work:
        work.connection.execute(update(Preference).values(wanted=True, changed_at=work.now))

    assert take(request) == "known"
    assert all_of(container, Preference, Preference.wanted) == [(True,)]


def test_a_complaint_that_names_only_the_way_out_switches_it_off(container, sent, proof, take):
    (row,) = sent()
    way = f"<https://x>, <mailto:{proof(row, 'u-reminders', row.holder_id)}?subject=unsubscribe>"

    assert take(complaint(sent_by="", list_unsubscribe=way)) == "unsubscribed"
    assert all_of(container, Preference, Preference.type, Preference.wanted) == [
        ("reminders", False)
    ]


@SQLITE
def test_a_way_out_that_nobody_was_given_switches_nothing_off(container, sent, proof, take):
    (row,) = sent()

    assert take(mail(proof(row, "u-decisions", row.id))) == "unknown"
    assert take(complaint(sent_by="", list_unsubscribe="<https://x.example>")) == "unknown"
    assert all_of(container, Preference, Preference.type) == []


@pytest.mark.parametrize("purpose", ["b", "u-reminders"])
def test_automatic_answers_change_nothing(container, sent, proof, take, purpose):
    (row,) = sent()
    to = proof(row, purpose, row.id if purpose == "b" else row.holder_id)

    assert take(mail(to, Auto_Submitted="auto-replied")) == "automatic"
    assert take(mail(proof(row))) == "other"
    assert all_of(container, Preference, Preference.type) == not_written_to(container) == []


@SQLITE
def test_only_what_is_suppressed_can_be_lifted(container, sent, proof, take):
    (row,) = sent()
    take(dsn(proof(row)))
    with container.work(SYSTEM) as work:
        suppressions.lift(work, row.address, reason="x")
    with container.work(SYSTEM) as work, pytest.raises(NotFound):
        suppressions.lift(work, row.address, reason="x")
    with container.work(SYSTEM) as work:
        suppressions.suppress(work, ["a" * 100 + "@example.org"], "hard_bounce")
        suppressions.lift(work, "a" * 100 + "@example.org", reason="x")


def test_reports_of_many_messages_cost_as_many_statements_as_of_a_few(container, sent):
    rows = sent(24)
    kinds = tuple(ReturnKind)

    def record(some):
        with counted(container) as ran, container.work(SYSTEM) as work:
            messages = bounces.messages_by(work, "id", [row.id for row in some])
            made = [
                bounces.ReturnedMessage(
                    message=messages[row.id], kind=kinds[n % 3], identity="x", at=work.now
                )
                for n, row in enumerate(some)
            ]
            assert bounces.record(work, made) == len(some)
            assert bounces.record(work, made) == 0
        return len(ran)

    assert record(rows[:6]) == record(rows[6:])
