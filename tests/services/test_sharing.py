"""Consent as a service: what it opens, when it ends, whom an entry means."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests.api import employer_cases
from tracker.domain.errors import AlreadyRecorded, NotFound
from tracker.domain.permissions import SYSTEM, Actor
from tracker.domain.workforce import FIELDS, POINTS_FIELDS
from tracker.services import roster, sharing


@pytest.fixture
def acme(office):
    return employer_cases.company(office)


def holder(acme, employee_id):
    return Actor(role="holder", name="Ana", holder_id=acme.holders[employee_id])


def viewer(office, acme, employee_id) -> Any:
    with office.reading(holder(acme, employee_id)) as reading:
        (found,) = sharing.mine(reading)
        return found


@pytest.mark.parametrize(
    ("with_points", "fields"), [(True, FIELDS + POINTS_FIELDS), (False, FIELDS)]
)
def test_a_holder_is_told_the_fields_that_the_employer_sees(office, acme, with_points, fields):
    acme.hire("1", with_points=with_points)
    assert viewer(office, acme, "1").fields == fields


def test_consent_without_employment_shows_nothing(office, acme):
    acme.hire("1", ended_on=date(2026, 11, 21))
    found = viewer(office, acme, "1")
    assert (found.shared, found.on_roster, found.fields) == (True, False, ())


def test_consent_is_refused_beside_a_live_one_and_given_again_after_its_end(office, acme):
    acme.hire("1")
    first = viewer(office, acme, "1")
    with pytest.raises(AlreadyRecorded), office.work(holder(acme, "1")) as work:
        sharing.consent(work, acme.id, until_on=None, with_points=True)
    with office.work(holder(acme, "1")) as work:
        sharing.end(work, first.id)
        again = sharing.consent(work, acme.id, until_on=None, with_points=False)
    assert again.id != first.id
    assert viewer(office, acme, "1") == again


def test_the_last_day_of_consent_is_included(office, acme, clock):
    acme.hire("1", until_on=date(2026, 11, 25))
    clock.set("2026-11-25")
    assert viewer(office, acme, "1").shared
    clock.set("2026-11-26")
    assert not viewer(office, acme, "1").shared


def test_the_day_turns_where_the_scheme_is_at_home(office, acme, clock):
    acme.hire("1", until_on=date(2026, 11, 25))
    clock.set("2026-11-26T04:59:00+00:00")  # one minute to midnight in New York
    assert viewer(office, acme, "1").shared
    clock.set("2026-11-26T05:00:00+00:00")
    assert not viewer(office, acme, "1").shared


def test_only_a_holder_has_sharing_of_their_own(office, acme):
    acme.hire("1")
    with office.work(SYSTEM) as work:
        with pytest.raises(NotFound):
            sharing.mine(work)
        with pytest.raises(NotFound):
            sharing.end(work, acme.sharing_of("1"))


def test_ending_employment_leaves_the_consent_to_the_holder(office, acme):
    acme.hire("1")
    with office.work(SYSTEM) as work:
        roster.end(work, acme.id, acme.entries["1"])
    found = viewer(office, acme, "1")
    assert (found.shared, found.on_roster) == (True, False)
