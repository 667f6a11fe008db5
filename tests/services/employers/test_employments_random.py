"""Random histories of lists, ends, consents and files: what holds after each step of all."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from tests import factories
from tests.api.employers import employer_cases
from tests.conftest import examples
from tests.services.imports.importing import bring, fates
from tracker import jobs
from tracker.domain.errors import AlreadyRecorded
from tracker.domain.permissions import SYSTEM, Actor
from tracker.models import (
    Employer,
    ImportRun,
    Message,
    Notice,
    RosterEntry,
    Sharing,
)
from tracker.services.employers import roster, sharing
from tracker.services.employers.roster import CONSENTED, EMPLOYED
from tracker.services.imports import ImportRefused

HEAD = "employer,employee_id,email,ended_on\n"
PEOPLE = ("a", "b")
WORDS = ("a1@x.org", "a2@x.org", "b1@x.org", "b2@x.org", "n@x.org")
_numbers, _words = st.sampled_from("12"), st.sampled_from(WORDS)
_lines = st.lists(
    st.tuples(_numbers, _words, st.sampled_from(["", "", "2026-11-20", "+0", "+9"])),
    min_size=1,
    max_size=2,
    unique_by=lambda line: line[0],
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("post"), _numbers, _words),
        st.tuples(st.just("end"), _numbers),
        st.tuples(st.just("consent"), st.sampled_from(PEOPLE)),
        st.tuples(st.just("withdraw"), st.sampled_from(PEOPLE)),
        st.tuples(st.just("file"), st.booleans(), _lines),
        st.tuples(st.just("wait"), st.sampled_from([0, 1, 10])),
    ),
    max_size=14,
)


@pytest.fixture
def people(container):
    """Two people with two addresses each."""
    with container.work(SYSTEM) as work:
        return {
            one: factories.holder(work, email=f"{one}1@x.org", second_email=f"{one}2@x.org")
            for one in PEOPLE
        }


class World:
    """One employer, two people, and what may happen between them."""

    def __init__(self, container, clock, people):
        self.container, self.clock, self.people = container, clock, people
        self.company = employer_cases.company(container)

    def me(self, one):
        return self.container.work(Actor(role="holder", name="x", holder_id=self.people[one]))

    def post(self, number, word):
        try:
            with self.container.work(SYSTEM) as work:
                roster.add(work, self.company.id, employee_id=number, email=word)
        except AlreadyRecorded:
            assert number in {entry.employee_id for entry in self.current()}

    def end(self, number):
        for entry in self.current():
            if entry.employee_id == number:
                with self.container.work(SYSTEM) as work:
                    roster.end(work, self.company.id, entry.id)

    def consent(self, one):
        try:
            with self.me(one) as work:
                sharing.consent(work, self.company.id)
        except AlreadyRecorded:
            assert self.consents(self.people[one])

    def withdraw(self, one):
        with self.me(one) as work:
            for viewer in sharing.mine(work):
                if viewer.id:
                    sharing.end(work, viewer.id)

    def file(self, own, lines):
        day = self.clock().date().toordinal()
        ends = [date.fromordinal(day + int(e)) if e[:1] == "+" else e for *_, e in lines]
        rows_ = "".join(
            f"Acme,{line[0]},{line[1]},{end}\n" for line, end in zip(lines, ends, strict=True)
        )
        of = self.company.id if own else None
        try:
            bring(self.container, "roster", HEAD + rows_, employer_id=of)
        except ImportRefused:
            return  # an end before that of an earlier employment
        again = bring(self.container, "roster", HEAD + rows_, employer_id=of)
        assert fates(again) == (0, 0, len(lines)), "the same file twice changes nothing"

    def wait(self, days):
        self.clock.advance(days=days, seconds=1)
        jobs.end_employments(self.container)

    def current(self):
        """The entries that have not ended."""
        statement = select(RosterEntry.__table__).where(EMPLOYED)
        return self.rows(statement)

    def visible(self):
        """The consents by which someone is seen, with whom."""
        statement = select(RosterEntry.holder_id, Sharing.id).join(Sharing, CONSENTED)
        return {(row[1], row[0]) for row in self.rows(statement)}

    def consents(self, holder_id):
        statement = select(Sharing.id).where(Sharing.holder_id == holder_id)
        return {row.id for row in self.rows(statement)}

    def rows(self, statement):
        with self.container.reading(SYSTEM) as reading:
            return list(reading.rows(statement, {"today": reading.now.date()}))


@settings(examples(25), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_whatever_happens_one_person_is_one_entry_and_is_seen_by_consent_to_this_employment(
    container, people, clock, steps
):
    with container.engine.begin() as connection:
        for table in (
            Notice,
            Message,
            Sharing,
            RosterEntry,
            ImportRun,
            Employer,
        ):
            connection.execute(delete(table))
    clock.set("2026-11-21")
    world = World(container, clock, people)
    former: dict[str, set[str]] = {one: set() for one in people.values()}
    for kind, *given_ in steps:
        before = world.visible()
        getattr(world, kind)(*given_)
        current = world.current()
        tied = [entry.holder_id for entry in current if entry.holder_id]
        numbers = [entry.employee_id for entry in current]
        assert len(set(tied)) == len(tied)
        assert len(set(numbers)) == len(numbers)
        for holder_id in set(people.values()) - set(tied):
            former[holder_id] |= world.consents(holder_id)
        seen = world.visible()
        assert all(consent not in former[holder_id] for consent, holder_id in seen)
        assert kind == "consent" or seen <= before, "nobody comes into sight but by consenting"
