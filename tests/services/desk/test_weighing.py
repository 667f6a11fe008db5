"""Points as if undecided activities were approved (services/desk/weighing.py)."""

from __future__ import annotations

from datetime import date

import pytest

from tests.services.desk.queue_cases import TODAY, Desk
from tracker.domain.permissions import SYSTEM
from tracker.services.desk import weighing
from tracker.services.standings import standings
from tracker.services.standings.related_facts import CertificationKey

JOB = {"category": "E", "type": "employment_full_time", "completed_on": None}


@pytest.fixture
def desk(container):
    """Ana, with a course and a job that count, and a course and a job that wait."""
    made = Desk(container)
    made.person("ana")
    made.approved("ana", "30")
    made.decided("approved", "ana", "", starts_on=date(2024, 1, 1), **JOB)
    made.waits("course", "ana", "20")
    made.waits("job", "ana", "", starts_on=date(2023, 6, 1), **JOB)
    return made


def points_of(weighed, key, extra=()):
    found = weighed.points(key, extra)
    assert found is not None
    return found


def key_of(desk):
    holder_id, certification_id = desk.people["ana"]
    return CertificationKey(certification_id, holder_id, "cpt")


def test_points_with_more_claims_are_those_of_all_claims_together(desk):
    key = key_of(desk)
    with desk.container.reading(SYSTEM) as reading:
        weighed = weighing.read(reading, [key], on=TODAY)
        activities = weighed.activities[key.holder_id, key.scheme]
        approved = [one for one in activities if one.approved_on(TODAY)]
        (record,) = weighed._records.values()
        waiting = weighed.waiting(key)
        assert len(waiting) == 2
        for extra in ([waiting[0]], [waiting[1]], waiting, []):
            whole = standings.evaluate(
                reading.schemes["cpt"], record, approved, on=TODAY, extra=extra
            )
            assert points_of(weighed, key, extra) == whole
        more = [points_of(weighed, key, [one]).evaluation.total for one in waiting]
        assert min(more) > points_of(weighed, key).evaluation.total


def test_a_certification_is_priced_once_however_many_claims_are_weighed(desk):
    key = key_of(desk)
    with desk.container.reading(SYSTEM) as reading:
        weighed = weighing.read(reading, [key], on=TODAY)
        now = points_of(weighed, key)
        assert all(
            points_of(weighed, key, [one]).priced is now.priced for one in weighed.waiting(key)
        )


def test_a_claim_that_counts_already_is_weighed_once(desk):
    key = key_of(desk)
    with desk.container.reading(SYSTEM) as reading:
        weighed = weighing.read(reading, [key], on=TODAY)
        now = points_of(weighed, key)
        for claim in now.evaluation.claims:
            assert points_of(weighed, key, [claim]).evaluation == now.evaluation
