"""Employers, rosters, and consent, over HTTP."""

from __future__ import annotations

import threading
from datetime import date

import pytest
from sqlalchemy import func, select

from tests import factories
from tests.api.employers import employer_cases
from tests.api.employers.employer_cases import everything, read
from tests.backends import SQLITE
from tests.statements import counted
from tracker.api.employers import consents as consents_api
from tracker.api.employers import employers as employers_api
from tracker.api.http.schemas import ProblemSchema, page_of
from tracker.domain.permissions import SYSTEM
from tracker.models import HistoryEntry, RosterEntry, Sharing

NOBODY = "01900000-0000-7000-8000-000000000000"


@pytest.fixture
def acme(container):
    return employer_cases.company(container)


@pytest.fixture
def hr(caller, acme):
    return caller("employer", employer_id=acme.id)


def seen(entry):
    """An entry without what is the entry's own."""
    own = {"id", "recorded_at", "employee_id", "email", "certificate_number"}
    return {key: value for key, value in entry.items() if key not in own}


def add(who, acme, employee_id, **more):
    answer = who.post(acme.path("/roster"), {"employee_id": employee_id, **more})
    return read(employers_api.RosterEntrySchema, answer, 201)


def test_staff_put_employers_on_record_and_find_them(staff):
    made = staff.post("/employers", {"name": "Globex", "email": "hr@globex.example"})
    one = read(employers_api.EmployerOnRecordSchema, made, 201)
    assert staff.get(made.headers["Location"].removeprefix("/api/v1")).json == one
    found = staff.get("/employers", query_string={"name": "glob"})
    assert read(page_of(employers_api.EmployerOnRecordSchema), found)["items"] == [one]
    again = staff.post("/employers", {"name": "Globex"})
    assert (again.status_code, again.json["code"]) == (409, "already_recorded")


def test_an_employer_corrects_itself_with_the_etag_it_read(hr, acme, staff):
    etag = hr.get(acme.path()).headers["ETag"]
    assert hr.patch(acme.path(), {"email": "hr@acme.example"}).status_code == 428
    changed = hr.patch(acme.path(), {"email": "hr@acme.example"}, version=etag)
    assert read(employers_api.EmployerOnRecordSchema, changed)["email"] == "hr@acme.example"
    assert staff.patch(acme.path(), {"name": "Acme 2"}, version=etag).status_code == 412
    assert staff.post("/employers", {"name": "Initech"}).status_code == 201
    taken = staff.patch(acme.path(), {"name": "Initech"}, version=changed.headers["ETag"])
    assert taken.json["code"] == "already_recorded"


def test_only_staff_create_and_list_employers_and_holders_get_nowhere(hr, caller, container, acme):
    ana = caller("holder", holder_id=factories.certified(container, date(2023, 1, 1))[0])
    assert hr.post("/employers", {"name": "X"}).status_code == 403
    assert hr.get("/employers").status_code == 403
    for path in ("", "/roster", "/workforce", "/workforce/summary", "/workforce.csv"):
        assert ana.get(acme.path(path)).status_code == 403
    assert ana.post(acme.path("/roster"), {"employee_id": "1"}).status_code == 403


PATHS = ["", "/roster", f"/roster/{NOBODY}"]


@SQLITE
def test_another_employers_records_answer_as_unknown_ones(hr, container):
    other = employer_cases.company(container, "Other")
    for path in PATHS:
        answers = [hr.get(f"/employers/{id_}{path}") for id_ in (other.id, NOBODY)]
        assert [a.status_code for a in answers] == [404, 404], path
        theirs, unknown = (read(ProblemSchema, answer, 404) for answer in answers)
        assert theirs | {"request_id": ""} == unknown | {"request_id": ""}, path


def test_another_employers_entry_can_neither_be_read_nor_ended(hr, container, acme):
    other = employer_cases.company(container, "Other")
    other.hire("1")
    for company in (other, acme):
        path = company.path(f"/roster/{other.entries['1']}")
        assert hr.get(path).status_code == 404
        assert hr.delete(path).status_code == 404


def test_the_employer_cannot_tell_a_matched_entry_from_an_unmatched_one(container, acme, hr):
    """No oracle: same status, same body, in every answer, until the holder consents."""
    holder_id, _ = factories.certified(container, date(2023, 5, 1), email="Ana.P@example.org")
    known = add(hr, acme, "1", email="ana.p@example.org", site="A")
    unknown = add(hr, acme, "2", email="nobody@example.org", site="A")
    assert seen(known) == seen(unknown)
    assert known["shared"] is False
    with container.reading(SYSTEM) as reading:
        held = dict(reading.rows(select(RosterEntry.employee_id, RosterEntry.holder_id)))
    assert held == {"1": holder_id, "2": None}
    for entry in (known, unknown):
        read(employers_api.RosterEntrySchema, hr.get(acme.path(f"/roster/{entry['id']}")))
        assert hr.get(acme.path(f"/workforce/{entry['id']}")).status_code == 404
    listed = everything(hr, acme.path("/workforce"))
    one, two = ({**row, "id": 0, "employee_id": 0} for row in listed)
    assert one == two
    again = [hr.post(acme.path("/roster"), {"employee_id": e}) for e in ("1", "2")]
    assert [a.json["code"] for a in again] == ["already_recorded"] * 2


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"email": "ANA@EXAMPLE.ORG"}, True),
        ({"email": "second@example.org"}, True),
        ({"email": "shared@example.org"}, False),
        ({"certificate_number": "CPT-NOPE"}, False),
        ({"certificate_number": "CPT-NOPE", "email": "ana@example.org"}, False),
        ({}, False),
    ],
)
def test_whom_an_address_means_is_decided_without_guessing(container, acme, hr, given, found):
    first, _ = factories.certified(
        container, date(2023, 5, 1), email="ana@example.org", second_email="Second@example.org"
    )
    factories.certified(container, date(2023, 5, 1), email="shared@example.org")
    factories.certified(
        container, date(2023, 5, 1), email="b@example.org", second_email="shared@example.org"
    )
    add(hr, acme, "1", **given)
    with container.reading(SYSTEM) as reading:
        assert reading.row(select(RosterEntry.holder_id))[0] == (first if found else None)


def test_a_certificate_number_finds_its_holder(container, acme, hr, staff):
    holder_id, certification_id = factories.certified(container, date(2023, 5, 1))
    number = staff.get(f"/certifications/{certification_id}").json["number"]
    add(hr, acme, "1", certificate_number=number)
    assert staff.get(acme.path("/roster")).json["items"][0]["holder_id"] == holder_id


def test_only_staff_name_a_worker_by_ref_and_see_whom_an_entry_means(container, acme, hr, staff):
    holder_id, _ = factories.certified(container, date(2023, 5, 1), ref="H-1")
    refused = hr.post(acme.path("/roster"), {"employee_id": "1", "holder_ref": "H-1"})
    assert refused.status_code == 422
    unknown = staff.post(acme.path("/roster"), {"employee_id": "1", "holder_ref": "H-2"})
    assert unknown.json["errors"][0]["field"] == "holder_ref"
    made = add(staff, acme, "1", holder_ref="H-1")
    assert made["holder_id"] == holder_id
    shown = read(employers_api.RosterEntrySchema, hr.get(acme.path(f"/roster/{made['id']}")))
    assert {"holder_id", "holder_ref"}.isdisjoint(shown)


def test_a_second_entry_for_the_same_person_finds_nobody(container, acme, hr):
    """Else an employer could guess at further addresses of someone who shares."""
    factories.certified(
        container, date(2023, 5, 1), email="ana@example.org", second_email="private@example.org"
    )
    add(hr, acme, "1", email="ana@example.org")
    add(hr, acme, "2", email="private@example.org")
    with container.reading(SYSTEM) as reading:
        rows = reading.rows(select(RosterEntry.holder_id).order_by(RosterEntry.employee_id))
    assert [row[0] is None for row in rows] == [False, True]


def test_ending_employment_ends_access_at_once_and_keeps_the_entry(acme, hr):
    acme.hire("1", "2")
    entry = acme.entries["1"]
    assert hr.get(acme.path(f"/workforce/{entry}")).status_code == 200
    assert hr.delete(acme.path(f"/roster/{entry}")).status_code == 204
    assert hr.get(acme.path(f"/workforce/{entry}")).status_code == 404
    assert [w["employee_id"] for w in everything(hr, acme.path("/workforce"))] == ["2"]
    kept = read(employers_api.RosterEntrySchema, hr.get(acme.path(f"/roster/{entry}")))
    assert (kept["ended_on"], kept["shared"]) == ("2026-11-21", False)
    assert hr.delete(acme.path(f"/roster/{entry}")).status_code == 404
    employed = everything(hr, acme.path("/roster"), ended="false")
    assert [e["employee_id"] for e in employed] == ["2"]


def test_a_roster_is_paged_and_filtered_with_a_constant_number_of_statements(acme, hr, container):
    acme.hire(*(f"W{n:03}" for n in range(5)), site="A")
    hr.get(acme.path("/roster"))
    with counted(container) as few:
        hr.get(acme.path("/roster"), query_string={"limit": 200})
    acme.hire(*(f"X{n:03}" for n in range(145)), site="B", shared=False)
    with counted(container) as many:
        page = hr.get(acme.path("/roster"), query_string={"limit": 200})
    assert len(read(page_of(employers_api.RosterEntrySchema), page)["items"]) == 150
    assert len(few) == len(many) <= 3
    assert len(everything(hr, acme.path("/roster"), limit=7)) == 150
    assert len(everything(hr, acme.path("/roster"), site="A")) == 5


def test_the_holder_sees_who_lists_them_consents_and_ends_it(acme, hr, caller):
    acme.hire("1", shared=False)
    ana = caller("holder", holder_id=acme.holders["1"])
    (listed,) = read(consents_api.SharingSchema, ana.get("/me/sharing"))
    assert (listed["employer_name"], listed["on_roster"], listed["shared"]) == ("Acme", True, False)
    assert (listed["id"], listed["fields"]) == (None, [])
    made = ana.post("/me/sharing", {"employer_id": acme.id, "purpose": "training"})
    consent = read(consents_api.SharingSchema, made, 201)
    assert (consent["since"], consent["until_on"]) == ("2026-11-21", None)
    assert (consent["fields"], consent["purpose"]) == (["standing", "dates"], "training")
    shown = hr.get(acme.path(f"/workforce/{acme.entries['1']}")).json
    assert set(consent["seen"]) == {key for key in shown if shown[key] is not None} - {
        "id",
        "employee_id",
        "shared",
    }
    assert ana.delete(f"/me/sharing/{consent['id']}").status_code == 204
    assert hr.get(acme.path(f"/workforce/{acme.entries['1']}")).status_code == 404
    assert everything(hr, acme.path("/workforce"))[0]["status"] == "not_shared"
    assert ana.delete(f"/me/sharing/{consent['id']}").status_code == 404
    assert ana.post("/me/sharing", {"employer_id": acme.id}).status_code == 201


def test_a_consent_beside_a_live_one_is_refused_and_a_lapsed_one_makes_room(
    acme, caller, clock, hr
):
    acme.hire("1", until_on=date(2026, 11, 30))
    ana = caller("holder", holder_id=acme.holders["1"])
    twice = ana.post("/me/sharing", {"employer_id": acme.id})
    assert (twice.status_code, twice.json["code"]) == (409, "already_recorded")
    clock.set("2026-11-30")
    assert hr.get(acme.path(f"/workforce/{acme.entries['1']}")).status_code == 200
    clock.set("2026-12-01")
    assert hr.get(acme.path(f"/workforce/{acme.entries['1']}")).status_code == 404
    assert ana.get("/me/sharing").json[0]["shared"] is False
    renewed = ana.post("/me/sharing", {"employer_id": acme.id, "until_on": "2026-12-31"})
    assert read(consents_api.SharingSchema, renewed, 201)["until_on"] == "2026-12-31"


NOT_MEANT: list[tuple[dict[str, object], str]] = [
    ({"employer_id": NOBODY}, "employer_id"),
    ({"until_on": "2026-11-20"}, "until_on"),
    ({"holder_id": NOBODY}, "holder_id"),
    ({"fields": ["evidence"]}, "fields.0"),
    ({"purpose": "curiosity"}, "purpose"),
]


@SQLITE
def test_a_consent_that_cannot_be_meant_names_its_field(acme, caller):
    acme.hire("1", shared=False)
    ana = caller("holder", holder_id=acme.holders["1"])
    for body, name in NOT_MEANT:
        refused = ana.post("/me/sharing", {"employer_id": acme.id} | body)
        assert refused.status_code == 422, body
        assert [error["field"] for error in refused.json["errors"]] == [name], body


def test_points_are_shown_only_if_the_holder_says_so(acme, caller, hr):
    acme.hire("1", "2", shared=False)
    for employee_id, body in (("1", {}), ("2", {"fields": ["points"]})):
        ana = caller("holder", holder_id=acme.holders[employee_id])
        made = ana.post("/me/sharing", {"employer_id": acme.id} | body).json
        shown = hr.get(acme.path(f"/workforce/{acme.entries[employee_id]}")).json
        wanted = bool(body)
        assert ("points" in made["seen"], "points" in made["fields"]) == (wanted, wanted)
        assert (shown["points"] is not None) == wanted


def test_nobody_ends_or_gives_consent_for_another(acme, caller, hr, staff):
    acme.hire("1", "2")
    bob = caller("holder", holder_id=acme.holders["2"])
    assert bob.delete(f"/me/sharing/{acme.sharing_of('1')}").status_code == 404
    for who in (hr, staff):
        assert who.post("/me/sharing", {"employer_id": acme.id}).status_code == 403
    path = f"/holders/{acme.holders['1']}/sharing"
    assert read(consents_api.SharingSchema, staff.get(path))[0]["shared"] is True
    assert bob.get(path).status_code == 403
    assert staff.get(f"/holders/{NOBODY}/sharing").status_code == 404


def test_two_consents_at_once_leave_one_row(acme, caller, container):
    acme.hire("1", shared=False)
    callers = [caller("holder", holder_id=acme.holders["1"]) for _ in range(4)]
    start, statuses = threading.Barrier(len(callers)), []

    def click(who):
        start.wait()
        statuses.append(who.post("/me/sharing", {"employer_id": acme.id}).status_code)

    clicks = [threading.Thread(target=click, args=(who,)) for who in callers]
    for thread in clicks:
        thread.start()
    for thread in clicks:
        thread.join()
    assert sorted(statuses) == [201, 409, 409, 409]
    with container.reading(SYSTEM) as reading:
        assert reading.row(select(func.count()).select_from(Sharing))[0] == 1


def test_consent_finds_the_entry_that_was_older_than_the_certificate(acme, hr, caller, container):
    add(hr, acme, "1", email="ANA@example.org")
    holder_id, _ = factories.certified(container, date(2023, 5, 1), email="ana@example.org")
    assert everything(hr, acme.path("/workforce"))[0]["shared"] is False
    made = caller("holder", holder_id=holder_id).post("/me/sharing", {"employer_id": acme.id})
    assert made.json["on_roster"] is True
    assert everything(hr, acme.path("/workforce"))[0]["shared"] is True


def test_who_sees_me_costs_the_same_for_many_employers(caller, container):
    companies = [employer_cases.company(container, f"E{n}") for n in range(12)]
    companies[0].hire("1")
    holder_id = companies[0].holders["1"]
    ana = caller("holder", holder_id=holder_id)
    ana.get("/me/sharing")
    with counted(container) as few:
        ana.get("/me/sharing")
    for company in companies[1:]:
        assert ana.post("/me/sharing", {"employer_id": company.id}).status_code == 201
    with counted(container) as many:
        seen_by = ana.get("/me/sharing")
    assert [one["employer_name"] for one in seen_by.json] == sorted(f"E{n}" for n in range(12))
    assert [one["on_roster"] for one in seen_by.json].count(True) == 1
    assert len(few) == len(many) <= 3


def test_every_change_leaves_a_line_of_history_without_addresses(acme, hr, caller, container):
    entry = add(hr, acme, "1", email="ana@example.org")
    holder_id, _ = factories.certified(container, date(2023, 5, 1), email="ana@example.org")
    ana = caller("holder", holder_id=holder_id)
    made = ana.post("/me/sharing", {"employer_id": acme.id})
    ana.delete(f"/me/sharing/{made.json['id']}")
    hr.delete(acme.path(f"/roster/{entry['id']}"))
    with container.reading(SYSTEM) as reading:
        statement = select(HistoryEntry.action, HistoryEntry.subject, HistoryEntry.detail)
        rows = reading.rows(statement.order_by(HistoryEntry.id))
    told = [(r.action, r.subject) for r in rows if r.subject in {"sharing", "roster_entry"}]
    assert told == [
        ("add", "roster_entry"),
        ("tie", "roster_entry"),
        ("consent", "sharing"),
        ("end", "sharing"),
        ("end", "roster_entry"),
    ]
    assert not any("ana@example.org" in str(r.detail) for r in rows)


def test_a_name_in_other_letters_is_no_other_company_and_is_found(staff):
    ids = [staff.post("/employers", {"name": name}).json["id"] for name in ("Señor Steel", "Bo")]
    refused = staff.patch(f"/employers/{ids[1]}", {"name": "SENOR  STEEL"}, version='"1"')
    assert refused.status_code == 409
    assert refused.json["detail"].endswith("named 'Señor Steel'.")
    own = staff.patch(f"/employers/{ids[0]}", {"name": "SEÑOR STEEL"}, version='"1"')
    assert own.status_code == 200
    found = staff.get("/employers?name=senor").json["items"]
    assert [row["id"] for row in found] == [ids[0]]
