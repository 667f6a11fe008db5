"""Patterns mean the same on every Python that the project runs on."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# `*+`, `++`, `?+`, `{2}+` and `(?>...)`, unless escaped: wrong before Python 3.11.5 (gh-106052).
POSSESSIVE = re.compile(r"(?<!\\)(?:[*+?]|\{\d*,?\d*\})\+|\(\?>")


def test_no_pattern_is_possessive_as_python_3_11_2_reads_those_wrong():
    found = [
        f"{file.relative_to(ROOT)}:{node.lineno}: {node.value!r}"
        for file in sorted((ROOT / "tracker").rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_bytes()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if POSSESSIVE.search(node.value)
    ]

    assert found == []


@pytest.mark.parametrize("pattern", ["a*+b", "a++", "(ab)?+", "a{2,3}+b", "(?>a|ab)c"])
def test_a_possessive_pattern_is_recognised(pattern):
    assert POSSESSIVE.search(pattern)


@pytest.mark.parametrize("pattern", [r"[0-9]+\+", "a*b+", r"\*+", "a? +", "{name}+{other}", "1+1"])
def test_other_patterns_are_left_alone(pattern):
    assert not POSSESSIVE.search(pattern)
