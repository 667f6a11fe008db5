"""Orders of digests over HTTP: by the employer itself, by staff, by no one else."""

from __future__ import annotations

import pytest

from tests.api.employers.employer_cases import company, read
from tests.backends import SQLITE
from tracker.api.employers.digests import DigestOrderSchema
from tracker.db import new_id
from tracker.domain.permissions import SYSTEM
from tracker.services.outbox import suppressions

HR = {"every": "week", "address": "hr@acme.example"}


@pytest.fixture
def acme(container):
    return company(container)


@pytest.fixture
def hr(caller, acme):
    return caller("employer", employer_id=acme.id)


def test_an_employer_orders_changes_and_calls_off_its_digest(hr, acme):
    path = acme.path("/digest")
    assert hr.get(path).status_code == 404
    made = read(DigestOrderSchema, hr.call("PUT", path, json=HR))
    assert made == {
        "employer_id": acme.id,
        "every": "week",
        "language": "en",
        "address": "hr@acme.example",
        "through_on": "2026-11-20",
        "next_on": "2026-11-23",
        "deliverable": True,
        "changed_at": "2026-11-21T17:00:00Z",
    }
    assert hr.get(path).json == made
    monthly = hr.call("PUT", path, json={**HR, "every": "month", "language": "es"})
    assert read(DigestOrderSchema, monthly)["next_on"] == "2026-12-01"
    assert hr.delete(path).status_code == 204
    assert hr.delete(path).status_code == 404


def test_the_address_is_the_employers_own_if_none_is_given(hr, staff, acme):
    path = acme.path("/digest")
    refused = hr.call("PUT", path, json={"every": "week"})
    assert refused.status_code == 422
    assert [one["field"] for one in refused.json["errors"]] == ["address"]
    version = staff.get(acme.path()).headers["ETag"]
    staff.patch(acme.path(), {"email": "office@acme.example"}, version=version)
    made = read(DigestOrderSchema, staff.call("PUT", path, json={"every": "week"}))
    assert made["address"] == "office@acme.example"


def test_an_address_whose_letters_came_back_shows(container, hr, acme):
    path = acme.path("/digest")
    hr.call("PUT", path, json=HR)
    with container.work(SYSTEM) as work:
        suppressions.suppress(work, ["HR@acme.example"], "hard_bounce")
    assert hr.get(path).json["deliverable"] is False
    other = hr.call("PUT", path, json={**HR, "address": "office@acme.example"})
    assert read(DigestOrderSchema, other)["deliverable"] is True


@SQLITE
def test_staff_order_none_for_an_employer_that_is_not_on_record(staff):
    path = f"/api/v1/employers/{new_id()}/digest"
    assert staff.call("PUT", path, json=HR).status_code == 404


BAD_ORDERS = [
    {},
    {"every": "day"},
    {**HR, "language": "fr"},
    {**HR, "address": "a\r\nBcc: v@example.org"},
    {**HR, "through_on": "2020-01-01"},
]


@SQLITE
def test_a_bad_order_is_refused(hr, acme):
    for body in BAD_ORDERS:
        assert hr.call("PUT", acme.path("/digest"), json=body).status_code == 422, body


@SQLITE
def test_another_employer_and_a_holder_learn_nothing_of_it(container, hr, acme, caller):
    path = acme.path("/digest")
    hr.call("PUT", path, json=HR)
    other = caller("employer", employer_id=company(container, "Bolt").id)
    for answer in (other.get(path), other.call("PUT", path, json=HR), other.delete(path)):
        assert answer.status_code == 404
    acme.hire("E1")
    ana = caller("holder", holder_id=acme.holders["E1"])
    assert ana.get(path).status_code == 403
    assert hr.get(path).json["address"] == "hr@acme.example"
