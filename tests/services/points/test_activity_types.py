"""The type that an activity is judged by: that of the version which governs its cycle."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests import factories
from tests.backends import SQLITE
from tests.statements import counted
from tracker.domain.permissions import SYSTEM
from tracker.domain.schemes.schemes import Schemes
from tracker.services.points import activities, activity_rows, activity_types

COURSE = {"category": "CE", "type": "third_party", "title": "Lean", "quantity": Decimal(10)}


@pytest.fixture
def two_versions(container):
    """A container whose CPT has another version since 2024, which requires files with courses."""
    cpt = container.schemes["cpt"]
    [first] = cpt.policies
    types = dict(first.types)
    types["third_party"] = replace(types["third_party"], evidence="required")
    types["talk"] = replace(types["third_party"], code="talk", evidence="none")
    second = replace(first, version="2024", effective_from=date(2024, 1, 1), types=types)
    changed = replace(cpt, policies=(first, second))
    return replace(container, schemes=Schemes({**container.schemes.by_code, "cpt": changed}))


def logged(container, awarded_on, **values: Any) -> str:
    _, certification_id = factories.certified(container, awarded_on)
    with container.work(SYSTEM) as work:
        return activities.log(
            work, certification_id, {**COURSE, "completed_on": date(2026, 1, 5), **values}
        )


def found(container, *ids):
    with container.reading(SYSTEM) as reading:
        rows = [activity_rows.get(reading, id_) for id_ in ids]
        kinds = activity_types.of_rows(reading, rows)
    return [kinds[id_].evidence if id_ in kinds else None for id_ in ids]


def test_the_version_of_the_cycle_decides_what_is_asked_for(two_versions):
    old, new = logged(two_versions, date(2021, 12, 25)), logged(two_versions, date(2024, 3, 1))

    assert found(two_versions, old, new, old) == ["asked", "required", "asked"]


def test_a_type_that_only_another_version_knows_is_taken_from_there(two_versions):
    new = logged(two_versions, date(2024, 3, 1), type="talk")

    assert found(two_versions, new) == ["none"]


@SQLITE
def test_a_type_that_no_version_knows_is_left_out(container, two_versions):
    talk = logged(two_versions, date(2024, 3, 1), type="talk")

    assert found(container, talk) == [None]


def test_all_of_them_are_found_with_one_statement_and_with_none_for_one_version(
    container, two_versions
):
    ids = [logged(two_versions, date(2021, 12, n)) for n in (1, 2, 3)]
    for chosen, number in ((two_versions, 1), (container, 0)):
        with chosen.reading(SYSTEM) as reading:
            rows = [activity_rows.get(reading, id_) for id_ in ids]
            with counted(chosen) as sent:
                activity_types.of_rows(reading, rows)
        assert len(sent) == number


@SQLITE
def test_nothing_is_asked_of_nothing(container):
    assert found(container) == []
