"""Many certifications judged at once on other terms: as each alone, with as many statements."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from tests import factories, ruling
from tests.backends import SQLITE
from tests.statements import counted
from tracker.domain.credentials.assessments import AttemptToRecord
from tracker.domain.credentials.renewals import RenewalVerdict
from tracker.domain.periods import Duration
from tracker.domain.permissions import SYSTEM
from tracker.domain.points.activities import ActivityVerdict
from tracker.domain.schemes.policies import CarryOver, LateStep, PointsSharing, Reexamination
from tracker.services.credentials import assessments, renewals
from tracker.services.delivery import due_stages
from tracker.services.points import activities, activity_decisions, activity_rows, evaluations
from tracker.services.standings import related_facts, snapshots, standings
from tracker.services.standings.related_facts import CertificationKey

ON = date(2027, 1, 10)
NAME = {"en": "late", "es": "tarde"}


@pytest.fixture
def ruled(app, clock):
    """A container whose CPT needs everything that a policy can ask for, on a late day."""
    clock.set(ON.isoformat())
    late = LateStep(
        Duration(90, "days"), NAME, earns=True, extra_points=Decimal(10), fee=Decimal(25)
    )
    policy = ruling.shipped(
        app,
        late=(late,),
        carry_over=CarryOver(Decimal(40)),
        reexamination=Reexamination(("safety",)),
        sharing=PointsSharing(frozenset({"clt"}), points_required=Decimal(45)),
    )
    newer = replace(
        policy,
        version="2026",
        effective_from=date(2026, 1, 1),
        applies="more_favourable",
        points_required=Decimal(98),
    )
    return ruling.rule(app, policy, newer)


def approve(container, certification_id, points, completed_on):
    with container.work(SYSTEM) as work:
        course = {
            "category": "CE",
            "type": "third_party",
            "title": f"Course {points}",
            "quantity": Decimal(points),
            "completed_on": completed_on,
        }
        made = activities.log(work, certification_id, course)
        activities.submit(work, made)
        version = activity_rows.get(work, made).version
        activity_decisions.decide(
            work,
            made,
            activity_decisions.ReviewerDecision(ActivityVerdict.APPROVED),
            version=version,
        )


def person(container, *, renewed=False, other=False, again=False):
    """Someone certified, with what makes their terms other than their neighbours'."""
    holder_id, id_ = factories.certified(container, date(2021, 12, 25))
    approve(container, id_, 120 if renewed else 30, date(2026, 1, 5))
    with container.work(SYSTEM) as work:
        if other:
            for scheme, module in (("cla", "associate"), ("clt", "technician")):
                attempt = AttemptToRecord(scheme, module, date(2025, 6, 30), passed=True)
                assessments.record(work, holder_id, attempt)
        if again:
            attempt = AttemptToRecord("cpt", "safety", date(2026, 10, 1), passed=True)
            assessments.record(work, holder_id, attempt)
    if renewed:
        with container.work(SYSTEM) as work:
            made = renewals.apply(work, id_)
        with container.work(SYSTEM) as work:
            version = renewals.get(work, made).version
            renewals.decide(
                work, made, decision=RenewalVerdict.APPROVED, reason=None, version=version
            )
    return id_


def people(container, each=1):
    return [
        person(container, **terms)
        for _ in range(each)
        for terms in ({}, {"renewed": True}, {"other": True}, {"again": True})
    ]


def held_of(reading, ids):
    holders = {snapshots.certification(reading, id_).holder_id for id_ in ids}
    return [h for h in standings.of_many(reading, holders, on=ON) if h.id in ids]


def test_many_are_judged_as_each_alone(ruled):
    ids = people(ruled)
    with ruled.reading(SYSTEM) as reading:
        together = standings.evaluations(reading, held_of(reading, ids), on=ON)
        alone = {id_: evaluations.explain(reading, id_, on=ON).points for id_ in ids}

    assert together == {id_: points.evaluation for id_, points in alone.items()}
    usual, renewed, other, again = (together[id_] for id_ in ids)
    assert (usual.required, usual.missing) == (Decimal(108), Decimal(78))
    assert (renewed.cycle.starts_on, renewed.carried_over) == (date(2026, 12, 26), Decimal(10))
    assert (other.required, other.complete) == (Decimal(55), False)
    assert (again.reexamined_on, again.complete) == (date(2026, 10, 1), True)
    assert {id_: points.policy.version for id_, points in alone.items()} == {
        ids[0]: "2026",
        ids[1]: "2026",
        ids[2]: "2015",
        ids[3]: "2026",
    }


def test_twelve_cost_as_many_statements_as_four(ruled):
    def statements(ids):
        with ruled.reading(SYSTEM) as reading, counted(ruled) as sent:
            found = standings.evaluations(reading, held_of(reading, ids), on=ON)
            explained = len(sent)
            evaluations.explain(reading, ids[0], on=ON)
        assert len(found) == len(ids)
        return explained - len(ids), len(sent) - explained

    ids = people(ruled)
    before = statements(ids)
    assert statements(ids + people(ruled, 2)) == before
    assert max(before) <= 9


def test_where_no_policy_asks_for_more_nothing_more_is_read(container):
    holder_id, id_ = factories.certified(container, date(2021, 12, 25))
    with container.reading(SYSTEM) as reading:
        with counted(container) as sent:
            assert related_facts.of_many(reading, [CertificationKey(id_, holder_id, "cpt")]) == {}
            assert not sent
        with counted(container) as sent:
            evaluations.explain(reading, id_, on=None)
        assert len(sent) == 5  # with the standing, and how long a decision takes
        held = standings.of_holder(reading, holder_id, on=date(2026, 1, 1))
        with counted(container) as sent:
            standings.evaluations(reading, held, on=date(2026, 1, 1))
        assert len(sent) == 2


def test_the_points_of_reminders_are_judged_on_the_same_terms(ruled):
    ids = people(ruled)
    with ruled.reading(SYSTEM) as reading:
        together = standings.evaluations(reading, held_of(reading, ids), on=ON)
        keys = [
            CertificationKey(row.certification_id, row.holder_id, row.scheme)
            for row in reading.rows(due_stages.CURSORS)
            if row.certification_id in ids
        ]
        points = due_stages.points_of(reading, dict.fromkeys(keys, ON))

    assert {id_: found.evaluation for id_, found in points.items()} == together


@SQLITE
def test_an_export_tells_points_on_the_same_terms(ruled):
    ids = people(ruled)
    with ruled.reading(SYSTEM) as reading:
        held = held_of(reading, ids)
        points = standings.evaluations(reading, held, on=ON)
        rows = {r.certificate_number: r for r in standings.export(reading, on=ON)}

    for one in held:
        row, found = rows[one.number], points[one.id]
        assert (row.points_counted, row.points_required) == (found.total, found.required)
