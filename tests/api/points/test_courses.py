"""api/points/courses.py, api/points/attendance_codes.py: from a proposal to a code's activity."""

from __future__ import annotations

import threading
from datetime import date

import pytest

from tests import factories
from tests.backends import SQLITE
from tests.rows import acts_on, count
from tests.services.imports.importing import rows
from tests.services.points import attendance_cases
from tests.services.points.attendance_cases import HELD_ON
from tracker.domain.people.accounts import OrganizationAccess
from tracker.domain.permissions import SYSTEM, Actor
from tracker.models import Account, Activity, Attendance, AttendanceCode, Usage
from tracker.services.people import accounts
from tracker.services.points import attendance_codes, courses, providers

AWARDED = date(2024, 3, 1)
COURSE = {"code": "RS-1", "scheme": "cpt", "type": "third_party", "title": "Robot safety"}
PERIOD = {"approved_from": "2026-01-01", "approved_until": "2026-12-31"}
APPROVAL = {"verdict": "approved", **PERIOD}
WHY = {"reason": "The course has changed."}
CODE = {"held_on": "2026-11-21", "most": 1, "ends_at": "2026-11-22T00:00:00Z"}


@pytest.fixture
def provider(container, caller):
    with container.work(SYSTEM) as work:
        provider_id = providers.DIRECTORY.enter(work, name="Ivy Tech").id
    return caller("provider", provider_id=provider_id)


@pytest.fixture
def proposed(provider):
    answer = provider.post("/courses", COURSE | {"quantity": "16"})
    assert answer.status_code == 201, answer.json
    return answer.json


def path_of(course):
    return f"/courses/{course['id']}"


def act(caller, course, verb, body, method="POST"):
    version = caller.get(path_of(course)).headers["ETag"]
    return caller.call(method, path_of(course) + verb, json=body, version=version)


def holder(container, caller, name):
    email = f"{name}@example.org"
    holder_id, _ = factories.certified(container, AWARDED, given_name=name, email=email)
    return caller("holder", holder_id=holder_id)


def test_a_course_from_its_proposal_to_its_withdrawal(container, provider, proposed, staff, caller):
    assert (proposed["state"], proposed["points"], proposed["category"]) == (
        "proposed",
        "16.00",
        "CE",
    )
    assert provider.post("/courses", COURSE | {"quantity": "8"}).json["code"] == "already_recorded"
    assert act(provider, proposed, "/decision", APPROVAL).status_code == 403

    approved = act(staff, proposed, "/decision", APPROVAL).json
    assert (approved["state"], approved["approved_until"]) == ("approved", "2026-12-31")
    assert act(staff, proposed, "/decision", APPROVAL).status_code == 422  # a change needs a reason

    amended = act(provider, proposed, "", WHY | {"quantity": "8"}, "PATCH").json
    assert (amended["state"], amended["points"]) == ("proposed", "8.00")
    act(staff, proposed, "/decision", APPROVAL)
    assert act(provider, proposed, "/withdrawal", WHY).json["state"] == "withdrawn"
    assert act(provider, proposed, "", WHY, "PATCH").json["code"] == "illegal_transition"

    verbs = ["propose", "approve", "amend", "approve", "withdraw"]
    assert acts_on(container, "course") == verbs
    with container.work(SYSTEM) as work:
        other = providers.DIRECTORY.enter(work, name="Other").id
    stranger = caller("provider", provider_id=other)
    assert stranger.get(path_of(proposed)).status_code == 404
    assert stranger.get("/courses").json["items"] == []


@SQLITE
def test_nobody_approves_what_they_proposed(container, staff):
    with container.work(SYSTEM) as work:
        provider_id = providers.DIRECTORY.enter(work, name="Ivy Tech").id
    made = staff.post("/courses", COURSE | {"quantity": "16", "provider_id": provider_id}).json

    assert act(staff, made, "/decision", APPROVAL).json["code"] == "same_person"


@SQLITE
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"quantity": None}, "quantity"),
        ({"type": "full_time", "quantity": None}, "type"),
        ({"scheme": "cla", "quantity": "1"}, "scheme"),
    ],
)
def test_what_nobody_could_claim_is_not_proposed(provider, body, field):
    answer = provider.post("/courses", COURSE | body)

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json["errors"]] == [field]


def test_a_code_brings_an_approved_activity_once(container, caller, provider, proposed, staff):
    codes = f"{path_of(proposed)}/attendance-codes"
    assert provider.post(codes, CODE).json["code"] == "illegal_transition"  # not approved yet
    act(staff, proposed, "/decision", APPROVAL)
    made = provider.post(codes, CODE).json
    ana, bea = holder(container, caller, "ana"), holder(container, caller, "bea")

    entered = ana.post("/me/attendance-codes", {"code": made["code"].lower()})
    again = ana.post("/me/attendance-codes", {"code": made["code"]})

    assert (entered.status_code, entered.json) == (200, again.json)
    activity = ana.get(f"/activities/{entered.json['activity_id']}").json
    assert (activity["state"], activity["quantity"]) == ("approved", "16.00")
    assert activity["course_id"] == proposed["id"]
    used = bea.post("/me/attendance-codes", {"code": made["code"]})
    wrong = bea.post("/me/attendance-codes", {"code": "ABCDEFGHJK"})
    alike = ("detail", "code", "status", "errors")
    assert [used.json[key] for key in alike] == [wrong.json[key] for key in alike]
    assert used.status_code == 422
    assert provider.get(codes).json["items"][0]["used"] == 1
    assert count(container, Activity) == 1


@pytest.fixture
def codes(staff, proposed):
    """Where codes of the course are made, which is approved."""
    act(staff, proposed, "/decision", APPROVAL)
    return f"{path_of(proposed)}/attendance-codes"


def test_a_code_that_is_over_or_withdrawn_is_of_no_use(container, caller, clock, provider, codes):
    gone, over = (provider.post(codes, CODE).json for _ in range(2))
    assert provider.delete(f"/attendance-codes/{gone['id']}").status_code == 204
    ana = holder(container, caller, "ana")

    def enter(made):
        return ana.post("/me/attendance-codes", {"code": made["code"]}).status_code

    assert enter(gone) == 422
    clock.set("2026-11-22")
    assert enter(over) == 422
    assert count(container, Attendance) == 0


def test_a_providers_own_person_does_not_attend_by_its_code(container, caller, provider, codes):
    made = provider.post(codes, CODE).json
    provider_id = provider.get("/courses").json["items"][0]["provider_id"]
    with container.work(SYSTEM) as work:
        account_id = accounts.open_account(
            work,
            role="provider",
            name="Ana",
            email="Ana@Example.org",
            organization_id=provider_id,
            access=OrganizationAccess.VIEW,
        )
    ana = holder(container, caller, "ana")
    refused = ana.post("/me/attendance-codes", {"code": made["code"]})
    assert (refused.status_code, refused.json["code"]) == (403, "not_allowed")
    assert "Ivy Tech" in refused.json["detail"]
    assert count(container, Attendance) == 0
    with container.work(SYSTEM) as work:
        work.session.get_one(Account, account_id).deactivated_at = work.now
    assert ana.post("/me/attendance-codes", {"code": made["code"]}).status_code == 200


def test_attempts_with_codes_are_counted(container, caller):
    ana = holder(container, caller, "ana")
    most = container.settings.limits.guesses_per_hour
    for _ in range(most):
        assert ana.post("/me/attendance-codes", {"code": "WRONG"}).status_code == 422

    answer = ana.post("/me/attendance-codes", {"code": "WRONG"})

    assert (answer.status_code, count(container, Usage) > 0) == (429, True)


def test_two_at_once_use_one_code_once(container):
    course_id = attendance_cases.course(container)
    actors = []
    for name in ("ana", "bea"):
        id_, _ = factories.certified(container, AWARDED, email=f"{name}@example.org")
        actors.append(Actor(role="holder", name=name, holder_id=id_))
    with container.work(SYSTEM) as work:
        ends_at = work.now.replace(day=25)
        course = courses.get(work, course_id)
        assert course.is_approved_on(HELD_ON)
        day = work.now.date()
        _, code = attendance_codes.make(work, course_id, held_on=day, most=1, ends_at=ends_at)
    answers = []

    def enter(actor):
        with container.work(actor) as work:
            answers.append(attendance_codes.enter(work, code))

    threads = [threading.Thread(target=enter, args=(actor,)) for actor in actors for _ in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({one.activity_id for one in answers if one}) == 1
    assert rows(container, AttendanceCode, "used") == [(1,)]
    assert count(container, Activity) == count(container, Attendance) == 1


def test_who_qualifies_by_providers_credit_confirms_with_one_call(container, caller):
    """An approved list reaches the requirement; one call files the application."""
    attendance_cases.course(container)
    ids = factories.certified(container, date(2021, 12, 25), email="ana@example.org")
    attendance_cases.attend(container, {"email": "ana@example.org", "quantity": "60"})
    ana = caller("holder", holder_id=ids[0])
    assert ana.get("/me").json["certifications"][0]["next"]["confirm_at"] is None

    row = {"email": "ana@example.org", "quantity": "60", "held_on": date(2026, 10, 13)}
    attendance_cases.attend(container, row)
    step = ana.get("/me").json["certifications"][0]["next"]
    method, path = step["confirm_at"].split()

    assert "You already qualify" in step["sentence"]
    assert ana.call(method, path.removeprefix("/api/v1")).status_code == 201
    assert ana.get("/me").json["certifications"][0]["next"]["action"] == "wait_for_decision"
