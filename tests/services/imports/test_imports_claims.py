"""The columns of activities that say more of a claim: unit, role, tags, duty, provider."""

from __future__ import annotations

import pytest

from tests import ruling
from tests.backends import SQLITE
from tests.services.imports.importing import (
    HOLDERS,
    REQUIRED,
    bring,
    fates,
    refused,
    rows,
    standings,
)
from tracker.models import Activity, Decision

HEADER = (
    "activity_ref,holder_ref,scheme,category,type,title,provider,quantity,completed_on,"
    "status,submitted_on,decided_on"
)
COURSE = "1,A,cpt,CE,third_party,Robots,Ivy,2,2026-01-05,approved,2026-01-06,2026-01-07"
STATED = ",unit,role,tags,duty,provider_approved"


@pytest.fixture
def container(app):
    return ruling.rule(app, ruling.telling(ruling.shipped(app)))


@pytest.fixture
def certified(container):
    bring(container, "holders", HOLDERS)
    passes = "\n".join(f"{m},A,cpt,{m},2024-03-01,pass" for m in REQUIRED)
    header = "attempt_ref,holder_ref,scheme,module,taken_on,result"
    bring(container, "assessments", f"{header}\n{passes}\n")
    return container


def brought(container, cells, header=HEADER + STATED):
    return bring(container, "activities", f"{header}\n{COURSE}{cells}\n")


def stated(container):
    return rows(container, Activity, "unit", "role", "tags", "duty")


def counted(container):
    return [row["points_counted"] for row in standings(container) if row["scheme"] == "cpt"]


def test_a_file_without_the_columns_imports_as_before(certified):
    assert fates(brought(certified, "", HEADER)) == (1, 0, 0)
    assert stated(certified) == [("", "", [], False)]
    assert fates(brought(certified, "", HEADER)) == (0, 0, 1)
    assert counted(certified) == ["1.00"]  # half, since no one approved the provider


def test_the_columns_are_taken_and_repeated_without_change(certified):
    cells = ",ceu,taught,safety; safety ;,false,true"
    assert fates(brought(certified, cells)) == (1, 0, 0)
    assert stated(certified) == [("ceu", "taught", ["safety"], False)]
    assert rows(certified, Decision, "verdict", "provider_approved") == [("approved", True)]
    assert fates(brought(certified, cells)) == (0, 0, 1)
    assert counted(certified) == ["12.00"]  # 2 x 10 x 1.5, at most 12 for safety


def test_many_rows_are_taken_at_once(certified):
    lines = [COURSE.replace("1,A", f"{n},A", 1) + ",,,safety,," for n in range(40)]
    bring(certified, "activities", "\n".join([HEADER + STATED, *lines]) + "\n")
    assert stated(certified) == [("", "", ["safety"], False)] * 40


def test_a_file_without_the_columns_leaves_what_is_on_record(certified):
    brought(certified, ",ceu,taught,safety,true,true")
    assert fates(brought(certified, "", HEADER)) == (0, 0, 1)
    assert stated(certified) == [("ceu", "taught", ["safety"], True)]
    assert fates(brought(certified, ",,,,,")) == (0, 1, 0)
    assert stated(certified) == [("", "", [], False)]
    assert rows(certified, Decision, "provider_approved") == [(True,)]


def test_another_word_on_the_provider_is_another_decision(certified):
    brought(certified, ",,,,,")
    assert counted(certified) == ["1.00"]
    brought(certified, ",,,,,true")
    assert rows(certified, Decision, "provider_approved") == [(False,), (True,)]
    assert counted(certified) == ["2.00"]


NOT_KNOWN = [
    (",day,,,,", "unit", "'day' is not known; must be one of: ceu, hour"),
    (",,led,,,", "role", "'led' is not known; must be one of: taught"),
    (",,,safety;law,,", "tags", "'law' is not known; must be one of: safety"),
    (",,,,yes,", "duty", "must be true or false; did you mean true?"),
    (
        ",,," + ";".join(f"t{n}" for n in range(21)) + ",,",
        "tags",
        "must be at most 20 tags, separated by semicolons",
    ),
    (",,," + "t" * 33 + ",,", "tags", "must be at most 32 characters"),
]


@SQLITE
def test_what_is_not_known_is_refused_by_column(certified):
    for cells, column, rule in NOT_KNOWN:
        found = refused(certified, "activities", f"{HEADER}{STATED}\n{COURSE}{cells}\n")
        assert found == [(2, column, rule)], cells


@SQLITE
def test_only_an_approved_row_says_that_the_provider_is(certified):
    row = COURSE.replace("approved", "rejected") + ",,,,,true"
    found = refused(certified, "activities", f"{HEADER}{STATED}\n{row}\n")
    assert found == [(2, "provider_approved", "must be empty unless the status is approved")]
