"""An address means someone to others once it is confirmed: not because someone typed it."""

from __future__ import annotations

from datetime import date

import pytest

from tests import factories
from tests.api.employers import employer_cases


@pytest.fixture
def acme(container):
    return employer_cases.company(container)


@pytest.fixture
def hr(caller, acme):
    return caller("employer", employer_id=acme.id)


@pytest.fixture
def ana(container, caller):
    ids = factories.certified(container, date(2023, 5, 1), email="ana@example.org")
    return caller("holder", holder_id=ids[0]), f"/holders/{ids[0]}"


@pytest.fixture
def acme_as(hr, acme):
    return hr, acme


@pytest.fixture
def owner(container):
    return factories.certified(container, date(2023, 5, 1), email="owner@example.org")[0]


def meant(staff, hr, acme, employee_id, email):
    """Whom an entry with that address means, as the staff see it."""
    body = {"employee_id": employee_id, "email": email}
    made = hr.post(acme.path("/roster"), body)
    assert made.status_code == 201
    return staff.get(acme.path(f"/roster/{made.json['id']}")).json["holder_id"]


def type_it(who, at, name, address):
    if name == "preferences":
        return who.patch("/me/preferences", {"second_email": address})
    version = who.get(at).headers["ETag"]
    return who.patch(at, {name: address}, version=version)


@pytest.mark.parametrize("field", ["email", "second_email", "preferences"])
def test_what_a_holder_types_ties_no_roster(ana, staff, hr, acme, field):
    who, at = ana

    assert type_it(who, at, field, "new@example.org").status_code == 200

    name = "email" if field == "email" else "second_email"
    assert who.get(at).json[f"{name}_confirmed"] is False
    assert meant(staff, hr, acme, "1", "new@example.org") is None
    assert hr.get(acme.path("/roster")).json["items"][0]["shared"] is False


@pytest.mark.parametrize("field", ["email", "second_email", "preferences"])
def test_nobody_shuts_out_whose_address_it_is(ana, owner, staff, acme_as, field):
    who, at = ana
    type_it(who, at, field, "Owner@example.org")

    hr, acme = acme_as
    assert meant(staff, hr, acme, "1", "owner@example.org") == owner


def test_it_means_them_once_the_staff_have_recorded_it(ana, staff, hr, acme):
    who, at = ana
    type_it(who, at, "second_email", "new@example.org")
    version = staff.get(at).headers["ETag"]

    done = staff.patch(at, {"second_email": "new@example.org"}, version=version)

    assert done.json["second_email_confirmed"] is True
    assert meant(staff, hr, acme, "1", "new@example.org") == at.rpartition("/")[2]


def test_staff_confirm_no_address_of_their_own(caller, ana):
    _, at = ana
    own = caller("staff", holder_id=at.rpartition("/")[2])
    version = own.get(at).headers["ETag"]

    done = own.patch(at, {"second_email": "x@example.org"}, version=version)

    assert done.json["second_email_confirmed"] is False


def test_giving_the_address_on_record_again_takes_nothing_away(ana):
    who, at = ana

    assert type_it(who, at, "email", "ana@example.org").json["email_confirmed"] is True
