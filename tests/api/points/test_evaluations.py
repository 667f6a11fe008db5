"""Evaluations over HTTP: points explained, on any day; the gap; what if."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from tests import factories
from tests.api.points.activity_cases import decided, evaluation, submitted
from tests.backends import SQLITE


@pytest.fixture
def ids(container):
    return factories.certified(container, date(2024, 3, 1))


@pytest.fixture
def ana(caller, ids):
    return caller("holder", holder_id=ids[0])


@SQLITE
def test_what_would_close_the_gap_is_told_where_it_is_asked_for(ana, ids):
    path = f"/certifications/{ids[1]}"
    told = ana.get(f"{path}/gap", headers={"Accept-Language": "es"})

    assert told.headers["Content-Language"] == "es"
    assert told.json["obstacles"] == []
    way = told.json["ways"][0]
    assert [activity["type"] for activity in way["activities"]] == ["college_credit"]
    assert way["sentence"].endswith("se cerraría la diferencia.")
    assert evaluation(ana, ids)["gap"] is None
    with_gap = evaluation(ana, ids, query_string={"gap": "true"}, headers={"Accept-Language": "es"})
    assert with_gap["gap"] == told.json


@SQLITE
def test_what_activities_would_leave_of_the_gap_is_told(ana, ids):
    extra = {
        "category": "CE",
        "type": "third_party",
        "quantity": "90",
        "completed_on": "2026-11-20",
    }
    path = f"/certifications/{ids[1]}/evaluation"
    told = ana.post(path, {"extra": [extra]}, query_string={"gap": "true"}).json

    assert {way["activities"][0]["points"] for way in told["gap"]["ways"]} <= {"10.00", "20.00"}


@SQLITE
def test_an_evaluation_repeats_that_its_values_are_not_verified(ana, ids):
    told = evaluation(ana, ids)
    assert told["verified"] is False
    assert "types.third_party" in told["unverified"]
    assert any("MSSC does not confirm the total" in sentence for sentence in told["sentences"])


@SQLITE
def test_an_evaluation_is_told_in_spanish_to_who_asks_for_it(ana, staff, ids):
    decided(
        staff, submitted(ana, ids), points_limit="5", reason_code="fewer_hours_shown", reason="5 h"
    )
    told = evaluation(ana, ids, headers={"Accept-Language": "es-MX,es;q=0.9,en;q=0.5"})
    [credit] = told["credits"]
    [cut] = credit["cuts"]
    assert cut["sentence"] == "3 puntos no cuentan: el revisor permitió como máximo 5 puntos."
    assert "Faltan 95 puntos." in told["sentences"]


@SQLITE
def test_the_numbers_of_an_explanation_add_up(ana, staff, ids):
    for hours in ("15", "12"):
        decided(
            staff, submitted(ana, ids, category="X", type="volunteer", quantity=hours, title=hours)
        )
    told = evaluation(ana, ids)
    for credit in told["credits"]:
        cut = sum(Decimal(c["points"]) for c in credit["cuts"])
        assert Decimal(credit["claimed"]) - cut == Decimal(credit["counted"])
    assert sum(Decimal(c["counted"]) for c in told["credits"]) == Decimal(told["total"]) == 20
    assert {c["rule"] for credit in told["credits"] for c in credit["cuts"]} == {"cycle_cap"}


def test_what_if_counts_claims_that_are_not_stored(ana, ids):
    asked = {
        "extra": [
            {
                "category": "CE",
                "type": "college_credit",
                "quantity": "4",
                "completed_on": "2026-05-01",
            }
        ]
    }
    told = ana.post(f"/certifications/{ids[1]}/evaluation", asked).json
    assert told["total"] == "20.00"
    assert told["credits"][0]["state"] == "extra"
    assert evaluation(ana, ids)["total"] == "0.00"


def test_points_of_a_past_day_leave_out_what_was_decided_later(ana, staff, ids):
    decided(staff, submitted(ana, ids))
    told = evaluation(ana, ids, query_string={"as_of": "2026-11-20"})
    assert told["total"] == "0.00"


def test_yesterdays_report_can_be_reproduced(ana, staff, ids, clock):
    yesterday = clock().isoformat().replace("+00:00", "Z")
    clock.advance(days=1)
    decided(staff, submitted(ana, ids))
    asked = {"as_of": "2026-11-22"}
    assert evaluation(ana, ids, query_string=asked)["total"] == "8.00"
    known = evaluation(ana, ids, query_string={**asked, "known_at": yesterday})
    assert (known["total"], known["pending_points"]) == ("0.00", "0.00")
