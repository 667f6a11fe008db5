"""Patterns mean the same on every Python that the project runs on."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# `*+`, `++`, `?+`, `{2}+` and `(?>...)`, unless escaped: wrong before Python 3.11.5 (gh-106052).
CLASS = re.compile(r"(?<!\\)\[\^?\]?[^\]]*\]")
POSSESSIVE = re.compile(r"(?<!\\)(?:[*+?]|\{\d*,?\d*\})\+|\(\?>")


def test_no_pattern_is_possessive_as_python_3_11_2_reads_those_wrong():
    found = [
        f"{file.relative_to(ROOT)}:{node.lineno}: {node.value!r}"
        for file in sorted((ROOT / "tracker").rglob("*.py"))
        for node in _texts(ast.parse(file.read_bytes()))
        if is_possessive(node.value)
    ]

    assert found == []


def _texts(tree):
    """The strings of a module but for its docstrings."""
    nodes = list(ast.walk(tree))
    told = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    return [
        node
        for node in nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told
    ]


def is_possessive(pattern):
    """Whether a pattern repeats possessively; signs within a class of characters are plain."""
    return POSSESSIVE.search(CLASS.sub("[]", pattern)) is not None


@pytest.mark.parametrize("pattern", ["a*+b", "[ab]++", "(ab)?+", "a{2,3}+b", "(?>a|ab)c"])
def test_a_possessive_pattern_is_recognised(pattern):
    assert is_possessive(pattern)


@pytest.mark.parametrize("pattern", [r"[0-9]+\+", "a*b+", r"\*+", "a? +", "[*+]+", "1+1"])
def test_other_patterns_are_left_alone(pattern):
    assert not is_possessive(pattern)
