"""The bench works: every measurement gives a number. None of them is judged here."""

import json

import pytest

from tests import benchmarks
from tests.benchmarks.measurements import REGISTRY, at_least, at_most

POSTGRESQL_ONLY = {
    "csv",
    "idle",
    "import",
    "letters",
    "outage",
    "outbox",
    "planner",
    "slow",
}
OF_SERVERS = {"activity", "certification", "evaluation", "record"} | {
    name for name in REGISTRY if name.startswith("page-")
}
"""To start the servers takes most of a short run, and which database they use is a setting."""
SHORT = ["--seconds", "0.05", "--scale", "0.001"]


def test_every_measurement_gives_a_number_on_postgresql(postgres_server, capsys):
    assert benchmarks.main([*SHORT, "--json", "--database", postgres_server]) == 0

    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows.keys() == REGISTRY.keys()
    assert all(row["value"] > 0 for row in rows.values())
    assert all(row["reached"] in {True, False} for row in rows.values())


def test_a_short_run_on_sqlite_prints_a_table(capsys):
    chosen = [f"--only={name}" for name in REGISTRY.keys() - OF_SERVERS]

    assert benchmarks.main([*SHORT, *chosen, "--database", "sqlite://"]) == 0

    told = capsys.readouterr()
    heading, *lines = told.out.splitlines()
    assert heading.split() == ["work", "against", "measured", "goal", "reached", "made", "of"]
    assert len(lines) == len(chosen) - len(POSTGRESQL_ONLY)
    for name in POSTGRESQL_ONLY:
        assert f"{name}: left out, it needs PostgreSQL" in told.err


def test_an_unknown_name_is_refused_with_those_there_are(capsys):
    with pytest.raises(SystemExit):
        benchmarks.main(["--only", "everything"])

    assert "certification" in capsys.readouterr().err


def test_a_goal_says_whether_a_number_is_good_enough():
    assert at_least(0.7).reached_by(0.7)
    assert not at_least(0.7).reached_by(0.69)
    assert at_most(3).reached_by(3)
    assert not at_most(3).reached_by(4)
    assert str(at_least(3000, "/s")) == ">= 3000/s"
