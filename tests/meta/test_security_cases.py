"""security_cases.toml: every attack of our list is tried by tests that are there."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
CASES = tomllib.loads(Path(__file__).with_name("security_cases.toml").read_text("utf-8"))
NUMBERS = range(1, 49)


def test_every_case_is_listed_once_and_in_order():
    assert list(CASES) == [str(number) for number in NUMBERS]


@pytest.mark.parametrize("number", CASES)
def test_a_case_names_what_is_tried_and_tests_that_are_there(number):
    case = CASES[number]

    assert case.keys() <= {"what", "asvs", "api", "tests"}
    assert case["what"].endswith(".")
    assert case.get("asvs") or case.get("api")
    assert case["tests"]
    for name in case["tests"]:
        path, _, function = name.partition("::")
        assert function in functions(TESTS / path), name


def functions(path: Path) -> set[str]:
    """The names of the functions of a file of tests."""
    tree = ast.parse(path.read_text("utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
