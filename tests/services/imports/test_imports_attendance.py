"""services/imports/attendance.py, services/points/attendance.py: what a list brings."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from tests import factories
from tests.backends import SQLITE
from tests.services.imports.importing import refused, rows
from tests.services.points import attendance_cases
from tests.services.points.attendance_cases import HELD_ON, PROVIDER, SAM, TITLE, attend
from tracker.db import new_id
from tracker.domain.errors import AlreadyRecorded
from tracker.domain.permissions import SYSTEM, Actor
from tracker.domain.points.attendance import Outcome
from tracker.models import Activity, Attendance, Decision, Discrepancy, Holder, Notice
from tracker.services.desk import discrepancies
from tracker.services.desk.discrepancies import Settlement
from tracker.services.imports import ImportRefused
from tracker.services.overview import belongings
from tracker.services.overview.belongings import ErasedPerson
from tracker.services.points import activities, courses

AWARDED = date(2024, 3, 1)
CLAIM = {
    "category": "CE",
    "type": "third_party",
    "title": "ROBOT  Safety",
    "provider": "ivy tech",
    "quantity": Decimal(24),
    "completed_on": HELD_ON,
}


@pytest.fixture
def ana(container):
    return factories.certified(container, AWARDED, given_name="Ana", email="ana@example.org")


def claim(container, certification_id, *, submit=True, **values):
    with container.work(SYSTEM) as work:
        id_ = activities.log(work, certification_id, CLAIM | values)
        if submit:
            activities.submit(work, id_)
    return id_


def filed(container):
    return rows(container, Discrepancy, "kind", "state", "said", "claimed", "outcome")


@pytest.mark.usefixtures("ana")
def test_an_approved_course_brings_an_approved_activity_once(container):
    attendance_cases.course(container)
    email = {"email": "ANA@example.org", "name": "Ana"}

    first, again = attend(container, email), attend(container, email)

    assert (first.created, again.created, again.unchanged) == (1, 0, 1)
    (made,) = rows(container, Activity, "title", "provider", "quantity", "state", "completed_on")
    assert made == (TITLE, PROVIDER, Decimal("16.00"), "approved", HELD_ON)
    decided = rows(container, Decision, "verdict", "provider_approved", "decided_by")
    assert decided == [("approved", True, "Sam")]
    assert ("activity_decided",) in rows(container, Notice, "kind")
    assert filed(container) == []


@pytest.mark.usefixtures("ana")
def test_a_course_that_is_only_proposed_brings_a_draft(container):
    attendance_cases.course(container, approved=False)

    attend(container, {"email": "ana@example.org"})

    assert rows(container, Activity, "state", "quantity") == [("draft", Decimal("16.00"))]
    assert rows(container, Decision, "id") == []


@SQLITE
def test_who_approved_the_course_approves_nothing_of_their_own(container, ana):
    course_id = attendance_cases.course(container, approved=False)
    own = Actor(role="staff", name="Ana", person_id=ana[0])
    attendance_cases.approve(container, course_id, by=own)

    attend(container, {"email": "ana@example.org"})

    assert rows(container, Activity, "state") == [("draft",)]


def test_what_the_holder_claims_is_compared_and_not_doubled(container, ana):
    attendance_cases.course(container)
    claim(container, ana[1])

    report = attend(container, {"email": "ana@example.org"})

    assert report.effects["attendance discrepancies"] == 1
    assert rows(container, Activity, "quantity", "state") == [(Decimal("24.00"), "submitted")]
    expected = ("contradiction", "open", Decimal("16.00"), Decimal("24.00"), None)
    assert filed(container) == [expected]

    attend(container, {"email": "ana@example.org", "quantity": "24"})  # the provider corrects it

    assert filed(container) == [(*expected[:1], "settled", *expected[2:4], "listed")]


def test_who_claims_a_course_and_is_not_on_its_list(container, ana):
    attendance_cases.course(container)
    claim(container, ana[1])
    bea = factories.certified(container, AWARDED, given_name="Bea", email="bea@example.org")

    attend(container, {"email": "bea@example.org"})
    claim(container, bea[1])  # has a row, although it says something else
    cid = factories.certified(container, AWARDED, given_name="Cid", email="cid@example.org")
    claim(container, cid[1])  # submitted after the list came

    silent = rows(container, Discrepancy, "kind", "state", "holder_id", "claimed")
    assert {row[2] for row in silent} == {ana[0], cid[0]}
    assert {row[:2] for row in silent} == {("silent", "open")}

    attend(container, {"email": "ana@example.org", "quantity": "24"})

    settled = rows(container, Discrepancy, "holder_id", "state", "outcome")
    assert (ana[0], "settled", "listed") in settled
    assert (cid[0], "open", None) in settled


@pytest.mark.usefixtures("ana")
@pytest.mark.parametrize(
    ("row", "detail"),
    [
        ({"email": "nobody@example.org"}, "It is not certain who on record is meant."),
        ({"name": "Ana Peña"}, "It is not certain who on record is meant."),
        ({"email": "ana@example.org", "name": "Bo Smith"}, "The name on record is different."),
        ({"email": "dan@example.org"}, "The holder has died."),
    ],
)
def test_a_row_whose_person_is_not_certain_is_filed(container, row, detail):
    attendance_cases.course(container)
    dan, _ = factories.certified(container, AWARDED, email="dan@example.org")
    with container.work(SYSTEM) as work:
        work.session.get_one(Holder, dan).deceased_on = HELD_ON

    attend(container, row)
    attend(container, row)

    assert rows(container, Discrepancy, "kind", "detail") == [("unmatched", detail)]
    assert rows(container, Activity, "id") == []


def test_a_row_finds_its_person_as_soon_as_one_is_on_record(container):
    attendance_cases.course(container)
    attend(container, {"email": "ana@example.org"})
    factories.certified(container, AWARDED, email="ana@example.org")

    again = attend(container, {"email": "ana@example.org"})

    assert again.unchanged == 1
    assert rows(container, Activity, "state") == [("approved",)]
    assert rows(container, Discrepancy, "state", "outcome") == [("settled", "listed")]


@pytest.mark.parametrize("awarded_on", [None, date(2026, 11, 1)])
def test_what_the_rules_do_not_take_is_filed_with_the_reason(container, awarded_on):
    attendance_cases.course(container)
    if awarded_on:
        factories.certified(container, awarded_on, email="ana@example.org")
    else:
        with container.work(SYSTEM) as work:
            factories.holder(work, email="ana@example.org")

    attend(container, {"email": "ana@example.org"})

    ((kind, detail),) = rows(container, Discrepancy, "kind", "detail")
    assert kind == "refused"
    assert ("2026-11-01" if awarded_on else "no certification under cpt") in detail


def test_a_provider_learns_nothing_of_who_is_on_record(container, ana):
    course_id = attendance_cases.course(container)
    with container.reading(SYSTEM) as reading:
        provider_id = courses.get(reading, course_id).provider_id
        ref = reading.row(select(Holder.ref).where(Holder.id == ana[0])).ref
    by = Actor(role="provider", name="Pat", organization_id=provider_id)

    def seen(**row):
        reports = [attend(container, row, by=by) for _ in range(2)]
        return [
            {**report.to_dict(), "id": None, "filename": None, "recorded_at": None}
            for report in reports
        ]

    assert seen(email="ana@example.org") == seen(email="nobody@example.org")
    assert seen(holder_ref=ref) == seen(holder_ref="17.0")
    assert len(rows(container, Activity, "state")) == 1


@SQLITE
@pytest.mark.usefixtures("ana")
def test_a_malformed_row_refuses_the_whole_file(container):
    attendance_cases.course(container)
    file = (
        "course,held_on,name,email,quantity\n"
        f"RS-1,{HELD_ON},,ana@example.org,\n"
        f"RS-1,{HELD_ON},Other,ANA@example.org,\n"
        f"RS-2,{HELD_ON},Bo,,\n"
        "RS-1,2027-01-01,Bo,,\n"
        f"RS-1,{HELD_ON},,,\n"
        f"RS-1,{HELD_ON},Cid,,0\n"
    )

    problems = refused(container, "attendance", file)

    assert [(row, column) for row, column, _ in problems] == [
        (3, "course"),
        (4, "course"),
        (5, "held_on"),
        (6, "name"),
        (7, "quantity"),
    ]


@SQLITE
def test_the_body_s_people_do_not_list_themselves(container, ana):
    attendance_cases.course(container)
    own = Actor(role="staff", name="Ana", person_id=new_id(), holder_id=ana[0])

    with pytest.raises(ImportRefused):
        attend(container, {"email": "ana@example.org"}, by=own)

    with container.reading(SYSTEM) as reading:
        assert reading.row(select(func.count()).select_from(Attendance))[0] == 0
    assert SAM.holder_id is None


def test_a_draft_that_its_holder_changed_is_compared_when_it_is_submitted(container, ana):
    attendance_cases.course(container, approved=False)
    attend(container, {"email": "ana@example.org"})
    ((id_,),) = rows(container, Activity, "id")
    by = Actor(role="holder", name="Ana", holder_id=ana[0])
    with container.work(by) as work:
        activities.edit(work, id_, {"quantity": Decimal(24)}, version=1)
        activities.submit(work, id_)

    assert filed(container) == [("contradiction", "open", Decimal(16), Decimal(24), None)]


def test_a_course_with_another_title_brings_nothing_twice(container, ana):
    course_id = attendance_cases.course(container)
    attend(container, {"email": "ana@example.org"})
    with container.work(SYSTEM) as work:
        version = courses.get(work, course_id).version
        title = {"title": "Robotics safety"}
        courses.amend(work, course_id, title, reason="A new name.", version=version)
    attendance_cases.approve(container, course_id)

    attend(container, {"email": "ana@example.org", "quantity": "24"})

    assert rows(container, Activity, "holder_id", "title") == [(ana[0], TITLE)]
    assert filed(container) == [("contradiction", "open", Decimal(24), Decimal(16), None)]


def test_of_one_course_and_day_a_holder_submits_one(container, ana):
    attendance_cases.course(container, approved=False)
    attend(container, {"email": "ana@example.org"})
    ((first,),) = rows(container, Activity, "id")
    by = Actor(role="holder", name="Ana", holder_id=ana[0])
    with container.work(by) as work:
        activities.submit(work, first)
        activities.withdraw(work, first)
    attend(container, {"email": "ana@example.org", "quantity": "24"})  # brings another draft

    with pytest.raises(AlreadyRecorded, match="Another activity"), container.work(by) as work:
        activities.submit(work, first)

    assert sorted(rows(container, Activity, "state")) == [("draft",), ("withdrawn",)]


def test_the_body_s_people_do_not_list_a_row_that_was_matched_to_them(container, ana):
    attendance_cases.course(container)
    attend(container, {"name": "A. Pena"})
    ((id_,),) = rows(container, Discrepancy, "id")
    with container.work(SAM) as work:
        match = Settlement(outcome=Outcome.MATCHED, holder_id=ana[0])
        discrepancies.settle(work, id_, match, version=1)
    own = Actor(role="staff", name="Ana", person_id=new_id(), holder_id=ana[0])

    with pytest.raises(ImportRefused):
        attend(container, {"name": "A. Pena", "quantity": "40"}, by=own)

    assert rows(container, Attendance, "quantity") == [(Decimal(16),)]


def test_a_doubtful_row_about_somebody_erased_names_nobody(container, ana):
    attendance_cases.course(container)
    with container.reading(SYSTEM) as reading:
        ref = reading.row(select(Holder.ref).where(Holder.id == ana[0])).ref
    attend(container, {"holder_ref": ref, "name": "Bo Smith"}, {"name": "Cid Roe"})

    with container.work(SYSTEM) as work:
        belongings.remove(work, ErasedPerson(ana[0], ["ana@example.org"]))

    left = rows(container, Attendance, "given_name", "given_holder_ref")
    assert sorted(left, key=str) == [("Cid Roe", None), (None, None)]
