"""Whatever a command writes is for its own user alone; the doctor tells what is not."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from tracker.cli import main


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty directory to run in, with the umask that most machines have."""
    monkeypatch.chdir(tmp_path)
    before = os.umask(0o022)
    yield tmp_path
    os.umask(before)


@pytest.fixture
def run(home):
    """Run a command there on a separate SQLite database."""
    usual = {"TRACKER_DATABASE_URL": f"sqlite:///{home}/var/tracker.sqlite3"}

    def run(*arguments, **variables):
        return CliRunner(env={"TRACKER_ENV": "testing", **usual, **variables}).invoke(
            main, arguments
        )

    return run


def modes(folder: Path) -> dict[str, int]:
    return {
        str(path.relative_to(folder)): path.stat().st_mode & 0o077 for path in folder.rglob("*")
    }


def test_the_database_the_keys_and_exports_are_their_users_alone(run, home):
    assert run("init").exit_code == 0
    assert run("export", "holders", "--output", "holders.csv").exit_code == 0

    found = modes(home)
    assert {"var/tracker.sqlite3", "var/keys/master.key", "holders.csv"} <= set(found)
    assert {name for name, mode in found.items() if mode} == set()
    assert os.umask(0o022) == 0o022  # as before, for whoever called


def findings(result):
    return {finding["check"]: finding for finding in json.loads(result.stdout)}


@pytest.mark.parametrize(
    ("path", "mode"),
    [("var/tracker.sqlite3", 0o644), ("var/keys/master.key", 0o640), ("var/keys", 0o755)],
)
def test_the_doctor_names_what_others_can_read_and_how_to_end_that(run, home, path, mode):
    run("init")
    assert findings(run("doctor", "--json"))["files"]["state"] == "ok"
    (home / path).chmod(mode)

    found = findings(run("doctor", "--json"))["files"]

    assert found["state"] == "warning"
    assert f"{home / path} ({mode:o})" in found["detail"]
    assert found["fix"] == f"chmod -R go= {home / path}"


def test_the_doctor_names_a_key_that_is_too_short(run, home):
    run("init")
    assert "keys" not in findings(run("doctor", "--json"))
    (home / "var/keys/master.key").write_bytes(b"secret")

    assert "master.key" in findings(run("doctor", "--json"))["keys"]["detail"]


NO_PRODUCTION = (
    "This is not a production environment: set TRACKER_ENV=production to make it one "
    "(now: default)."
)


def test_without_an_environment_a_line_says_that_this_is_no_production(run, monkeypatch):
    monkeypatch.delenv("TRACKER_ENV", raising=False)
    without = run("init", TRACKER_ENV=None)
    named = run("init", TRACKER_ENV="default")

    assert (without.exit_code, named.exit_code) == (0, 0)
    assert NO_PRODUCTION in without.stderr.splitlines()
    assert NO_PRODUCTION not in named.stderr.splitlines()
    found = findings(run("doctor", "--json", TRACKER_ENV=None))["settings"]
    assert (found["state"], found["detail"]) == (
        "warning",
        "environment default: this is not a production environment",
    )
