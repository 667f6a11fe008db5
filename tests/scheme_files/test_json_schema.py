"""The JSON Schema of the file format: what editors are told is what the loader holds files to."""

from __future__ import annotations

import json
import re
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # published without types
import jsonschema_rs
import pytest
from click.testing import CliRunner

from tracker import settings
from tracker.cli.schemes import schemes
from tracker.scheme_files import json_schema

FILES = sorted(
    [
        *(settings.ROOT / "config" / "schemes").glob("**/*.toml"),
        Path(__file__).parent / "everything.toml",
    ]
)
EVERYTHING = FILES[[path.name for path in FILES].index("everything.toml")].read_text("utf-8")
SCHEMA = json_schema.generate()
VALIDATOR = jsonschema.Draft202012Validator(
    SCHEMA, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
)
# What editors for TOML check with.
EDITORS = jsonschema_rs.validator_for(SCHEMA, validate_formats=True)


def _as_editors_see_it(value: Any) -> Any:
    """TOML as JSON: editors take dates for strings."""
    if isinstance(value, dict):
        return {key: _as_editors_see_it(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_as_editors_see_it(inner) for inner in value]
    return value.isoformat() if isinstance(value, date) else value


def _refusals(text: str) -> list[tuple[str, str]]:
    """What the schema refuses: where, and by which of its words."""
    found = VALIDATOR.iter_errors(_as_editors_see_it(tomllib.loads(text)))
    return [(".".join(map(str, error.absolute_path)), str(error.validator)) for error in found]


def test_the_command_prints_it():
    printed = CliRunner().invoke(schemes, ["schema"])

    assert (printed.exit_code, json.loads(printed.stdout)) == (0, SCHEMA)


def test_it_is_a_json_schema_and_nothing_else():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    told = json.dumps(SCHEMA)

    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert not re.search(r"null|components|\\\\Z|x-", told)
    assert {key.strip("_") for key in SCHEMA["$defs"]} == SCHEMA["$defs"].keys()


def _described(table: Any, path: str = "") -> list[str]:
    """The tables and keys of which nothing is said."""
    found = [] if table.get("description") else [path]
    for key, told in table.get("properties", {}).items():
        found += [] if told.get("description") else [f"{path}.{key}"]
    return found


def test_every_table_and_key_says_what_it_is():
    tables = {"": SCHEMA, **SCHEMA["$defs"]}

    assert [key for name, table in tables.items() for key in _described(table, name)] == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_shipped_file_is_valid(file):
    text = file.read_text("utf-8")

    assert _refusals(text) == []
    assert EDITORS.is_valid(_as_editors_see_it(tomllib.loads(text)))


@pytest.mark.parametrize(
    ("old", "new", "key", "word"),
    [
        ('issuer = "Nobody"', "", "", "required"),
        ('issuer = "Nobody"', 'isuer = "Nobody"\nissuer = "x"', "", "additionalProperties"),
        ('issuer = "Nobody"', "issuer = 3", "issuer", "type"),
        ('issuer = "Nobody"', 'issuer = " "', "issuer", "pattern"),
        ('code = "all"', 'code = "all or"', "code", "pattern"),
        ('number_prefix = "ALL"', 'number_prefix = "all"', "number_prefix", "pattern"),
        ('{ en = "Laboratory", es = "Laboratorio" }', '{ en = "x" }', "modules.1.name", "required"),
        ("wait_days = 1\n", "wait_days = -1\n", "retake.wait_days", "minimum"),
        ("wait_days = 1\n", 'wait_days = "1"\n', "retake.wait_days", "type"),
        ("verified = true", "verified = 1", "award.verified", "type"),
        ('valid_through = "fixed_day"', 'valid_through = "x"', "award.valid_through", "enum"),
        (
            "lifetime_if_awarded_before = 2001-01-01",
            "lifetime_if_awarded_before = 2001",
            "award.lifetime_if_awarded_before",
            "type",
        ),
        (
            "lifetime_if_awarded_before = 2001-01-01",
            'lifetime_if_awarded_before = "early"',
            "award.lifetime_if_awarded_before",
            "format",
        ),
        ('schemes = ["all", "cpt"]', 'schemes = ["all"]', "fees.bundles.0.schemes", "minItems"),
        ("offsets = [30, 90]", "offsets = [30, 30]", "reminders.offsets", "uniqueItems"),
        ('renewal = "80.00"', 'renewal = "80.005"', "fees.renewal", "pattern"),
        ('renewal = "80.00"', "renewal = 80.0", "fees.renewal", "type"),
        (
            'overlap_maximum = "1.00"',
            'overlap_maximum = "0.00"',
            "policies.1.overlap_maximum",
            "pattern",
        ),
        ('points = "1.125"', 'points = "1.12345"', "policies.1.types.course.points", "pattern"),
        (
            'unapproved = "0.50"',
            'unapproved = "1.01"',
            "policies.1.types.course.unapproved",
            "pattern",
        ),
        ('unit = "hour"', "unit = 3", "policies.1.types.course.unit", "anyOf"),
        ('unit = "hour"', 'unit = { en = "hours" }', "policies.1.types.course.unit", "anyOf"),
        (', many = "PDUs"', "", "policies.1.credit.en", "anyOf"),
        (', gender = "feminine"', "", "policies.0.types.course.unit", "anyOf"),
        ('evidence = "asked"', 'evidence = "wanted"', "policies.1.types.book.evidence", "enum"),
        ('evidence = "required"', "evidence = true", "policies.1.types.course.evidence", "type"),
        (
            'warn_above = "80.00"',
            'warn_above = "0"',
            "policies.1.types.course.warn_above",
            "pattern",
        ),
        ('taught = "1.50"', "taught = 1.5", "policies.1.types.course.roles.taught", "type"),
        ("[policies.units.course]", '[policies.units."a course"]', "policies.1.units", "pattern"),
        (
            "[policies.units.course]",
            "[policies.units]\ncourse = 1\n[policies.units.other]",
            "policies.1.units.course",
            "type",
        ),
        ("extension]", "extensions]", "policies.1", "additionalProperties"),
        ('key = ["provider",', 'key = ["giver",', "policies.1.duplicates.key.0", "enum"),
        (
            'length = 6, unit = "months" }\nnext',
            'unit = "months" }\nnext',
            "policies.0.window",
            "required",
        ),
    ],
)
def test_what_it_can_tell_of_a_malformed_file_it_refuses(old, new, key, word):
    assert old in EVERYTHING

    text = EVERYTHING.replace(old, new, 1)

    assert (key, word) in _refusals(text)
    assert not EDITORS.is_valid(_as_editors_see_it(tomllib.loads(text)))


def test_what_holds_where_a_key_is_left_out_is_told():
    policy, kind = (SCHEMA["$defs"][name]["properties"] for name in ("Policy", "ActivityType"))
    rung = SCHEMA["$defs"]["LateStep"]["properties"]

    assert {key: told["default"] for key, told in policy.items() if "default" in told} == {
        "year": "cycle",
        "stop_at_requirement": False,
        "rounding": "half_up",
        "rounding_of": "claim",
        "month_rule": "completed",
        "overlap": "highest",
        "valid_while_pending": False,
        "pending_points_admit": True,
    }
    assert (kind["date_basis"]["default"], rung["by"]["default"]) == ("completion", "points")
    assert rung["extra_points"]["default"] == "0.00"
