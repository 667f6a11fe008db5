"""What a newcomer relies on: tested versions, and commands that do as the README says."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
RUNTIME = "requirements.txt"
TESTS = "requirements-test.txt"


@pytest.mark.parametrize("name", [RUNTIME, TESTS])
def test_requirements_are_sorted_pins_and_nothing_else(name):
    lines = [line for line in _lines(name) if line != f"-r {RUNTIME}"]

    assert [line for line in lines if not re.fullmatch(r"[a-z0-9-]+==[0-9.]+", line)] == []
    assert lines == sorted(lines)


@pytest.mark.parametrize(
    ("names", "demands"),
    [
        ([RUNTIME], PROJECT["dependencies"]),
        ([RUNTIME, TESTS], PROJECT["optional-dependencies"]["test"]),
    ],
)
def test_every_dependency_is_pinned_within_its_bounds(names, demands):
    lines = [line for name in names for line in _lines(name) if "==" in line]
    pins = dict(line.split("==") for line in lines)

    for demand in map(Requirement, demands):
        assert pins[canonicalize_name(demand.name)] in demand.specifier, demand


def test_ci_runs_the_tests_as_the_readme_does():
    readme = (ROOT / "README.md").read_text("utf-8")
    ci = (ROOT / ".ci" / "run").read_text("utf-8")
    (command,) = set(re.findall(r"\.venv/bin/pytest.*$", readme, re.MULTILINE))

    assert re.search(rf"^{re.escape(command)}( |$)", ci, re.MULTILINE)


def test_ci_demands_that_the_rules_are_covered_and_measures_nothing_else():
    """To measure what every test covers takes longer than to run them."""
    ci = (ROOT / ".ci" / "run").read_text("utf-8")

    assert ".ci/coverage rules" in ci
    assert "--cov" not in ci


def test_no_test_alters_a_frozen_value_that_other_tests_share():
    """Settings are read once a process: a test that altered them failed others that ran later."""
    writes = "object.__set" + "attr__("

    tests = [path for path in (ROOT / "tests").rglob("*.py") if writes in path.read_text("utf-8")]

    assert tests == []


def _lines(name):
    text = (ROOT / "config" / name).read_text("utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]
