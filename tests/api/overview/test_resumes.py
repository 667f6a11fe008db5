"""api/overview/resumes.py: a holder's certificates as JSON Resume."""

from __future__ import annotations

from datetime import date

import pytest

from tests import factories


@pytest.fixture
def ids(container):
    return factories.certified(
        container, date(2021, 12, 25), given_name="Ana", family_name="Ruiz", email="a@example.org"
    )


@pytest.fixture
def me(caller, ids):
    return caller("holder", holder_id=ids[0])


def test_it_has_each_certificate_with_its_last_day_and_its_page(me, client):
    found = me.get("/me/resume").json
    whole, *modules = found["certificates"]

    assert found["basics"] == {"name": "Ana Ruiz"}
    assert whole["name"] == "Certified Production Technician (CPT)"
    assert (whole["date"], whole["expires"]) == ("2021-12-25", "2026-12-25")
    assert whole["issuer"] == "MSSC"
    assert client.get(whole["url"][whole["url"].index("/verify/") :]).json["valid"]
    assert [one["expires"] for one in modules] == [None] * 4
    assert modules[0]["name"] == "Safety"


def test_what_is_not_valid_today_is_left_out(me, clock):
    clock.set("2026-12-26")
    names = [one["name"] for one in me.get("/me/resume").json["certificates"]]

    assert len(names) == 4
    assert "Certified Production Technician (CPT)" not in names


def test_it_is_for_holders_alone(staff):
    assert staff.get("/me/resume").status_code == 403
