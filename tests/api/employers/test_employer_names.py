"""No employer writes into messages that we sign, and a holder need not hear of one."""

from __future__ import annotations

import io
from datetime import date

import pytest

from tests import factories
from tests.api.employers import employer_cases
from tests.services.delivery import reminder_cases
from tracker import jobs
from tracker.domain.permissions import SYSTEM
from tracker.models import Employer

TRICKS = (
    "Account blocked: sign in",
    "evil.example/login",
    "it@evil.example",
    "evil.example\uff0fx",
)


@pytest.fixture
def acme(container):
    company = employer_cases.company(container)
    company.hire("1", "2")
    company.hire("3", shared=False)
    return company


@pytest.fixture
def hr(caller, acme):
    return caller("employer", employer_id=acme.id)


def letters(container):
    with reminder_cases.relay(container) as (sending, catcher):
        jobs.dispatch(sending)
        return catcher.letters()


def test_a_company_does_not_name_itself(hr, acme, staff):
    at = acme.path()
    version = hr.get(at).headers["ETag"]

    refused = hr.patch(at, {"name": "Better Motors"}, version=version)

    assert (refused.status_code, refused.json["code"]) == (403, "not_allowed")
    assert "ask the issuer" in refused.json["detail"]
    same = hr.patch(at, {"name": hr.get(at).json["name"], "email": "hr@a.example"}, version=version)
    assert same.status_code == 200
    later = same.headers["ETag"]
    assert staff.patch(at, {"name": "Better Motors"}, version=later).status_code == 200


@pytest.mark.parametrize("name", TRICKS)
def test_no_name_that_reads_like_a_link_or_a_sender_is_put_on_record(staff, acme, name):
    for answer in (
        staff.post("/employers", {"name": name}),
        staff.patch(acme.path(), {"name": name}, version='"1"'),
    ):
        assert answer.status_code == 422
        assert [error["field"] for error in answer.json["errors"]] == ["name"]
    text = f"employer,employee_id,email\n{name},7,x@example.org\n".encode()
    form = {"kind": "roster", "file": (io.BytesIO(text), "f.csv")}
    refused = staff.call("POST", "/imports", data=form)
    assert refused.status_code == 422
    assert "must not contain" in str(refused.json["errors"])


def test_a_name_on_record_from_before_stands_in_no_subject_and_makes_no_link(container, caller):
    with container.work(SYSTEM) as work:
        row = Employer(name="Acme: go to http://evil.example @now", recorded_at=work.now)
        work.session.add(row)
        work.session.flush()
        id_ = row.id
    factories.certified(container, date(2023, 5, 1), email="ana@example.org")
    hr = caller("employer", employer_id=id_)
    hr.post(f"/employers/{id_}/roster", {"employee_id": "1", "email": "ana@example.org"})

    asked = [one for one in letters(container) if "employee list" in one.text]

    assert [one.subject for one in asked] == [
        "An employer would like to see whether you are certified"
    ]
    assert "Acme go to http evil.example now added you" in asked[0].text
    assert "://" not in asked[0].text.replace("http://127.0.0.1", "")


def test_a_renamed_company_is_told_to_those_who_share(staff, acme, container, clock):
    before = staff.get(acme.path())

    staff.patch(acme.path(), {"name": "Globex"}, version=before.headers["ETag"])
    told = [one for one in letters(container) if "Globex" in one.text]

    assert [one.subject for one in told] == ["An employer you share with has a new name"] * 2
    assert f"{before.json['name']} is now on record as Globex." in told[0].text
    clock.advance(days=1)
    version = staff.get(acme.path()).headers["ETag"]
    staff.patch(acme.path(), {"email": "hr@globex.example"}, version=version)
    assert letters(container) == []


def test_whoever_bars_an_employer_is_seen_and_asked_no_more(caller, hr, acme, container, clock):
    ana = caller("holder", holder_id=acme.holders["1"])

    assert ana.post("/me/bars", {"employer_id": acme.id}).status_code == 201

    (seen,) = ana.get("/me/sharing").json
    assert (seen["barred"], seen["shared"], seen["fields"]) == (True, False, [])
    for key in ("1", "3"):
        assert hr.get(acme.path(f"/workforce/{acme.entries[key]}")).status_code == 404
    refused = ana.post("/me/sharing", {"employer_id": acme.id})
    assert (refused.status_code, refused.json["code"]) == (409, "already_recorded")
    letters(container)
    clock.advance(days=1)
    assert hr.delete(acme.path(f"/roster/{acme.entries['1']}")).status_code == 204
    email = caller("staff").get(f"/holders/{acme.holders['1']}").json["email"]
    assert hr.post(acme.path("/roster"), {"employee_id": "9", "email": email}).status_code == 201
    assert letters(container) == []


def test_a_message_that_waits_is_not_sent_about_an_employer_barred_since(
    caller, hr, acme, container
):
    email = caller("staff").get(f"/holders/{acme.holders['3']}").json["email"]
    hr.delete(acme.path(f"/roster/{acme.entries['3']}"))
    hr.post(acme.path("/roster"), {"employee_id": "9", "email": email})
    bob = caller("holder", holder_id=acme.holders["3"])
    assert bob.post("/me/bars", {"employer_id": acme.id}).status_code == 201

    assert [one for one in letters(container) if "employee list" in one.text] == []


def test_a_bar_is_lifted_by_whoever_put_it(caller, acme):
    ana, bob = (caller("holder", holder_id=acme.holders[key]) for key in ("1", "2"))
    ana.post("/me/bars", {"employer_id": acme.id})

    assert bob.delete(f"/me/bars/{acme.id}").status_code == 404
    assert ana.post("/me/bars", {"employer_id": acme.id}).json["code"] == "already_recorded"
    assert ana.delete(f"/me/bars/{acme.id}").status_code == 204
    assert ana.delete(f"/me/bars/{acme.id}").status_code == 404
    assert ana.post("/me/sharing", {"employer_id": acme.id}).status_code == 201
    nobody = {"employer_id": "0192d3a0-0000-7000-8000-000000000000"}
    assert ana.post("/me/bars", nobody).status_code == 422
