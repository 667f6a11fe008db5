"""api/employers/looks.py, services/employers/looks.py: who of an employer saw whom, and when."""

from __future__ import annotations

import csv
import io

import pytest
from sqlalchemy import func, select

from tests import factories
from tests.api.employers import employer_cases
from tests.api.employers.employer_cases import read
from tests.statements import counted
from tracker import jobs
from tracker.api.employers.looks import EmployerLookSchema, LookSchema
from tracker.api.http.schemas import page_of
from tracker.domain.permissions import SYSTEM
from tracker.models import EmployerLook, WorkerSeen

LIST, SCHEME = "/workforce", {"scheme": "cpt"}


@pytest.fixture
def acme(container):
    company = employer_cases.company(container)
    company.hire("A", "B")
    company.hire("C", shared=False)
    return company


@pytest.fixture
def hr(caller, acme):
    return caller("employer", employer_id=acme.id)


def seen_by(caller, holder_id):
    """The looks that a holder is shown."""
    who = caller("holder", holder_id=holder_id)
    return read(page_of(LookSchema), who.get("/me/looks"))["items"]


def test_each_way_of_looking_is_shown_to_the_holder_and_to_the_employer(caller, acme, hr):
    entry = acme.path(f"{LIST}/{acme.entries['A']}")
    assert hr.get(acme.path(LIST), query_string=SCHEME).status_code == 200
    assert hr.get(entry, query_string=SCHEME | {"as_of": "2027-01-31"}).status_code == 200
    file = hr.get(acme.path(f"{LIST}.csv"), query_string=SCHEME)
    mine = seen_by(caller, acme.holders["A"])
    ours = read(page_of(EmployerLookSchema), hr.get(acme.path("/looks")))["items"]

    assert [(look["kind"], str(look["as_of"])) for look in mine] == [
        ("file", "2026-11-21"),
        ("worker", "2027-01-31"),
        ("list", "2026-11-21"),
    ]
    assert {(look["employer_name"], look["scheme"]) for look in mine} == {("Acme", "cpt")}
    assert all(look["name"] and look["at"] for look in mine)
    assert [(look["kind"], look["workers"]) for look in ours] == [
        ("file", 2),
        ("worker", 1),
        ("list", 2),
    ]
    assert len(list(csv.reader(io.StringIO(file.text)))) == 4


def test_only_who_was_shown_was_seen(caller, acme, hr):
    hr.get(acme.path(LIST), query_string=SCHEME | {"limit": 1, "sort": "employee_id"})
    hr.get(acme.path(f"{LIST}.csv"), query_string=SCHEME | {"employee_id": "A"})
    hr.get(acme.path(f"{LIST}/{acme.entries['C']}"), query_string=SCHEME)

    assert [look["kind"] for look in seen_by(caller, acme.holders["A"])] == ["file", "list"]
    assert seen_by(caller, acme.holders["B"]) == []
    assert seen_by(caller, acme.holders["C"]) == []


def test_a_file_is_a_security_event_of_who_took_it(hr, acme, caller):
    hr.get(acme.path(LIST), query_string=SCHEME)
    hr.get(acme.path(f"{LIST}.csv"), query_string=SCHEME)
    other = caller("employer", employer_id=acme.id)
    mine, theirs = (
        [e["kind"] for e in one.get("/me/security-events").json["items"]] for one in (hr, other)
    )

    assert mine == ["exported", "token_made"]
    assert theirs == ["token_made"]


@pytest.mark.parametrize("path", [LIST, f"{LIST}.csv"])
@pytest.mark.parametrize(
    "filters", [{"valid": "false"}, {"status": "expired"}, {"expires_until": "2026-12-31"}]
)
def test_who_is_asked_about_by_number_was_seen_even_if_no_row_comes(
    caller, acme, hr, path, filters
):
    asked = hr.get(acme.path(path), query_string=SCHEME | filters | {"employee_id": "A"})

    assert asked.status_code == 200
    assert "CPT-" not in asked.text
    assert len(seen_by(caller, acme.holders["A"])) == 1
    assert seen_by(caller, acme.holders["B"]) == []


@pytest.mark.parametrize("numbers", ["summary", "forecast"])
def test_numbers_are_looks_at_everybody_they_count(caller, acme, hr, numbers):
    """Of a group of one they tell a standing, and so do two groups that differ by one."""
    acme.hire("D", site="Chicago")
    hr.get(acme.path(f"{LIST}/{numbers}"), query_string=SCHEME | {"site": "Chicago"})

    assert [look["kind"] for look in seen_by(caller, acme.holders["D"])] == ["numbers"]
    assert seen_by(caller, acme.holders["A"]) == []


def test_what_staff_see_are_no_looks(caller, acme, staff):
    staff.get(acme.path(f"{LIST}/summary"), query_string=SCHEME)
    staff.get(acme.path(LIST), query_string=SCHEME)
    staff.get(acme.path(f"{LIST}.csv"), query_string=SCHEME)

    assert seen_by(caller, acme.holders["A"]) == []


def test_once_a_consent_has_ended_nobody_is_seen_and_what_was_seen_stays(caller, acme, hr):
    hr.get(acme.path(LIST), query_string=SCHEME)
    ana = caller("holder", holder_id=acme.holders["A"])
    assert ana.delete(f"/me/sharing/{acme.sharing_of('A')}").status_code == 204
    hr.get(acme.path(LIST), query_string=SCHEME)

    assert len(seen_by(caller, acme.holders["A"])) == 1
    assert len(seen_by(caller, acme.holders["B"])) == 2


def test_nobody_is_shown_the_looks_of_others(caller, acme, container, staff):
    with container.work(SYSTEM) as work:
        stranger = factories.holder(work)
    other = employer_cases.company(container, "Other")
    viewer = caller("employer", employer_id=other.id)

    assert (
        caller("holder", holder_id=stranger).get(f"/holders/{acme.holders['A']}/looks").status_code
        == 403
    )
    assert viewer.get(acme.path("/looks")).status_code == 404
    assert staff.get(f"/holders/{acme.holders['A']}/looks").json["items"] == []
    assert staff.get("/holders/01900000-0000-7000-8000-000000000000/looks").status_code == 404


def test_pages_go_from_the_newest_look_to_the_oldest(caller, acme, hr, clock):
    for _ in range(5):
        clock.advance(hours=1)
        hr.get(acme.path(LIST), query_string=SCHEME)
    who = caller("holder", holder_id=acme.holders["A"])
    first = who.get("/me/looks", query_string={"limit": 2}).json
    rest = who.get("/me/looks", query_string={"limit": 5, "after": first["next"]}).json

    times = [look["at"] for look in [*first["items"], *rest["items"]]]
    assert times == sorted(times, reverse=True)
    assert (len(set(times)), rest["next"]) == (5, None)


@pytest.mark.parametrize("path", [LIST, f"{LIST}.csv"])
def test_looking_costs_as_many_statements_for_forty_workers_as_for_two(acme, hr, container, path):
    def statements():
        with counted(container) as ran:
            assert hr.get(acme.path(path), query_string=SCHEME).status_code == 200
        return len(ran)

    statements()
    few = statements()
    acme.hire(*(f"W{n}" for n in range(40)))

    assert statements() == few


def test_old_looks_are_forgotten_with_whom_they_saw(acme, hr, container, clock):
    hr.get(acme.path(LIST), query_string=SCHEME)
    clock.advance(days=729)
    jobs.retain(container)
    with container.reading(SYSTEM) as reading:
        kept = reading.row(select(func.count()).select_from(WorkerSeen))[0]
    clock.advance(days=2)
    jobs.retain(container)
    with container.reading(SYSTEM) as reading:
        left = [
            reading.row(select(func.count()).select_from(table))[0]
            for table in (WorkerSeen, EmployerLook)
        ]

    assert (kept, left) == (2, [0, 0])
