"""domain/credentials/apprenticeships.py: dates that fit the status, what is left to do."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from tracker.domain.credentials.apprenticeships import ApprenticeshipStatus, ApprenticeshipTerms
from tracker.domain.errors import Invalid

TODAY = date(2026, 11, 21)
TERMS = ApprenticeshipTerms(
    status=ApprenticeshipStatus.REGISTERED,
    started_on=date(2025, 1, 6),
    expected_end_on=date(2028, 12, 31),
    ended_on=None,
    instruction_hours=144,
    instruction_hours_required=576,
)
DONE = {"status": ApprenticeshipStatus.COMPLETED, "ended_on": date(2026, 6, 1)}


@pytest.mark.parametrize(
    "changes",
    [{}, DONE, {"expected_end_on": None}, {"status": ApprenticeshipStatus.SUSPENDED}],
)
def test_dates_that_fit_are_taken(changes):
    replace(TERMS, **changes).check(on=TODAY)


@pytest.mark.parametrize(
    ("changes", "field", "rule"),
    [
        ({"started_on": date(2026, 11, 22)}, "started_on", "must not be in the future"),
        ({"expected_end_on": date(2025, 1, 5)}, "expected_end_on", "must not be before"),
        ({"ended_on": TODAY}, "ended_on", "must be left out while the status is registered"),
        (DONE | {"ended_on": None}, "ended_on", "is required while the status is completed"),
        (DONE | {"ended_on": date(2025, 1, 5)}, "ended_on", "must not be before started_on"),
        (DONE | {"ended_on": date(2026, 11, 22)}, "ended_on", "must not be in the future"),
    ],
)
def test_dates_that_contradict_are_named(changes, field, rule):
    with pytest.raises(Invalid) as refused:
        replace(TERMS, **changes).check(on=TODAY)

    assert [*refused.value.fields] == [field]
    assert rule in refused.value.fields[field]


@pytest.mark.parametrize(
    ("changes", "days"),
    [
        ({"expected_end_on": date(2026, 11, 30)}, 9),
        ({"expected_end_on": date(2026, 1, 1)}, 0),
        ({"expected_end_on": None}, None),
        (DONE, None),
    ],
)
def test_days_are_left_until_the_expected_end(changes, days):
    assert replace(TERMS, **changes).days_left(on=TODAY) == days


@pytest.mark.parametrize(
    ("done", "required", "left"), [(144, 576, 432), (600, 576, 0), (5, None, None)]
)
def test_hours_are_left_where_they_are_stated(done, required, left):
    terms = replace(TERMS, instruction_hours=done, instruction_hours_required=required)

    assert terms.hours_left() == left
