"""The command, run in this process against the test's own database."""

import logging
import socket
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from tracker.cli import main

SAMPLE = Path(__file__).parents[1] / "data" / "sample"


@pytest.fixture
def variables(database_url, tmp_path):
    """The environment of a command."""
    return {
        "TRACKER_ENV": "testing",
        "TRACKER_DATABASE_URL": database_url,
        "TRACKER_STORAGE_DIRECTORY": str(tmp_path / "storage"),
        "TRACKER_NOW": "2026-11-21T17:00:00Z",
    }


@contextmanager
def logging_kept():
    """Give the process its own way of logging back, which a program that runs in it replaces."""
    root = logging.getLogger()
    level, handlers = root.level, [*root.handlers]
    try:
        yield
    finally:
        root.setLevel(level)
        root.handlers[:] = handlers


@pytest.fixture
def tracker(variables):
    """Run ``tracker`` with arguments; gives click's result."""

    def run(*arguments, stdin=None, **more):
        runner = CliRunner(env=variables | more)
        with logging_kept():
            result = runner.invoke(main, [*map(str, arguments)], input=stdin)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


@pytest.fixture
def sample(tracker):
    """The sample, imported."""
    for kind in ("holders", "assessments", "activities", "renewals", "standing-changes", "roster"):
        assert tracker("import", kind, SAMPLE / f"{kind}.csv").exit_code == 0


@pytest.fixture
def taken():
    """A port at which another site listens, which would let a second one share it."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]
