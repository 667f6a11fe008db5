"""cli/imports.py and cli/files.py: a folder of files in and out."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from tests.backends import SQLITE
from tests.services.imports.importing import HOLDERS, counts
from tracker.services import imports
from tracker.settings import ROOT

CERTIFICATIONS = (
    "holder_ref,scheme,certificate_number,awarded_on,expires_on\n"
    "A,cpt,OLD-1,2014-03-15,2019-03-15\nB,cpt,OLD-2,2024-03-15,2029-03-15\n"
)


@pytest.fixture
def files(tmp_path):
    """A folder with two people and their certifications."""
    made = tmp_path / "files"
    made.mkdir()
    (made / "holders.csv").write_text(HOLDERS)
    (made / "certifications.csv").write_text(CERTIFICATIONS)
    return made


@SQLITE
def test_a_folder_is_told_file_by_file(tracker, files):
    checked = tracker("import", "--all", files, "--dry-run")
    stored = tracker("import", "--all", files)
    again = tracker("import", "--all", files)

    lines = [
        "holders: 2 rows: 2 created, 0 changed, 0 unchanged",
        "certifications: 2 rows: 2 created, 0 changed, 0 unchanged",
        "certifications imported: 2",
    ]
    assert stored.stdout.splitlines() == lines
    assert checked.stdout.splitlines() == [
        *lines,
        "This was a dry run: nothing was stored.",
    ]
    assert again.stdout.splitlines()[-1] == "Nothing changed."


_LACKS = "its rows were not checked against the records, which lack the refused file's rows"


@SQLITE
def test_a_refused_folder_is_told_file_by_file_and_row_by_row(tracker, files):
    (files / "holders.csv").write_text(HOLDERS + "C,,Ek,c@example.org\n")

    result = tracker("import", "--all", files)

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.splitlines() == [
        "holders.csv, row 4, given_name: must not be empty",
        "The file was refused with 1 error; nothing was stored.",
        f"certifications.csv: its cells have no errors; {_LACKS}",
        "The folder was refused with 1 error, in holders.csv; nothing was stored.",
    ]


@SQLITE
def test_a_name_that_says_no_kind_is_told_with_those_there_are(tracker, files):
    (files / "certificates.csv").write_text("a\n")

    result = tracker("import", "--all", files)

    assert result.exit_code == 1
    assert "  certificates.csv: is not named after a kind of file; the kinds are holders, " in (
        result.stderr
    )
    assert "did you mean certifications.csv?" in result.stderr


@SQLITE
@pytest.mark.parametrize("arguments", [("holders",), (), ("holders", "x.csv", "--all", ".")])
def test_half_a_command_is_wrong_usage(tracker, arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.csv").write_text(HOLDERS)

    result = tracker("import", *arguments)

    assert result.exit_code == 2
    assert "Name a KIND and a FILE, or --all with a folder." in result.stderr


def test_what_goes_out_goes_in_again(tracker, files, tmp_path):
    tracker("import", "--all", files)

    result = tracker("export", "--all", tmp_path / "out")
    again = tracker("import", "--all", tmp_path / "out")

    assert "certifications: 2 rows" in result.stdout.splitlines()
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        f"{kind}.csv" for kind in imports.FOLDER_KINDS
    }
    assert again.stdout.endswith("Nothing changed.\n")
    refused = tracker("export", "--all", tmp_path / "out")
    assert refused.exit_code == 2
    assert "already exists: name a new or an empty folder" in refused.stderr
    assert tracker("export").exit_code == 2


@SQLITE
def test_nothing_on_record_goes_out_and_in_again_too(tracker, tmp_path):
    tracker("export", "--all", tmp_path / "out")
    again = tracker("import", "--all", tmp_path / "out")

    assert (again.exit_code, again.stdout.splitlines()[-1]) == (0, "Nothing changed.")


def test_certifications_go_out_as_they_came_in(tracker, files):
    tracker("import", "--all", files)

    found = tracker("export", "certifications").stdout.splitlines()

    assert found[1:] == [
        "A,cpt,OLD-1,2014-03-15,2014-03-15,2019-03-15,,,",
        "B,cpt,OLD-2,2024-03-15,2024-03-15,2029-03-15,,,",
    ]


def test_a_process_killed_in_the_middle_of_a_folder_leaves_nothing(container, variables, files):
    """The last file is written when it is killed, and nothing of the first one stays."""
    before = counts(container)
    killed = (
        "import os, signal; from tracker.services.credentials import imported_award_rows as rows\n"
        "write = rows.write\n"
        "rows.write = lambda *a, **k: (write(*a, **k), os.kill(os.getpid(), signal.SIGKILL))\n"
        "from tracker.cli import main; main()"
    )
    command = [sys.executable, "-c", killed, "import", "--all", str(files)]
    process = subprocess.run(
        command, env={**os.environ, **variables, "PYTHONPATH": str(ROOT)}, timeout=120, check=False
    )

    assert process.returncode == -signal.SIGKILL
    assert counts(container) == before
