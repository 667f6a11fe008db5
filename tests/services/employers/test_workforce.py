"""The numbers of a workforce agree with its list, and its pages come from an index."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from tests.api.employers import employer_cases
from tracker.domain.credentials.certifications import ChangeKind
from tracker.domain.employers import workforce as rules
from tracker.domain.employers.workforce import days_ahead, urgency
from tracker.domain.permissions import SYSTEM
from tracker.services.credentials import certifications
from tracker.services.employers import workforce, workforce_numbers, workforce_selection
from tracker.services.employers.workforce import WorkforcePlace
from tracker.services.employers.workforce_selection import WorkforceFilter
from tracker.services.standings import standings

TODAY = date(2026, 11, 21)


@pytest.fixture
def acme(container):
    return employer_cases.company(container)


@pytest.fixture
def crowd(acme):
    """Eighty workers with chance awards, consents and changes of standing; the seed is fixed."""
    chance = random.Random(7)
    for n in range(16):
        awarded_on = date(2020, 1, 1) + timedelta(days=chance.randrange(2500))
        acme.hire(
            *(f"{n:02}-{m}" for m in range(5)),
            awarded_on=chance.choice([awarded_on] * 4 + [None]),
            shared=chance.random() < 0.8,
            known=chance.random() < 0.9,
            site=chance.choice(["A", "B", None]),
        )
    with acme.container.work(SYSTEM) as work:
        for holder_id in chance.sample(sorted(acme.holders.values()), 12):
            held = certifications.of_holder(work, holder_id, "cpt")
            if held:
                kind: ChangeKind = chance.choice(
                    (ChangeKind.SUSPEND, ChangeKind.REVOKE, ChangeKind.SURRENDER)
                )
                day = held.awarded_on + timedelta(days=chance.randrange(3000))
                certifications.change(
                    work,
                    held.id,
                    kind=kind,
                    effective_on=day,
                    reason_code="other",
                    reason="A test.",
                )
    return acme


def ask(reading, company, on=TODAY, **more):
    return WorkforceFilter(company.id, reading.schemes["cpt"], on, **more)


def all_of(reading, asked, sort="urgency"):
    return workforce.page(reading, asked, after=None, limit=1000, sort=sort)


def test_the_list_says_what_the_rule_says_of_each_certification(crowd, container):
    with container.reading(SYSTEM) as reading:
        for on in (TODAY, date(2028, 2, 2), date(2031, 1, 1)):
            held = {
                one.number: one.standing
                for one in standings.of_many(reading, set(crowd.holders.values()), on=on)
            }
            rows = [r for r in all_of(reading, ask(reading, crowd, on)) if r.certificate_number]
            assert rows
            for row in rows:
                standing = held[row.certificate_number or ""]
                assert (row.status, row.valid, row.expires_on, row.window_opens_on) == (
                    standing.status,
                    standing.valid,
                    standing.expires_on,
                    standing.window_opens_on,
                )


def test_the_numbers_are_those_of_the_list_on_any_day(crowd, container):
    with container.reading(SYSTEM) as reading:
        for on in (date(2021, 5, 5), TODAY, date(2027, 6, 1), date(2033, 3, 3)):
            asked = ask(reading, crowd, on)
            rows, found = all_of(reading, asked), workforce_numbers.summary(reading, asked)
            assert {k: n for k, n in found.by_status.items() if n} == Counter(
                row.status for row in rows
            )
            assert (found.total, found.valid) == (len(rows), sum(r.valid is True for r in rows))
            holds = {"suspended", "revoked", "surrendered"}
            ahead = [r.expires_on for r in rows if r.expires_on and r.status not in holds]
            for due in found.due:
                assert due.count == sum(day in due.period for day in ahead)
            months = workforce_numbers.forecast(reading, asked)
            assert [n for _, n in months] == [
                sum(day in days_ahead(month, on=on) for day in ahead) for month, _ in months
            ]


def test_the_parts_are_those_of_the_rule_and_each_finds_its_rows(crowd, container):
    with container.reading(SYSTEM) as reading:
        for on in (TODAY, date(2027, 6, 1)):
            asked = ask(reading, crowd, on)
            rows, found = all_of(reading, asked), workforce_numbers.segments(reading, asked)
            parts = [rules.segment(row.status, row.expires_on, on=on) for row in rows]
            assert found == {one: parts.count(one) for one in rules.WorkforceSegment}
            for one, count in found.items():
                narrowed = all_of(reading, replace(asked, segment=one))
                assert [r.id for r in narrowed] == [
                    r.id for r, part in zip(rows, parts, strict=True) if part == one
                ]
                assert len(narrowed) == count


@pytest.mark.parametrize("sort", ["urgency", "employee_id"])
def test_pages_put_together_are_the_list(crowd, container, sort):
    with container.reading(SYSTEM) as reading:
        asked = ask(reading, crowd)
        whole, after, pages = all_of(reading, asked, sort), None, []
        while page := workforce.page(reading, asked, after=after, limit=7, sort=sort):
            pages += page
            after = page[-1].place
    assert pages == whole
    if sort == "urgency":
        assert whole == sorted(whole, key=lambda w: (urgency(w.expires_on), w.id))


def test_a_place_in_anothers_list_opens_nothing(crowd, container):
    other = employer_cases.company(container, "Other")
    other.hire("00", "01")
    with container.reading(SYSTEM) as reading:
        theirs = WorkforcePlace(TODAY, other.entries["00"])
        asked = ask(reading, crowd)
        assert workforce.page(reading, asked, after=theirs, limit=9, sort="employee_id") == []


def test_a_month_ahead_begins_with_the_day_asked_about():
    assert days_ahead(date(2026, 11, 1), on=TODAY).starts_on == TODAY
    assert days_ahead(date(2026, 12, 1), on=TODAY).starts_on == date(2026, 12, 1)
    assert days_ahead(date(2028, 2, 1), on=TODAY).ends_on == date(2028, 2, 29)
    assert urgency(None) > urgency(date(2199, 12, 31)) > urgency(date(2020, 1, 1))


def test_the_statuses_of_workers_leave_out_what_is_not_the_employers():
    assert "in_progress" not in rules.WORKER_STATUSES
    assert {"not_shared", "not_certified", "expired"} < set(rules.WORKER_STATUSES)


def plan(container, asked, sort, after):
    """What the database says it will do for a page in the middle of a large list."""
    statement = workforce._ordered(asked, after, sort, 51)
    explain = "explain query plan " if container.engine.dialect.name == "sqlite" else "explain "
    with container.reading(SYSTEM) as reading:
        sql = statement.params(workforce_selection.parameters(reading, asked)).compile(
            reading.connection.engine, compile_kwargs={"literal_binds": True}
        )
        rows = reading.connection.exec_driver_sql(explain + str(sql).replace("%%", "%"))
        return "\n".join(str(row[-1]) for row in rows)


def test_a_page_is_found_through_indexes(container):
    """Among several employers no one reads through all entries, in either order."""
    companies = [employer_cases.company(container, f"E{n}") for n in range(8)]
    for company in companies:
        company.hire(*(f"W{n:04}" for n in range(1000)), awarded_on=None)
    with container.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("analyze"))
    with container.reading(SYSTEM) as reading:
        asked = ask(reading, companies[3])
    after = WorkforcePlace(TODAY, companies[3].entries["W0500"])
    by_number = plan(container, asked, "employee_id", after)
    assert "ix_roster_entry_employee" in by_number
    assert "uq_sharing_live" in by_number
    by_urgency = plan(container, asked, "urgency", after)
    for told in (by_number, by_urgency):
        assert "Seq Scan on roster_entry" not in told
        assert "SCAN roster_entry" not in told
