"""services/employers/consents.py: what a consent does not cover changes no answer to an employer.

Two workers differ only in facts that the consent leaves out. Whatever the employer asks, by any
way, what it is told of one equals what it is told of the other.
"""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select, update

from tests.api.employers import employer_cases
from tests.api.employers.employer_cases import everything
from tests.api.employers.test_workforce import earn
from tracker.domain.delivery.digests import DigestFrequency
from tracker.domain.periods import Period
from tracker.domain.permissions import SYSTEM
from tracker.models import Assessment, WorkerSeen
from tracker.services.employers import digest_contents, digests
from tracker.services.employers.digests import order

SOON, LATER = date(2022, 1, 30), date(2024, 6, 1)  # both valid; one expires in 70 days
QUERIES: tuple[dict[str, str], ...] = (
    {},
    {"expires_until": "2027-06-30"},
    {"expires_from": "2027-06-30"},
    {"sort": "employee_id"},
    {"valid": "true"},
    {"as_of": "2027-06-30"},
    {"as_of": "2027-06-30", "valid": "true"},
)


@pytest.fixture
def companies(container):
    """Two companies with one worker each, which differ in what is not shared."""
    pair = [employer_cases.company(container, name) for name in ("Acme", "Globex")]
    for company, awarded_on in zip(pair, (SOON, LATER), strict=True):
        company.hire("1", awarded_on=awarded_on, with_dates=False, with_points=False)
    return pair


def without(answer, *own):
    """An answer without what differs for any two people, and whatever is in there twice."""
    return {key: value for key, value in answer.items() if key not in {"id", "name", *own}}


def test_a_worker_who_shares_no_dates_is_told_apart_by_no_list_number_or_file(caller, companies):
    for query in QUERIES:
        told = []
        for company in companies:
            hr = caller("employer", employer_id=company.id)
            rows = everything(hr, company.path("/workforce"), **query)
            file = hr.get(company.path("/workforce.csv"), query_string=query).text
            told.append(
                (
                    [without(row, "certificate_number") for row in rows],
                    [line.split(",")[2:7] + line.split(",")[10:] for line in file.splitlines()],
                )
            )

        assert told[0] == told[1], query


@pytest.mark.parametrize("numbers", ["summary", "forecast"])
@pytest.mark.parametrize("query", [{}, {"as_of": "2027-06-30"}])
def test_a_worker_who_shares_no_dates_falls_due_in_no_number(caller, companies, numbers, query):
    counts = []
    for company in companies:
        hr = caller("employer", employer_id=company.id)
        answer = hr.get(company.path(f"/workforce/{numbers}"), query_string=query).json
        counts.append([one["count"] for one in answer.get("due", answer.get("months", []))])

    assert counts[0] == counts[1] == [0] * len(counts[0])


def test_a_worker_who_shares_no_dates_is_named_in_no_digest_but_for_beginning_to_share(
    container, companies
):
    soon, _ = companies
    with container.reading(SYSTEM) as reading:
        period = Period(date(2026, 11, 15), date(2026, 11, 21))
        contents = digest_contents.snapshot(reading, soon.id, period)

    named = {name for name, section in contents["sections"].items() if section["rows"]}
    assert named == {"sharing"}


def test_points_and_modules_are_shown_to_whom_they_are_shared(caller, container):
    acme = employer_cases.company(container)
    acme.hire("all", awarded_on=SOON, with_modules=True)
    acme.hire("few", awarded_on=SOON, with_points=False)
    acme.hire("undated", awarded_on=SOON, with_dates=False, with_modules=True)
    for worker in acme.holders:
        earn(acme, worker, 5)
    hr = caller("employer", employer_id=acme.id)
    rows = {row["employee_id"]: row for row in everything(hr, acme.path("/workforce"))}

    assert rows["all"]["points"]["counted"] == rows["undated"]["points"]["counted"] == "5.00"
    assert rows["few"]["points"] is rows["few"]["modules"] is None
    modules = {one["module"]: one["passed_on"] for one in rows["all"]["modules"]}
    assert modules == dict.fromkeys(employer_cases.MODULES, str(SOON))
    assert {one["passed_on"] for one in rows["undated"]["modules"]} == {None}
    assert rows["undated"]["expires_on"] is None


def test_the_order_of_modules_tells_nobody_which_was_passed_first(caller, container):
    acme = employer_cases.company(container)
    for name, modules in (("1", employer_cases.MODULES), ("2", employer_cases.MODULES[::-1])):
        acme.hire(name, awarded_on=SOON, with_dates=False, with_modules=True)
        with container.work(SYSTEM) as work:
            for day, module in enumerate(modules, start=1):
                one = Assessment.holder_id == acme.holders[name], Assessment.module == module
                earlier = update(Assessment).where(*one)
                work.execute(earlier.values(taken_on=date(2022, 1, day)))
    hr = caller("employer", employer_id=acme.id)
    told = [row["modules"] for row in everything(hr, acme.path("/workforce"))]

    assert len(told[0]) == len(employer_cases.MODULES)
    assert told[0] == told[1]


def test_a_digest_is_a_look_at_everybody_it_counts(container, clock):
    acme = employer_cases.company(container)
    acme.hire("1", awarded_on=SOON)
    acme.hire("2", shared=False)
    with container.work(SYSTEM) as work:
        order(work, acme.id, every=DigestFrequency.WEEK, language="en", address="hr@acme.example")
    clock.advance(days=8)
    with container.work(SYSTEM) as work:
        assert digests.write(work, acme.id) == "written"
    with container.reading(SYSTEM) as reading:
        seen = {row.holder_id for row in reading.rows(select(WorkerSeen.holder_id))}

    assert seen == {acme.holders["1"]}
