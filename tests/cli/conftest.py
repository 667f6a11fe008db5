"""The command, run in this process against the test's own database."""

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


@pytest.fixture
def tracker(variables):
    """Run ``tracker`` with arguments; gives click's result."""

    def run(*arguments, stdin=None, **more):
        result = CliRunner(env=variables | more).invoke(main, [*map(str, arguments)], input=stdin)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


@pytest.fixture
def sample(tracker):
    """The sample, imported."""
    for kind in ("holders", "assessments", "activities", "renewals", "standing-changes", "roster"):
        assert tracker("import", kind, SAMPLE / f"{kind}.csv").exit_code == 0
