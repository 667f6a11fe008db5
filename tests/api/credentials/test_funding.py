"""The report of who paid for attempts (api, services: funding.py), over the demo's people."""

from __future__ import annotations

import csv
import io
from datetime import date
from decimal import Decimal

import pytest

from tracker.demo import loading, people
from tracker.domain.permissions import SYSTEM

FIRST, LAST = date(2016, 1, 1), date(2025, 12, 31)
DAYS = f"since={FIRST}&until={LAST}"
LINE = ("funding", "center", "result")


@pytest.fixture
def attempts(container):
    """The attempts of the demo's people, on record."""
    rows = people.generate(date(2026, 11, 21)).rows
    with container.work(SYSTEM) as work:
        for kind in ("holders", "assessments"):
            loading._import(work, kind, rows[kind])
    days = (FIRST.isoformat(), LAST.isoformat())
    return [row for row in rows["assessments"] if days[0] <= str(row["taken_on"]) <= days[1]]


def summed(rows):
    return len(rows), sum(row["amount"] for row in rows)


def paid(rows):
    """The amounts of all sources together."""
    return sum(row["amount"] + row.get("amount_2", 0) for row in rows)


def test_the_wioa_report_adds_up_to_the_attempts(staff, attempts):
    of_wioa = [row for row in attempts if row["funding"] == "wioa"]
    assert len(of_wioa) > 50
    for period in ("month", "quarter", "year"):
        report = staff.get(f"/reports/funding?{DAYS}&funding=wioa&period={period}").json
        assert (report["attempts"], Decimal(report["amount"])) == summed(of_wioa)
        assert sum(line["attempts"] for line in report["lines"]) == len(of_wioa)
    passed = [row for row in of_wioa if row["result"] == "pass"]
    report = staff.get(f"/reports/funding?{DAYS}&funding=wioa&result=pass").json
    assert (report["attempts"], Decimal(report["amount"])) == summed(passed)

    answer = staff.get(f"/reports/funding.csv?{DAYS}&funding=wioa")
    lines = csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig")))
    assert sum(Decimal(line["amount"]) for line in lines) == summed(of_wioa)[1]


def test_a_line_has_the_attempts_of_its_period_source_center_and_outcome(staff, attempts):
    everything = staff.get(f"/reports/funding?{DAYS}&period=year").json
    assert (everything["attempts"], Decimal(everything["amount"])) == (
        len(attempts),
        paid(attempts),
    )
    assert sum(line["firsts"] for line in everything["lines"]) == len(attempts)
    for line in everything["lines"][:20]:
        same = [
            row
            for row in attempts
            if [row[name] for name in LINE[1:]] == [line[name] for name in LINE[1:]]
            and line["starts_on"] <= str(row["taken_on"]) <= line["ends_on"]
        ]
        first = [row["amount"] for row in same if row["funding"] == line["funding"]]
        second = [row["amount_2"] for row in same if row.get("funding_2") == line["funding"]]
        assert (line["attempts"], line["firsts"]) == (len(first) + len(second), len(first))
        assert Decimal(line["amount"]) == sum(first) + sum(second)
    first = everything["lines"][0]
    at_one = staff.get(f"/reports/funding?{DAYS}&center_id={first['center_id']}").json
    assert {line["center"] for line in at_one["lines"]} == {first["center"]}


@pytest.mark.parametrize("since", ["2026-01-02", "2010-01-01"])
def test_the_days_of_a_report_are_bounded(staff, since):
    refused = staff.get(f"/reports/funding?since={since}&until=2026-01-01")
    assert [error["field"] for error in refused.json["errors"]] == ["until"]


def test_a_source_beside_the_first_is_found_by_its_name(staff, attempts):
    """WIOA left some of the price to the candidate, who is the second source."""
    shared = [row for row in attempts if row.get("funding_2") == "self"]
    alone = [row for row in attempts if row["funding"] == "self"]
    assert len(shared) > 20
    report = staff.get(f"/reports/funding?{DAYS}&funding=self&period=year").json
    assert report["attempts"] == len(shared) + len(alone)
    assert sum(line["firsts"] for line in report["lines"]) == len(alone)
    total = sum(row["amount_2"] for row in shared) + summed(alone)[1]
    assert (Decimal(report["amount"]), report["without_amount"]) == (total, 0)
