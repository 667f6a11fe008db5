"""No one takes without limit what others need: claims, drafts, tokens, files."""

from __future__ import annotations

from datetime import date

import pytest

from tests import factories
from tests.api.conftest import Caller
from tests.api.employers import employer_cases
from tests.conftest import make_app, office_of

COURSE = {
    "category": "CE",
    "type": "third_party",
    "title": "Course",
    "quantity": "5",
    "completed_on": "2026-01-05",
}


@pytest.fixture
def app(database_url, tmp_path, clock):
    """An application that allows little."""
    few = {"CLAIMS": "3", "DRAFTS": "2", "TOKENS": "2", "EXPORTS_PER_HOUR": "2"}
    limits = {f"TRACKER_LIMITS_{name}": most for name, most in few.items()}
    made = make_app(database_url, tmp_path / "storage", clock, **limits)
    yield made
    office_of(made).engine.dispose()


def reached(answer):
    return (answer.status_code, answer.json["code"]) == (409, "limit_reached")


def test_drafts_and_claims_have_limits_that_say_how_to_go_on(caller, container):
    ids = factories.certified(container, date(2021, 12, 25))
    ana = caller("holder", holder_id=ids[0])
    at = f"/certifications/{ids[1]}/activities"
    made = [ana.post(at, COURSE).json["id"] for _ in range(2)]

    refused = ana.post(at, COURSE)
    assert reached(refused)
    assert "submit or delete" in refused.json["detail"]
    assert ana.post(f"/activities/{made[0]}/submission").status_code == 200
    assert ana.post(at, COURSE).status_code == 201
    assert ana.post(f"/activities/{made[1]}/submission").status_code == 200
    assert reached(ana.post(at, COURSE))


def test_a_person_has_so_many_tokens_and_an_admin_makes_them_for_any_number(caller, container, app):
    ana = caller("holder", holder_id=factories.certified(container, date(2021, 12, 25))[0])
    first = ana.post("/tokens", {}).json

    assert reached(ana.post("/tokens", {}))
    assert reached(Caller(app.test_client(), first["secret"]).post("/tokens", {}))
    assert ana.delete(f"/tokens/{first['id']}").status_code == 204
    assert ana.post("/tokens", {}).status_code == 201
    admin = caller("admin")
    for name in "abcd":
        assert admin.post("/tokens", {"role": "staff", "name": name}).status_code == 201


def test_lists_as_files_are_counted_by_person_and_hour(caller, container, clock):
    acme = employer_cases.company(container)
    acme.hire("1")
    one, other = (caller("employer", employer_id=acme.id) for _ in range(2))

    for path in ("/workforce.csv", "/workforce.xlsx"):
        assert one.get(acme.path(path)).status_code == 200
    refused = one.get(acme.path("/workforce.csv"))

    assert (refused.status_code, refused.json["code"]) == (429, "too_many_requests")
    assert int(refused.headers["Retry-After"]) > 0
    assert other.get(acme.path("/workforce.csv")).status_code == 200
    clock.advance(minutes=61)
    assert one.get(acme.path("/workforce.csv")).status_code == 200
