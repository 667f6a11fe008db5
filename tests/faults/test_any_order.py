"""Whatever happens in whatever order, crashes included: nothing lost, nothing twice.

And what is of use is told in the end, once nothing withholds it any more.
"""

from __future__ import annotations

import shutil
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import hypothesis
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select, update

from tests.conftest import START, Frozen, allow_sending
from tests.conftest import make_container as office_on
from tests.mail_faults import Catcher
from tests.services.delivery import reminder_cases as cases
from tracker import jobs
from tracker.domain.delivery import reminders as rules
from tracker.domain.errors import Refusal
from tracker.domain.permissions import SYSTEM
from tracker.models import (
    Certification,
    Cycle,
    Holder,
    Message,
    Preference,
    Reminder,
    Span,
)
from tracker.services.delivery import dispatcher, due_stages, reaper
from tracker.services.delivery import ledger as reminders
from tracker.services.outbox import cursors, suppressions
from tracker.services.people import preferences
from tracker.services.standings import snapshots

ZONES = ("America/New_York", "America/Los_Angeles", "Europe/Madrid", "Pacific/Auckland")
CHANGES = ("suspend", "reinstate", "revoke", "surrender")


class Crash(BaseException):
    """The process ends here."""


class Dying:
    """A carrier whose process ends after so many letters.

    It ends before the next one, after its marker, or after the mail server has taken it.
    """

    def __init__(self, carrier, letters, moment):
        self.carrier, self.letters, self.moment = carrier, letters, moment

    def deliver(self, **letter):
        self.letters -= 1
        if self.letters >= 0:
            return self.carrier.deliver(**letter)
        if self.moment == "after the marker" and letter["mark"]():
            raise Crash
        if self.moment == "after the letter":
            self.carrier.deliver(**letter)
        raise Crash


class Life(RuleBasedStateMachine):
    """Certifications of a small town, month after month."""

    certifications = Bundle("certifications")
    make_container: Any

    @initialize()
    def begin(self):
        self.clock = Frozen(START)
        self.catcher = Catcher()
        self.catcher.start()
        self.container = cases.with_relay(self.make_container(self.clock), self.catcher.port)
        allow_sending(self.container)

    def teardown(self):
        for _ in range(3):
            self.go_on(hours=7)
        self.wait_for_the_hour()
        self.all_that_is_of_use_was_told()
        self.catcher.stop()
        taken, states = self.ledger(), Counter(row.state for row in cases.letters(self.container))
        sent = {row.message_id for row in cases.letters(self.container) if row.state == "sent"}
        self.container.engine.dispose()
        assert taken == dict.fromkeys(sent, 1)
        assert states.keys() <= {"sent", "cancelled"}, states

    @rule(target=certifications, ahead=st.integers(-5, 120), zone=st.sampled_from(ZONES))
    def issue(self, ahead, zone):
        expires_on = self.clock.now.date() + timedelta(days=ahead)
        if (expires_on.month, expires_on.day) == (2, 29):
            expires_on += timedelta(days=1)
        return cases.certified(self.container, expires_on, time_zone=zone)[0]

    @rule(id_=certifications)
    def renew(self, id_):
        with suppress(Refusal):
            cases.renew(self.container, id_, self.clock.now.date())

    @rule(id_=certifications, kind=st.sampled_from(CHANGES))
    def change(self, id_, kind):
        with suppress(Refusal):
            cases.change(self.container, id_, kind, self.clock.now.date())

    @rule(id_=certifications, days=st.integers(1, 20))
    def suspend_for_a_while(self, id_, days):
        today = self.clock.now.date()
        with suppress(Refusal):
            cases.change(self.container, id_, "suspend", today)
            cases.change(self.container, id_, "reinstate", today + timedelta(days=days))

    @rule(id_=certifications, days=st.integers(0, 20))
    def pause(self, id_, days):
        until = self.clock.now.date() + timedelta(days=days)
        with self.container.work(SYSTEM) as work, suppress(Refusal):
            holder_id = cases.holder_of(work, id_)
            preferences.put(work, "reminders", [holder_id], {"snoozed_until": until})

    @rule(id_=certifications, days=st.integers(1, 20))
    def rest(self, id_, days):
        with self.container.work(SYSTEM) as work:
            address = f"{cases.holder_of(work, id_)}@example.com"
            suppressions.rest(work, {address: work.now + timedelta(days=days)})

    @rule(target=certifications, id_=certifications)
    def certify_again(self, id_):
        """Certify somebody under another scheme whose certification ends on the same day."""
        with self.container.work(SYSTEM) as work:
            row = work.row(select(Certification).where(Certification.id == id_))
            first = select(Cycle.starts_on).where(Cycle.certification_id == id_)
            on = work.row(first.order_by(Cycle.ordinal)).starts_on
            held = select(Certification.id).where(
                Certification.holder_id == row.holder_id, Certification.scheme == "clt"
            )
            if (known := work.row(held)) is not None:
                return known.id
            return cases.award(work, [row.holder_id], on, scheme="clt")[0]

    @rule(id_=certifications, zone=st.sampled_from(ZONES))
    def move(self, id_, zone):
        with self.container.work(SYSTEM) as work:
            holder_id = cases.holder_of(work, id_)
            statement = update(Holder).where(Holder.id == holder_id).values(time_zone=zone)
            work.connection.execute(statement)
            cursors.touch_holders(work, [holder_id])

    @rule(id_=certifications, wanted=st.booleans())
    def prefer(self, id_, wanted):
        with self.container.work(SYSTEM) as work:
            preferences.put(work, "reminders", [cases.holder_of(work, id_)], {"wanted": wanted})

    @rule(days=st.integers(0, 35))
    def plan_only(self, days):
        """As when the relay is away: what is planned waits."""
        self.clock.advance(days=days)
        jobs.plan(self.container)

    @rule(days=st.integers(0, 35), hours=st.integers(0, 23))
    def tick(self, days, hours):
        self.go_on(days=days, hours=hours)

    @rule(
        days=st.integers(0, 35),
        letters=st.integers(0, 2),
        moment=st.sampled_from(["before", "after the marker", "after the letter"]),
    )
    def crash(self, days, letters, moment):
        self.clock.advance(days=days)
        jobs.plan(self.container)
        with suppress(Crash), jobs.smtp_sender(self.container) as sender:
            dispatcher.dispatch(self.container, Dying(sender, letters, moment))

    @invariant()
    def every_stage_has_one_row_and_every_letter_one_copy(self):
        if hasattr(self, "container"):
            with self.container.reading(SYSTEM) as reading:
                assert reminders.identity_violations(reading) == []
            assert max(self.ledger().values(), default=1) == 1

    def go_on(self, **later):
        """Time passes: leases run out, the relay's evidence comes in, and all jobs run."""
        self.clock.advance(minutes=16)
        accepted = [reaper.Acceptance(c.message_id, self.clock.now) for c in self.catcher.letters()]
        with self.container.work(SYSTEM) as work:
            reaper.record_evidence(work, accepted, complete_until=self.clock.now)
        jobs.reap(self.container)
        self.clock.advance(**later)
        jobs.plan(self.container)
        jobs.dispatch(self.container)

    def wait_for_the_hour(self):
        """What ends by itself is told from nine o'clock on: by then it is, in all of the zones."""
        late = self.clock.now.replace(hour=22)
        self.clock.now = late if late > self.clock.now else late + timedelta(days=1)
        self.go_on()

    def all_that_is_of_use_was_told(self):
        """The latest stage of each certification has left, if nothing withholds it now."""
        with self.container.reading(SYSTEM) as reading:
            for row in reading.rows(due_stages.CURSORS.where(snapshots.CURRENT)):
                if (stage := self.owed(reading, row)) is not None:
                    told = reading.rows(
                        select(Message.state)
                        .join(Reminder, Reminder.message_id == Message.id)
                        .where(
                            Reminder.certification_id == row.certification_id,
                            Reminder.expires_on == row.expires_on,
                            Reminder.offset == stage.offset,
                        )
                    )
                    assert [one.state for one in told] == ["sent"], (row, stage, told)

    def owed(self, reading, row):
        """The stage of a cursor that its holder should have been told of by now, if there is one.

        Asks the rule, as of a certification of which nothing was decided so far.
        """
        policy, zone = reading.schemes[row.scheme].reminders, ZoneInfo(row.time_zone)
        if policy is None or row.expires_on is None:
            return None
        today = self.clock.now.astimezone(zone).date()
        span = reading.row(
            select(Span.hold, Span.pending_since).where(
                Span.certification_id == row.certification_id,
                Span.from_on <= today,
                Span.until_on > today,
            )
        )
        wish = reading.row(
            select(Preference.wanted, Preference.snoozed_until).where(
                Preference.holder_id == row.holder_id, Preference.type == "reminders"
            )
        )
        look = rules.ReminderFacts(
            now=self.clock.now,
            opened_at=rules.opening(row.opened_on, zone),
            hold=span.hold if span else None,
            pending=bool(span and span.pending_since),
            deliverable=not suppressions.since(reading, [row.email], now=reading.now),
            wanted=wish is None or wish.wanted,
            snoozed=wish is not None and rules.is_paused(wish.snoozed_until, today),
        )
        return rules.plan(rules.stages(policy, row.expires_on, zone), look, policy).current

    def ledger(self):
        return Counter(letter.message_id for letter in self.catcher.letters())


@pytest.mark.parametrize(
    ("examples", "steps"),
    [(10, 15), pytest.param(300, 40, marks=pytest.mark.faults)],
    ids=["short", "long"],
)
def test_nothing_is_lost_and_nothing_is_sent_twice(templates, tmp_path, examples, steps):
    template, count = templates("sqlite"), 0

    def make_container(clock):
        nonlocal count
        count += 1
        copy = tmp_path / f"{count}.sqlite3"
        shutil.copyfile(template, copy)
        return office_on(f"sqlite:///{copy}", tmp_path, clock)

    machine = type("Lives", (Life,), {"make_container": staticmethod(make_container)})
    settings = hypothesis.settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        print_blob=True,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    run_state_machine_as_test(machine, settings=settings)
