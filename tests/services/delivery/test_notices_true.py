"""News worded from what is on record when it leaves: corrected, undone, overtaken, expired."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import delete, insert, select, update

from tests.backends import SQLITE
from tests.services.delivery import reminder_cases as cases
from tracker import jobs
from tracker.db import new_id
from tracker.domain.credentials.certifications import ChangeKind
from tracker.domain.desk.audits import AuditBasis
from tracker.domain.permissions import SYSTEM
from tracker.models import (
    Activity,
    Adjustment,
    Appeal,
    AuditItem,
    Certification,
    Decision,
    Employer,
    Fee,
    FormerRenewalDecision,
    Holder,
    HolderRequest,
    Message,
    Renewal,
    RosterEntry,
    Sharing,
    StandingChange,
)
from tracker.services.credentials import adjustments, certifications
from tracker.services.desk import audits
from tracker.services.desk.audits import AuditToDraw
from tracker.services.outbox import notices
from tracker.services.outbox.notices import NoticeToTell
from tracker.services.points import activities

TODAY = date(2026, 11, 21)
AWARDED = date(2022, 1, 10)  # the window opens on October 12, 2026
EXPIRED = date(2021, 11, 1)  # expired on November 1, 2026


def tell(container, kind, subject_id, event, holder_id):
    """What another service does when it happens."""
    with container.work(SYSTEM) as work:
        notice = NoticeToTell(
            kind=kind, holder_id=holder_id, subject_id=subject_id, event=event, on=work.now.date()
        )
        notices.tell(work, [notice])


def certified(container, on=AWARDED, **holder):
    """A certification and its holder."""
    with container.work(SYSTEM) as work:
        people = cases.holders(work, 1, **holder)
        return cases.award(work, people, on)[0], people[0]


def write(container, *statements):
    with container.work(SYSTEM) as work:
        for statement in statements:
            work.connection.execute(statement)


def of(certification_id):
    return update(Certification).where(Certification.id == certification_id)


def sent(container, clock, minutes=11):
    """The messages that go out some minutes from now."""
    clock.advance(minutes=minutes)
    with cases.relay(container) as (sending, catcher):
        jobs.dispatch(sending)
        return catcher.letters()


def submitted(container, certification_id, done=date(2026, 5, 1), title="Robots"):
    with container.work(SYSTEM) as work:
        id_ = activities.log(
            work,
            certification_id,
            {
                "category": "CE",
                "type": "third_party",
                "title": title,
                "provider": "Amatrol",
                "quantity": Decimal(16),
                "completed_on": done,
            },
        )
        activities.submit(work, id_)
    return id_


def decide(container, activity_id, verdict="approved", reason=None):
    """Decide, also what was decided before, as a later decision supersedes it."""
    with container.work(SYSTEM) as work:
        row = {
            "id": new_id(),
            "activity_id": activity_id,
            "verdict": verdict,
            "reason": reason,
            "decided_on": TODAY,
            "decided_by": "test",
            "recorded_at": work.now,
        }
        work.connection.execute(insert(Decision), row)
        work.connection.execute(
            update(Activity).where(Activity.id == activity_id).values(state=verdict)
        )
        holder_id = work.row(select(Activity.holder_id).where(Activity.id == activity_id)).holder_id
    tell(container, "activity_decided", activity_id, row["id"], holder_id)
    return row["id"]


def undo(container, decision_id, activity_id, state="submitted"):
    with container.work(SYSTEM) as work:
        taken_back = update(Decision).where(Decision.id == decision_id)
        work.connection.execute(taken_back.values(undone_at=work.now))
        work.connection.execute(
            update(Activity).where(Activity.id == activity_id).values(state=state)
        )


# After the expiry.
@SQLITE
def test_a_suspension_lifted_after_the_expiry_says_that_it_expired(container, clock):
    clock.set("2026-06-01")
    id_, _ = certified(container, EXPIRED)
    cases.change(container, id_, "suspend", date(2026, 6, 1))
    sent(container, clock)
    clock.set("2026-11-21")
    cases.change(container, id_, "reinstate", TODAY)
    (message,) = sent(container, clock)

    assert message.subject.endswith("your certification is no longer suspended")
    assert "The suspension was lifted effective November 21, 2026." in message.text
    assert "It expired on November 1, 2026." in message.text
    assert "It can no longer be renewed. To get certified again, reply" in message.text
    assert "valid through" not in message.text


def denied(container, certification_id, *, closed_at):
    """A renewal that was applied for in time and is denied now; gives its id."""
    cases.apply(container, certification_id, date(2026, 10, 20))
    with container.work(SYSTEM) as work:
        id_ = work.row(select(Renewal.id)).id
        values = {
            "decision": "denied",
            "decided_on": TODAY,
            "reason": "Unpaid.",
            "closed_at": closed_at,
        }
        work.connection.execute(update(Renewal).values(values))
        certifications.refresh(work, work.schemes["cpt"], [certification_id])
    return id_


@SQLITE
def test_a_denial_after_the_expiry_is_about_today(container, clock):
    id_, holder_id = certified(container, EXPIRED)
    renewal_id = denied(container, id_, closed_at=clock.now)
    tell(container, "renewal_decided", renewal_id, "denied:0", holder_id)
    (message,) = sent(container, clock)

    assert "It expired on November 1, 2026." in message.text
    assert "You can appeal until December 21, 2026. To appeal, reply to this email" in message.text
    assert "An appeal costs $50.00, which we refund if it is successful." in message.text
    for untrue in ("valid through", "reapply", "apply for renewal", "Until then"):
        assert untrue not in message.text


@SQLITE
def test_an_automatic_denial_gives_its_reason_in_the_holders_language(container, clock):
    id_, holder_id = certified(container, EXPIRED)
    renewal_id = denied(container, id_, closed_at=clock.now)
    automatic = {"decided_by": SYSTEM.name, "reason_code": "points_missing", "reason": "40 of 100."}
    write(container, update(Renewal).values(automatic), update(Holder).values(language="es"))
    tell(container, "renewal_decided", renewal_id, "denied:0", holder_id)
    (message,) = sent(container, clock)

    assert "Los puntos no alcanzan lo exigido" in message.text
    assert "40 of 100." not in message.text


def test_an_audit_asks_with_a_button_to_the_audits_and_says_nothing_once_answered(container, clock):
    id_, _ = certified(container)
    activity_id = submitted(container, id_)
    decide(container, activity_id)
    sent(container, clock)
    wanted = AuditToDraw(
        scheme="cpt",
        basis=AuditBasis.HAND,
        seed="one",
        from_on=TODAY,
        until_on=TODAY,
        reply_days=14,
        reason="The audit.",
        activity_ids=[activity_id],
    )
    with container.work(SYSTEM) as work:
        audits.draw(work, wanted)
    (message,) = sent(container, clock)
    assert message.subject.endswith("please show us proof of an activity")
    assert "Please show us proof of it by December 5, 2026." in message.text
    assert "/account/audits" in message.text

    clock.set("2026-12-07")
    assert jobs.follow_audits(container) == {"reminded": 1}
    write(container, update(AuditItem).values(state="answered", answer="x", answered_at=clock.now))
    assert sent(container, clock) == []


@SQLITE
def test_a_denial_before_the_expiry_says_until_when_to_reapply_and_the_fee(container, clock):
    id_, holder_id = certified(container)
    cases.complete(container, id_, date(2025, 5, 1))
    renewal_id = denied(container, id_, closed_at=clock.now)
    tell(container, "renewal_decided", renewal_id, "denied:0", holder_id)
    (message,) = sent(container, clock)

    assert "It is valid through January 10, 2027." in message.text
    assert "Supply what was missing and reapply." in message.text
    assert (
        "Your last day is January 10, 2027: you have until midnight where you live." in message.text
    )
    assert "The renewal fee is $75.00." in message.text


def test_an_appeal_that_was_filed_is_not_offered_again(container, clock):
    id_, holder_id = certified(container, EXPIRED)
    renewal_id = denied(container, id_, closed_at=clock.now)
    with container.work(SYSTEM) as work:
        work.session.add(
            Appeal(
                certification_id=id_,
                renewal_id=renewal_id,
                statement="x",
                filed_on=TODAY,
                due_on=TODAY,
                fee=Decimal(50),
                recorded_at=work.now,
            )
        )
    tell(container, "renewal_decided", renewal_id, "denied:0", holder_id)
    (message,) = sent(container, clock)
    assert "appeal" not in message.text


@SQLITE
def test_the_last_day_to_appeal_is_counted_from_the_holders_own_day(container, clock):
    clock.now = datetime(2026, 11, 21, 9, tzinfo=UTC)  # the 20th in Honolulu
    for zone in ("Pacific/Honolulu", "America/New_York"):
        id_, _ = certified(container, time_zone=zone)
        cases.change(container, id_, "suspend", date(2026, 11, 20))
    first, second = sent(container, clock, minutes=0)

    assert "You can appeal until December 20, 2026." in first.text
    assert "You can appeal until December 21, 2026." in second.text


@SQLITE
def test_an_approval_for_what_expired_or_was_revoked_says_so(container, clock):
    expired, _ = certified(container, EXPIRED)
    revoked, _ = certified(container)
    for id_ in (expired, revoked):
        decide(container, submitted(container, id_))
    cases.change(container, revoked, "revoke", TODAY)
    texts = [message.text for message in sent(container, clock) if "Robots" in message.text]

    assert "It expired on November 1, 2026." in texts[0]
    assert "It is revoked." in texts[1]


@SQLITE
def test_points_of_a_cycle_that_is_over_are_not_measured_by_the_new_one(container, clock):
    id_, _ = certified(container)
    activity_id = submitted(container, id_)
    cases.renew(container, id_, TODAY)
    clock.set("2027-01-20")
    decide(container, activity_id)
    (message,) = sent(container, clock)

    assert "Approved: “Robots”." in message.text
    assert "Points earned" not in message.text
    assert " of 100 points" not in message.text


@SQLITE
def test_a_reinstatement_that_another_one_follows_at_once_is_told(container, clock):
    id_, _ = certified(container)
    cases.change(container, id_, "suspend", date(2026, 11, 1))
    sent(container, clock)
    clock.advance(days=2)
    cases.change(container, id_, "reinstate", date(2026, 11, 23))
    clock.advance(minutes=2)
    cases.change(container, id_, "reinstate", date(2026, 11, 1))
    (message,) = sent(container, clock, minutes=21)

    assert "has been reinstated" in message.subject


@SQLITE
def test_whoever_is_asked_for_something_is_not_told_that_there_is_nothing_to_do(container, clock):
    id_, _ = certified(container)
    activity_id = submitted(container, id_)
    applied = {
        "id": new_id(),
        "certification_id": id_,
        "cycle": 1,
        "submitted_on": TODAY,
        "recorded_at": clock.now,
        "version": 1,
    }
    write(container, insert(Renewal).values(applied))
    with container.work(SYSTEM) as work:
        certifications.refresh(work, work.schemes["cpt"], [id_])
    decide(container, activity_id, "more_information", "Which hours?")
    (message,) = sent(container, clock)

    assert "What is missing: Which hours?" in message.text
    assert "don't need to do anything" not in message.text


@SQLITE
def test_an_approved_renewal_is_not_followed_by_resubmit(container, clock):
    id_, holder_id = certified(container)
    decide(container, submitted(container, id_), "more_information", "Which hours?")
    cases.renew(container, id_, TODAY)
    with container.reading(SYSTEM) as reading:
        renewal_id = reading.row(select(Renewal.id)).id
    tell(container, "renewal_decided", renewal_id, "approved:0", holder_id)
    (message,) = sent(container, clock, minutes=21)

    assert message.subject.endswith("your renewal is approved (and 1 more update)")
    assert "You don't need to do anything about this activity anymore" in message.text
    assert "resubmit" not in message.text


# Awards.
@SQLITE
def test_a_corrected_date_is_told_once_with_what_it_was_before(container, clock):
    id_, holder_id = certified(container)
    for before, now in (("2022-01-10", date(2022, 2, 1)), ("2022-02-01", date(2022, 3, 1))):
        write(container, of(id_).values(awarded_on=now))
        tell(container, "award_corrected", id_, before, holder_id)
    assert sent(container, clock, minutes=9) == []
    (message,) = sent(container, clock, minutes=2)

    assert "It is March 1, 2022, not January 10, 2022." in message.text
    assert message.text.count("We corrected the date") == 1
    assert "Your certificate number and its public page stay the same." in message.text
    assert "We always send messages like this one" in message.text


@SQLITE
def test_a_date_corrected_and_put_back_within_ten_minutes_is_told_by_nothing(container, clock):
    id_, holder_id = certified(container)
    tell(container, "award_corrected", id_, "2022-01-10", holder_id)
    clock.advance(minutes=5)
    tell(container, "award_corrected", id_, "2022-02-01", holder_id)

    assert sent(container, clock, minutes=20) == []
    assert cases.states(container) == ["cancelled"]


@SQLITE
def test_only_the_withdrawal_speaks_of_a_withdrawn_award(container, clock):
    id_, holder_id = certified(container)
    decide(container, submitted(container, id_))
    write(container, of(id_).values(withdrawn_at=clock.now))
    tell(container, "award_withdrawn", id_, clock.now.isoformat(), holder_id)
    (message,) = sent(container, clock, minutes=21)

    assert message.subject.endswith("your certification was withdrawn")
    assert "because it had been recorded in error" in message.text
    assert "valid" not in message.text.partition("We always send")[0]
    assert "Robots" not in message.text


@SQLITE
def test_an_award_withdrawn_within_ten_minutes_is_told_by_nothing(container, clock):
    id_, holder_id = certified(container, TODAY)
    clock.advance(minutes=5)
    write(container, of(id_).values(withdrawn_at=clock.now))
    tell(container, "award_withdrawn", id_, clock.now.isoformat(), holder_id)

    assert sent(container, clock, minutes=21) == []


@SQLITE
def test_an_award_that_came_back_is_told_to_whoever_was_told_that_it_was_gone(container, clock):
    told, untold = certified(container), certified(container)
    for id_, holder_id in (told, untold):
        write(container, of(id_).values(withdrawn_at=clock.now))
        if id_ == told[0]:
            tell(container, "award_withdrawn", id_, clock.now.isoformat(), holder_id)
    sent(container, clock)
    for id_, holder_id in (told, untold):
        write(container, of(id_).values(withdrawn_at=None))
        tell(container, "award_corrected", id_, f"restored:{clock.now.isoformat()}", holder_id)
    (message,) = sent(container, clock)

    assert message.subject.endswith("your certification is back on record")
    assert "It is valid through January 10, 2027." in message.text


@SQLITE
def test_an_award_that_expired_already_is_no_reason_to_congratulate(container, clock):
    id_, holder_id = certified(container, EXPIRED)
    tell(container, "award", id_, "award", holder_id)
    (message,) = sent(container, clock)

    assert "Congratulations" not in message.text
    assert "which you earned on November 1, 2021." in message.text
    assert "It expired on November 1, 2026." in message.text


@SQLITE
def test_news_of_an_award_that_another_one_followed_is_left_out(container, clock):
    id_, holder_id = certified(container)
    tell(container, "award", id_, "award", holder_id)
    write(container, of(id_).values(replaced_on=TODAY))
    assert sent(container, clock) == []


# Decisions.
@SQLITE
def test_a_decision_changed_after_it_was_told_is_told_as_a_change(container, clock):
    id_, _ = certified(container)
    activity_id = submitted(container, id_)
    decide(container, activity_id, "rejected", "Not readable.")
    sent(container, clock)
    decide(container, activity_id)
    (message,) = sent(container, clock, minutes=61)

    assert message.subject.endswith("we've changed our decision on an activity")
    assert "We've changed our decision on “Robots”: it is approved now." in message.text


@SQLITE
def test_a_decision_on_what_was_submitted_again_is_no_change(container, clock):
    id_, _ = certified(container)
    activity_id = submitted(container, id_)
    decide(container, activity_id, "rejected", "Not readable.")
    sent(container, clock)
    clock.advance(minutes=1)
    again = update(Activity).where(Activity.id == activity_id)
    write(container, again.values(submitted_at=clock.now))
    clock.advance(minutes=1)
    decide(container, activity_id)
    (message,) = sent(container, clock, minutes=61)

    assert message.subject.endswith("an activity was approved")


@SQLITE
def test_a_decision_taken_back_is_told_where_it_had_been_told(container, clock):
    id_, holder_id = certified(container)
    activity_id = submitted(container, id_)
    decision_id = decide(container, activity_id)
    sent(container, clock)
    undo(container, decision_id, activity_id)
    tell(container, "activity_reopened", activity_id, decision_id, holder_id)
    (message,) = sent(container, clock, minutes=61)
    assert "We took back our decision on “Robots” and are reviewing it again." in message.text

    other = submitted(container, id_, title="Cranes")
    untold = decide(container, other)
    clock.advance(minutes=5)
    undo(container, untold, other)
    tell(container, "activity_reopened", other, untold, holder_id)
    (message,) = sent(container, clock, minutes=121)
    assert "We received your activity “Cranes”" in message.text
    assert "decision" not in message.text.partition("You're receiving")[0]


def test_a_decision_made_again_as_it_was_told_is_not_told_again(container, clock):
    id_, _ = certified(container)
    activity_id = submitted(container, id_)
    first = decide(container, activity_id)
    sent(container, clock)
    undo(container, first, activity_id)
    decide(container, activity_id)
    assert sent(container, clock, minutes=61) == []


@SQLITE
def test_a_decision_that_rules_again_is_told_where_another_had_been(container, clock):
    id_, holder_id = certified(container)
    activity_id = submitted(container, id_)
    first = decide(container, activity_id)
    sent(container, clock)
    second = decide(container, activity_id, "rejected", "Not readable.")
    undo(container, second, activity_id, state="approved")
    tell(container, "activity_decided", activity_id, f"{first}:1", holder_id)
    assert sent(container, clock, minutes=61) == [], "nobody was told of the second"

    third = decide(container, activity_id, "rejected", "Not readable.")
    (rejected,) = sent(container, clock, minutes=61)
    undo(container, third, activity_id, state="approved")
    tell(container, "activity_decided", activity_id, f"{first}:2", holder_id)
    (approved,) = sent(container, clock, minutes=61)
    assert "“Robots”: it is not accepted." in rejected.text
    assert "“Robots”: it is approved now." in approved.text


@SQLITE
def test_a_renewal_decided_otherwise_after_it_was_told_is_told_as_a_change(container, clock):
    id_, holder_id = certified(container)
    renewal_id = denied(container, id_, closed_at=clock.now)
    tell(container, "renewal_decided", renewal_id, "denied:0", holder_id)
    sent(container, clock)
    former_id = new_id()
    former = {
        "id": former_id,
        "renewal_id": renewal_id,
        "decision": "denied",
        "decided_on": TODAY,
        "reason": "Unpaid.",
        "ended_at": clock.now,
        "ended_by": "x",
        "ended_reason": "Paid.",
    }
    write(
        container,
        insert(FormerRenewalDecision).values(former),
        update(Renewal).values(decision=None, decided_on=None, closed_at=None),
    )
    with container.work(SYSTEM) as work:
        certifications.refresh(work, work.schemes["cpt"], [id_])
    tell(container, "renewal_reopened", renewal_id, former_id, holder_id)
    (reopened,) = sent(container, clock, minutes=61)
    write(container, update(Renewal).values(decision="approved", decided_on=TODAY))
    tell(container, "renewal_decided", renewal_id, "approved:1", holder_id)
    (approved,) = sent(container, clock, minutes=61)

    assert "are reviewing your application again" in reopened.text
    assert "We are reviewing the renewal you applied for on October 20, 2026." in reopened.text
    assert approved.subject.endswith("your renewal is approved"), "it was told as open before"


def test_a_renewal_superseded_without_being_reopened_is_a_change(container, clock):
    id_, holder_id = certified(container)
    renewal_id = denied(container, id_, closed_at=clock.now)
    tell(container, "renewal_decided", renewal_id, "denied:0", holder_id)
    sent(container, clock)
    former = {
        "id": new_id(),
        "renewal_id": renewal_id,
        "decision": "denied",
        "decided_on": TODAY,
        "reason": "Unpaid.",
        "ended_at": clock.now,
        "ended_by": "x",
        "ended_reason": "Paid.",
    }
    write(
        container,
        insert(FormerRenewalDecision).values(former),
        update(Renewal).values(decision="approved", reason=None),
    )
    tell(container, "renewal_decided", renewal_id, "approved:1", holder_id)
    (message,) = sent(container, clock, minutes=61)

    assert "We've changed our decision on your renewal: it was approved" in message.text


def of_appeal(work, holder_id, state):
    """The fee of an appeal, in a state; its id."""
    fee = Fee(
        holder_id=holder_id,
        amount=Decimal(50),
        currency="USD",
        bundled=False,
        basis="x",
        state=state,
        changed_at=work.now,
        changed_by="x",
        reference="x" if state == "paid" else None,
        reason="x",
        recorded_at=work.now,
    )
    work.session.add(fee)
    work.session.flush()
    return fee.id


@pytest.mark.parametrize(("fee", "says"), [(None, True), ("waived", False), ("paid", True)])
def test_an_appeal_and_what_it_brings_make_one_message(container, clock, fee, says):
    id_, holder_id = certified(container)
    cases.change(container, id_, "suspend", TODAY)
    sent(container, clock)
    with container.work(SYSTEM) as work:
        change_id = work.row(select(StandingChange.id)).id
        fee_id = of_appeal(work, holder_id, fee) if fee else None
        appeal = Appeal(
            certification_id=id_,
            change_id=change_id,
            statement="x",
            filed_on=TODAY,
            due_on=TODAY,
            fee=Decimal(50),
            fee_id=fee_id,
            fee_refunded=True,
            outcome="upheld",
            decided_on=TODAY,
            reason="It was paid.",
            recorded_at=work.now,
        )
        work.session.add(appeal)
        work.session.flush()
        appeal_id = appeal.id
    cases.change(container, id_, "reinstate", TODAY)
    tell(container, "appeal_decided", appeal_id, "upheld", holder_id)
    (message,) = sent(container, clock)

    assert "against the suspension was successful." in message.text
    assert ("We will refund the $50.00" in message.text) is says
    assert "Reinstated effective November 21, 2026." in message.text
    assert message.text.count("It is valid through January 10, 2027.") == 1


# Adjustments.
def adjusted(container, id_, holder_id, until):
    wanted = adjustments.AdjustmentToRecord(
        extended_to=until,
        points_required=None,
        reason_code="other",
        reason="A storm.",
        effective_on=None,
        requested_on=None,
        override_reason="staff",
    )
    with container.work(SYSTEM) as work:
        made = adjustments.adjust(work, id_, wanted)
    tell(container, "adjusted", id_, made, holder_id)
    return made


@SQLITE
def test_an_extension_is_told_with_the_new_date(container, clock):
    id_, holder_id = certified(container)
    adjusted(container, id_, holder_id, date(2027, 3, 10))
    (message,) = sent(container, clock)

    assert message.subject.endswith("your certification was extended")
    assert "It is valid through March 10, 2027." in message.text


@SQLITE
def test_an_extension_taken_back_within_ten_minutes_is_told_by_nothing(container, clock):
    id_, holder_id = certified(container)
    adjusted(container, id_, holder_id, date(2027, 3, 10))
    with container.work(SYSTEM) as work:
        row = work.row(select(Adjustment.__table__))
        back = {**row._mapping, "id": new_id(), "number": 2, "extended_to": date(2027, 1, 10)}
        work.connection.execute(insert(Adjustment), back)
        certifications.refresh(work, work.schemes["cpt"], [id_])
    tell(container, "adjusted", id_, back["id"], holder_id)
    assert sent(container, clock, minutes=21) == []


# Employers and requests.
def listed(container, holder_id, *, shared=False, ended_on=None):
    with container.work(SYSTEM) as work:
        employer = Employer(name="Acme", recorded_at=work.now)
        work.session.add(employer)
        work.session.flush()
        entry = RosterEntry(
            employer_id=employer.id,
            employee_id="7",
            holder_id=holder_id,
            ended_on=ended_on,
            recorded_at=work.now,
        )
        work.session.add(entry)
        if shared:
            work.session.add(
                Sharing(
                    holder_id=holder_id,
                    employer_id=employer.id,
                    consented_on=TODAY,
                    recorded_at=work.now,
                    recorded_by="staff",
                )
            )
        work.session.flush()
        return employer.id, entry.id


@pytest.mark.parametrize("with_points", [True, False])
def test_whoever_is_listed_with_a_consent_is_told_what_is_seen_at_once(
    container, clock, with_points
):
    _, holder_id = certified(container)
    employer_id, entry_id = listed(container, holder_id, shared=True)
    write(container, update(Sharing).values(with_points=with_points))
    tell(container, "listed", employer_id, entry_id, holder_id)
    (message,) = sent(container, clock, minutes=0)

    assert message.subject == "An employer can see whether you are certified"
    assert ("and your points." in message.text) is with_points
    assert ("but not your points." in message.text) is not with_points
    assert "/account/sharing" in message.text, "where to decide"


def test_whoever_is_taken_off_a_list_is_told_at_once_unless_listed_again(container, clock):
    _, holder_id = certified(container)
    employer_id, entry_id = listed(container, holder_id, ended_on=TODAY)
    tell(container, "employment_ended", employer_id, entry_id, holder_id)
    (message,) = sent(container, clock, minutes=0)
    assert "Acme took you off its employee list." in message.text
    assert "It can no longer see whether you are certified." in message.text

    _, other_id = certified(container)
    with container.work(SYSTEM) as work:
        ended, again = (
            RosterEntry(
                employer_id=employer_id,
                employee_id=key,
                holder_id=other_id,
                ended_on=day,
                recorded_at=work.now,
            )
            for key, day in (("8", TODAY), ("9", None))
        )
        work.session.add_all([ended, again])
        work.session.flush()
        ended_id = ended.id
    tell(container, "employment_ended", employer_id, ended_id, other_id)
    assert sent(container, clock, minutes=0) == []


@pytest.mark.parametrize("state", ["granted", "refused"])
def test_a_request_that_was_decided_is_told(container, clock, state):
    _, holder_id = certified(container, family_name="Gómez" if state == "granted" else "Reyes")
    with container.work(SYSTEM) as work:
        request = HolderRequest(
            holder_id=holder_id,
            kind="name_change",
            proposal={"family_name": "Gómez"},
            state=state,
            requested_on=TODAY,
            reason="No proof.",
            recorded_at=work.now,
            closed_at=work.now,
        )
        work.session.add(request)
        work.session.flush()
        request_id = request.id
    tell(container, "request_decided", request_id, state, holder_id)
    (message,) = sent(container, clock)

    assert ("Your name on record is now Ana Gómez." in message.text) is (state == "granted")
    assert ("Reason given: No proof." in message.text) is (state == "refused")


# Whom, and again.
@SQLITE
def test_the_dead_are_written_to_no_more(container, clock):
    id_, holder_id = certified(container)
    decide(container, submitted(container, id_))
    write(container, update(Holder).values(deceased_on=TODAY))
    tell(container, "award", id_, "award", holder_id)

    assert sent(container, clock) == []
    assert cases.states(container) == ["cancelled"]


def test_a_message_composed_before_there_were_standings_can_be_sent_again(container, clock):
    id_, holder_id = certified(container)
    tell(container, "award", id_, "award", holder_id)
    with container.work(SYSTEM) as work:
        address = work.row(select(Holder.email)).email
        facts = {
            "composed_at": "2026-11-20T12:00:00+00:00",
            "address": address,
            "type": "decisions",
            "name": "Ana Reyes",
            "language": "en",
            "link": "https://t.example/",
            "days": [],
            "news": [
                {
                    "tells": "renewal_denied",
                    "scheme_name": "CPT",
                    "number": "CPT-1",
                    "on": "2026-11-20",
                    "reason": "Unpaid.",
                    "expires_on": "2026-11-01",
                },
            ],
        }
        work.connection.execute(update(Message).values(facts=facts))
    (message,) = sent(container, clock)

    assert "It expired on November 1, 2026." in message.text
    assert "https://t.example/\n" not in message.text


def test_news_of_what_is_gone_is_left_out(container, clock):
    id_, holder_id = certified(container)
    for kind in (
        "activity_decided",
        "renewal_decided",
        "appeal_decided",
        "request_decided",
        "adjusted",
        "suspended",
        "listed",
        "employment_ended",
    ):
        tell(container, kind, id_, new_id(), holder_id)
    write(container, delete(RosterEntry))
    assert sent(container, clock, minutes=21) == []
    assert "TypeError" not in str([row.last_error for row in cases.letters(container)])


@SQLITE
def test_a_decision_waits_ten_minutes_after_the_last_one_but_no_more_than_an_hour(container, clock):
    id_, _ = certified(container)
    waiting = [submitted(container, id_, title=f"Course {n}") for n in range(9)]
    messages = []
    for activity_id in waiting:
        decide(container, activity_id)
        messages += sent(container, clock, minutes=8)
    first, second = cases.letters(container)

    assert len(messages) == 1
    assert timedelta(minutes=50) < first.next_at - first.created_at <= timedelta(hours=1)
    assert second.next_at == first.next_at + timedelta(hours=1)


@SQLITE
def test_a_board_hears_of_the_latest_change_only(container, clock):
    id_, _ = certified(container)
    cases.change(container, id_, "suspend", TODAY)
    with container.work(replace(SYSTEM, name="board")) as work:
        certifications.change(
            work,
            id_,
            kind=ChangeKind.REVOKE,
            effective_on=TODAY,
            reason_code="other",
            reason="Fraud.",
        )
    (message,) = sent(container, clock, minutes=0)
    assert message.subject.endswith("your certification is revoked")
