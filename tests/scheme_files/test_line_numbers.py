"""Where a key is in a TOML text."""

import tomllib
from typing import Any

import pytest

from tracker import settings
from tracker.scheme_files import line_numbers

TEXT = """\
code = "x"        # 1
title = { en = "a", es = "b" }

[award]
validity.length = 5
validity.unit = "years"

[[policies]]
version = "1"
unverified = [
  "a key = a value",
  [ "not.a.table" ],
  "[award]",
]
note = '''
[award]
code = "no"
'''
rest = { a = [
  1 ], b = 2 }

  [policies.types.volunteer]
  points = "1.00"
  "odd.key" = 3
  'odder' = "\\"[["

[[policies]]
version = "2"

[ policies . types . volunteer ]
points = "2.00"

[[policies.bundles]]
amount = 1

[[policies.bundles]]
amount = 2
"""
EXPECTED: dict[line_numbers.KeyPath, int] = {
    ("code",): 1,
    ("title",): 2,
    ("award",): 4,
    ("award", "validity", "length"): 5,
    ("award", "validity", "unit"): 6,
    ("policies",): 8,
    ("policies", 0): 8,
    ("policies", 0, "version"): 9,
    ("policies", 0, "unverified"): 10,
    ("policies", 0, "note"): 15,
    ("policies", 0, "rest"): 19,
    ("policies", 0, "types", "volunteer"): 22,
    ("policies", 0, "types", "volunteer", "points"): 23,
    ("policies", 0, "types", "volunteer", "odd.key"): 24,
    ("policies", 0, "types", "volunteer", "odder"): 25,
    ("policies", 1): 27,
    ("policies", 1, "version"): 28,
    ("policies", 1, "types", "volunteer"): 30,
    ("policies", 1, "types", "volunteer", "points"): 31,
    ("policies", 1, "bundles"): 33,
    ("policies", 1, "bundles", 0): 33,
    ("policies", 1, "bundles", 0, "amount"): 34,
    ("policies", 1, "bundles", 1): 36,
    ("policies", 1, "bundles", 1, "amount"): 37,
}


def test_every_table_and_key_is_found_at_its_line():
    tomllib.loads(TEXT)  # the example is TOML

    assert line_numbers.find(TEXT) == EXPECTED


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("title", "es"), 2),
        (("award", "prerequisites"), 4),
        (("award", "validity"), 4),
        (("policies", 0, "types", "volunteer", "name", "en"), 22),
        (("policies", 0, "types", "other"), 8),
        (("policies", 1, "bundles", 0, "schemes", 1), 33),
        (("unheard", "of"), 1),
        ((), 1),
    ],
)
def test_a_key_that_is_absent_is_told_at_the_nearest_table_around_it(path, line):
    assert line_numbers.line_of(EXPECTED, path) == line


def _values(value: Any, path: line_numbers.KeyPath = ()) -> list[line_numbers.KeyPath]:
    """The paths of all values in tables, those in lists of values left out."""
    if isinstance(value, dict):
        return [found for key, inner in value.items() for found in _values(inner, (*path, key))]
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [found for n, inner in enumerate(value) for found in _values(inner, (*path, n))]
    return [path]


@pytest.mark.parametrize("name", ["mssc-cpt", "mssc-clt", "mssc-cla"])
def test_in_the_shipped_files_every_key_is_found_where_it_is_written(name):
    text = (settings.ROOT / "config" / "schemes" / f"{name}.toml").read_text("utf-8")
    found, written = line_numbers.find(text), text.split("\n")
    paths = _values(tomllib.loads(text))

    assert len(paths) > 15
    for path in paths:
        line = written[line_numbers.line_of(found, path) - 1]
        assert any(line.startswith(f"{part} = ") for part in path[-3:]), path
