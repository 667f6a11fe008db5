"""What a newcomer relies on: tested versions, and commands that do as the README says."""

import re
import tomllib
from importlib import metadata
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


def _pins() -> dict[str, str]:
    lines = [line for name in (RUNTIME, TESTS) for line in _lines(name) if "==" in line]
    return dict(line.split("==") for line in lines)


def test_what_runs_is_what_is_pinned_and_so_is_all_that_it_needs():
    """What can be audited without the internet: nothing comes in that no line names.

    What is known of the pinned versions only an index can say (config/OPERATIONS.md).
    """
    pins, unpinned, others = _pins(), set(), {}
    for name, version in pins.items():
        found = metadata.distribution(name)
        if found.version != version:
            others[name] = found.version
        for line in found.requires or ():
            needed = Requirement(line)
            is_needed = needed.marker is None or needed.marker.evaluate({"extra": ""})
            if is_needed and canonicalize_name(needed.name) not in pins:
                unpinned.add(f"{name} needs {needed.name}")

    assert (others, unpinned) == ({}, set())


def test_the_rules_of_bandit_are_demanded_of_the_program():
    """Ruff has them as ``S``; ``.ci/run`` runs it. Tests assert and start programs."""
    lint = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["ruff"]["lint"]
    left_out = {folder for folder, rules in lint["per-file-ignores"].items() if "S" in rules}

    assert lint["select"] == ["ALL"]
    assert not [rule for rule in lint["ignore"] if re.match(r"S\d*$", rule)]
    assert all(folder.startswith("tests") for folder in left_out)
    assert "ruff check" in (ROOT / ".ci" / "run").read_text("utf-8")
    assert "pip-audit --strict -r" in (ROOT / "config" / "OPERATIONS.md").read_text("utf-8")


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
