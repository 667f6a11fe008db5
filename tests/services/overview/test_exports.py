"""Exports: the standings of a date as CSV and XLSX, and everything about one person."""

import csv
import io
import json
from datetime import date

import openpyxl
import orjson
import pytest
from sqlalchemy import select, update

from tests.backends import SQLITE
from tests.services.imports.importing import (
    HOLDERS,
    SAMPLE,
    SAMPLE_KINDS,
    as_csv,
    bring,
    certify,
    passes,
)
from tracker.domain.errors import NotFound
from tracker.domain.permissions import SYSTEM, Actor
from tracker.models import Assessment, Certification, Holder
from tracker.services.credentials import awards
from tracker.services.desk import corrections
from tracker.services.overview import exports

TODAY = date(2026, 11, 21)


@pytest.fixture
def registered(container):
    """A and B are on record, and A is certified since 15 January 2022."""
    bring(container, "holders", HOLDERS)
    certify(container, "A", "2022-01-15")
    return container


def exported(container, on=TODAY, form="csv"):
    stream = io.BytesIO()
    with container.reading(SYSTEM) as reading:
        exports.standings(reading, on=on, stream=stream, format=form)
    return stream.getvalue()


def record(container, ref, by=SYSTEM):
    with container.reading(by) as reading:
        return exports.record(reading, ref)


def test_the_columns_are_those_that_were_agreed(registered):
    header, first = exported(registered).decode().splitlines()

    assert header == (
        "holder_ref,certificate_number,scheme,status,valid,awarded_on,cycle_starts_on,expires_on,"
        "window_opens_on,points_counted,points_required,modules_passed,modules_missing"
    )
    number = record(registered, "A")["certifications"][0]["number"]
    assert first == (
        f"A,{number},cpt,renewal_open,true,2022-01-15,2022-01-15,2027-01-15,2026-10-17,"
        "0.00,100.00,safety;quality;processes;maintenance,"
    )


@SQLITE
def test_the_workbook_holds_the_same_words_as_the_csv(registered):
    bring(registered, "assessments", as_csv(passes("B", "2024-01-15", ["safety", "green"])))
    lines = list(csv.reader(io.StringIO(exported(registered).decode())))
    book = openpyxl.load_workbook(io.BytesIO(exported(registered, form="xlsx")))
    cells = [[_word(cell.value) for cell in row] for row in book.worksheets[0].iter_rows()]

    assert [[_number(word) for word in line] for line in lines] == [
        [_number(word) for word in line] for line in cells
    ]


def _word(value):
    if value is None:
        return ""
    return value.date().isoformat() if hasattr(value, "date") else str(value)


def _number(word):
    return str(float(word)) if word.replace(".", "").isdigit() else word


@SQLITE
def test_nothing_after_the_date_is_seen(registered):
    assert len(exported(registered, date(2022, 1, 11)).splitlines()) == 1
    line = exported(registered, date(2022, 1, 14)).decode().splitlines()[1]

    assert line == "A,,cpt,in_progress,false,,,,,,,safety;quality;processes,maintenance"


@SQLITE
def test_a_name_that_a_spreadsheet_would_compute_is_made_harmless(container):
    bring(container, "holders", HOLDERS.replace("\nA,", "\n=1+1,"))
    certify(container, "=1+1", "2022-01-15")

    assert exported(container).decode().splitlines()[1].startswith("'=1+1,")
    book = openpyxl.load_workbook(io.BytesIO(exported(container, form="xlsx")))
    cell = book.worksheets[0]["A2"]
    assert (cell.value, cell.data_type) == ("=1+1", "s")


def test_more_holders_than_fit_one_page_come_in_the_order_of_their_refs(container):
    many = "".join(f"P{n},Pat,Ek,p{n}@example.org\n" for n in range(1, 1102))
    bring(container, "holders", "holder_ref,given_name,family_name,email\n" + many)
    lines = [row for n in range(1, 1102) for row in passes(f"P{n}", "2024-01-15", ["safety"])]
    bring(container, "assessments", as_csv(lines))

    refs = [line.split(",")[0] for line in exported(container).decode().splitlines()[1:]]
    assert refs == sorted(f"P{n}" for n in range(1, 1102))


def test_a_record_holds_everything_and_is_json(registered):
    certified = {"cycles", "renewals", "changes", "appeals", "reminders"}
    for kind in SAMPLE_KINDS[2:]:
        lines = [line.replace("H1-000003", "A") for line in _sample_lines(kind)]
        bring(registered, kind, "".join(lines))

    found = record(registered, "A")

    assert orjson.loads(orjson.dumps(found)) == json.loads(json.dumps(found)) == found
    assert found["holder"]["email"] == "ana@example.org"
    assert len(found["assessments"]) == 4
    (certification,) = found["certifications"]
    assert certified <= certification.keys()
    assert certification["renewals"][0]["decision"] == "approved"
    assert certification["changes"][0]["kind"] == "revoke"
    assert len(certification["cycles"]) == 1  # applied for long before the window: opens none
    assert [entry["employer"] for entry in found["rosters"]] == ["Lone Star Aero"]
    assert {"award"} <= {line["action"] for line in found["history"]}
    assert found["assessments"][0]["recorded_at"] == "2026-11-21T17:00:00Z"
    assert "version" not in found["holder"]


def _sample_lines(kind):
    header, *lines = (SAMPLE / f"{kind}.csv").read_text("utf-8").splitlines(keepends=True)
    return [header, *(line for line in lines if "H1-000003," in line)]


def test_the_decisions_on_an_activity_stand_under_it(registered):
    bring(
        registered,
        "activities",
        "activity_ref,holder_ref,scheme,category,type,title,quantity,completed_on,status,"
        "submitted_on,decided_on\nx,A,cpt,CE,third_party,T,7.5,2024-01-01,approved,2024-01-02,"
        "2024-01-03\n",
    )

    (activity,) = record(registered, "A")["activities"]

    assert (activity["quantity"], activity["evidence"]) == ("7.50", [])
    assert [d["verdict"] for d in activity["decisions"]] == ["approved"]


def test_somebody_elses_record_is_no_record(registered):
    with registered.reading(SYSTEM) as reading:
        ids = {row.ref: row.id for row in reading.rows(select(Holder.ref, Holder.id))}
    ana = Actor(role="holder", name="Ana", holder_id=ids["A"])

    assert record(registered, "A", by=ana)["holder"]["ref"] == "A"
    for ref in ("B", "nobody"):
        with pytest.raises(NotFound):
            record(registered, ref, by=ana)


def test_a_record_tells_former_names_requests_and_what_was_changed(registered):
    with registered.work(SYSTEM) as work:
        holder = work.row(select(Holder.id).where(Holder.ref == "A"))
        assert holder is not None
        corrections.change(work, holder.id, {"family_name": "Ruiz"}, version=1, reason="Married")
    with registered.work(Actor(role="holder", name="Ana", holder_id=holder.id)) as work:
        corrections.change(work, holder.id, {"family_name": "Vega"}, version=2, reason=None)

    found = record(registered, "A")

    assert [name["family_name"] for name in found["former_names"]] == ["Gómez"]
    assert [request["proposal"] for request in found["requests"]] == [{"family_name": "Vega"}]
    assert "folded_name" not in found["holder"]
    values = {line["action"]: line.get("values") for line in found["history"]}
    assert values["correct"] == {"family_name": {"before": "Gómez", "after": "Ruiz"}}
    assert values["ask"] == {"family_name": {"before": None, "after": "Vega"}}


@pytest.mark.parametrize(("on", "valid"), [("2026-11-09", "true"), ("2026-11-10", "false")])
def test_nothing_is_valid_from_the_day_of_a_death_and_the_status_is_that_of_the_dates(
    registered, on, valid
):
    with registered.work(SYSTEM) as work:
        died = update(Holder).where(Holder.ref == "A").values(deceased_on=date(2026, 11, 10))
        work.connection.execute(died)

    line = exported(registered, date.fromisoformat(on)).decode().splitlines()[1].split(",")
    assert (line[3], line[4]) == ("renewal_open", valid)


def test_a_voided_certification_stays_in_the_record_and_leaves_the_export(registered):
    with registered.work(SYSTEM) as work:
        holder = work.row(select(Certification.holder_id))
        assert holder is not None
        failed = update(Assessment).values(passed=False)
        work.connection.execute(failed)
        awards.settle(work, work.schemes["cpt"], [holder.holder_id])

    assert record(registered, "A")["certifications"][0]["withdrawn_at"] is not None
    assert ",in_progress," in exported(registered).decode().splitlines()[1]
