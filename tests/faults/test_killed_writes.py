"""Any write killed at any moment: nothing is left of it, or all, and asked again it is done once.

Protects services/core/context, api/http/idempotency and every door that changes something.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest

from tests import postgres
from tests.faults.processes import ROOT


@pytest.fixture
def place(backend, templates, tmp_path, request):
    """The folder, name and server of a migrated database that nobody is connected to."""
    if backend == "sqlite":
        shutil.copyfile(templates(backend), tmp_path / "base.sqlite3").chmod(0o600)
        return tmp_path, "base", ""
    server = request.getfixturevalue("postgres_server")
    postgres.create_database(server, "base", template=templates(backend))
    return tmp_path, "base", server


def test_a_write_killed_at_any_moment_leaves_nothing_or_all_and_can_be_done_again(place, is_long):
    rounds = 200 if is_long else 6
    program = [sys.executable, "-m", "tests.faults.killed_writes", *map(str, place)]
    done = subprocess.run(
        [*program, str(rounds), "20261121"], cwd=ROOT, check=False, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr
    counts = json.loads(done.stdout)
    sys.stdout.write(f"{counts}\n")
    assert counts["died"] > rounds / 4  # of the others, a busy machine killed them too late
    assert sum(counts.get(f"left {what}", 0) for what in ("nothing", "all", "a step")) == rounds
