"""Imports over HTTP: all of a file or nothing, a report either way."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date

import pytest

from tests import factories
from tests.backends import SQLITE
from tests.rows import count
from tracker import tabular
from tracker.api.http.schemas import page_of
from tracker.api.imports import ImportProblemSchema, ImportReportSchema, ImportRunSchema
from tracker.domain.permissions import SYSTEM
from tracker.models import Employer, Holder
from tracker.models import ImportRun as Run

HOLDERS = """holder_ref,given_name,family_name,email,language
h-1,Ana,Peña,ana@example.org,es
h-2,Ben,Okafor,ben@example.org,en
"""
BAD = """holder_ref,given_name,family_name,email,language
h-1,Ana,Peña,ana@example.org,es
h-2,Ben,Okafor,not-an-address,fr
"""
ROSTER = """employer,employee_id,holder_ref,site
Palmetto Motors,17,,Greer
"""


def send(who, text, kind="holders", name="file.csv", **options):
    key = {"key": options.pop("key")} if "key" in options else {}
    data = text if isinstance(text, bytes) else text.encode()
    form = {"kind": kind, "file": (io.BytesIO(data), name), **options}
    return who.call("POST", "/imports", data=form, **key)


def test_a_good_file_is_stored_whole_and_reported(staff, container):
    made = send(staff, HOLDERS)
    assert made.status_code == 201, made.json
    ImportReportSchema().load(made.json)
    told = {
        "kind": "holders",
        "filename": "file.csv",
        "outcome": "stored",
        "dry_run": False,
        "rows": 2,
        "created": 2,
        "changed": 0,
        "unchanged": 0,
        "errors": [],
    }
    assert told.items() <= made.json.items()
    assert made.headers["Location"] == f"/api/v1/imports/{made.json['id']}"
    assert staff.get(f"/imports/{made.json['id']}").json == made.json
    assert count(container, Holder) == 2


def test_the_same_file_again_changes_nothing_and_says_so(staff):
    send(staff, HOLDERS)
    again = send(staff, HOLDERS).json
    assert (again["created"], again["changed"], again["unchanged"]) == (0, 0, 2)


def test_a_workbook_is_read_as_well(staff, container):
    into = io.BytesIO()
    header, *rows = [line.split(",") for line in HOLDERS.splitlines()]
    tabular.write_xlsx(into, header, rows)
    made = send(staff, into.getvalue(), name="file.xlsx")
    assert made.status_code == 201, made.json
    assert count(container, Holder) == 2


def test_a_bad_file_stores_nothing_names_every_bad_cell_and_is_on_record(staff, container):
    refused = send(staff, BAD)
    assert (refused.status_code, refused.json["code"]) == (422, "import_refused")
    assert refused.content_type == "application/problem+json"
    ImportProblemSchema().load(refused.json)
    where = [(error["row"], error["column"], error["value"]) for error in refused.json["errors"]]
    assert where == [(3, "email", "not-an-address"), (3, "language", "fr")]
    assert refused.json["total"] == 2
    assert count(container, Holder) == 0
    kept = staff.get(f"/imports/{refused.json['import_id']}").json
    ImportReportSchema().load(kept)
    assert (kept["outcome"], kept["rows"], kept["total_errors"]) == ("refused", None, 2)
    assert kept["errors"] == refused.json["errors"]


def test_a_dry_run_stores_nothing_but_its_report(staff, container):
    made = send(staff, HOLDERS, dry_run="true")
    assert (made.status_code, made.json["outcome"]) == (201, "checked")
    assert made.json["created"] == 2
    assert count(container, Holder) == 0
    assert staff.get(f"/imports/{made.json['id']}").json == made.json


@SQLITE
def test_ambiguous_dates_need_to_be_told_how_to_be_read(staff):
    send(staff, HOLDERS)
    rows = """attempt_ref,holder_ref,scheme,module,taken_on,result
a-1,h-1,cpt,safety,03/04/2026,pass
"""
    refused = send(staff, rows, kind="assessments")
    assert refused.status_code == 422
    assert "ambiguous" in refused.json["errors"][0]["rule"]
    made = send(staff, rows, kind="assessments", dates="us")
    assert made.status_code == 201, made.json


@SQLITE
def test_a_file_in_windows_1252_needs_to_be_told_so(staff):
    rows = HOLDERS.replace("Ana", "Aña").encode("cp1252")
    refused = send(staff, rows)
    assert refused.status_code == 422
    assert "set the encoding to windows-1252" in refused.json["errors"][0]["rule"]
    made = send(staff, rows, encoding="windows-1252")
    assert made.status_code == 201, made.json


def test_a_repeated_request_imports_once(staff, container):
    first = send(staff, HOLDERS, key="k")
    again = send(staff, HOLDERS, key="k")
    assert first.status_code == again.status_code == 201
    assert first.json == again.json
    assert count(container, Run) == 1
    assert send(staff, BAD, key="k").status_code == 422
    assert count(container, Run) == 1  # refused for its key, before it was read


@SQLITE
def test_a_file_over_the_limit_is_413(staff, app, container, monkeypatch):
    limits = replace(container.settings.imports, maximum_bytes=10_000)
    limited = replace(container, settings=replace(container.settings, imports=limits))
    monkeypatch.setitem(app.extensions, "tracker", limited)
    refused = send(staff, HOLDERS + "x" * 10_000)
    assert (refused.status_code, refused.json["code"]) == (413, "request_entity_too_large")
    far = send(staff, HOLDERS + "x" * 100_000)
    assert far.status_code == 413
    assert far.json["detail"] == "The file must have at most 10,000 bytes."


BAD_FIELDS = [
    ({"kind": "people"}, "kind"),
    ({"dates": "chinese"}, "dates"),
    ({"encoding": "latin"}, "encoding"),
    ({"dry_run": "perhaps"}, "dry_run"),
    ({"employer_id": "1"}, "employer_id"),
]


@SQLITE
def test_a_bad_field_is_named(staff):
    for change, field in BAD_FIELDS:
        refused = send(staff, HOLDERS, **change)
        assert refused.status_code == 422, change
        ImportProblemSchema().load(refused.json)
        assert [error["field"] for error in refused.json["errors"]] == [field], change


@SQLITE
@pytest.mark.parametrize("text", [b"", b"\x00\xff\x00", b"PK\x03\x04 no workbook", b"a,b\n1,2\n"])
def test_what_is_no_table_is_refused_and_on_record(staff, container, text):
    refused = send(staff, text)
    assert (refused.status_code, refused.json["code"]) == (422, "import_refused")
    assert refused.json["errors"]
    assert count(container, Run) == 1


def test_an_employer_imports_its_own_roster_and_nothing_else(caller, container, employer_id):
    employer = caller("employer", employer_id=employer_id)
    made = send(employer, ROSTER, kind="roster")
    assert made.status_code == 201, made.json
    assert made.json["employer_id"] == employer_id
    refused = send(employer, HOLDERS)
    assert (refused.status_code, refused.json["code"]) == (403, "not_allowed")
    assert count(container, Holder) == 0
    foreign = send(employer, ROSTER.replace("Palmetto", "Other"), kind="roster")
    assert foreign.status_code == 422


def test_an_employer_sees_its_own_runs_only(caller, staff, container, employer_id):
    with container.work(SYSTEM) as work:
        other = Employer(name="Other", recorded_at=work.now)
        work.session.add(other)
        work.session.flush()
        other_id = other.id
    mine, theirs = (caller("employer", employer_id=one) for one in (employer_id, other_id))
    run = send(mine, ROSTER, kind="roster").json["id"]
    of_staff = send(staff, HOLDERS).json["id"]
    unknown = "0192d3a0-0000-7000-8000-000000000000"
    assert [one["id"] for one in mine.get("/imports").json["items"]] == [run]
    assert theirs.get("/imports").json["items"] == []
    none = theirs.get(f"/imports/{unknown}")
    for foreign in (theirs.get(f"/imports/{run}"), theirs.get(f"/imports/{of_staff}")):
        assert foreign.status_code == none.status_code == 404
        assert {**foreign.json, "request_id": ""} == {**none.json, "request_id": ""}
    assert {one["id"] for one in staff.get("/imports").json["items"]} == {run, of_staff}


def test_runs_come_in_pages_by_kind(staff):
    for _ in range(3):
        send(staff, HOLDERS)
    first = staff.get("/imports?limit=2")
    page_of(ImportRunSchema)().load(first.json)
    rest = staff.get(f"/imports?limit=2&after={first.json['next']}").json
    assert (len(first.json["items"]), len(rest["items"])) == (2, 1)
    assert staff.get("/imports?kind=roster").json["items"] == []
    assert len(staff.get("/imports?kind=holders").json["items"]) == 3


@SQLITE
def test_holders_and_strangers_import_nothing(caller, anonymous, container):
    holder = caller("holder", holder_id=factories.certified(container, date(2024, 3, 1))[0])
    for who, status in ((holder, 403), (anonymous, 401)):
        assert send(who, HOLDERS).status_code == status
        assert who.get("/imports").status_code == status


@SQLITE
def test_a_name_that_does_not_print_is_kept_as_far_as_it_does(staff):
    made = send(staff, HOLDERS, name="a\u202e\x00b.csv")
    assert made.status_code == 201
    assert made.json["filename"] == "ab.csv"
