"""tracker init, migrate, serve, schemes, token and doctor."""

import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import time

import click
import pytest
from sqlalchemy import delete, select, update

from tests import postgres
from tests.backends import SQLITE
from tracker import migrations
from tracker.cli import main
from tracker.domain.permissions import SYSTEM
from tracker.models import HolderWord, Runtime, Span
from tracker.services.delivery import send_safety
from tracker.settings import ROOT


@pytest.fixture
def new_database(backend, tmp_path, request):
    """The URL of a database without any table."""
    if backend == "sqlite":
        return f"sqlite:///{tmp_path}/new.sqlite3"
    server = request.getfixturevalue("postgres_server")
    return postgres.create_database(server, f"new_{os.urandom(8).hex()}")


def test_init_makes_ready_once_and_says_that_a_second_run_changed_nothing(tracker, new_database):
    first = tracker("init", TRACKER_DATABASE_URL=new_database)
    second = tracker("init", TRACKER_DATABASE_URL=new_database)

    assert re.fullmatch(r"trk_[\w-]{43}\n", first.stdout)
    assert first.stderr.splitlines() == [
        "The keys were created.",
        f"The database was migrated to version {migrations.head()}.",
        "The first administrator's token follows; it is not shown again.",
    ]
    assert (second.exit_code, second.stdout) == (0, "")
    assert second.stderr == "Everything was in place already; nothing was changed.\n"


def test_migrate_says_what_it_did(tracker, new_database):
    first = tracker("migrate", TRACKER_DATABASE_URL=new_database)
    second = tracker("migrate", TRACKER_DATABASE_URL=new_database)

    head = migrations.head()
    assert first.stdout == f"Migrated from an empty database to {head}.\n"
    assert second.stdout == f"The database is already at the newest version ({head}).\n"


def test_serve_refuses_a_database_that_is_not_migrated(tracker, new_database):
    result = tracker("serve", TRACKER_DATABASE_URL=new_database)

    assert result.exit_code == 1
    assert "run `tracker migrate` first" in result.stderr


@pytest.mark.parametrize(
    ("backend", "stop"),
    [("sqlite", signal.SIGINT), ("postgresql", signal.SIGTERM)],
    indirect=["backend"],
)
def test_serve_answers_until_it_is_told_to_stop(variables, stop):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "tracker.cli", "serve", "--port", str(port), "--workers", "1"]
    environment = {**os.environ, **variables, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as server:
        try:
            assert _answers(port, server)
            server.send_signal(stop)
            assert server.wait(60) == 0
        finally:
            server.kill()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 1)


def _answers(port, server):
    for _ in range(600):
        if server.poll() is not None:
            return False
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return True
    return False


@SQLITE
def test_a_mistaken_setting_is_told_and_nothing_is_run(tracker):
    result = tracker("migrate", TRACKER_DATABSE_URL="x", TRACKER_MAIL_PORT="many")

    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 2
    assert "TRACKER_DATABSE_URL: is not a known setting" in result.stderr


@SQLITE
def test_a_database_that_cannot_be_reached_is_a_failure_in_words(tracker):
    url = "postgresql://nobody@127.0.0.1:1/none"
    result = tracker("migrate", TRACKER_DATABASE_URL=url)

    assert result.exit_code == 1
    assert result.stderr.startswith("The database refused: ")
    assert "Traceback" not in result.stderr


# Schemes.
@SQLITE
def test_schemes_are_listed_with_their_versions(tracker):
    lines = tracker("schemes", "list").stdout.splitlines()

    assert "cpt      Certified Production Technician (CPT 4.0)" in lines
    assert any("green (optional)" in line for line in lines)
    assert any("policy 2015: from the start, has unverified values" in line for line in lines)


@SQLITE
def test_scheme_files_are_checked_and_every_mistake_is_told_with_file_and_line(tracker, tmp_path):
    good = tracker("schemes", "check")
    assert (good.exit_code, good.stderr) == (0, "")
    text = (ROOT / "config" / "schemes" / "mssc-cpt.toml").read_text()
    text = text.replace('points_required = "100.00"', 'points_required = "many"')
    (tmp_path / "cpt.toml").write_text(text.replace("[retake]", "[retakes]"))

    bad = tracker("schemes", "check", tmp_path)

    assert (bad.exit_code, bad.stdout) == (1, "")
    assert re.search(r'^cpt\.toml:\d+: .*points_required = "many": ', bad.stderr, re.MULTILINE)
    assert "retakes" in bad.stderr


# Tokens.
def test_a_token_is_made_listed_and_revoked(tracker):
    made = tracker("token", "create", "--role", "staff", "--days", "30", "--name", "nightly")
    assert re.fullmatch(r"trk_[\w-]{43}\n", made.stdout)
    (line,) = tracker("token", "list").stdout.splitlines()
    id_ = line.split()[0]
    assert "staff" in line
    assert "expires 2026-12-21T17:00Z" in line
    assert line.endswith("never used  nightly")

    assert tracker("token", "revoke", id_).stdout == f"Token {id_} was revoked.\n"

    assert "revoked 2026-11-21T17:00Z" in tracker("token", "list").stdout
    assert tracker("token", "revoke", "01a20111-0d4d-72b4-9421-649f04659112").exit_code == 1


@SQLITE
@pytest.mark.usefixtures("sample")
def test_a_holders_token_names_the_holder_by_ref(tracker):
    arguments = ("token", "create", "--role", "holder")
    made = tracker(*arguments, "--holder", "H1-000003", "--scope", "read")
    assert made.exit_code == 0
    assert "read " in tracker("token", "list").stdout

    nameless = tracker(*arguments)
    assert nameless.exit_code == 2
    assert "--role holder needs --holder, which names the token's owner." in nameless.stderr
    nobody = tracker(*arguments, "--holder", "nobody")
    assert (nobody.exit_code, nobody.stderr.splitlines()[0]) == (1, "There is no holder 'nobody'.")


# Doctor.
@pytest.fixture
def findings(tracker):
    """The doctor's findings by check, and its exit status."""

    def examine(**variables):
        result = tracker("doctor", "--json", **variables)
        found = {finding["check"]: finding for finding in json.loads(result.stdout)}
        return found, result.exit_code

    return examine


@pytest.mark.usefixtures("sample")
def test_the_doctor_finds_what_is_well_and_what_is_not(findings, backend):
    found, status = findings(TRACKER_MAIL_PORT="1")

    states = {check: finding["state"] for check, finding in found.items()}
    if backend == "postgresql":
        assert states.pop("row security") == "warning"
    assert states == {
        "settings": "ok",
        "schemes": "ok",
        "storage": "ok",
        "mail": "problem",
        "files": "ok",
        "database": "ok",
        "migrations": "ok",
        "writing": "ok",
        "schemes on record": "ok",
        "sending": "warning",
        "scheduler": "warning",
        "timelines": "ok",
        "search": "ok",
        "reminders": "ok",
        "policies": "ok",
        "planner": "ok",
        "outbox": "ok",
        "messages": "ok",
        "relay": "ok",
        "evidence": "ok",
        "bounces": "ok",
        "digests": "ok",
        "audit": "warning",
        "history": "warning",
    }
    assert status == 1
    assert "Connection refused" in found["mail"]["detail"]
    assert found["mail"]["fix"].startswith("Start the relay")
    assert re.fullmatch(
        r"\d{3} certifications match the recorded facts", found["timelines"]["detail"]
    )


@SQLITE
def test_the_doctor_tells_in_words_too(tracker):
    result = tracker("doctor", TRACKER_MAIL_PORT="1")

    assert result.exit_code == 1
    assert "problem  mail: 127.0.0.1:1: " in result.stdout
    assert "         -> Start the relay" in result.stdout


@pytest.mark.usefixtures("sample")
def test_the_doctor_finds_a_timeline_that_disagrees_with_its_facts(findings, container):
    with container.engine.begin() as connection:
        connection.execute(delete(Span).where(Span.cycle > 1))
        connection.execute(delete(HolderWord).where(HolderWord.word > "m"))

    found, _ = findings()

    assert found["timelines"]["state"] == "problem"
    assert " certifications do not match the recorded facts: CPT-" in found["timelines"]["detail"]
    assert found["search"]["state"] == "problem"
    assert " people are not found as named: " in found["search"]["detail"]


@SQLITE
def test_the_doctor_finds_a_scheduler_that_stopped_and_sending_that_is_disabled(
    findings, container, clock
):
    with container.work(SYSTEM) as work:
        send_safety.beat(work)
    assert findings()[0]["scheduler"]["state"] == "ok"
    with container.engine.begin() as connection:
        connection.execute(update(Runtime).values(last_tick_at=clock().replace(hour=16)))
    with container.work(SYSTEM) as work:
        send_safety.disable(work, reason="The relay moves.")

    found, _ = findings()

    assert found["scheduler"]["state"] == "problem"
    assert found["sending"]["detail"] == "No message is sent. Sending is disabled: The relay moves."


@pytest.mark.parametrize(
    ("variables", "check"),
    [
        ({"TRACKER_NONSENSE": "1"}, "settings"),
        ({"TRACKER_APP_SCHEMES": "no/such/folder"}, "schemes"),
        ({"TRACKER_STORAGE_DIRECTORY": "/proc/nowhere"}, "storage"),
        ({"TRACKER_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}, "database"),
    ],
)
def test_the_doctor_goes_on_as_far_as_it_can(findings, variables, check):
    found, status = findings(**variables)

    assert status == 1
    assert found[check]["state"] == "problem"
    assert found[check]["fix"]


@pytest.fixture
def room():
    """Say how many bytes a file may have in this process, as on a disk that is nearly full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@SQLITE
def test_the_doctor_finds_a_disk_that_is_full(findings, room):
    room(1000)
    found, status = findings()

    assert (found["storage"]["state"], status) == ("problem", 1)


@SQLITE
def test_the_doctor_finds_that_the_database_has_no_room(findings, container, room):
    with container.reading(SYSTEM) as reading:
        reading.row(select(Runtime.id))
        room(4096)
        found, status = findings()

    assert (found["storage"]["state"], found["database"]["state"]) == ("ok", "ok")
    assert (found["writing"]["state"], status) == ("problem", 1)


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_the_doctor_finds_that_the_database_takes_nothing(findings):
    found, status = findings(PGOPTIONS="-c default_transaction_read_only=on")

    assert (found["writing"]["state"], status) == ("problem", 1)


def test_the_doctor_finds_a_database_that_is_not_migrated(findings, new_database):
    found, _ = findings(TRACKER_DATABASE_URL=new_database)

    assert found["migrations"]["fix"] == "Run `tracker migrate`."


@SQLITE
def test_every_command_has_help(tracker):
    for name, entry in main.entries.items():
        command = entry.command()
        for arguments in ([name], *([name, sub] for sub in subcommands(command))):
            result = tracker(*arguments, "--help")
            assert (result.exit_code, result.stderr) == (0, "")
            assert result.stdout.startswith("Usage: ")


def subcommands(command):
    return command.list_commands(click.Context(command)) if isinstance(command, click.Group) else ()
