"""api/employers/staffing.py, services/employers/staffing.py: enough people, and until when."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests.api.employers import employer_cases, test_workforce
from tests.api.employers.employer_cases import read
from tests.statements import counted
from tracker.api.employers.staffing import MinimumSchema, StaffingSchema
from tracker.api.http.schemas import page_of

NIGHT: dict[str, Any] = {"department": "Line 3", "shift": "night"}


@pytest.fixture
def acme(container):
    company = employer_cases.company(container)
    company.hire("1", awarded_on=date(2022, 5, 14), **NIGHT)  # through May 14, 2027
    company.hire("2", awarded_on=date(2024, 5, 1), **NIGHT)
    company.hire("3", awarded_on=None, **NIGHT)
    company.hire("4", shared=False, **NIGHT)
    company.hire("day", department="Line 3", shift="day")
    return company


@pytest.fixture
def hr(caller, acme):
    return caller("employer", employer_id=acme.id)


@pytest.fixture
def job(hr, acme):
    body = {"name": "CPT", "needs": [[{"scheme": "cpt"}]]}
    return hr.post(acme.path("/requirements"), body).json["id"]


def added(hr, acme, job, least, **place):
    body = {"requirement_id": job, "least": least, **place}
    return hr.post(acme.path("/staffing-minimums"), body)


def reported(hr, acme, **query):
    answer = hr.get(acme.path("/staffing"), query_string=query)
    return read(StaffingSchema, answer)["places"]


def test_the_first_day_with_too_few_is_told_for_the_place_alone(hr, acme, job):
    made = added(hr, acme, job, 2, **NIGHT)
    (place,) = reported(hr, acme)

    assert made.status_code == 201
    assert place["minimum"] == read(
        MinimumSchema, hr.get(made.headers["Location"].removeprefix("/api/v1"))
    )
    assert place["count"] == 2
    assert place["breaks"] == {"on": "2027-05-15", "count": 1}
    assert place["breaks_if_ready_renew"] == place["breaks"]
    assert place["sentence"] == "CPT, Line 3, night: 1 of 2 from May 15, 2027"
    assert place["single_points"] == ["1", "2"]
    assert [near["employee_id"] for near in place["nearest"]] == ["3"]
    assert "no certification" in place["nearest"][0]["answer"]
    assert place["not_shared"] == 1


def test_a_place_that_is_short_today_says_so_and_any_place_counts_everybody(hr, acme, job):
    added(hr, acme, job, 3, **NIGHT)
    added(hr, acme, job, 1)
    short, anywhere = reported(hr, acme)

    assert (short["count"], short["breaks"]) == (2, {"on": "2026-11-21", "count": 2})
    assert short["sentence"] == "CPT, Line 3, night: 2 of 3 now"
    assert short["single_points"] == []
    assert anywhere["count"] == 3


def test_who_shares_no_dates_is_counted_and_taken_to_stay(hr, acme, job):
    acme.hire("5", with_dates=False, department="Line 4")
    added(hr, acme, job, 1, department="Line 4")
    (place,) = reported(hr, acme)

    assert (place["count"], place["breaks"]) == (1, None)
    assert place["sentence"] == "CPT, Line 4: 1 of 1, with no end in sight"


def test_who_shares_points_and_has_enough_of_them_is_expected_to_renew(hr, acme, job):
    added(hr, acme, job, 2, **NIGHT)
    test_workforce.earn(acme, "1", 100)
    (place,) = reported(hr, acme)

    assert place["breaks"] == {"on": "2027-05-15", "count": 1}
    assert place["breaks_if_ready_renew"] == {"on": "2029-05-02", "count": 1}


def test_a_place_has_one_minimum_of_a_requirement_until_it_is_ended(hr, acme, job, staff):
    made = added(hr, acme, job, 2, **NIGHT).json["id"]
    where = acme.path(f"/staffing-minimums/{made}")

    assert added(hr, acme, job, 3, **NIGHT).status_code == 409
    assert added(hr, acme, job, 3, **NIGHT, site="A").status_code == 201
    assert hr.delete(where).status_code == 204
    assert hr.delete(where).status_code == 404
    assert added(hr, acme, job, 3, **NIGHT).status_code == 201
    listed = read(page_of(MinimumSchema), hr.get(acme.path("/staffing-minimums")))["items"]
    assert [one["least"] for one in listed] == [3, 3]
    lines = staff.get(f"/employers/{acme.id}/history").json["items"]
    told = [line["action"] for line in lines if line["subject"] == "staffing_minimum"]
    assert told == ["add", "end", "add", "add"]


def test_a_requirement_that_ended_asks_for_nobody(hr, acme, job):
    added(hr, acme, job, 2, **NIGHT)
    ended = hr.delete(acme.path(f"/requirements/{job}"), headers={"If-Match": '"1"'})

    assert ended.status_code == 204
    assert reported(hr, acme) == []
    assert added(hr, acme, job, 2, site="A").status_code == 422


@pytest.mark.parametrize("wrong", [{"least": 0}, {"least": 1001}, {"least": "2"}, {"site": ""}])
def test_a_minimum_that_means_nothing_is_refused(hr, acme, job, wrong):
    body = {"requirement_id": job, "least": 2} | wrong

    assert hr.post(acme.path("/staffing-minimums"), body).status_code == 422


def test_a_report_is_a_look_at_those_of_the_places_who_share(hr, acme, job, caller):
    added(hr, acme, job, 2, **NIGHT)
    reported(hr, acme)
    for who, expected in (("1", ["clearance"]), ("4", []), ("day", [])):
        holder = caller("holder", holder_id=acme.holders[who])
        assert [one["kind"] for one in holder.get("/me/looks").json["items"]] == expected


def test_a_report_costs_the_same_for_more_places_and_workers(hr, acme, job, container):
    def cost():
        with counted(container) as ran:
            reported(hr, acme)
        return len(ran)

    added(hr, acme, job, 2, **NIGHT)
    few = cost()
    acme.hire(*(f"n{n}" for n in range(40)), **NIGHT)
    added(hr, acme, job, 5, department="Line 3", shift="day")
    added(hr, acme, job, 5)
    assert cost() == few
