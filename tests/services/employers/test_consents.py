"""Consent as a service: what it opens, when it ends, whom an entry means."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select, update

from tests import factories
from tests.api.employers import employer_cases
from tests.backends import SQLITE
from tracker.domain.employers.consents import ConsentTerms
from tracker.domain.errors import AlreadyRecorded, NotFound
from tracker.domain.permissions import SYSTEM, Actor
from tracker.models import Holder, Sharing
from tracker.services.employers import (
    digest_contents,
    roster,
    sharing,
    workforce,
    workforce_numbers,
    workforce_selection,
)

STANDING = {"name", "certificate_number", "status", "valid"}
DATES = {"expires_on", "window_opens_on", "window_closes_on", "days_left"}


@pytest.fixture
def acme(container):
    return employer_cases.company(container)


def holder(acme, employee_id):
    return Actor(role="holder", name="Ana", holder_id=acme.holders[employee_id])


def viewer(container, acme, employee_id) -> Any:
    with container.reading(holder(acme, employee_id)) as reading:
        (found,) = sharing.mine(reading)
        return found


@pytest.mark.parametrize(
    ("terms", "fields", "seen"),
    [
        ({"with_dates": False}, ("standing",), STANDING),
        ({}, ("standing", "dates"), STANDING | DATES),
        ({"with_points": True}, ("standing", "dates", "points"), STANDING | DATES | {"points"}),
        (
            {"with_dates": False, "with_modules": True},
            ("standing", "modules"),
            STANDING | {"modules"},
        ),
    ],
)
def test_a_holder_is_told_the_fields_that_the_employer_sees(container, acme, terms, fields, seen):
    acme.hire("1", **({"with_points": False} | terms))
    found = viewer(container, acme, "1")
    assert (found.fields, set(found.seen)) == (fields, seen)


@SQLITE
def test_consent_without_employment_shows_nothing(container, acme):
    acme.hire("1", ended_on=date(2026, 11, 21))
    found = viewer(container, acme, "1")
    assert (found.shared, found.on_roster, found.seen) == (True, False, ())


@SQLITE
def test_consent_is_refused_beside_a_live_one_and_given_again_after_its_end(container, acme):
    acme.hire("1")
    first = viewer(container, acme, "1")
    with pytest.raises(AlreadyRecorded), container.work(holder(acme, "1")) as work:
        sharing.consent(work, acme.id, ConsentTerms(with_points=True))
    with container.work(holder(acme, "1")) as work:
        sharing.end(work, first.id)
        again = sharing.consent(work, acme.id)
    assert again.id != first.id
    assert viewer(container, acme, "1") == again


@SQLITE
def test_the_last_day_of_consent_is_included(container, acme, clock):
    acme.hire("1", until_on=date(2026, 11, 25))
    clock.set("2026-11-25")
    assert viewer(container, acme, "1").shared
    clock.set("2026-11-26")
    assert not viewer(container, acme, "1").shared


def test_the_day_turns_where_the_scheme_is_at_home(container, acme, clock):
    acme.hire("1", until_on=date(2026, 11, 25))
    clock.set("2026-11-26T04:59:00+00:00")  # one minute to midnight in New York
    assert viewer(container, acme, "1").shared
    clock.set("2026-11-26T05:00:00+00:00")
    assert not viewer(container, acme, "1").shared


def test_only_a_holder_has_sharing_of_their_own(container, acme):
    acme.hire("1")
    with container.work(SYSTEM) as work:
        with pytest.raises(NotFound):
            sharing.mine(work)
        with pytest.raises(NotFound):
            sharing.end(work, acme.sharing_of("1"))


def test_ending_employment_ends_the_consent(container, acme):
    acme.hire("1")
    with container.work(SYSTEM) as work:
        roster.end(work, acme.id, acme.entries["1"])
    with container.reading(holder(acme, "1")) as reading:
        assert sharing.mine(reading) == []
        ((reason, ended_at),) = reading.rows(select(Sharing.end_reason, Sharing.ended_at))
    assert (reason, ended_at) == ("employment_ended", work.now)


def test_a_consent_says_how_it_ended(container, acme, clock):
    acme.hire("1", "2", until_on=date(2026, 11, 25))
    with container.work(holder(acme, "1")) as work:
        sharing.end(work, acme.sharing_of("1"))
    clock.set("2026-12-01")
    with container.work(holder(acme, "2")) as work:
        sharing.consent(work, acme.id)
    with container.reading(SYSTEM) as reading:
        rows = reading.rows(select(Sharing.holder_id, Sharing.end_reason).order_by(Sharing.id))
    reasons = {(acme.holders["1"], "withdrawn"), (acme.holders["2"], "lapsed")}
    assert {(row.holder_id, row.end_reason) for row in rows if row.end_reason} == reasons


def test_a_consent_lasts_no_longer_than_an_employment_whose_end_is_recorded(container, acme, clock):
    acme.hire("1", ended_on=date(2026, 12, 1))
    before = viewer(container, acme, "1")
    assert (before.shared, before.on_roster, before.until_on) == (True, True, date(2026, 11, 30))
    clock.set("2026-12-01")
    with container.reading(holder(acme, "1")) as reading:
        assert sharing.mine(reading) == []
    with container.work(holder(acme, "1")) as work:
        again = sharing.consent(work, acme.id)
    assert (again.shared, again.on_roster, again.seen) == (True, False, ())
    with container.reading(SYSTEM) as reading:
        rows = reading.rows(select(Sharing.end_reason).order_by(Sharing.id))
    assert [row.end_reason for row in rows] == ["employment_ended", None]


def test_a_consent_is_not_in_force_before_its_day_and_is_replaced_by_one_of_today(
    container, acme, clock
):
    acme.hire("1")
    with container.engine.begin() as connection:
        connection.execute(update(Sharing).values(consented_on=date(2026, 11, 30)))
    assert not viewer(container, acme, "1").shared
    with container.reading(SYSTEM) as reading:
        asked = workforce_selection.question(reading, acme.id, "cpt", on=date(2027, 1, 1))
        (seen,) = workforce.page(reading, asked, after=None, limit=9, sort="urgency")
        assert (seen.shared, seen.name, seen.status) == (False, None, "not_shared")
    with container.work(holder(acme, "1")) as work:
        assert sharing.consent(work, acme.id).shared
    clock.set("2026-11-30")
    assert viewer(container, acme, "1").since == date(2026, 11, 21)


@SQLITE
def test_a_deceased_worker_leaves_the_workforce(container, acme):
    acme.hire("1", "2")
    with container.engine.begin() as connection:
        dead = update(Holder).where(Holder.id == acme.holders["1"])
        connection.execute(dead.values(deceased_on=date(2026, 11, 1)))
    with container.reading(SYSTEM) as reading:
        asked = workforce_selection.question(reading, acme.id, "cpt", on=None)
        page = workforce.page(reading, asked, after=None, limit=9, sort="employee_id")
        assert [(w.employee_id, w.shared, w.name is None) for w in page] == [
            ("1", False, True),
            ("2", True, False),
        ]
        assert workforce_numbers.summary(reading, asked).by_status["not_shared"] == 1
        assert len(digest_contents.consents(reading, [acme.id])[acme.id]) == 1


@SQLITE
def test_a_deceased_person_is_tied_to_no_entry_any_more(container, acme):
    with container.work(SYSTEM) as work:
        ana = factories.holder(work, email="ana@example.org", ref="H-1")
        dead = update(Holder).where(Holder.id == ana)
        work.connection.execute(dead.values(deceased_on=date(2026, 11, 1)))
        for number, words in enumerate(({"email": "ana@example.org"}, {"holder_ref": "H-1"})):
            entry = roster.add(work, acme.id, employee_id=str(number), **words)
            assert entry.holder_id is None
