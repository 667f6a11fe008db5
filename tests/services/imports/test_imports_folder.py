"""services/imports/folder.py: a folder of files, in the right order, as one act."""

from __future__ import annotations

import csv
import io
import shutil
from datetime import date
from decimal import Decimal

import pytest

from tests import factories
from tests.conftest import make_container
from tests.services.imports.importing import (
    HOLDERS,
    SAMPLE,
    SAMPLE_KINDS,
    as_csv,
    bring,
    counts,
    passes,
    standings,
)
from tests.services.imports.importing import rows as rows_of
from tracker.domain.credentials.certifications import ChangeKind
from tracker.domain.permissions import SYSTEM
from tracker.domain.points.activities import ActivityVerdict
from tracker.models import Certification, Holder, ImportRun
from tracker.services import imports
from tracker.services.credentials import certifications
from tracker.services.imports import folder
from tracker.services.imports.folder import FolderRefused
from tracker.services.overview import export_files, exports
from tracker.services.points import activities, activity_decisions, activity_rows

PEOPLE = "holder_ref,given_name,family_name,email\n"
CERTIFICATIONS = (
    "holder_ref,scheme,certificate_number,awarded_on,expires_on\n"
    "A,cpt,OLD-1,2024-03-15,2029-03-15\n"
)
RENEWALS = (
    "renewal_ref,holder_ref,scheme,submitted_on,decided_on,decision\n"
    "r1,B,cpt,2026-02-01,2026-02-10,approved\n"
)


@pytest.fixture
def files(tmp_path):
    """A folder in which every file names what another one brings."""
    made = tmp_path / "files"
    made.mkdir()
    (made / "holders.csv").write_text(HOLDERS)
    (made / "certifications.csv").write_text(CERTIFICATIONS)
    (made / "assessments.csv").write_bytes(as_csv(passes("B", "2021-03-01")))
    (made / "renewals.csv").write_text(RENEWALS)
    (made / "roster.csv").write_text(
        "employer,employee_id,certificate_number\nAcme,E1,old1\n", encoding="utf-8"
    )
    return made


@pytest.fixture
def other_container(templates, tmp_path, clock):
    """One more container, on a separate database without a row."""
    path = tmp_path / "other.sqlite3"
    shutil.copyfile(templates("sqlite"), path)
    made = make_container(f"sqlite:///{path}", tmp_path / "other", clock)
    yield made
    made.engine.dispose()


def run(container, path, **options):
    with container.work(SYSTEM) as work:
        return folder.run(work, folder.find(path), **options)


def refused(container, path):
    before = counts(container)
    with pytest.raises(FolderRefused) as raised:
        run(container, path)
    assert counts(container) == before
    return raised.value


def test_all_files_are_imported_in_the_order_of_their_kinds(container, files):
    reports = run(container, files)

    assert [(r.kind, r.created) for r in reports] == [
        ("holders", 2),
        ("assessments", 4),
        ("certifications", 1),
        ("renewals", 1),
        ("roster", 1),
    ]
    assert [s["expires_on"] for s in standings(container)] == ["2029-03-15", "2031-03-01"]
    assert reports[-1].warnings == ()


def test_references_between_the_files_hold_in_a_dry_run_that_stores_nothing(container, files):
    before = counts(container)

    reports = run(container, files, dry_run=True)

    assert [r.created for r in reports] == [2, 4, 1, 1, 1]
    assert all(r.dry_run for r in reports)
    assert counts(container) == before
    assert set(rows_of(container, ImportRun, "outcome", "dry_run")) == {("checked", True)}
    assert [r.created for r in run(container, files)] == [2, 4, 1, 1, 1]


def test_the_same_folder_again_changes_nothing(container, files):
    run(container, files)
    before = counts(container)

    assert all(r.unchanged == r.rows for r in run(container, files))
    assert counts(container) == before


def test_one_bad_row_in_the_last_file_refuses_all(container, files):
    (files / "roster.csv").write_text("employer,employee_id,holder_ref\nAcme,E1,Z\n")

    refusal = refused(container, files)

    assert refusal.detail == (
        "The folder was refused with 1 error, in roster.csv; nothing was stored."
    )
    assert [str(e) for r in refusal.refusals for e in r.errors] == [
        "roster.csv, row 2, holder_ref: 'Z' is not a holder on record; import holders first"
    ]
    assert [r.filename for r in refusal.checked] == [
        "holders.csv",
        "assessments.csv",
        "certifications.csv",
        "renewals.csv",
    ]


def test_after_a_refused_file_the_cells_of_the_others_are_looked_at(container, files):
    (files / "holders.csv").write_text(HOLDERS + "C,,Ek,nobody\n")
    (files / "renewals.csv").write_text(RENEWALS.replace("2026-02-10", "10.2.26"))

    refusal = refused(container, files)

    wrong = [(e.file, e.row, e.column) for r in refusal.refusals for e in r.errors]
    assert wrong == [
        ("holders.csv", 4, "given_name"),
        ("holders.csv", 4, "email"),
        ("renewals.csv", 2, "decided_on"),
    ]
    assert refusal.unchecked == ["assessments.csv", "certifications.csv", "roster.csv"]


def test_what_files_of_one_folder_contradict_is_refused(container, files):
    """The passes of the folder complete after the day that its certifications say."""
    (files / "assessments.csv").write_bytes(as_csv(passes("A", "2024-03-20")))
    (files / "renewals.csv").unlink()

    refusal = refused(container, files)

    (error,) = refusal.refusals[0].errors
    assert (error.file, error.row, error.column) == ("certifications.csv", 2, "awarded_on")


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("standing_change.csv", "is not named after a kind of file; the kinds are holders"),
        ("holder.xlsx", "did you mean holders.xlsx?"),
        ("notes.txt", "must end in .csv or .xlsx"),
        ("Holders.XLSX", "is a second file of the kind holders, besides"),
        ("standings.csv", "is not named after a kind of file"),
    ],
)
def test_a_name_that_says_no_kind_or_one_twice_is_refused(files, name, rule):
    (files / name).write_text("a\n")

    with pytest.raises(FolderRefused) as raised:
        folder.find(files)

    ((told, said),) = raised.value.fields.items()
    assert told.lower() in {name.lower(), "holders.csv"}
    assert rule in said


def test_a_folder_inside_is_refused_and_an_empty_one_says_how_files_are_named(files, tmp_path):
    (files / "more").mkdir()
    with pytest.raises(FolderRefused) as raised:
        folder.find(files)
    assert raised.value.fields == {"more": "is a folder; put all files directly in one folder"}

    (tmp_path / "empty").mkdir()
    with pytest.raises(FolderRefused) as raised:
        folder.find(tmp_path / "empty")
    assert "contains no file to import. Name the files after their kinds" in raised.value.detail


def test_what_programs_leave_beside_files_is_passed_over(files):
    for name in ("~$holders.xlsx", ".DS_Store", "Thumbs.db", "desktop.ini"):
        (files / name).write_text("x")
    (files / "renewals.csv").rename(files / "Renewals.CSV")

    assert [file.kind for file in folder.find(files)] == [
        "holders",
        "assessments",
        "certifications",
        "renewals",
        "roster",
    ]


def test_the_sample_goes_out_and_into_an_empty_database_with_the_same_standings(
    container, other_container, tmp_path
):
    """The numbers are kept too, and a second import of what went out changes nothing."""
    sample, out = tmp_path / "sample", tmp_path / "out"
    sample.mkdir()
    for kind in SAMPLE_KINDS:
        shutil.copy(SAMPLE / f"{kind}.csv", sample)
    run(container, sample)
    _write_all(container, out)

    again = run(container, out)
    run(other_container, out)

    assert [(r.kind, r.created, r.changed) for r in again] == [
        (k, 0, 0) for k in imports.FOLDER_KINDS
    ]
    _write_all(other_container, tmp_path / "again")
    assert _contents(tmp_path / "again") == _contents(out)
    for day in ("2026-11-21", "2024-05-01", "2021-12-31", "2027-06-30"):
        assert _all(container, day) == _all(other_container, day)


def _all(container, day):
    stream = io.BytesIO()
    with container.reading(SYSTEM) as reading:
        exports.standings(reading, on=date.fromisoformat(day), stream=stream)
    return [*csv.DictReader(io.StringIO(stream.getvalue().decode()))]


def test_what_came_over_http_goes_out_and_in_again_as_what_it_is(
    container, other_container, tmp_path
):
    """Records without refs go out under their ids; an award cut by the next one stays as it was."""
    holder_id, id_ = factories.certified(container, date(2015, 3, 15), ref="A")
    with container.work(SYSTEM) as work:
        for name, day in (("One", date(2016, 5, 1)), ("Two", date(2016, 6, 1))):
            _approved_course(work, id_, name, day)
        certifications.change(
            work,
            id_,
            kind=ChangeKind.SURRENDER,
            reason_code="other",
            reason="x",
            effective_on=date(2018, 5, 1),
        )
        factories.passed(work, holder_id, date(2019, 3, 15))
    columns = ("number", "awarded_on", "replaced_on")
    before, held = counts(container), rows_of(container, Certification, *columns)
    assert len(held) == 2
    first, second = tmp_path / "first", tmp_path / "second"
    _write_all(container, first)
    run(other_container, first)
    _write_all(other_container, second)

    again = run(container, first)

    assert [(r.created, r.changed) for r in again] == [(0, 0)] * len(imports.FOLDER_KINDS)
    assert counts(container) == before
    assert rows_of(other_container, Certification, *columns) == held
    assert _contents(first) == _contents(second)


def _contents(folder):
    return {file.name: file.read_text().splitlines() for file in folder.iterdir()}


def test_rows_go_out_in_the_order_of_their_keys_however_they_came_in(
    container, other_container, tmp_path
):
    """What went out comes into an empty database, and goes out again as the same bytes."""
    bring(container, "holders", f"{PEOPLE}z,Zoe,Ek,z@example.org\nÅ,Åsa,Ek,a@example.org\n")
    bring(container, "holders", f"{PEOPLE}B,Bo,Ek,b@example.org\na,Al,Ek,l@example.org\n")
    bring(container, "holders", f"{PEOPLE}10,Cy,Ek,c@example.org\n9,Di,Ek,d@example.org\n")
    for ref, last in (("z", "2022-01-15"), ("B", "2024-02-15"), ("Å", "2023-02-15")):
        bring(container, "assessments", as_csv(passes(ref, last)[::-1]))
    factories.certified(container, date(2019, 3, 15), ref="0")
    for employer, number in (("b GmbH", "9"), ("b GmbH", "10"), ("Émil", "a"), ("Acme", "B")):
        file = f"employer,employee_id,holder_ref\n{employer},{number},z\n"
        bring(container, "roster", file)
    _write_all(container, tmp_path / "first")
    run(other_container, tmp_path / "first")
    _write_all(other_container, tmp_path / "second")

    contents = _contents(tmp_path / "first")
    assert contents == _contents(tmp_path / "second")
    keys = {name: [line.split(",")[:2] for line in lines[1:]] for name, lines in contents.items()}
    assert [ref for ref, _ in keys["holders.csv"]] == ["0", "10", "9", "B", "a", "z", "Å"]
    assert [ref for ref, _ in keys["certifications.csv"]] == ["0", "B", "z", "Å"]
    assert keys["roster.csv"] == [
        ["Acme", "B"],
        ["b GmbH", "10"],
        ["b GmbH", "9"],
        ["Émil", "a"],
    ]
    assert len(keys["assessments.csv"]) == 16
    assert keys["assessments.csv"] == sorted(keys["assessments.csv"])


def _approved_course(work, certification_id, title, day):
    course = {
        "category": "CE",
        "type": "third_party",
        "title": title,
        "quantity": Decimal(50),
        "completed_on": day,
    }
    made = activities.log(work, certification_id, course)
    activities.submit(work, made)
    version = activity_rows.get(work, made).version
    activity_decisions.decide(
        work, made, activity_decisions.ReviewerDecision(ActivityVerdict.APPROVED), version=version
    )


def _write_all(container, into):
    into.mkdir()
    with container.reading(SYSTEM) as reading:
        for kind in imports.FOLDER_KINDS:
            with (into / f"{kind}.csv").open("wb") as stream:
                export_files.write(reading, kind, stream=stream)


def test_texts_that_look_like_formulas_are_the_same_after_a_journey(
    container, other_container, tmp_path
):
    """In CSV such a text stands behind an apostrophe, which belongs to the file, not to it."""
    people = HOLDERS.replace("\nA,Ana", "\n+1,'=Ana").replace("ana@", "=ana@")
    bring(container, "holders", people)
    _write_all(container, tmp_path / "first")
    run(other_container, tmp_path / "first")

    (again, *_) = run(container, tmp_path / "first")

    assert (again.created, again.changed, again.unchanged) == (0, 0, 2)
    columns = ("ref", "given_name", "email")
    assert rows_of(other_container, Holder, *columns) == rows_of(container, Holder, *columns)
    assert ("+1", "=Ana", "=ana@example.org") in rows_of(other_container, Holder, *columns)
