"""Notices: put into the outbox with the change itself, true when it is sent, told once."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from email import message_from_bytes, policy

import pytest
from sqlalchemy import insert, select, update

from tests.backends import SQLITE
from tests.mail_faults import Cut
from tests.services.delivery import reminder_cases as cases
from tests.statements import counted
from tracker import jobs
from tracker.db import new_id
from tracker.domain.credentials.appeals import AppealVerdict
from tracker.domain.credentials.certifications import ChangeKind
from tracker.domain.employers.consents import ConsentTerms
from tracker.domain.errors import SelfReview
from tracker.domain.permissions import SYSTEM
from tracker.domain.points.activities import ActivityVerdict
from tracker.models import (
    Activity,
    Certification,
    Employer,
    Holder,
    Notice,
    Preference,
    Sharing,
    Suppression,
)
from tracker.services.credentials import appeals, awards, certifications, renewals
from tracker.services.delivery import composers, dispatcher, leases, send_safety
from tracker.services.employers import consent_requests, roster
from tracker.services.points import activities, activity_decisions, activity_rows

TODAY = date(2026, 11, 21)
AWARDED = date(2022, 1, 10)  # the window opens on October 12, 2026


@pytest.fixture
def certified(container):
    """Holders certified on a day; gives the certifications' ids."""

    def make(on=AWARDED, count=1, **holder):
        with container.work(SYSTEM) as work:
            return cases.award(work, cases.holders(work, count, **holder), on)

    return make


@pytest.fixture
def submitted(container):
    """An activity of a certification's holder that waits for its decision; gives its id."""

    def make(certification_id, title="Robot Safety", **values):
        with container.work(SYSTEM) as work:
            row = certifications.locked(work, certification_id)
            id_ = activities.log(
                work,
                row.id,
                {
                    "category": "CE",
                    "type": "third_party",
                    "title": title,
                    "provider": "Amatrol",
                    "quantity": Decimal(16),
                    "completed_on": date(2026, 5, 1),
                    **values,
                },
            )
            activities.submit(work, id_)
        return id_

    return make


def decide(container, activity_id, verdict="approved", **values):
    with container.work(SYSTEM) as work:
        version = activity_rows.get(work, activity_id).version
        activity_decisions.decide(
            work,
            activity_id,
            activity_decisions.ReviewerDecision(verdict, **values),
            version=version,
        )


def refuse(container, activity_id, verdict="rejected", reason="No certificate is attached."):
    decide(container, activity_id, verdict, reason_code="insufficient_evidence", reason=reason)


def decide_renewal(container, renewal_id, decision, reason=None):
    with container.work(SYSTEM) as work:
        version = renewals.get(work, renewal_id).version
        renewals.decide(work, renewal_id, decision=decision, reason=reason, version=version)


def sent(container, clock, minutes=11):
    """The messages that go out some minutes from now."""
    clock.advance(minutes=minutes)
    with cases.relay(container) as (sending, catcher):
        jobs.dispatch(sending)
        return catcher.letters()


def notices(container):
    with container.reading(SYSTEM) as reading:
        return list(reading.rows(select(Notice.__table__).order_by(Notice.id)))


# What is told.
@SQLITE
def test_an_award_is_told_ten_minutes_later_with_its_dates(container, clock, certified):
    certified(on=TODAY - timedelta(days=2))
    assert sent(container, clock, minutes=9) == []
    (message,) = sent(container, clock, minutes=2)

    assert message.subject == "You are certified: Certified Production Technician"
    assert "Congratulations! You earned this certification on November 19, 2026." in message.text
    assert "It is valid through November 19, 2031." in message.text
    assert "You can apply for renewal from August 21, 2031." in message.text
    assert "You'll need 100 points by then to renew it" in message.text
    assert message.message["List-Unsubscribe"].count("/unsubscribe/decisions/") == 1
    assert "Unsubscribe from messages about decisions: " in message.text


@SQLITE
def test_an_approved_activity_tells_its_points_and_the_total(
    container, clock, certified, submitted
):
    (id_,) = certified()
    decide(container, submitted(id_))
    (message,) = sent(container, clock)

    assert message.subject == "Certified Production Technician: an activity was approved"
    assert "Approved: “Robot Safety”." in message.text
    assert "Points earned: 16." in message.text
    assert "You now have 16 of 100 points." in message.text


@SQLITE
def test_an_activity_approved_in_part_tells_both_numbers(container, clock, certified, submitted):
    (id_,) = certified(language="es")
    decide(container, submitted(id_), points_limit=Decimal(10), reason="Solo se ven diez horas.")
    (message,) = sent(container, clock)

    assert message.subject.endswith("se aprobó parcialmente una actividad")
    assert "Puntos que solicitó: 16. Puntos aprobados: 10 como máximo." in message.text
    assert "Motivo indicado: Solo se ven diez horas." in message.text
    assert "Ahora tiene 10 de 100 puntos." in message.text


@SQLITE
def test_an_approval_that_a_cap_cuts_tells_what_it_brings(container, clock, certified, submitted):
    (id_,) = certified()
    claim = {"category": "IC", "type": "industry_certification"}
    decide(container, submitted(id_, "First", quantity=Decimal(3), **claim))
    sent(container, clock)
    decide(container, submitted(id_, "Second", quantity=Decimal(1), **claim))
    (message,) = sent(container, clock, minutes=61)

    assert "Points earned: 0 of 20 claimed, under the policy." in message.text
    assert "You now have 60 of 100 points." in message.text


@SQLITE
@pytest.mark.parametrize(
    "told",
    [
        (
            "rejected",
            "an activity was not accepted",
            "Not accepted: “Robot Safety”.",
            "Reason given: No certificate is attached.",
            "You can correct the activity and resubmit it.",
        ),
        (
            "more_information",
            "more information is needed about an activity",
            "What is missing: No certificate is attached.",
            "it earns no points until we approve it",
        ),
    ],
)
def test_a_refusal_is_told_with_its_reason(container, clock, certified, submitted, told):
    (id_,) = certified()
    verdict, *sentences = told
    refuse(container, submitted(id_), verdict)
    (message,) = sent(container, clock)

    for sentence in sentences:
        assert sentence in f"{message.subject}\n{message.text}"


@SQLITE
def test_an_approved_renewal_tells_the_new_dates(container, clock, certified):
    (id_,) = certified()
    cases.complete(container, id_, date(2025, 5, 1))
    with container.work(SYSTEM) as work:
        renewal_id = renewals.apply(work, id_)
    decide_renewal(container, renewal_id, "approved")
    (message,) = sent(container, clock)

    assert message.subject.endswith("your renewal is approved")
    assert "Your renewal was approved on November 21, 2026." in message.text
    assert "It is valid through January 10, 2032." in message.text
    assert "You can apply for renewal from October 12, 2031." in message.text


@SQLITE
def test_a_denied_renewal_tells_why_and_how_long_there_is(container, clock, certified):
    (id_,) = certified()
    cases.complete(container, id_, date(2025, 5, 1))
    with container.work(SYSTEM) as work:
        renewal_id = renewals.apply(work, id_)
    decide_renewal(container, renewal_id, "denied", "The fee was not paid.")
    message, of_fee = sorted(sent(container, clock), key=lambda one: "fee" in one.subject)

    assert of_fee.subject == "A fee is due"
    assert "Your renewal was not approved (decided on November 21, 2026)." in message.text
    assert "Reason given: The fee was not paid." in message.text
    assert "It is valid through January 10, 2027" in message.text


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("suspend", "suspended"),
        ("revoke", "revoked"),
    ],
)
def test_a_suspension_and_a_revocation_go_at_once_to_whoever_wants_no_messages_too(
    container, clock, certified, kind, word
):
    (id_,) = certified()
    switch_off(container)
    cases.change(container, id_, kind, TODAY)
    (message,) = sent(container, clock, minutes=0)

    assert message.subject.endswith(f"your certification is {word}")
    assert f"{word.title()} effective November 21, 2026." in message.text
    assert "Reason given: test" in message.text
    assert "You can appeal until December 21, 2026. To appeal, reply to this email" in message.text
    assert message.message["List-Unsubscribe"] is None
    assert "We always send messages like this one" in message.text


def test_a_reinstatement_is_told_also_when_an_appeal_brings_it(container, clock, certified):
    (id_,) = certified()
    with container.work(SYSTEM) as work:
        certifications.change(
            work,
            id_,
            kind=ChangeKind.REVOKE,
            effective_on=TODAY,
            reason_code="other",
            reason="A mistake.",
        )
    sent(container, clock)
    with container.work(SYSTEM) as work:
        appeal_id = appeals.file(work, id_, statement="It was not me.")
    board = replace(SYSTEM, name="board")
    with container.work(board) as work:
        appeals.decide(
            work, appeal_id, outcome=AppealVerdict.UPHELD, reason="It was not.", version=1
        )
    (message,) = sent(container, clock)

    assert "Reinstated effective November 21, 2026." in message.text
    assert "It is valid through January 10, 2027." in message.text


def switch_off(container):
    with container.work(SYSTEM) as work:
        for (id_,) in work.rows(select(Holder.id)):
            work.connection.execute(
                insert(Preference),
                {"holder_id": id_, "type": "decisions", "wanted": False, "changed_at": work.now},
            )


def employed(container, holder_id, name="Acme"):
    with container.work(SYSTEM) as work:
        employer_id = new_id()
        work.session.add(Employer(id=employer_id, name=name, recorded_at=work.now))
        work.session.flush()
        ref = work.row(select(Holder.ref).where(Holder.id == holder_id)).ref
        entry = roster.add(work, employer_id, employee_id="7", holder_ref=ref)
    return employer_id, entry.id


def agree(container, holder_id, employer_id):
    with container.work(SYSTEM) as work:
        work.session.add(
            Sharing(
                holder_id=holder_id,
                employer_id=employer_id,
                consented_on=TODAY,
                recorded_at=work.now,
                recorded_by="x",
            )
        )


def holder_of(container, certification_id):
    with container.reading(SYSTEM) as reading:
        return reading.row(
            select(Certification.holder_id).where(Certification.id == certification_id)
        ).holder_id


@SQLITE
def test_whoever_is_put_on_an_employers_list_is_asked_for_consent(container, clock, certified):
    holder_id = holder_of(container, certified()[0])
    employed(container, holder_id)
    (message,) = sent(container, clock)

    assert message.subject == "An employer would like to see whether you are certified"
    assert "It sees nothing until you agree" in message.text
    assert message.message["List-Unsubscribe"] is None


def test_whoever_shares_already_is_not_told_that_the_employer_sees_nothing(
    container, clock, certified
):
    holder_id = holder_of(container, certified()[0])
    employer_id, entry_id = employed(container, holder_id)
    agree(container, holder_id, employer_id)
    assert sent(container, clock) == []
    clock.advance(days=15)
    with container.work(SYSTEM) as work:
        terms = ConsentTerms(with_points=True)
        (asked,) = consent_requests.ask(work, employer_id, [entry_id], terms)
    assert asked.asked
    (message,) = sent(container, clock)

    assert message.subject == "An employer asks you to share something else"
    assert "It sees what you agreed to before." in message.text
    assert "sees nothing until" not in message.text


def test_whoever_agreed_or_left_meanwhile_is_not_asked(container, clock, certified):
    first, second, third = (holder_of(container, id_) for id_ in certified(count=3))
    employer_id, _ = employed(container, first, "First")
    agree(container, first, employer_id)
    employer_id, entry_id = employed(container, second, "Second")
    with container.work(SYSTEM) as work:
        roster.end(work, employer_id, entry_id)
    employed(container, third, "Third")

    assert [message.subject for message in sent(container, clock)] == [
        "An employer took you off its employee list",
        "An employer would like to see whether you are certified",
    ]
    assert cases.states(container) == ["cancelled", "sent", "sent"]


def test_an_employer_that_lists_somebody_again_and_again_is_heard_of_three_times(
    container, clock, certified
):
    """A new employment asks again, in the same month too; but no one can be flooded so."""
    holder_id = holder_of(container, certified()[0])
    employer_id, entry_id = employed(container, holder_id)
    with container.work(SYSTEM) as work:
        ref = work.row(select(Holder.ref)).ref
    for number in range(7):
        clock.advance(hours=2)
        with container.work(SYSTEM) as work:
            roster.end(work, employer_id, entry_id)
            values = {"employee_id": str(number), "holder_ref": ref}
            entry_id = roster.add(work, employer_id, **values).id

    kinds = [row.kind for row in notices(container)]
    assert (kinds.count("consent_asked"), kinds.count("employment_ended")) == (3, 3)


# Several at once.
def test_decisions_of_an_hour_make_one_message_the_gravest_first(
    container, clock, certified, submitted
):
    (id_,) = certified()
    decide(container, submitted(id_, "One"))
    clock.advance(minutes=5)
    refuse(container, submitted(id_, "Two"))
    assert sent(container, clock, minutes=6) == [], "ten minutes after the last one"
    (message,) = sent(container, clock, minutes=5)

    assert message.subject.endswith("an activity was not accepted (and 1 more update)")
    assert message.text.index("“Two”") < message.text.index("“One”")


@SQLITE
def test_after_a_message_the_next_one_collects_what_is_decided_within_the_hour(
    container, clock, certified, submitted
):
    (id_,) = certified()
    waiting = [submitted(id_, title) for title in ("One", "Two", "Three")]
    decide(container, waiting[0])
    assert len(sent(container, clock)) == 1
    for one in waiting[1:]:
        clock.advance(minutes=9)
        decide(container, one)
    assert sent(container, clock, minutes=30) == []
    (message,) = sent(container, clock, minutes=20)

    assert "“Two”" in message.text
    assert "“Three”" in message.text
    assert len(cases.letters(container)) == 2


# What is true no more.
def test_what_was_decided_otherwise_meanwhile_is_left_out(container, clock, certified, submitted):
    (id_,) = certified()
    kept, undone = submitted(id_, "Kept"), submitted(id_, "Undone")
    decide(container, kept)
    decide(container, undone)
    with container.work(SYSTEM) as work:
        work.connection.execute(
            update(Activity).where(Activity.id == undone).values(state="submitted")
        )
    (message,) = sent(container, clock)

    assert "Approved: “Kept”" in message.text
    assert "Approved: “Undone”" not in message.text
    assert "We received your activity “Undone”" in message.text


@SQLITE
def test_a_message_with_nothing_true_left_is_cancelled(container, clock, certified):
    (id_,) = certified(on=TODAY)
    cases.change(container, id_, "suspend", TODAY)
    (message,) = sent(container, clock, minutes=0)
    assert message.subject.endswith("is suspended")
    cases.change(container, id_, "reinstate", TODAY)
    cases.change(container, id_, "revoke", TODAY)
    (message,) = sent(container, clock)

    assert message.subject.endswith("is revoked")
    assert cases.states(container) == ["cancelled", "cancelled", "sent", "sent"]


@SQLITE
def test_a_suspension_undone_before_it_was_told_is_told_by_nothing(container, clock, certified):
    (id_,) = certified()
    cases.change(container, id_, "suspend", TODAY)
    clock.advance(minutes=9)
    cases.change(container, id_, "reinstate", TODAY)

    assert sent(container, clock) == []
    assert cases.states(container) == ["cancelled", "cancelled"]


@SQLITE
def test_whoever_switched_decisions_off_gets_none(container, clock, certified, submitted):
    (id_,) = certified()
    decide(container, submitted(id_))
    switch_off(container)

    assert sent(container, clock) == []
    assert cases.states(container) == ["cancelled"]


@SQLITE
def test_news_that_could_not_be_sent_for_a_fortnight_is_not_sent(
    container, clock, certified, submitted
):
    (id_,) = certified()
    decide(container, submitted(id_))
    clock.advance(days=15)

    assert sent(container, clock) == []
    assert cases.states(container) == ["cancelled"]


# Who is told nothing.
def test_old_facts_write_no_messages(container, certified):
    certified(on=TODAY - timedelta(days=15))

    assert cases.letters(container) == []
    assert notices(container) == []


def test_nobody_is_written_to_whose_addresses_are_all_suppressed(container, clock, certified):
    with container.work(SYSTEM) as work:
        work.session.add(
            Suppression(address="gone@example.com", reason="hard_bounce", recorded_at=work.now)
        )
    certified(on=TODAY, email="gone@example.com")
    certified(on=TODAY, email="Gone@example.com", second_email="second@example.com")

    assert [message.recipient for message in sent(container, clock)] == ["second@example.com"]
    assert len(cases.letters(container)) == 1


# None lost, none twice.
def test_a_change_that_fails_leaves_no_message(container, certified, submitted):
    (id_,) = certified()
    activity_id, holder_id = submitted(id_), holder_of(container, id_)
    before = cases.letters(container), notices(container)
    with pytest.raises(SelfReview), container.work(replace(SYSTEM, holder_id=holder_id)) as work:
        activity_decisions.decide(
            work,
            activity_id,
            activity_decisions.ReviewerDecision(ActivityVerdict.APPROVED),
            version=2,
        )

    assert (cases.letters(container), notices(container)) == before


@SQLITE
def test_an_event_is_told_once_however_often_it_is_reported(container):
    with container.work(SYSTEM) as work:
        ids = cases.holders(work, 2)
        cases.award(work, ids, TODAY)
        awards.settle(work, work.schemes["cpt"], ids)

    assert len(notices(container)) == 2
    assert {row.message_id for row in notices(container)} == {
        r.id for r in cases.letters(container)
    }


@SQLITE
def test_a_message_that_is_sent_again_is_the_same_to_the_byte(container, clock, certified):
    (id_,) = certified(on=TODAY)
    clock.advance(minutes=11)
    with cases.relay(container, cuts={"*": [Cut.BEFORE_250]}) as (sending, catcher):
        jobs.dispatch(sending)
        clock.advance(minutes=16)
        jobs.reap(container)
        (row,) = cases.letters(container)
        assert (row.state, row.facts is not None) == ("ready", True)
        cases.change(container, id_, "surrender", clock.now.date())
        jobs.dispatch(sending)
        first, second = catcher.letters()

    assert first.raw == second.raw


def test_news_that_changes_after_it_was_composed_is_composed_anew(container, clock, certified):
    certified(on=TODAY)
    clock.advance(minutes=11)
    names = ["Maria"]

    def correct():
        if names:
            with container.work(SYSTEM) as work:
                work.connection.execute(update(Holder).values(given_name=names.pop()))

    with cases.relay(container) as (sending, catcher):
        with jobs.smtp_sender(sending) as sender:
            dispatcher.dispatch(sending, cases.Interrupted(sender, correct))
        assert catcher.letters() == []
        clock.advance(minutes=1)
        jobs.dispatch(sending)
        (message,) = catcher.letters()

    assert "Maria" in message.text


@SQLITE
def test_an_award_brings_its_dates_for_the_calendar(container, clock, certified):
    (id_,) = certified(on=TODAY, language="es")
    (email,) = sent(container, clock)
    message = message_from_bytes(email.raw, policy=policy.default)
    (file,) = message.iter_attachments()

    assert file.get_content_type() == "text/calendar"
    assert file.get_param("method") == "PUBLISH"
    assert f"UID:{id_}-window@" in file.get_content()
    assert "DTSTART;VALUE=DATE:20311121" in file.get_content()
    assert "Último día de validez: Técnico Certificado en Producción" in unfolded(file)
    assert "Adjuntamos estas fechas en un archivo de calendario." in email.text


def unfolded(file):
    return file.get_content().replace("\r\n", "\n").replace("\n ", "")


# What it costs.
def test_telling_and_composing_take_the_same_statements_for_few_and_many(container, clock):
    told = []
    for count in (25, 40):  # beyond the few for which there is no COPY
        with container.work(SYSTEM) as work, counted(container) as ran:
            cases.award(work, cases.holders(work, count), TODAY)
        told.append(len(ran))
    clock.advance(minutes=11)
    composed = []
    with container.work(SYSTEM) as work:
        send_safety.open_row(work)
        place = send_safety.place(work)
        batches = [leases.claim(work, owner="me", place=place, limit=n) for n in (2, 30)]
    for claims in batches:
        with container.reading(SYSTEM) as reading, counted(container) as ran:
            made = composers.compose(reading, container.message_key, claims)
        assert all(hasattr(one, "data") for one in made.values())
        composed.append(len(ran))

    assert told[0] == told[1]
    assert composed[0] == composed[1]
