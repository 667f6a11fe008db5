"""tracker import, export and remind."""

import contextlib
import csv
import io
import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest
from sqlalchemy import select

from tests.backends import SQLITE
from tracker.cli.commands import progress
from tracker.domain.permissions import SYSTEM
from tracker.models import Holder, ImportRun
from tracker.settings import ROOT

SAMPLE = Path(__file__).parents[1] / "data" / "sample"
HOLDERS = "holder_ref,given_name,family_name,email\nA,Ana,Gómez,ana@example.org\n"


def runs(container):
    with container.reading(SYSTEM) as reading:
        statement = select(ImportRun.outcome, ImportRun.filename).order_by(ImportRun.id)
        return [tuple(row) for row in reading.rows(statement)]


@pytest.mark.usefixtures("sample")
def test_the_sample_goes_in_and_the_expected_standings_come_out(tracker):
    result = tracker("export", "standings", "--as-of", "2026-11-21")
    lines = list(csv.DictReader(io.StringIO(result.stdout)))
    for line in lines:
        del line["certificate_number"]
    with (SAMPLE / "expected-standings-2026-11-21.csv").open(newline="") as file:
        assert lines == list(csv.DictReader(file))


@SQLITE
def test_an_import_tells_its_counts_and_a_second_one_that_nothing_changed(tracker, tmp_path):
    path = tmp_path / "people.csv"
    path.write_text(HOLDERS)

    first, second = tracker("import", "holders", path), tracker("import", "holders", path)

    assert first.stdout == "holders: 1 rows: 1 created, 0 changed, 0 unchanged\n"
    assert second.stdout == "holders: 1 rows: 0 created, 0 changed, 1 unchanged\nNothing changed.\n"
    assert first.stderr == second.stderr == ""


def test_a_dry_run_says_so_and_stores_nothing(tracker, tmp_path, container):
    path = tmp_path / "people.csv"
    path.write_text(HOLDERS)

    result = tracker("import", "holders", path, "--dry-run")

    assert result.stdout.endswith("This was a dry run: nothing was stored.\n")
    assert tracker("import", "holders", path).stdout.startswith("holders: 1 rows: 1 created")
    assert runs(container) == [("checked", "people.csv"), ("stored", "people.csv")]


@SQLITE
def test_a_refused_file_is_told_row_by_row_on_standard_error_and_kept(tracker, tmp_path, container):
    path = tmp_path / "people.csv"
    path.write_text(HOLDERS + "B,,Ek,nobody\n")

    result = tracker("import", "holders", path)

    assert (result.exit_code, result.stdout) == (1, "")
    first, second, last = result.stderr.splitlines()
    assert first == "people.csv, row 3, given_name: must not be empty"
    assert second.startswith("people.csv, row 3, email: 'nobody' must be one email address such as")
    assert last == "The file was refused with 2 errors; nothing was stored."
    assert runs(container) == [("refused", "people.csv")]


@SQLITE
def test_more_errors_than_are_kept_are_counted(tracker, tmp_path):
    path = tmp_path / "people.csv"
    path.write_text(HOLDERS + "".join(f"P{n},Pat,Ek,x\n" for n in range(1200)))

    lines = tracker("import", "holders", path).stderr.splitlines()

    assert lines[-2:] == [
        "... and 200 more",
        "The file was refused with 1,200 errors; nothing was stored.",
    ]
    assert len(lines) == 1002


@SQLITE
def test_a_file_in_windows_1252_is_recognized_and_read_when_it_is_said(tracker, tmp_path):
    path = tmp_path / "people.csv"
    path.write_bytes(HOLDERS.replace("Ana", "Aña").encode("cp1252"))

    refused = tracker("import", "holders", path)
    assert refused.exit_code == 1
    assert "looks like Windows-1252, in which it reads 'A,Aña," in refused.stderr
    assert "set the encoding to windows-1252" in refused.stderr

    result = tracker("import", "holders", path, "--encoding", "windows-1252")
    assert result.stdout.startswith("holders: 1 rows: 1 created")


@SQLITE
def test_sheets_that_were_not_read_are_named(tracker, tmp_path):
    path = tmp_path / "people.xlsx"
    book = openpyxl.Workbook()
    for line in HOLDERS.splitlines():
        book.worksheets[0].append(line.split(","))
    book.create_sheet("Notes").append(["Thank you!"])
    book.save(path)

    result = tracker("import", "holders", path)

    assert result.stdout.startswith("holders: 1 rows: 1 created")
    assert result.stderr == (
        "warning: people.xlsx, row 1: Only the sheet 'Sheet' was read, not 'Notes'.\n"
    )


@SQLITE
def test_warnings_go_to_standard_error(tracker, tmp_path):
    people, attempts = tmp_path / "people.csv", tmp_path / "attempts.csv"
    people.write_text(HOLDERS)
    attempts.write_text(
        "attempt_ref,holder_ref,scheme,module,taken_on,result\n"
        "a,A,cpt,safety,01/02/2024,fail\nb,A,cpt,safety,01/03/2024,fail\n"
    )
    tracker("import", "holders", people)

    result = tracker("import", "assessments", attempts, "--dates", "us")

    assert result.stderr == (
        "warning: attempts.csv, row 3, taken_on: Module safety may be attempted again from "
        "2024-01-18, not on 2024-01-03.\n"
    )
    assert result.exit_code == 0


@SQLITE
def test_a_file_may_come_from_standard_input(tracker):
    result = tracker("import", "holders", "-", stdin=HOLDERS)

    assert result.stdout.startswith("holders: 1 rows: 1 created")
    refused = tracker("import", "holders", "-", stdin=HOLDERS.replace("Ana,", ","))
    assert refused.stderr.startswith("standard input, row 2, given_name: must not be empty")


@SQLITE
@pytest.mark.parametrize(
    "arguments",
    [
        ("import", "people", "x.csv"),
        ("import", "holders", "no-such-file.csv"),
        ("import",),
        ("export", "standings"),
        ("export", "standings", "--as-of", "21.11.2026"),
        ("remind", "--as-of", "2026-11-21"),
        ("nonsense",),
        ("token", "create"),
    ],
)
def test_wrong_usage_ends_with_status_2(tracker, arguments):
    result = tracker(*arguments)

    assert (result.exit_code, result.stdout) == (2, "")
    assert "Usage: " in result.stderr


@SQLITE
@pytest.mark.usefixtures("sample")
def test_a_workbook_is_written_beside_and_put_in_place(tracker, tmp_path):
    path = tmp_path / "out" / "standings.xlsx"
    path.parent.mkdir()
    result = tracker(
        "export", "standings", "--as-of", "2026-11-21", "--format", "xlsx", "--output", path
    )

    assert result.exit_code == 0
    assert openpyxl.load_workbook(path).worksheets[0].max_row == 395
    assert [p.name for p in path.parent.iterdir()] == ["standings.xlsx"]


@SQLITE
def test_a_file_that_cannot_be_written_is_a_failure(tracker, tmp_path):
    path = tmp_path / "no-such-folder" / "standings.csv"
    result = tracker("export", "standings", "--as-of", "2026-11-21", "--output", path)

    assert result.exit_code == 1
    assert "No such file or directory" in result.stderr


@SQLITE
@pytest.mark.usefixtures("sample")
def test_a_record_is_exported_as_json(tracker):
    found = json.loads(tracker("export", "record", "H1-000003").stdout)

    assert found["holder"]["ref"] == "H1-000003"
    nobody = tracker("export", "record", "nobody")
    assert (nobody.exit_code, nobody.stderr) == (1, "There is no such record.\n")


@SQLITE
@pytest.mark.usefixtures("sample")
def test_a_dry_run_of_reminders_says_who_would_be_written_to_and_why(tracker):
    result = tracker("remind", "--dry-run", "--as-of", "2026-11-21")

    assert "  cpt  expires " in result.stdout
    assert "planned" in result.stdout
    count = sum("  planned" in line for line in result.stdout.splitlines())
    assert result.stderr.startswith(f"{count} reminders would be sent by the end of 2026-11-21")


@SQLITE
def test_reminding_once_plans_and_sends_what_is_due(tracker):
    result = tracker("remind")

    assert result.stdout == "planning: nothing was due\nsending: nothing was due\n"


@contextlib.contextmanager
def on_a_terminal(variables, *arguments):
    """Run the command with a terminal as its standard error; gives the process and a reader."""
    ours, theirs = pty.openpty()
    # Not measured: coverage holds a lock that an interrupt at the wrong moment never lets go.
    unmeasured = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE_")}
    environment = {**unmeasured, **variables, "PYTHONPATH": str(ROOT), "TERM": "xterm"}
    command = [sys.executable, "-m", "tracker.cli", *map(str, arguments)]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=theirs, text=True
    ) as process:
        os.close(theirs)
        try:
            yield process, lambda: _read(ours)
        finally:
            os.close(ours)


def _read(terminal):
    try:
        return os.read(terminal, 4096).decode()
    except OSError:  # the other end is closed
        return ""


def people(number):
    return HOLDERS + "".join(f"P{n},Pat,Ek,p{n}@example.org\n" for n in range(number))


@SQLITE
def test_progress_is_shown_on_a_terminal_with_count_and_rate(variables, tmp_path):
    path = tmp_path / "people.csv"
    path.write_text(people(10_000))
    with on_a_terminal(variables, "import", "holders", path) as (process, read):
        shown = ""
        while more := read():
            shown += more
        assert process.stdout.read().startswith("holders: 10,001 rows: 10,001 created")
        assert process.wait(60) == 0

    assert "Importing holders" in shown
    assert " rows/s" in shown


def test_an_interrupt_waits_for_the_next_progress_and_pressed_again_does_not():
    with progress("Importing") as tell:
        tell(1_000)
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            tell(2_000)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_an_import_that_is_interrupted_stores_nothing(variables, tmp_path, container):
    path = tmp_path / "people.csv"
    path.write_text(people(200_000))
    with on_a_terminal(variables, "import", "holders", path) as (process, read):
        shown = ""
        while " rows/s" not in shown:
            shown += read()
        process.send_signal(signal.SIGINT)
        while more := read():
            shown += more
        assert process.wait(60) == 1

    assert "Aborted!" in shown
    assert "Traceback" not in shown
    with container.reading(SYSTEM) as reading:
        assert reading.row(select(Holder.id)) is None
