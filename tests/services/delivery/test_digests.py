"""Employers' digests: ordered, written once at the cut-off, sent, and never saying too much."""

from __future__ import annotations

import re
import threading
from datetime import date, timedelta

import pytest
from sqlalchemy import select, text, update

from tests.api.employers.employer_cases import company
from tests.backends import SQLITE
from tests.services.delivery import reminder_cases as cases
from tests.statements import counted
from tracker import jobs
from tracker.db import new_id
from tracker.domain.delivery.digests import DigestFrequency
from tracker.domain.employers.requirements import NeededProof, RequirementKind
from tracker.domain.errors import Invalid, NotFound
from tracker.domain.periods import Period
from tracker.domain.permissions import SYSTEM, Actor
from tracker.mail.smtp_sender import Delivery, DeliveryOutcome
from tracker.models import (
    Certification,
    Digest,
    DigestOrder,
    HistoryEntry,
    Holder,
    Message,
    Runtime,
    Sharing,
    StandingChange,
)
from tracker.services.credentials import certifications as living
from tracker.services.delivery import composers, leases, marker, send_safety
from tracker.services.delivery.sealing import Composed
from tracker.services.employers import (
    digest_contents,
    digests,
    requirements,
    sharing,
    staffing,
)
from tracker.services.outbox import suppressions

MONDAY = "2026-11-23"
DUE = date(2021, 12, 25)  # expires on December 25, 2026
LATER = date(2023, 5, 1)


@pytest.fixture
def acme(container):
    return company(container)


@pytest.fixture
def order(container, acme):
    """Order a digest, as of the test's clock."""

    def make(every="week", language="en", employer=acme, address="hr@acme.example"):
        with container.work(SYSTEM) as work:
            return digests.order(work, employer.id, every=every, language=language, address=address)

    return make


def send(container):
    """Write what is owed and send it; returns the messages that arrived."""
    with cases.relay(container) as (sending, catcher):
        jobs.digest(sending)
        jobs.dispatch(sending)
        return [
            message
            for message in catcher.letters()
            if message.recipient.lower() == "hr@acme.example"
        ]


def taken_up(container):
    """Claim the one message that waits and compose it; returns both, and the database's place."""
    with container.work(SYSTEM) as work:
        send_safety.open_row(work)
        place = send_safety.place(work)
        (claim,) = leases.claim(work, owner="test", place=place, limit=10)
    with container.reading(SYSTEM) as reading:
        composed = composers.compose(reading, container.message_key, [claim])[claim.id]
    assert isinstance(composed, Composed)
    return claim, composed, place


def written(container):
    with container.reading(SYSTEM) as reading:
        return list(reading.rows(select(Digest.__table__).order_by(Digest.through_on)))


def told_through(container):
    with container.reading(SYSTEM) as reading:
        return reading.row(select(DigestOrder.through_on)).through_on


def end_consent(container, acme, employee_id):
    actor = Actor(role="holder", name="ana", holder_id=acme.holders[employee_id])
    with container.work(actor) as work:
        sharing.end(work, acme.sharing_of(employee_id))


def name_of(container, acme, employee_id):
    with container.reading(SYSTEM) as reading:
        wanted = select(Holder.given_name, Holder.family_name)
        return " ".join(reading.row(wanted.where(Holder.id == acme.holders[employee_id])))


def test_a_week_is_told_of_on_monday_with_numbers_and_names(container, clock, acme, order):
    acme.hire("E1", awarded_on=DUE)
    acme.hire("E2", awarded_on=LATER)
    acme.hire("E3", awarded_on=DUE, shared=False)
    order()
    assert send(container) == []
    clock.set(MONDAY)
    (message,) = send(container)

    assert message.recipient == "hr@acme.example"
    assert message.message["From"] == "MSSC <reminders@tracker.example>"
    assert message.subject == "Certifications at Acme, as of November 22, 2026"
    assert "Certified: 2 of 3." in message.text
    assert "Expiring within 30 days: 0; within 90: 1; within 180: 1." in message.text
    assert "Not sharing their status with you: 1." in message.text
    line = f"{name_of(container, acme, 'E1')} (E1)"
    assert f"{line}: expires on December 25, 2026" in message.text
    assert name_of(container, acme, "E3") not in message.text + message.html
    assert "(E3)" not in message.text + message.html
    assert "point" not in message.text.lower()
    account, stop = re.findall(r"http\S+", message.text)
    assert account.endswith("/sign-in/password?next=/account"), "no page shows workers yet"
    assert "/unsubscribe-digest/" in stop
    assert told_through(container) == date(2026, 11, 22)
    assert cases.states(container) == ["sent"]
    assert send(container) == []


@SQLITE
def test_a_place_that_will_have_too_few_is_told_without_names(container, clock, acme, order):
    """Only what comes within 180 days, and also where nobody else is to be named."""
    acme.hire("E1", awarded_on=DUE, department="Line 3")
    acme.hire("E2", awarded_on=LATER, department="Line 4")
    with container.work(SYSTEM) as work:
        job = requirements.add(
            work,
            acme.id,
            name="CPT",
            kind=RequirementKind.LINE,
            needs=((NeededProof("cpt"),),),
        )
        for line in ("Line 3", "Line 4"):
            staffing.add(work, acme.id, job.id, {"department": line}, 1)
    order()
    clock.set(MONDAY)
    (message,) = send(container)

    assert "CPT, Line 3: 0 of 1 from December 26, 2026" in message.text
    assert "Line 4" not in message.text


def test_without_anybody_who_shares_a_place_has_too_few_now(container, clock, acme, order):
    acme.hire("E1", awarded_on=DUE, shared=False)
    with container.work(SYSTEM) as work:
        needs = ((NeededProof("cpt"),),)
        kind = RequirementKind.LINE
        job = requirements.add(work, acme.id, name="CPT", kind=kind, needs=needs)
        staffing.add(work, acme.id, job.id, {}, 2)
    order()
    clock.set(MONDAY)
    (message,) = send(container)

    assert "CPT: 0 of 2 now" in message.text


@SQLITE
def test_a_digest_names_no_address_of_anybody(container, clock, acme, order):
    acme.hire("E1", awarded_on=DUE)
    order()
    clock.set(MONDAY)
    (message,) = send(container)

    assert "@" not in message.text
    (row,) = written(container)
    assert "@example.org" not in str(row.contents)


@SQLITE
def test_a_spanish_digest_is_spanish(container, clock, acme, order):
    acme.hire("E1", awarded_on=DUE)
    order(language="es")
    clock.set(MONDAY)
    (message,) = send(container)

    assert message.subject == "Certificaciones en Acme al 22 de noviembre de 2026"
    assert "vence el 25 de diciembre de 2026" in message.text
    assert 'lang="es"' in message.html


@SQLITE
def test_a_month_is_told_of_on_the_first_in_new_york(container, clock, acme, order):
    acme.hire("E1", awarded_on=DUE)
    order(every="month")
    clock.set("2026-12-01T04:59:00+00:00")
    assert send(container) == []
    clock.set("2026-12-01T05:00:00+00:00")
    (message,) = send(container)

    assert "as of November 30, 2026" in message.subject
    assert [(row.from_on, row.through_on) for row in written(container)] == [
        (date(2026, 11, 21), date(2026, 11, 30))
    ]


@SQLITE
def test_weeks_that_were_missed_make_one_digest(container, clock, acme, order):
    acme.hire("E1", awarded_on=DUE)
    order()
    clock.set("2026-12-16")
    (message,) = send(container)

    assert "as of December 13, 2026" in message.subject
    assert "This summary covers November 21, 2026 to December 13, 2026." in message.text
    (row,) = written(container)
    assert (row.from_on, row.through_on) == (date(2026, 11, 21), date(2026, 12, 13))


@SQLITE
def test_where_there_is_nobody_to_name_no_message_is_sent_and_the_weeks_go_on(
    container, clock, acme, order
):
    acme.hire("E1", awarded_on=LATER)
    with container.work(SYSTEM) as work:
        work.connection.execute(update(Sharing).values(consented_on=date(2026, 1, 5)))
    order()
    clock.set(MONDAY)
    assert jobs.digest(container) == {"empty": 1}
    assert cases.letters(container) == []
    assert told_through(container) == date(2026, 11, 22)
    (row,) = written(container)
    assert row.message_id is None


# What it tells of.
@SQLITE
def test_an_expiry_that_passed_is_told_of_once_and_by_its_last_valid_day(
    container, clock, acme, order
):
    acme.hire("E1", awarded_on=date(2021, 11, 22))  # the last valid day is the week's last
    order()
    clock.set(MONDAY)
    (first,) = send(container)
    clock.set("2026-11-30")
    (second,) = send(container)
    clock.set("2026-12-07")
    third = send(container)

    assert "expires on November 22, 2026" in first.text
    assert "Expired during this period" in second.text
    assert "expired on November 22, 2026" in second.text
    assert third == []


@SQLITE
def test_what_was_decided_is_told_of_in_the_week_in_which_it_is_true_and_known(
    container, clock, acme, order
):
    for employee_id in ("E1", "E2", "E3", "E4"):
        acme.hire(employee_id, awarded_on=LATER)
    acme.hire("E5", awarded_on=DUE)
    ids = certifications(container, acme)
    consented(container, date(2024, 1, 5))
    order()
    cases.change(container, ids["E1"], "suspend", date(2026, 11, 22))
    cases.change(container, ids["E2"], "revoke", date(2026, 11, 3))
    cases.change(container, ids["E3"], "suspend", date(2026, 11, 25))
    cases.renew(container, ids["E5"], date(2026, 11, 22))
    clock.set(MONDAY)
    (first,) = send(container)
    cases.change(container, ids["E4"], "suspend", date(2026, 11, 20))
    clock.set("2026-11-30")
    (second,) = send(container)

    assert "(E1): suspended on November 22, 2026" in first.text
    assert "(E2): revoked on November 3, 2026" in first.text
    assert "(E5): renewed on November 22, 2026" in first.text
    assert "(E3): suspended" not in first.text
    assert "(E3): suspended on November 25, 2026" in second.text
    assert "(E4): suspended on November 20, 2026" in second.text
    assert "(E1)" not in second.text


def certifications(container, acme):
    """The workers' certifications by employee_id."""
    with container.reading(SYSTEM) as reading:
        rows = reading.rows(select(Certification.holder_id, Certification.id))
        by_holder = {row.holder_id: row.id for row in rows}
    return {e: by_holder[h] for e, h in acme.holders.items()}


def consented(container, on):
    """Let the workers' consents be of another day."""
    with container.work(SYSTEM) as work:
        work.connection.execute(update(Sharing).values(consented_on=on))


def test_nothing_that_happened_before_the_consent_is_told(container, clock, acme, order):
    for employee_id in ("E1", "E2", "E3"):
        acme.hire(employee_id, awarded_on=LATER)
    acme.hire("E4", awarded_on=DUE)
    ids = certifications(container, acme)
    order()
    cases.change(container, ids["E1"], "suspend", date(2026, 11, 18))
    cases.change(container, ids["E2"], "suspend", date(2026, 11, 20))
    cases.renew(container, ids["E4"], date(2026, 11, 18))
    with container.work(SYSTEM) as work:
        withdrawn = update(Certification).where(Certification.id == ids["E3"])
        work.connection.execute(withdrawn.values(withdrawn_at=work.now))
        later = work.now + timedelta(days=1)
        consented = {"consented_on": date(2026, 11, 20), "recorded_at": later}
        work.connection.execute(update(Sharing).values(consented))
    clock.set(MONDAY)
    (message,) = send(container)

    assert "(E2): suspended on November 20, 2026" in message.text
    for line in ("(E1): suspended", "(E3): withdrawn", "(E4): renewed"):
        assert line not in message.text


@SQLITE
def test_what_a_file_brings_of_former_years_is_no_news(container, clock, acme, order):
    acme.hire("E1", "E2", "E3", awarded_on=date(2016, 11, 30))
    acme.hire("E4", "E5", "E6", awarded_on=LATER)
    ids = certifications(container, acme)
    consented(container, date(2016, 12, 5))
    order()
    cases.renew(container, ids["E1"], date(2021, 11, 20))
    cases.renew(container, ids["E2"], date(2026, 10, 1))
    cases.renew(container, ids["E3"], date(2026, 11, 18))
    for employee_id, day in (("E4", date(2024, 5, 1)), ("E5", date(2026, 11, 18))):
        brought_in(container, ids[employee_id], "suspend", day)
    cases.change(container, ids["E6"], "suspend", date(2024, 5, 1))
    clock.set(MONDAY)
    (message,) = send(container)

    assert ", 2021" not in message.text
    for employee_id in ("E1", "E2", "E4"):
        assert f"({employee_id}): renewed" not in message.text
        assert f"({employee_id}): suspended" not in message.text
    assert "(E3): renewed on November 18, 2026" in message.text
    assert "(E5): suspended on November 18, 2026" in message.text
    assert "(E6): suspended on May 1, 2024" in message.text, "staff decided it this week"


def brought_in(container, certification_id, kind, day):
    """A change of standing that a file brings, under its key."""
    with container.work(SYSTEM) as work:
        row = {
            "certification_id": certification_id,
            "kind": kind,
            "effective_on": day,
            "reason_code": "other",
            "reason": "test",
            "decided_by": "test",
            "recorded_at": work.now,
            "ref": f"c-{certification_id}",
        }
        work.session.add(StandingChange(**row))
        work.session.flush()
        living.refresh(work, work.schemes["cpt"], [certification_id])


@SQLITE
def test_whoever_applied_in_time_is_under_review_and_not_lost(container, clock, acme, order):
    acme.hire("E1", "E2", awarded_on=date(2021, 11, 21))
    ids = certifications(container, acme)
    cases.apply(container, ids["E1"], date(2026, 11, 10))
    order()
    clock.set(MONDAY)
    (message,) = send(container)

    expired, _, pending = message.text.partition("Expired during this period")[2].partition(
        "They applied in time; their expiration date passed"
    )
    assert "(E2): expired on November 21, 2026" in expired
    assert "(E1)" not in expired
    assert "(E1): renewal under review; the expiration date was November 21, 2026" in pending
    assert "Renewal under review: 1. They applied in time." in message.text


def test_the_dead_are_in_no_digest(container, clock, acme, order):
    acme.hire("E1", "E2", awarded_on=DUE)
    order()
    clock.set(MONDAY)
    jobs.digest(container)
    died = update(Holder).where(Holder.id == acme.holders["E1"])
    with container.work(SYSTEM) as work:
        work.connection.execute(died.values(deceased_on=TODAY))
    (message,) = send(container)
    assert "(E1)" not in message.text
    assert "(E2)" in message.text
    clock.set("2026-11-30")
    cases.change(container, certifications(container, acme)["E1"], "suspend", date(2026, 11, 29))
    (message,) = send(container)
    assert "(E1)" not in message.text


TODAY = date(2026, 11, 21)


@SQLITE
def test_an_award_that_was_taken_back_is_named_as_such_and_no_more(container, clock, acme, order):
    acme.hire("E1", "E2", awarded_on=DUE)
    acme.hire("E3", awarded_on=LATER)
    order()
    clock.set(MONDAY)
    send(container)
    ids = certifications(container, acme)
    with container.work(SYSTEM) as work:
        withdrawn = update(Certification).where(Certification.id == ids["E1"])
        work.connection.execute(withdrawn.values(withdrawn_at=work.now))
    clock.set("2026-11-30")
    (message,) = send(container)

    (line,) = [line for line in message.text.splitlines() if "(E1)" in line]
    assert line.endswith("(E1): withdrawn (recorded in error) on November 23, 2026")


def test_a_digest_written_before_there_were_pending_ones_is_still_sent(
    container, clock, acme, order
):
    acme.hire("E1", awarded_on=DUE)
    order()
    clock.set(MONDAY)
    jobs.digest(container)
    with container.work(SYSTEM) as work:
        contents = work.row(select(Digest.contents)).contents
        del contents["sections"]["pending"], contents["numbers"][0]["pending"]
        work.connection.execute(update(Digest).values(contents=contents))
    (message,) = send(container)

    assert "(E1): expires on December 25, 2026" in message.text


def test_those_who_began_to_share_are_named_and_nobody_learns_whose_messages_come_back(
    container, clock, acme, order
):
    """Whether an address works is nothing that a worker has agreed to share."""
    acme.hire("E1", "E2", awarded_on=LATER)
    with container.work(SYSTEM) as work:
        emails = [row.email for row in work.rows(select(Holder.email))]
        suppressions.suppress(work, emails, "hard_bounce")
    order()
    clock.set(MONDAY)
    (message,) = send(container)

    named = message.text.partition("Started sharing")[2]
    assert all(f"({e}): since November 21, 2026" in named for e in ("E1", "E2"))
    assert message.text.count("(E1)") == 1
    assert "addresses" not in message.text


# Consent.
def test_whoever_ends_the_consent_before_the_message_leaves_is_not_in_it(
    container, clock, acme, order
):
    acme.hire("E1", "E2", awarded_on=DUE)
    order()
    clock.set(MONDAY)
    assert jobs.digest(container) == {"written": 1}
    gone = name_of(container, acme, "E1")
    end_consent(container, acme, "E1")
    (message,) = send(container)

    assert "(E2)" in message.text
    for told in (message.text, message.html, str(cases.letters(container)[0].facts)):
        assert "(E1)" not in told
        assert gone not in told
    assert "Certified: 1 of 2." in message.text
    assert "within 180: 1." in message.text


@SQLITE
def test_a_consent_that_ends_between_composing_and_the_marker_holds_the_message_up(
    container, clock, acme, order
):
    acme.hire("E1", "E2", awarded_on=DUE)
    order()
    clock.set(MONDAY)
    jobs.digest(container)
    claim, composed, place = taken_up(container)
    end_consent(container, acme, "E1")
    with container.work(SYSTEM) as work:
        assert not marker.mark(work, claim, composed, place=place)
        assert leases.settle(work, claim, Delivery(DeliveryOutcome.NOT_OWED, "no")) == "ready"
    clock.advance(minutes=1)
    (message,) = send(container)

    assert "(E1)" not in message.text
    assert "(E2)" in message.text


def test_a_digest_is_found_by_its_message_without_reading_all(container, backend):
    explain = "explain query plan" if backend == "sqlite" else "explain"
    with container.work(SYSTEM) as work:
        if backend == "postgresql":
            work.connection.execute(text("set local enable_seqscan = off"))
        question = f"select id from digest where message_id = '{new_id()}'"
        plan = str(work.rows(text(f"{explain} {question}")))

    assert "ix_digest_message_id" in plan


@pytest.mark.parametrize("change", ["another address", "called off"])
def test_an_order_that_changes_between_composing_and_the_marker_holds_the_message_up(
    container, clock, acme, order, change
):
    acme.hire("E1", awarded_on=DUE)
    order()
    clock.set(MONDAY)
    jobs.digest(container)
    claim, composed, place = taken_up(container)
    if change == "called off":
        with container.work(SYSTEM) as work:
            digests.call_off(work, acme.id)
    else:
        order(address="new@acme.example")
    with container.work(SYSTEM) as work:
        assert not marker.mark(work, claim, composed, place=place)


def test_a_second_copy_goes_to_no_address_that_was_ordered_once(container, clock, acme, order):
    acme.hire("E1", awarded_on=DUE)
    order()
    clock.set(MONDAY)
    assert len(send(container)) == 1
    with container.work(SYSTEM) as work:
        work.connection.execute(update(Message).values(state="ready", finished_at=None))
    order(address="new@acme.example")
    with cases.relay(container) as (sending, catcher):
        jobs.dispatch(sending)
        assert [message.recipient for message in catcher.letters()] == ["new@acme.example"]


@SQLITE
def test_a_digest_that_names_nobody_any_more_is_not_sent(container, clock, acme, order):
    acme.hire("E1", awarded_on=DUE)
    order()
    clock.set(MONDAY)
    jobs.digest(container)
    end_consent(container, acme, "E1")

    assert send(container) == []
    (row,) = cases.letters(container)
    assert (row.state, row.last_error) == ("cancelled", "The digest has no workers left to name.")


@SQLITE
def test_a_second_copy_is_the_same_to_the_byte_unless_a_consent_ended_in_between(
    container, clock, acme, order
):
    acme.hire("E1", "E2", awarded_on=DUE)
    order()
    clock.set(MONDAY)
    (first,) = send(container)

    def again():
        with container.work(SYSTEM) as work:
            work.connection.execute(update(Message).values(state="ready", finished_at=None))
        (message,) = send(container)
        return message

    clock.advance(hours=2)
    second = again()
    end_consent(container, acme, "E2")
    third = again()

    assert second.raw == first.raw
    assert third.message_id == first.message_id
    assert "(E2)" not in third.text


@SQLITE
def test_employment_that_ended_ends_the_naming_too(container, clock, acme, order):
    acme.hire("E1", awarded_on=DUE)
    acme.hire("E2", awarded_on=DUE, ended_on=date(2026, 11, 20))
    order()
    clock.set(MONDAY)
    (message,) = send(container)

    assert "(E1)" in message.text
    assert "(E2)" not in message.text


# Once.
def test_two_schedulers_write_one_digest(container, clock, acme, order):
    acme.hire("E1", awarded_on=DUE)
    order()
    clock.set(MONDAY)
    threads = [threading.Thread(target=jobs.digest, args=(container,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(written(container)) == 1
    assert cases.states(container) == ["ready"]


@pytest.fixture
def owed(clock, acme, order):
    """A worker to be told of, and the digest's day."""
    acme.hire("E1", awarded_on=DUE)
    order()
    clock.set(MONDAY)


@pytest.mark.usefixtures("owed")
@pytest.mark.parametrize("step", ["_keep", "_send", "snapshot"])
def test_a_process_that_dies_in_the_middle_leaves_nothing_and_the_next_writes_all(
    container, monkeypatch, step
):
    place = digest_contents if step == "snapshot" else digests
    real = getattr(place, step)

    def dies(*arguments):
        real(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(place, step, dies)
        with pytest.raises(KeyboardInterrupt):
            jobs.digest(container)
    assert (written(container), cases.letters(container)) == ([], [])
    assert told_through(container) == date(2026, 11, 20)
    assert len(send(container)) == 1


def test_one_that_cannot_be_written_is_logged_and_holds_up_no_other(
    container, acme, owed, monkeypatch, caplog
):
    del owed
    other = company(container, "Bolt")
    other.hire("E1", awarded_on=DUE)
    with container.work(SYSTEM) as work:
        digests.order(
            work, other.id, every=DigestFrequency.WEEK, language="en", address="hr@bolt.example"
        )
        work.connection.execute(update(DigestOrder).values(through_on=date(2026, 11, 15)))
        work.connection.execute(update(Sharing).values(consented_on=date(2026, 11, 15)))
    snapshot = digest_contents.snapshot

    def fails(reading, employer_id, period):
        if employer_id == acme.id:
            raise RuntimeError("spoilt")
        return snapshot(reading, employer_id, period)

    monkeypatch.setattr(digest_contents, "snapshot", fails)
    assert jobs.digest(container) == {"failed": 1, "written": 1}
    assert f"the digest of employer {acme.id} could not be written" in caplog.text
    assert [row.employer_id for row in written(container)] == [other.id]


def test_a_digest_of_that_day_that_is_on_record_already_is_not_written_again(
    container, clock, acme, order
):
    acme.hire("E1", awarded_on=DUE)
    order()
    clock.set(MONDAY)
    jobs.digest(container)
    with container.work(SYSTEM) as work:
        work.connection.execute(update(DigestOrder).values(through_on=date(2026, 11, 15)))
    assert jobs.digest(container) == {"empty": 1}
    assert len(written(container)) == 1
    assert len(cases.letters(container)) == 1
    assert told_through(container) == date(2026, 11, 22)


def test_one_that_another_scheduler_has_written_meanwhile_or_nobody_ordered_is_left(
    container, acme, owed
):
    del owed
    jobs.digest(container)
    with container.work(SYSTEM) as work:
        assert digests.write(work, acme.id) == "taken"
        digests.call_off(work, acme.id)
        assert digests.write(work, acme.id) == "taken"


@pytest.mark.usefixtures("owed")
def test_a_digest_that_cannot_be_composed_is_tried_again(container):
    jobs.digest(container)
    with container.work(SYSTEM) as work:
        work.connection.execute(update(Digest).values(contents={}))

    assert send(container) == []
    (row,) = cases.letters(container)
    assert (row.state, row.last_error) == ("ready", "KeyError: 'consents'")


def test_nothing_is_written_while_sending_is_held(container, clock, acme, order):
    acme.hire("E1", awarded_on=DUE)
    order()
    clock.set(MONDAY)
    with container.work(SYSTEM) as work:
        send_safety.hold(work, "The clock jumped.")
    assert jobs.digest(container) == {}
    with container.work(SYSTEM) as work:
        work.connection.execute(update(Runtime).values(fuse=None))
    assert jobs.digest(container) == {"written": 1}


@SQLITE
def test_the_job_stops_when_told(container, clock, acme, order):
    acme.hire("E1", awarded_on=DUE)
    order()
    clock.set(MONDAY)
    assert jobs.digest(container, stop=lambda: True) == {}


def test_a_message_that_a_dead_relay_held_up_for_two_weeks_is_sent_beside_the_next(
    container, clock, acme, order
):
    acme.hire("E1", awarded_on=DUE)
    order()
    for monday in (MONDAY, "2026-11-30", "2026-12-07"):
        clock.set(monday)
        jobs.digest(container)
    days = [message.subject.split("as of ")[1] for message in send(container)]

    assert sorted(days) == ["December 6, 2026", "November 22, 2026", "November 29, 2026"]


# Orders.
def test_an_order_that_is_called_off_stops_the_message_that_waits(container, clock, acme, order):
    acme.hire("E1", awarded_on=DUE)
    order()
    clock.set(MONDAY)
    jobs.digest(container)
    with container.work(SYSTEM) as work:
        digests.call_off(work, acme.id)
        with pytest.raises(NotFound):
            digests.call_off(work, acme.id)

    assert send(container) == []
    assert cases.letters(container)[0].last_error == "The digest is no longer ordered."


@SQLITE
def test_a_digest_goes_to_no_address_that_is_suppressed(container, clock, acme, order):
    acme.hire("E1", awarded_on=DUE)
    order(address="HR@acme.example")
    clock.set(MONDAY)
    jobs.digest(container)
    until = clock.now + timedelta(days=3)
    with container.work(SYSTEM) as work:
        suppressions.suppress(work, ["hr@acme.example"], "soft_bounces", until=until)

    assert send(container) == []
    (waiting,) = cases.letters(container)
    assert (waiting.state, waiting.last_error) == ("ready", "The address is suppressed.")
    clock.now = until + timedelta(hours=6)
    (message,) = send(container)
    assert "as of November 22, 2026" in message.subject


@SQLITE
def test_weeks_wait_while_the_address_is_suppressed_and_make_one_digest(
    container, clock, acme, order
):
    acme.hire("E1", awarded_on=DUE)
    order(address="HR@acme.example")
    order(address="Ürsel@beta.example", employer=company(container, "Beta"))
    with container.work(SYSTEM) as work:
        addresses = ["hr@acme.example", "Ürsel@beta.example"]
        suppressions.suppress(work, addresses, "hard_bounce")
    clock.set("2026-12-08")
    assert send(container) == written(container) == []
    with container.reading(SYSTEM) as reading:
        assert digests.late(reading) == 0

    clock.set("2026-12-16")
    with container.work(SYSTEM) as work:
        suppressions.lift(work, "hr@acme.example", reason="The mailbox is there again.")
    (message,) = send(container)
    assert "This summary covers November 21, 2026 to December 13, 2026." in message.text


def test_the_same_order_again_changes_nothing_and_another_keeps_what_was_told(
    container, clock, order
):
    first = order()
    clock.advance(hours=1)
    assert order() == first
    changed = order(every="month", language="es")
    assert (changed.every, changed.language, changed.through_on) == (
        "month",
        "es",
        first.through_on,
    )
    with container.reading(SYSTEM) as reading:
        lines = reading.rows(select(HistoryEntry.action).where(HistoryEntry.subject == "digest"))
    assert [row.action for row in lines] == ["order", "order"]


@SQLITE
def test_without_an_address_on_record_one_must_be_given(order):
    with pytest.raises(Invalid) as refused:
        order(address=None)
    assert list(refused.value.fields) == ["address"]


# Size.
@SQLITE
def test_a_message_names_a_hundred_and_says_that_there_are_more(container, clock, acme, order):
    acme.hire(*(f"E{n:03}" for n in range(120)), awarded_on=DUE)
    order()
    clock.set(MONDAY)
    (message,) = send(container)

    assert message.text.count("expires on December 25, 2026") == 100
    assert "This list is not complete. Your account shows everyone." in message.text
    assert len(written(container)[0].contents["sections"]["due"]["rows"]) == 100


def test_a_digest_costs_as_many_statements_for_forty_workers_as_for_two(
    container, clock, acme, order
):
    del order
    acme.hire("E1", "E2", awarded_on=DUE)
    clock.set(MONDAY)

    def statements():
        with counted(container) as sent, container.reading(SYSTEM) as reading:
            period = Period(date(2026, 11, 16), date(2026, 11, 22))
            digest_contents.snapshot(reading, acme.id, period)
        return len(sent)

    few = statements()
    acme.hire(*(f"F{n}" for n in range(40)), awarded_on=DUE)
    assert statements() == few


def test_composing_costs_as_many_statements_for_five_digests_as_for_one(
    container, clock, acme, order
):
    employers = [acme, *(company(container, f"Employer {n}") for n in range(5))]
    for employer in employers:
        employer.hire("E1", awarded_on=DUE)
        order(employer=employer)
    clock.set(MONDAY)
    jobs.digest(container)

    def composed(limit):
        with container.work(SYSTEM) as work:
            send_safety.open_row(work)
            claims = leases.claim(work, owner="test", place=send_safety.place(work), limit=limit)

        with counted(container) as sent, container.reading(SYSTEM) as reading:
            made = composers.compose(reading, container.message_key, claims)
        assert len(made) == limit
        return len(sent)

    assert composed(1) == composed(5)


@SQLITE
def test_a_consent_until_a_day_is_no_consent_after_it(container, clock, acme, order):
    acme.hire("E1", awarded_on=DUE)
    acme.hire("E2", awarded_on=DUE, until_on=date(2026, 11, 23))
    order()
    clock.set(MONDAY)
    jobs.digest(container)
    clock.advance(days=1)
    (message,) = send(container)

    assert "(E1)" in message.text
    assert "(E2)" not in message.text
