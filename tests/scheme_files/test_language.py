"""The reference of the language: it speaks of every key, and its examples are right."""

from __future__ import annotations

import re
from typing import Any

import pytest
from marshmallow import fields

from tracker import scheme_files, settings
from tracker.scheme_files.format import PolicyTable

REFERENCE = (settings.ROOT / "config" / "schemes" / "LANGUAGE.md").read_text("utf-8")
TOLD = {27, 28, 33}  # people enforce them
EXAMPLES = re.findall(r"```toml\n(.*?)```", REFERENCE, re.DOTALL)
PLACE = "# Days before expiration"  # where the policy of the CPT ends


def _keys(table: Any) -> set[str]:
    """The names of the keys of a table and of those below it."""
    found = {field.data_key or name for name, field in table.fields.items()}
    for field in table.fields.values():
        at = field
        while isinstance(at, fields.List | fields.Dict):
            at = at.inner if isinstance(at, fields.List) else at.value_field
        found |= _keys(at.schema) if isinstance(at, fields.Nested) else set()
    return found


def test_each_of_the_forty_features_has_its_line():
    lines = re.findall(r"^\| (\d+) \|.*\| (\w+) \|$", REFERENCE, re.MULTILINE)

    assert [int(number) for number, _ in lines] == list(range(1, 41))
    assert {int(number) for number, enforced in lines if enforced == "told"} == TOLD
    assert {enforced for _, enforced in lines} == {"computed", "told"}


def test_every_key_of_a_policy_is_spoken_of():
    code = " ".join(re.findall(r"`[^`]+`", REFERENCE) + EXAMPLES)
    spoken = set(re.findall(r"\w+", code))

    assert _keys(PolicyTable()) - spoken == set()


@pytest.mark.parametrize("example", EXAMPLES)
def test_its_examples_hold_no_mistake(directory, edit, example):
    edit(PLACE, f"{example.replace('education', 'CE')}\n{PLACE}")

    assert [str(mistake) for mistake in scheme_files.check(directory)] == []
